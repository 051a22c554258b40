"""Reviews: opened by the lead office, worked on by several, concluded with what they hold.

Rules:
- Every move is a row of the tables in `engagement.review`; its event enters the ledger.
- An office reads what the lead shares with it, as far as its own people may read it and the terms
  in force name them; without having accepted those nobody writes on it either.
- Nothing here waits for anything: a review is concluded whatever tasks, views or questions are
  open, and nothing of a review bears on an act, a window or the lab's plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from vedette.engagement import review as rules
from vedette.engagement.acts import ActState
from vedette.engagement.review import PLACE, REVIEW, SHARING, TASK, Party, Stand
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.markings import AMBER_STRICT, Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.readiness.dossier import fields_of
from vedette.services import consultations, parties, review_parties
from vedette.services.acting import Actor, Doing, act
from vedette.services.dossier_states import states_of
from vedette.services.here import here
from vedette.services.outbox import find_peer
from vedette.services.parties import words
from vedette.services.review_parties import (
    bound,
    field_marking,
    keep_view,
    leads,
    marked,
    next_number,
    on_review,
    place_of,
    refresh_marking,
    standing_digest,
    working,
)
from vedette.services.sides import find_act, only
from vedette.store.models import (
    Organisation,
    Review,
    ReviewComment,
    ReviewOffice,
    ReviewTask,
    ReviewView,
)
from vedette.store.tenancy import SYSTEM, scoped

MOST = 500  # tasks or offices of one review


def open_review(actor: Actor, act_id: str) -> Review:
    """Open the review of an act that stands; an act has one, opened again where it was over."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.REVIEW_LEAD) as doing:
        row = find_act(act_id)
        if row.reviews.exists():
            raise Refused("this act has a review", kept="that one", next_step="open that again")
        if row.state not in (ActState.OFFERED, ActState.ACCEPTED):
            raise Refused(f"the act is {row.state}", kept="the act")
        made = Review(
            id=new_id("review"),
            org_id=actor.org,
            act=row,
            state=REVIEW.initial,
            kind=row.kind,
            model=row.model,
            head_marking=str(AMBER_STRICT),
            marking=row.marking,
            pack=doing.here.pack.ref,
            pack_digest=doing.here.pack.digest,
            opened_by=actor.name[:200],
            opened_at=doing.now,
        )
        made.save(force_insert=True)
        doing.record(Event.ENGAGEMENT_REVIEW_OPENED, made.id, {"act": act_id}, marking=made.marking)
        return made


def move_review(actor: Actor, review_id: str, trigger: str) -> Review:
    """Conclude a review, end it, or open it again. What others have open keeps nothing."""
    with on_review(actor, review_id) as (doing, row):
        move = review_parties.step(REVIEW, row.state, trigger, actor, Party.LEAD)
        if trigger == "conclude":
            if not row.proposals:
                raise Refused(
                    "a review concludes with a text",
                    kept="the review",
                    next_step="write what you propose first",
                )
            row.concluded_by, row.concluded_at = actor.name[:200], doing.now
        row.state = move.target
        row.save()
        doing.record(
            move.event,
            row.id,
            {"state": row.state, "text": standing_digest(row)},
            marking=row.marking,
        )
        return row


def propose(actor: Actor, review_id: str, text: str, marking: str = "TLP:AMBER+STRICT") -> Review:
    """Write what the lead proposes as the conclusion; the latest stands, earlier ones stay."""
    with on_review(actor, review_id) as (doing, row):
        working(actor, row)
        bound(actor, row)
        said = words(text, "text", 20_000)
        proposal = {
            "text": said,
            "marking": marked(actor, marking),
            "by": actor.name[:200],
            "at": format_time(doing.now),
            "digest": rules.text_digest(said),
        }
        row.proposals = [*row.proposals, proposal]
        row.save()
        refresh_marking(row)
        doing.record(
            Event.ENGAGEMENT_REVIEW_PROPOSED, row.id, proposal, marking=proposal["marking"]
        )
        for place in row.offices.filter(state__in=SHARING).exclude(peer=None):
            consultations.send(doing, row, place)
        return row


def invite_office(
    actor: Actor,
    review_id: str,
    *,
    office: str = "",
    peer: str = "",
    fields: Iterable[str] | None = None,
    hears_others: bool = True,
    tasks: bool = True,
    text: str = "",
    wished_for: datetime | None = None,
) -> ReviewOffice:
    """Invite an office of this instance (`office`), or one with an instance of its own (`peer`).

    Args:
        office: name or id of an organisation here; one that the pack names is added when new.
        fields: ids of the dossier's fields shared with it; all of them by default.
        hears_others: whether it reads the other offices' comments and views.
        tasks: give it the pack's tasks.
        text, wished_for: go to a peer with the question; the day binds nobody.
    """
    with on_review(actor, review_id) as (doing, row):
        working(actor, row)
        at = find_peer(peer) if peer else None
        if at is not None and at.profile != Profile.OFFICE:
            raise BadInput(f"peer: {at.name[:60]!r} is no office")
        org = parties.organisation_of(doing, at) if at else _office(doing, office)
        place = ReviewOffice.objects.filter(review=row, org=org).first()
        if place is not None:
            review_parties.step(PLACE, place.state, "invite", actor, Party.LEAD)
        elif row.offices.count() >= MOST:
            raise Refused(f"a review has at most {MOST} offices", kept="the review")
        place = place or ReviewOffice(review=row, org=org)
        place.peer, place.state, place.invited_at = at, PLACE.initial, doing.now
        place.reader = None if at else org
        place.fields = _fields(row, fields)
        place.hears_others, place.responded_at = hears_others, None
        place.save()
        if at:
            consultations.send(doing, row, place, text=text, wished_for=wished_for)
        doing.record(
            Event.ENGAGEMENT_OFFICE_INVITED,
            row.id,
            {"office": org.id, "fields": place.fields},
            marking=row.head_marking,
        )
        if tasks and not row.tasks.filter(org=org).exists():
            for task in doing.here.pack.records("review", "tasks"):
                due = doing.now.date() + timedelta(days=int(task["due_days"]))
                _set(doing, row, org.id, str(task["title"]), "", due)
        return place


def _office(doing: Doing, name: str) -> Organisation:
    """An office here by id, name or the pack's id; one of the pack's list is made when new."""
    named = {
        key: str(one["title"])
        for one in doing.here.pack.records("review", "offices")
        for key in (one["id"], str(one["title"]))
    }
    title = named.get(name.strip(), name.strip())
    with scoped(SYSTEM):
        found = Organisation.objects.filter(id=name).first()
        found = found or Organisation.objects.filter(name=title).first()
        if found is None and title in named.values():
            found = Organisation(name=title, kind="office", added_at=doing.now)
            found.save(force_insert=True)
            doing.record(
                Event.INSTANCE_ORGANISATION_ADDED, found.id, {"name": title, "kind": "office"}
            )
    if found is None:
        raise NotFound(
            f"office {name[:60]!r} is not here", next_step="add its organisation, or name a peer"
        )
    if found.kind != "office" or found.host:
        raise BadInput(f"office: {found.name[:60]!r} is no other office")
    return found


def _fields(row: Review, chosen: Iterable[str] | None) -> list[str]:
    """The ids of fields to be shared, each known to the pack or come from the lab."""
    known = [field.id for field in fields_of(here().pack)]
    known += [key for state in states_of(row.act) for key in state.values if key not in known]
    if chosen is None:
        return known
    asked = set(chosen)
    if unknown := sorted(asked - set(known)):
        raise BadInput(f"fields: {unknown[0][:60]!r} is no field of the dossier")
    return [key for key in known if key in asked]


def share_fields(actor: Actor, review_id: str, org_id: str, fields: Iterable[str]) -> ReviewOffice:
    """Change which fields are shared with an office; what it wrote stays."""
    with on_review(actor, review_id) as (doing, row):
        place = _place(row, org_id)
        if place.state not in SHARING:
            raise Refused(f"the office's place is {place.state}", kept="it as it was")
        place.fields = _fields(row, fields)
        place.save()
        if place.peer is not None:
            consultations.send(doing, row, place)
        doing.record(
            Event.ENGAGEMENT_OFFICE_INVITED,
            row.id,
            {"office": org_id, "fields": place.fields},
            marking=row.head_marking,
        )
        return place


def _place(row: Review, org_id: str) -> ReviewOffice:
    with scoped(SYSTEM):
        place = ReviewOffice.objects.select_related("org", "peer").filter(review=row, org_id=org_id)
        found: ReviewOffice | None = place.first()
    if found is None:
        raise NotFound(f"office {org_id[:40]!r} has no place in this review")
    return found


def move_place(actor: Actor, review_id: str, trigger: str, org_id: str = "") -> ReviewOffice:
    """An office takes part, declines or leaves; the lead ends the sharing with one."""
    lead = leads(actor)
    permission = Permission.REVIEW_LEAD if lead else Permission.REVIEW_ADVISE
    with on_review(actor, review_id, permission) as (doing, row):
        place = _place(row, org_id if lead else actor.org)
        party = Party.LEAD if lead else Party.CONSULTED
        if trigger == "invite":
            raise BadInput("move: an office is invited again as it was first")
        move = review_parties.step(PLACE, place.state, trigger, actor, party)
        place.state = move.target
        place.responded_at = place.responded_at if lead else doing.now
        if place.state not in SHARING:
            place.reader = None
        with scoped(SYSTEM):
            place.save()
        doing.record(
            move.event,
            row.id,
            {"office": place.org_id, "state": place.state},
            marking=row.head_marking,
        )
        return place


def set_task(
    actor: Actor,
    review_id: str,
    title: str,
    *,
    org_id: str = "",
    person: str = "",
    due: date | None = None,
) -> ReviewTask:
    """Give an office of the review a task (by default the lead's own)."""
    with on_review(actor, review_id) as (doing, row):
        working(actor, row)
        org = org_id or row.org_id
        if org != row.org_id:
            _place(row, org)
        if row.tasks.count() >= MOST:
            raise Refused(f"a review has at most {MOST} tasks", kept="the tasks there are")
        return _set(doing, row, org, words(title, "title", 300), person, due)


def _set(
    doing: Doing, row: Review, org: str, title: str, person: str, due: date | None
) -> ReviewTask:
    task = ReviewTask(
        id=new_id("task"),
        org_id=org,
        review=row,
        title=title,
        person=words(person, "person", 200, empty=True),
        due=due,
        state=TASK.initial,
        set_at=doing.now,
    )
    task.save(force_insert=True)
    payload = {"title": title, "office": org, "due": due.isoformat() if due else ""}
    doing.record(Event.ENGAGEMENT_TASK_SET, task.id, payload, marking=row.head_marking)
    return task


def move_task(actor: Actor, review_id: str, task_id: str, trigger: str) -> ReviewTask:
    """The office that has a task begins, finishes or opens it again; the lead may drop it."""
    with on_review(actor, review_id, Permission.REVIEW_ADVISE) as (doing, row):
        with scoped(SYSTEM):
            task = row.tasks.filter(id=task_id).first()
        mine = task is not None and task.org_id == actor.org
        if task is None or not (mine or leads(actor)):
            raise NotFound(f"task {task_id[:40]!r} is not here")
        working(actor, row)
        roles = [Party.HOLDER] * mine + [Party.LEAD] * leads(actor)
        move = review_parties.step(TASK, task.state, trigger, actor, *roles)
        task.state, task.moved_at = move.target, doing.now
        task.save()
        doing.record(move.event, task.id, {"state": task.state}, marking=row.head_marking)
        return task


def comment(
    actor: Actor,
    review_id: str,
    text: str,
    *,
    field: str = "",
    marking: str = "TLP:AMBER+STRICT",
    lead_only: bool = False,
) -> ReviewComment:
    """Write a portion, on a field of the dossier or on the whole, with a marking of its own."""
    with on_review(actor, review_id, Permission.REVIEW_ADVISE) as (doing, row):
        working(actor, row)
        bound(actor, row)
        floor: tuple[Marking, ...] = ()
        if field:
            shared_field(actor, row, field)
            floor = (field_marking(row, field),)
        made = ReviewComment(
            id=new_id("comment"),
            org_id=actor.org,
            review=row,
            number=next_number(ReviewComment, row),
            author=actor.name[:200],
            field=field,
            text=words(text, "text", 20_000),
            marking=marked(actor, marking, floor),
            lead_only=lead_only,
            at=doing.now,
        )
        made.save(force_insert=True)
        refresh_marking(row)
        doing.record(
            Event.ENGAGEMENT_REVIEW_COMMENTED,
            made.id,
            {"text": made.text, "field": field},
            marking=made.marking,
        )
        return made


def shared_field(actor: Actor, row: Review, field: str) -> None:
    """Raise NotFound unless the field is one of those that the actor's office reads."""
    place = place_of(actor, row)
    known = _fields(row, None) if place is None else place.fields
    reach = parties.readable(actor, str(field_marking(row, field)))
    if field not in known or not reach:
        raise NotFound(f"field {field[:60]!r} is not here")


def give_view(
    actor: Actor,
    review_id: str,
    stand: str,
    reasons: str = "",
    marking: str = "TLP:AMBER+STRICT",
) -> ReviewView:
    """A consulted office says what it holds of the text that stands; no reasons are owed."""
    if stand not in tuple(Stand):
        raise BadInput(f"stand: {stand[:40]!r} is none of {', '.join(Stand)}")
    with on_review(actor, review_id, Permission.REVIEW_ADVISE) as (doing, row):
        working(actor, row)
        bound(actor, row)
        if leads(actor):
            raise Refused("the lead proposes; the offices that it invited give views", kept="all")
        return keep_view(doing, row, actor.org, stand, reasons, marked(actor, marking))
