"""Records and legal holds: set by either side, with a basis, seen by both, lifted by who set them.

Rules:
- A hold suspends the destruction of an act's material from the moment it is known; the lab's asks
  the office's instance in the same words as the office's own.
- The office lifts one of its own with a second person, where the pack says so. A hold with an end
  ends by itself.
- A hold that comes after destruction is kept on record and changes nothing.
- An office that another consults sets its own: on the extract that it holds on its instance, told
  to that office and by it to the lab; or, where it signs in to the lead's instance and has no copy,
  on the act's material there. The lead lifts neither.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vedette.engagement import custody as rules
from vedette.engagement.table import Actor as Side
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Permission, Profile
from vedette.services import custody, extracts, two_person
from vedette.services.acting import Actor, Doing, act
from vedette.services.consultations import find_consultation
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.jobs import schedule
from vedette.services.review_parties import leads, on_review
from vedette.services.sides import arrived_act, find_act, note, only, own_side, stamp
from vedette.store.models import Act, Hold, Organisation
from vedette.store.tenancy import SYSTEM, scoped

LIFT = "lift-hold"


def set_hold(
    actor: Actor,
    act_id: str,
    kind: str,
    basis: str,
    authority: str,
    *,
    text: str = "",
    until: datetime | None = None,
) -> Hold:
    """Set a hold on an act's material; it holds from now, until `until` or until it is lifted."""
    with act(actor, Permission.CUSTODY_HOLD) as doing:
        only(doing.here.profile, actor)
        actor.require(Permission.ENGAGEMENT_READ)
        own_side()
        row = find_act(act_id)
        return _on_act(doing, row, _new(doing, kind, basis, authority, text, until))


def set_guest_hold(
    actor: Actor,
    review_id: str,
    kind: str,
    basis: str,
    authority: str,
    *,
    text: str = "",
    until: datetime | None = None,
) -> Hold:
    """Set a hold as an office that takes part in a review here, on the material of its act."""
    with on_review(actor, review_id, Permission.CUSTODY_HOLD) as (doing, review):
        made = _new(doing, kind, basis, authority, text, until)
        if leads(actor):
            raise Refused("the lead sets its hold on the act", kept="your text")
        with scoped(SYSTEM):  # the act is the lead's row
            made.behalf = Organisation.objects.get(id=actor.org).name[:200]
            return _on_act(doing, find_act(review.act_id), made)


def set_extract_hold(
    actor: Actor,
    consultation_id: str,
    kind: str,
    basis: str,
    authority: str,
    *,
    text: str = "",
    until: datetime | None = None,
) -> Hold:
    """Set a hold on the extract that another office shared; that office and the lab are told."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.CUSTODY_HOLD) as doing:
        row = find_consultation(actor, consultation_id, lock=True)
        made = _new(doing, kind, basis, authority, text, until)
        if row.certificate:
            raise Refused("the extract is destroyed, as its office asked", kept="your text")
        _bounded(row.holds.count())
        made.consultation = row
        made.save(force_insert=True)
        extracts.tell_holds(doing, made, Event.CUSTODY_HOLD_SET)
        if until is not None:
            extracts.resume(row, until, made.id)
        return made


def _new(
    doing: Doing, kind: str, basis: str, authority: str, text: str, until: datetime | None
) -> Hold:
    """A hold of the acting office or lab from now, on nothing yet."""
    rules.check_hold(doing.here.pack, kind, basis, authority, doing.now, until)
    return Hold(
        id=new_id("hold"),
        org_id=doing.actor.org,
        side=str(own_side()),
        kind=kind,
        basis=basis.strip(),
        authority=authority.strip(),
        note=note(text, "note"),
        set_by=doing.actor.name[:200],
        set_at=doing.now,
        from_at=doing.now,
        until_at=until,
    )


def _bounded(holds: int) -> None:
    if holds >= rules.HOLDS_LIMIT:
        raise Refused(f"{rules.HOLDS_LIMIT} holds are on this material", kept="those holds")


def _on_act(doing: Doing, row: Act, made: Hold) -> Hold:
    _bounded(row.holds.count())
    made.act = row
    body = {
        "act": row.id,
        "hold": made.id,
        "kind": made.kind,
        "basis": made.basis,
        "authority": made.authority,
        "note": made.note or None,
        "set_by": made.set_by,
        "behalf": made.behalf or None,
        "begins": stamp(made.from_at),
        "until": stamp(made.until_at),
    }
    sent = doing.send(row.peer, "custody.hold-set", body, thread=row.id, marking=row.marking)
    _keep(doing, row, made, sent)
    return made


def _keep(doing: Doing, row: Act, made: Hold, message_id: str) -> None:
    made.save(force_insert=True)
    _record(doing, Event.CUSTODY_HOLD_SET, row, made, message_id)
    if made.until_at is not None:
        _resume(row, made.until_at, made.id)


def _resume(row: Act, at: datetime, hold_id: str) -> None:
    schedule(f"custody {row.id} {hold_id}", custody.advance, at, act_id=row.id)


def _record(doing: Doing, event: Event, row: Act, made: Hold, message_id: str) -> None:
    payload = {"hold": made.id, "kind": made.kind, "basis": made.basis, "side": made.side}
    doing.record(event, row.id, payload, marking=row.marking, message_id=message_id)


@handles("custody.hold-set")
def on_set(arrival: Arrival) -> None:
    """The other side sets a hold."""
    row, body, doing = arrived_act(arrival), arrival.body, arrival.doing
    if Hold.objects.filter(id=body["hold"]).exists():
        raise Refused(f"hold {body['hold']} is here already", kept="the hold as it was")
    begins = parse_time(body["begins"], field="body.begins")
    until = parse_time(body["until"], field="body.until") if "until" in body else None
    rules.check_hold(doing.here.pack, body["kind"], body["basis"], body["authority"], begins, until)
    made = Hold(
        id=body["hold"],
        org_id=row.org_id,
        act=row,
        side=Side.OFFICE if own_side() == Side.LAB else Side.LAB,
        behalf=body.get("behalf", ""),
        kind=body["kind"],
        basis=body["basis"],
        authority=body["authority"],
        note=body.get("note", ""),
        set_by=body["set_by"],
        set_at=doing.now,
        # the other side's clock may be ahead; a hold that is known holds
        from_at=min(begins, doing.now),
        until_at=until,
    )
    _keep(doing, row, made, arrival.message.id)


def lift_hold(actor: Actor, hold_id: str, reason: str = "") -> Any:
    """Lift a hold of one's own: the hold, or the proposal that waits for a second person."""
    own_side()
    with act(actor, Permission.CUSTODY_HOLD) as doing:
        made = _find(hold_id)
        if made.side != own_side():
            raise Refused("the other side set this hold", kept="the hold", next_step="ask them")
        if made.org_id != actor.org:
            raise Refused("another office set this hold", kept="the hold", next_step="ask it")
        _open_one(made)
        given = {"reason": note(reason, "reason")}
        if doing.here.profile == Profile.OFFICE:
            return two_person.ask(doing, LIFT, made.id, given, given["reason"])
        return _lift(doing, made, given["reason"], actor.name)


def _find(hold_id: str) -> Hold:
    row = Hold.objects.filter(id=hold_id).first()
    if row is None:
        raise NotFound(f"hold {hold_id[:40]!r} is not here")
    found: Hold = row
    return found


def _open_one(made: Hold) -> None:
    if made.lifted_at is not None:
        raise Refused("the hold is lifted already", kept="the hold as it was")


@two_person.kind(LIFT, Permission.CUSTODY_HOLD)
def _seconded(doing: Doing, hold_id: str, arguments: dict[str, Any], by: str) -> Any:
    made = _find(hold_id)
    _open_one(made)
    return _lift(doing, made, arguments["reason"], by)


def _lift(doing: Doing, made: Hold, reason: str, by: str) -> Hold:
    made.lifted_at, made.lifted_by, made.lift_reason = doing.now, by[:200], reason
    made.save()
    if made.consultation is not None:
        extracts.tell_holds(doing, made, Event.CUSTODY_HOLD_LIFTED)
        extracts.resume(made.consultation, doing.now, made.id)
        return made
    with scoped(SYSTEM):  # a guest's hold is on the lead's act
        row = find_act(str(made.act_id))
        body = {
            "act": row.id,
            "hold": made.id,
            "reason": reason or None,
            "lifted_by": by[:300],
        }
        sent = doing.send(row.peer, "custody.hold-lifted", body, thread=row.id, marking=row.marking)
        _record(doing, Event.CUSTODY_HOLD_LIFTED, row, made, sent)
        _resume(row, doing.now, made.id)
    return made


@handles("custody.hold-lifted")
def on_lifted(arrival: Arrival) -> None:
    """The other side lifts its hold."""
    row, body = arrived_act(arrival), arrival.body
    made = Hold.objects.filter(id=body["hold"], act=row).first()
    if made is None:
        raise NotYet(f"hold {body['hold']} has not arrived")
    if made.side == own_side():
        raise Refused("this side set the hold", kept="the hold as it was")
    if made.lifted_at is not None:
        return
    made.lifted_at, made.lifted_by = arrival.doing.now, body["lifted_by"][:200]
    made.lift_reason = body.get("reason", "")
    made.save()
    _record(arrival.doing, Event.CUSTODY_HOLD_LIFTED, row, made, arrival.message.id)
    _resume(row, arrival.doing.now, made.id)
