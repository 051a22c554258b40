"""The access window of an act: agreed with the terms, opened and closed by each side's own clock.

Rules:
- A window's hours are the act's, agreed once; nothing here lengthens them.
- Either side ends a window at once by withdrawing the act; the other learns it by that message.
- With a window its sessions end, and both sides count their calls.
"""

from __future__ import annotations

from vedette.engagement import window as rules
from vedette.engagement.table import Actor as Side
from vedette.engagement.table import Row
from vedette.engagement.window import WINDOW, Window, WindowState
from vedette.kernel.events import Event
from vedette.services import custody, metering
from vedette.services.acting import Doing, act, instance_actor
from vedette.services.jobs import job, schedule
from vedette.services.sides import stamp
from vedette.store.models import Act

LIVE = (str(WindowState.AGREED), str(WindowState.OPEN))


def window_of(row: Act) -> Window:
    """The window of an access-window act."""
    assert row.opens is not None
    assert row.closes is not None
    return Window(row.basis, row.opens, row.closes, row.window_ended)


def agree(doing: Doing, row: Act, message_id: str = "") -> None:
    """Record that both sides signed the terms; from here the clock opens and closes the window."""
    row.window_state = WINDOW.initial
    row.save(update_fields=["window_state"])
    doing.record(
        Event.ENGAGEMENT_WINDOW_AGREED,
        row.id,
        {"opens": stamp(row.opens), "closes": stamp(row.closes), "basis": row.basis},
        marking=row.marking,
        message_id=message_id,
    )
    assert row.opens is not None
    assert row.closes is not None
    schedule(f"window {row.id} open", advance, row.opens, act_id=row.id)
    schedule(f"window {row.id} close", advance, row.closes, act_id=row.id)
    _advance(doing, row)


@job()
def advance(act_id: str) -> None:
    """Bring a window up to the hour: open it, close it, or both. Idempotent."""
    with act(instance_actor(), None) as doing:
        row = Act.objects.select_for_update().filter(id=act_id).first()
        if row is not None:
            _advance(doing, row)


def _advance(doing: Doing, row: Act) -> None:
    if row.window_state not in LIVE:
        return
    while move := rules.due(window_of(row), WindowState(row.window_state), doing.now):
        _take(doing, row, move)
        if row.window_state not in LIVE:
            metering.end_all(doing, row, "the window closed at its hour")


def _take(doing: Doing, row: Act, move: Row, message_id: str = "") -> None:
    row.window_state = move.target
    row.save(update_fields=["window_state", "window_ended"])
    doing.record(
        move.event, row.id, {"window": move.target}, marking=row.marking, message_id=message_id
    )
    if move.target not in LIVE:
        custody.follow(doing, row, row.window_ended)


def end_now(doing: Doing, row: Act, side: Side, reason: str, message_id: str = "") -> None:
    """End a window that is agreed or open, before its hour; one that is over stays as it is."""
    _advance(doing, row)
    if row.window_state not in LIVE:
        return
    row.window_ended = doing.now
    _take(doing, row, WINDOW.step(row.window_state, "end", side), message_id)
    metering.end_all(doing, row, reason or "the window was ended")
