"""Cases: the list, the case page as its coordinator or a participant sees it, its long lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from vedette.clearinghouse.states import CaseState
from vedette.kernel.clock import written
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services.case_lists import case_list, case_notes, coordinates, places
from vedette.services.case_views import case_view
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Column, Link, Table, countdown
from vedette.web.pages import case_parts as parts
from vedette.web.pages.case_acts import answer_form
from vedette.web.pages.case_forms import NoteForm
from vedette.web.pages.forms import moment
from vedette.web.pages.labels import as_file, choices, label, state
from vedette.web.pages.words import joined

LIST_MARKING = "TLP:AMBER+STRICT"


class Filter(forms.Form):
    """Narrows the list."""

    state = forms.ChoiceField(label="State", choices=choices("case"), required=False)
    text = forms.CharField(label="Product or title", max_length=100, required=False)


class PartyFilter(forms.Form):
    """Narrows the participants."""

    status = forms.ChoiceField(label="Status", choices=choices("participant"), required=False)
    name = forms.CharField(label="Organisation", max_length=100, required=False)


@require_GET
@page(Permission.CASE_READ)
def list_cases(request: SignedIn) -> HttpResponse:
    """The cases that one may see, the embargo that ends next first."""
    form = Filter(request.GET or None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    shown = Paginator(case_list(request.actor, **asked), 25).get_page(request.GET.get("page"))
    own = coordinates(request.actor)
    context = {
        "table": coordinator_table(shown) if own else participant_table(request, list(shown)),
        "page": shown,
        "form": form if form.is_bound else Filter(),
        "filtered": any(asked.values()),
        "own": own,
        "page_marking": LIST_MARKING,
    }
    return render(request, "pages/cases.html", context)


def ends(case: Any) -> str:
    """An embargo's end with its hour and what is left of it."""
    if case.state in (CaseState.PUBLISHED, CaseState.CLOSED):
        return "ended"
    if case.embargo_until is None:
        return "none"
    return f"{written(case.embargo_until)} · {countdown(case.embargo_until, here().clock.now())}"


def coordinator_table(rows: Any, caption: str = "Cases, the next embargo to end first") -> Table:
    """Cases with how many take part and how many of them never said a word."""
    columns: list[Column | str] = [
        *("Case", "Product", "State", "Embargo ends"),
        *(Column(name, numeric=True) for name in ("Parties", "Silent", "No answer yet")),
    ]
    return Table(
        caption,
        columns,
        [
            [
                Link(case.title, f"/cases/{case.id}/"),
                case.product,
                state("case", case.state),
                ends(case),
                case.parties,
                case.silent,
                case.waiting,
            ]
            for case in rows
        ],
    )


def participant_table(request: SignedIn, rows: list[Any], caption: str = "Your cases") -> Table:
    """Cases with one's own answer to each."""
    mine = places(request.actor, [case.id for case in rows])
    return Table(
        caption,
        ["Case", "Product", "State", "Your answer", "Embargo ends"],
        [
            [
                Link(case.title, f"/cases/{case.id}/"),
                case.product,
                state("case", case.state),
                state("participant", mine[case.id].status) if case.id in mine else None,
                ends(case),
            ]
            for case in rows
        ],
    )


@require_GET
@page(Permission.CASE_READ)
def case(request: SignedIn, case_id: str) -> HttpResponse:
    """One case."""
    view = case_view(request.actor, case_id)
    own = coordinates(request.actor)
    mine = None if own else places(request.actor, [case_id]).get(case_id)
    may_respond = request.actor.may(Permission.CASE_RESPOND)
    ended = view["state"] in (CaseState.PUBLISHED, CaseState.CLOSED)
    context = {
        "case": view,
        "own": own,
        "ended": ended,
        "state": state("case", view["state"]),
        "moves": parts.moves_of(view, own),
        "statuses": parts.statuses(view["counts"]),
        "parties": parts.parties_table(
            parts.by_attention(view["participants"])[: parts.SHOWN_PARTIES], "Silence first"
        ),
        "mine": mine,
        "my_answer": state("participant", mine.status) if mine else None,
        "answer_form": answer_form(mine) if mine and view["answers"] else None,
        "may_deliver": not own and may_respond and "deliver fix" in view["moves"],
        "may_respond": may_respond,
        "note_form": NoteForm() if may_respond else None,
        "notes": [
            {**each, "at": moment(each["at"])}
            for each in view["notes"][: -parts.SHOWN_NOTES - 1 : -1]
        ],
        "facts": parts.facts(view),
        "embargo": parts.embargo(view, own),
        "in_private": parts.in_private(request.actor, case_id) if own else None,
        "findings": parts.findings(view, own),
        "claims": parts.claims(view),
        "fixes": parts.fixes(view),
        "mails": parts.mails(view),
        "timeline": parts.timeline(view),
        "trail": [("Cases", "/cases/"), (view["title"], "")],
        "page_marking": joined(view["marking"], *(f["marking"] for f in view["findings"])),
    }
    return render(request, "pages/case.html", context)


@require_GET
@page(Permission.CASE_COORDINATE)
def participants(request: SignedIn, case_id: str) -> HttpResponse:
    """Every participant of a case, in pages."""
    form = PartyFilter(request.GET or None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    if not coordinates(request.actor):
        raise NotFound("no such thing here")
    found = case_view(request.actor, case_id)
    status, name = asked.get("status", ""), asked.get("name", "").lower()
    rows = [
        each
        for each in parts.by_attention(found["participants"])
        if status in ("", each["status"]) and name in each["name"].lower()
    ]
    shown = Paginator(rows, 50).get_page(request.GET.get("page"))
    caption = f"Participants: {label('participant', status)}" if status else "All participants"
    context = {
        "case": found,
        "form": form if form.is_bound else PartyFilter(),
        "filtered": any(asked.values()),
        "page": shown,
        "table": parts.parties_table(shown, caption),
        "trail": [
            ("Cases", "/cases/"),
            (found["title"][:60], f"/cases/{case_id}/"),
            ("Participants", ""),
        ],
        "page_marking": found["marking"],
    }
    return render(request, "pages/case_participants.html", context)


@require_GET
@page(Permission.CASE_READ)
def notes(request: SignedIn, case_id: str) -> HttpResponse:
    """Every note of a case, newest first, in pages."""
    found, rows = case_notes(request.actor, case_id)
    context = {
        "case": found,
        "page": Paginator(rows, 50).get_page(request.GET.get("page")),
        "trail": [("Cases", "/cases/"), (found.title[:60], f"/cases/{case_id}/"), ("Notes", "")],
        "page_marking": found.marking,
    }
    return render(request, "pages/case_notes.html", context)


@require_GET
@page(Permission.CASE_READ)
def recipe_file(request: SignedIn, case_id: str, finding_id: str) -> HttpResponse:
    """The recipe of a finding of the case as a file, for those who mend it."""
    lines = case_view(request.actor, case_id)["findings"]
    recipe = next((line.get("recipe") for line in lines if line["id"] == finding_id), None)
    if not recipe:
        raise NotFound("no such recipe")
    return as_file(f"{finding_id}.json", recipe)
