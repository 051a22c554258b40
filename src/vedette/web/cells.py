"""What a view hands to the portal's components: plain values, no markup.

A view says *what* a value is (a time, a state, a link, a digest); the templates decide how it
looks. Every component that shows values (summary list, table, step list) takes any `Cell`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

from vedette.kernel.markings import Marking

Kind = Literal["idle", "active", "done", "attention", "urgent", "ended"]
"""How a state looks: not begun, under way, done, wants a look, wants it now, over."""


@dataclass(frozen=True)
class Link:
    """Text that leads somewhere; `download` where it brings a file."""

    text: str
    url: str
    download: bool = False


@dataclass(frozen=True)
class State:
    """A state's name with its kind; shown as a tag with a shape of its own, not colour alone."""

    label: str
    kind: Kind = "idle"


@dataclass(frozen=True)
class Code:
    """An identifier, digest, address or command: monospaced, selected by one click."""

    text: str


Cell: TypeAlias = Link | State | Code | Marking | datetime | date | str | int | float | None


@dataclass(frozen=True)
class Column:
    """A table's column; numeric ones are set flush right with figures of one width."""

    label: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells, the first of each row being its name. `empty` is said when there are none."""

    caption: str
    columns: Sequence[Column | str]
    rows: Sequence[Sequence[Cell]]
    empty: str = "Nothing here yet."


@dataclass(frozen=True)
class Step:
    """One step of a plan or entry of a timeline."""

    title: str
    kind: Kind = "idle"
    when: datetime | date | None = None
    note: str = ""
    url: str = ""
    marking: Marking | None = None


@dataclass(frozen=True)
class Interval:
    """A share with its interval, all from 0 to 1; `reference` sets it apart as a comparison."""

    label: str
    value: float
    low: float
    high: float
    note: str = ""
    reference: bool = False


def countdown(value: datetime, now: datetime) -> str:
    """Say how far `value` is from `now`: "in 29 days", "in 5 h 12 min", "now", "3 days ago"."""
    minutes = abs(value - now) // timedelta(minutes=1)
    if minutes == 0:
        return "now"
    if minutes >= 48 * 60:
        text = f"{minutes // (24 * 60)} days"
    elif minutes >= 60:
        hours, rest = divmod(minutes, 60)
        text = f"{hours} h {rest} min" if rest else f"{hours} h"
    else:
        text = f"{minutes} min"
    return f"in {text}" if value > now else f"{text} ago"
