"""What crossed to and from other instances, and whose keys are known."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from vedette.kernel.clock import parse_time
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.kernel.words import counted
from vedette.services.here import here
from vedette.services.messages import list_messages, message_view
from vedette.services.messages import retry as retry_messages
from vedette.services.peers import peers
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Kind, Link, State, Table
from vedette.web.pages.forms import done

KINDS: dict[str, Kind] = {
    "queued": "active",
    "delivered": "done",
    "handled": "done",
    "waiting": "active",
    "carried": "active",
    "given-up": "attention",
    "not-understood": "attention",
    "pointer": "attention",
    "refused": "attention",
    "set-aside": "attention",
}


LABELS = {
    "carried": "in a file, no receipt yet",
    "given-up": "given up for now",
    "not-understood": "not understood here yet",
    "pointer": "above the ceiling",
    "set-aside": "set aside",
}


def shown(state: str) -> State:
    """A message's state in words, with its kind."""
    return State(LABELS.get(state, state), KINDS.get(state, "idle"))


@require_GET
@page(Permission.LEDGER_READ)
def messages(request: SignedIn) -> HttpResponse:
    """The newest messages, and the peers."""
    crossed = list_messages(request.actor)
    rows = [
        [
            m.at,
            "sent to" if m.direction == "out" else "came from",
            m.peer,
            Link(m.type, f"/messages/{m.id}/") if m.state != "refused" else m.type,
            shown(m.state),
            m.why,
        ]
        for m in crossed
    ]
    known = [
        [p["name"], p["profile"], p["url"] or "by file", Code(p["keyid"][:32])]
        for p in peers(request.actor)
    ]
    context = {
        "messages_table": Table(
            "Newest first", ["Time", "Direction", "Peer", "Message", "State", "Note"], rows
        ),
        "peers_table": Table("Known peers", ["Name", "Profile", "Address", "Key"], known),
        "rows": rows,
        "given_up": sum(m.state == "given-up" for m in crossed),
        "may_send": request.actor.may(Permission.MESSAGE_SEND),
        "peers": known,
        "card": json.dumps(here().card.to_json(), indent=1),
        "fingerprint": here().card.fingerprint,
        "page_marking": "TLP:AMBER",
    }
    return render(request, "pages/messages.html", context)


@require_GET
@page(Permission.LEDGER_READ)
def message(request: SignedIn, message_id: str) -> HttpResponse:
    """One message, as it crossed."""
    found = message_view(request.actor, message_id)
    if "pointer" in found:
        return _pointer(request, found["pointer"])
    sent: Any = found["message"]
    row = here().table.get(sent.type)
    facts = [
        ("Type", f"{sent.type}, version {sent.version}"),
        ("What it is for", row.purpose if row else "Not known to this version"),
        ("Direction", "sent" if found["direction"] == "out" else "received"),
        ("State", shown(found["state"])),
        ("Note", found["why"] or None),
        ("Left unread", ", ".join(found["unread"]) or None),
        ("Written", parse_time(sent.sent_at, field="sent_at")),
        ("Marking", Marking.parse(sent.marking)),
        ("Belongs to", Code(sent.thread) if sent.thread else None),
        ("Id", Code(sent.id)),
    ]
    context = {
        "facts": facts,
        "type": sent.type,
        "retry": f"/messages/{sent.id}/retry/" if found["state"] == "given-up" else "",
        "may_send": request.actor.may(Permission.MESSAGE_SEND),
        "body": json.dumps(sent.body, indent=1, ensure_ascii=False),
        "trail": [("Messages", "/messages/"), (sent.type, "")],
        "page_marking": sent.marking,
    }
    return render(request, "pages/message.html", context)


def _pointer(request: SignedIn, row: Any) -> HttpResponse:
    """What stands in the place of a message above the ceiling."""
    facts = [
        ("Type", row.type),
        ("State", shown("pointer")),
        ("Why", row.reason),
        ("Arrived", row.received_at),
        ("Belongs to", Code(row.thread) if row.thread else None),
        ("Id", Code(row.message_id)),
        ("Digest", Code(row.digest)),
    ]
    context = {
        "facts": facts,
        "type": row.type,
        "trail": [("Messages", "/messages/"), (row.type, "")],
        "page_marking": "TLP:AMBER",
    }
    return render(request, "pages/message_pointer.html", context)


@require_POST
@page(Permission.MESSAGE_SEND)
def retry(request: SignedIn, message_id: str = "") -> HttpResponse:
    """Queue again one message, or all that were given up for now."""
    count = retry_messages(request.actor, message_id)
    words = counted(count, "message is", "messages are")
    return done(request, f"{words} queued again.", "/messages/")
