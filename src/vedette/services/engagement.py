"""The three voluntary acts: offered by the lab, answered by the office, withdrawn by either.

Rules:
- Every move is a row of the table in `engagement.acts`; its event enters the ledger.
- An act that is over stays as it was; offering again makes a new act with an id of its own, so
  that no late message about the old one touches the new one.
- A message that finds its act over already changes nothing. An acceptance that comes after the
  offer has lapsed is answered by a withdrawal, so that both sides end up with the same state.
- With an act its window ends. Nothing here reads or writes what the lab decided, and nothing but
  a window's latest end depends on a date of the lab's plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from vedette.engagement import acts as rules
from vedette.engagement.acts import ACTS, ActKind, ActState
from vedette.engagement.table import Actor as Side
from vedette.engagement.table import Row
from vedette.engagement.window import WINDOW
from vedette.kernel import markings
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.markings import AMBER_STRICT, Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.services import custody, offers, selection, windows
from vedette.services.acting import Actor, Doing, act, instance_actor
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.jobs import job, schedule
from vedette.services.outbox import find_peer
from vedette.services.sides import arrived_act, find_act, may_move, note, only, own_side
from vedette.store.models import Act, Plan
from vedette.store.tenancy import SYSTEM, scoped

OVER = (ActState.DECLINED, ActState.WITHDRAWN, ActState.LAPSED)


def offer_act(
    actor: Actor,
    peer: str,
    kind: str,
    model: str,
    *,
    basis: str = "",
    purpose: str = "",
    opens: datetime | None = None,
    closes: datetime | None = None,
    partner: Mapping[str, Any] | None = None,
    partners: Iterable[Mapping[str, Any]] | None = None,
    dossier: Iterable[str] = (),
    text: str = "",
    answer_by: datetime | None = None,
    declassify: str = "",
) -> Act:
    """Offer one of the three acts to an office.

    Args:
        peer: the office, by its name here or the beginning of its key id.
        basis, opens, closes, purpose: of an access window; basis defaults to the pack's.
        partner: name, sector, small, criteria, reason, conflicts, ties; of a partner selection.
        partners: several of them, instead of one.
        dossier: ids of the dossier's fields that go with the offer.
        answer_by: when the offer lapses unanswered; the pack's number of days by default.
        declassify: the day (YYYYMMDD) or an instruction of the pack's list, which what is derived
            from the act carries on; "" for none.
    """
    only(Profile.LAB, actor)
    with act(actor, Permission.ENGAGEMENT_OFFER) as doing:
        move = ACTS.step(ACTS.initial, "offer", Side.LAB)
        to = find_peer(peer)
        if to.profile != Profile.OFFICE:
            raise BadInput(f"peer: {to.name[:60]!r} is no office")
        row = Act(
            id=new_id("act"),
            org_id=actor.org,
            peer=to,
            kind=offers.checked_kind(kind),
            model=offers.checked_model(model),
            note=note(text, "note"),
            offered_at=doing.now,
            answer_by=offers.answer_date(doing, answer_by),
            pack_digest=doing.here.pack.digest,
            declassify=offers.checked_instruction(doing.here.pack, declassify),
        )
        offers.take_window(doing, row, basis, opens, closes, purpose)
        named = selection.named(doing.here.pack, row.kind, row.id, partner, partners)
        chosen = offers.dossier_part(doing, row.model, dossier)
        row.dossier = dict(chosen.values)
        row.marking = str(markings.join([AMBER_STRICT, chosen.marking]))
        body = offers.offer_body(row) | selection.offer_body(named, row.id)
        _move(doing, row, move, send=("engagement.offered", body))
        selection.keep(doing, row, named, doing.now)
        _plan_lapse(row)
        return row


def offer_again(actor: Actor, act_id: str, **changes: Any) -> Act:
    """Offer an act that is over once more, as a new act; `changes` as in `offer_act`."""
    only(Profile.LAB, actor)
    with act(actor, Permission.ENGAGEMENT_OFFER):
        old = find_act(act_id)
        ACTS.step(old.state, "offer", Side.LAB)
        given: dict[str, Any] = {
            "basis": old.basis,
            "purpose": old.purpose,
            "opens": old.opens,
            "closes": old.closes,
            **selection.again(old, changes),
            "dossier": tuple(old.dossier),
            "text": old.note,
            "declassify": old.declassify,
        }
        return offer_act(actor, old.peer_id, old.kind, old.model, **{**given, **changes})


def _move(
    doing: Doing,
    row: Act,
    move: Row,
    *,
    send: tuple[str, Mapping[str, Any]] | None = None,
    message_id: str = "",
) -> None:
    """Take one row of the table: state, message where one goes out, ledger entry."""
    row.state = move.target
    row.save()
    if send is not None:
        type_, body = send
        message_id = doing.send(row.peer, type_, body, thread=row.id, marking=row.marking)
    doing.record(
        move.event,
        row.id,
        {"kind": row.kind, "state": move.target, "reason": row.reason},
        marking=row.marking,
        message_id=message_id,
    )
    if move.target in OVER:
        custody.follow(doing, row, row.window_ended)


def _plan_lapse(row: Act) -> None:
    if row.answer_by is not None:
        schedule(f"act {row.id} lapse", lapse, row.answer_by, act_id=row.id)


@job()
def lapse(act_id: str) -> None:
    """Let an unanswered offer lapse at its hour. Idempotent."""
    with act(instance_actor(), None) as doing:
        row = Act.objects.select_for_update().filter(id=act_id).first()
        if row is not None and rules.has_lapsed(row.state, row.answer_by, doing.now):
            _move(doing, row, ACTS.step(row.state, "lapse", Side.CLOCK))


def answer_act(actor: Actor, act_id: str, answer: str, reason: str = "") -> Act:
    """The office accepts or declines an offer; a reason is welcome, none is owed."""
    triggers = {"accepted": "accept", "declined": "decline"}
    if answer not in triggers:
        raise BadInput(f"answer: {answer[:40]!r} is none of {', '.join(triggers)}")
    only(Profile.OFFICE, actor)
    with act(actor, Permission.ENGAGEMENT_ANSWER) as doing:
        row = find_act(act_id)
        move = ACTS.step(row.state, triggers[answer], Side.OFFICE)
        if rules.has_lapsed(ActState(row.state), row.answer_by, doing.now):
            raise Refused(
                "the offer has lapsed", kept="the act", next_step="ask the lab to offer it again"
            )
        row.reason, row.answered_at = note(reason, "reason"), doing.now
        body = {"act": row.id, "answer": answer, "reason": reason or None}
        _move(doing, row, move, send=("engagement.answered", body))
        if move.target == ActState.ACCEPTED and row.kind == ActKind.PARTNER_SELECTION:
            selection.accepted(doing, row)
        return row


def withdraw_act(actor: Actor, act_id: str, reason: str = "") -> Act:
    """Withdraw an act, at any time; an access window that has not closed ends at once."""
    with act(actor, None) as doing:
        row = find_act(act_id)
        side = own_side()
        move = ACTS.step(row.state, "withdraw", side)
        may_move(actor, move)
        _withdraw(doing, row, move, side, note(reason, "reason"))
        return row


def end_window(actor: Actor, act_id: str, reason: str = "") -> Act:
    """End an access window at once, before its hour: the act is withdrawn with it."""
    with act(actor, None) as doing:
        row = find_act(act_id)
        side = own_side()
        if not row.window_state:
            raise Refused("no window is agreed on this act", kept="the act as it was")
        may_move(actor, WINDOW.step(row.window_state, "end", side))
        move = ACTS.step(row.state, "withdraw", side)
        _withdraw(doing, row, move, side, note(reason, "reason"))
        return row


def _withdraw(doing: Doing, row: Act, move: Row, side: Side, reason: str) -> None:
    windows.end_now(doing, row, side, reason)
    row.reason = reason
    body = {"act": row.id, "reason": reason or None}
    _move(doing, row, move, send=("engagement.withdrawn", body))
    if row.kind == ActKind.PARTNER_SELECTION:
        selection.withdrawn(doing, row, side)


def cut(model: str, partner_release: datetime) -> None:
    """Have windows on `model` that would outlast an earlier partner release end with it."""
    with scoped(SYSTEM):
        rows = Act.objects.filter(
            kind=ActKind.ACCESS_WINDOW, model=model, closes__gt=partner_release
        )
        for row in rows.exclude(state__in=OVER):
            schedule(f"window {row.id} release", release_came, partner_release, act_id=row.id)


@job()
def release_came(act_id: str) -> None:
    """Withdraw a window that the partner release, moved since, has come before. Idempotent."""
    with act(instance_actor(), None) as doing:
        row = Act.objects.select_for_update().filter(id=act_id).exclude(state__in=OVER).first()
        if row is None or row.closes is None or row.closes <= doing.now:
            return
        plan = Plan.objects.filter(model=row.model, partner_release__lte=doing.now).first()
        if plan is not None:
            move = ACTS.step(row.state, "withdraw", Side.LAB)
            _withdraw(doing, row, move, Side.LAB, "the window ends with the partner release")


@handles("engagement.offered")
def on_offered(arrival: Arrival) -> None:
    """The office receives an offer."""
    doing, body = arrival.doing, arrival.body
    if Act.objects.filter(id=body["act"]).exists():
        raise Refused(f"act {body['act']} is here already", kept="the act as it was")
    row = Act(
        id=body["act"],
        org_id=doing.here.org,
        peer=arrival.peer,
        kind=body["kind"],
        model=body["model"],
        note=body.get("note", ""),
        dossier=body.get("dossier", {}),
        marking=str(Marking.parse(arrival.message.marking)),
        offered_at=parse_time(arrival.message.sent_at, field="sent_at"),
        answer_by=offers.time_in(body, "answer_by"),
        pack_digest=doing.here.pack.digest,
        declassify=body.get("declassify", ""),
    )
    if row.kind == ActKind.ACCESS_WINDOW:
        offers.take_window(
            doing,
            row,
            body.get("basis", ""),
            offers.time_in(body, "opens"),
            offers.time_in(body, "closes"),
            body.get("purpose", ""),
        )
    named = selection.named(
        doing.here.pack, row.kind, row.id, body.get("partner"), body.get("partners")
    )
    move = ACTS.step(ACTS.initial, "offer", Side.LAB)
    _move(doing, row, move, message_id=arrival.message.id)
    selection.keep(doing, row, named, row.offered_at)
    _plan_lapse(row)


@handles("engagement.answered")
def on_answered(arrival: Arrival) -> None:
    """The lab receives the office's answer."""
    doing, body = arrival.doing, arrival.body
    only(Profile.LAB, doing.actor)
    row = arrived_act(arrival)
    if row.state == ActState.LAPSED and body["answer"] == "accepted":
        reason = "the offer had lapsed when the answer came; it can be offered again"
        doing.send(
            row.peer,
            "engagement.withdrawn",
            {"act": row.id, "reason": reason},
            thread=row.id,
            marking=row.marking,
        )
    if row.state in OVER:
        return
    trigger = "accept" if body["answer"] == "accepted" else "decline"
    move = ACTS.step(row.state, trigger, Side.OFFICE)
    row.reason, row.answered_at = body.get("reason", ""), doing.now
    _move(doing, row, move, message_id=arrival.message.id)
    if move.target == ActState.ACCEPTED and row.kind == ActKind.PARTNER_SELECTION:
        selection.accepted(doing, row)


@handles("engagement.withdrawn")
def on_withdrawn(arrival: Arrival) -> None:
    """The other side withdraws; what is over already stays as it is."""
    doing = arrival.doing
    row = arrived_act(arrival)
    side = Side.OFFICE if own_side() == Side.LAB else Side.LAB
    if row.state in OVER:
        return
    if side == Side.OFFICE and row.state == ActState.OFFERED:
        raise NotYet("the answer that this takes back has not arrived")
    move = ACTS.step(row.state, "withdraw", side)
    reason = arrival.body.get("reason", "")
    windows.end_now(doing, row, side, reason, arrival.message.id)
    row.reason = reason
    _move(doing, row, move, message_id=arrival.message.id)
    if row.kind == ActKind.PARTNER_SELECTION:
        selection.withdrawn(doing, row, side)
