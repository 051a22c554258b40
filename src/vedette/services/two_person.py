"""Chosen acts that two persons do: one proposes, another seconds, and then it is done.

Rules:
- The pack chooses which; an act that it does not name is done by one person at once, but for one
  that can only be done by two, whatever a pack says: to open what each holds half a key of.
- Whoever seconds holds the same permission, is of the same organisation and somebody else; the
  instance seconds nothing.
- It is done in the second's own transaction, by the rules of that moment.
- A proposal nobody seconds lapses, one may be taken back; neither is a fault, and it can be
  proposed again.
- Nothing about a release is among these acts, or can be: what an office keeps is not a lab's date.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vedette.kernel.errors import Forbidden, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Permission
from vedette.services import vault
from vedette.services.acting import Actor, Doing, act, instance_actor, reading
from vedette.services.here import here
from vedette.services.jobs import job, schedule
from vedette.store.models import Seconding

WAITING, DONE, LAPSED, WITHDRAWN = "waiting", "done", "lapsed", "withdrawn"
Do = Callable[[Doing, str, dict[str, Any], str], Any]
"""What is done: the act under way, the object's id, the arguments, by whom ("A and B")."""


@dataclass(frozen=True)
class Kind:
    """An act that can be one of two persons: what it needs, and what it does. `always`: it is one
    whatever the pack says; `asks`: what the second gives besides, by name, kept nowhere."""

    id: str
    permission: Permission
    do: Do
    always: bool = False
    asks: str = ""


_kinds: dict[str, Kind] = {}


def kind(
    id_: str, permission: Permission, *, always: bool = False, asks: str = ""
) -> Callable[[Do], Do]:
    """Register what an act of two persons does once it is seconded."""

    def register(function: Do) -> Do:
        _kinds[id_] = Kind(id_, permission, function, always, asks)
        return function

    return register


def kinds() -> frozenset[str]:
    """Every act that can be one of two persons."""
    return frozenset(_kinds)


def chosen() -> dict[str, dict[str, str]]:
    """The acts that the pack chooses, by id, with title and text."""
    return {row["id"]: dict(row) for row in here().pack.records("two_person", "acts")}


def ask(doing: Doing, kind_id: str, object_id: str, arguments: dict[str, Any], why: str) -> Any:
    """Do an act at once, or where the pack chooses it propose it and return the proposal."""
    if kind_id not in chosen() and not _kinds[kind_id].always:
        return _kinds[kind_id].do(doing, object_id, arguments, doing.actor.name)
    if waiting_for(kind_id, object_id) is not None:
        raise Refused("this waits for a second person already", kept="the proposal as it was")
    made = Seconding(
        id=new_id("second"),
        org_id=doing.actor.org,
        kind=kind_id,
        object_id=object_id,
        arguments=arguments,
        why=why,
        proposer=vault.reader_id(doing.actor),
        proposed_at=doing.now,
        lapses_at=doing.now + timedelta(hours=doing.here.pack.integer("two_person", "hours")),
    )
    made.save(force_insert=True)
    _record(doing, Event.CUSTODY_SECOND_PROPOSED, made)
    schedule(f"second {made.id}", lapse, made.lapses_at, second_id=made.id)
    return made


def waiting_for(kind_id: str, object_id: str) -> Seconding | None:
    """The proposal about an object that waits for its second now; in the present scope."""
    rows = Seconding.objects.filter(kind=kind_id, object_id=object_id, state=WAITING)
    found: Seconding | None = rows.filter(lapses_at__gt=here().clock.now()).first()
    return found


def _record(doing: Doing, event: Event, made: Seconding) -> None:
    payload = {"kind": made.kind, "proposer": made.proposer, "seconder": made.seconder}
    doing.record(event, made.object_id, payload)


def _find(second_id: str) -> Seconding:
    row = Seconding.objects.select_for_update().filter(id=second_id).first()
    if row is None:
        raise NotFound(f"proposal {second_id[:40]!r} is not here")
    found: Seconding = row
    return found


def second(actor: Actor, second_id: str, given: str = "") -> tuple[Seconding, Any]:
    """Second what somebody else proposed: it is done in this transaction; return what it gave.

    `given` is what the act asks of its second, where it asks for something.
    """
    with act(actor, None) as doing:
        made = _find(second_id)
        known = _kinds[made.kind]
        actor.require(known.permission)
        if actor.system:
            raise Forbidden("a person seconds")
        if vault.reader_id(actor) == made.proposer:
            raise Forbidden(
                "nobody seconds what they proposed", next_step="ask a colleague to second it"
            )
        _waits(doing, made)
        made.state, made.settled_at = DONE, doing.now
        made.seconder = vault.reader_id(actor)
        by = f"{made.proposer}, seconded by {made.seconder}"
        more = {known.asks: given} if known.asks else {}
        gave = known.do(doing, made.object_id, {**made.arguments, **more}, by)
        _forget(made)
        made.save()
        _record(doing, Event.CUSTODY_SECOND_DONE, made)
        return made, gave


def _forget(made: Seconding) -> None:
    """What the proposer gave of a key does not outlive the proposal."""
    if made.kind in _kinds and _kinds[made.kind].asks:
        made.arguments = {}


def _waits(doing: Doing, made: Seconding) -> None:
    state = LAPSED if made.state == WAITING and made.lapses_at <= doing.now else made.state
    if state != WAITING:
        raise Refused(f"the proposal is {state}", kept="it as it was", next_step="propose it again")


def take_back(actor: Actor, second_id: str) -> Seconding:
    """Take one's own proposal back."""
    with act(actor, None) as doing:
        made = _find(second_id)
        actor.require(_kinds[made.kind].permission)
        if vault.reader_id(actor) != made.proposer:
            raise Forbidden("whoever proposed it takes it back")
        _waits(doing, made)
        made.state, made.settled_at = WITHDRAWN, doing.now
        _forget(made)
        made.save()
        _record(doing, Event.CUSTODY_SECOND_WITHDRAWN, made)
        return made


@job()
def lapse(second_id: str) -> None:
    """Let a proposal that nobody seconded lapse. Idempotent."""
    with act(instance_actor(), None) as doing:
        made = Seconding.objects.select_for_update().filter(id=second_id, state=WAITING).first()
        if made is not None and made.lapses_at <= doing.now:
            made.state, made.settled_at = LAPSED, doing.now
            _forget(made)
            made.save()
            _record(doing, Event.CUSTODY_SECOND_LAPSED, made)


def proposals(actor: Actor) -> list[dict[str, Any]]:
    """The newest 200 proposals that this person could second or has made, newest first."""
    if not actor.may(Permission.CUSTODY_HOLD):  # who may do none of them reads an empty list
        actor.require(Permission.ENGAGEMENT_READ)
    with reading(actor) as instance:
        own, now, titles = vault.reader_id(actor), instance.clock.now(), chosen()
        rows = Seconding.objects.order_by("-proposed_at", "id")[:200]
        return [
            {
                "id": row.id,
                "kind": row.kind,
                "title": titles.get(row.kind, {}).get("title", row.kind),
                "object": row.object_id,
                "why": row.why,
                "proposer": row.proposer,
                "proposed_at": row.proposed_at,
                "lapses_at": row.lapses_at,
                "state": LAPSED if row.state == WAITING and row.lapses_at <= now else row.state,
                "seconder": row.seconder,
                "own": row.proposer == own,
                "may_second": row.proposer != own,
                "asks": _kinds[row.kind].asks,
            }
            for row in rows
            if row.proposer == own or actor.may(_kinds[row.kind].permission)
        ]
