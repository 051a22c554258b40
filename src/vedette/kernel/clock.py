"""Time is passed in: rules take `now`, and only the composition root reads a clock.

A demo's or a test's instances share one clock file (`VEDETTE_CLOCK`), which holds one RFC 3339
time; ledger entries then say that their time is simulated.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from vedette.kernel.errors import BadInput


class Clock(Protocol):
    """Tells the time in UTC, and whether that time is simulated."""

    simulated: bool

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    simulated = False

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)


class FileClock:
    """A clock that several processes share as one file."""

    simulated = True

    def __init__(self, path: Path) -> None:
        self.path = path

    def now(self) -> datetime:
        try:
            text = self.path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"clock file {self.path}: can't be read ({error})") from None
        return parse_time(text, field=str(self.path))


class FixedClock:
    """A clock for tests: set `time` to move it."""

    simulated = True

    def __init__(self, time: datetime) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time


def parse_time(text: str, *, field: str) -> datetime:
    """Read an RFC 3339 time or a bare date (00:00 UTC) as UTC. Raises BadInput naming `field`."""
    try:
        if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]|$)", text):
            raise ValueError(text)
        value = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"{field}: {text[:40]!r} is no date", next_step="write 2026-12-01 or 2026-12-01T09:00Z"
        ) from None
    if value.tzinfo is None:
        if len(text) > 10:
            raise BadInput(f"{field}: {text[:40]!r} names no zone", next_step="add Z for UTC")
        value = value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise BadInput(f"{field}: {text[:40]!r} is out of range") from None


def format_time(value: datetime) -> str:
    """Write a time as RFC 3339 in UTC, to the second."""
    utc = value.astimezone(UTC)
    return f"{utc.year:04}-{utc:%m-%dT%H:%M:%SZ}"


def written(value: datetime | date) -> str:
    """Write a day as "1 Dec 2026", a time as "1 Dec 2026, 09:00 UTC"."""
    if not isinstance(value, datetime):
        return f"{value.day} {value:%b %Y}"
    value = value.astimezone(UTC)
    return f"{value.day} {value:%b %Y, %H:%M} UTC"
