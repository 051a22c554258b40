"""What people do in a review: each act a page with its form, all from one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseNotAllowed
from django.views.decorators.http import require_http_methods, require_POST

from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services import assessments, review_views, reviews
from vedette.services.here import here
from vedette.services.peers import peers
from vedette.services.review_parties import leads
from vedette.web.access import SignedIn, page
from vedette.web.pages.forms import done, form_page, posted, submitted
from vedette.web.pages.review_forms import (
    CommentForm,
    InviteForm,
    ProposalForm,
    RecordForm,
    ShareForm,
    TaskForm,
    ViewForm,
    field_choices,
)

Values = dict[str, Any]
P = Permission


@dataclass(frozen=True)
class ReviewAct:
    """One act: its form, who may do it, its words, and the service that does it."""

    title: str
    lede: str
    button: str
    said: str
    form: Callable[[SignedIn, Values], forms.Form]
    do: Callable[[SignedIn, str, Values], Any]
    permission: Permission = P.REVIEW_LEAD


def _offices(request: SignedIn, found: Values) -> list[tuple[str, str]]:
    """Whom one can invite: the pack's, organisations here, peers with an instance of their own."""
    taken = {one["name"] for one in found["offices"] if one["state"] in ("invited", "taking part")}
    named = [str(one["title"]) for one in here().pack.records("review", "offices")]
    known = [name for name in review_views.office_names(request.actor) if name not in named]
    at = [p["name"] for p in peers(request.actor) if p["profile"] == "office"]
    rows = [(f"here:{name}", name) for name in (*named, *known) if name not in taken]
    return rows + [(f"peer:{n}", f"{n} (on its own instance)") for n in at if n not in taken]


def _invite(request: SignedIn, review_id: str, given: Values) -> Any:
    where, _, name = given["office"].partition(":")
    return reviews.invite_office(
        request.actor,
        review_id,
        office=name if where == "here" else "",
        peer=name if where == "peer" else "",
        fields=given["fields_shared"],
        hears_others=given["hears_others"],
        tasks=given["tasks"],
        text=given["text"],
        wished_for=given["wished_for"],
    )


def _task(request: SignedIn, review_id: str, v: Values) -> Any:
    return reviews.set_task(
        request.actor, review_id, v["title"], org_id=v["org"], person=v["person"], due=v["due"]
    )


def _comment(request: SignedIn, review_id: str, v: Values) -> Any:
    return reviews.comment(
        request.actor, review_id, v["text"], marking=v["marking"], lead_only=v["lead_only"]
    )


def _determine(request: SignedIn, review_id: str, v: Values) -> Any:
    return assessments.record_determination(
        request.actor, "", subject="", threshold="", review=review_id, **v
    )


ACTS: dict[str, ReviewAct] = {
    "propose": ReviewAct(
        "Propose a conclusion",
        "Other offices give their view on this text. Each text stays on record; the latest stands.",
        "Propose it",
        "Proposed. Offices with an instance of their own are asked anew.",
        lambda request, _: ProposalForm(posted(request)),
        lambda request, id_, v: reviews.propose(request.actor, id_, v["text"], v["marking"]),
    ),
    "invite": ReviewAct(
        "Invite an office",
        "It reads what you share with it, as far as its own people may read it. It may decline or"
        " leave, and nothing waits for it.",
        "Invite it",
        "It is invited.",
        lambda request, found: InviteForm(_offices(request, found), posted(request)),
        _invite,
    ),
    "task": ReviewAct(
        "Set a task",
        "Tasks run side by side.",
        "Set it",
        "The task is set.",
        lambda request, found: TaskForm(
            [(o["id"], o["name"]) for o in found["offices"]], posted(request)
        ),
        _task,
    ),
    "comment": ReviewAct(
        "Write a comment",
        "A portion with a marking of its own: a page shows it to those who may read it.",
        "Write it",
        "It is written.",
        lambda request, _: CommentForm(posted(request)),
        _comment,
        P.REVIEW_ADVISE,
    ),
    "determine": ReviewAct(
        "Record a determination without a run",
        "On the dossier and this review alone, so its maker names the outcome. It needs no window"
        " and no released model, and has no effect on a release. One on an assessment is recorded"
        " at the assessment.",
        "Record it",
        "Recorded; its releasable part goes to the lab.",
        lambda request, _: RecordForm(posted(request)),
        _determine,
        P.DETERMINATION_RECORD,
    ),
    "view": ReviewAct(
        "Give your office's view",
        "It stands beside the conclusion as it is. You may give another later; this one stays.",
        "Give it",
        "Your office's view is on record.",
        lambda request, _: ViewForm(posted(request)),
        lambda request, id_, v: reviews.give_view(
            request.actor, id_, v["stand"], v["reasons"], v["marking"]
        ),
        P.REVIEW_ADVISE,
    ),
}


@require_http_methods(["GET", "POST"])
@page(Permission.REVIEW_READ)
def act(request: SignedIn, review_id: str, name: str) -> HttpResponse:
    """One act of the table."""
    found = review_views.review_view(request.actor, review_id, on_page=True)
    wanted = ACTS.get(name)
    own = leads(request.actor)
    if wanted is None or (wanted.permission != P.REVIEW_ADVISE and not own):
        raise NotFound("no such act")
    request.actor.require(wanted.permission)
    form = wanted.form(request, found)
    made = submitted(request, form, lambda v: wanted.do(request, review_id, v))
    if made is not None:
        return done(request, wanted.said, "review", review_id)
    context = {
        "title": wanted.title,
        "kicker": f"Review · {found['model']}",
        "lede": wanted.lede,
        "button": wanted.button,
        "back": f"/reviews/{review_id}/",
        "trail": trail(found, wanted.title),
        "page_marking": found["shown_marking"],
        "proposal": found["proposal"] if name == "view" else None,
    }
    return form_page(request, form, context, "pages/review_act.html")


def trail(found: Values, here_: str) -> list[tuple[str, str]]:
    """The way to a page below a review."""
    return [("Reviews", "/reviews/"), (found["model"], f"/reviews/{found['id']}/"), (here_, "")]


@require_http_methods(["GET", "POST"])
@page(Permission.REVIEW_LEAD)
def share(request: SignedIn, review_id: str, org_id: str) -> HttpResponse:
    """Change which fields an office reads."""
    place = review_views.shown_place(request.actor, review_id, org_id)
    found = review_views.review_view(request.actor, review_id, on_page=True)
    known = [one for _, group in field_choices() for one in group]
    known += [(key, key) for key in place["fields"] if key not in dict(known)]
    form = ShareForm(known, posted(request), initial={"fields_shared": place["fields"]})
    made = submitted(
        request,
        form,
        lambda v: reviews.share_fields(request.actor, review_id, org_id, v["fields_shared"]),
    )
    if made is not None:
        return done(request, f"{place['name']} reads these fields now.", "review", review_id)
    context = {
        "title": f"What {place['name']} reads",
        "kicker": f"Review · {found['model']}",
        "lede": "A field taken away is no longer shown to it; what it wrote stays.",
        "button": "Share these",
        "back": f"/reviews/{review_id}/",
        "trail": trail(found, place["name"]),
        "page_marking": found["shown_marking"],
    }
    return form_page(request, form, context)


@require_POST
@page(Permission.REVIEW_LEAD)
def open_review(request: SignedIn, act_id: str) -> HttpResponse:
    """Open the review of an act."""
    made = reviews.open_review(request.actor, act_id)
    return done(request, "The review is open. Invite other offices, or begin.", "review", made.id)


ASKS_FIRST = {
    ("review", "conclude"): "It takes the proposed text as it stands, for all offices. Views that"
    " differ stand beside it. You may open the review again.",
    ("review", "end"): "It ends for all offices and says nothing; what was written is kept. You may"
    " open it again.",
    ("task", "drop"): "Nobody is expected to do it any more; that it was set stays on record. You"
    " may open it again.",
}


def asking(what: str, moves: Iterable[Values]) -> list[Values]:
    """A table's moves, those marked that have a page of their own before they are taken."""
    return [{**each, "asks": (what, each["trigger"]) in ASKS_FIRST} for each in moves]


@require_http_methods(["GET", "POST"])
@page(Permission.REVIEW_READ)
def move(request: SignedIn, review_id: str, what: str, name: str, trigger: str) -> HttpResponse:
    """Take one move of a table: of the review, of an office's place, of a task."""
    actor = request.actor
    found = review_views.review_view(actor, review_id, on_page=True)
    if request.method == "GET":
        return _ask(request, found, what, name, trigger)
    if what == "review":
        made: Any = reviews.move_review(actor, review_id, trigger)
        said = f"The review is {made.state} now."
    elif what == "place":
        made = reviews.move_place(actor, review_id, trigger, "" if name == "own" else name)
        said = f"The place of {made.org.name} is {made.state} now."
    elif what == "task":
        made = reviews.move_task(actor, review_id, name, trigger)
        said = f"The task is {made.state} now."
    else:
        raise NotFound("no such move")
    gone = what == "place" and name == "own" and made.reader_id is None
    return done(request, said, *(("reviews",) if gone else ("review", review_id)))


def _ask(request: SignedIn, found: Values, what: str, name: str, trigger: str) -> HttpResponse:
    """The page before a move that ends something; 405 for one that has none."""
    if (what, trigger) not in ASKS_FIRST:
        return HttpResponseNotAllowed(["POST"])
    task = next((t for t in found["tasks"] if what == "task" and t["id"] == name), None)
    moves = found["moves"] if what == "review" else task["moves"] if task else ()
    label = next((each["label"] for each in moves if each["trigger"] == trigger), None)
    if label is None:
        raise NotFound("nothing to do here")
    context = {
        "title": label,
        "kicker": task["title"] if task else f"Review · {found['model']}",
        "lede": ASKS_FIRST[what, trigger],
        "button": label,
        "back": f"/reviews/{found['id']}/",
        "trail": trail(found, label),
        "page_marking": found["shown_marking"],
    }
    return form_page(request, forms.Form(), context)
