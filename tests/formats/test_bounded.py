"""JSON of foreign files: the fast parser and Python's own are one to whoever reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.formats.bounded import load
from vedette.kernel.errors import BadInput

LIMIT = 1 << 20
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def python(data: bytes) -> Any:
    """What Python reads, or None where it reads nothing or a text that no database takes."""
    try:
        value = json.loads(data)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return None if "\\u0000" in json.dumps(value) else value


def ours(data: bytes) -> Any:
    try:
        return load(data, "x", LIMIT)
    except BadInput:
        return None


@given(VALUES, st.booleans(), st.sampled_from(["utf-8", "utf-16"]))
def test_every_document_is_read_as_python_reads_it(value: Any, plain: bool, coding: str) -> None:
    data = json.dumps(value, ensure_ascii=plain).encode(coding, "surrogatepass")
    assert ours(data) == python(data)


@given(VALUES, st.binary(max_size=3), st.integers(0, 100))
def test_damaged_documents_are_read_alike_or_refused_alike(
    value: Any, noise: bytes, at: int
) -> None:
    data = json.dumps(value).encode()
    data = data[:at] + noise + data[at:]
    assert repr(ours(data)) == repr(python(data))


@pytest.mark.parametrize(
    "data",
    [
        *(b"NaN", b"[1e999]", b"[" * 5000 + b"]" * 5000, b"[1" + b"0" * 30 + b"]"),
        *(b"\xef\xbb\xbf[1]", b'{"a":1,"a":2}', b'"\xed\xa0\x80"'),
        *(b'"\\ud800"', b'"\\u0000"', b'"\\ud83d\\ude00"'),
    ],
)
def test_what_the_parsers_might_differ_about(data: bytes) -> None:
    assert repr(ours(data)) == repr(python(data.removeprefix(b"\xef\xbb\xbf")))
