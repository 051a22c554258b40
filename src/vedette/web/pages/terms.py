"""The terms of a window: proposed by the lab, read in full, signed by both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from vedette.engagement.table import Actor as Side
from vedette.kernel.clock import written
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services import acts as views
from vedette.services.custody_views import waits
from vedette.services.here import here
from vedette.services.sides import own_side
from vedette.services.term_views import offered_terms
from vedette.services.terms import sign_terms
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Link, Table
from vedette.web.pages.forms import Lines, done, form_page, moment, posted, submitted
from vedette.web.pages.words import bases, joined, publication_forms, purposes, state


def yes_no(label: str, help_text: str) -> Any:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


class ProposalForm(forms.Form):
    """What the lab fills in: people, purposes, quota, publication, reading, clauses."""

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
    marking = forms.CharField(
        label="Highest marking",
        help_text="Nothing marked higher is read under these terms, as in TLP:AMBER+STRICT.",
        required=False,
        max_length=200,
    )
    export = yes_no("Copies may be taken away", "Off: the office reads on its pages alone.")
    watermark = yes_no("Pages and documents name their reader", "With the time of reading.")
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
            "marking": values["marking"],
            "export": values["export"],
            "watermark": values["watermark"],
            "clauses": [*self.required_clauses, *values["clauses"]],
        }


class SignForm(forms.Form):
    """One side's signature, over the version that was read."""

    digest = forms.CharField(required=False, widget=forms.HiddenInput, max_length=71)
    read = forms.BooleanField(label="I have read these terms, and sign them for my side")


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_READ)
def terms(request: SignedIn, act_id: str) -> HttpResponse:
    """Read the terms; make the first version as the lab, sign what the other side proposed."""
    found = views.act_view(request.actor, act_id)
    if found["kind"] != "access-window":
        raise NotFound("this act has no terms")
    if found["terms"] is None:
        if own_side() == Side.OFFICE:
            raise NotFound("the lab has proposed no terms yet")
        return _propose(request, found)
    if request.method == "POST" or _signs_here(request, found):
        return _sign(request, found)
    return render(request, "pages/terms.html", _shown(request, found))


def _signs_here(request: SignedIn, found: dict[str, Any]) -> bool:
    """Whether what this page shows is what waits for this reader's signature."""
    waits = found["terms"]["open"] == found["terms"]["digest"]
    return waits and request.actor.may(Permission.TERMS_SIGN)


def _propose(request: SignedIn, found: dict[str, Any]) -> HttpResponse:
    request.actor.require(Permission.TERMS_SIGN)
    offered = offered_terms(request.actor)
    usual = offered["access"]
    initial = {
        **here().pack.mapping("window", "quota"),
        "purposes": [found["purpose"]],
        "publication": offered["publication"][0]["id"],
        "clauses": [row["id"] for row in offered["clauses"]],
        "marking": str(joined(usual["marking"], found["marking"])),
        "export": usual["export"],
        "watermark": usual["watermark"],
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
        "lede": "You sign them with this; the office signs the same bytes, answers with a redline,"
        " or leaves it. Either of you can propose another version later.",
        "button": "Sign and propose",
        "back": f"/acts/{found['id']}/",
        "required": [c for c in offered["clauses"] if c["id"] in offered["required"]],
        "further": [c for c in offered["clauses"] if c["id"] not in offered["required"]],
        "facts": hours(found),
        "trail": trail(found["id"], "Propose terms"),
        "page_marking": found["marking"],
    }
    return form_page(request, form, context, "pages/terms_propose.html")


def _sign(request: SignedIn, found: dict[str, Any]) -> HttpResponse:
    request.actor.require(Permission.TERMS_SIGN)
    form = SignForm(posted(request), initial={"digest": found["terms"]["open"]})
    made = submitted(
        request, form, lambda v: sign_terms(request.actor, found["id"], digest=v["digest"])
    )
    if made is not None:
        return signed(request, made, signed_words, found["id"])
    context = {**_shown(request, found), "may_sign": True, "accepted": found["state"] == "accepted"}
    return form_page(request, form, context, "pages/terms.html")


def signed(request: SignedIn, made: Any, words: Callable[[int], str], act_id: str) -> HttpResponse:
    """Go on after a signature, or to what waits for a second person's."""
    if waits(made):
        said = "It names somebody new: a second person of your office signs with you."
        return done(request, said, "seconds")
    return done(request, words(made.number), "terms", act_id)


def signed_words(version: int) -> str:
    """What both sides' signature over a version means."""
    if version == 1:
        return "Signed by both sides. The window opens and closes by itself."
    return (
        f"Signed by both sides: version {version} holds for the calls from now on. Each person"
        " named accepts it before reading on."
    )


def _shown(request: SignedIn, found: dict[str, Any]) -> dict[str, Any]:
    terms = found["terms"]
    lines = {line["digest"]: line for line in terms["versions"]}
    signs = request.actor.may(Permission.TERMS_SIGN)
    waiting = lines.get(terms["open"]) if terms["open"] != terms["digest"] else None
    return {
        "act": found,
        "terms": terms,
        "proposer": terms["proposed_by"],
        "state": state("terms", terms["state"]),
        "facts": facts_of(terms, found),
        "people": people_table(terms),
        "signed": _signed(terms),
        "versions": versions_table(found["id"], terms["versions"]),
        "waiting": waiting,
        "accepts": terms["waits_for_you"],
        "may_propose": signs and found["state"] in ("offered", "accepted") and _counters(found),
        "may_strike": signs and bool(terms["people"]),
        "may_publish": bool(terms["agreed_at"]) and request.actor.may(Permission.PUBLICATION_WRITE),
        "agreed_at": moment(terms["agreed_at"]),
        "trail": trail(found["id"], "Terms"),
        "page_marking": found["marking"],
    }


def _counters(found: dict[str, Any]) -> bool:
    return own_side() == Side.LAB or found["state"] == "accepted"


def facts_of(terms: dict[str, Any], found: dict[str, Any] | None = None) -> list[tuple[str, Cell]]:
    """The points of terms beside their clauses, as pairs."""
    forms_of = publication_forms()
    return [
        *(hours(found) if found else []),
        ("Version", terms["version"]),
        ("Purposes", "; ".join(purposes().get(p, p) for p in terms["purposes"])),
        ("Calls in all", terms["quota"]["calls"]),
        ("Tokens in all", terms["quota"]["tokens"]),
        ("Publication", forms_of.get(terms["publication"], terms["publication"])),
        ("Highest marking", terms["marking"]),
        ("Copies may be taken away", "yes" if terms["export"] else "no, read on pages alone"),
        ("Pages name their reader", "yes" if terms["watermark"] else "no"),
        ("Policy pack", terms["pack"]),
        ("Digest of the terms", Code(terms["digest"])),
    ]


def people_table(terms: dict[str, Any]) -> Table:
    """Who is named, and whether each accepted this version or was taken off."""
    accepted = {
        one["person"]: one["at"] for one in terms["accepted"] if one["version"] == terms["version"]
    }

    def said(person: str) -> str:
        if person in terms["struck"]:
            return "taken off the list"
        at = moment(accepted.get(person))
        return f"accepted {written(at)}" if at else "not accepted yet"

    rows: list[list[Cell]] = [[p["name"], p["id"], said(p["id"])] for p in terms["people"]]
    return Table("People with access", ["Name", "Address", "This version"], rows)


def versions_table(act_id: str, lines: list[dict[str, Any]]) -> Table:
    """Every version, newest first, each with its redline behind it."""
    rows: list[list[Cell]] = [
        [
            Link(f"Version {line['version']}", f"/acts/{act_id}/terms/versions/{line['digest']}/"),
            f"the {line['proposed_by']}",
            state("terms", line["state"]),
            moment(line["proposed_at"]),
        ]
        for line in lines
    ]
    return Table("Versions, newest first", ["Version", "Proposed by", "State", "On"], rows)


def _signed(terms: dict[str, Any]) -> list[tuple[str, Cell]]:
    """Who signed for each side, and the signature itself."""
    raw = terms["signatures"]
    return [
        ("For the lab", terms["lab_signed_by"] or "not yet"),
        ("Its signature", Code(raw["lab"]) if raw["lab"] else None),
        ("For the office", terms["office_signed_by"] or "not yet"),
        ("Its signature", Code(raw["office"]) if raw["office"] else None),
    ]


def hours(found: dict[str, Any]) -> list[tuple[str, Cell]]:
    return [
        ("Model", found["model"]),
        ("Window opens", moment(found["opens"])),
        ("Window closes", moment(found["closes"])),
        ("Basis", bases().get(found["basis"], found["basis"])),
    ]


def trail(act_id: str, last: str) -> list[tuple[str, str]]:
    return [("Acts", "/acts/"), ("Access window", f"/acts/{act_id}/"), (last, "")]
