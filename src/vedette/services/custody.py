"""Custody of a lab's material: held, due, destroyed by its key, certified; told to the lab.

Rules:
- The rules are `engagement.custody`'s; the office's instance destroys, both sides keep the record.
- Destruction is ordered in one transaction and done by a job: the key's file goes, then the
  certificate is signed, entered and sent. A job that is done again finds what is left to do.
- While a run on the material goes on, destruction waits for it.
- The lab may ask that it goes before it is due: a wish, which the office follows by its own rule of
  two persons, or leaves. A hold goes before it, and nothing is held against either.
- What the office has written to the lab and could not deliver yet is kept, so that it arrives.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from vedette.engagement import custody as rules
from vedette.engagement.acts import ActKind
from vedette.engagement.custody import CUSTODY, CustodyState
from vedette.engagement.table import Actor as Side
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.kernel.permissions import Permission, Profile
from vedette.kernel.sealing import METHOD, destroy
from vedette.services import material, two_person, vault
from vedette.services.acting import Actor, Doing, act, instance_actor, reading
from vedette.services.here import here
from vedette.services.inbox import Arrival, handles
from vedette.services.jobs import job, schedule
from vedette.services.sides import arrived_act, find_act, note, only
from vedette.store.models import Act, Consultation, Custody, Hold, OutMessage, Weights, WindowKey
from vedette.store.sealing import as_it_is
from vedette.store.tenancy import SYSTEM, scoped

SETTLED = ("delivered", "refused")
UNDER_WAY = ("committed", "running")
WAIT_FOR_RUN = timedelta(hours=1)
EARLY = "destroy-early"
after_destruction: list[Callable[[Doing, Act], None]] = []
"""What else happens when an act's material is destroyed and certified."""


def custody_of(row: Act) -> Custody:
    """The record of an act's custody, made on first sight."""
    made, _ = Custody.objects.get_or_create(act=row, defaults={"org_id": row.org_id})
    found: Custody = made
    return found


def holds_of(row: Act | Consultation) -> list[rules.Hold]:
    """The holds on an act's material, or on an extract, as the rules see them."""
    return [rules.Hold(h.id, h.from_at, h.until_at, h.lifted_at) for h in row.holds.all()]


def follow(doing: Doing, row: Act, ended: datetime | None = None) -> None:
    """Take up that an act is over, its window has ended, or its question is answered.

    The first end counts: nothing that comes later puts the end of custody off.
    """
    made = custody_of(row)
    end = ended or (row.closes if row.window_state == "closed" else None) or doing.now
    if made.ended_at is not None:
        return
    made.ended_at, made.due_at = end, rules.due_at(doing.here.pack, end)
    made.save(update_fields=["ended_at", "due_at"])
    _plan(row.id, made.due_at)


def _plan(act_id: str, at: datetime) -> None:
    schedule(f"custody {act_id}", advance, at, act_id=act_id)


@vault.after_new_key.append
def _key_made(act_id: str) -> None:
    """What comes after the end, or under an act that never arrives, falls due, too."""
    instance = here()
    at = rules.due_at(instance.pack, instance.clock.now())
    schedule(f"custody {act_id} key", advance, at, act_id=act_id)


@job()
def advance(act_id: str) -> None:
    """Bring the custody of an act up to the hour. Idempotent."""
    with act(instance_actor(), None) as doing:
        if doing.here.profile != Profile.OFFICE:
            return
        row = Act.objects.select_for_update().filter(id=act_id).first()
        if row is None:
            _destroy_stray(doing, act_id)
            return
        made = custody_of(row)
        if made.state == CustodyState.DESTROYED and vault.find_key(row.id) is not None:
            _take(doing, row, made, CUSTODY.step(made.state, "hold-anew", Side.CLOCK))
        holds = holds_of(row)
        while move := rules.due_move(made.state, made.due_at, holds, doing.now):
            if move.trigger == "destroy":
                if _runs_under_way(row):
                    _plan(row.id, doing.now + WAIT_FOR_RUN)
                    return
                _begin(doing, row, made, move, "the clock, at the hour that the terms give")
                return
            _take(doing, row, made, move)


def _destroy_stray(doing: Doing, act_id: str) -> None:
    """Material that names an act which never came: refused messages. Its key goes the same way.

    An extract that another office shared is kept until that office asks.
    """
    if Consultation.objects.filter(about=act_id, destroyed_at=None).exists():
        return
    keys = WindowKey.objects.filter(about=act_id, destroyed_at=None)
    if keys.exists():
        destroy(vault.key_file(act_id))
        keys.update(destroyed_at=doing.now)
        doing.record(Event.CUSTODY_MATERIAL_DESTROYED, act_id, {"act": act_id})


def _runs_under_way(row: Act) -> bool:
    """Whether a run on the material goes on, or weights of it are open for a model server."""
    opened = Weights.objects.filter(act=row).exclude(opened_at=None)
    return row.runs.filter(state__in=UNDER_WAY).exists() or opened.exists()


def _take(doing: Doing, row: Act, made: Custody, move: Any, message_id: str = "") -> None:
    made.state = move.target
    made.save()
    doing.record(
        move.event,
        row.id,
        {"custody": move.target, "digest": made.digest},
        marking=row.marking,
        message_id=message_id,
    )


def destroy_material(actor: Actor, act_id: str, why: str = "") -> Any:
    """Destroy what is held of an act by hand: due material at once, other by two persons.

    Returns the custody record, or where a second person is needed the proposal that waits for one.
    """
    only(Profile.OFFICE, actor)
    with act(actor, Permission.CUSTODY_DESTROY) as doing:
        row = find_act(act_id)
        made = custody_of(row)
        CUSTODY.step(made.state, "destroy", Side.OFFICE)
        _refuse_held(doing, row)
        if made.state == CustodyState.HELD:
            return two_person.ask(doing, EARLY, row.id, {}, note(why, "why"))
        return _by_hand(doing, row, made, actor.name)


def ask_destruction(actor: Actor, act_id: str, text: str = "") -> Custody:
    """As the lab, ask the office to destroy what it holds of an act before it is due."""
    only(Profile.LAB, actor)
    with act(actor, Permission.CUSTODY_HOLD) as doing:
        row = find_act(act_id)
        made = custody_of(row)
        if made.destroyed_at is not None:
            raise Refused("it is destroyed already", kept="the certificate")
        made.asked_at, made.asked_by = doing.now, actor.name[:200]
        made.asked_note = note(text, "note")
        made.save(update_fields=["asked_at", "asked_by", "asked_note"])
        body = {
            "act": row.id,
            "asked": format_time(doing.now),
            "asked_by": made.asked_by,
            "note": made.asked_note or None,
        }
        sent = doing.send(
            row.peer, "custody.destruction-asked", body, thread=row.id, marking=row.marking
        )
        _asked(doing, row, made, sent)
        return made


def _asked(doing: Doing, row: Act, made: Custody, message_id: str) -> None:
    payload = {"asked": format_time(made.asked_at), "note": made.asked_note}
    doing.record(
        Event.CUSTODY_DESTRUCTION_ASKED, row.id, payload, marking=row.marking,
        message_id=message_id,
    )  # fmt: skip


@handles("custody.destruction-asked")
def on_destruction_asked(arrival: Arrival) -> None:
    """The lab wishes it gone; its latest wish counts, and nothing follows by itself."""
    row, body = arrived_act(arrival), arrival.body
    made, at = custody_of(row), parse_time(body["asked"], field="body.asked")
    if made.asked_at is not None and made.asked_at >= at:
        return
    made.asked_at, made.asked_by = at, body["asked_by"]
    made.asked_note = body.get("note", "")
    made.save(update_fields=["asked_at", "asked_by", "asked_note"])
    _asked(arrival.doing, row, made, arrival.message.id)


@two_person.kind(EARLY, Permission.CUSTODY_DESTROY)
def _early(doing: Doing, act_id: str, arguments: dict[str, Any], by: str) -> Any:
    row = find_act(act_id)
    _refuse_held(doing, row)
    return _by_hand(doing, row, custody_of(row), by)


def _refuse_held(doing: Doing, row: Act) -> None:
    if rules.suspending(holds_of(row), doing.now):
        raise Refused(
            "a hold is in force on this material",
            kept="all of it",
            next_step="the side that set the hold can lift it",
        )
    if _runs_under_way(row):
        raise Refused("a run on this material goes on", kept="all of it", next_step="wait for it")


def _by_hand(doing: Doing, row: Act, made: Custody, by: str) -> Custody:
    _begin(doing, row, made, CUSTODY.step(made.state, "destroy", Side.OFFICE), by)
    return made


def _begin(doing: Doing, row: Act, made: Custody, move: Any, by: str) -> None:
    """Write down what goes, keep what the lab has still to get, and have the key destroyed."""
    made.certificate, made.ordered_by = material.material_of(row.id), by[:200]
    keep_unsent(row.id, row.peer_id)
    row.runs.update(state="destroyed", progress={})
    _take(doing, row, made, move)
    doing.after(destroy_key, act_id=row.id)


def keep_unsent(thread: str, peer: str) -> None:
    """Have what a peer has still to get outlive the key that it is sealed under."""
    rows = OutMessage.objects.filter(thread=thread, peer_id=peer).exclude(state__in=SETTLED)
    for sent in rows:
        if sent.envelope:
            OutMessage.objects.filter(pk=sent.pk).update(envelope=as_it_is(sent.envelope))


@job()
def destroy_key(act_id: str) -> None:
    """Destroy an act's key, then certify it. Idempotent: after a break it goes on."""
    with reading(instance_actor()):
        made = Custody.objects.filter(act_id=act_id, state=CustodyState.DESTROYING).first()
        if made is None:
            return
        folders = [folder for _, folder in material.folders_of(act_id)]
    destroy(vault.key_file(act_id))
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    with act(instance_actor(), None) as doing:
        row = find_act(act_id)
        made = Custody.objects.select_for_update().get(act=row)
        if made.state == CustodyState.DESTROYING:
            _certify(doing, row, made)


def _certify(doing: Doing, row: Act, made: Custody) -> None:
    keys = WindowKey.objects.filter(about=row.id, destroyed_at=None)
    document = rules.certificate(
        doing.here.pack,
        act=row.id,
        lab=row.peer_id,
        office=doing.here.keys.public.keyid,
        keys=keys.values_list("id", flat=True),
        material=made.certificate,
        ordered_by=made.ordered_by,
        method=METHOD,
        now=doing.now,
    )
    made.certificate, made.digest = document, digest(canonical(document))
    made.signature = rules.sign_certificate(document, doing.here.keys)
    made.destroyed_at = doing.now
    keys.update(destroyed_at=doing.now)
    body = {
        "act": row.id,
        "certificate": document,
        "digest": made.digest,
        "signature": made.signature,
    }
    sent = doing.send(row.peer, "custody.destroyed", body, thread=row.id, marking=row.marking)
    _take(doing, row, made, CUSTODY.step(made.state, "certify", Side.CLOCK), sent)
    for hook in after_destruction:
        hook(doing, row)


@handles("custody.destroyed")
def on_destroyed(arrival: Arrival) -> None:
    """The lab receives the certificate, and keeps it with its signature."""
    doing, body, row = arrival.doing, arrival.body, arrived_act(arrival)
    document = body["certificate"]
    if digest(canonical(document)) != body["digest"] or document.get("act") != row.id:
        raise BadInput("body.digest: does not fit the certificate", kept="the message")
    office = PublicKeys(row.peer.ed25519, row.peer.age)
    if not rules.certified(document, body["signature"], office):
        raise Refused("the signature does not hold for this certificate", kept="the message")
    at = parse_time(document["destroyed_at"], field="certificate.destroyed_at")
    made = custody_of(row)
    if made.destroyed_at is not None and made.destroyed_at >= at:
        return
    made.certificate, made.digest, made.signature = document, body["digest"], body["signature"]
    made.ordered_by, made.destroyed_at = str(document["ordered_by"])[:200], at
    made.state = CustodyState.DESTROYED
    made.save()
    doing.record(
        Event.CUSTODY_MATERIAL_DESTROYED,
        row.id,
        {"custody": made.state, "digest": made.digest},
        marking=row.marking,
        message_id=arrival.message.id,
    )


def list_material(actor: Actor, act_id: str) -> Custody:
    """Tell the lab what the office holds of an act, by kind and digest."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.CUSTODY_DESTROY) as doing:
        row = find_act(act_id)
        made = custody_of(row)
        made.returned, made.returned_at = material.material_of(row.id), doing.now
        made.save(update_fields=["returned", "returned_at"])
        body = {"act": row.id, "list": made.returned, "digest": digest(canonical(made.returned))}
        sent = doing.send(row.peer, "custody.listed", body, thread=row.id, marking=row.marking)
        payload = {"digest": body["digest"]}
        doing.record(
            Event.CUSTODY_MATERIAL_LISTED, row.id, payload, marking=row.marking, message_id=sent
        )
        return made


@handles("custody.listed")
def on_listed(arrival: Arrival) -> None:
    """The lab receives the list; an older one than what is here changes nothing."""
    row, body = arrived_act(arrival), arrival.body
    if digest(canonical(body["list"])) != body["digest"]:
        raise BadInput("body.digest: does not fit the list", kept="the message")
    made = custody_of(row)
    at = parse_time(arrival.message.sent_at, field="sent_at")
    if made.returned_at is not None and made.returned_at >= at:
        return
    made.returned, made.returned_at = body["list"], at
    made.save(update_fields=["returned", "returned_at"])
    arrival.doing.record(
        Event.CUSTODY_MATERIAL_LISTED,
        row.id,
        {"digest": body["digest"]},
        marking=row.marking,
        message_id=arrival.message.id,
    )


def ends_with_answer(doing: Doing, row: Act) -> None:
    """A determination request is over when its answer is there; a window has its own hours."""
    if row.kind == ActKind.DETERMINATION_REQUEST:
        follow(doing, row)


def lost_keys(actor: Actor) -> list[tuple[str, str]]:
    """Keys that are neither here nor destroyed: (key id, act id)."""
    actor.require(Permission.ENGAGEMENT_READ)
    with scoped(SYSTEM):
        return vault.missing_keys() if vault.keeps_sealed() else []


def destroyed_at(actor: Actor, act_id: str) -> datetime | None:
    """When what was shared under an act was destroyed, None while it is not."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        made = Custody.objects.filter(act_id=act_id, state=CustodyState.DESTROYED).first()
        return made.destroyed_at if made else None


def hold_rows(row: Act) -> list[Hold]:
    """An act's holds, newest first."""
    return list(row.holds.order_by("-set_at", "id"))
