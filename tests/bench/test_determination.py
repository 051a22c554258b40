"""Determinations: three outcomes, on the record, telling nothing of the threshold."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bench.runs import NOW, result

from vedette.bench.assessment import assess
from vedette.bench.determination import (
    Consultation,
    Determination,
    Outcome,
    Rule,
    Threshold,
    determine,
    suggest,
)
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import CLEAR

NONCE = "ab" * 32
ASSESSMENT = assess(result({"m": [1, 1, 0, 1]}), markings=[CLEAR], now=NOW)
RULE = Rule("designation.score", "sha256:" + "1" * 64)
CONSULTED = (Consultation("Office A", "agrees", date(2026, 11, 20)),)


def make(threshold: str = "0.5", **more: object) -> Determination:
    fields: dict[str, object] = {
        "rule": RULE,
        "threshold": Threshold.parse(threshold, NONCE),
        "maker": "The Director",
        "why": "Read beside the reference subjects.",
        "consulted": CONSULTED,
        "now": NOW,
        **more,
    }
    return determine(ASSESSMENT, "m", **fields)  # type: ignore[arg-type]


shares = st.decimals(0, 1, places=4)


@given(shares, shares, shares)
def test_the_interval_suggests_exactly_one_outcome(a: Decimal, b: Decimal, t: Decimal) -> None:
    low, high = min(a, b), max(a, b)
    outcome = suggest(low, high, Threshold(t, NONCE))
    assert (outcome is Outcome.MEETS) == (low >= t)
    assert (outcome is Outcome.DOES_NOT_MEET) == (high < t)


def test_it_names_rule_maker_and_those_consulted() -> None:
    record = make().releasable()
    assert record["rule"] == "designation.score"
    assert record["maker"] == "The Director"
    assert record["consulted"] == [{"office": "Office A", "view": "agrees", "on": "2026-11-20"}]
    assert record["outcome"] == "insufficient evidence"
    assert record["made_on"] == ASSESSMENT.digest


def test_the_releasable_record_does_not_tell_the_threshold() -> None:
    made = make("0.123456")
    text = json.dumps(made.releasable())
    assert "0.123456" not in text
    assert str(made.margin) not in text
    assert "uncertainty" not in text
    assert made.to_json()["margin"] == str(Decimal("0.7500") - Decimal("0.123456"))


def test_the_same_threshold_has_another_digest_behind_another_nonce() -> None:
    one, other = Threshold.parse("0.50", NONCE), Threshold.parse("0.5", "cd" * 32)
    assert one.digest == Threshold.parse("0.5", NONCE).digest != other.digest


def test_the_maker_may_record_another_outcome_and_both_are_kept() -> None:
    record = make(outcome=Outcome.MEETS).to_json()
    assert (record["outcome"], record["suggested"]) == ("meets", "insufficient evidence")


def test_a_later_assessment_shows_that_it_was_made_on_an_earlier_state() -> None:
    made = make()
    assert made.earlier_state(ASSESSMENT) == ""
    later = assess(result({"m": [1, 1, 1, 1]}), markings=[CLEAR], now=NOW)
    assert ASSESSMENT.digest in made.earlier_state(later)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"maker": " "}, "maker"),
        ({"why": ""}, "why"),
        ({"rule": Rule("", "x")}, "rule"),
        ({"consulted": [Consultation("", "v", date(2026, 1, 1))]}, "consulted.office"),
        ({"consulted": [Consultation("o", "v", date(2027, 1, 1))]}, "consulted.on"),
    ],
)
def test_a_missing_field_is_named(more: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput, match=field):
        make(**more)


@pytest.mark.parametrize("text", ["", "NaN", "-0.1", "1.1", "Infinity"])
def test_a_threshold_outside_the_unit_range_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput, match="threshold"):
        Threshold.parse(text, NONCE)


def test_an_unknown_subject_is_bad_input() -> None:
    with pytest.raises(BadInput, match="stranger"):
        determine(
            ASSESSMENT,
            "stranger",
            rule=RULE,
            threshold=Threshold.parse("0.5", NONCE),
            maker="m",
            why="w",
            consulted=(),
            now=NOW,
        )
