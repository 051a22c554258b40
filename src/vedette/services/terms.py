"""The terms of an access window: proposed and signed by the lab, signed by the office.

Rules:
- The lab proposes once an act; other terms need another act. Both sides sign the same bytes.
- Each side keeps both signatures, and checks the other's against the key it knows of that peer.
- With the second signature on an accepted act the window is agreed, and the clock does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vedette.engagement import terms as rules
from vedette.engagement.acts import ActKind, ActState
from vedette.engagement.table import Actor as Side
from vedette.engagement.terms import Person, Quota
from vedette.engagement.terms import Terms as Document
from vedette.engagement.window import check_window
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking, join
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, act
from vedette.services.here import here
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.sides import arrived_act, find_act, only, own_side, stamp
from vedette.services.term_versions import agreed_terms, keys_of, settle
from vedette.store.models import Act, Plan, Terms

__all__ = ["agreed_terms", "keys_of", "offered_terms", "sign_terms", "terms_view"]


def sign_terms(
    actor: Actor,
    act_id: str,
    people: Iterable[Mapping[str, str]] = (),
    purposes: Iterable[str] = (),
    quota: Mapping[str, int] | None = None,
    publication: str = "none",
    clauses: Iterable[str] | None = None,
    marking: str = "",
    export: bool | None = None,
    watermark: bool | None = None,
) -> Terms:
    """Sign the terms of an access window: the lab proposes them with it, the office agrees.

    Args (the lab's; the office signs what the lab proposed and gives none):
        people: `{"id", "name"}` of each person with access; the id is their address at the office.
        purposes: ids from the pack; the act's own purpose by default.
        quota: `{"calls", "tokens"}` of the whole window.
        publication: how a report may be published, an id from the pack.
        clauses: ids from the pack, all of them by default.
        marking: the highest that may be read under the terms; the pack's and the act's by default.
        export, watermark: whether the office may take copies away, and whether its copies name
            their reader; the pack's by default.
    """
    with act(actor, Permission.TERMS_SIGN) as doing:
        only(doing.here.profile, actor)
        side = own_side()
        row = find_act(act_id)
        if row.kind != ActKind.ACCESS_WINDOW:
            raise Refused(f"a {row.kind} has no terms", kept="the act as it was")
        if side == Side.LAB:
            given = _proposal(row, people, purposes, quota, publication, clauses)
            bounds = _bounds(row, marking, export, watermark)
            return _propose(doing, row, replace(given, **bounds))
        return _countersign(doing, row)


def _proposal(
    row: Act,
    people: Iterable[Mapping[str, str]],
    purposes: Iterable[str],
    quota: Mapping[str, int] | None,
    publication: str,
    clauses: Iterable[str] | None,
) -> Document:
    if quota is None:
        raise BadInput("quota: calls and tokens expected")
    instance = here()
    assert row.opens is not None
    assert row.closes is not None
    try:
        named = tuple(Person(str(p["id"]).strip().lower(), str(p["name"])) for p in people)
        limit = Quota(quota["calls"], quota["tokens"])
    except KeyError as error:
        raise BadInput(f"terms: {error} missing") from None
    terms = Document(
        act=row.id,
        lab=instance.keys.public.keyid,
        office=row.peer_id,
        basis=row.basis,
        opens=row.opens,
        closes=row.closes,
        clauses=rules.clauses_of(instance.pack, clauses),
        people=named,
        purposes=tuple(purposes) or ((row.purpose,) if row.purpose else ()),
        quota=limit,
        publication=publication,
        pack=instance.pack.ref,
        pack_digest=instance.pack.digest,
        **_bounds(row, "", None, None),
    )
    return terms


def _bounds(row: Act, marking: str, export: bool | None, watermark: bool | None) -> dict[str, Any]:
    pack = here().pack
    usual = join(
        [Marking.parse(pack.text("terms", "access", "marking")), Marking.parse(row.marking)]
    )
    return {
        "marking": marking or str(usual),
        "export": pack.boolean("terms", "access", "export") if export is None else export,
        "watermark": pack.boolean("terms", "access", "watermark")
        if watermark is None
        else watermark,
    }


def _propose(doing: Doing, row: Act, terms: Document) -> Terms:
    rules.check_terms(doing.here.pack, terms)
    # what is signed must read back as it was
    terms = Document.from_json(terms.to_json())
    if row.state not in (ActState.OFFERED, ActState.ACCEPTED):
        raise Refused(f"the act is {row.state}", kept="the act", next_step="offer it again")
    if Terms.objects.filter(act=row).exists():
        raise Refused(
            "terms are signed for this act already",
            kept="the terms as they are",
            next_step="withdraw the act and offer it again to sign others",
        )
    plan = Plan.objects.filter(model=row.model).first()
    check_window(
        doing.here.pack,
        terms.basis,
        terms.opens,
        terms.closes,
        doing.now,
        partner_release=plan.partner_release if plan else None,
    )
    made = Terms(
        org_id=row.org_id,
        act=row,
        document=terms.to_json(),
        digest=terms.digest,
        lab_signature=rules.sign_terms(terms, doing.here.keys),
        lab_signed_by=doing.actor.name[:200],
    )
    made.save()
    _send(doing, row, made, made.lab_signature, made.lab_signed_by)
    return made


def _countersign(doing: Doing, row: Act) -> Terms:
    if row.state != ActState.ACCEPTED:
        raise Refused(f"the act is {row.state}", kept="the act", next_step="accept the offer first")
    made = Terms.objects.select_for_update().filter(act=row).first()
    if made is None:
        raise Refused("the lab has proposed no terms yet", kept="the act as it was")
    if made.agreed_at is not None:
        return made
    terms = Document.from_json(made.document)
    made.office_signature = rules.sign_terms(terms, doing.here.keys)
    made.office_signed_by = doing.actor.name[:200]
    _send(doing, row, made, made.office_signature, made.office_signed_by)
    _agreed(doing, row, made)
    return made


def _send(doing: Doing, row: Act, made: Terms, signature: str, signed_by: str) -> None:
    body = {
        "act": row.id,
        "terms": made.document,
        "digest": made.digest,
        "signature": signature,
        "signed_by": signed_by,
    }
    message_id = doing.send(row.peer, "terms.signed", body, thread=row.id, marking=row.marking)
    _record(doing, row, made, message_id)


def _record(doing: Doing, row: Act, made: Terms, message_id: str) -> None:
    doing.record(
        Event.ENGAGEMENT_TERMS_SIGNED,
        row.id,
        {"digest": made.digest, "lab": made.lab_signature, "office": made.office_signature},
        marking=row.marking,
        message_id=message_id,
    )


def _agreed(doing: Doing, row: Act, made: Terms, message_id: str = "") -> None:
    """Take the second signature: both hold, so the window is agreed."""
    terms = Document.from_json(made.document)
    own, other = doing.here.keys.public, keys_of(row.peer)
    lab, office = (own, other) if own_side() == Side.LAB else (other, own)
    if not rules.signed_by_both(terms, made.lab_signature, lab, made.office_signature, office):
        raise Refused("a signature does not hold for these terms", kept="the act as it was")
    made.save()
    settle(doing, row, message_id)


@handles("terms.signed")
def on_signed(arrival: Arrival) -> None:
    """The other side's signature arrives."""
    row = arrived_act(arrival)
    if row.kind != ActKind.ACCESS_WINDOW:
        raise Refused(f"a {row.kind} has no terms", kept="the message")
    terms = Document.from_json(arrival.body["terms"])
    _check(arrival, row, terms)
    if own_side() == Side.OFFICE:
        _on_proposed(arrival, row, terms)
    else:
        _on_countersigned(arrival, row, terms)


def _check(arrival: Arrival, row: Act, terms: Document) -> None:
    """The terms are about this act, these two parties and these hours, and truly signed."""
    own, other = arrival.doing.here.keys.public.keyid, arrival.peer.keyid
    lab, office = (own, other) if own_side() == Side.LAB else (other, own)
    named = (terms.act, terms.lab, terms.office, terms.basis, stamp(terms.opens))
    if (*named, stamp(terms.closes)) != (
        *(row.id, lab, office, row.basis, stamp(row.opens)),
        stamp(row.closes),
    ):
        raise Refused("the terms name another act, party, basis or hour", kept="the message")
    rules.check_terms(arrival.doing.here.pack, terms)
    signature = arrival.body["signature"]
    if arrival.body["digest"] != terms.digest or not rules.signed_by(
        terms, signature, keys_of(arrival.peer)
    ):
        raise Refused("the signature does not hold for these terms", kept="the message")


def _on_proposed(arrival: Arrival, row: Act, terms: Document) -> None:
    found = Terms.objects.filter(act=row).first()
    if found is not None:
        if found.digest != terms.digest:
            raise Refused("other terms are here for this act", kept="the terms as they are")
        return
    made = Terms(
        org_id=row.org_id,
        act=row,
        document=terms.to_json(),
        digest=terms.digest,
        lab_signature=arrival.body["signature"],
        lab_signed_by=arrival.body["signed_by"][:200],
    )
    made.save()
    _record(arrival.doing, row, made, arrival.message.id)


def _on_countersigned(arrival: Arrival, row: Act, terms: Document) -> None:
    made = Terms.objects.select_for_update().filter(act=row).first()
    if made is None or made.digest != terms.digest:
        raise Refused("these terms were not proposed here", kept="the message")
    if made.agreed_at is not None:
        return
    if row.state == ActState.OFFERED:
        raise NotYet("the office's answer has not arrived")
    if row.state != ActState.ACCEPTED:
        raise Refused(f"the act is {row.state}", kept="the act as it was")
    made.office_signature = arrival.body["signature"]
    made.office_signed_by = arrival.body["signed_by"][:200]
    _record(arrival.doing, row, made, arrival.message.id)
    _agreed(arrival.doing, row, made, arrival.message.id)


def terms_view(row: Act, pack: PolicyPack) -> dict[str, Any] | None:
    """An act's terms with the words of their clauses and who signed when, for pages and the API."""
    made = Terms.objects.filter(act=row).first()
    if made is None:
        return None
    terms = Document.from_json(made.document)
    clauses = []
    for clause in terms.clauses:
        title, text = rules.clause_text(pack, clause)
        clauses.append({"id": clause.id, "title": title, "text": text})
    return {
        **made.document,
        "clauses": clauses,
        "digest": made.digest,
        "lab_signed_by": made.lab_signed_by,
        "office_signed_by": made.office_signed_by,
        "agreed_at": stamp(made.agreed_at),
    }


def offered_terms(actor: Actor) -> dict[str, Any]:
    """What the pack lets terms choose from: clauses, required ones, purposes, publication."""
    only(Profile.LAB, actor)
    pack = here().pack
    if not actor.may(Permission.TERMS_SIGN):
        raise NotFound("no such thing here")
    return {
        "clauses": [dict(row) for row in pack.records("terms", "clauses")],
        "required": list(pack.sequence("terms", "required")),
        "purposes": [dict(row) for row in pack.records("engagement", "purposes")],
        "publication": [dict(row) for row in pack.records("terms", "publication")],
    }
