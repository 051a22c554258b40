"""Reviews: what is under review here, who works on it, and where they disagree."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.errors import NotFound
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.permissions import Permission
from vedette.services import acceptance
from vedette.services import consultations as asked
from vedette.services import review_views as views
from vedette.services.acting import Actor
from vedette.services.documents import review_sources, review_watermark
from vedette.services.hold_views import guest_holds
from vedette.services.review_comments import written_sources
from vedette.services.term_views import terms_for_review
from vedette.services.worksheets import worksheet_view
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Kind, Link, State, Table
from vedette.web.pages.forms import done, form_page, moment, posted, submitted
from vedette.web.pages.holds import hold_cards
from vedette.web.pages.review_acts import asking
from vedette.web.pages.review_forms import ConsultationForm
from vedette.web.pages.term_versions import AcceptForm
from vedette.web.pages.terms import facts_of
from vedette.web.pages.words import act_noun, joined

KINDS: dict[str, Kind] = {
    "open": "active",
    "concluded": "done",
    "ended": "ended",
    "invited": "idle",
    "taking part": "active",
    "declined": "ended",
    "left": "ended",
    "under way": "active",
    "done": "done",
    "dropped": "ended",
    "asked": "attention",
    "answered": "done",
    "agrees": "done",
    "disagrees": "attention",
    "no view": "idle",
}
TASK_KINDS: dict[str, Kind] = {**KINDS, "open": "idle"}


def tag(name: str) -> State | None:
    """A state of a review, a place, a question or a view, as a tag."""
    return State(name, KINDS.get(name, "idle")) if name else None


@require_GET
@page(Permission.REVIEW_READ)
def reviews(request: SignedIn) -> HttpResponse:
    """Every review that the reader may know of, and what other offices ask."""
    rows = views.reviews(request.actor)
    others = asked.consultations(request.actor)
    context = {
        "rows": rows,
        "table": Table(
            "Reviews, newest first",
            ["Act", "Model", "State", "Opened", "Concluded"],
            [
                [
                    Link(act_noun(r["kind"]).capitalize(), f"/reviews/{r['id']}/"),
                    r["model"],
                    tag(r["state"]),
                    moment(r["opened_at"]),
                    moment(r["concluded_at"]),
                ]
                for r in rows
            ],
        ),
        "asked": Table(
            "Other offices ask us",
            ["Model", "From", "Act", "State", "Asked", "An answer would help by"],
            [
                [
                    Link(r["model"], f"/consultations/{r['id']}/"),
                    r["peer"],
                    act_noun(r["kind"]),
                    tag(r["state"]),
                    moment(r["asked_at"]),
                    moment(r["wished_for"]),
                ]
                for r in others
            ],
        ),
        "leads": request.actor.host,
        "held": _held(request.actor),
        "page_marking": joined(str(AMBER), *(r["marking"] for r in rows)),
    }
    return render(request, "pages/reviews.html", context)


def _held(actor: Actor) -> Table:
    """The holds of an office that signs in here; it lifts them, in the review or after it left."""
    return Table(
        "Our holds",
        ["Hold", "Model", "Basis", "Until", "State"],
        [
            [
                Link(h["kind"], f"/custody/holds/{h['id']}/")
                if h["state"] == "in force" and actor.may(Permission.CUSTODY_HOLD)
                else h["kind"],
                h["model"],
                h["basis"],
                moment(h["until"]) or "it is lifted",
                State(h["state"], "attention" if h["state"] == "in force" else "ended"),
            ]
            for h in guest_holds(actor)
        ],
    )


@require_GET
@page(Permission.REVIEW_READ)
def review(request: SignedIn, review_id: str) -> HttpResponse:
    """One review: text, views, comments, offices, tasks, the worksheet's progress."""
    found = views.review_view(request.actor, review_id, on_page=True)
    withheld = found["withheld"]
    sheet = None if withheld else worksheet_view(request.actor, review_id, on_page=True)
    sections = sheet["sections"] if sheet else []
    labels = {field["id"]: field["label"] for s in sections for field in s["fields"]}
    context = {
        "review": {**found, "moves": asking("review", found["moves"])},
        "title": f"Review of the {act_noun(found['kind'])}",
        "state": tag(found["state"]),
        "facts": _facts(found),
        "proposal_at": moment(found["proposal"]["at"]) if found["proposal"] else None,
        "standing": [_view(v) for v in found["standing"]],
        "earlier_views": [_view(v) for v in found["views"] if v not in found["standing"]],
        "disagreement": [_view(v) for v in found["disagreement"]],
        "offices": [
            {
                **o,
                "tag": tag(o["state"]),
                "view_tag": tag(o["view"]),
                "ends": [m for m in o["moves"] if m["trigger"] == "end"],
            }
            for o in found["offices"]
        ],
        "tasks": [
            {
                **t,
                "moves": asking("task", t["moves"]),
                "day": date.fromisoformat(t["due"]) if t["due"] else None,
                "tag": State("past its day", "urgent")
                if t["past_day"]
                else State(t["state"], TASK_KINDS.get(t["state"], "idle")),
            }
            for t in found["tasks"]
        ],
        "comments": [
            {**c, "at": moment(c["at"]), "label": labels.get(c["field"], c["field"])}
            for c in found["comments"]
        ],
        "sheet": sheet,
        "accept": review_terms_url(request.actor, found),
        "leads": found["lead"] and found["works"] and request.actor.may(Permission.REVIEW_LEAD),
        "records": found["lead"] and request.actor.may(Permission.DETERMINATION_RECORD),
        "gives_view": found["works"] and not found["lead"],
        "may_hold": not found["lead"] and request.actor.may(Permission.CUSTODY_HOLD),
        "holds": hold_cards(
            guest_holds(request.actor, review_id), request.actor.may(Permission.CUSTODY_HOLD)
        ),
        "trail": [("Reviews", "/reviews/"), (found["model"], "")],
        "page_marking": found["shown_marking"],
        "page_sources": [*review_sources(review_id), *written_sources(found)],
        "watermark": review_watermark(request.actor, review_id),
    }
    return render(request, "pages/review.html", context)


def review_terms_url(actor: Actor, found: dict[str, Any]) -> str:
    """Where this person accepts the terms before reading, "" where none wait for them."""
    if found["waits_for_you"] is None:
        return ""
    return f"/acts/{found['act']}/terms/accept/" if actor.host else f"/reviews/{found['id']}/terms/"


def _view(view: dict[str, Any]) -> dict[str, Any]:
    return {**view, "tag": tag(view["stand"]), "at": moment(view["at"])}


def _facts(found: dict[str, Any]) -> list[tuple[str, Cell]]:
    act = f"{act_noun(found['kind'])}, {found['act_state']}"
    pairs: list[tuple[str, Cell]] = [
        ("Lab", found["lab"]),
        ("The act", Link(act, f"/acts/{found['act']}/") if found["act"] else act),
        ("Opened", moment(found["opened_at"])),
        ("Opened by", found["opened_by"]),
        ("Concluded", moment(found["concluded_at"])),
        ("Concluded by", found["concluded_by"]),
        ("Marking of the whole", Marking.parse(found["whole_marking"])
         if found["whole_marking"] else None),
        ("Policy pack", found["pack"]),
    ]  # fmt: skip
    return [(label, value) for label, value in pairs if value not in (None, "")]


@require_http_methods(["GET", "POST"])
@page(Permission.REVIEW_READ)
def terms(request: SignedIn, review_id: str) -> HttpResponse:
    """A named person of an office that takes part accepts the version in force."""
    found = terms_for_review(request.actor, review_id)
    form = AcceptForm(posted(request), initial={"digest": found["digest"]})
    made = submitted(
        request,
        form,
        lambda v: acceptance.accept_for_review(request.actor, review_id, v["digest"]),
    )
    if made is not None:
        said = f"You accepted version {made.number}. Both sides keep who accepted it when."
        return done(request, said, "review", review_id)
    context = {
        "title": f"Accept version {found['version']} of the terms",
        "kicker": f"Review · {found['model']}",
        "lede": "The lab and the lead office name you in these terms. What they bind is shown to"
        " you once you accept them; a later version asks you again.",
        "clauses": found["clauses"],
        "facts": facts_of(found),
        "button": "Accept",
        "back": f"/reviews/{review_id}/",
        "trail": [
            ("Reviews", "/reviews/"),
            (found["model"], f"/reviews/{review_id}/"),
            ("Terms", ""),
        ],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context, "pages/terms_accept.html")


@require_http_methods(["GET", "POST"])
@page(Permission.REVIEW_READ)
def consultation(request: SignedIn, consultation_id: str) -> HttpResponse:
    """What another office asks, with the extract that it shares; give a view."""
    found = asked.consultation_view(request.actor, consultation_id)
    form = ConsultationForm(posted(request))
    if request.method == "POST" and not found["moves"]:
        raise NotFound("nothing to answer here")
    made = submitted(
        request,
        form,
        lambda v: asked.answer(
            request.actor, consultation_id, v["said"], v["reasons"], v["marking"]
        ),
    )
    if made is not None:
        return done(request, "Sent to the lead office.", "consultation", consultation_id)
    context = {
        "found": found,
        "state": tag(found["state"]),
        "stand": tag(found["stand"]),
        "facts": [
            (label, value)
            for label, value in (
                ("From", found["peer"]),
                ("Lab", found["lab"]),
                ("Act", act_noun(found["kind"])),
                ("Asked", moment(found["asked_at"])),
                ("An answer would help by", moment(found["wished_for"])),
                ("Answered", moment(found["answered_at"])),
                ("Policy pack", found["pack"]),
                ("Destroyed", moment(found["destroyed_at"])),
            )
            if value
        ],
        "destroyed": moment(found["destroyed_at"]),
        "may_follow": request.actor.may(Permission.LEDGER_READ),
        "holds": hold_cards(found["holds"], found["may_hold"]),
        "hold_url": f"/consultations/{consultation_id}/hold/" if found["may_hold"] else "",
        "trail": [("Reviews", "/reviews/"), (found["model"], "")],
        "page_marking": found["marking"],
        "page_sources": [asked.consultation_source(request.actor, consultation_id)],
    }
    return form_page(request, form, context, "pages/consultation.html")
