"""Canonical JSON: one form for one value, equal to RFC 8785's for what we use."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.canonical import LARGEST, canonical, digest, new_salt, salted_digest
from vedette.kernel.errors import BadInput

text = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_reads_back_and_is_a_fixed_point(value: Any) -> None:
    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)


@given(st.dictionaries(text, st.integers(0, 9), min_size=2))
def test_order_of_insertion_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_keys_sort_by_utf16_units() -> None:
    """The example of RFC 8785 section 3.2.3."""
    value = dict.fromkeys(["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"], 1)
    order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(value))) == order


def test_strings_are_escaped_as_little_as_rfc_8785_has_it() -> None:
    assert canonical('\u20ac$\u000f\nA\'B"\\\\"/') == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (1.0, r"\$"),
        ({"a": [1, float("nan")]}, r"\$\.a\[1\]"),
        ({"a": {1: 2}}, r"\$\.a"),
        ({"a": 2**53}, r"\$\.a"),
        (b"bytes", r"\$"),
        ("\ud800", "surrogate"),
        ({"\ud800": 1}, "surrogate"),
    ],
)
def test_what_has_no_one_form_is_bad_input(value: Any, where: str) -> None:
    with pytest.raises(BadInput, match=where):
        canonical(value)


def test_depth_is_bounded() -> None:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    with pytest.raises(BadInput, match="deeper"):
        canonical(value)


def test_digests() -> None:
    assert digest(b"abc") == (
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    one, two = new_salt(), new_salt()
    assert one != two
    assert len(bytes.fromhex(one)) == 32
    assert salted_digest({"answer": "yes"}, one) != salted_digest({"answer": "yes"}, two)
