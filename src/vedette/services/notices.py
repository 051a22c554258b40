"""An operator's notices: the order of work, and what it answers.

Rules:
- A deferral needs a compensating control and an expiry, and ends by the clock into unanswered.
- A patch is verified by a match of a newer inventory, never by word.
- Every answer can be taken back while it is not verified.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.states import NOTICE, NoticeState, check_deferral
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.services import answers, matches, noticing, scores
from vedette.services.acting import Actor, act, reading
from vedette.services.jobs import job, schedule
from vedette.services.noticing import NOT_FOUND
from vedette.store.models import Inventory, LedgerEntry, Notice
from vedette.store.tenancy import SYSTEM, scoped

MAX_CONTROL = 4_000
OPEN = Q(state=NoticeState.UNANSWERED) & ~Q(verdict=NOT_FOUND)


def answer_notice(
    actor: Actor,
    notice_id: str,
    state: str,
    control: str = "",
    expires: datetime | None = None,
    *,
    batch: str = "",
) -> Notice:
    """Answer a notice: patched, deferred, not-affected, or unanswered to take an answer back.

    The same answer again changes nothing, except a deferral's control and expiry. `batch` names
    what several notices are answered by at once.
    """
    if len(control) > MAX_CONTROL:
        raise BadInput(f"control: {len(control):,} characters, at most {MAX_CONTROL:,}")
    with act(actor, Permission.ANSWER_GIVE) as doing:
        notice = _locked(actor, notice_id)
        deferred = state == NoticeState.DEFERRED
        if deferred:
            check_deferral(control, expires, doing.now)
        elif control.strip() or expires is not None:
            raise BadInput("control and expires belong to a deferral alone")
        same = state == notice.state
        if same and (not deferred or (notice.control, notice.expires_at) == (control, expires)):
            return notice
        notice.batch, notice.earlier = batch, _standing(notice, state)
        if same:
            changed = {"state": state, "control": control, "expires": str(expires)}
            doing.record(Event.OPERATOR_NOTICE_ANSWERED, notice.id, changed, marking=notice.marking)
        else:
            trigger = _trigger(notice.state, state)
            why = {"control": control, "expires": str(expires)} if deferred else {}
            noticing.move(doing, notice, trigger, Party.OPERATOR, why)
        notice.control = control.strip() if deferred else ""
        notice.expires_at = expires if deferred else None
        answered = state != NoticeState.UNANSWERED
        notice.answered_at = doing.now if answered else None
        notice.answered_by = actor.name[:300] if answered else ""
        notice.mandate = actor.mandate if answered else ""
        notice.evidence = {}
        notice.save()
        if expires is not None:
            schedule(f"deferral {notice.id}", expire_deferral, expires, notice=notice.id)
        answers.tell(doing, notice)
        return notice


def _standing(notice: Notice, to: str) -> dict[str, Any]:
    """The answer as it stands before another takes its place."""
    expires = format_time(notice.expires_at) if notice.expires_at else None
    return {"state": notice.state, "control": notice.control, "expires": expires, "to": to}


def _trigger(before: str, state: str) -> str:
    for row in NOTICE.moves(before, Party.OPERATOR):
        if row.target == state:
            return row.trigger
    moves = [str(row.target) for row in NOTICE.moves(before, Party.OPERATOR)]
    raise Refused(
        f"state: the notice is {before}, {state[:40]!r} is no answer to it now",
        kept="the notice as it was",
        next_step=f"answers now: {', '.join(moves) or 'none'}",
    )


def verify_notice(actor: Actor, notice_id: str) -> Notice:
    """Match the newest inventory again: verified where it no longer holds what was found.

    Raises Refused with the reason where it is not.
    """
    with act(actor, Permission.ANSWER_GIVE):
        notice = _locked(actor, notice_id)
        if notice.state not in (NoticeState.PATCHED, NoticeState.VERIFIED):
            raise Refused(
                f"the notice is {notice.state}: only a patched one can be verified",
                next_step="answer it as patched first",
            )
        current = Inventory.objects.filter(
            org_id=actor.org, name=notice.inventory.name, current=True
        )
        newest = current.values_list("id", flat=True).get()
    matches.match_inventory(newest, matches.current_indexes())
    with reading(actor):
        notice = _find(actor, notice_id)
    if notice.state == NoticeState.VERIFIED:
        return notice
    if notice.state != NoticeState.PATCHED:
        raise Refused(
            f"not verified: {notice.evidence.get('failed', {}).get('why', 'it is still found')}",
            kept="the notice, open again",
            next_step="patch, take a new inventory and answer again",
        )
    why = (
        "it is no longer found, but the system did not change: the records did"
        if notice.verdict == NOT_FOUND
        else "the newest inventory still holds what was found"
    )
    raise Refused(
        f"not verified: {why}",
        kept="the notice as it was",
        next_step="take a new inventory of the patched system",
    )


@job()
def expire_deferral(notice: str) -> None:
    """End a deferral whose time is over; one that was changed since stays. Idempotent."""
    with transaction.atomic(), scoped(SYSTEM):
        owner = Notice.objects.filter(id=notice).values_list("org_id", flat=True).first()
    if owner is None:
        return
    with act(noticing.owner_of(owner), None) as doing:
        row = Notice.objects.select_for_update().get(id=notice)
        over = row.expires_at is not None and row.expires_at <= doing.now
        if row.state != NoticeState.DEFERRED or not over:
            return
        noticing.move(doing, row, "expire", Party.CLOCK, {"expired": str(row.expires_at)})
        row.evidence = {"expired": {"why": f"the deferral ended {row.expires_at:%Y-%m-%d}"}}
        row.save()


def _find(actor: Actor, notice_id: str) -> Notice:
    row: Notice | None = (
        Notice.objects.select_related("inventory")
        .defer("inventory__data")
        .filter(org_id=actor.org, id=notice_id)
        .first()
    )
    if row is None:
        raise NotFound(f"notice {notice_id[:40]!r} is not here")
    return row


def _locked(actor: Actor, notice_id: str) -> Notice:
    _find(actor, notice_id)
    row: Notice = (
        Notice.objects.select_related("inventory")
        .defer("inventory__data")
        .select_for_update(of=("self",))
        .get(id=notice_id)
    )
    return row


def inbox(actor: Actor, *, state: str = "", only_open: bool = False) -> QuerySet[Notice]:
    """The actor's notices, most urgent first: a lazy query, for use under the actor's scope."""
    actor.require(Permission.NOTICE_READ)
    rows = (
        Notice.objects.select_related("inventory").defer("inventory__data").filter(org_id=actor.org)
    )
    if state:
        rows = rows.filter(state=state)
    if only_open:
        rows = rows.filter(OPEN)
    return rows.order_by("rank", "pk")


def notices(
    actor: Actor, *, state: str = "", only_open: bool = False, limit: int = 200, offset: int = 0
) -> list[dict[str, Any]]:
    """The actor's notices as JSON, most urgent first."""
    with reading(actor):
        rows = inbox(actor, state=state, only_open=only_open)
        return [describe(row) for row in rows[offset : offset + limit]]


def notice_view(actor: Actor, notice_id: str) -> dict[str, Any]:
    """One notice with its matches, the answers that it takes now, and its history."""
    with reading(actor, Permission.NOTICE_READ):
        row = _find(actor, notice_id)
        with scoped(SYSTEM):  # of a notice that the reader has found
            history = LedgerEntry.objects.filter(object_id=row.id, org=row.org_id).order_by("seq")
            events = [{"event": e.event, "time": e.time, "role": e.role} for e in history]
            epss = scores.of_notices([row.id]).get(row.id)
    offered = [str(r.target) for r in NOTICE.moves(row.state, Party.OPERATOR)]
    return {
        **describe(row),
        "matches": row.matches,
        "epss": epss,
        "answers": offered if actor.may(Permission.ANSWER_GIVE) else [],
        "history": events,
    }


def _known_as(row: Notice) -> list[str]:
    """The vulnerabilities' own ids, such as CVE's, behind the records."""
    every = {name for line in row.matches for name in line.get("aliases", ())}
    return sorted(every - {row.advisory, *row.also})


def describe(row: Notice) -> dict[str, Any]:
    """A notice as JSON, with its first match."""
    first = row.matches[0] if row.matches else {}
    return {
        "id": row.id,
        "rank": row.rank,
        "advisory": row.advisory,
        "also": row.also,
        "known_as": _known_as(row),
        "title": row.title,
        "inventory": {"id": row.inventory_id, "name": row.inventory.name},
        "component": {key: first.get(key, "") for key in ("name", "version", "range", "fixed")},
        "reason": first.get("reason", ""),
        "confidence": first.get("confidence", ""),
        "systems": len(row.matches),
        "verdict": row.verdict,
        "naive": row.naive,
        "facts": row.facts,
        "row": row.row,
        "deadline": row.deadline.isoformat() if row.deadline else None,
        "next_upgrade": row.deadline is None,
        "forensics": row.forensics,
        "pack_digest": row.pack_digest,
        "state": row.state,
        "control": row.control,
        "expires_at": format_time(row.expires_at) if row.expires_at else None,
        "evidence": row.evidence,
        "answered_by": row.answered_by,
        "mandate": row.mandate,
        "sent_at": format_time(row.sent_at),
        "answered_at": format_time(row.answered_at) if row.answered_at else None,
        "verified_at": format_time(row.verified_at) if row.verified_at else None,
    }
