"""Extracts on other offices' instances: they go when what they came from goes, and it is certified.

Rules:
- When an act's material is destroyed, each office that has an extract of it is asked to destroy its
  copy. It does so by itself: the key goes under which the extract, the texts about it and the
  messages that brought it are sealed there. Then it signs a certificate.
- Who was asked, and who has certified, is shown here and told to the lab, each time anew; an office
  that says nothing stays on the list as one that has not.
- A number says what is meant: an extract that was shared anew after it is another one.
- Only what the office that asks has shared is destroyed: its thread is no act of this instance.
- A hold of the office that has it suspends that. Its holds are told to the office that shared it,
  and by that one to the lab, with their basis; once none is in force, what was asked for is done.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vedette.engagement import custody as rules
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.kernel.sealing import METHOD, destroy
from vedette.services import custody, material, vault
from vedette.services.acting import Doing, act, instance_actor
from vedette.services.consultations import require_foreign
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.jobs import job, schedule
from vedette.services.sides import arrived_act, stamp
from vedette.store.models import Act, Consultation, Hold, ReviewOffice, WindowKey

HELD = "TLP:AMBER+STRICT"
"""What a hold's words are marked: both offices and the lab read them."""


@custody.after_destruction.append
def ask(doing: Doing, row: Act) -> None:
    """Ask every office with an extract of this act to destroy it; tell the lab who was asked."""
    places = _places(row).filter(destroyed_at=None).select_for_update(of=("self",))
    for place in places:
        assert place.peer is not None
        place.destruction_asked_at, place.destroyed_at = doing.now, None
        place.save()
        body = {
            "consultation": place.consultation,
            "number": place.asked,
            "asked": stamp(doing.now),
        }
        sent = doing.send(
            place.peer, "consultation.destruction-asked", body, thread=row.id, marking=row.marking
        )
        _record(doing, Event.CUSTODY_DESTRUCTION_ASKED, place.consultation, row.marking, sent, {})
    if places:
        _tell(doing, row)


def _places(row: Act) -> Any:
    rows = ReviewOffice.objects.select_related("peer").exclude(consultation="")
    return rows.filter(review__act=row).order_by("invited_at", "pk")


def _tell(doing: Doing, row: Act) -> None:
    """Note, and tell the lab, who was asked, who has certified, and who holds it back."""
    made = custody.custody_of(row)
    made.copies = [
        {
            "office": place.peer.name[:200],
            **({"asked": stamp(at)} if (at := place.destruction_asked_at) else {}),
            **({"holds": place.holds} if place.holds else {}),
            **(
                {
                    "destroyed": stamp(place.destroyed_at),
                    "digest": digest(canonical(place.certificate)),
                }
                if place.destroyed_at
                else {}
            ),
        }
        for place in _places(row)
        if place.destruction_asked_at or place.holds
    ]
    made.copies_number += 1
    made.save(update_fields=["copies", "copies_number"])
    body = {"act": row.id, "number": made.copies_number, "copies": made.copies}
    doing.send(row.peer, "custody.copies-told", body, thread=row.id, marking=row.marking)


@handles("custody.copies-told")
def on_told(arrival: Arrival) -> None:
    """The lab learns who had an extract, and who has certified that it is gone."""
    row, body = arrived_act(arrival), arrival.body
    made = custody.custody_of(row)
    if body["number"] <= made.copies_number:
        return
    made.copies, made.copies_number = body["copies"], body["number"]
    made.save(update_fields=["copies", "copies_number"])


@handles("consultation.destruction-asked")
def on_asked(arrival: Arrival) -> None:
    """The office that shared an extract asks that it goes: it does, by a job."""
    body = arrival.body
    row = Consultation.objects.select_for_update().filter(id=body["consultation"]).first()
    if row is None:
        raise NotYet(f"consultation {body['consultation']} is not here")
    if row.peer_id != arrival.peer.keyid:
        raise Refused("this consultation is another office's", kept="that one")
    require_foreign(row.about, row.peer_id)
    if row.number > body["number"] or row.destruction_asked_at is not None:
        return
    row.number = body["number"]
    row.destruction_asked_at = arrival.doing.now
    row.save()
    _record(
        arrival.doing, Event.CUSTODY_DESTRUCTION_ASKED, row.id, row.marking, arrival.message.id, {}
    )
    arrival.doing.after(destroy_extract, consultation_id=row.id)


def resume(row: Consultation, at: datetime, hold_id: str) -> None:
    """Have the extract go at `at`, if it was asked for and no other hold is in force then."""
    schedule(f"extract {row.id} {hold_id}", destroy_extract, at, consultation_id=row.id)


@job()
def destroy_extract(consultation_id: str) -> None:
    """Destroy an extract with its key, and certify it to the office that shared it. Idempotent."""
    with act(instance_actor(), None) as doing:
        row = Consultation.objects.select_for_update().filter(id=consultation_id).first()
        if row is None or row.destruction_asked_at is None or row.destroyed_at is not None:
            return
        if not row.certificate:
            if rules.suspending(custody.holds_of(row), doing.now):
                return
            row.certificate = material.material_of(row.about)
            row.save()
            custody.keep_unsent(row.about, row.peer_id)
    destroy(vault.key_file(row.about))
    with act(instance_actor(), None) as doing:
        row = Consultation.objects.select_for_update().get(pk=consultation_id)
        if row.destroyed_at is None:
            _certify(doing, row)


def _certify(doing: Doing, row: Consultation) -> None:
    keys = WindowKey.objects.filter(about=row.about, destroyed_at=None)
    row.certificate = rules.certificate(
        doing.here.pack,
        act=row.about,
        office=doing.here.keys.public.keyid,
        shared_by=row.peer_id,
        keys=keys.values_list("id", flat=True),
        material=row.certificate,
        ordered_by=row.peer.name,
        method=METHOD,
        now=doing.now,
    )
    row.certificate_signature = rules.sign_certificate(row.certificate, doing.here.keys)
    row.extract, row.proposal, row.note, row.reasons = {}, "", "", ""
    row.destroyed_at = doing.now
    row.save()
    keys.update(destroyed_at=doing.now)
    body = {
        "consultation": row.id,
        "number": row.number,
        "certificate": row.certificate,
        "digest": digest(canonical(row.certificate)),
        "signature": row.certificate_signature,
    }
    sent = doing.send(
        row.peer, "consultation.destroyed", body, thread=row.about or row.id, marking=row.marking
    )
    payload = {"digest": body["digest"]}
    _record(doing, Event.CUSTODY_MATERIAL_DESTROYED, row.id, row.marking, sent, payload)


@handles("consultation.destroyed")
def on_destroyed(arrival: Arrival) -> None:
    """An office certifies that its extract is gone; the lab is told."""
    body, doing, document = arrival.body, arrival.doing, arrival.body["certificate"]
    rows = ReviewOffice.objects.select_for_update(of=("self",)).select_related("review__act__peer")
    place = rows.filter(consultation=body["consultation"], peer_id=arrival.peer.keyid).first()
    if place is None:
        raise NotYet(f"consultation {body['consultation']} is not here")
    row: Act = place.review.act
    if digest(canonical(document)) != body["digest"] or document.get("act") != row.id:
        raise BadInput("body.digest: does not fit the certificate", kept="the message")
    office = PublicKeys(arrival.peer.ed25519, arrival.peer.age)
    if not rules.certified(document, body["signature"], office):
        raise Refused("the signature does not hold for this certificate", kept="the message")
    at = parse_time(document.get("destroyed_at"), field="certificate.destroyed_at")
    asked = place.destruction_asked_at
    if asked is None or place.destroyed_at is not None or body["number"] < place.asked:
        return
    place.destroyed_at, place.certificate = at, document
    place.certificate_signature = body["signature"]
    place.save()
    payload = {"digest": body["digest"], "office": place.org_id}
    _record(
        doing, Event.CUSTODY_MATERIAL_DESTROYED, place.consultation, row.marking,
        arrival.message.id, payload,
    )  # fmt: skip
    _tell(doing, row)


def told(hold: Hold) -> dict[str, str]:
    """A hold on an extract as the offices and the lab tell it each other."""
    found = {
        "hold": hold.id,
        "kind": hold.kind,
        "basis": hold.basis,
        "authority": hold.authority,
        "note": hold.note,
        "set_by": hold.set_by,
        "begins": stamp(hold.from_at),
        "until": stamp(hold.until_at),
        "lifted": stamp(hold.lifted_at),
        "lifted_by": hold.lifted_by,
        "reason": hold.lift_reason,
    }
    return {name: value for name, value in found.items() if value}


def tell_holds(doing: Doing, hold: Hold, event: Event) -> None:
    """Tell the office that shared an extract every hold on it, of which `hold` has changed."""
    row = hold.consultation
    assert row is not None
    row.holds_number += 1
    row.save(update_fields=["holds_number"])
    body = {
        "consultation": row.id,
        "number": row.holds_number,
        "holds": [told(one) for one in row.holds.order_by("set_at", "id")],
    }
    sent = doing.send(
        row.peer, "consultation.holds-told", body, thread=row.about or row.id, marking=HELD
    )
    _record(doing, event, row.id, HELD, sent, told(hold))


@handles("consultation.holds-told")
def on_holds_told(arrival: Arrival) -> None:
    """An office says which holds keep its extract; the lab is told, with their basis."""
    body, doing = arrival.body, arrival.doing
    rows = ReviewOffice.objects.select_for_update(of=("self",)).select_related("review__act__peer")
    place = rows.filter(consultation=body["consultation"], peer_id=arrival.peer.keyid).first()
    if place is None:
        raise NotYet(f"consultation {body['consultation']} is not here")
    if body["number"] <= place.holds_number:
        return
    before = {one["hold"]: one for one in place.holds}
    place.holds, place.holds_number = body.get("holds", []), body["number"]
    place.save(update_fields=["holds", "holds_number"])
    for one in place.holds:
        if one != before.get(one["hold"]):
            event = Event.CUSTODY_HOLD_LIFTED if "lifted" in one else Event.CUSTODY_HOLD_SET
            _record(doing, event, place.consultation, HELD, arrival.message.id, one)
    _tell(doing, place.review.act)


def _record(
    doing: Doing, event: Event, name: str, marking: str, message: str, payload: dict[str, Any]
) -> None:
    doing.record(
        event, name, {"consultation": name, **payload}, marking=marking, message_id=message
    )
