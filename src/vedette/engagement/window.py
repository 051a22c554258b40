"""The access window: agreed once, opened and closed by the clock, ended by the lab at will.

Rules:
- A window is the half-open interval [opens, closes) in UTC, agreed under a named basis.
- It is no longer than its basis allows (30 days under section 3(b)(ii)); a basis without a
  ceiling of its own takes what the parties agreed.
- On the lab's instance, where the partner release is known, it ends with that release at the
  latest and starts no earlier than the ceiling before it.
- It opens and closes by itself. The lab ends it at once, at any time; the office gives it up.
- Nothing lengthens a window; a longer or later one is a new agreement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from vedette.engagement.table import Actor, Row, Table
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission


class WindowState(StrEnum):
    AGREED = "agreed"
    OPEN = "open"
    CLOSED = "closed"
    ENDED = "ended"


S, E = WindowState, Event
_lab = partial(Row, Actor.LAB, Permission.SESSION_END)
_office = partial(Row, Actor.OFFICE, Permission.ENGAGEMENT_ANSWER)
_clock = partial(Row, Actor.CLOCK, None)

WINDOW = Table(
    "window",
    S.AGREED,
    (
        _clock("open", S.AGREED, S.OPEN, E.ENGAGEMENT_WINDOW_OPENED, "Open at its hour"),
        _clock("close", S.OPEN, S.CLOSED, E.ENGAGEMENT_WINDOW_CLOSED, "Close at its hour"),
        _clock("close", S.AGREED, S.CLOSED, E.ENGAGEMENT_WINDOW_CLOSED, "Close at its hour"),
        _lab("end", S.AGREED, S.ENDED, E.ENGAGEMENT_WINDOW_ENDED, "End at once"),
        _lab("end", S.OPEN, S.ENDED, E.ENGAGEMENT_WINDOW_ENDED, "End at once"),
        _office("end", S.AGREED, S.ENDED, E.ENGAGEMENT_WINDOW_ENDED, "Give up"),
        _office("end", S.OPEN, S.ENDED, E.ENGAGEMENT_WINDOW_ENDED, "Give up"),
    ),
)


@dataclass(frozen=True)
class Window:
    """An agreed window; times in UTC. `ended` is when it was ended before its hour."""

    basis: str
    opens: datetime
    closes: datetime
    ended: datetime | None = None

    @property
    def until(self) -> datetime:
        """The first moment that is no longer inside."""
        return self.closes if self.ended is None else min(self.closes, self.ended)


def check_window(
    pack: PolicyPack,
    basis: str,
    opens: datetime,
    closes: datetime,
    now: datetime,
    *,
    partner_release: datetime | None = None,
) -> Window:
    """Return the window that these times make under `basis`. Raises BadInput naming the field.

    `partner_release` is passed on the lab's instance only; the office does not know it.
    """
    bases = pack.mapping("engagement", "bases")
    if basis not in bases:
        raise BadInput(f"basis: {basis[:40]!r} unknown", next_step=f"bases: {', '.join(bases)}")
    if closes - opens < timedelta(hours=pack.integer("window", "minimum_hours")):
        raise BadInput(
            f"closes: {format_time(closes)} is not after opens, {format_time(opens)}, by at least"
            f" {pack.integer('window', 'minimum_hours')} h"
        )
    if closes <= now:
        raise BadInput(
            f"closes: {format_time(closes)} has passed", next_step="agree on a later window"
        )
    days = pack.integer_or_none("engagement", "bases", basis, "ceiling_days")
    ceiling = None if days is None else timedelta(days=days)
    if ceiling is not None and closes - opens > ceiling:
        raise BadInput(
            f"window: {_days(closes - opens)} from opens to closes, basis {basis} allows {days}",
            next_step=f"open it at {format_time(closes - ceiling)} or later",
        )
    if partner_release is not None:
        _check_release(opens, closes, partner_release, ceiling)
    return Window(basis, opens, closes)


def _check_release(
    opens: datetime, closes: datetime, release: datetime, ceiling: timedelta | None
) -> None:
    if closes > release:
        raise BadInput(
            f"closes: {format_time(closes)} is after the partner release, which ends the window",
            next_step=f"close it at {format_time(release)} or earlier",
        )
    if ceiling is not None and release - opens > ceiling:
        raise BadInput(
            f"opens: {format_time(opens)} is {_days(release - opens)} before the partner release,"
            f" the basis allows {ceiling.days}",
            next_step=f"open it at {format_time(release - ceiling)} or later",
        )


def _days(length: timedelta) -> str:
    hours = -(-length // timedelta(hours=1))
    return f"{hours // 24} days" + (f" {hours % 24} h" if hours % 24 else "")


def is_open(window: Window, now: datetime) -> bool:
    """Tell whether `now` lies in [opens, closes) and the window was not ended before."""
    return window.opens <= now < window.until


def state_of(window: Window, now: datetime) -> WindowState:
    """Return the state that the clock and an early end make."""
    if window.ended is not None and window.ended < window.closes and window.ended <= now:
        return WindowState.ENDED
    if now >= window.closes:
        return WindowState.CLOSED
    return WindowState.OPEN if now >= window.opens else WindowState.AGREED


def end(window: Window, now: datetime) -> Window:
    """Return the window ended at `now`; one that is over already stays as it is."""
    if window.until <= now:
        return window
    return replace(window, ended=now)


def due(window: Window, state: WindowState, now: datetime) -> Row | None:
    """Return the clock's move that brings the recorded `state` up to `now`, None when none is due.

    An instance that slept through its window goes from agreed to closed at once.
    """
    if state == WindowState.AGREED and is_open(window, now):
        return WINDOW.step(state, "open", Actor.CLOCK)
    if state in (WindowState.AGREED, WindowState.OPEN) and now >= window.closes:
        return WINDOW.step(state, "close", Actor.CLOCK)
    return None
