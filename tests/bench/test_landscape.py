"""The landscape is made of what it is given: every name has an assessment, gaps are no one's."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bench.runs import ITEMS, NOW, result

from vedette.bench.assessment import assess
from vedette.bench.landscape import WHOLE, Entry, entries, landscape
from vedette.kernel.markings import AMBER

pytestmark = pytest.mark.any_database
TODAY = date(2026, 12, 1)


def entry(model: str, domain: str, version: str, days: int, lab: str = "Lab A") -> Entry:
    on = TODAY - timedelta(days=days)
    return Entry(model, lab, domain, "toys", version, on, 8, 4, 0.5, 0.2, 0.8, f"a-{model}-{days}")


ENTRIES = st.lists(
    st.builds(
        entry,
        st.sampled_from(["m1", "m2", "m3"]),
        st.sampled_from([WHOLE, "discovery", "repair"]),
        st.sampled_from(["1", "2"]),
        st.integers(0, 400),
        st.sampled_from(["Lab A", "Lab B"]),
    ),
    max_size=8,
)


@given(ENTRIES)
def test_it_holds_what_it_was_given_and_nothing_else(rows: list[Entry]) -> None:
    made = landscape(rows, today=TODAY)
    shown = [(part["domain"], row) for part in made["domains"] for row in part["entries"]]
    assert len(shown) == len(rows)
    assert {(domain, row["model"], row["lab"]) for domain, row in shown} == {
        (row.domain, row.model, row.lab) for row in rows
    }
    text = json.dumps(made)
    for name in {"m1", "m2", "m3"} - {row.model for row in rows}:
        assert f'"{name}"' not in text
    for part in made["domains"]:
        days = [row["on"] for row in part["entries"]]
        assert days == sorted(days)
    assert not any(row.model in gap or row.lab in gap for row in rows for gap in made["gaps"])


def test_an_empty_one_says_nothing_of_anybody() -> None:
    made = landscape([], today=TODAY)
    assert (made["domains"], made["gaps"], made["assessments"]) == ([], [], 0)


def test_gaps_are_of_the_measuring() -> None:
    rows = [
        entry("m1", WHOLE, "1", 200),
        entry("m1", "discovery", "1", 200),
        entry("m2", WHOLE, "2", 100),
    ]
    gaps = landscape(rows, today=TODAY)["gaps"]
    assert any("discovery: the suite toys 2 has no items of it" in gap for gap in gaps)
    assert any("discovery: last assessed on" in gap and "200 days ago" in gap for gap in gaps)
    assert any("toys 1 and 2: no model was assessed on both" in gap for gap in gaps)
    linked = [*rows, entry("m1", WHOLE, "2", 10)]
    assert not any("assessed on both" in gap for gap in landscape(linked, today=TODAY)["gaps"])


def test_entries_of_an_assessment_are_of_its_assessed_subjects_by_domain() -> None:
    run = result({"m": [1, 1, 0, 1], "null": [0] * 4})
    domains = {item: "discovery" if n < 2 else "repair" for n, item in enumerate(ITEMS)}
    made = assess(run, markings=[AMBER], now=NOW, domains=domains).releasable()
    found = {row.domain: row for row in entries(made, lab="Lab A", assessment="a-1")}
    assert set(found) == {WHOLE, "discovery", "repair"}
    assert {row.model for row in found.values()} == {"m"}
    assert (found["discovery"].n, found["repair"].solved) == (2, 1)
    assert found[WHOLE].low < found[WHOLE].estimate < found[WHOLE].high


@pytest.mark.parametrize("document", [{}, {"suite": 3}, {"suite": {}, "made_at": "x"}, []])
def test_a_form_that_is_not_known_gives_none(document: Any) -> None:
    assert entries(document, lab="Lab A", assessment="a-1") == []


def test_uplift_stands_with_its_interval_and_a_real_minus() -> None:
    up = {"over": "mutator", "estimate": "-0.2500", "low": "-0.6700", "high": "0.4100"}
    score = {"n": 8, "solved": 2, "estimate": "0.25", "low": "0.03", "high": "0.81"}
    subject = {"name": "m", "role": "assessed", "score": score, "uplift": up, "domains": {}}
    document = {"suite": {"name": "toys"}, "made_at": "2026-12-01", "subjects": [subject]}
    (made,) = entries(document, lab="Lab A", assessment="a-1")
    minus = "\N{MINUS SIGN}"
    assert made.uplift == f"{minus}0.25 over mutator ({minus}0.67 to +0.41)"
