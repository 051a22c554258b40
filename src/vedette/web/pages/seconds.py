"""Waiting for a second person: proposals, seconded or taken back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.kernel.errors import NotFound
from vedette.kernel.markings import AMBER
from vedette.kernel.permissions import Permission, Profile
from vedette.services import custody_views, two_person
from vedette.services.here import here
from vedette.services.review_parties import office_only
from vedette.services.sides import only
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Kind, Link, State, Table
from vedette.web.pages.forms import done, form_page, posted, submitted
from vedette.web.pages.labels import as_file

LOOKS: dict[str, Kind] = {
    "waiting": "attention",
    "done": "done",
    "lapsed": "ended",
    "withdrawn": "ended",
}


@require_GET
@page()
def seconds(request: SignedIn) -> HttpResponse:
    """What waits for a second person, and what became of the others."""
    office_only()
    rows = two_person.proposals(request.actor)
    context = {
        "waiting": [{**r, "facts": _facts(r)} for r in rows if r["state"] == "waiting"],
        "table": _table([r for r in rows if r["state"] != "waiting"]),
        "chosen": [row["title"] for row in two_person.chosen().values()],
        "hours": here().pack.integer("two_person", "hours"),
        "page_marking": AMBER,
    }
    return render(request, "pages/seconds.html", context)


def _facts(row: dict[str, Any]) -> list[tuple[str, Cell]]:
    about = row["object"]
    at: Cell = Code(about)
    if about.startswith("act-"):
        at = Link("what is held of the act", f"/custody/{about}/")
    elif about.startswith("hold-"):
        at = Link("the hold", f"/custody/holds/{about}/")
    elif about.startswith("determination-"):
        at = Link("the determination", f"/determinations/{about}/")
    elif about.startswith("suite-"):
        at = Link("the suite", f"/suites/{about}/")
    pairs: list[tuple[str, Cell]] = [
        ("About", at),
        ("Proposed by", row["proposer"]),
        ("Proposed", row["proposed_at"]),
        ("Why", row["why"] or "not said"),
        ("Lapses", row["lapses_at"]),
    ]
    return pairs


def _table(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "Settled, newest first",
        ["What", "Proposed by", "Proposed", "State", "Seconded by"],
        [
            [
                Link(row["title"], f"/seconds/{row['id']}/given/")
                if row["state"] == "done" and row["kind"] in custody_views.GIVING
                else row["title"],
                row["proposer"],
                row["proposed_at"],
                State(row["state"], LOOKS[row["state"]]),
                row["seconder"] or None,
            ]
            for row in rows
        ],
        empty="None yet.",
    )


@require_POST
@page()
def second(request: SignedIn, second_id: str) -> HttpResponse:
    """Second a proposal: it is done."""
    office_only()
    two_person.second(request.actor, second_id)
    return done(request, "Seconded, and done.", "seconds")


class CodeForm(forms.Form):
    """What an act asks of its second."""

    code = forms.CharField(
        label="Your keyholder's code",
        max_length=60,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="27 letters and digits; hyphens and case do not matter. It is kept nowhere.",
    )


@require_http_methods(["GET", "POST"])
@page()
def with_code(request: SignedIn, second_id: str) -> HttpResponse:
    """Second a proposal that asks for one's own half of a key."""
    office_only()
    if second_id not in {row["id"] for row in two_person.proposals(request.actor) if row["asks"]}:
        raise NotFound(f"proposal {second_id[:40]!r} is not here")
    form = CodeForm(posted(request))
    made = submitted(
        request, form, lambda v: two_person.second(request.actor, second_id, v["code"])
    )
    if made is not None:
        return done(request, "Seconded, and done.", "seconds")
    context = {
        "title": "Second with your code",
        "lede": "Your half and the proposer's make the key again, and it is done.",
        "button": "Second it",
        "back": "/seconds/",
        "trail": [("Second person", "/seconds/"), ("With your code", "")],
        "page_marking": AMBER,
    }
    return form_page(request, form, context)


@require_POST
@page()
def take_back(request: SignedIn, second_id: str) -> HttpResponse:
    """Take one's own proposal back."""
    office_only()
    two_person.take_back(request.actor, second_id)
    return done(request, "Taken back. It can be proposed again.", "seconds")


@require_GET
@page(Permission.ENGAGEMENT_READ)
def given(request: SignedIn, second_id: str) -> HttpResponse:
    """What a seconded act gave, as a file for its two persons."""
    only(Profile.OFFICE, request.actor)
    document = custody_views.given(request.actor, second_id)
    return as_file(f"{second_id}.json", document)
