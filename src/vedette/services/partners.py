"""Trusted partners: named with a partner-selection act, agreed by its acceptance.

The lab then tells its clearinghouse who was agreed on, by name and sector, no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vedette.engagement import partners as rules
from vedette.engagement.acts import ActKind, ActState
from vedette.engagement.partners import Partner
from vedette.engagement.table import Actor as Side
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, reading
from vedette.services.inbox import Arrival, handles
from vedette.services.sides import own_side, stamp
from vedette.store.models import Act, Peer

NAMED = ("name", "sector", "criteria", "reason", "conflicts")


def taken(
    pack: PolicyPack,
    kind: str,
    act_id: str,
    given: Mapping[str, Any] | None,
    now: datetime,
) -> dict[str, Any]:
    """The partner as the act keeps it, {} for the other kinds. Raises BadInput."""
    if kind != ActKind.PARTNER_SELECTION:
        if given:
            raise BadInput("partner: belongs to a partner selection alone")
        return {}
    if not given:
        raise BadInput("partner: a partner selection names one")
    partner = Partner(
        id=act_id,
        name=str(given.get("name") or "").strip(),
        sector=str(given.get("sector") or ""),
        criteria=tuple(given.get("criteria") or ()),
        reason=str(given.get("reason") or ""),
        conflicts=str(given.get("conflicts") or ""),
    )
    rules.check_partner(pack, partner)
    return _document(rules.agree(partner, Side.LAB, now))


def _document(partner: Partner) -> dict[str, Any]:
    return {
        **{name: getattr(partner, name) for name in NAMED},
        "criteria": list(partner.criteria),
        "lab_agreed": stamp(partner.lab_agreed),
        "office_agreed": stamp(partner.office_agreed),
        "agreed": stamp(partner.agreed),
    }


def _partner(row: Act) -> Partner:
    found = row.partner
    return Partner(
        id=row.id,
        name=found["name"],
        sector=found["sector"],
        criteria=tuple(found["criteria"]),
        reason=found["reason"],
        conflicts=found["conflicts"],
        lab_agreed=_moment(found, "lab_agreed"),
        office_agreed=_moment(found, "office_agreed"),
    )


def _moment(found: Mapping[str, Any], name: str) -> datetime | None:
    return parse_time(found[name], field=name) if found.get(name) else None


def agree(doing: Doing, row: Act) -> None:
    """Record that the office agreed; the lab names the partner to its clearinghouse."""
    row.partner = _document(rules.agree(_partner(row), Side.OFFICE, doing.now))
    row.save(update_fields=["partner"])
    sent = [_name(doing, row, peer) for peer in _clearinghouses()]
    doing.record(
        Event.ENGAGEMENT_PARTNER_AGREED,
        row.id,
        {"partner": row.partner},
        marking=row.marking,
        message_id=sent[0] if sent else "",
    )


def _clearinghouses() -> list[Peer]:
    if own_side() != Side.LAB:
        return []
    return list(Peer.objects.filter(profile=Profile.CLEARINGHOUSE).order_by("name"))


def _name(doing: Doing, row: Act, peer: Peer) -> str:
    body = {
        "act": row.id,
        "name": row.partner["name"],
        "sector": row.partner["sector"],
        "agreed": row.partner["agreed"],
    }
    return doing.send(peer, "partner.named", body, thread=row.id, marking=row.marking)


def take_back(row: Act, side: Side) -> None:
    """Take one side's agreement back; the caller saves the act."""
    row.partner = _document(rules.take_back(_partner(row), side))


@handles("partner.named")
def on_named(arrival: Arrival) -> None:
    """The clearinghouse learns of a trusted partner, by name."""
    doing, body = arrival.doing, arrival.body
    row, new = Act.objects.get_or_create(
        id=body["act"],
        defaults={
            "org_id": doing.here.org,
            "peer": arrival.peer,
            "kind": ActKind.PARTNER_SELECTION,
            "state": ActState.ACCEPTED,
            "partner": {name: body[name] for name in ("name", "sector", "agreed")},
            "marking": arrival.message.marking,
            "offered_at": doing.now,
            "pack_digest": doing.here.pack.digest,
        },
    )
    if new:
        doing.record(
            Event.ENGAGEMENT_PARTNER_AGREED,
            row.id,
            {"partner": row.partner},
            marking=row.marking,
            message_id=arrival.message.id,
        )


def partners(actor: Actor) -> list[dict[str, Any]]:
    """Every partner named here, with whether both sides agree: for pages and the API."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        rows = Act.objects.select_related("peer").filter(kind=ActKind.PARTNER_SELECTION)
        return [
            {"act": row.id, "peer": row.peer.name, "state": row.state, **row.partner}
            for row in rows.order_by("offered_at", "id")
        ]
