"""Custody: what the office holds of each act until when, holds, destruction, its certificate."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.markings import AMBER
from vedette.kernel.permissions import Permission, Profile
from vedette.services import custody as service
from vedette.services import custody_views as views
from vedette.services.here import here
from vedette.services.sides import only
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Column, Link, State, Table
from vedette.web.pages.forms import done, form_page, long_text, moment, posted, submitted
from vedette.web.pages.holds import SECONDED, LiftForm, hold_cards
from vedette.web.pages.words import act_noun, joined, material_kind, state

SHOWN = 200


class WhyForm(forms.Form):
    """Why something is asked for."""

    why = long_text("Why", "Whoever seconds it reads this.", rows=3)


@require_GET
@page(Permission.ENGAGEMENT_READ)
def custodies(request: SignedIn) -> HttpResponse:
    """Every act's custody."""
    rows = views.custodies(request.actor)
    missing = {act for _, act in service.lost_keys(request.actor)}
    context = {
        "table": _table(rows),
        "rows": rows,
        "missing": [r for r in rows if r["act"] in missing],
        "office": here().profile == "office",
        "days": here().pack.integer("custody", "days_after_end"),
        "page_marking": joined(str(AMBER), *(row["marking"] for row in rows)),
    }
    return render(request, "pages/custodies.html", context)


def _table(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "What was shared, those that end next first",
        ["Act", "Model", "With", "State", "Holds", "Ended", "Due", "Destroyed"],
        [
            [
                Link(act_noun(row["kind"]).capitalize(), f"/custody/{row['act']}/"),
                row["model"],
                row["peer"],
                state("custody", row["state"]),
                State(f"{row['held_by']} in force", "attention") if row["held_by"] else None,
                moment(row["ended_at"]),
                moment(row["due_at"]),
                moment(row["destroyed_at"]),
            ]
            for row in rows
        ],
        empty="None.",
    )


@require_GET
@page(Permission.ENGAGEMENT_READ)
def custody(request: SignedIn, act_id: str) -> HttpResponse:
    """One act's custody: where it stands, who holds it back, what went and what remains."""
    found = views.custody_view(request.actor, act_id)
    title = f"{act_noun(found['kind'])} for {found['model']}"
    context = {
        "custody": found,
        "state": state("custody", found["state"]),
        "due": moment(found["due_at"]),
        "asked": moment(found["asked_at"]),
        "lapses": moment(found["proposed"]["lapses_at"]) if found["proposed"] else None,
        "destroyed": moment(found["destroyed_at"]),
        "facts": _facts(found),
        "holds": hold_cards(found["holds"], found["may_hold"]),
        "counts": _counts(found["counts"]) if found["counts"] else None,
        "copies": _copies(found["copies"]) if found["copies"] else None,
        "listed": _material(found["list"], "What the office holds") if found["list"] else None,
        "listed_at": moment(found["listed_at"]),
        "remains": found["certificate"]["remains"] if found["certificate"] else [],
        "kicker": title,
        "trail": [("Custody", "/custody/"), (title, "")],
        "page_marking": found["marking"],
    }
    return render(request, "pages/custody.html", context)


KEYS = {
    "here": State("here, in a file of its own", "active"),
    "destroyed": State("destroyed", "done"),
    "missing": State("missing: nothing of it can be read", "urgent"),
    "none": State("none: nothing had to be sealed", "idle"),
}


def _facts(found: dict[str, Any]) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [
        ("Act", Link(act_noun(found["kind"]), f"/acts/{found['act']}/")),
        ("With", found["peer"]),
        ("Ended", moment(found["ended_at"]) or "not yet: it is held while the act lives"),
        ("Due", moment(found["due_at"])),
        ("Destroyed", moment(found["destroyed_at"])),
        ("Ordered by", found["ordered_by"] or None),
    ]
    if found["office"]:
        pairs.append(("Key", KEYS[found["key"]]))
    if found["certificate"]:
        pairs += [
            ("Keys destroyed", Code(", ".join(found["certificate"]["keys"]))),
            ("Digest of the certificate", Code(found["digest"])),
        ]
    return [(label, value) for label, value in pairs if value is not None]


def _copies(copies: list[dict[str, Any]]) -> Table:
    return Table(
        "Extracts at other offices",
        ["Office", "Asked to destroy it", "Held back there", "Certified", "Its certificate"],
        [
            [
                copy["office"],
                moment(copy["asked"]) if "asked" in copy else None,
                "; ".join(_held_back(one) for one in copy.get("holds", ())) or None,
                moment(copy.get("destroyed"))
                or (State("not certified", "attention") if "asked" in copy else None),
                Code(copy["digest"]) if "digest" in copy else None,
            ]
            for copy in copies
        ],
    )


def _held_back(hold: dict[str, str]) -> str:
    until = f"until {hold['until']}" if "until" in hold else "until it is lifted"
    state = f"lifted {hold['lifted']}" if "lifted" in hold else until
    by = f"{hold['authority']}; set by {hold['set_by']}"
    return f"{hold['kind']}: {hold['basis']} ({by}), {state}"


def _counts(counts: dict[str, int]) -> Table:
    columns: list[Column | str] = ["Kind", Column("Things", numeric=True)]
    rows: list[list[Cell]] = [
        [material_kind(kind), count] for kind, count in sorted(counts.items())
    ]
    return Table("What is sealed under the key", columns, rows)


def _material(listed: dict[str, Any], caption: str) -> Table:
    rows = listed["material"]
    more = f", the first {SHOWN} of {len(rows)}" if len(rows) > SHOWN else ""
    return Table(
        caption + more,
        ["Kind", "Which", "Digest"],
        [[material_kind(r["kind"]), Code(r["object"]), Code(r["digest"])] for r in rows[:SHOWN]],
        empty="Nothing.",
    )


@require_GET
@page(Permission.ENGAGEMENT_READ)
def certificate(request: SignedIn, act_id: str) -> HttpResponse:
    """The certificate of destruction, to be read and printed."""
    found = views.custody_view(request.actor, act_id)
    document = found["certificate"]
    if document is None:
        raise NotFound("nothing was destroyed under this act")
    facts: list[tuple[str, Cell]] = [
        ("Act", Code(found["act"])),
        ("Destroyed", moment(document["destroyed_at"])),
        ("Ordered by", document["ordered_by"]),
        ("Method", document["method"]),
        ("Keys", Code(", ".join(document["keys"]))),
        ("Office, by its key", Code(document["office"])),
        ("Lab, by its key", Code(document["lab"])),
        ("Rules", document["pack"]),
        ("Digest of the list", Code(document["material_digest"])),
        ("Digest of this certificate", Code(found["digest"])),
        ("Signature (Ed25519)", Code(found["signature"])),
    ]
    context = {
        "custody": found,
        "facts": facts,
        "counts": _counts(document["counts"]),
        "material": _material(document, "What was destroyed"),
        "remains": document["remains"],
        "trail": [
            ("Custody", "/custody/"),
            (act_noun(found["kind"]), f"/custody/{act_id}/"),
            ("Certificate", ""),
        ],
        "page_marking": found["marking"],
    }
    return render(request, "pages/custody_certificate.html", context)


def form_context(found: dict[str, Any], title: str, lede: str, **more: Any) -> dict[str, Any]:
    """What a form on one act's custody says around itself."""
    return {
        "title": title,
        "kicker": f"{act_noun(found['kind']).capitalize()} for {found['model']}",
        "lede": lede,
        "button": title,
        "back": f"/custody/{found['act']}/",
        "trail": [
            ("Custody", "/custody/"),
            (act_noun(found["kind"]), f"/custody/{found['act']}/"),
            (title, ""),
        ],
        "page_marking": found["marking"],
        **more,
    }


def _after(request: SignedIn, made: Any, said: str, act_id: str) -> HttpResponse:
    """Go on after an act that may wait for a second person."""
    if views.waits(made):
        return done(request, SECONDED, "seconds")
    return done(request, said, "custody", act_id)


@require_http_methods(["GET", "POST"])
@page(Permission.CUSTODY_DESTROY)
def destroy(request: SignedIn, act_id: str) -> HttpResponse:
    """Destroy what is held of an act."""
    found = views.custody_view(request.actor, act_id)
    if not found["destroy"]:
        raise Refused(f"the material is {found['state']}", kept="the record of it")
    form = WhyForm(posted(request))
    made = submitted(
        request, form, lambda v: service.destroy_material(request.actor, act_id, v["why"])
    )
    if made is not None:
        return _after(request, made, "Being destroyed; the certificate follows.", act_id)
    lede = (
        "The key of this act is destroyed, and with it every copy of what was shared: here, in"
        " every backup, however old. Nobody can bring it back; the lab can send it again."
    )
    if found["state"] == "held":
        lede += " It is proposed now, and done when a colleague seconds it."
    return form_page(request, form, form_context(found, found["destroy"], lede, danger=True))


@require_http_methods(["GET", "POST"])
@page(Permission.CUSTODY_HOLD)
def ask(request: SignedIn, act_id: str) -> HttpResponse:
    """The lab asks that it is destroyed before it is due."""
    only(Profile.LAB, request.actor)
    found = views.custody_view(request.actor, act_id)
    form = LiftForm(posted(request))
    made = submitted(
        request, form, lambda v: service.ask_destruction(request.actor, act_id, v["reason"])
    )
    if made is not None:
        return done(request, "Asked. The office follows it or leaves it.", "custody", act_id)
    lede = (
        "A wish: the office destroys it before it is due, with two persons, or leaves it. A hold"
        " goes before it. Nothing is held against either of you."
    )
    return form_page(request, form, form_context(found, "Ask for early destruction", lede))


@require_POST
@page(Permission.CUSTODY_DESTROY)
def tell(request: SignedIn, act_id: str) -> HttpResponse:
    """Send the lab the list of what is held."""
    service.list_material(request.actor, act_id)
    return done(request, "The list is on its way to the lab.", "custody", act_id)


@require_http_methods(["GET", "POST"])
@page(Permission.CUSTODY_EXPORT)
def export(request: SignedIn, act_id: str) -> HttpResponse:
    """Ask for an act's material as a file."""
    found = views.custody_view(request.actor, act_id)
    form = WhyForm(posted(request))
    made = submitted(
        request, form, lambda v: views.export_material(request.actor, act_id, v["why"])
    )
    if made is not None:
        return _after(request, made, "Handed out.", act_id)
    lede = (
        "It leaves these pages as one file, where the terms let it, and the lab sees that it did."
    )
    return form_page(request, form, form_context(found, "Hand it out as a file", lede))
