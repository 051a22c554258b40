"""OSV events in any order, against the schema's own evaluation algorithm."""

from __future__ import annotations

import random
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from vedette.matching.ranges import EVERY, Interval, Range, from_events, points

POOL = ["0.1", "1.0rc1", "1.0", "1.0.post1", "1.1.dev0", "1.1", "2.0", "2.0+local", "3!0"]


def osv_algorithm(events: list[tuple[str, str]], version: str) -> bool:
    """Evaluate as the OSV schema writes it down, with packaging as the order."""
    this = Version(version)
    limits = [v for kind, v in events if kind == "limit" and v != "*"]
    if limits and not any(this < Version(v) for v in limits):
        return False
    vulnerable = False
    low = Version("0.dev0")
    rows = [e for e in events if e[0] != "limit"]
    for kind, v in sorted(rows, key=lambda e: low if e[1] == "0" else Version(e[1])):
        bound = low if v == "0" else Version(v)
        if kind == "introduced" and this >= bound:
            vulnerable = True
        elif (kind == "fixed" and this >= bound) or (kind == "last_affected" and this > bound):
            vulnerable = False
    return vulnerable


@st.composite
def event_lists(draw: st.DrawFn) -> list[tuple[str, str]]:
    bounds = draw(st.lists(st.sampled_from(POOL), unique=True, max_size=6))
    bounds.sort(key=Version)
    events = [("introduced", "0")] if draw(st.booleans()) else []
    kinds = ("introduced", "fixed", "last_affected")
    events += [(draw(st.sampled_from(kinds)), bound) for bound in bounds]
    if draw(st.integers(0, 3)) == 0:
        events.append(("limit", draw(st.sampled_from([*POOL, "*"]))))
    return events


@given(event_lists(), st.sampled_from(POOL), st.randoms(use_true_random=False))
def test_any_order_of_events_gives_the_schemas_answer(
    events: list[tuple[str, str]], version: str, rng: random.Random
) -> None:
    expected = osv_algorithm(events, version)
    shuffled = rng.sample(events, len(events))
    assert isinstance(from_events("pypi", shuffled).find(version), Interval) == expected
    assert from_events("pypi", shuffled) == from_events("pypi", events)


@given(
    st.lists(st.sampled_from(POOL[1:-1]), unique=True, min_size=2),
    st.sampled_from(["fixed", "last_affected"]),
    st.randoms(use_true_random=False),
)
def test_intervals_that_meet_are_one_in_any_order(
    bounds: list[str], end: str, rng: random.Random
) -> None:
    bounds.sort(key=Version)
    events = [e for low, high in pairwise(bounds) for e in (("introduced", low), (end, high))]
    rng.shuffle(events)
    assert from_events("pypi", events) == from_events(
        "pypi", [("introduced", bounds[0]), (end, bounds[-1])]
    )


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([("introduced", "1"), ("fixed", "1")], None),
        ([("fixed", "1"), ("introduced", "1"), ("introduced", "2")], ">=2"),
        ([("introduced", "1"), ("last_affected", "1")], "1"),
        ([("introduced", "1"), ("fixed", "2"), ("last_affected", "2")], ">=1|<2"),
        (
            [("last_affected", "2"), ("fixed", "2"), ("introduced", "2"), ("introduced", "1")],
            ">=1|<=2",
        ),
    ],
)
def test_events_at_one_version_have_one_reading(
    events: list[tuple[str, str]], text: str | None
) -> None:
    for same in permutations(events):
        assert str(from_events("pypi", same)) == (f"vers:pypi/{text}" if text else "")


@pytest.mark.parametrize(
    ("version", "inside"),
    [("1.0rc1", False), ("1.0", True), ("1.5.post1", True), ("2.0.dev1", True), ("2.0", False)],
)
def test_pre_post_and_dev_releases_are_decided_by_range(version: str, inside: bool) -> None:
    events = [("introduced", "1.0"), ("fixed", "2.0")]
    assert bool(from_events("pypi", events).find(version)) == inside


def test_a_bound_nobody_can_read_leaves_the_range_undecided() -> None:
    found = from_events("pypi", [("introduced", "0"), ("fixed", "tomorrow")])
    assert found.find("1.0") is None
    assert "tomorrow" in found.why_undecided("1.0")
    assert str(found) == "introduced 0, fixed tomorrow"


@pytest.mark.parametrize(
    ("scheme", "listed", "text"),
    [
        ("pypi", ["2.0", "1!1", "1.0", "2"], "vers:pypi/1.0|2.0|1%211"),
        ("pypi", ["2.0", "2004d"], "2.0, 2004d"),
        ("generic", ["2.0", "1.0"], "2.0, 1.0"),
        ("maven", ["1.0-rc", "1.0-beta"], "vers:maven/1.0-beta|1.0-rc"),
    ],
)
def test_single_versions_are_written_as_vers(scheme: str, listed: list[str], text: str) -> None:
    assert points(scheme, listed) == text


def test_a_scheme_without_order_decides_only_what_needs_none() -> None:
    assert from_events("opam", [("introduced", "0")]).find("anything") == EVERY
    undecided = from_events("opam", [("introduced", "0"), ("fixed", "2.0")])
    assert undecided.find("1.0") is None
    assert "no version order" in undecided.why_undecided("1.0")


def test_every_version_includes_those_nobody_can_read() -> None:
    assert from_events("pypi", [("introduced", "0")]).find("2004d") == EVERY


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([("fixed", "2.0"), ("introduced", "1.0")], "vers:pypi/>=1.0|<2.0"),
        ([("introduced", "0"), ("last_affected", "2.0")], "vers:pypi/<=2.0"),
        ([("introduced", "0")], "vers:pypi/*"),
        ([("introduced", "1!2+a.b"), ("fixed", "2!0")], "vers:pypi/>=1%212+a.b|<2%210"),
        (
            [("introduced", "3"), ("fixed", "4"), ("introduced", "0"), ("fixed", "2")],
            "vers:pypi/<2|>=3|<4",
        ),
    ],
)
def test_a_range_is_written_as_vers(events: list[tuple[str, str]], text: str) -> None:
    assert str(from_events("pypi", events)) == text


def test_words_are_kept_as_the_range_text() -> None:
    item: Any = Range("generic", (EVERY,), words="All versions")
    assert str(item) == "All versions"
