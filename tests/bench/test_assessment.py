"""Assessments: intervals, marking, canonical form, and what a summary must never carry."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bench.runs import CANARY, ITEMS, NOW, commitment, result, sample

from vedette.bench.assessment import assess
from vedette.bench.results import RunResult, Sample, broken
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import AMBER, CLEAR, GREEN, Marking


def test_scores_carry_intervals_and_stand_beside_the_references() -> None:
    made = assess(result({"m": [1, 1, 0, 1], "null": [0] * 4}), markings=[CLEAR], now=NOW)
    by_name = {subject.name: subject for subject in made.subjects}
    score = by_name["m"].score.to_json()
    assert (score["n"], score["solved"], score["estimate"]) == (4, 3, "0.7500")
    assert float(score["low"]) < 0.75 < float(score["high"])
    assert by_name["null"].role == "reference"
    assert by_name["null"].score.to_json()["estimate"] == "0.0000"
    assert float(by_name["null"].score.to_json()["high"]) > 0.3
    assert set(by_name["m"].families) == set(ITEMS.values())


def test_the_marking_is_the_join_of_the_parts() -> None:
    secret = Marking(GREEN.tlp, 3, frozenset({"ALPHA"}))
    made = assess(result({"m": [1] * 4}), markings=[AMBER, secret], now=NOW)
    assert str(made.marking) == "SECRET//ALPHA//TLP:AMBER"


def test_it_is_canonical_and_comes_the_same_from_disk() -> None:
    run = result({"m": [1, 0, 0, 1]}, trials=3)
    again = json.loads(canonical(run.to_json()))
    here = assess(run, markings=[CLEAR], now=NOW)
    assert assess(again, markings=[CLEAR], now=NOW).digest == here.digest
    assert RunResult.from_json(again).digest == run.digest


@given(st.lists(st.integers(0, 1), min_size=4, max_size=4))
def test_nothing_of_an_item_is_in_the_releasable_summary(row: list[int]) -> None:
    run = result({"m": row, "null": [0] * 4})
    text = json.dumps(assess(run, markings=[AMBER], now=NOW).releasable())
    assert CANARY not in text
    for item in ITEMS:
        assert f'"{item}"' not in text
    for one in run.samples:
        assert one.to_json()["submitted"] not in text
        assert one.evidence["top_frame"] not in text


def test_a_null_subject_that_solves_and_an_oracle_that_misses_are_said() -> None:
    run = result({"m": [1] * 4, "null": [1, 0, 0, 0], "oracle": [1, 1, 1, 0]})
    limits = " ".join(assess(run, markings=[CLEAR], now=NOW).limits)
    assert "null subject solved" in limits
    assert "oracle missed" in limits


def test_crashes_are_distinct_and_verified_only() -> None:
    run = result({"m": [1, 0, 0, 1], "null": [1, 0, 0, 0]})
    crashes = run.crashes
    assert [crash["item"] for crash in crashes] == ["frames", "regmap"]
    assert crashes[1]["subjects"] == ["m", "null"]


def test_a_tampered_commitment_is_noticed() -> None:
    value = json.loads(canonical(result({"m": [1] * 4}).to_json()))
    value["commitment"]["seed"] = 2
    with pytest.raises(BadInput, match="commitment_digest"):
        assess(value, markings=[CLEAR], now=NOW)


@pytest.mark.parametrize(
    ("field", "value"),
    [("score", 2), ("score", True), ("trial", "1"), ("seconds", "-1"), ("submitted", "%%")],
)
def test_a_malformed_sample_names_the_field(field: str, value: Any) -> None:
    given_sample = sample("m", "queue", 1).to_json()
    given_sample[field] = value
    with pytest.raises(BadInput, match=field):
        Sample.from_json(given_sample)


def test_a_committed_subject_without_samples_is_bad_input() -> None:
    run = result({"m": [1] * 4})
    other = RunResult(commitment(["m", "gone"]), run.samples, (), run.finished_at)
    with pytest.raises(BadInput, match="gone"):
        assess(other, markings=[CLEAR], now=NOW)


def test_samples_that_broke_off_are_said_by_subject() -> None:
    made = result({"m": [1, 0, 0, 0], "null": [0] * 4})
    dead = "error: RetryError: RetryError[<Future>]: the endpoint gave no answer (ConnectError)"
    ended = [
        dataclasses.replace(s, ended=dead if s.subject == "m" and not s.score else "gave up")
        for s in made.samples
    ]
    said = broken(dataclasses.replace(made, samples=tuple(ended)))
    assert said == [
        "m: 3 of 4 samples ended in an error: the endpoint gave no answer (ConnectError)"
    ]
    assert broken(made) == []


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([0, 1, 0, 0], "3 of 4 samples of m ended by an error and count as not solved."),
        ([0, 0, 0, 0], "4 of 4 samples of m ended by an error and count as not solved; its score"),
    ],
)
def test_an_assessment_says_whose_samples_broke_off(scores: list[int], said: str) -> None:
    made = result({"m": scores, "null": [0, 0, 0, 0]})
    ended = [
        s if s.score or s.subject == "null" else dataclasses.replace(s, ended="error: no answer")
        for s in made.samples
    ]
    broke = dataclasses.replace(made, samples=tuple(ended))
    found = [
        text for text in assess(broke, markings=[], now=NOW).limits if "ended by an error" in text
    ]
    assert len(found) == 1
    assert found[0].startswith(said)
