"""A partner selection: one partner or many, each agreed on and taken back by itself.

Rules:
- The lab agrees by naming. Accepting the selection agrees on whom the office had not answered yet.
- Each side moves its own stance alone (`engagement.stances`); a message carries the sender's stance
  with its number, and the highest number stands, in whatever order they come.
- A partner counts as agreed while the selection stands accepted and both sides agree.
- Nothing here reads a plan, a window or a session, and nothing there reads this: an office's word
  about a partner changes nothing in what the lab may do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from vedette.engagement import partners as rules
from vedette.engagement.acts import ActKind, ActState
from vedette.engagement.partners import Partner
from vedette.engagement.stances import STANCES, Stance
from vedette.engagement.table import Actor as Side
from vedette.engagement.table import Row
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission
from vedette.services import partners
from vedette.services.acting import Actor, Doing, act
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.sides import may_move, note, own_side, stamp
from vedette.store.models import Act, TrustedPartner

OVER = (ActState.DECLINED, ActState.WITHDRAWN, ActState.LAPSED)
TEXTS = ("name", "sector", "reason", "conflicts")


def named(
    pack: PolicyPack,
    kind: str,
    act_id: str,
    one: Mapping[str, Any] | None,
    many: Iterable[Mapping[str, Any]] | None,
) -> tuple[Partner, ...]:
    """The partners of an offer, () for the other kinds. Raises BadInput naming the field.

    A partner given alone has its id from the act, one of several an id of its own.
    """
    given = list(many or ())
    if kind != ActKind.PARTNER_SELECTION:
        if one or given:
            raise BadInput("partner: belongs to a partner selection alone")
        return ()
    if one and given:
        raise BadInput("partners: name one partner, or several, not both ways at once")
    if not one and not given:
        raise BadInput("partner: a partner selection names one")
    found = (
        [_read(one, "partner-" + act_id.partition("-")[2])]
        if one
        else [_read(row, str(row.get("id") or new_id("partner"))) for row in given]
    )
    rules.check_partners(pack, found)
    return tuple(found)


def _read(given: Mapping[str, Any], partner_id: str) -> Partner:
    name, sector, reason, conflicts = (str(given.get(text) or "").strip() for text in TEXTS)
    return Partner(
        id=partner_id,
        name=name,
        sector=sector,
        reason=reason,
        conflicts=conflicts,
        criteria=tuple(given.get("criteria") or ()),
        small=bool(given.get("small")),
        lab_ties=_ties(given.get("ties") or ()),
    )


def _ties(given: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(tie.get("kind", "")), str(tie.get("text", ""))) for tie in given)


def offer_body(chosen: tuple[Partner, ...], act_id: str) -> dict[str, Any]:
    """The partners as they cross with the offer: one alone in the form that every version reads."""
    rows = [
        {
            "id": partner.id,
            **{name: getattr(partner, name) for name in TEXTS},
            "criteria": list(partner.criteria),
            "small": partner.small,
            "ties": [{"kind": kind, "text": text} for kind, text in partner.lab_ties],
        }
        for partner in chosen
    ]
    if len(rows) == 1 and rows[0]["id"].partition("-")[2] == act_id.partition("-")[2]:
        del rows[0]["id"]
        return {"partner": rows[0]}
    return {"partners": rows} if rows else {}


def keep(doing: Doing, row: Act, chosen: tuple[Partner, ...], at: datetime) -> None:
    """Write the partners of a new selection down, the lab agreeing by naming them."""
    ids = [partner.id for partner in chosen]
    if ids and TrustedPartner.objects.filter(id__in=ids).exists():
        raise BadInput("partners: an id is in use here already")
    for place, partner in enumerate(chosen):
        TrustedPartner(
            id=partner.id,
            org_id=row.org_id,
            act=row,
            place=place,
            **{name: getattr(partner, name) for name in TEXTS},
            small=partner.small,
            criteria=list(partner.criteria),
            lab_ties=[list(tie) for tie in partner.lab_ties],
            lab_stance=Stance.AGREED,
            lab_at=at,
        ).save(force_insert=True)


def again(row: Act, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The partners of an act that is over, as `offer_act` takes them once more."""
    if row.kind != ActKind.PARTNER_SELECTION or changes.get("partner") or changes.get("partners"):
        return {}
    rows = [
        {
            **{name: getattr(old, name) for name in TEXTS},
            "criteria": list(old.criteria),
            "small": old.small,
            "ties": [{"kind": kind, "text": text} for kind, text in old.lab_ties],
        }
        for old in row.partners.order_by("place", "id")
    ]
    return {"partner": rows[0]} if len(rows) == 1 else {"partners": rows}


def accepted(doing: Doing, row: Act) -> None:
    """The office accepted the selection: it agrees on whom it had not answered yet."""
    for partner in row.partners.filter(office_stance=Stance.UNANSWERED).order_by("place", "id"):
        partner.office_stance, partner.office_at = Stance.AGREED, doing.now
        partner.save(update_fields=["office_stance", "office_at"])
    for partner in row.partners.order_by("place", "id"):
        partners.tell(doing, row, partner)


def withdrawn(doing: Doing, row: Act, side: Side) -> None:
    """One side withdrew the selection: it takes its agreement on each partner back."""
    for partner in row.partners.order_by("place", "id"):
        if getattr(partner, f"{side}_stance") == Stance.AGREED:
            setattr(partner, f"{side}_stance", Stance.TAKEN_BACK)
            setattr(partner, f"{side}_at", doing.now)
            partner.save(update_fields=[f"{side}_stance", f"{side}_at"])
        partners.tell(doing, row, partner)


def answer_partner(
    actor: Actor,
    partner_id: str,
    trigger: str,
    reason: str = "",
    ties: Iterable[Mapping[str, str]] | None = None,
) -> TrustedPartner:
    """Agree on one partner, decline it, or take one's agreement back; no reason is owed.

    Args:
        trigger: a move of `STANCES`: agree, decline, take back.
        ties: conflicts of interest that this side declares, each `{"kind", "text"}`; they replace
            those that it declared before. None leaves them.
    """
    with act(actor, None) as doing:
        row, partner = _found(partner_id)
        side = own_side()
        move = STANCES.step(getattr(partner, f"{side}_stance"), trigger, side)
        may_move(actor, move)
        _standing(row, move, side)
        declared = partner_ties(partner, side) if ties is None else _ties(ties)
        rules.check_ties(doing.here.pack, declared)
        _set(partner, side, move.target, doing.now, note(reason, "reason"), declared)
        setattr(partner, f"{side}_number", getattr(partner, f"{side}_number") + 1)
        partner.save()
        message_id = doing.send(
            row.peer,
            "partner.answered",
            {
                "act": row.id,
                "partner": partner.id,
                "stance": str(move.target),
                "number": getattr(partner, f"{side}_number"),
                "at": stamp(doing.now),
                "reason": reason or None,
                "ties": [{"kind": kind, "text": text} for kind, text in declared],
            },
            thread=row.id,
            marking=row.marking,
        )
        _record(doing, row, partner, move, message_id)
        partners.tell(doing, row, partner)
        return partner


def _found(partner_id: str) -> tuple[Act, TrustedPartner]:
    found = TrustedPartner.objects.select_related("act", "act__peer").filter(id=partner_id)
    partner = found.select_for_update(of=("self",)).first()
    if partner is None:
        raise NotFound(f"partner {partner_id[:40]!r} is not here")
    return partner.act, partner


def _standing(row: Act, move: Row, side: Side) -> None:
    """Agreeing needs a selection that stands; declining and taking back never do."""
    if move.target != Stance.AGREED:
        return
    if row.state in OVER:
        step = "offer the selection again" if side == Side.LAB else "ask the lab to offer it again"
        raise Refused(f"the selection is {row.state}", kept="the partner as it was", next_step=step)
    if side == Side.OFFICE and row.state != ActState.ACCEPTED:
        raise Refused(
            "the selection is not accepted yet",
            kept="the partner as it was",
            next_step="accept the selection; whom you declined before stays declined",
        )


def partner_ties(partner: TrustedPartner, side: Side) -> tuple[tuple[str, str], ...]:
    return tuple((kind, text) for kind, text in getattr(partner, f"{side}_ties"))


def _set(
    partner: TrustedPartner,
    side: Side,
    stance: str,
    at: datetime,
    reason: str,
    ties: Iterable[tuple[str, str]],
) -> None:
    setattr(partner, f"{side}_stance", stance)
    setattr(partner, f"{side}_at", at)
    setattr(partner, f"{side}_note", reason)
    setattr(partner, f"{side}_ties", [list(tie) for tie in ties])


def _record(doing: Doing, row: Act, partner: TrustedPartner, move: Row, message_id: str) -> None:
    doing.record(
        move.event,
        row.id,
        {"partner": partner.id, "stance": move.target},
        marking=row.marking,
        message_id=message_id,
    )


def set_wave(actor: Actor, partner_id: str, wave: int | None) -> TrustedPartner:
    """The lab puts a partner in a wave of its own choice; None leaves it to the pack's rule."""
    with act(actor, Permission.ENGAGEMENT_OFFER) as doing:
        row, partner = _found(partner_id)
        if own_side() != Side.LAB or not (actor.host or actor.system):
            raise NotFound("no such thing here")
        if wave is not None and not 1 <= wave <= 99:
            raise BadInput("wave: a number from 1 to 99 expected")
        partner.wave = wave
        partner.save(update_fields=["wave"])
        doing.record(
            Event.ENGAGEMENT_PARTNER_STAGED,
            row.id,
            {"partner": partner.id, "wave": wave},
            marking="TLP:RED",
        )
        return partner


@handles("partner.answered")
def on_answered(arrival: Arrival) -> None:
    """The other side's stance on one partner arrives."""
    body, doing = arrival.body, arrival.doing
    side = Side.OFFICE if own_side() == Side.LAB else Side.LAB
    found = TrustedPartner.objects.select_related("act", "act__peer").select_for_update(
        of=("self",)
    )
    partner = found.filter(id=body["partner"], act__peer_id=arrival.peer.keyid).first()
    if partner is None or partner.act_id != body["act"]:
        raise NotYet(f"partner {body['partner']} has not arrived")
    if side == Side.LAB and body["stance"] == Stance.DECLINED:
        raise BadInput("partner.answered: the lab declines nobody that it named")
    if body["number"] <= getattr(partner, f"{side}_number"):
        return
    ties = _ties(body.get("ties", ()))
    rules.check_ties(doing.here.pack, ties)
    at = parse_time(body["at"], field="body.at")
    _set(partner, side, body["stance"], at, body.get("reason", ""), ties)
    setattr(partner, f"{side}_number", body["number"])
    partner.save()
    move = next(r for r in STANCES.rows if r.target == body["stance"] and r.actor == side)
    _record(doing, partner.act, partner, move, arrival.message.id)
    partners.tell(doing, partner.act, partner)
