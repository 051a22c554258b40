"""Feeds of the index: what each source gave, the last takings, and more of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.kernel.errors import Refused
from vedette.services import feed_files
from vedette.services.feeds import Taken
from vedette.web.access import SignedIn, page
from vedette.web.cells import Column, State, Table
from vedette.web.pages.forms import done, form_page, moment, submitted
from vedette.web.pages.labels import sentences

MARKING = "TLP:AMBER"


class TakeForm(forms.Form):
    """A file of feeds, and whose records these are."""

    source = forms.CharField(
        label="Source",
        max_length=200,
        help_text="Whose records these are, such as OSV PyPI. What the same source had of a record"
        " before is replaced by the newer.",
    )
    file = forms.FileField(
        label="File",
        help_text="A zip or tar of OSV, CVE, CSAF or VEX as JSON, one such record or a list of"
        " them, KEV as JSON, or EPSS as CSV.",
    )


@require_GET
@page()
def list_feeds(request: SignedIn) -> HttpResponse:
    """What is here of each source, the folder of the setting, and the last takings."""
    context = {
        "sources": _sources(feed_files.kept(request.actor)),
        "folder": feed_files.folder(request.actor),
        "takings": [_taking(each) for each in feed_files.takings(request.actor)],
        "page_marking": MARKING,
    }
    return render(request, "pages/feeds.html", context)


def _sources(rows: list[dict[str, Any]]) -> Table | None:
    if not rows:
        return None
    return Table(
        "What is here, by source",
        [
            "Source",
            Column("Records", numeric=True),
            Column("Unreadable", numeric=True),
            "Newest taken",
        ],
        [[row["source"], row["records"], row["broken"], moment(row["newest"])] for row in rows],
    )


def _taking(row: dict[str, Any]) -> dict[str, Any]:
    result = row["result"]
    if row["error"]:
        tag = State("came to nothing", "urgent")
    elif result["problems"]:
        tag = State("with problems", "attention")
    else:
        tag = State("done", "done")
    return {**row, "ended": moment(row["ended_at"]), "tag": tag, "gave": gave(result)}


def gave(result: dict[str, Any]) -> str:
    """What a taking gave, in words."""
    parts = [
        f"{result['accepted']:,} new",
        f"{result['updated']:,} newer",
        f"{result['already_known']:,} unchanged",
    ]
    told = {"broken": "unreadable", "vex": "VEX documents"}
    parts += [f"{result[key]:,} {word}" for key, word in told.items() if result[key]]
    whole = {"kev": "listed in KEV", "epss": "EPSS scores"}
    parts += [f"{result[key]:,} {word}" for key, word in whole.items() if result[key] is not None]
    return ", ".join(parts)


@require_http_methods(["GET", "POST"])
@page()
def take(request: SignedIn) -> HttpResponse:
    """Take a file of feeds."""
    feed_files.folder(request.actor)  # whoever may not, sees no form either
    both = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = TakeForm(*both)

    def keep(given: dict[str, Any]) -> Taken:
        file = given["file"]
        return feed_files.take_file(request.actor, given["source"], file.name, file.chunks())

    made = submitted(request, form, keep)
    if made is not None:
        said = f"{gave(made.to_json())}. The index has {made.advisories:,} advisories."
        return done(request, said, "feeds")
    context = {
        "title": "Take a file of feeds",
        "lede": "Its records enter the index of this instance; notices of what they match follow."
        " A record that can't be read is listed and stops none of the others.",
        "button": "Take it",
        "back": "/feeds/",
        "trail": [("Feeds", "/feeds/"), ("Take a file", "")],
        "page_marking": MARKING,
    }
    return form_page(request, form, context)


@require_POST
@page()
def bring(request: SignedIn) -> HttpResponse:
    """Have the folder of the setting synced and taken now."""
    try:
        feed_files.bring_now(request.actor)
    except Refused as error:
        messages.warning(request, sentences(error))
        return redirect("feeds")
    return done(request, "The worker syncs the folder now, and takes it.", "feeds")
