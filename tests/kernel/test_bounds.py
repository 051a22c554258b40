"""Foreign JSON is bounded in size, depth and count, and the error names its source."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.errors import BadInput


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=9))
def test_what_is_within_the_bounds_is_read(value: object) -> None:
    assert read_json(json.dumps(value).encode(), source="x") == value


@pytest.mark.parametrize(
    ("data", "bounds", "words"),
    [
        (b"[" + b" " * 100 + b"]", Bounds(size=100), "bytes"),
        (b"[" * 9 + b"]" * 9, Bounds(depth=8), "deeper"),
        (b"[" * 200_000, Bounds(), "deeper|not JSON"),
        (b"[1,2,3]", Bounds(count=3), "values"),
        (b"[NaN]", Bounds(), "NaN"),
        (b"\xff\xfe\xfa", Bounds(), "not JSON"),
        (b"{", Bounds(), "not JSON"),
        (b"1" * 5000, Bounds(), "not JSON"),
        (b"", Bounds(), "not JSON"),
    ],
)
def test_beyond_the_bounds_is_one_clear_error(data: bytes, bounds: Bounds, words: str) -> None:
    with pytest.raises(BadInput, match=f"^report.json: .*({words})"):
        read_json(data, source="report.json", bounds=bounds)
