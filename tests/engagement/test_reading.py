"""Unusual reading: tails are tails, and the budget holds on readers of a known law."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vedette.engagement.reading import (
    FIGURES,
    Alert,
    Day,
    View,
    _Office,
    _stay,
    days_of,
    nb_tail,
    new_ones,
    t_tail,
    unusual,
)

START = datetime(2026, 6, 1, 9, tzinfo=UTC)
TODAY = date(2026, 7, 31)


@given(
    count=st.integers(0, 400),
    mean=st.floats(0.05, 200),
    dispersion=st.floats(0.05, 5),
)
def test_the_negative_binomial_tail_is_scipys(count: int, mean: float, dispersion: float) -> None:
    size = 1 / dispersion
    expected = stats.nbinom.sf(count - 1, size, size / (size + mean))
    assert nb_tail(count, mean, dispersion) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(steps=st.floats(-30, 30), freedom=st.integers(1, 200))
def test_students_tail_is_scipys(steps: float, freedom: int) -> None:
    expected = stats.t.sf(steps, freedom)
    assert t_tail(steps, freedom) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def day(person: str, back: int, views: int, **more: int) -> Day:
    given = {"first": views // 2, "odd_hours": 0, "foreign": 0, **more}
    return Day(person, TODAY - timedelta(days=back), views, **given)


def office(readers: int = 6, days: int = 40, seed: int = 1) -> list[Day]:
    draw = Random(seed)
    return [
        day(f"r{reader}", back, max(1, round(draw.gammavariate(4, 4))))
        for reader in range(readers)
        for back in range(1, days)
    ]


def test_an_ordinary_day_is_no_alert_and_a_bulk_download_is() -> None:
    history = office()
    ordinary = [day(f"r{n}", 0, 16) for n in range(6)]
    assert unusual(history, ordinary, 20) == []
    (*_, last) = ordinary
    bulk = [*ordinary[:-1], day(last.person, 0, 400)]
    found = unusual(history, bulk, 20)
    assert {a.person for a in found} == {last.person}
    assert {a.figure for a in found} == {"views", "first"}


def test_a_day_busy_for_everybody_is_nobodys_alert() -> None:
    history = office()
    assert unusual(history, [day(f"r{n}", 0, 60) for n in range(6)], 20) == []
    alone = [day(f"r{n}", 0, 16) for n in range(5)] + [day("r5", 0, 130)]
    assert {a.person for a in unusual(history, alone, 20)} == {"r5"}


def test_a_newcomer_is_measured_by_the_office() -> None:
    history = office()
    quiet = [day(f"r{n}", 0, 16) for n in range(6)]
    assert unusual(history, [*quiet, day("new", 0, 30)], 20) == []
    assert unusual(history, [*quiet, day("new", 0, 900)], 20)


@given(budget=st.integers(1, 50), value=st.integers(0, 300))
def test_a_larger_budget_never_loses_an_alert(budget: int, value: int) -> None:
    history, today = office(4, 20), [day("r0", 0, value)]
    small = {(a.person, a.figure) for a in unusual(history, today, budget)}
    large = {(a.person, a.figure) for a in unusual(history, today, budget + 50)}
    assert small <= large


def test_nothing_is_usual_without_a_past() -> None:
    assert unusual([], [day("r0", 0, 5)], 20) == []


def views(person: str, days: int, hour: int = 9) -> list[View]:
    return [
        View(person, START + timedelta(days=d, hours=hour - 9, minutes=n), "act", f"o{d}-{n}", True)
        for d in range(days)
        for n in range(10)
    ]


def test_figures_of_a_day() -> None:
    past = [*views("a", 20), *views("b", 20, hour=14)]
    at = START + timedelta(days=20)
    night = at.replace(hour=2)
    today = [
        View("a", at, "act", "o0-0", True),
        View("a", at, "act", "new", True),
        View("a", night, "other", "new", False),
        View("a", night + timedelta(hours=1), "third", "new", False),
    ]
    (found,) = [d for d in days_of([*past, *today]) if d.day == at.date()]
    assert (found.views, found.first, found.odd_hours, found.foreign) == (4, 3, 2, 2)
    again = [View("a", at + timedelta(days=1), "other", "x", False)]
    assert days_of([*past, *today, *again])[-1].foreign == 0


def test_an_alert_stands_for_a_week() -> None:
    alert = Alert("a", TODAY, "views", 9, 1.0, 0.0)
    assert new_ones([alert], []) == [alert]
    assert new_ones([alert], [("a", "views", TODAY - timedelta(days=6))]) == []
    assert new_ones([alert], [("a", "views", TODAY - timedelta(days=7))]) == [alert]
    assert new_ones([alert], [("a", "first", TODAY), ("b", "views", TODAY)]) == [alert]


def test_false_alarms_stay_within_the_budget_on_readers_of_a_known_law() -> None:
    """Negative binomial days at twenty times the pack's budget, so that there are some to count."""
    draw, alarms, days, budget = Random(5), 0, 0, 400
    for seed in range(12):
        history = office(seed=seed)
        for _ in range(40):
            today = [day(f"r{n}", 0, max(1, round(draw.gammavariate(4, 4)))) for n in range(6)]
            alarms += len(unusual(history, today, budget))
            days += len(today)
    expected = budget / 1000 / 5 * days
    assert alarms <= expected + 3 * math.sqrt(expected)
    assert set(FIGURES) == {"views", "first", "odd_hours", "foreign"}


def days_with(values: list[int], person: str = "ann") -> list[Day]:
    start = date(2026, 1, 5)
    return [Day(person, start + timedelta(days=n), v, v // 2, 0, 0) for n, v in enumerate(values)]


@given(st.integers(40, 400))
def test_what_an_offices_own_days_reach_out_to_is_less_unusual_there(value: int) -> None:
    """Two offices of the same middle; in one of them days reach far out now and then."""
    calm = [8, 10, 12, 9, 11] * 11
    wild = [v if n % 14 else 150 + 10 * n for n, v in enumerate(calm, 1)]
    tails = []
    for usual in (calm, wild):
        history = [d for name in ("ann", "bob", "cy") for d in days_with(usual, name)]
        own = {name: days_with(usual, name) for name in ("ann", "bob", "cy")}
        office = _Office("views", history, own, days_with([value]))
        tails.append(office.tail("ann", usual, value)[1])
    assert tails[0] <= tails[1]


@given(st.lists(st.integers(0, 6), max_size=60), st.floats(0.1, 0.6))
def test_one_more_hour_follows_never_seldomer_than_usual(values: list[int], usual: float) -> None:
    history = [Day("ann", date(2026, 1, 5), 0, 0, v, 0) for v in values]
    found = _stay(usual, history, "odd_hours")
    assert usual <= found < 1
    assert _stay(usual, [*history, Day("ann", date(2026, 1, 6), 0, 0, 24, 0)], "odd_hours") >= found


def test_a_weeks_hours_are_nobodys_usual_ones_until_it_is_over() -> None:
    nights = [
        View("a", START.replace(hour=2) + timedelta(days=back, hours=hour), "act", "o", True)
        for back in (20, 22, 30)
        for hour in range(3)
    ]
    found = {d.day: d.odd_hours for d in days_of([*views("a", 40), *nights])}
    first, second, later = (START.date() + timedelta(days=back) for back in (20, 22, 30))
    assert found[first] == found[second] == 3
    assert found[later] <= 3


def test_nights_of_one_week_are_judged_together() -> None:
    evenings = [day(f"r{n}", back, 9, odd_hours=1) for n in range(6) for back in (12, 30)]
    history = [*office(), *evenings]
    night = day("r1", 0, 20, odd_hours=4)
    assert unusual(history, [night], 20) == [], "one may be a late evening"
    (alert,) = unusual([*history, day("r1", 2, 20, odd_hours=4)], [night], 20)
    assert (alert.person, alert.figure, alert.value) == ("r1", "odd_hours", 4)
    assert unusual([*history, day("r1", 9, 20, odd_hours=4)], [night], 20) == [], "not that week"
    assert unusual([*history, day("r2", 2, 20, odd_hours=4)], [night], 20) == [], "not that reader"
    often = [day(f"r{n}", back, 9, odd_hours=4) for n in range(6) for back in range(1, 40)]
    assert unusual(often, [night], 20) == [], "where they are usual, none is unusual"


@given(
    nights=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9)), max_size=6),
    value=st.integers(2, 12),
)
def test_other_nights_never_make_one_less_unusual(
    nights: list[tuple[int, int]], value: int
) -> None:
    history = [*office(), *(day("r1", back, 9, odd_hours=odd) for back, odd in nights)]
    own = {"r1": [d for d in history if d.person == "r1"]}
    today = day("r1", 0, 9, odd_hours=value)
    found = _Office("odd_hours", history, own, [today])
    alone = found.tail("r1", [d.odd_hours for d in own["r1"]], value)[1]
    assert min(alone, alone * found.after(today, own["r1"])) <= alone
    assert found.after(today, []) == 1
    assert found.after(today, own["r1"]) > 0
