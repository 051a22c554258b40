"""What waits for somebody on the overview of a lab or an office, whatever the model."""

from __future__ import annotations

from typing import Any

from vedette.kernel.permissions import Permission, Profile
from vedette.services import acts as views
from vedette.services import custody_views, publications, questions, review_views, two_person
from vedette.services.here import here
from vedette.web.access import SignedIn
from vedette.web.cells import Step
from vedette.web.pages.forms import moment

P = Permission
FIRST = 20


def waiting(request: SignedIn, acts: list[dict[str, Any]]) -> list[Step]:
    """Terms, publications, seconds, wishes, questions and reviews that somebody could take up."""
    actor = request.actor
    if not (actor.host and actor.may(P.ENGAGEMENT_READ)):
        return []
    return [
        *_terms(request, acts),
        *_publications(request),
        *_seconds(request),
        *_asked(request),
        *_reviews(request),
    ]


def _terms(request: SignedIn, acts: list[dict[str, Any]]) -> list[Step]:
    """The version in force that the reader is to accept, and one that waits for an answer."""
    actor, tasks = request.actor, []
    live = [a for a in acts if a["kind"] == "access-window" and a["state"] == "accepted"]
    for act in live[:FIRST]:
        terms = views.act_view(actor, act["id"], on_page=True)["terms"]
        if not terms:
            continue
        if terms["waits_for_you"] is not None:
            tasks.append(
                Step(
                    f"Accept version {terms['waits_for_you']} of the terms for {act['model']}",
                    "attention",
                    note="You are named. What they bind is shown to you after that.",
                    url=f"/acts/{act['id']}/terms/accept/",
                )
            )
        later = terms["agreed_at"] and terms["open"]
        if later and actor.may(P.TERMS_SIGN):
            tasks.append(
                Step(
                    f"Read another version of the terms for {act['model']}",
                    "attention",
                    note=f"{act['peer']} proposes it: sign it, answer with another, or leave it.",
                    url=f"/acts/{act['id']}/terms/versions/{terms['open']}/",
                )
            )
    return tasks


def _publications(request: SignedIn) -> list[Step]:
    """Drafts of the other side to look at, and marks of it that wait for the author's view."""
    actor, own = request.actor, str(here().profile)
    if not actor.may(P.PUBLICATION_WRITE):
        return []
    rows = publications.publications(actor)
    return [
        Step(
            f"Look at the draft “{row['title']}”",
            "attention",
            moment(row["seen_by"]),
            "After that it counts as seen.",
            f"/publications/{row['id']}/",
        )
        if row["state"] == "shown"
        else Step(
            f"Say what you think of the marks in “{row['title']}”",
            "attention",
            url=f"/publications/{row['id']}/marks/",
        )
        for row in rows
        if (row["state"] == "shown" and row["author"] != own)
        or (row["state"] == "marked" and row["author"] == own)
    ][:FIRST]


def _seconds(request: SignedIn) -> list[Step]:
    """Acts of two persons that wait for this one."""
    if not request.actor.may(Permission.CUSTODY_HOLD):
        return []
    return [
        Step(
            f"Second, or leave: {row['title'].lower()}",
            "attention",
            row["lapses_at"],
            f"Proposed by {row['proposer']}; it lapses then.",
            "/seconds/",
        )
        for row in two_person.proposals(request.actor)
        if row["state"] == two_person.WAITING and row["may_second"]
    ][:FIRST]


def _asked(request: SignedIn) -> list[Step]:
    """At the lab the questions that are open; at the office a lab's wish for destruction."""
    actor = request.actor
    if here().profile == Profile.LAB:
        rows = questions.browse_questions(actor, state="asked")[: FIRST + 1]
        return [
            Step(
                f"A question on {one['label'].lower()}, {one['model']}",
                "attention",
                moment(one["asked_at"]),
                "Answer it, decline, or leave it; nothing waits for it.",
                f"/questions/{one['id']}/",
            )
            for one in map(questions.question_row, rows)
            if actor.may(P.QUESTION_ANSWER)
        ][:FIRST]
    return [
        Step(
            f"{row['peer']} asks that what it shared on {row['model']} is destroyed",
            "attention",
            moment(row["asked_at"]),
            "Follow it with a second person, or leave it.",
            f"/custody/{row['act']}/",
        )
        for row in custody_views.custodies(actor)
        if row["asked_at"] and row["state"] == "held" and actor.may(P.CUSTODY_DESTROY)
    ][:FIRST]


def _reviews(request: SignedIn) -> list[Step]:
    """The office's open reviews, for whoever concludes them."""
    actor = request.actor
    if here().profile != Profile.OFFICE or not actor.may(P.REVIEW_LEAD):
        return []
    return [
        Step(
            f"Go on with the review of {row['model']}",
            "active",
            moment(row["opened_at"]),
            "It is open; conclude it when you like, nothing waits for it.",
            f"/reviews/{row['id']}/",
        )
        for row in review_views.reviews(actor)
        if row["state"] == "open"
    ][:FIRST]
