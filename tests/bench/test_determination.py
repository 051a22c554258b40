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
    Basis,
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
    assert "uncertainty" not in text
    margins = list(made.secret().values())
    assert len(margins) == 2
    kept = json.dumps(made.to_json())
    for told in (text, kept, json.dumps(made.releasable(shared=True))):
        assert not any(margin in told for margin in margins), (
            "with the interval it is the threshold"
        )
        assert "0.123456" not in told
    assert made.to_json()["uncertainty"]["n"] == 4
    assert made.to_json()["margin"] == "the interval lies wholly at or above the threshold"


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


def test_without_a_run_it_rests_on_a_review_and_says_so() -> None:
    fields = {
        "rule": RULE,
        "threshold": None,
        "maker": "m",
        "why": "w",
        "consulted": (),
        "now": NOW,
    }
    with pytest.raises(BadInput, match="outcome"):
        determine(None, "m", **fields)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="review"):
        determine(None, "m", outcome=Outcome.MEETS, **fields)  # type: ignore[arg-type]
    made = determine(
        None, "m", outcome=Outcome.INSUFFICIENT_EVIDENCE, basis=Basis(review="sha256:1"), **fields
    )  # type: ignore[arg-type]
    assert (made.margins, made.uncertainty, made.threshold_digest) == (None, None, "")
    assert made.to_json()["margin"] == "nothing was measured"
    assert made.to_json()["made_on"] == made.to_json()["review"] == "sha256:1"
    assert "sha256:1" not in json.dumps({**made.releasable(), "pack": ""}), "texts can be guessed"


def test_an_offices_reasons_do_not_cross_what_it_holds_does() -> None:
    said = Consultation("Office B", "disagrees", date(2026, 11, 20), "because of SECRET-THING")
    made = make(consulted=(said,))
    assert "SECRET-THING" not in json.dumps(made.releasable(shared=True))
    assert made.releasable()["consulted"][0]["view"] == "disagrees"
    assert made.to_json()["consulted"][0]["reasons"] == "because of SECRET-THING"


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
