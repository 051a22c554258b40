"""Records and legal holds: set by either side, with a basis, seen by both, lifted by who set them.

Rules:
- A hold suspends the destruction of an act's material from the moment it is known; the lab's asks
  the office's instance in the same words as the office's own.
- The office lifts one of its own with a second person, where the pack says so. A hold with an end
  ends by itself.
- A hold that comes after destruction is kept on record and changes nothing.
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
from vedette.services import custody, two_person
from vedette.services.acting import Actor, Doing, act
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.jobs import schedule
from vedette.services.sides import arrived_act, find_act, note, only, own_side, stamp
from vedette.store.models import Act, Hold

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
        side, row = own_side(), find_act(act_id)
        rules.check_hold(doing.here.pack, kind, basis, authority, doing.now, until)
        if row.holds.count() >= rules.HOLDS_LIMIT:
            raise Refused(f"{rules.HOLDS_LIMIT} holds are on this material", kept="those holds")
        made = Hold(
            id=new_id("hold"),
            org_id=row.org_id,
            act=row,
            side=str(side),
            kind=kind,
            basis=basis.strip(),
            authority=authority.strip(),
            note=note(text, "note"),
            set_by=actor.name[:200],
            set_at=doing.now,
            from_at=doing.now,
            until_at=until,
        )
        body = {
            "act": row.id,
            "hold": made.id,
            "kind": kind,
            "basis": made.basis,
            "authority": made.authority,
            "note": made.note or None,
            "set_by": made.set_by,
            "begins": stamp(made.from_at),
            "until": stamp(until),
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
    """Lift a hold of one's own side: the hold, or the proposal that waits for a second person."""
    with act(actor, Permission.CUSTODY_HOLD) as doing:
        only(doing.here.profile, actor)
        made = _find(hold_id)
        if made.side != own_side():
            raise Refused("the other side set this hold", kept="the hold", next_step="ask them")
        _open_one(made)
        given = {"reason": note(reason, "reason")}
        if doing.here.profile == Profile.OFFICE:
            return two_person.ask(doing, LIFT, made.id, given, given["reason"])
        return _lift(doing, made, given["reason"], actor.name)


def _find(hold_id: str) -> Hold:
    row = Hold.objects.select_related("act", "act__peer").filter(id=hold_id).first()
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
    row = made.act
    made.lifted_at, made.lifted_by, made.lift_reason = doing.now, by[:200], reason
    made.save()
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
