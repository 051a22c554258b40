"""Simulated readers of a law that nothing was tuned on: reading that excites more reading.

Each reader's hour has an intensity: a daily wave about their own noon, a week with a slow end, and
what they have just read, which fades within the hour (a Hawkes process). How keen they are drifts
from day to day as a random walk that is drawn back. What is opened is a walk along a shelf, so that
neighbours follow one another and the end of a window reads its beginning again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from vedette.engagement.reading import View

START = datetime(2026, 1, 5, tzinfo=UTC)
WEEKDAY = (1.0, 1.1, 1.1, 1.0, 0.6, 0.01, 0.01)
FOLLOWS, FADES = 0.75, 5.0


def office(seed: int, readers: int = 10, weeks: int = 26, windows: int = 5) -> list[View]:
    """An honest office's views, oldest first."""
    draw = Random(f"rhythm {seed}")  # noqa: S311 - simulated
    views: list[View] = []
    for number in range(readers):
        views += _life(draw, number, weeks, draw.sample(range(windows), draw.randint(1, 3)))
    return sorted(views, key=lambda view: view.at)


def _life(draw: Random, number: int, weeks: int, own: list[int]) -> Iterator[View]:
    base, noon, keen = draw.lognormvariate(0.3, 0.5), draw.gauss(13, 0.8), 0.0
    shelf = dict.fromkeys(own, 0)
    for day in range(weeks * 7):
        keen += draw.gauss(0, 0.25) - 0.1 * keen
        mean = base * WEEKDAY[day % 7] * math.exp(keen)
        for hour in _sparks(draw, mean, noon):
            window = draw.choice(own)
            for at in _burst(draw, hour):
                shelf[window] = max(0, shelf[window] + draw.choice((-3, -1, 0, 1, 1, 2, 2)))
                when = START + timedelta(days=day, hours=at)
                yield View(f"h{number}", when, f"w{window}", f"o{shelf[window]}", named=True)


def _sparks(draw: Random, mean: float, noon: float) -> Iterator[float]:
    """The hours at which reading begins by itself, within six hours of the reader's noon."""
    at = noon - 6
    while (at := at + draw.expovariate(max(mean, 1e-6) / 3)) < noon + 6:
        if draw.random() < 0.5 * (1 + math.cos(math.pi * (at - noon) / 6)):
            yield at


def _burst(draw: Random, hour: float) -> Iterator[float]:
    """What one view sets off: each brings others, three for four on the mean."""
    yield hour
    open_ = [hour]
    while open_:
        at = open_.pop()
        gap = at
        while draw.random() < FOLLOWS / (1 + FOLLOWS):
            gap += draw.expovariate(FADES)
            yield gap
            open_.append(gap)
