"""Questions on a field: the office asks, the lab answers, declines or leaves it.

Rules:
- No question has a clock. A day that the office wishes for is shown as a wish, and read by nothing.
- Nothing outside this module reads a question; no act, window, review or plan depends on one.
- A question can be asked again, as a new one that names the one before.
- An answer has a number: the highest counts, whatever the order of arrival.
- A question and its answer are marked at least as the field that they are about; at the office
  they are shown to whom the terms in force name, after they accepted them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from vedette.engagement.acts import ActState
from vedette.engagement.review import QUESTION, Party
from vedette.kernel import markings
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.readiness.dossier import fields_of
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.binding import why_withheld
from vedette.services.dossier_states import states_of
from vedette.services.here import here
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.parties import readable, words
from vedette.services.sides import arrived_act, find_act, only, own_side, stamp
from vedette.store.models import Act, Question

ANSWERS = {"answered": "answer", "declined": "decline", "left": "leave"}
MOST = 2_000  # questions on one act


def ask(
    actor: Actor,
    act_id: str,
    field: str,
    text: str,
    *,
    follows: str = "",
    behalf: str = "",
    wished_for: datetime | None = None,
) -> Question:
    """Ask the lab on one field of an act's dossier.

    Args:
        follows: the question that is asked again.
        behalf: the office for which the lead asks, where it likes to name it.
        wished_for: a day by which an answer would help; it binds nobody.
    """
    only(Profile.OFFICE, actor)
    with act(actor, Permission.QUESTION_ASK) as doing:
        row = find_act(act_id)
        if row.state not in (ActState.OFFERED, ActState.ACCEPTED):
            raise Refused(f"the act is {row.state}", kept="no question of it")
        if not readable(actor, str(_marking(row, field))):
            raise NotFound(f"field {field[:60]!r} is not here")
        if field not in _askable(row):
            raise BadInput(f"field: {field[:60]!r} is no field of the dossier")
        if follows and not row.questions.filter(id=follows, field=field).exists():
            raise BadInput("follows: no question on this field")
        if row.questions.count() >= MOST:
            raise Refused(f"an act has at most {MOST} questions", kept="those there are")
        made = Question(
            id=new_id("question"),
            org_id=actor.org,
            act=row,
            field=field,
            text=words(text, "text", 4_000),
            behalf=words(behalf, "behalf", 200, empty=True),
            follows=follows,
            wished_for=wished_for,
            state=QUESTION.initial,
            marking=str(_marking(row, field)),
            asked_by=actor.name[:200],
            asked_at=doing.now,
        )
        made.save(force_insert=True)
        body = {
            "question": made.id,
            "act": row.id,
            "field": field,
            "text": made.text,
            "follows": follows or None,
            "behalf": made.behalf or None,
            "wished_for": stamp(wished_for),
        }
        message = doing.send(row.peer, "question.asked", body, thread=row.id, marking=made.marking)
        _record(doing, made, Event.ENGAGEMENT_QUESTION_ASKED, message)
        return made


def _askable(row: Act) -> set[str]:
    """Fields of the form, what stays home too, and whatever else came."""
    known = {field.id for field in fields_of(here().pack)}
    return known.union(*(state.values for state in states_of(row)))


def _marking(row: Act, field: str) -> Marking:
    own = {one.id: one.marking for one in fields_of(here().pack)}
    least = Marking.parse("TLP:AMBER+STRICT")
    return markings.join([least, own.get(field, Marking.parse(row.marking))])


def _record(doing: Doing, row: Question, event: Event, message: str) -> None:
    payload = {"field": row.field, "state": row.state, "text": row.text, "answer": row.answer}
    doing.record(event, row.id, payload, marking=row.marking, message_id=message)


@handles("question.asked")
def on_asked(arrival: Arrival) -> None:
    """The lab receives a question; nothing waits for it."""
    only(Profile.LAB, arrival.doing.actor)
    row, body = arrived_act(arrival), arrival.body
    if Question.objects.filter(id=body["question"]).exists():
        raise Refused(f"question {body['question']} is here already", kept="it as it was")
    made = Question(
        id=body["question"],
        org_id=row.org_id,
        act=row,
        field=body["field"],
        text=body["text"],
        behalf=body.get("behalf", ""),
        follows=body.get("follows", ""),
        wished_for=parse_time(body["wished_for"], field="body.wished_for")
        if "wished_for" in body
        else None,
        state=QUESTION.initial,
        marking=arrival.message.marking,
        asked_by=arrival.peer.name,
        asked_at=parse_time(arrival.message.sent_at, field="sent_at"),
    )
    made.save(force_insert=True)
    _record(arrival.doing, made, Event.ENGAGEMENT_QUESTION_ASKED, arrival.message.id)


def answer(actor: Actor, question_id: str, said: str, text: str = "") -> Question:
    """The lab answers, declines or leaves a question; nothing is owed, and nothing follows."""
    only(Profile.LAB, actor)
    if said not in ANSWERS:
        raise BadInput(f"answer: {said[:40]!r} is none of {', '.join(ANSWERS)}")
    with act(actor, Permission.QUESTION_ANSWER) as doing:
        row = _find(actor, question_id, lock=True)
        move = QUESTION.step(row.state, ANSWERS[said], Party.LAB)
        row.answer = words(text, "text", 20_000, empty=said != "answered")
        row.state, row.number = move.target, row.number + 1
        row.answered_by, row.answered_at = actor.name[:200], doing.now
        row.save()
        body = {
            "question": row.id,
            "number": row.number,
            "answer": said,
            "text": row.answer or None,
        }
        message = doing.send(
            row.act.peer, "question.answered", body, thread=row.act_id, marking=row.marking
        )
        _record(doing, row, move.event, message)
        return row


@handles("question.answered")
def on_answered(arrival: Arrival) -> None:
    """The office receives what the lab says to a question."""
    body = arrival.body
    rows = Question.objects.select_related("act").select_for_update(of=("self",))
    row = rows.filter(id=body["question"], act__peer_id=arrival.peer.keyid).first()
    if row is None:
        raise NotYet(f"question {body['question']} is not here")
    if body["number"] <= row.number:
        return
    move = QUESTION.step(row.state, ANSWERS[body["answer"]], Party.LAB)
    row.state, row.number, row.answer = move.target, body["number"], body.get("text", "")
    row.answered_by, row.answered_at = arrival.peer.name, arrival.doing.now
    row.marking = str(
        markings.join([Marking.parse(row.marking), Marking.parse(arrival.message.marking)])
    )
    row.save()
    _record(arrival.doing, row, move.event, arrival.message.id)


def _find(actor: Actor, question_id: str, *, lock: bool = False) -> Question:
    rows = Question.objects.select_related("act", "act__peer")
    rows = rows.select_for_update(of=("self",)) if lock else rows
    row: Question | None = rows.filter(id=question_id).first()
    if row is None or not readable(actor, row.marking):
        raise NotFound(f"question {question_id[:40]!r} is not here")
    return row


def browse_questions(
    actor: Actor, *, act_id: str = "", field: str = "", state: str = "", model: str = ""
) -> QuerySet[Question]:
    """Questions that the reader sees, newest first; evaluate it under the actor's scope."""
    own_side()
    actor.require(Permission.ENGAGEMENT_READ)
    rows = Question.objects.select_related("act", "act__peer").order_by("-asked_at", "id")
    exact = {"act_id": act_id, "field": field, "state": state, "act__model": model}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    known = rows.order_by().values_list("marking", flat=True).distinct()
    return rows.filter(marking__in=[text for text in known if readable(actor, text)])


def question_view(actor: Actor, question_id: str, *, on_page: bool = False) -> dict[str, Any]:
    """One question with the moves that this person has."""
    own_side()
    with reading(actor, Permission.ENGAGEMENT_READ) as instance:
        row = _find(actor, question_id)
        answers = instance.profile == Profile.LAB and actor.may(Permission.QUESTION_ANSWER)
        moves = QUESTION.moves(row.state, Party.LAB) if answers else ()
        says = {trigger: said for said, trigger in ANSWERS.items()}
        return {
            **rows_for(actor, on_page=on_page)(row),
            "moves": [{"answer": says[m.trigger], "label": m.label} for m in moves],
        }


def rows_for(actor: Actor, *, on_page: bool = False) -> Callable[[Question], dict[str, Any]]:
    """What makes lines for this reader: words are left out where the terms withhold them."""
    known: dict[str, str] = {}

    def line(row: Question) -> dict[str, Any]:
        if row.act_id not in known:
            known[row.act_id] = why_withheld(actor, row.act, on_page=on_page)
        return question_row(row, known[row.act_id])

    return line


def question_row(row: Question, withheld: str = "") -> dict[str, Any]:
    """One question as a line of a list; `withheld` says why its words are not in it."""
    field = next((one for one in fields_of(here().pack) if one.id == row.field), None)
    return {
        "id": row.id,
        "act": row.act_id,
        "model": row.act.model,
        "peer": row.act.peer.name,
        "field": row.field,
        "label": field.label if field else row.field,
        "section": field.section if field else "",
        "withheld": withheld,
        "text": "" if withheld else row.text,
        "behalf": row.behalf,
        "follows": row.follows,
        "wished_for": stamp(row.wished_for),
        "state": row.state,
        "answer": "" if withheld else row.answer,
        "marking": row.marking,
        "asked_by": row.asked_by,
        "asked_at": stamp(row.asked_at),
        "answered_by": row.answered_by,
        "answered_at": stamp(row.answered_at),
    }
