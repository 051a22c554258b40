"""Unusual reading: false alarms on simulated readers, and how many planted readers are found.

The rules of `engagement/reading.py` were tuned on readers of three laws, by seeds 5000 to 5009 and
with plants by seeds 6000 to 6023: `readers_tuned.py` (gamma-Poisson), `readers_moods.py` (Markov
moods, lognormal and Pareto sessions), `readers_measured.py` (a queue of tasks, power-law sittings).
They are measured on those laws by other seeds, from 200 on and plants from 2000 on, and on a law
that no rule was ever chosen by: `readers_rhythm.py` (reading that excites more reading). The queue
was itself such a law until the rules of before had 37 false alarms on it.
The budget is the policy pack's. The peer is the rule of thumb: a day above the reader's own mean by
three standard deviations. Plants are put into honest offices of the queue and of the rhythm,
one at a time, from the ninth week on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from random import Random
from statistics import fmean, pstdev

from benchmarks import (
    readers_measured,
    readers_moods,
    readers_planted,
    readers_rhythm,
    readers_tuned,
)
from benchmarks.result import Result, Spread
from vedette.engagement.reading import FIGURES, LEAST, Alert, Day, View, days_of, new_ones, unusual
from vedette.kernel.packs import default_pack

PEER = "mean + 3 standard deviations"
WARM_DAYS = 56
Rule = Callable[[Sequence[Day], Sequence[Day]], list[Alert]]


def ours(history: Sequence[Day], today: Sequence[Day]) -> list[Alert]:
    budget = default_pack().integer("reading", "false_alarms_per_1000_reader_weeks")
    return unusual(history, today, budget)


def three_sigma(history: Sequence[Day], today: Sequence[Day]) -> list[Alert]:
    found = []
    for row in today:
        for figure in FIGURES:
            past = [getattr(d, figure) for d in history if d.person == row.person]
            value = getattr(row, figure)
            if len(past) < 5 or value < LEAST[figure]:
                continue
            limit = fmean(past) + 3 * pstdev(past)
            if value > limit:
                found.append(Alert(row.person, row.day, figure, value, limit, 0.0))
    return found


def watched(days: Sequence[Day], rule: Rule, since: date, until: date) -> list[Alert]:
    """The alerts of each day from `since` to before `until`, each beside the days before it."""
    by_day: dict[date, list[Day]] = defaultdict(list)
    for row in days:
        by_day[row.day].append(row)
    baseline = default_pack().integer("reading", "baseline_days")
    found: list[Alert] = []
    for day in sorted(d for d in by_day if since <= d < until):
        first = day - timedelta(days=baseline)
        history = [row for d in by_day if first <= d < day for row in by_day[d]]
        standing = [(a.person, a.figure, a.day) for a in found]
        found += new_ones(rule(history, by_day[day]), standing)
    return found


def reader_weeks(days: Iterable[Day], since: date) -> int:
    """How many readers' weeks with any reading there are."""
    return len({(d.person, d.day.isocalendar()[:2]) for d in days if d.day >= since})


def false_alarms(
    office: Callable[[int], list[View]], rule: Rule, seeds: Iterable[int], weeks: int
) -> list[float]:
    """False alarms per thousand reader-weeks, office by office (an alert a reader, day, figure)."""
    rates = []
    for seed in seeds:
        days = days_of(office(seed))
        since = readers_tuned.START.date() + timedelta(days=WARM_DAYS)
        until = readers_tuned.START.date() + timedelta(weeks=weeks)
        alerts = watched(days, rule, since, until)
        rates.append(1000 * len(alerts) / max(1, reader_weeks(days, since)))
    return rates


def detected(
    plant: str,
    rule: Rule,
    seeds: Iterable[int],
    weeks: int,
    office: Callable[..., list[View]] = readers_measured.office,
) -> list[float]:
    """For each office 1 where the planted reader was found within a week, else 0."""
    found = []
    for seed in seeds:
        draw = Random(seed)  # noqa: S311 - simulated
        views = office(seed, weeks=weeks)
        day = draw.randrange(WARM_DAYS, weeks * 7 - 7)
        day -= day % 7
        at = readers_measured.START.date() + timedelta(days=day)
        there = sorted({v.person for v in views if v.at.date() < at})
        name = draw.choice(there)
        own = sorted({v.act for v in views if v.person == name})
        planted = readers_planted.PLANTS[plant](draw, name, day, own)
        days = days_of([*views, *planted])
        alerts = watched(days, rule, at, at + timedelta(days=7))
        found.append(float(any(alert.person == name for alert in alerts)))
    return found


def share(values: Sequence[float]) -> Spread:
    """A share with its 95% interval by Wilson, in place of a range."""
    n, mean = len(values), fmean(values)
    z = 1.96
    middle, half = (mean + z * z / (2 * n)) / (1 + z * z / n), 0.0
    half = z * ((mean * (1 - mean) + z * z / (4 * n)) / n) ** 0.5 / (1 + z * z / n)
    return Spread(mean, max(0.0, middle - half), min(1.0, middle + half), 1.0, n)


def rate(values: Sequence[float]) -> Spread:
    """The mean over offices with its 95% interval over offices."""
    mean, half = fmean(values), 1.96 * pstdev(values) / len(values) ** 0.5
    return Spread(mean, max(0.0, mean - half), mean + half, max(values), len(values))


def run(quick: bool) -> list[Result]:
    weeks, offices, plants = (14, 2, 4) if quick else (26, 40, 60)
    budget = default_pack().integer("reading", "false_alarms_per_1000_reader_weeks")
    results = []
    for name, office in (
        ("a law not tuned on, by rhythm", readers_rhythm.office),
        ("a law tuned on by other seeds, by a queue", readers_measured.office),
        ("a law tuned on by other seeds, by rates", readers_tuned.office),
        ("a law tuned on by other seeds, by moods", readers_moods.office),
    ):
        made = lambda seed, of=office: of(seed, weeks=weeks)  # noqa: E731
        results.append(
            Result(
                f"false alarms, {name}",
                "per 1000 reader-weeks",
                rate(false_alarms(made, ours, range(200, 200 + offices), weeks)),
                rate(false_alarms(made, three_sigma, range(200, 200 + offices), weeks)),
                PEER,
                f"budget {budget}; mean and 95% interval over offices of ten readers",
            )
        )
    seeds = range(2000, 2000 + plants)
    for name, office in (
        ("", readers_measured.office),
        (", in offices of a law not tuned on", readers_rhythm.office),
    ):
        for plant in readers_planted.PLANTS:
            results.append(
                Result(
                    f"found: {plant}{name}",
                    "share",
                    share(detected(plant, ours, seeds, weeks, office)),
                    share(detected(plant, three_sigma, seeds, weeks, office)),
                    PEER,
                    "within a week of its beginning; Wilson's 95% interval",
                )
            )
    return results
