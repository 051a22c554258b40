"""Versions of terms: redlines, another one, acceptance, who is taken off, the clause library."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services import acceptance, term_views
from vedette.services import acts as views
from vedette.services.terms import propose_terms, sign_terms
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Link, Table
from vedette.web.pages.forms import done, form_page, long_text, moment, posted, submitted
from vedette.web.pages.terms import (
    ProposalForm,
    SignForm,
    facts_of,
    hours,
    signed,
    signed_words,
    trail,
)
from vedette.web.pages.words import publication_forms, purposes, state

POINTS = {
    "people": "People with access",
    "purposes": "Purposes",
    "calls": "Calls in all",
    "tokens": "Tokens in all",
    "publication": "Publication",
    "marking": "Highest marking",
    "export": "Copies may be taken away",
    "watermark": "Pages name their reader",
    "pack": "Policy pack",
}


class VersionForm(ProposalForm):
    """Another version: everything of the first, the words of each clause, and a note."""

    def __init__(self, offered: dict[str, Any], base: dict[str, Any], *args: Any, **kwargs: Any):
        super().__init__(offered, *args, **kwargs)
        self.words = {f"words-{c['id']}": c["id"] for c in base["clauses"]}
        for name, clause in zip(self.words, base["clauses"], strict=True):
            self.fields[name] = forms.CharField(
                label=f"{clause['title']}: words",
                help_text="Empty: the library's own words.",
                required=False,
                max_length=6_000,
                initial=clause["text"],
                widget=forms.Textarea(attrs={"rows": 5}),
            )
        self.fields["note"] = long_text("Note to the other side", "Why you propose it.", rows=3)

    def given(self) -> dict[str, Any]:
        """What `propose_terms` takes."""
        given, values = super().given(), self.cleaned_data
        chosen = given["clauses"]
        words = {
            key: values[name].replace("\r\n", "\n")
            for name, key in self.words.items()
            if key in chosen
        }
        return {**given, "words": words, "text": values["note"]}


class AcceptForm(forms.Form):
    """A named person's acceptance, of the version that was read."""

    digest = forms.CharField(required=False, widget=forms.HiddenInput, max_length=71)
    read = forms.BooleanField(label="I have read these terms and keep to them")


class StrikeForm(forms.Form):
    """Whom to take off the list."""

    person = forms.ChoiceField(label="Whom?", widget=forms.RadioSelect)

    def __init__(self, people: list[dict[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(p["id"], f"{p['name']}, {p['id']}") for p in people]
        self.fields["person"].choices = choices  # type: ignore[attr-defined]


def _terms_of(request: SignedIn, act_id: str) -> dict[str, Any]:
    found = views.act_view(request.actor, act_id)
    if found["terms"] is None:
        raise NotFound("no terms are proposed for this act yet")
    return found


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_READ)
def version(request: SignedIn, act_id: str, digest: str) -> HttpResponse:
    """One version with what it changes; signed here where it waits for this side."""
    found = _terms_of(request, act_id)
    shown = term_views.version_view(request.actor, act_id, digest)
    form = SignForm(posted(request), initial={"digest": digest})
    if request.method == "POST":
        request.actor.require(Permission.TERMS_SIGN)
        made = submitted(request, form, lambda _: sign_terms(request.actor, act_id, digest=digest))
        if made is not None:
            return signed(request, made, signed_words, act_id)
    signs = shown["open"] and request.actor.may(Permission.TERMS_SIGN)
    context = {
        "act": found,
        "shown": shown,
        "number": str(shown["version"]),
        "form": form,
        "state": state("terms", shown["state"]),
        "changes": [_change(one) for one in shown["changes"]],
        "facts": facts_of({**shown["terms"], "digest": digest}, found),
        "signed": [
            ("Proposed by", f"the {shown['proposed_by']}"),
            ("On", moment(shown["proposed_at"])),
            ("For the lab", shown["lab_signed_by"] or "not yet"),
            ("For the office", shown["office_signed_by"] or "not yet"),
        ],
        "may_sign": signs,
        "trail": [
            *trail(act_id, "")[:2],
            ("Terms", f"/acts/{act_id}/terms/"),
            (f"Version {shown['version']}", ""),
        ],
        "page_marking": found["marking"],
    }
    return render(request, "pages/terms_version.html", context, status=422 if form.errors else 200)


@require_GET
@page(Permission.ENGAGEMENT_READ)
def signed_file(request: SignedIn, act_id: str, digest: str) -> HttpResponse:
    """The version as a file with both sides' keys and signatures, to check offline."""
    value = term_views.signed_version(request.actor, act_id, digest)
    answer = HttpResponse(json.dumps(value, indent=1), content_type="application/json")
    name = f"{act_id}-terms-{value['terms']['version']}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _change(one: dict[str, Any]) -> dict[str, Any]:
    """A point that changes: numbers and choices as the terms' own page says them."""
    known = {"purposes": purposes(), "publication": publication_forms()}.get(one["point"], {})

    def said(text: str) -> str:
        return f"{int(text):,}" if text.isdecimal() else known.get(text, text)

    texts = {side: [said(text) for text in one[side]] for side in ("before", "after")}
    return {"point": POINTS[one["point"]], **texts}


@require_http_methods(["GET", "POST"])
@page(Permission.TERMS_SIGN)
def propose(request: SignedIn, act_id: str) -> HttpResponse:
    """Propose another version, departing from the newest."""
    found, offered = _terms_of(request, act_id), term_views.offered_terms(request.actor)
    newest = found["terms"]["versions"][0]["digest"]
    base = term_views.version_view(request.actor, act_id, newest)
    terms = base["terms"]
    initial = {
        "people": "\n".join(f"{p['id']} {p['name']}" for p in terms["people"]),
        "purposes": terms["purposes"],
        **terms["quota"],
        **{name: terms[name] for name in ("publication", "marking", "export", "watermark")},
        "clauses": [clause["id"] for clause in terms["clauses"]],
    }
    form = VersionForm(offered, base, posted(request), initial=initial)
    made = submitted(
        request,
        form,
        lambda _: propose_terms(request.actor, act_id, base=newest, **form.given()),
    )
    if made is not None:
        said = "Version {} is proposed and signed by your side. It binds nobody yet."
        return signed(request, made, said.format, act_id)
    context = {
        "title": "Propose another version",
        "kicker": f"Departs from version {base['version']}",
        "lede": "Change what you like. The other side sees your changes word by word; it signs,"
        " answers with a version of its own, or leaves it. The window's hours stay as they are.",
        "button": "Sign and propose",
        "back": f"/acts/{act_id}/terms/",
        "facts": hours(found),
        "trail": [
            *trail(act_id, "")[:2],
            ("Terms", f"/acts/{act_id}/terms/"),
            ("Another version", ""),
        ],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_READ)
def accept(request: SignedIn, act_id: str) -> HttpResponse:
    """A named person accepts the version in force."""
    found = _terms_of(request, act_id)
    form = AcceptForm(posted(request), initial={"digest": found["terms"]["digest"]})
    made = submitted(
        request, form, lambda v: acceptance.accept_terms(request.actor, act_id, v["digest"])
    )
    if made is not None:
        said = f"You accepted version {made.number}. Both sides keep who accepted it when."
        return done(request, said, "act", act_id)
    context = {
        "title": f"Accept version {found['terms']['version']} of the terms",
        "kicker": f"Access window for {found['model']}",
        "lede": "You are named in these terms. What they bind is shown to you once you accept"
        " them; a later version asks you again.",
        "clauses": found["terms"]["clauses"],
        "facts": facts_of(found["terms"], found),
        "button": "Accept",
        "back": f"/acts/{act_id}/terms/",
        "trail": [*trail(act_id, "")[:2], ("Terms", f"/acts/{act_id}/terms/"), ("Accept", "")],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context, "pages/terms_accept.html")


@require_http_methods(["GET", "POST"])
@page(Permission.TERMS_SIGN)
def strike(request: SignedIn, act_id: str) -> HttpResponse:
    """Take a person off the list at once."""
    found = _terms_of(request, act_id)
    people = [p for p in found["terms"]["people"] if p["id"] not in found["terms"]["struck"]]
    form = StrikeForm(people, posted(request))
    made = submitted(
        request, form, lambda v: acceptance.strike_person(request.actor, act_id, v["person"])
    )
    if made is not None:
        said = f"{made.person} is off the list; their sessions have ended. The other side is told."
        return done(request, said, "terms", act_id)
    context = {
        "title": "Take a person off the list",
        "kicker": f"Access window for {found['model']}",
        "lede": "At once, alone, and without a reason. Their sessions end; no one else's does."
        " They come back by a version of the terms that both sides sign.",
        "button": "Take off the list",
        "danger": True,
        "back": f"/acts/{act_id}/terms/",
        "trail": [*trail(act_id, "")[:2], ("Terms", f"/acts/{act_id}/terms/"), ("Take off", "")],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


@require_GET
@page(Permission.ENGAGEMENT_READ)
def library(request: SignedIn) -> HttpResponse:
    """All clauses in all versions, and which terms use them."""
    clauses = [
        {**clause, "facts": _clause_facts(clause), "uses": _uses(clause)}
        for clause in term_views.library(request.actor)
    ]
    context = {
        "clauses": clauses,
        "trail": [("Acts", "/acts/"), ("Clause library", "")],
        "page_marking": "TLP:AMBER+STRICT",
    }
    return render(request, "pages/clauses.html", context)


def _clause_facts(clause: dict[str, Any]) -> list[tuple[str, Cell]]:
    return [
        ("Version", clause["version"]),
        ("In every set of terms", "yes" if clause["required"] else "no"),
        ("Policy packs", ", ".join(clause["packs"])),
        ("Digest of its words", Code(clause["digest"])),
    ]


def _uses(clause: dict[str, Any]) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(
                f"{use['model']}, version {use['version']}",
                f"/acts/{use['act']}/terms/versions/{use['terms']}/",
            ),
            state("terms", use["state"]),
            "changed" if use["changed"] else "as in the library",
        ]
        for use in clause["uses"]
    ]
    return Table("Terms that use it", ["Terms", "State", "Its words"], rows, empty="None yet.")
