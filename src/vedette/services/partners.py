"""Trusted partners as they stand: told to the clearinghouse, shown to people.

Rules:
- The lab tells its clearinghouse who is agreed on, by name and sector, and when that is taken
  back; each word has a number, and the highest stands there.
- What is shown to one side of a partner is shown to the other: stances, reasons, declared ties.
  Waves are the lab's own, and stay on its instance.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from vedette.engagement.acts import ActKind, ActState
from vedette.engagement.conflicts import Known, concerns
from vedette.engagement.partners import Partner
from vedette.engagement.sectors import Seats, Wave, advice, balance, sector_of, waves
from vedette.engagement.stances import STANCES, Stance
from vedette.engagement.table import Actor as Side
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, reading
from vedette.services.here import Here, here
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.sides import own_side, stamp
from vedette.store.models import Act, EarlyAccess, Membership, Peer, Terms, TrustedPartner


def pure(row: TrustedPartner) -> Partner:
    """A row as the rules see it. It is agreed on while its selection stands accepted."""
    standing = row.act.state == ActState.ACCEPTED
    at = {
        f"{side}_agreed": getattr(row, f"{side}_at")
        if standing and getattr(row, f"{side}_stance") == Stance.AGREED
        else None
        for side in Side
        if side != Side.CLOCK
    }
    return Partner(
        id=row.id,
        name=row.name,
        sector=row.sector,
        criteria=tuple(row.criteria),
        reason=row.reason,
        conflicts=row.conflicts,
        small=row.small,
        lab_ties=tuple((kind, text) for kind, text in row.lab_ties),
        office_ties=tuple((kind, text) for kind, text in row.office_ties),
        **at,
    )


def agreed_at(row: TrustedPartner) -> datetime | None:
    """The moment from which both sides agree on a partner, None while they do not."""
    if here().profile == Profile.CLEARINGHOUSE:
        return row.told_at if row.told else None
    return pure(row).agreed


def tell(doing: Doing, row: Act, partner: TrustedPartner) -> None:
    """Tell the clearinghouses where a partner's agreement changed; on the lab alone. Idempotent."""
    if own_side() != Side.LAB:
        return
    partner.act = row
    agreed = pure(partner).agreed
    if (agreed is not None) == partner.told:
        return
    partner.told, partner.told_number = agreed is not None, partner.told_number + 1
    partner.save(update_fields=["told", "told_number"])
    ids = {"act": row.id, "partner": partner.id, "number": partner.told_number}
    if agreed is not None:
        facts = {"name": partner.name, "sector": partner.sector, "small": partner.small}
        _tell(doing, row, "partner.named", {**ids, **facts, "agreed": stamp(agreed)})
    else:
        _tell(doing, row, "partner.withdrawn", {**ids, "at": stamp(doing.now)})


def _tell(doing: Doing, row: Act, type_: str, body: dict[str, Any]) -> None:
    peers = Peer.objects.filter(profile=Profile.CLEARINGHOUSE).order_by("name")
    sent = [doing.send(peer, type_, body, thread=row.id, marking=row.marking) for peer in peers]
    event = (
        Event.ENGAGEMENT_PARTNER_AGREED
        if type_ == "partner.named"
        else Event.ENGAGEMENT_PARTNER_WITHDRAWN
    )
    doing.record(event, row.id, body, marking=row.marking, message_id=sent[0] if sent else "")


@handles("partner.named")
def on_named(arrival: Arrival) -> None:
    """The clearinghouse learns of a trusted partner, by name."""
    doing, body = arrival.doing, arrival.body
    row, _ = Act.objects.get_or_create(
        id=body["act"],
        defaults={
            "org_id": doing.here.org,
            "peer": arrival.peer,
            "kind": ActKind.PARTNER_SELECTION,
            "state": ActState.ACCEPTED,
            "marking": arrival.message.marking,
            "offered_at": doing.now,
            "pack_digest": doing.here.pack.digest,
        },
    )
    if row.peer_id != arrival.peer.keyid:
        raise NotFound("no such selection of this peer")
    partner_id = body.get("partner") or "partner-" + body["act"].partition("-")[2]
    known = TrustedPartner.objects.select_for_update(of=("self",)).filter(id=partner_id).first()
    if known is not None and (known.act_id != row.id or known.told_number >= body.get("number", 1)):
        return
    partner = known or TrustedPartner(id=partner_id, org_id=row.org_id, act=row)
    partner.name, partner.sector = body["name"], body["sector"]
    partner.small = body.get("small", False)
    partner.lab_stance = partner.office_stance = Stance.AGREED
    _set_told(arrival, partner, True, parse_time(body["agreed"], field="body.agreed"))


@handles("partner.withdrawn")
def on_withdrawn(arrival: Arrival) -> None:
    """The clearinghouse learns that a partner is agreed on no more."""
    body = arrival.body
    found = TrustedPartner.objects.select_related("act").select_for_update(of=("self",))
    partner = found.filter(id=body["partner"], act__peer_id=arrival.peer.keyid).first()
    if partner is None:
        raise NotYet(f"partner {body['partner']} has not arrived")
    if partner.told_number >= body["number"]:
        return
    _set_told(arrival, partner, False, parse_time(body["at"], field="body.at"))


def _set_told(arrival: Arrival, partner: TrustedPartner, told: bool, at: datetime) -> None:
    partner.told, partner.told_at = told, at
    partner.told_number = arrival.body.get("number", 1)
    partner.save()
    arrival.doing.record(
        Event.ENGAGEMENT_PARTNER_AGREED if told else Event.ENGAGEMENT_PARTNER_WITHDRAWN,
        partner.act_id,
        dict(arrival.body),
        marking=partner.act.marking,
        message_id=arrival.message.id,
    )


def _rows(act_id: str = "") -> QuerySet[TrustedPartner]:
    rows = TrustedPartner.objects.select_related("act", "act__peer")
    rows = rows.filter(act_id=act_id) if act_id else rows
    return rows.order_by("act__offered_at", "act_id", "place", "id")


def partners(actor: Actor, act_id: str = "") -> list[dict[str, Any]]:
    """Partners named here (in one selection), with what each side says: for pages and the API."""
    with reading(actor, Permission.ENGAGEMENT_READ) as instance:
        if act_id and not Act.objects.filter(id=act_id).exists():
            raise NotFound(f"act {act_id[:40]!r} is not here")
        rows = list(_rows(act_id)[:1000])
        known = _known(instance) if rows else Known()
        people = _people(instance)
        return [_view(actor, instance, row, known, people) for row in rows]


def partner_view(actor: Actor, partner_id: str) -> dict[str, Any]:
    """One partner. Raises NotFound."""
    with reading(actor, Permission.ENGAGEMENT_READ) as instance:
        row = _rows().filter(id=partner_id).first()
        if row is None:
            raise NotFound(f"partner {partner_id[:40]!r} is not here")
        return _view(actor, instance, row, _known(instance), _people(instance))


def _people(instance: Here) -> dict[str, frozenset[str]]:
    """Mail addresses of the partners' people, by partner, where they sign in here."""
    if instance.profile != Profile.LAB:
        return {}
    orgs = dict(EarlyAccess.objects.values_list("partner", "org_id"))
    members = list(
        Membership.objects.filter(org_id__in=orgs.values()).values_list("org_id", "person__email")
    )
    return {
        partner: frozenset(email for org_id, email in members if org_id == org)
        for partner, org in orgs.items()
    }


def _known(instance: Here) -> Known:
    peers = list(Peer.objects.values_list("name", "profile"))
    named = [
        str(p["id"])
        for doc in Terms.objects.values_list("document", flat=True)
        for p in doc.get("people", ())
    ]
    return Known(
        lab=instance.name if instance.profile == Profile.LAB else "",
        office=instance.name if instance.profile == Profile.OFFICE else "",
        labs=frozenset(name for name, profile in peers if profile == Profile.LAB),
        people=frozenset(named),
        domains=frozenset(person.rpartition("@")[2] for person in named if "@" in person),
    )


def _view(
    actor: Actor,
    instance: Here,
    row: TrustedPartner,
    known: Known,
    people: dict[str, frozenset[str]],
) -> dict[str, Any]:
    partner, side = pure(row), _side(instance)
    if instance.profile != Profile.CLEARINGHOUSE:
        other = {Side.LAB: {"office": row.act.peer.name}, Side.OFFICE: {"lab": row.act.peer.name}}
        known = Known(**{**known.__dict__, **(other[side] if side else {})})
    shown = {
        "act": row.act_id,
        "partner": row.id,
        "peer": row.act.peer.name,
        "state": row.act.state,
        "model": row.act.model,
        "marking": row.act.marking,
        "name": row.name,
        "sector": row.sector,
        "sector_title": sector_of(instance.pack, row.sector).title,
        "small": row.small,
        "criteria": list(row.criteria),
        "reason": row.reason,
        "conflicts": row.conflicts,
        "agreed": stamp(agreed_at(row)),
        "lab_agreed": stamp(partner.lab_agreed),
        "office_agreed": stamp(partner.office_agreed),
    }
    if side is None:
        return shown
    return {
        **shown,
        "advice": advice(instance.pack, partner),
        "concerns": [
            {"kind": c.kind, "text": c.text, "by": c.by}
            for c in concerns(instance.pack, partner, known, people.get(row.id, frozenset()))
        ],
        "lab": _stance(row, Side.LAB),
        "office": _stance(row, Side.OFFICE),
        "wave": row.wave,
        "moves": _moves(actor, row, side),
    }


def _side(instance: Here) -> Side | None:
    return own_side() if instance.profile in (Profile.LAB, Profile.OFFICE) else None


def _stance(row: TrustedPartner, side: Side) -> dict[str, Any]:
    return {
        "stance": getattr(row, f"{side}_stance"),
        "at": stamp(getattr(row, f"{side}_at")),
        "reason": getattr(row, f"{side}_note"),
    }


def _moves(actor: Actor, row: TrustedPartner, side: Side) -> list[dict[str, str]]:
    """The buttons of this side: agreeing needs a selection that stands."""
    if not (actor.host or actor.system):
        return []
    standing = row.act.state == ActState.ACCEPTED or (
        row.act.state == ActState.OFFERED and side == Side.LAB
    )
    return [
        {"trigger": move.trigger, "label": move.label, "to": move.target}
        for move in STANCES.moves(getattr(row, f"{side}_stance"), side)
        if move.permission
        and actor.may(move.permission)
        and (standing or move.target != Stance.AGREED)
    ]


def seats_of(actor: Actor, act_id: str = "") -> tuple[Seats, ...]:
    """Partners by sector, those that the order lists always among them."""
    with reading(actor, Permission.ENGAGEMENT_READ) as instance:
        return balance(instance.pack, [pure(row) for row in _rows(act_id)[:1000]])


def staged(actor: Actor, act_id: str) -> tuple[Wave, ...]:
    """The waves of a selection: a proposal by the pack's rule, with the lab's own choices."""
    with reading(actor, Permission.ENGAGEMENT_OFFER) as instance:
        if instance.profile != Profile.LAB:
            raise NotFound("no such thing here")
        if not Act.objects.filter(id=act_id, kind=ActKind.PARTNER_SELECTION).exists():
            raise NotFound(f"selection {act_id[:40]!r} is not here")
        rows = [row for row in _rows(act_id) if row.lab_stance == Stance.AGREED]
        chosen = {row.id: row.wave for row in rows if row.wave}
        return waves(instance.pack, [pure(row) for row in rows], chosen)
