"""Mandates between operators and their delegates on a clearinghouse's portal.

The rules are `clearinghouse.mandates`. What a mandate lets the delegate reach is written as rows of
`MandateReach` in the transaction that begins it, and gone with the one that ends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from vedette.clearinghouse.machine import PERMISSION_OF, Party
from vedette.clearinghouse.mandates import (
    MANDATE,
    STANDING,
    Bounds,
    MandateState,
    bounds,
    check_basis,
)
from vedette.kernel.clock import format_time
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, Doing, act, instance_actor, reading
from vedette.services.jobs import job, schedule
from vedette.services.parties import clearinghouse_only
from vedette.store.models import Mandate, MandateReach, Organisation
from vedette.store.tenancy import SYSTEM, scoped

DELEGATE, OPERATOR = "delegate", "operator"
MARKING = "TLP:AMBER+STRICT"


def make_mandate(
    actor: Actor,
    other: str,
    acts: Iterable[str],
    basis: str,
    ends: datetime,
    *,
    starts: datetime | None = None,
    sites: Iterable[str] = (),
) -> Mandate:
    """Offer a mandate to a delegate, or ask an operator for one; the other side may accept.

    Args:
        other: the delegate's or the operator's id or exact name; which of the two the actor is
            follows from its own organisation.
        acts: what the delegate may do (`MandateAct`).
        basis: what it rests on, kept verbatim.
        sites: names of inventories; none for the whole organisation.
    """
    clearinghouse_only()
    party = takes_part_as(actor)
    with act(actor, PERMISSION_OF[party]) as doing:
        asks = party == Party.DELEGATE
        own = _organisation(actor.org, "")
        their = _organisation(other, OPERATOR if asks else DELEGATE)
        operator, delegate = (their, own) if asks else (own, their)
        within = bounds(acts, starts or doing.now, ends, sites, doing.now)
        return begin(doing, "ask" if asks else "offer", party, operator, delegate, within, basis)


def begin(
    doing: Doing,
    trigger: str,
    party: Party,
    operator: Organisation,
    delegate: Organisation,
    within: Bounds,
    basis: str,
) -> Mandate:
    """Write a new mandate within an act."""
    move = MANDATE.step(MandateState.NEW, trigger, party)
    row = Mandate(
        org=operator,
        delegate=delegate,
        operator_name=operator.name,
        delegate_name=delegate.name,
        state=move.target,
        acts=sorted(within.acts),
        sites=list(within.sites),
        basis=check_basis(basis),
        starts_at=within.starts,
        ends_at=within.ends,
        registered=trigger == "register",
        made_by=doing.actor.name[:200],
        made_at=doing.now,
    )
    with scoped(SYSTEM):
        row.save(force_insert=True)
        if row.state == MandateState.IN_FORCE:
            _reach(row)
    schedule(f"mandate {row.id}", expire_mandate, row.ends_at, mandate=row.id)
    _record(doing, move.event, row)
    return row


def accept_mandate(actor: Actor, mandate_id: str) -> Mandate:
    """Accept what the other side offered or asked for."""
    return _move(actor, mandate_id, "accept")


def end_mandate(actor: Actor, mandate_id: str) -> Mandate:
    """End a mandate, offered, asked for or in force: at once, and by either side alone."""
    return _move(actor, mandate_id, "end")


def _move(actor: Actor, mandate_id: str, trigger: str) -> Mandate:
    clearinghouse_only()
    with act(actor, None) as doing:
        party = side(actor, _find(actor, mandate_id))
        actor.require(_needed(party))
        with scoped(SYSTEM):  # the delegate sees the row, but it is the operator's
            row = Mandate.objects.select_for_update(of=("self",)).get(id=mandate_id)
        if row.ends_at <= doing.now and row.state in STANDING:
            raise Refused("its time is over", kept="the mandate as it was")
        move = MANDATE.step(row.state, trigger, party)
        row.state = move.target
        if row.state == MandateState.IN_FORCE:
            row.accepted_by, row.accepted_at = actor.name[:200], doing.now
        else:
            row.ended_by, row.ended_at = f"{actor.name[:180]} ({party})", doing.now
        with scoped(SYSTEM):
            row.save()
            _reach(row)
        _record(doing, move.event, row)
        return row


@job()
def expire_mandate(mandate: str) -> None:
    """End a mandate whose time is over. Idempotent; it covers nothing any more without this."""
    with act(instance_actor(), None) as doing:
        row = Mandate.objects.select_for_update(of=("self",)).filter(id=mandate).first()
        if row is None or row.state not in STANDING or row.ends_at > doing.now:
            return
        move = MANDATE.step(row.state, "expire", Party.CLOCK)
        row.state, row.ended_at = move.target, doing.now
        row.save()
        _reach(row)
        _record(doing, move.event, row)


def _reach(row: Mandate) -> None:
    """Make the rows of what the mandate covers what they are to be in its state."""
    MandateReach.objects.filter(mandate=row).delete()
    if row.state == MandateState.IN_FORCE:
        MandateReach.objects.bulk_create(
            [
                MandateReach(
                    mandate=row,
                    delegate_id=row.delegate_id,
                    operator_id=row.org_id,
                    act=name,
                    site=site,
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                )
                for name in row.acts
                for site in row.sites or [""]
            ]
        )


def _record(doing: Doing, event: Event, row: Mandate) -> None:
    payload = {
        "operator": row.org_id,
        "delegate": row.delegate_id,
        "acts": row.acts,
        "sites": row.sites,
        "starts": format_time(row.starts_at),
        "ends": format_time(row.ends_at),
        "basis": row.basis,
    }
    doing.record(event, row.id, payload, marking=MARKING)


def side(actor: Actor, row: Mandate) -> Party:
    """Which side of a mandate the actor's organisation is."""
    return Party.OPERATOR if row.org_id == actor.org else Party.DELEGATE


def _needed(party: Party) -> Permission:
    needed = PERMISSION_OF[party]
    assert needed is not None, "only persons' sides take part"
    return needed


def part_of(actor: Actor) -> Party | None:
    """The side that the actor's organisation takes, by its kind; None for neither."""
    kind = _organisation(actor.org, "").kind
    return {DELEGATE: Party.DELEGATE, OPERATOR: Party.OPERATOR}.get(kind)


def takes_part_as(actor: Actor) -> Party:
    """The side that the actor's organisation takes. Raises NotFound for neither."""
    party = part_of(actor)
    if party is None:
        raise NotFound("your organisation takes no part in mandates")
    return party


def _organisation(name_or_id: str, kind: str) -> Organisation:
    with scoped(SYSTEM):
        named = Q(id=name_or_id) | Q(name=name_or_id.strip())
        rows = Organisation.objects.filter(named, host=False) if kind else None
        row = (
            rows.filter(kind=kind).order_by("pk").first()
            if rows is not None
            else Organisation.objects.filter(id=name_or_id).first()
        )
    if row is None:
        raise NotFound(f"no {kind or 'organisation'} {name_or_id[:60]!r} is here")
    found: Organisation = row
    return found


def delegates_here(actor: Actor) -> list[tuple[str, str]]:
    """The delegates that an operator can give a mandate to, as (id, name)."""
    clearinghouse_only()
    actor.require(Permission.MANDATE_GIVE)
    with transaction.atomic(), scoped(SYSTEM):
        rows = Organisation.objects.filter(kind=DELEGATE).order_by("name")
        return list(rows.values_list("id", "name"))


def mandates(actor: Actor) -> list[dict[str, Any]]:
    """The mandates that the actor's organisation gave or has, standing ones first."""
    clearinghouse_only()
    with reading(actor, Permission.MANDATE_READ) as instance:
        rows = list(_of(actor).order_by("-made_at", "pk"))
        now = instance.clock.now()
    described = [describe(row, actor, now) for row in rows]
    return sorted(described, key=lambda row: row["state"] not in STANDING)


def mandate(actor: Actor, mandate_id: str) -> dict[str, Any]:
    """One mandate with its basis and the moves of the actor's side. Raises NotFound."""
    clearinghouse_only()
    with reading(actor, Permission.MANDATE_READ) as instance:
        return describe(_find(actor, mandate_id), actor, instance.clock.now())


def _of(actor: Actor) -> Any:
    return Mandate.objects.filter(Q(org_id=actor.org) | Q(delegate_id=actor.org))


def _find(actor: Actor, mandate_id: str) -> Mandate:
    row: Mandate | None = _of(actor).filter(id=mandate_id).first()
    if row is None:
        raise NotFound(f"mandate {mandate_id[:40]!r} is not here")
    return row


def describe(row: Mandate, actor: Actor, now: datetime) -> dict[str, Any]:
    """A mandate as JSON, to one of its sides; what is over by the clock is said to be expired."""
    own = side(actor, row)
    over = row.state in STANDING and row.ends_at <= now
    moves = [] if over else [move.trigger for move in MANDATE.moves(row.state, own)]
    return {
        "id": row.id,
        "state": str(MandateState.EXPIRED) if over else row.state,
        "side": str(own),
        "operator": {"id": row.org_id, "name": row.operator_name},
        "delegate": {"id": row.delegate_id, "name": row.delegate_name},
        "acts": row.acts,
        "sites": row.sites,
        "basis": row.basis,
        "starts_at": format_time(row.starts_at),
        "ends_at": format_time(row.ends_at),
        "registered": row.registered,
        "made_by": row.made_by,
        "made_at": format_time(row.made_at),
        "accepted_by": row.accepted_by,
        "accepted_at": format_time(row.accepted_at) if row.accepted_at else None,
        "ended_by": row.ended_by,
        "ended_at": format_time(row.ended_at) if row.ended_at else None,
        "moves": moves if actor.may(_needed(own)) else [],
    }
