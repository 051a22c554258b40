"""What people see of acts, their terms, windows and sessions: for pages and the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from vedette.engagement.acts import ACTS, ActKind
from vedette.engagement.table import Table
from vedette.engagement.window import WINDOW, WindowState, state_of
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, reading
from vedette.services.binding import why_withheld
from vedette.services.here import here
from vedette.services.messages import pointers
from vedette.services.metering import compare_meters, counts
from vedette.services.partners import partners
from vedette.services.sides import own_side, stamp
from vedette.services.term_views import terms_view
from vedette.services.windows import window_of
from vedette.store.models import Act, Call, Session


def browse_acts(actor: Actor, *, kind: str = "", state: str = "") -> QuerySet[Act]:
    """The acts in the reader's scope, newest first; turn each into JSON with `act_row`."""
    actor.require(Permission.ENGAGEMENT_READ)
    rows = Act.objects.select_related("peer").order_by("-offered_at", "id")
    if kind:
        rows = rows.filter(kind=kind)
    return rows.filter(state=state) if state else rows


def acts(actor: Actor, *, kind: str = "", state: str = "") -> list[dict[str, Any]]:
    """The newest 500 acts."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        return [act_row(row) for row in browse_acts(actor, kind=kind, state=state)[:500]]


def act_row(row: Act) -> dict[str, Any]:
    """One act as a line of a list."""
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "model": row.model,
        "peer": row.peer.name,
        "marking": row.marking,
        "offered_at": stamp(row.offered_at),
        "answer_by": stamp(row.answer_by),
        "answered_at": stamp(row.answered_at),
        "basis": row.basis,
        "purpose": row.purpose,
        "opens": stamp(row.opens),
        "closes": stamp(row.closes),
        "window": row.window_state,
    }


def act_view(actor: Actor, act_id: str, *, on_page: bool = False) -> dict[str, Any]:
    """One act with its note, dossier part, partner, terms, sessions, and the reader's moves.

    `moves` and `window_moves` are the buttons: trigger and label of each move that this person
    can take now. `withheld` says why the dossier part is not shown, where terms bind this reader
    or keep what they bind on pages (`on_page`); "" where nothing is.
    """
    with reading(actor, Permission.ENGAGEMENT_READ):
        row = Act.objects.select_related("peer").filter(id=act_id).first()
        if row is None:
            raise NotFound(f"act {act_id[:40]!r} is not here")
        named = partners(actor, act_id) if row.kind == ActKind.PARTNER_SELECTION else []
        sessions = row.sessions.select_related("act", "act__peer", "early__org")
        withheld = why_withheld(actor, row, row.marking, on_page=on_page)
        return {
            **act_row(row),
            "note": row.note,
            "reason": row.reason,
            "declassify": row.declassify,
            "dossier": {} if withheld else row.dossier,
            "withheld": withheld if row.dossier else "",
            "partner": next(iter(named), None),
            "partners": named,
            "pack_digest": row.pack_digest,
            "clock": _clock(row),
            "pointers": pointers(row.id),
            "terms": terms_view(actor, row),
            "sessions": [session_row(s) for s in sessions.order_by("-requested_at", "id")[:200]],
            "moves": _moves(actor, ACTS, row.state),
            "window_moves": _moves(actor, WINDOW, row.window_state),
        }


def _clock(row: Act) -> dict[str, Any] | None:
    """Where the window stands by this side's clock: its state, and the seconds to its next hour."""
    if row.kind != ActKind.ACCESS_WINDOW or row.opens is None or row.closes is None:
        return None
    now, window = here().clock.now(), window_of(row)
    state = state_of(window, now) if row.window_state else None
    return {
        "now": stamp(now),
        "state": state and str(state),
        "to_open": max(0, int((window.opens - now).total_seconds())),
        "to_close": max(0, int((window.until - now).total_seconds())),
        "open": state == WindowState.OPEN,
    }


def _moves(actor: Actor, table: Table, state: str) -> list[dict[str, str]]:
    if not (actor.host or actor.system):
        return []
    return [
        {"trigger": move.trigger, "label": move.label, "to": move.target}
        for move in table.moves(state, own_side())
        if move.permission and actor.may(move.permission)
    ]


def browse_sessions(actor: Actor) -> QuerySet[Session]:
    """The sessions in the reader's scope, newest first; turn each into JSON with `session_row`."""
    actor.require(Permission.ENGAGEMENT_READ)
    rows = Session.objects.select_related("act", "act__peer", "early__org")
    return rows.order_by("-requested_at", "id")


def session_row(row: Session) -> dict[str, Any]:
    """One session as a line of a list."""
    return {
        "id": row.id,
        "act": row.act_id,
        "peer": row.early.org.name if row.early else row.act.peer.name,
        "early": row.early_id or "",
        "model": row.model,
        "build": row.build,
        "safeguards": row.safeguards,
        "person": row.person,
        "purpose": row.purpose,
        "state": row.state,
        "reason": row.reason,
        "url": row.url,
        "requested_at": stamp(row.requested_at),
        "opened_at": stamp(row.opened_at),
        "expires_at": stamp(row.expires_at),
        "ended_at": stamp(row.ended_at),
        "quota": {"calls": row.quota_calls, "tokens": row.quota_tokens},
        "used": {"calls": row.calls_used, "tokens": row.tokens_used},
    }


def session_view(actor: Actor, session_id: str) -> dict[str, Any]:
    """One session with this side's count, and both sides' counts compared."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        row = browse_sessions(actor).filter(id=session_id).first()
        if row is None:
            raise NotFound(f"session {session_id[:40]!r} is not here")
        return {**session_row(row), "counts": counts(row), "meters": compare_meters(row)}


def browse_calls(actor: Actor, session_id: str) -> QuerySet[Call]:
    """A session's calls, newest first; turn each into JSON with `call_row`."""
    actor.require(Permission.ENGAGEMENT_READ)
    if not Session.objects.filter(id=session_id).exists():
        raise NotFound(f"session {session_id[:40]!r} is not here")
    return Call.objects.filter(session_id=session_id).order_by("-at", "id")


def call_row(row: Call) -> dict[str, Any]:
    return {
        "request_id": row.request_id,
        "at": stamp(row.at),
        "status": row.status,
        "refused": row.refused,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "milliseconds": row.milliseconds,
        "build": row.build,
        "probe": row.probe,
        "ended": row.ended,
        "odd": row.odd,
    }
