"""Foreign JSON is bounded in size, depth and count, and the error names its source."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.errors import BadInput

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@given(st.recursive(st.none() | TEXT, lambda inner: st.lists(inner, max_size=3), max_leaves=9))
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


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": ["x\\u0000"]}',
        b'{"\\uD800": 1}',
        b'["\\ud83d"]',
        b'["\xed\xa0\x80"]',
        '["\\ud800"]'.encode("utf-16"),
        '["\\u0000"]'.encode("utf-32"),
    ],
)
def test_text_that_no_database_takes_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match=r"^report.json: text with NUL or half a character"):
        read_json(data, source="report.json")


def test_whole_characters_in_halves_are_read() -> None:
    assert read_json(b'["\\ud83d\\ude00 \\\\u0000"]', source="x") == ["\U0001f600 \\u0000"]
