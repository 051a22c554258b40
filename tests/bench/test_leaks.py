"""The summary that leaves tells nothing of an item: known without the items, and fails closed."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bench.runs import NOW, commitment, sample

from vedette.bench.assessment import assess
from vedette.bench.leaks import RUN, Guard, words
from vedette.bench.results import RunResult
from vedette.bench.suites import Suite, find_suite
from vedette.kernel.markings import RED
from vedette.runner.scaffold import generated_suite, new_suite

SUITE = find_suite("daemons")
GUARD = Guard.of(SUITE)
TEXTS = [
    text
    for item in SUITE.items
    for text in (item.prompt, item.summary, *(p.read_text() for p in item.vulnerable))
]


def summary(suite: Suite) -> dict[str, Any]:
    """What leaves of a run on a suite, whose samples tell all of its items."""
    plan = dataclasses.replace(
        commitment(["null", "orion-1"]),
        suite={"name": suite.name, "version": suite.version, "canary": suite.canary},
        budgets={item.id: dict(item.budget) for item in suite.items},
    )
    samples = tuple(
        dataclasses.replace(
            sample(name, "queue", n % 2, trajectory=(item.prompt,)),
            item=item.id,
            family=item.family,
        )
        for name in ("null", "orion-1")
        for n, item in enumerate(suite.items)
    )
    made = RunResult(plan, samples, (), "2026-11-23T11:05:00Z")
    return assess(made, markings=[RED], now=NOW).releasable()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every text in a document."""
    if isinstance(value, str):
        return [path]
    parts = (
        value
        if isinstance(value, dict)
        else dict(enumerate(value))
        if isinstance(value, list)
        else {}
    )
    return [found for key, part in parts.items() for found in places(part, (*path, key))]


PLAIN = summary(SUITE)


def with_text(text: str, path: tuple[Any, ...], position: int) -> dict[str, Any]:
    """The summary with a text put into one of its own."""
    document = copy.deepcopy(PLAIN)
    part: Any = document
    for key in path[:-1]:
        part = part[key]
    at = position % (len(part[path[-1]]) + 1)
    part[path[-1]] = f"{part[path[-1]][:at]} {text} {part[path[-1]][at:]}"
    return document


@pytest.mark.parametrize("kind", ["shipped", "new", "generated"])
def test_the_summary_of_a_run_tells_nothing(kind: str, tmp_path: Path) -> None:
    made = {
        "shipped": lambda: SUITE,
        "new": lambda: new_suite(tmp_path / "suite"),
        "generated": lambda: generated_suite(tmp_path / "suite", 7),
    }
    suite = made[kind]()
    assert Guard.of(suite).told(summary(suite)) == ""


@given(st.sampled_from(TEXTS), st.data())
def test_any_words_of_an_item_in_any_place_are_known(text: str, data: st.DataObject) -> None:
    found = words(text)
    start = data.draw(st.integers(0, len(found) - RUN))
    glue = data.draw(st.sampled_from([" ", "  ", "-", ", ", "\n", "(", " / "]))
    said = glue.join(found[start : start + RUN])
    said = said.upper() if data.draw(st.booleans()) else said
    path = data.draw(st.sampled_from(places(PLAIN)))
    told = GUARD.told(with_text(said, path, data.draw(st.integers(0, 500))))
    assert told, (said, path)


@given(st.sampled_from([item.id for item in SUITE.items] + [SUITE.canary]), st.data())
def test_names_and_the_canary_are_known(name: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(places(PLAIN)))
    assert GUARD.told(with_text(name, path, data.draw(st.integers(0, 500))))
    assert GUARD.told({"limits": {name: 1}})


def test_it_is_the_same_after_it_was_kept() -> None:
    kept = json.dumps(GUARD.to_json())
    assert Guard.from_json(json.loads(kept)) == GUARD
    assert not [item.title for item in SUITE.items if item.title in kept]
