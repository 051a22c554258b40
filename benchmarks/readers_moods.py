"""Simulated readers of moods, on whom the rules were tuned, too: Markov chains and heavy sessions.

A reader is in one of three moods (away, steady, absorbed) that change as a Markov chain; sessions
have lognormal lengths with a Pareto tail, and views in a session follow one another after heavy
waits, so that they cluster. What is opened follows Zipf's law over a stock that grows while a
window runs. There are early and late people, part-timers, some who work nights by duty, journeys
across time zones, holidays, deadlines at which some of the office works late, newcomers who read
everything, and people who move from one window to another.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from vedette.engagement.reading import View

START = datetime(2026, 1, 5, tzinfo=UTC)
MOODS = ("away", "steady", "absorbed")
NEXT = {
    "away": (0.45, 0.45, 0.10),
    "steady": (0.12, 0.76, 0.12),
    "absorbed": (0.08, 0.37, 0.55),
}
SESSIONS = {"away": 0.25, "steady": 1.4, "absorbed": 3.2}


@dataclass(frozen=True)
class Person:
    """One reader's habits."""

    name: str
    joins: int
    begins: float
    days: tuple[int, ...]
    pace: float
    windows: tuple[int, ...]
    nights: bool


def office(seed: int, readers: int = 10, weeks: int = 26, windows: int = 8) -> list[View]:
    """An honest office's views, oldest first."""
    draw = Random(seed * 7919 + 13)  # noqa: S311 - simulated
    views: list[View] = []
    deadlines = {draw.randrange(3, weeks) for _ in range(weeks // 7)}
    for number in range(readers):
        views += _life(draw, _person(draw, number, weeks, windows), weeks, windows, deadlines)
    return sorted(views, key=lambda view: view.at)


def _person(draw: Random, number: int, weeks: int, windows: int) -> Person:
    full = draw.random() < 0.8
    return Person(
        name=f"p{number}",
        joins=draw.randrange(7, 7 * (weeks - 6)) if draw.random() < 0.2 else 0,
        begins=draw.choice((6.5, 8.0, 9.0, 10.5)) + draw.uniform(-0.5, 0.5),
        days=tuple(range(5)) if full else tuple(sorted(draw.sample(range(5), 3))),
        pace=draw.lognormvariate(1.6, 0.5),
        windows=tuple(draw.sample(range(windows), draw.randint(1, 4))),
        nights=draw.random() < 0.05,
    )


def _life(
    draw: Random, person: Person, weeks: int, windows: int, deadlines: set[int]
) -> Iterator[View]:
    mood, away_until, zone = "steady", -1, 0.0
    for day in range(person.joins, weeks * 7):
        week, weekday = divmod(day, 7)
        if weekday == 0:
            zone = draw.choice((-6.0, 5.0, 8.0)) if draw.random() < 0.02 else 0.0
            if draw.random() < 0.03:
                away_until = day + draw.randrange(4, 16)
            if draw.random() < 0.02:
                moved = draw.randrange(windows)
                person = replace(person, windows=(*person.windows[1:], moved))
        mood = draw.choices(MOODS, NEXT[mood])[0]
        working = weekday in person.days or (week in deadlines and draw.random() < 0.25)
        if day < away_until or not (working or draw.random() < 0.01):
            continue
        late = week in deadlines and draw.random() < 0.35
        keen = 2.5 if day - person.joins < 12 and person.joins else 1.0
        for _ in range(round(draw.expovariate(1 / (SESSIONS[mood] * keen * (1.6 if late else 1))))):
            yield from _session(draw, person, day, zone, late, windows)


def _session(
    draw: Random, person: Person, day: int, zone: float, late: bool, windows: int
) -> Iterator[View]:
    hour = person.begins + draw.triangular(0, 9.5, 3) + (draw.uniform(3, 6) if late else 0)
    if person.nights and draw.random() < 0.3:
        hour = draw.uniform(21, 28)
    window = draw.choice(person.windows)
    named = draw.random() < 0.97
    if draw.random() < 0.008:
        window, named = draw.randrange(windows), False
    length = draw.lognormvariate(0, 0.9) * person.pace
    if draw.random() < 0.03:
        length *= min(draw.paretovariate(1.6), 8)
    at = START + timedelta(days=day, hours=hour - zone)
    stock = 30 + day
    for _ in range(min(int(length) + 1, 400)):
        item = _zipf(draw, stock)
        yield View(person.name, at, f"w{window}", f"o{item}", named=named)
        at += timedelta(minutes=min(draw.lognormvariate(0.8, 1.3), 90))


def _zipf(draw: Random, stock: int) -> int:
    weights = _HARMONIC[:stock]
    return bisect.bisect_left(weights, draw.random() * weights[-1])


_HARMONIC: list[float] = []
_total = 0.0
for _rank in range(1, 2000):
    _total += 1 / _rank**0.8
    _HARMONIC.append(_total)
