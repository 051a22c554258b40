"""An office with an instance of its own is consulted by message: the marked extract, its view.

Rules:
- What goes out is what the lead shares: the fields chosen, each with its marking, and the text
  that it proposes. The message's marking is computed from them. Where the terms in force keep what
  they bind on this instance's pages, the question goes without the fields.
- Under terms in force the extract names who may read it: the people whom they name, and who
  accepted them. Nobody else at the office asked reads it.
- Question and answer belong to the act here: they are sealed under its key, and go with it.
- Each time the lead proposes or shares anew it asks again, with a higher number; the highest
  counts. An answer names the text that it is about.
- When what an extract came from is destroyed, `services.extracts` has it destroyed here, too.
- The office asked answers, declines, or says nothing; the lead goes on in any case.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vedette.engagement.review import CONSULTATION, PLACE, Party, Stand, text_digest
from vedette.kernel import markings
from vedette.kernel.classification import Rules
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.kernel.portions import Source
from vedette.readiness.dossier import fields_of
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.binding import Binding, address_of, binding_of, has_accepted, is_bound
from vedette.services.document_kinds import act_source
from vedette.services.dossier_states import states_of
from vedette.services.here import here
from vedette.services.hold_views import hold_row
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.messages import pointers
from vedette.services.parties import readable, words
from vedette.services.review_parties import (
    act_of,
    field_marking,
    keep_view,
    marked,
    office_only,
)
from vedette.services.sides import only, stamp
from vedette.store.models import Act, Consultation, Review, ReviewOffice

NOT_NAMED = (
    "the lab's terms do not name you, or you have not accepted them: the office that asks can have"
    " you named, and tells who reads when it asks anew"
)


def send(
    doing: Doing,
    row: Review,
    place: ReviewOffice,
    *,
    text: str = "",
    wished_for: datetime | None = None,
) -> None:
    """Ask an office with an instance of its own, with what is shared with it now."""
    found = act_of(row)
    values, terms = states_of(found)[-1].values, binding_of(found)
    stays = terms is not None and not terms.export
    extract = {key: values[key] for key in place.fields if values.get(key) and not stays}
    marks = {key: field_marking(row, key) for key in extract}
    standing = row.proposals[-1] if row.proposals else {"text": "", "marking": row.head_marking}
    whole = markings.join(
        [Marking.parse(row.head_marking), Marking.parse(standing["marking"]), *marks.values()]
    )
    place.consultation = place.consultation or new_id("consultation")
    place.asked += 1
    place.destruction_asked_at = place.destroyed_at = None
    place.save()
    source = act_source(found)
    body = {
        "consultation": place.consultation,
        "number": place.asked,
        "kind": row.kind,
        "model": row.model,
        "lab": found.peer.name[:200],
        "extract": extract,
        "markings": {key: str(marking) for key, marking in marks.items()},
        "proposal": standing["text"],
        "readers": _readers(found, terms) if terms else None,
        "note": words(text, "text", 4_000, empty=True) or None,
        "wished_for": stamp(wished_for),
        "source": source.cited[:300],
        "declassify": source.declassify or None,
        "pack": doing.here.pack.ref,
        "pack_digest": doing.here.pack.digest,
    }
    peer = place.peer
    assert peer is not None
    message = doing.send(peer, "consultation.asked", body, thread=found.id, marking=str(whole))
    doing.record(
        Event.ENGAGEMENT_CONSULTATION_ASKED,
        place.consultation,
        {"extract": extract, "proposal": standing["text"]},
        marking=str(whole),
        message_id=message,
    )


def _readers(row: Act, terms: Binding) -> list[str]:
    """Whom the terms in force name, and who accepted them."""
    return [person for person in terms.people if has_accepted(row, person, terms.digest)]


@handles("consultation.asked")
def on_asked(arrival: Arrival) -> None:
    """A consulted office receives the question, or a later state of it."""
    body, doing = arrival.body, arrival.doing
    row = Consultation.objects.select_for_update().filter(id=body["consultation"]).first()
    if row is not None and row.peer_id != arrival.peer.keyid:
        raise Refused("this consultation is another office's", kept="that one")
    if row is not None and body["number"] <= row.number:
        return
    if unmarked := sorted(set(body["extract"]) - set(body["markings"])):
        raise BadInput(f"body.markings.{unmarked[0]}: missing", kept="the message")
    require_foreign(arrival.message.thread, arrival.peer.keyid)
    whole = Marking.parse(arrival.message.marking)
    for key, text in body["markings"].items():
        if not whole.dominates(Marking.parse(text)):
            raise BadInput(f"body.markings.{key}: above the message's own", kept="the message")
    row = row or Consultation(
        id=body["consultation"],
        org_id=doing.here.org,
        peer=arrival.peer,
        state=CONSULTATION.initial,
        asked_at=parse_time(arrival.message.sent_at, field="sent_at"),
    )
    for name in ("number", "kind", "model", "lab", "extract", "markings", "proposal", "pack"):
        setattr(row, name, body[name])
    row.source, row.declassify = body.get("source", ""), body.get("declassify", "")
    row.pack_digest, row.note = body["pack_digest"], body.get("note", row.note)
    row.about, row.readers = arrival.message.thread, body.get("readers")
    if "wished_for" in body:
        row.wished_for = parse_time(body["wished_for"], field="body.wished_for")
    row.marking = arrival.message.marking
    row.destruction_asked_at, row.destroyed_at, row.certificate = None, None, {}
    row.save()
    doing.record(
        Event.ENGAGEMENT_CONSULTATION_ASKED,
        row.id,
        {"extract": row.extract, "proposal": row.proposal},
        marking=row.marking,
        message_id=arrival.message.id,
    )


def require_foreign(thread: str, peer: str) -> None:
    """Raise Refused where a thread is an act of this instance, or another office's: its key, under
    which what arrives is sealed, is not that peer's to have destroyed."""
    others = Consultation.objects.filter(about=thread).exclude(peer_id=peer)
    if thread and (Act.objects.filter(id=thread).exists() or others.exists()):
        raise Refused("this thread is not its sender's", kept="what is here under it")


def answer(
    actor: Actor, consultation_id: str, said: str, reasons: str = "", marking: str = ""
) -> Consultation:
    """Give this office's view to the lead, or decline; no reasons are owed."""
    only(Profile.OFFICE, actor)
    if said not in (*Stand, "declined"):
        raise BadInput(f"answer: {said[:40]!r} is none of {', '.join(Stand)}, declined")
    with act(actor, Permission.REVIEW_ADVISE) as doing:
        row = find_consultation(actor, consultation_id, lock=True)
        if row.destruction_asked_at is not None:
            raise Refused("the extract is destroyed, as its office asked", kept="your text")
        trigger = "decline" if said == "declined" else "answer"
        move = CONSULTATION.step(row.state, trigger, Party.CONSULTED)
        row.state, row.stand, row.answers = move.target, said, row.answers + 1
        row.reasons = words(reasons, "reasons", 4_000, empty=True)
        row.made_on = text_digest(row.proposal) if row.proposal else ""
        row.answered_by, row.answered_at = actor.name[:200], doing.now
        row.save()
        mark = marked(actor, marking) if marking else row.marking
        body = {
            "consultation": row.id,
            "number": row.answers,
            "answer": said,
            "reasons": row.reasons or None,
            "proposal": row.made_on or None,
            "answered": format_time(doing.now),
        }
        message = doing.send(
            row.peer, "consultation.answered", body, thread=row.about or row.id, marking=mark
        )
        doing.record(
            move.event, row.id, {"answer": said, "reasons": row.reasons}, marking=mark,
            message_id=message,
        )  # fmt: skip
        return row


@handles("consultation.answered")
def on_answered(arrival: Arrival) -> None:
    """The lead office receives a consulted office's view."""
    body = arrival.body
    rows = ReviewOffice.objects.select_for_update(of=("self",)).select_related("review")
    place = rows.filter(consultation=body["consultation"], peer_id=arrival.peer.keyid).first()
    if place is None:
        raise NotYet(f"consultation {body['consultation']} is not here")
    if body["number"] <= place.answered:
        return
    place.answered, place.responded_at = body["number"], arrival.doing.now
    declined = body["answer"] == "declined"
    trigger = "decline" if declined else "take-part"
    moves = {move.trigger: move for move in PLACE.moves(place.state, Party.CONSULTED)}
    if trigger in moves:
        place.state = moves[trigger].target
    place.save()
    if not declined:
        keep_view(
            arrival.doing, place.review, place.org_id, body["answer"], body.get("reasons", ""),
            arrival.message.marking, body.get("proposal", ""),
        )  # fmt: skip
    else:
        arrival.doing.record(
            Event.ENGAGEMENT_OFFICE_ANSWERED,
            place.review_id,
            {"office": place.org_id, "state": place.state},
            message_id=arrival.message.id,
        )


def find_consultation(actor: Actor, consultation_id: str, *, lock: bool = False) -> Consultation:
    """What another office asks, under the present scope. Raises NotFound."""
    rows = Consultation.objects.select_related("peer")
    rows = rows.select_for_update(of=("self",)) if lock else rows
    row: Consultation | None = rows.filter(id=consultation_id).first()
    if row is None or not readable(actor, "TLP:AMBER+STRICT"):
        raise NotFound(f"consultation {consultation_id[:40]!r} is not here")
    return row


def consultations(actor: Actor) -> list[dict[str, Any]]:
    """What other offices ask this one, newest first."""
    office_only()
    with reading(actor, Permission.REVIEW_READ):
        if not readable(actor, "TLP:AMBER+STRICT"):
            return []
        rows = Consultation.objects.select_related("peer").order_by("-asked_at", "id")
        return [_row(row) for row in rows[:500]]


def _row(row: Consultation) -> dict[str, Any]:
    return {
        "id": row.id,
        "peer": row.peer.name,
        "state": row.state,
        "kind": row.kind,
        "model": row.model,
        "lab": row.lab,
        "stand": row.stand,
        "asked_at": stamp(row.asked_at),
        "answered_at": stamp(row.answered_at),
        "wished_for": stamp(row.wished_for),
    }


def _named(actor: Actor, row: Consultation) -> bool:
    """Whether the terms of the office that asks let this person read the extract."""
    return row.readers is None or not is_bound(actor) or address_of(actor) in row.readers


def consultation_source(actor: Actor, consultation_id: str) -> Source:
    """What a consultation's page is derived from, as its lead cites it."""
    with reading(actor, Permission.REVIEW_READ):
        row = find_consultation(actor, consultation_id)
        cited = row.source or f"Consultation {row.id}, {row.peer.name}"
        allowed = Rules.of(here().pack).allows(row.declassify)
        return Source(
            cited,
            Marking.parse(row.marking),
            f"{row.asked_at:%Y-%m-%d}",
            row.declassify if allowed else "",
        )


def consultation_view(actor: Actor, consultation_id: str) -> dict[str, Any]:
    """One consultation with the portions of the extract that the reader may read."""
    office_only()
    with reading(actor, Permission.REVIEW_READ):
        row = find_consultation(actor, consultation_id)
        labels = {field.id: field.label for field in fields_of(here().pack)}
        named = _named(actor, row)
        portions = [
            {"field": key, "label": labels.get(key, key), "text": text, "marking": mark}
            for key, text in row.extract.items()
            if named and readable(actor, mark := str(row.markings[key]))
        ]
        whole = named and readable(actor, row.marking)
        acts = actor.host and actor.may(Permission.REVIEW_ADVISE) and not row.destruction_asked_at
        moves = CONSULTATION.moves(row.state, Party.CONSULTED) if acts else ()
        holds = [hold_row(hold, actor) for hold in row.holds.order_by("-set_at", "id")]
        return {
            **_row(row),
            "note": row.note,
            "proposal": row.proposal if whole else "",
            "portions": portions,
            "withheld": "" if named else NOT_NAMED,
            "reasons": row.reasons if named else "",
            "earlier": bool(row.made_on) and row.made_on != text_digest(row.proposal),
            "marking": row.marking if whole else "TLP:AMBER+STRICT",
            "answered_by": row.answered_by,
            "pack": row.pack,
            "destruction_asked_at": stamp(row.destruction_asked_at),
            "destroyed_at": stamp(row.destroyed_at),
            "certificate": row.certificate if row.destroyed_at else None,
            "certificate_signature": row.certificate_signature if row.destroyed_at else "",
            "moves": [{"trigger": m.trigger, "label": m.label} for m in moves],
            "holds": holds,
            "pointers": pointers(row.about),
            "held": any(hold["state"] == "in force" for hold in holds),
            "may_hold": actor.host and actor.may(Permission.CUSTODY_HOLD) and not row.certificate,
        }
