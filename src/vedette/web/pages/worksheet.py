"""The worksheet of a review, as the lab's form has its fields, and one field of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.kernel.words import counted
from vedette.readiness.worksheet import Look
from vedette.services import questions, review_views, reviews, worksheets
from vedette.services.documents import review_sources, review_watermark
from vedette.services.here import here
from vedette.services.review_comments import written_sources
from vedette.web.access import SignedIn, page
from vedette.web.cells import Kind, State
from vedette.web.pages.forms import done, form_page, moment, posted, submitted
from vedette.web.pages.review_acts import trail
from vedette.web.pages.review_forms import CommentForm, QuestionForm
from vedette.web.pages.reviews import tag
from vedette.web.pages.words import joined

KINDS: dict[str, Kind] = {
    "given": "done",
    "not given": "idle",
    "withheld": "attention",
    "stays at the lab": "ended",
}
PREFIX = "look-"


def status(name: str) -> State:
    return State(name, KINDS.get(name, "idle"))


@require_GET
@page(Permission.REVIEW_READ)
def worksheet(request: SignedIn, review_id: str) -> HttpResponse:
    """Every field: what came, what did not and why, where this office is with it."""
    found = review_views.review_view(request.actor, review_id, on_page=True)
    sheet = worksheets.worksheet_view(request.actor, review_id, on_page=True)
    fields = [field for section in sheet["sections"] for field in section["fields"]]
    for field in fields:
        field["tag"] = status(field["status"])
        field["changed"] = moment(field["changed_at"])
    context = {
        "review": found,
        "sheet": sheet,
        "states": [{**s, "at": moment(s["at"])} for s in sheet["states"]],
        "looks": [("", "not looked at"), *((str(look), str(look)) for look in Look)],
        "may_check": found["works"],
        "trail": trail(found, "Worksheet"),
        "page_marking": joined(found["marking"], *(field["marking"] for field in fields)),
        "page_sources": review_sources(review_id),
        "watermark": review_watermark(request.actor, review_id),
    }
    return render(request, "pages/worksheet.html", context)


@require_POST
@page(Permission.REVIEW_ADVISE)
def check(request: SignedIn, review_id: str) -> HttpResponse:
    """Keep the checks of the fields posted."""
    looks = {
        key.removeprefix(PREFIX): str(value)
        for key, value in request.POST.items()
        if key.startswith(PREFIX)
    }
    changed = worksheets.check_fields(request.actor, review_id, looks)
    said = f"Kept: {counted(changed, 'field')} changed."
    answer = done(request, said, "worksheet", review_id)
    answer.headers["Location"] += f"#{request.POST.get('section', '')[:64]}"
    return answer


@require_http_methods(["GET", "POST"])
@page(Permission.REVIEW_READ)
def field(request: SignedIn, review_id: str, field_id: str) -> HttpResponse:
    """One field with its history, comments and questions; write a comment on it."""
    found = review_views.review_view(request.actor, review_id, on_page=True)
    one = review_views.field_view(request.actor, review_id, field_id, on_page=True)
    form = CommentForm(posted(request), initial={"marking": one["marking"]})
    if request.method == "POST":
        request.actor.require(Permission.REVIEW_ADVISE)
    made = submitted(
        request,
        form,
        lambda v: reviews.comment(
            request.actor,
            review_id,
            v["text"],
            field=field_id,
            marking=v["marking"],
            lead_only=v["lead_only"],
        ),
    )
    if made is not None:
        return done(request, "It is written.", "review-field", review_id, field_id)
    shown = [one["marking"], *(c["marking"] for c in one["comments"])]
    context = {
        "review": found,
        "field": {**one, "tag": status(one["status"])},
        "history": [{**h, "at": moment(h["at"])} for h in reversed(one["history"])],
        "comments": [{**c, "at": moment(c["at"])} for c in one["comments"]],
        "questions": [question_part(q) for q in one["questions"]],
        "may_comment": found["works"],
        "may_ask": found["lead"] and request.actor.may(Permission.QUESTION_ASK),
        "trail": [
            *trail(found, "")[:-1],
            ("Worksheet", f"/reviews/{review_id}/worksheet/"),
            (one["label"], ""),
        ],
        "page_marking": joined(found["marking"], *shown),
        "page_sources": [*review_sources(review_id), *written_sources(one)],
        "watermark": review_watermark(request.actor, review_id),
    }
    return form_page(request, form, context, "pages/review_field.html")


def question_part(row: dict[str, Any]) -> dict[str, Any]:
    """A question as pages show it."""
    return {
        **row,
        "tag": tag(row["state"]),
        "asked": moment(row["asked_at"]),
        "answered": moment(row["answered_at"]),
        "wish": moment(row["wished_for"]),
    }


@require_http_methods(["GET", "POST"])
@page(Permission.QUESTION_ASK)
def ask(request: SignedIn, review_id: str, field_id: str) -> HttpResponse:
    """Ask the lab on this field."""
    found = review_views.review_view(request.actor, review_id, on_page=True)
    one = review_views.field_view(request.actor, review_id, field_id, on_page=True)
    if not one["act"]:
        raise NotFound("the lead office asks the lab")
    follows = request.GET.get("follows", "")
    before = next((q for q in one["questions"] if q["id"] == follows), None)
    form = QuestionForm(posted(request), initial={"text": before["text"]} if before else None)
    made = submitted(
        request,
        form,
        lambda v: questions.ask(
            request.actor,
            one["act"],
            field_id,
            v["text"],
            follows=before["id"] if before else "",
            behalf=v["behalf"],
            wished_for=v["wished_for"],
        ),
    )
    if made is not None:
        said = "Asked. The lab answers, declines or leaves it; nothing waits for that."
        return done(request, said, "review-field", review_id, field_id)
    context = {
        "title": "Ask again" if before else "Ask the lab",
        "kicker": one["label"],
        "lede": one["help"],
        "button": "Ask",
        "back": f"/reviews/{review_id}/fields/{field_id}/",
        "trail": [
            *trail(found, "")[:-1],
            (one["label"], f"/reviews/{review_id}/fields/{field_id}/"),
            ("Ask", ""),
        ],
        "note": f"The question crosses to {found['lab']}, marked {one['marking']} or above."
        f" The form is that of policy pack {here().pack.ref}.",
        "page_marking": joined(found["marking"], one["marking"]),
        "page_sources": review_sources(review_id),
    }
    return form_page(request, form, context)
