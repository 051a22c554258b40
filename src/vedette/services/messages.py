"""What crossed, for people: the messages of both directions, their state, and one in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vedette.exchange.envelope import open_envelope, read_message
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, reading
from vedette.store.models import InMessage, OutMessage, Peer


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
    """One message in full: `{"direction", "message", "state", "why"}`."""
    with reading(actor, Permission.LEDGER_READ):
        sent = OutMessage.objects.select_related("peer").filter(id=message_id).first()
        came = InMessage.objects.filter(message_id=message_id).exclude(state="refused").first()
        row = sent or came
        if row is None:
            raise NotFound(f"message {message_id[:40]!r} is not here")
        if not row.envelope:
            raise Refused(
                "the key of this message's window is gone: it can't be read",
                kept="its type, hour and digest, and its entry in the ledger",
            )
        return {
            "direction": "out" if sent else "in",
            "message": read_message(open_envelope(row.envelope.encode()).payload),
            "state": row.state,
            "why": sent.answer if sent else came.reason if came else "",
        }
