"""What people see of a review: the portions that they may read, and what others hold.

Rules:
- Another office sees its own place, tasks and words; those of the others where the lead shares
  them; never what is for the lead alone.
- What was written, and what the lab sent, is shown to whom the terms in force name, after they
  accepted them; who else takes part sees that there is a review, its offices and its tasks.
- A portion above the reader is not shown; how many there are is told only where the number itself
  may be known (`engagement.review.counted`).
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from vedette.engagement import review as rules
from vedette.engagement.review import PLACE, REVIEW, SHARING, TASK, Party, Stand
from vedette.kernel import markings
from vedette.kernel.errors import NotFound
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, reading
from vedette.services.dossier_states import states_of
from vedette.services.here import here
from vedette.services.parties import readable
from vedette.services.questions import question_row
from vedette.services.review_comments import comments_of, names_of
from vedette.services.review_parties import (
    act_of,
    bound,
    leads,
    office_only,
    place_of,
    seen_review,
    standing_digest,
    withheld,
)
from vedette.services.sides import stamp
from vedette.services.term_views import waits_for
from vedette.services.worksheets import field_line
from vedette.store.models import (
    Organisation,
    Question,
    Review,
    ReviewOffice,
    ReviewView,
)
from vedette.store.tenancy import SYSTEM, scoped

SHOWN = 500


def browse_reviews(actor: Actor, *, act_id: str = "", state: str = "") -> QuerySet[Review]:
    """The reviews that the reader may know of, newest first; evaluate it under its scope."""
    office_only()
    actor.require(Permission.REVIEW_READ)
    rows = Review.objects.order_by("-opened_at", "id")
    exact = {"act_id": act_id, "state": state}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    known = rows.order_by().values_list("head_marking", flat=True).distinct()
    return rows.filter(head_marking__in=[text for text in known if readable(actor, text)])


def reviews(actor: Actor, *, act_id: str = "") -> list[dict[str, Any]]:
    """The newest 500 reviews."""
    office_only()
    with reading(actor, Permission.REVIEW_READ):
        return [review_row(row) for row in browse_reviews(actor, act_id=act_id)[:SHOWN]]


def review_row(row: Review) -> dict[str, Any]:
    """One review as a line of a list."""
    return {
        "id": row.id,
        "kind": row.kind,
        "model": row.model,
        "state": row.state,
        "marking": row.head_marking,
        "opened_at": stamp(row.opened_at),
        "concluded_at": stamp(row.concluded_at),
    }


def review_view(actor: Actor, review_id: str, *, on_page: bool = False) -> dict[str, Any]:
    """One review with everything that its page shows this reader.

    `withheld` says why text, comments and views are not among it where the terms bind this reader
    or keep what they bind on pages (`on_page`); "" where nothing is withheld.
    """
    with reading(actor, Permission.REVIEW_READ) as instance:
        row = seen_review(actor, review_id)
        act, lead, place = act_of(row), leads(actor), place_of(actor, row)
        why = withheld(actor, row, on_page=on_page)
        comments, more = ([], 0) if why else comments_of(actor, row)
        views, more_views = ([], 0) if why else _views(actor, row, place)
        proposal, more_text = (None, 0) if why else _proposal(actor, row)
        current = rules.standing(views)
        shown = [row.head_marking, *(c["marking"] for c in comments)]
        shown += [str(view.marking) for view in views]
        shown += [proposal["marking"]] if proposal else []
        moves = REVIEW.moves(row.state, Party.LEAD) if lead else ()
        return {
            **review_row(row),
            "act": act.id if lead else "",
            "act_state": act.state,
            "lab": act.peer.name,
            "lead": lead,
            "whole_marking": row.marking if readable(actor, row.marking) else "",
            "shown_marking": str(markings.join(Marking.parse(text) for text in shown)),
            "opened_by": row.opened_by,
            "concluded_by": row.concluded_by,
            "pack": row.pack,
            "earlier_pack": row.pack_digest != instance.pack.digest,
            "states": len(states_of(act)),
            "withheld": why,
            "waits_for_you": waits_for(actor, act) if why else None,
            "proposal": proposal,
            "earlier_proposals": 0 if why else max(0, len(row.proposals) - 1),
            "offices": _offices(actor, row, place, current),
            "tasks": _tasks(actor, row, place),
            "comments": comments,
            "views": [_view(view, row) for view in reversed(views)],
            "standing": [_view(view, row) for view in current.values()],
            "disagreement": [
                _view(view, row)
                for view in (rules.disagreement(views, standing_digest(row)) if views else ())
            ],
            "more": more + more_views + more_text,
            "moves": _moves(actor, moves),
            "place_moves": _moves(actor, PLACE.moves(place.state, Party.CONSULTED))
            if place
            else [],
            "works": row.state == "open"
            and not withheld(actor, row)
            and actor.may(Permission.REVIEW_ADVISE)
            and (lead or (place is not None and place.state in SHARING)),
        }


def _moves(actor: Actor, rows: tuple[rules.Row, ...]) -> list[dict[str, str]]:
    return [{"trigger": m.trigger, "label": m.label} for m in rows if actor.may(m.permission)]


def _proposal(actor: Actor, row: Review) -> tuple[dict[str, Any] | None, int]:
    if not row.proposals:
        return None, 0
    last = row.proposals[-1]
    if readable(actor, last["marking"]):
        return {**last, "at": last["at"]}, 0
    return None, rules.counted([Marking.parse(last["marking"])], Marking.parse(actor.clearance))


def _views(actor: Actor, row: Review, place: ReviewOffice | None) -> tuple[list[rules.View], int]:
    names = names_of(row)
    rows = ReviewView.objects.select_related("review").filter(review=row).order_by("number")
    shared = [v for v in rows if place is None or v.org_id == actor.org or place.hears_others]
    seen = [v for v in shared if readable(actor, v.marking)]
    hidden = [Marking.parse(v.marking) for v in shared if v not in seen]
    return [
        rules.View(
            names.get(v.org_id, ""),
            Stand(v.stand),
            v.reasons,
            Marking.parse(v.marking),
            v.at,
            v.made_on,
        )
        for v in seen
    ], rules.counted(hidden, Marking.parse(actor.clearance))


def _view(view: rules.View, row: Review) -> dict[str, Any]:
    return {
        "office": view.office,
        "stand": str(view.stand),
        "reasons": view.reasons,
        "marking": str(view.marking),
        "at": stamp(view.at),
        "earlier": view.made_on != standing_digest(row),
    }


def _offices(
    actor: Actor, row: Review, place: ReviewOffice | None, standing: dict[str, rules.View]
) -> list[dict[str, Any]]:
    with scoped(SYSTEM):
        rows = list(row.offices.select_related("org", "peer").order_by("org__name"))
    lead = place is None
    return [
        {
            "id": one.org_id,
            "name": one.org.name,
            "by_message": one.peer is not None,
            "state": one.state,
            "fields": len(one.fields),
            "hears_others": one.hears_others,
            "invited_at": stamp(one.invited_at),
            "responded_at": stamp(one.responded_at),
            "view": str(standing[one.org.name].stand) if one.org.name in standing else "",
            "moves": _moves(actor, PLACE.moves(one.state, Party.LEAD)) if lead else [],
        }
        for one in rows
        if place is None or one.org_id == actor.org or place.hears_others
    ]


def _tasks(actor: Actor, row: Review, place: ReviewOffice | None) -> list[dict[str, Any]]:
    names, now = names_of(row), here().clock.now()
    found = row.tasks.order_by("due", "set_at", "id")[:SHOWN]
    result = []
    for task in found:
        mine = task.org_id == actor.org
        if not (place is None or mine or place.hears_others):
            continue
        moves = TASK.moves(task.state, Party.HOLDER) if mine else ()
        moves += TASK.moves(task.state, Party.LEAD) if place is None else ()
        result.append(
            {
                "id": task.id,
                "title": task.title,
                "office": names.get(task.org_id, ""),
                "mine": mine,
                "person": task.person,
                "due": task.due.isoformat() if task.due else None,
                "state": task.state,
                "past_day": rules.past_day(task.state, task.due, now),
                "moves": _moves(actor, moves),
            }
        )
    return result


def field_view(actor: Actor, review_id: str, key: str, *, on_page: bool = False) -> dict[str, Any]:
    """One field: what came and when, the comments on it, and the lead's questions to the lab."""
    with reading(actor, Permission.REVIEW_READ):
        row = seen_review(actor, review_id)
        bound(actor, row, on_page=on_page)
        line, act = field_line(actor, row, key), act_of(row)
        comments, more = comments_of(actor, row, key)
        rows = Question.objects.filter(act_id=row.act_id, field=key).order_by("-asked_at", "id")
        asked = rows.select_related("act", "act__peer") if leads(actor) else ()
        history = [
            {"number": s.number, "at": stamp(s.at), "value": s.values.get(key, "")}
            for s in states_of(act)
        ]
        changes = [
            one
            for place, one in enumerate(history)
            if place == 0 or one["value"] != history[place - 1]["value"]
        ]
        return {
            "review": row.id,
            "act": act.id if leads(actor) else "",
            "model": row.model,
            "id": key,
            "label": line.field.label,
            "help": line.field.help,
            "section": line.field.section,
            "marking": str(line.field.marking),
            "status": str(line.status),
            "value": line.value,
            "reason": line.reason,
            "history": changes if len(changes) > 1 else [],
            "comments": comments,
            "more": more,
            "questions": [question_row(q) for q in asked if readable(actor, q.marking)],
        }


def office_names(actor: Actor) -> list[str]:
    """The other offices that have a place on this instance, by name, for the lead."""
    with reading(actor, Permission.REVIEW_LEAD):
        rows = Organisation.objects.filter(kind="office", host=False).order_by("name")
        return list(rows.values_list("name", flat=True)) if leads(actor) else []


def shown_place(actor: Actor, review_id: str, org_id: str) -> dict[str, Any]:
    """One office's place for the lead: which fields are shared with it."""
    with reading(actor, Permission.REVIEW_LEAD):
        row = seen_review(actor, review_id)
        place = row.offices.select_related("org").filter(org_id=org_id).first()
        if place is None or not leads(actor):
            raise NotFound(f"office {org_id[:40]!r} is not here")
        return {"id": org_id, "name": place.org.name, "fields": list(place.fields)}
