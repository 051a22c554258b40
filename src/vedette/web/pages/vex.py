"""An operator's VEX documents, and the matches that VEX takes away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.formats.detect import MAX_VEX
from vedette.kernel.permissions import Permission
from vedette.services import inventories, vex, vex_feeds
from vedette.web.access import SignedIn, page
from vedette.web.cells import State
from vedette.web.pages.forms import done, form_page, moment, submitted

MARKING = "TLP:AMBER+STRICT"


class TakeForm(forms.Form):
    """A VEX document as a file."""

    name = forms.CharField(
        label="Name",
        max_length=vex.MAX_NAME,
        help_text="A newer document under the same name takes its place.",
    )
    file = forms.FileField(label="File", help_text="OpenVEX, CSAF VEX, or CycloneDX as JSON.")
    site = forms.ChoiceField(
        label="Speaks of",
        required=False,
        help_text="A statement that holds at one site only is kept from speaking of the others.",
    )

    def __init__(self, sites: Iterable[str], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["site"].choices = [  # type: ignore[attr-defined]
            ("", "every site"),
            *((name, f"{name} alone") for name in sites),
        ]


@require_GET
@page(Permission.NOTICE_READ)
def list_vex(request: SignedIn) -> HttpResponse:
    """The documents that count, and every suppressed match with its reason and source."""
    rows = vex.suppressed(request.actor)
    shown = Paginator(rows, 50).get_page(request.GET.get("page"))
    context = {
        "documents": [
            {**each, "taken": moment(each["taken_at"])} for each in vex.documents(request.actor)
        ],
        "feeds": _feeds(request),
        "page": shown,
        "rows": [{**row, "tag": standing(row)} for row in shown],
        "counts": {
            "suppressed": sum(not row["lifted"] for row in rows),
            "lifted": sum(row["lifted"] for row in rows),
        },
        "may_edit": request.actor.may(Permission.ANSWER_GIVE),
        "page_marking": MARKING,
    }
    return render(request, "pages/vex.html", context)


def _feeds(request: SignedIn) -> list[dict[str, Any]]:
    return [
        {**row, "since": moment(row["at"]), "tag": _honoured(row)}
        for row in vex_feeds.feeds(request.actor)
    ]


def _honoured(row: dict[str, Any]) -> State:
    return State("honoured", "done") if row["honoured"] else State("not honoured", "ended")


def standing(row: dict[str, Any]) -> State:
    """How a suppressed match is shown: by its statement, or as lifted."""
    if row["lifted"]:
        return State("lifted: found again", "attention")
    return State(row["status"].replace("_", " "), "ended")


@require_http_methods(["GET", "POST"])
@page(Permission.ANSWER_GIVE)
def take(request: SignedIn) -> HttpResponse:
    """Take a VEX document from a file."""
    posted = request.method == "POST"
    sites = sorted({each["site"] for each in inventories.inventories(request.actor)})
    form = TakeForm(sites, request.POST if posted else None, request.FILES if posted else None)

    def keep(given: dict[str, Any]) -> Any:
        data = given["file"].read(MAX_VEX + 1)
        return vex.take_vex(request.actor, given["name"], data, given["site"])

    made = submitted(request, form, keep)
    if made is not None:
        said = f"{made.statements:,} statements are kept; your inventories are matched anew."
        return done(request, said, "vex")
    context = {
        "title": "Take a VEX document",
        "lede": "What it states as not affected or fixed is suppressed, listed with its reason,"
        " and can be lifted match by match.",
        "button": "Take it",
        "back": "/vex/",
        "trail": [("VEX", "/vex/"), ("Take a document", "")],
        "page_marking": MARKING,
    }
    return form_page(request, form, context)


@require_POST
@page(Permission.ANSWER_GIVE)
def withdraw(request: SignedIn, document_id: str) -> HttpResponse:
    """Let a document count no more."""
    row = vex.withdraw_vex(request.actor, document_id)
    return done(request, f"{row.name} counts no more; what it suppressed is matched anew.", "vex")


@require_POST
@page(Permission.ANSWER_GIVE)
def lift(request: SignedIn, suppression_id: str) -> HttpResponse:
    """Find a suppressed match again."""
    vex.lift(request.actor, suppression_id)
    return done(request, "Lifted: it is found again.", "vex")


@require_POST
@page(Permission.ANSWER_GIVE)
def honour(request: SignedIn, suppression_id: str) -> HttpResponse:
    """Honour the statement on a lifted match again."""
    vex.lift(request.actor, suppression_id, lifted=False)
    return done(request, "The statement is honoured again.", "vex")


@require_POST
@page(Permission.ANSWER_GIVE)
def honour_feed(request: SignedIn) -> HttpResponse:
    """Honour what a feed's documents state from now on, or no more."""
    feed, honoured = request.POST.get("feed", "")[:200], request.POST.get("honoured") == "1"
    vex_feeds.honour(request.actor, feed, honoured)
    said = "is honoured" if honoured else "counts no more"
    return done(request, f"What {feed} states {said}; your inventories are matched anew.", "vex")
