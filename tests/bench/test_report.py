"""Reports of one run: three editions, one documented form, and of an item only what may be told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bench.runs import CANARY, ITEMS, NOW, result

from vedette.bench import horizon
from vedette.bench.assessment import assess
from vedette.bench.checklist import FILLERS, NAMES, checklist
from vedette.bench.report import Audience, build, schema
from vedette.bench.report_parts import ItemFacts
from vedette.bench.results import RunResult, Sample
from vedette.cli.bench_report import FORMATS
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import AMBER

pytestmark = pytest.mark.any_database
MINUTES = {item: ItemFacts("discovery", 4.0**n) for n, item in enumerate(ITEMS)}
PUBLIC = {item: replace(fact, published="2026-01-01") for item, fact in MINUTES.items()}
ROWS = st.lists(st.integers(0, 1), min_size=4, max_size=4)


@pytest.fixture(autouse=True, scope="module")
def few_draws() -> Iterator[None]:
    """The horizon's bootstrap has its own tests; here it is one figure among many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(horizon, "DRAWS", 30)
        yield


def a_run(row: list[int], trials: int = 2, marking: str = "TLP:AMBER", note: str = "") -> RunResult:
    scores = {"model": row, "null": [0] * 4, "oracle": [1] * 4, "mutator": [1, 0, 0, 0]}
    made = result(scores, trials)
    subjects = tuple(
        {**subject, "kind": "reference", "role": "reference"}
        if subject["name"] == "mutator"
        else subject
        for subject in made.commitment.subjects
    )
    plan = replace(
        made.commitment, subjects=subjects, suite={**made.commitment.suite, "marking": marking}
    )
    samples = tuple(
        replace(s, executions=10 * n + 1, seconds=0.5 * n, input_tokens=100 if n % 2 else 0)
        for n, s in enumerate(made.samples)
    )
    return replace(made, commitment=plan, samples=samples, notes=(note,) if note else ())


def report(run: RunResult, audience: str, **more: Any) -> dict[str, Any]:
    domains = dict.fromkeys(ITEMS, "discovery")
    made = assess(run, markings=[AMBER], now=NOW, domains=domains)
    return build(made, run, audience=Audience(audience), **{"facts": MINUTES, **more})


@settings(max_examples=6, deadline=None)
@given(ROWS, st.sampled_from(list(Audience)))
def test_every_edition_is_of_the_documented_form(row: list[int], audience: Audience) -> None:
    told = report(a_run(row), audience)
    jsonschema.Draft202012Validator(schema()).validate(told)
    assert json.loads(canonical(told)) == told


def test_the_schema_is_one_and_refuses_another_form() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    told = report(a_run([1, 0, 1, 1]), "office")
    for broken in ({**told, "grade": "A"}, {**told, "audience": "press"}, {**told, "items": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema())


@settings(max_examples=6, deadline=None)
@given(ROWS, st.sampled_from([Audience.LAB, Audience.OPERATORS]))
def test_nothing_of_an_item_leaves_in_the_editions_for_others(
    row: list[int], audience: Audience
) -> None:
    told = report(a_run(row, note=f"failed on {CANARY}"), audience)
    text = json.dumps(told)
    assert CANARY not in text
    assert not [item for item in ITEMS if f'"{item}"' in text or f" {item}" in text]
    assert told["items"] == []
    assert not any("trajectory" in sample for sample in told["samples"]["drawn"])


def test_the_office_reads_all_and_a_public_suite_is_no_secret() -> None:
    whole = report(a_run([1, 0, 1, 1], note="it failed"), "office")
    assert {row["item"] for row in whole["items"]} == set(ITEMS)
    assert "it failed" in whole["limits"]
    lab = report(a_run([1, 0, 1, 1], marking="TLP:CLEAR", note="it failed"), "lab")
    assert {row["item"] for row in lab["items"]} == set(ITEMS)
    assert lab["samples"]["drawn"][0]["trajectory"]
    assert "it failed" not in lab["limits"]
    sealed = report(a_run([1, 0, 1, 1], marking="TLP:CLEAR"), "lab", sealed=True)
    assert sealed["items"] == []
    assert not [item for item in ITEMS if f'"{item}"' in json.dumps(sealed["samples"])]


def test_operators_read_scores_but_no_families_and_no_use() -> None:
    told = report(a_run([1, 0, 1, 1]), "operators")
    model = told["subjects"][0]
    assert {"families", "used", "seconds"}.isdisjoint(model)
    assert model["score"]["solved"] == 6
    assert model["uplift"]["over"] == "mutator"
    assert model["domains"]["discovery"]["n"] == 8
    assert told["cost"] == []


def test_uplift_stands_beside_the_assessed_and_its_lack_is_said() -> None:
    told = report(a_run([1, 0, 1, 1]), "office")
    up = told["subjects"][0]["uplift"]
    assert up["estimate"] == "0.5000"
    assert float(up["low"]) < 0.5 < float(up["high"])
    assert [s["uplift"] for s in told["subjects"][1:]] == [None, None, None]
    alone = result({"model": [1] * 4, "null": [0] * 4})
    assert any("No conventional tool" in text for text in report(alone, "office")["limits"])


def test_scores_in_between_stand_beside_what_was_solved() -> None:
    run = a_run([1, 0, 0, 0])
    scored = [0.75, 0.5, 0.25, 0.0] * 2
    samples = tuple(
        replace(s, partial=scored[n] if s.subject == "model" else float(s.score))
        for n, s in enumerate(run.samples)
    )
    suite = {**run.commitment.suite, "name": "inspect:a/b", "solved_at": "0.75"}
    run = replace(run, samples=samples, commitment=replace(run.commitment, suite=suite))
    assert RunResult.from_json(json.loads(json.dumps(run.to_json()))).samples == samples
    told = report(run, "office")
    score = told["subjects"][0]["score"]
    assert (score["solved"], score["estimate"]) == (2, "0.2500")
    assert (score["partial"]["estimate"], score["partial"]["between"]) == ("0.3750", 6)
    assert float(score["partial"]["low"]) < 0.375 < float(score["partial"]["high"])
    assert told["measured"]["suite"]["solved_at"] == "0.75"
    assert any("a score of at least 0.75" in text for text in told["limits"])
    outcomes = {row["item"]: row["outcomes"]["model"] for row in told["items"]}
    assert outcomes["telemetry"] == {"n": 2, "solved": 0, "where": "", "partial": "0.5000"}
    told = report(run, "operators")
    assert told["subjects"][0]["score"]["partial"] == score["partial"]
    assert {s["partial"] for s in told["samples"]["drawn"]} <= {f"{s:.4f}" for s in scored}
    assert "partial" not in report(a_run([1, 0, 0, 0]), "office")["subjects"][0]["score"]


@pytest.mark.parametrize("partial", ["nan", "1.01", "-0.1", "much", [1]])
def test_a_partial_score_is_from_0_to_1(partial: Any) -> None:
    made = result({"m": [1, 0, 0, 0]}).samples[0].to_json()
    with pytest.raises(BadInput, match=r"sample\.partial"):
        Sample.from_json({**made, "partial": partial})


def test_five_samples_an_assessed_subject_are_drawn_by_the_commitment() -> None:
    run = a_run([1, 0, 1, 1])
    drawn = [report(run, audience)["samples"]["drawn"] for audience in Audience]
    assert [len(rows) for rows in drawn] == [5, 5, 5]
    assert (
        len({json.dumps([(s["subject"], s["trial"], s["score"]) for s in d]) for d in drawn}) == 1
    )
    other = replace(run, commitment=replace(run.commitment, seed=99))
    assert report(other, "office")["samples"]["drawn"] != drawn[0]


def test_the_gap_of_published_items_stands_beside_the_tools_own() -> None:
    mixed = {k: (PUBLIC if n < 2 else MINUTES)[k] for n, k in enumerate(ITEMS)}
    rows = report(a_run([1, 1, 0, 0]), "office", facts=mixed)["gaps"]["rows"]
    assert [(row["subject"], row["difference"]["estimate"]) for row in rows] == [
        ("model", "1.0000"),
        ("mutator", "0.5000"),
    ]
    for known, word in ((PUBLIC, "published"), (MINUTES, "fresh"), ({}, "not recorded")):
        gaps = report(a_run([1, 1, 0, 0]), "office", facts=known)["gaps"]
        assert (gaps["rows"], word in gaps["reason"]) == ([], True)
    beside = (a_run([0, 0, 0, 1]), MINUTES)
    rows = report(a_run([1, 1, 0, 1]), "office", facts=PUBLIC, beside=beside)["gaps"]["rows"]
    assert rows[0]["difference"]["estimate"] == "0.5000"
    assert float(rows[0]["difference"]["low"]) < 0.5 < float(rows[0]["difference"]["high"])


def test_the_ladder_orders_and_the_horizon_says_why_there_is_none() -> None:
    told = report(a_run([1, 1, 1, 0]), "office")
    ability = {row["name"]: float(row["ability"]) for row in told["ladder"]["subjects"]}
    assert ability["oracle"] > ability["model"] > ability["mutator"] > ability["null"]
    horizons = {row["name"]: row for row in told["horizons"]}
    assert horizons["oracle"]["reason"] == "solved everything"
    assert horizons["null"]["p50_minutes"] is None
    assert 1 < float(horizons["model"]["p50_minutes"]) < 64
    single = result({"model": [1, 0, 0, 1]})
    assert report(single, "office")["ladder"]["reason"]
    assert report(single, "office", facts={})["horizons"] == []


def test_a_cost_curve_never_falls_and_ends_at_the_score() -> None:
    told = report(a_run([1, 1, 1, 0]), "office")
    assert {curve["unit"] for curve in told["cost"]} == {"seconds", "tokens", "executions"}
    for curve in told["cost"]:
        shares = [float(point["estimate"]) for point in curve["points"]]
        assert shares == sorted(shares)
        score = next(s["score"] for s in told["subjects"] if s["name"] == curve["subject"])
        assert f"{shares[-1]:.4f}" == score["estimate"]


@pytest.mark.parametrize("name", NAMES)
def test_a_checklist_is_filled_from_the_report_or_says_that_it_is_not(name: str) -> None:
    known = checklist(name)
    asked = {source for row in known["criteria"] for source in row["from"]}
    assert asked <= set(FILLERS)
    assert len({row["id"] for row in known["criteria"]}) == len(known["criteria"])
    told = report(a_run([1, 0, 1, 1]), "office")["checklists"][NAMES.index(name)]
    states = {row["id"]: row["state"] for row in told["criteria"]}
    assert "recorded" in states.values()
    assert "not recorded" in states.values()
    for row in told["criteria"]:
        assert bool(row["value"]) == (row["state"] != "not recorded")


def test_of_a_task_of_others_nothing_is_claimed_that_was_not_done() -> None:
    run = a_run([1, 0, 1, 1])
    plan = replace(run.commitment, suite={**run.commitment.suite, "name": "inspect:theirs/ctf"})
    told = report(replace(run, commitment=plan), "lab", facts={})
    stream = {row["id"]: row for row in told["checklists"][0]["criteria"]}
    assert stream["2(iii)"]["state"] == "not recorded"
    assert stream["2(v-a)"]["state"] == "not recorded", "its scorer may be a model"
    assert "own scorer" in stream["2(ii)"]["value"]
    assert any("no item was certified" in text for text in told["limits"])


def test_what_is_not_recorded_depends_on_the_edition() -> None:
    def state(audience: str, criterion: str) -> str:
        stream = report(a_run([1, 0, 1, 1]), audience)["checklists"][0]
        return str(next(r["state"] for r in stream["criteria"] if r["id"] == criterion))

    assert (state("office", "1(iii)"), state("lab", "1(iii)")) == ("recorded", "not recorded")
    assert state("office", "3(ii)") == "not recorded", "a run does not know the lab's safeguards"
    assert state("office", "2(iv-a)") == "does not apply"


def test_every_field_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "assessment-report.md").read_text("utf-8")
    assert [name for name in schema()["properties"] if f"| `{name}` |" not in page] == []
    assert [form for form in FORMATS if f"| `{form}` |" not in page] == []
