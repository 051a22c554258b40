"""The dossier: every field of the pack, nothing compulsory, and only what may cross crosses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.exchange.fields import TextMap
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import AMBER, RED, Marking, join
from vedette.kernel.packs import default_pack
from vedette.readiness.dossier import (
    LIMITS,
    check,
    completeness,
    extract,
    fields_of,
    lines_of,
    sections_of,
)

PACK = default_pack()
FIELDS = {field.id: field for field in fields_of(PACK)}
CROSSING = sorted(key for key, field in FIELDS.items() if field.crosses)
HOME = sorted(set(FIELDS) - set(CROSSING))
SAMPLE = {
    "text": "x",
    "paragraph": "x\ny",
    "list": "1\n2\n3\n4\n5",
    "date": "2027-03-01",
    "time": "2027-03-01T09:00Z",
    "digest": "sha256:" + "ab" * 32,
}


def sample(key: str) -> str:
    return SAMPLE.get(FIELDS[key].type) or FIELDS[key].options[0]


def test_every_field_is_whole() -> None:
    for field in FIELDS.values():
        assert field.label
        assert field.help.endswith(".")
        assert field.section in sections_of(PACK)
        assert bool(field.options) == (field.type in ("choice", "choices"))
    assert set(LIMITS) >= {field.type for field in FIELDS.values()}


def test_a_full_dossier_has_no_problem_and_is_complete() -> None:
    values = {key: sample(key) for key in FIELDS}
    assert check(PACK, values) == {}
    full = completeness(PACK, values)
    assert full.filled == full.total == len(FIELDS)
    assert sum(total for _, total in full.sections.values()) == full.total


@given(st.sets(st.sampled_from(sorted(FIELDS))), st.sampled_from(["", " \n"]))
def test_no_field_is_compulsory(filled: set[str], empty: str) -> None:
    values = {key: sample(key) if key in filled else empty for key in FIELDS}
    assert check(PACK, values) == {}
    assert completeness(PACK, values).filled == len(filled)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("weights", "ajar", "choose among"),
        ("weights", "open\nclosed", "choose one"),
        ("acts-asked", "access-window\naccess-window", "choose each once"),
        ("version-digest", "sha256:xyz", "64 hex"),
        ("destruction-date", "next year", "a day such as"),
        ("partner-date", "noon", "a time such as"),
        ("samples", "1\n2\n3\n4", "4 lines, at least 5"),
        ("samples", "x\n" * 501, "at most 500"),
        ("model-name", "x" * 301, "at most 300"),
        ("model-name", "a\x00b", "control characters"),
        ("model-name", 3, "text expected"),
        ("nonsense", "x", "no such field"),
    ],
)
def test_a_problem_names_its_field(key: str, value: str, words: str) -> None:
    problems = check(PACK, {"model-name": "M", key: value})
    assert set(problems) == {key}
    assert words in problems[key]


@given(st.sets(st.sampled_from(CROSSING)))
def test_an_extract_holds_the_chosen_fields_and_their_joined_marking(chosen: set[str]) -> None:
    values = {key: sample(key) for key in FIELDS}
    part = extract(PACK, values, sorted(chosen))
    assert set(part.values) == chosen
    assert part.marking == join(FIELDS[key].marking for key in chosen)
    TextMap().check(dict(part.values), "dossier")


def test_the_labs_own_marking_counts() -> None:
    own = {"model-name": Marking.parse("SECRET//TLP:GREEN")}
    part = extract(PACK, {"model-name": "M", "suite": "S"}, ["model-name", "suite"], own)
    assert part.marking == Marking(AMBER.tlp, 3)


def test_empty_fields_do_not_cross() -> None:
    part = extract(PACK, {"model-name": " "}, ["model-name", "suite"])
    assert part.values == {}
    assert part.marking != RED


@pytest.mark.parametrize("key", [*HOME, "nonsense"])
def test_what_stays_home_cannot_be_chosen(key: str) -> None:
    with pytest.raises(BadInput, match="stays home"):
        extract(PACK, {key: "x"}, [key])


def test_a_field_with_a_problem_does_not_cross() -> None:
    with pytest.raises(BadInput, match=r"dossier\.weights: choose among"):
        extract(PACK, {"weights": "ajar"}, ["weights"])


def test_decision_and_change_log_stay_home() -> None:
    assert {"decision", "decision-reasons", "voiding-conditions", "date-changes"} <= set(HOME)


def test_lines() -> None:
    assert lines_of(" a \n\n b\r\nc") == ["a", "b", "c"]
