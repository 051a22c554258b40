"""The terms of a window: proposed by the lab, read in full, signed by both sides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from vedette.engagement.table import Actor as Side
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services import acts as views
from vedette.services.engagement_views import signatures
from vedette.services.here import here
from vedette.services.sides import own_side
from vedette.services.term_views import offered_terms
from vedette.services.terms import sign_terms
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Table
from vedette.web.pages.forms import Lines, done, form_page, moment, posted, submitted
from vedette.web.pages.words import bases, purposes


class ProposalForm(forms.Form):
    """What the lab fills in: people, purposes, quota, publication, clauses."""

    people = Lines(
        label="People with access",
        help_text="One a line: address at the office, then the name, as in"
        " ann@office.example Ann Example",
        max_length=100_000,
    )
    purposes = forms.MultipleChoiceField(label="Purposes", widget=forms.CheckboxSelectMultiple)
    calls = forms.IntegerField(label="Calls in all", min_value=1)
    tokens = forms.IntegerField(label="Tokens in all, in and out together", min_value=1)
    publication = forms.ChoiceField(label="Publication", widget=forms.RadioSelect)
    clauses = forms.MultipleChoiceField(
        label="Clauses beyond the required ones",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, offered: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.required_clauses: list[str] = offered["required"]
        rest = [c for c in offered["clauses"] if c["id"] not in self.required_clauses]
        choices: dict[str, list[tuple[str, str]]] = {
            "purposes": list(purposes().items()),
            "publication": [(row["id"], row["title"]) for row in offered["publication"]],
            "clauses": [(row["id"], row["title"]) for row in rest],
        }
        for name, values in choices.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]

    def clean_people(self) -> list[dict[str, str]]:
        rows = [line.split(maxsplit=1) for line in self.cleaned_data["people"]]
        for row in rows:
            if len(row) != 2 or "@" not in row[0]:
                raise forms.ValidationError(
                    f"“{' '.join(row)[:60]}”: an address and a name expected."
                )
        return [{"id": row[0].rstrip(",;").lower(), "name": row[1]} for row in rows]

    def given(self) -> dict[str, Any]:
        """What `sign_terms` takes of a lab."""
        values = self.cleaned_data
        return {
            "people": values["people"],
            "purposes": values["purposes"],
            "quota": {"calls": values["calls"], "tokens": values["tokens"]},
            "publication": values["publication"],
            "clauses": [*self.required_clauses, *values["clauses"]],
        }


class SignForm(forms.Form):
    """The office's signature."""

    read = forms.BooleanField(label="I have read these terms, and sign them for the office")


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_READ)
def terms(request: SignedIn, act_id: str) -> HttpResponse:
    """Read the terms; propose them as the lab, sign them as the office."""
    found = views.act_view(request.actor, act_id)
    side = own_side()
    if found["kind"] != "access-window":
        raise NotFound("this act has no terms")
    if found["terms"] is None:
        if side == Side.OFFICE:
            raise NotFound("the lab has proposed no terms yet")
        return _propose(request, found)
    signs = side == Side.OFFICE and found["terms"]["agreed_at"] is None
    if request.method == "POST" or (signs and request.actor.may(Permission.TERMS_SIGN)):
        return _sign(request, found)
    return render(request, "pages/terms.html", _shown(request, found))


def _propose(request: SignedIn, found: dict[str, Any]) -> HttpResponse:
    request.actor.require(Permission.TERMS_SIGN)
    offered = offered_terms(request.actor)
    initial = {
        **here().pack.mapping("window", "quota"),
        "purposes": [found["purpose"]],
        "publication": offered["publication"][0]["id"],
        "clauses": [row["id"] for row in offered["clauses"]],
    }
    form = ProposalForm(offered, posted(request), initial=initial)
    made = submitted(
        request, form, lambda v: sign_terms(request.actor, found["id"], **form.given())
    )
    if made is not None:
        return done(
            request, "Signed and proposed. The office reads the same words.", "terms", found["id"]
        )
    context = {
        "title": "Propose terms",
        "kicker": f"Access window for {found['model']}",
        "lede": "You sign them with this; the office signs the same bytes or none. Other terms"
        " later need another offer.",
        "button": "Sign and propose",
        "back": f"/acts/{found['id']}/",
        "required": [c for c in offered["clauses"] if c["id"] in offered["required"]],
        "further": [c for c in offered["clauses"] if c["id"] not in offered["required"]],
        "facts": _hours(found),
        "trail": _trail(found["id"], "Propose terms"),
        "page_marking": found["marking"],
    }
    return form_page(request, form, context, "pages/terms_propose.html")


def _sign(request: SignedIn, found: dict[str, Any]) -> HttpResponse:
    request.actor.require(Permission.TERMS_SIGN)
    form = SignForm(posted(request))
    made = submitted(request, form, lambda _: sign_terms(request.actor, found["id"]))
    if made is not None:
        said = "Signed by both sides. The window opens and closes by itself."
        return done(request, said, "terms", found["id"])
    context = {**_shown(request, found), "may_sign": True, "accepted": found["state"] == "accepted"}
    return form_page(request, form, context, "pages/terms.html")


def _shown(request: SignedIn, found: dict[str, Any]) -> dict[str, Any]:
    terms = found["terms"]
    forms_of = {row["id"]: row["title"] for row in here().pack.records("terms", "publication")}
    return {
        "act": found,
        "terms": terms,
        "facts": [
            *_hours(found),
            ("Purposes", "; ".join(purposes().get(p, p) for p in terms["purposes"])),
            ("Calls in all", terms["quota"]["calls"]),
            ("Tokens in all", terms["quota"]["tokens"]),
            ("Publication", forms_of.get(terms["publication"], terms["publication"])),
            ("Policy pack", terms["pack"]),
            ("Digest of the terms", Code(terms["digest"])),
        ],
        "people": Table(
            "People with access",
            ["Name", "Address"],
            [[p["name"], p["id"]] for p in terms["people"]],
        ),
        "signed": _signed(request, found),
        "agreed_at": moment(terms["agreed_at"]),
        "trail": _trail(found["id"], "Terms"),
        "page_marking": found["marking"],
    }


def _signed(request: SignedIn, found: dict[str, Any]) -> list[tuple[str, Cell]]:
    """Who signed for each side, and the signature itself."""
    raw, terms = signatures(request.actor, found["id"]), found["terms"]
    return [
        ("For the lab", terms["lab_signed_by"] or "not yet"),
        ("Its signature", Code(raw["lab"]) if raw["lab"] else None),
        ("For the office", terms["office_signed_by"] or "not yet"),
        ("Its signature", Code(raw["office"]) if raw["office"] else None),
    ]


def _hours(found: dict[str, Any]) -> list[tuple[str, Cell]]:
    return [
        ("Model", found["model"]),
        ("Window opens", moment(found["opens"])),
        ("Window closes", moment(found["closes"])),
        ("Basis", bases().get(found["basis"], found["basis"])),
    ]


def _trail(act_id: str, last: str) -> list[tuple[str, str]]:
    return [("Acts", "/acts/"), ("Access window", f"/acts/{act_id}/"), (last, "")]
