"""Simulated readers of a queue of tasks; tuned on by some seeds, measured by others.

Nobody here has a rate: an office has a queue. Each window brings tasks, more of them towards its
deadline; a task goes to one of the people named for the window, waits, is begun, interrupted and
ended, and each sitting reads as many things as a power law says, old ones again more often than
new ones (a Chinese restaurant). Working hours are shifts with a lunch hour; a tired reader goes
home, a task that is late is worked on in the evening. Windows open and close, so that readers come
to new ones by being named; somebody leaves, somebody comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from vedette.engagement.reading import View

START = datetime(2026, 1, 5, tzinfo=UTC)
SHIFTS = ((7, 15), (8, 17), (9, 18), (9, 18), (12, 20))


@dataclass
class Window:
    """One access window of the office: its days, its people, what was opened in it so far."""

    name: str
    opens: int
    closes: int
    people: list[int]
    opened: list[int] = field(default_factory=list)


def office(seed: int, readers: int = 10, weeks: int = 26) -> list[View]:
    """An honest office's views, oldest first."""
    draw = Random(f"queue {seed}")  # noqa: S311 - simulated
    shifts = [draw.choice(SHIFTS) for _ in range(readers)]
    there = [_stay(draw, weeks * 7) for _ in range(readers)]
    windows = list(_windows(draw, readers, weeks * 7))
    views: list[View] = []
    for day in range(weeks * 7):
        if day % 7 > 4 and draw.random() > 0.06:
            continue
        for window in windows:
            if window.opens <= day < window.closes:
                present = [p for p in window.people if there[p][0] <= day < there[p][1]]
                if present:
                    views += _window_day(draw, window, day, present, shifts)
    return sorted(views, key=lambda view: view.at)


def _stay(draw: Random, days: int) -> tuple[int, int]:
    """When somebody comes and goes."""
    chance = draw.random()
    if chance < 0.12:
        return draw.randrange(10, days - 30), days
    return (0, draw.randrange(40, days)) if chance < 0.2 else (0, days)


def _windows(draw: Random, readers: int, days: int) -> Iterator[Window]:
    """Windows of three to eight weeks, always some of them open."""
    for number in range(days // 9):
        opens = number * 9 - 20 + draw.randrange(9)
        closes = opens + draw.randrange(21, 57)
        people = draw.sample(range(readers), draw.randint(2, 5))
        yield Window(f"w{number}", opens, closes, people)


def _window_day(
    draw: Random, window: Window, day: int, present: list[int], shifts: list[tuple[int, int]]
) -> Iterator[View]:
    left = window.closes - day
    press = 3 if left <= 4 else 2 if left <= 10 else 1
    for _ in range(sum(draw.random() < 0.3 for _ in range(3 * press))):
        reader = draw.choice(present)
        begin, end = shifts[reader]
        late = left <= 4 and draw.random() < 0.15
        hour = draw.uniform(end, 22.5) if late else draw.uniform(begin, end)
        if 12 <= hour < 13 and draw.random() < 0.8:
            hour += 1
        yield from _sitting(draw, window, day, hour, reader)


def _sitting(draw: Random, window: Window, day: int, hour: float, reader: int) -> Iterator[View]:
    count = min(int(2 / (1 - draw.random()) ** 0.7), 250)
    at = START + timedelta(days=day, hours=hour)
    for _ in range(count):
        seen = window.opened
        new = draw.random() < 12 / (12 + len(seen))
        item = len(set(seen[-400:])) + len(seen) if new else draw.choice(seen)
        seen.append(item)
        yield View(f"q{reader}", at, window.name, f"o{item}", named=True)
        at += timedelta(seconds=draw.choice((15, 40, 60, 120, 300)))
        if draw.random() < 0.01:
            at += timedelta(minutes=draw.uniform(10, 60))
