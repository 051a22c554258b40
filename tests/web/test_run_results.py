"""What a run's page shows of crashes, broken rules, plants, mended sources and policies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.bench.runs import result, sample

from vedette.bench.results import RunResult
from vedette.web.cells import State
from vedette.web.pages import run_results, suites

pytestmark = pytest.mark.any_database


def shown(*samples: Any) -> RunResult:
    return replace(result({"m": [0, 0, 0, 0], "null": [0, 0, 0, 0]}), samples=samples)


def evidence(kind: str, place: str, access: str, *frames: str) -> dict[str, Any]:
    return {
        "crash_class": kind,
        "top_frame": place,
        "access": access,
        "frames": [place, *frames],
        "runs": 3,
        "crashed": 3,
        "fixed_clean": True,
        "reason": f"{kind} in {place}",
    }


def test_each_kind_of_harm_is_told_in_its_own_words() -> None:
    made = shown(
        sample("m", "queue", 1, evidence=evidence("ABRT", "drive_to", "", "main")),
        sample("m", "regmap", 1, evidence=evidence("rule-broken", "unlock", "a whole token")),
        sample("m", "frames", 1, evidence=evidence("goal-reached", "tank", "full", "b_c", "a")),
    )
    found = {card["title"]: card for card in map(run_results.found, made.crashes)}
    assert set(found) == {
        "ABRT in drive_to",
        "A rule broken in unlock",
        "The goal reached at the tank",
    }
    rule, goal = found["A rule broken in unlock"], found["The goal reached at the tank"]
    assert ("Rule", "a whole token") in rule["facts"]
    assert (rule["frames"], goal["what"], goal["frames"]) == ([], "Steps", ["a", "b c"])
    assert "Access" not in dict(found["ABRT in drive_to"]["facts"]), "nothing is known of it"


def test_sources_policies_and_ways_into_a_plant_have_their_verdicts() -> None:
    on_the_way = {
        "crash_class": "",
        "top_frame": "",
        "frames": ["role_taken"],
        "reason": "half way",
    }
    nothing = {"crash_class": "", "top_frame": "", "frames": [], "reason": "no crash"}
    made = shown(
        sample("m", "queue", 1, evidence={"contained": True, "reason": "5 attacks held"}),
        sample("null", "queue", 0, evidence={"contained": False, "reason": "attack 1"}),
        sample("m", "frames", 0, evidence=on_the_way),
        sample("m", "regmap", 0, evidence=nothing),
        sample("null", "regmap", 1, evidence=evidence("ABRT", "f", "")),
        sample("m", "telemetry", 0, evidence={"reason": "nothing"}, submitted=None),
    )
    table = run_results.verdicts(made)
    assert table is not None
    assert table.rows == [
        ["frames", "m", "half way"],
        ["queue", "m", "5 attacks held"],
        ["queue", "null", "attack 1"],
    ]
    assert run_results.verdicts(shown()) is None


def test_trials_and_scores_in_between_are_counted() -> None:
    rows = [[1, 0], [0, 0]]
    made = shown(
        *(sample("m", "queue", s, n, partial=p) for n, (s, p) in enumerate([(1, 1.0), (0, 0.5)])),
        *(sample("null", "queue", s, n) for n, s in enumerate(rows[1])),
        sample("m", "frames", 0, ended="error: gone"),
    )
    table = run_results.results(made)
    assert table.rows == [
        ["frames", "parsers", State("broke off", "attention"), "not run"],
        ["queue", "queues", State("solved 1 of 2, score 0.75", "done"), "not solved"],
    ]


def test_exposures_that_are_alike_share_a_row() -> None:
    def row(item: int, subject: str, run: str = "run-1", custody: str = "here") -> dict[str, Any]:
        at = datetime(2026, 12, 1, tzinfo=UTC)
        known = {"item": item, "subject": subject, "run": run, "custody": custody}
        return {**known, "could_see": "nobody", "at": at}

    both = [row(item, subject) for item in (3, 2, 1) for subject in ("null", "oracle")]
    table = suites._ledger([*both, row(4, "oracle", "run-2"), row(9, "", "run-1", "view")])
    told = [(cells[0], cells[2], cells[3]) for cells in table.rows]
    assert told == [
        ("Items 1 to 3", "here", "null, oracle"),
        ("Item 4", "here", "oracle"),
        ("Item 9", "a person's reading", None),
    ]
