"""A finding is bounded, keeps its text as it came, and has one key for one content."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.clearinghouse.findings import LIST_LIMITS, TEXT_LIMITS, Finding
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import RED


def test_a_finding_is_read_and_written_back() -> None:
    value = {
        "id": "f-1",
        "title": "t",
        "cwe": ["CWE-787"],
        "stack": ["a", "b"],
        "recipe": {"kind": "suite-item", "suite": "s", "item": "i", "input_b64": "AA=="},
        "marking": "TLP:AMBER",
    }
    assert Finding.parse(value).as_dict() == value


def test_what_is_unmarked_is_red() -> None:
    assert Finding.parse({"id": "f", "title": "t"}).marking == RED


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": ""}, "id"),
        ({"title": None}, "title"),
        ({"title": "x" * 2_001}, "title"),
        ({"description": "x" * 65_537}, "description"),
        ({"description": 3}, "description"),
        ({"product": "a\0b"}, "product"),
        ({"title": "\ud800"}, "title"),
        ({"stack": ["f"] * 257}, "stack"),
        ({"stack": [1]}, "stack[0]"),
        ({"references": ["x" * 2_049]}, "references[0]"),
        ({"cwe": ["overflow"]}, "cwe"),
        ({"recipe": {"kind": 3}}, "recipe"),
        ({"recipe": {"kind": "pypi", "name": "ujson"}}, "recipe.version"),
        ({"recipe": {"kind": "x", "data": "x" * 1_100_000}}, "recipe"),
        ({"recipe": {"kind": "x", "n": 1.5}}, "recipe"),
        ({"marking": "TLP:PINK"}, "marking"),
    ],
)
def test_bad_input_names_the_field(change: dict[str, Any], named: str) -> None:
    with pytest.raises(BadInput) as error:
        Finding.parse({"id": "f", "title": "t", **change}, source="line 3")
    assert str(error.value).startswith(f"line 3: {named}:")


@pytest.mark.parametrize("value", [None, 3, [], "x"])
def test_what_is_no_object_is_bad_input(value: Any) -> None:
    with pytest.raises(BadInput):
        Finding.parse(value)


def test_weaknesses_are_brought_to_one_form() -> None:
    value = {"id": "f", "title": "t", "cwe": ["cwe-79", "79", "NVD-CWE-noinfo", "CWE-89"]}
    assert Finding.parse(value).cwe == ("CWE-79", "CWE-89")


_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
_values = st.fixed_dictionaries(
    {"id": _text.filter(str.strip), "title": _text.filter(str.strip)},
    optional={name: _text for name in TEXT_LIMITS if name not in ("id", "title")}
    | {name: st.lists(_text, max_size=3) for name in LIST_LIMITS if name != "cwe"},
)


@given(_values)
def test_reading_what_was_written_changes_nothing(value: dict[str, Any]) -> None:
    finding = Finding.parse(value)
    again = Finding.parse(finding.as_dict())
    assert again == finding
    assert again.key == finding.key


@given(_values, st.sampled_from(sorted(TEXT_LIMITS)))
def test_other_content_has_another_key(value: dict[str, Any], name: str) -> None:
    other = {**value, name: value.get(name, "") + "!"}
    assert Finding.parse(value).key != Finding.parse(other).key
