"""Planted readers: what is put into an honest office, for the rules to find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from vedette.engagement.reading import View

START = datetime(2026, 1, 5, tzinfo=UTC)


def bulk(draw: Random, name: str, day: int, windows: list[str]) -> list[View]:
    """Somebody opens everything of their own windows, one thing after the other, in a day."""
    at = START + timedelta(days=day, hours=draw.uniform(9, 15))
    count = draw.randint(150, 400)
    return [
        View(name, at + timedelta(seconds=20 * n), draw.choice(windows), f"b{n}", named=True)
        for n in range(count)
    ]


def slow_bulk(draw: Random, name: str, day: int, windows: list[str]) -> list[View]:
    """The same spread over five days, in office hours."""
    found = []
    for more in range(5):
        at = START + timedelta(days=day + more, hours=draw.uniform(9, 11))
        for n in range(draw.randint(40, 80)):
            at += timedelta(minutes=draw.uniform(1, 6))
            found.append(View(name, at, draw.choice(windows), f"s{more}-{n}", named=True))
    return found


def night(draw: Random, name: str, day: int, windows: list[str]) -> list[View]:
    """Some hours of reading at night, three nights within a week, not much in each."""
    found = []
    for more in (0, 2, 3):
        start = START + timedelta(days=day + more, hours=draw.uniform(0, 1))
        for n in range(draw.randint(12, 25)):
            at = start + timedelta(hours=draw.uniform(0, 4))
            found.append(View(name, at, draw.choice(windows), f"n{more}-{n}", named=True))
    return found


def outside(draw: Random, name: str, day: int, windows: list[str]) -> list[View]:
    """A look into four windows whose terms do not name the reader, a few things in each."""
    at = START + timedelta(days=day, hours=draw.uniform(9, 15))
    others = [f"x{n}" for n in range(4)]
    return [
        View(name, at + timedelta(minutes=3 * n), others[n % 4], f"o{n}", named=False)
        for n in range(draw.randint(8, 24))
    ]


PLANTS = {
    "bulk download in a day": bulk,
    "bulk over five days": slow_bulk,
    "reading at night": night,
    "reading outside one's windows": outside,
}
