"""What crossed to and from other instances, and whose keys are known."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from vedette.exchange.messages import BY_NAME
from vedette.kernel.clock import parse_time
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services.here import here
from vedette.services.messages import list_messages, message_view
from vedette.services.peers import peers
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Kind, Link, State, Table

KINDS: dict[str, Kind] = {
    "queued": "active",
    "delivered": "done",
    "handled": "done",
    "waiting": "active",
    "refused": "attention",
    "set-aside": "attention",
}


@require_GET
@page(Permission.LEDGER_READ)
def messages(request: SignedIn) -> HttpResponse:
    """The newest messages, and the peers."""
    rows = [
        [
            m.at,
            "sent to" if m.direction == "out" else "came from",
            m.peer,
            Link(m.type, f"/messages/{m.id}/") if m.state != "refused" else m.type,
            State(m.state, KINDS.get(m.state, "idle")),
            m.why,
        ]
        for m in list_messages(request.actor)
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
    sent: Any = found["message"]
    facts = [
        ("Type", sent.type),
        ("What it is for", BY_NAME[sent.type].purpose),
        ("Direction", "sent" if found["direction"] == "out" else "received"),
        ("State", State(found["state"], KINDS.get(found["state"], "idle"))),
        ("Note", found["why"]),
        ("Written", parse_time(sent.sent_at, field="sent_at")),
        ("Marking", Marking.parse(sent.marking)),
        ("Belongs to", Code(sent.thread) if sent.thread else None),
        ("Id", Code(sent.id)),
    ]
    context = {
        "facts": facts,
        "type": sent.type,
        "body": json.dumps(sent.body, indent=1, ensure_ascii=False),
        "trail": [("Messages", "/messages/"), (sent.type, "")],
        "page_marking": sent.marking,
    }
    return render(request, "pages/message.html", context)
