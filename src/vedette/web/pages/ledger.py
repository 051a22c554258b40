"""The ledger page: what happened, without content, and the checkpoint that proves it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from vedette.kernel.clock import parse_time
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services.engagement_views import in_words
from vedette.services.ledgers import browse
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Column, Table

COLUMNS = [
    Column("No.", numeric=True),
    Column("Time"),
    Column("Event"),
    Column("Role"),
    Column("Object"),
    Column("Marking"),
    Column("Message"),
]


@require_GET
@page(Permission.LEDGER_READ)
def ledger(request: SignedIn) -> HttpResponse:
    """Entries, newest first; `about` narrows them to one object or message."""
    about = request.GET.get("about", "").strip()[:100]
    entries, checkpoint = browse(about)
    shown = Paginator(entries, 50).get_page(request.GET.get("page"))
    words = in_words(request.actor, list(shown))
    context = {
        "page": shown,
        "about": about,
        "table": Table("Entries, newest first", COLUMNS, [_row(e, words[e.seq]) for e in shown]),
        "checkpoint": _checkpoint(checkpoint) if checkpoint else [],
        "page_marking": "TLP:AMBER",
    }
    return render(request, "pages/ledger.html", context)


def _row(entry: Any, words: str) -> list[Any]:
    return [
        entry.seq,
        parse_time(entry.time, field="time"),
        words,
        entry.role,
        Code(entry.object_id),
        Marking.parse(entry.marking),
        Code(entry.message_id) if entry.message_id else None,
    ]


def _checkpoint(document: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("Entries covered", document["size"]),
        ("Signed", parse_time(document["time"], field="time")),
        ("Tree head", Code(document["root"])),
        ("Key", Code(document["keyid"])),
    ]
