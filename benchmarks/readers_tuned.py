"""Simulated readers on whom the rules for unusual reading were tuned: gamma-Poisson days.

Each reader has a rate drawn from a gamma law; a day's rate is drawn from another around it, by a
weekly rhythm; sessions start in office hours, and now and then in the evening. Some weeks before a
window's end everybody reads twice as much. A tenth of the readers join late.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from vedette.engagement.reading import View

START = datetime(2026, 1, 5, tzinfo=UTC)
WEEKDAY = (1.1, 1.2, 1.1, 1.0, 0.8, 0.03, 0.03)


def office(seed: int, readers: int = 10, weeks: int = 26, windows: int = 6) -> list[View]:
    """An honest office's views, oldest first."""
    draw = Random(seed)  # noqa: S311 - simulated
    named = {w: set(draw.sample(range(readers), max(3, readers // 2))) for w in range(windows)}
    views: list[View] = []
    for reader in range(readers):
        rate, joins = draw.gammavariate(3.0, 6.0), 0
        if draw.random() < 0.1:
            joins = draw.randrange(weeks // 2)
        own = [w for w in range(windows) if reader in named[w]] or [0]
        start_hour = draw.gauss(8.5, 0.7)
        for day in range(joins * 7, weeks * 7):
            crunch = 2.0 if (day // 7) % 6 == 5 else 1.0
            today = draw.gammavariate(2.0, rate * crunch * WEEKDAY[day % 7] / 2.0)
            views += _day(draw, reader, day, today, start_hour, own, windows)
    return sorted(views, key=lambda view: view.at)


def _day(
    draw: Random,
    reader: int,
    day: int,
    rate: float,
    start_hour: float,
    own: list[int],
    windows: int,
) -> Iterator[View]:
    for _ in range(_poisson(draw, rate)):
        hour = start_hour + draw.betavariate(1.5, 1.5) * 9
        if draw.random() < 0.02:
            hour = 19 + 3 * draw.random()
        window = draw.choice(own) if draw.random() < 0.99 else draw.randrange(windows)
        item = min(int(draw.expovariate(1 / 40)), 400)
        at = START + timedelta(days=day, hours=hour % 24)
        yield View(f"r{reader}", at, f"w{window}", f"o{item}", named=window in own)


def _poisson(draw: Random, mean: float) -> int:
    count, left = 0, mean - draw.expovariate(1)
    while left > 0:
        count, left = count + 1, left - draw.expovariate(1)
    return count
