"""What crossed, for people: the messages of both directions, their state, and one in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from vedette.exchange.envelope import open_envelope, read_message
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.permissions import Permission
from vedette.services import outbox, transfers
from vedette.services.acting import Actor, act, instance_actor, reading
from vedette.services.binding import require_reading
from vedette.store.models import Act, InMessage, OutMessage, Peer

TERMS = "terms."


@dataclass(frozen=True)
class Crossed:
    """One message in a list; `direction` is in or out."""

    direction: str
    id: str
    type: str
    peer: str
    state: str
    why: str
    marking: str
    at: datetime


def list_messages(actor: Actor, limit: int = 200) -> list[Crossed]:
    """The newest messages of both directions, newest first."""
    with reading(actor, Permission.LEDGER_READ):
        names = dict(Peer.objects.values_list("keyid", "name"))
        out = [
            Crossed("out", m.id, m.type, m.peer.name, m.state, m.answer, m.marking, m.queued_at)
            for m in OutMessage.objects.select_related("peer")
            .defer("envelope")
            .order_by("-queued_at")[:limit]
        ]
        came = [
            Crossed(
                "in",
                m.message_id or f"in-{m.pk}",
                m.type or "unread",
                names.get(m.sender, "nobody known"),
                m.state,
                m.reason,
                m.marking,
                m.received_at,
            )
            for m in InMessage.objects.defer("envelope").order_by("-received_at")[:limit]
        ]
    return sorted([*out, *came], key=lambda m: (m.at, m.id), reverse=True)[:limit]


def message_view(actor: Actor, message_id: str) -> dict[str, Any]:
    """One message in full: `{"direction", "message", "state", "why"}`.

    What belongs to an act is read under its terms in force; the terms themselves by both sides.
    """
    with reading(actor, Permission.LEDGER_READ):
        sent = OutMessage.objects.select_related("peer").filter(id=message_id).first()
        came = InMessage.objects.filter(message_id=message_id).exclude(state="refused").first()
        row = sent or came
        if row is None:
            raise NotFound(f"message {message_id[:40]!r} is not here")
        bound = Act.objects.filter(id=row.about_act).first() if row.about_act else None
        if bound is not None and not row.type.startswith(TERMS):
            require_reading(actor, bound)
        if not row.envelope and row.state != "pointer":
            raise Refused(
                "the key of this message's window is gone: it can't be read",
                kept="its type, hour and digest, and its entry in the ledger",
            )
        if came and came.state == "pointer":
            return {"direction": "in", "pointer": came, "state": came.state, "why": came.reason}
        return {
            "direction": "out" if sent else "in",
            "message": read_message(open_envelope(row.envelope.encode()).payload),
            "state": row.state,
            "why": sent.answer if sent else came.reason if came else "",
            "unread": [] if sent else came.unread if came else [],
        }


def pointers(thread: str) -> list[str]:
    """The messages of one act or consultation that were marked above the ceiling, by id."""
    rows = InMessage.objects.filter(thread=thread, state="pointer").order_by("received_at", "pk")
    return [row.message_id for row in rows.only("message_id", "type", "thread") if thread]


def retry(actor: Actor, message_id: str = "", peer: str = "") -> int:
    """Queue again what was given up for now: one message, a peer's, or all; return how many."""
    with act(actor, Permission.MESSAGE_SEND):
        found = outbox.find_peer(peer) if peer else None
        count = outbox.retry(found, message_id)
        if not message_id:
            count += transfers.retry(found.keyid if found else "")
        if message_id and not count:
            raise NotFound(f"message {message_id[:40]!r} waits for nothing here")
        return count


def status() -> dict[str, Any]:
    """Counts of messages by state on both sides, and the open ones with their reason."""
    with reading(instance_actor()):
        counts = {"out": _by_state(OutMessage), "in": _by_state(InMessage)}
        out = [
            {"id": m.id, "type": m.type, "state": m.state, "why": m.answer}
            for m in OutMessage.objects.exclude(state="delivered")
            .defer("envelope")
            .order_by("queued_at")[:200]
        ]
        came = [
            {"id": m.message_id or f"in-{m.pk}", "type": m.type, "state": m.state, "why": m.reason}
            for m in InMessage.objects.exclude(state="handled")
            .defer("envelope")
            .order_by("pk")[:200]
        ]
    return {"counts": counts, "open": out + came}


def _by_state(model: type[OutMessage] | type[InMessage]) -> dict[str, int]:
    rows = model.objects.order_by().values("state").annotate(n=Count("pk"))
    return {row["state"]: row["n"] for row in rows}
