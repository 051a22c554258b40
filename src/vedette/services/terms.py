"""The terms of an access window: proposed and signed by either side, signed by the other.

Rules:
- The lab makes the first version with the act. From then on either side proposes another, by a
  redline; the other signs it, answers with one of its own, or leaves it. While the window runs a
  version that both signed replaces the one before, and touches none of its hours.
- Each side keeps every version with both signatures, and checks the other's against the key it
  knows of that peer, over the bytes of that version.
- With the first version that both signed, on an accepted act, the window is agreed.
- While terms are in force the office signs a version that names somebody whom they do not name with
  two persons, where the pack chooses that (`add-person`). The lab's hand is as free as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vedette.engagement import negotiation
from vedette.engagement import terms as rules
from vedette.engagement.acts import ActKind, ActState
from vedette.engagement.table import Actor as Side
from vedette.engagement.terms import Terms as Document
from vedette.engagement.window import check_window
from vedette.kernel.errors import Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.services import two_person
from vedette.services.acting import Actor, Doing, act
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.sides import arrived_act, find_act, note, only, own_side, stamp
from vedette.services.term_drafts import departed, first
from vedette.services.term_versions import agreed_terms, keys_of, rule_of, settle, versions_of
from vedette.store.models import Act, Plan, Terms

__all__ = ["agreed_terms", "keys_of", "propose_terms", "sign_terms"]

LIVE = (ActState.OFFERED, ActState.ACCEPTED)
ADD = "add-person"


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
    digest: str = "",
) -> Any:
    """Sign terms: the lab makes the first version with it, either side agrees to the other's.

    Args (of the lab's first version; who signs what the other side proposed gives `digest` alone):
        people: `{"id", "name"}` of each person with access; the id is their address at the office.
        purposes: ids from the pack; the act's own purpose by default.
        quota: `{"calls", "tokens"}` of the whole window.
        publication: how a report may be published, an id from the pack.
        clauses: ids from the pack, all of them by default.
        marking: the highest that may be read under the terms; the pack's and the act's by default.
        export, watermark: whether the office may take copies away, and whether its copies name
            their reader; the pack's by default.
        digest: of the version that was read and is signed; the newest open one by default.

    Returns the version, or where a second person is needed the proposal that waits for one.
    """
    people = list(people)
    with act(actor, Permission.TERMS_SIGN) as doing:
        only(doing.here.profile, actor)
        row = _window_act(find_act(act_id))
        if own_side() == Side.OFFICE or _answers(row, digest, bool(people)):
            return _countersign(doing, row, digest)
        terms = first(row, people, purposes, quota, publication, clauses)
        return _make(doing, row, departed(row, terms, marking, export, watermark))


def _window_act(row: Act) -> Act:
    if row.kind != ActKind.ACCESS_WINDOW:
        raise Refused(f"a {row.kind} has no terms", kept="the act as it was")
    return row


def _answers(row: Act, digest: str, made_anew: bool) -> bool:
    """Whether the lab signs what is here rather than making the first version."""
    if not Terms.objects.filter(act=row).exists():
        return False
    if made_anew:
        raise Refused(
            "terms are signed for this act already",
            kept="the terms as they are",
            next_step="propose another version of them",
        )
    return True


def propose_terms(
    actor: Actor,
    act_id: str,
    *,
    base: str = "",
    text: str = "",
    people: Iterable[Mapping[str, str]] | None = None,
    purposes: Iterable[str] | None = None,
    quota: Mapping[str, int] | None = None,
    publication: str = "",
    clauses: Iterable[str] | None = None,
    words: Mapping[str, str] | None = None,
    marking: str = "",
    export: bool | None = None,
    watermark: bool | None = None,
) -> Any:
    """Propose and sign another version of an act's terms, as either side.

    Returns the version, or where a second person is needed the proposal that waits for one.

    Args:
        base: digest of the version that it departs from; the newest by default.
        text: a note to the other side.
        words: changed words by clause id; "" goes back to the library's.
        people, purposes, quota, publication, clauses, marking, export, watermark: as in
            `sign_terms`; what is not given stays as in the base.
    """
    with act(actor, Permission.TERMS_SIGN) as doing:
        only(doing.here.profile, actor)
        row = _window_act(find_act(act_id))
        known = versions_of(row)
        if not known:
            raise Refused("the lab has proposed no terms yet", kept="the act as it was")
        newest = max(known, key=lambda version: rule_of(version).order)
        found = next((v for v in known if v.digest == base), None) if base else newest
        if found is None:
            raise Refused("the version that this departs from is not here", kept="the terms")
        terms = departed(
            row,
            Document.from_json(found.document),
            marking,
            export,
            watermark,
            people=people,
            purposes=purposes,
            quota=quota,
            publication=publication,
            clauses=clauses,
            words=words or {},
            version=negotiation.next_number(rule_of(version) for version in known),
        )
        said = note(text, "text")
        if added := _added(row, terms):
            given = {"terms": terms.to_json(), "base": found.digest, "text": said}
            return _ask(doing, row, given, added)
        return _make(doing, row, terms, base=found.digest, text=said)


def _added(row: Act, terms: Document) -> list[str]:
    """Whom the office's signature would name beyond the terms in force, where there are any."""
    known = agreed_terms(row) if own_side() == Side.OFFICE else None
    return sorted({p.id for p in terms.people} - {p.id for p in known.people}) if known else []


def _ask(doing: Doing, row: Act, given: dict[str, Any], added: list[str]) -> Any:
    return two_person.ask(doing, ADD, row.id, given, f"names {', '.join(added)}"[:4_000])


@two_person.kind(ADD, Permission.TERMS_SIGN)
def _with_another(doing: Doing, act_id: str, arguments: dict[str, Any], by: str) -> Terms:
    """Sign what was proposed, by the rules of this moment, in the names of both persons."""
    row = _window_act(find_act(act_id))
    if "digest" in arguments:
        return _countersigned(doing, row, arguments["digest"], by)
    number = negotiation.next_number(rule_of(version) for version in versions_of(row))
    terms = replace(Document.from_json(arguments["terms"]), version=number)
    return _make(doing, row, terms, base=arguments["base"], text=arguments["text"], by=by)


def _make(
    doing: Doing, row: Act, terms: Document, *, base: str = "", text: str = "", by: str = ""
) -> Terms:
    side = own_side()
    if row.state not in (LIVE if side == Side.LAB else (ActState.ACCEPTED,)):
        raise Refused(f"the act is {row.state}", kept="the act", next_step="offer it again")
    rules.check_terms(doing.here.pack, terms)
    if not row.window_state:
        plan = Plan.objects.filter(model=row.model).first() if side == Side.LAB else None
        check_window(
            doing.here.pack,
            terms.basis,
            terms.opens,
            terms.closes,
            doing.now,
            partner_release=plan.partner_release if plan else None,
        )
    made = _row(doing, row, terms, side, base, text)
    _sign(doing, made, terms, side, by)
    made.save()
    _send(doing, row, made, side, proposed=terms.version > 1)
    settle(doing, row)
    made.refresh_from_db()
    return made


def _row(doing: Doing, row: Act, terms: Document, side: Side, base: str, text: str) -> Terms:
    return Terms(
        org_id=row.org_id,
        act=row,
        number=terms.version,
        proposed_by=str(side),
        base=base,
        note=text,
        proposed_at=doing.now,
        document=terms.to_json(),
        digest=terms.digest,
    )


def _sign(doing: Doing, made: Terms, terms: Document, side: Side, by: str = "") -> None:
    setattr(made, f"{side}_signature", rules.sign_terms(terms, doing.here.keys))
    setattr(made, f"{side}_signed_by", (by or doing.actor.name)[:200])


def _countersign(doing: Doing, row: Act, digest: str) -> Any:
    if row.state != ActState.ACCEPTED:
        raise Refused(f"the act is {row.state}", kept="the act", next_step="accept the offer first")
    side, known = own_side(), versions_of(row)
    standing = [v for v in known if v.state == "agreed" and (not digest or v.digest == digest)]
    if standing and not negotiation.open_for(side, map(rule_of, known)):
        return standing[0]  # signing twice is signing once
    found = negotiation.to_sign(side, map(rule_of, known), digest)
    terms = next(Document.from_json(v.document) for v in known if v.digest == found.digest)
    if added := _added(row, terms):
        return _ask(doing, row, {"digest": found.digest}, added)
    return _countersigned(doing, row, found.digest)


def _countersigned(doing: Doing, row: Act, digest: str, by: str = "") -> Terms:
    side = own_side()
    found = negotiation.to_sign(side, map(rule_of, versions_of(row)), digest)
    made = Terms.objects.select_for_update().get(act=row, digest=found.digest)
    _sign(doing, made, Document.from_json(made.document), side, by)
    _hold(doing, row, made)
    made.save()
    message_id = _send(doing, row, made, side, proposed=False)
    settle(doing, row, message_id)
    made.refresh_from_db()
    return made


def _send(doing: Doing, row: Act, made: Terms, side: Side, *, proposed: bool) -> str:
    """Send this side's signature; the first version of all goes as one, as it always did."""
    body = {
        "act": row.id,
        "terms": made.document,
        "digest": made.digest,
        "signature": getattr(made, f"{side}_signature"),
        "signed_by": getattr(made, f"{side}_signed_by"),
    }
    if proposed:
        body |= {"base": made.base, "note": made.note or None}
    type_ = "terms.proposed" if proposed else "terms.signed"
    message_id = doing.send(row.peer, type_, body, thread=row.id, marking=row.marking)
    _record(doing, row, made, message_id, proposed=proposed)
    return message_id


def _record(doing: Doing, row: Act, made: Terms, message_id: str, *, proposed: bool) -> None:
    doing.record(
        Event.ENGAGEMENT_TERMS_PROPOSED if proposed else Event.ENGAGEMENT_TERMS_SIGNED,
        row.id,
        {"digest": made.digest, "lab": made.lab_signature, "office": made.office_signature},
        marking=row.marking,
        message_id=message_id,
    )


def _hold(doing: Doing, row: Act, made: Terms) -> None:
    """Raise Refused unless both signatures hold, each with the key that the terms name."""
    terms = Document.from_json(made.document)
    own, other = doing.here.keys.public, keys_of(row.peer)
    lab, office = (own, other) if own_side() == Side.LAB else (other, own)
    if not rules.signed_by_both(terms, made.lab_signature, lab, made.office_signature, office):
        raise Refused("a signature does not hold for these terms", kept="the act as it was")


@handles("terms.signed")
def on_signed(arrival: Arrival) -> None:
    """The other side's signature arrives; the lab's over a first version brings that with it."""
    row, terms = _checked(arrival)
    made = Terms.objects.select_for_update().filter(act=row, digest=terms.digest).first()
    if made is not None:
        _take_signature(arrival, row, made)
    elif own_side() == Side.LAB or terms.version > 1:
        raise Refused("these terms were not proposed here", kept="the message")
    elif Terms.objects.filter(act=row, number=1).exists():
        raise Refused("other terms are here for this act", kept="the terms as they are")
    else:
        _take_proposal(arrival, row, terms, proposed=False)


@handles("terms.proposed")
def on_proposed(arrival: Arrival) -> None:
    """The other side proposes another version."""
    row, terms = _checked(arrival)
    made = Terms.objects.select_for_update().filter(act=row, digest=terms.digest).first()
    if made is not None:  # both proposed the same: so both signed it
        made.proposed_by = str(Side.LAB)
        _take_signature(arrival, row, made)
        return
    known = max((version.number for version in versions_of(row)), default=0)
    if terms.version > known + 1:
        raise NotYet(f"version {terms.version - 1} of the terms has not arrived")
    _take_proposal(arrival, row, terms, proposed=True)


def _checked(arrival: Arrival) -> tuple[Act, Document]:
    """The terms are about this act, these two parties and these hours, and truly signed."""
    row = arrived_act(arrival)
    if row.kind != ActKind.ACCESS_WINDOW:
        raise Refused(f"a {row.kind} has no terms", kept="the message")
    terms = Document.from_json(arrival.body["terms"])
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
    return row, terms


def _take_proposal(arrival: Arrival, row: Act, terms: Document, *, proposed: bool) -> None:
    side = Side.OFFICE if own_side() == Side.LAB else Side.LAB
    if side == Side.OFFICE:
        _accepted(row)
    body = arrival.body
    made = _row(arrival.doing, row, terms, side, body.get("base", ""), body.get("note", "") or "")
    setattr(made, f"{side}_signature", body["signature"])
    setattr(made, f"{side}_signed_by", body["signed_by"][:200])
    made.save()
    _record(arrival.doing, row, made, arrival.message.id, proposed=proposed)
    settle(arrival.doing, row, arrival.message.id)


def _accepted(row: Act) -> None:
    """Raise NotYet before the office's answer is here, Refused where the act is over."""
    if row.state == ActState.OFFERED:
        raise NotYet("the office's answer has not arrived")
    if row.state != ActState.ACCEPTED:
        raise Refused(f"the act is {row.state}", kept="the act as it was")


def _take_signature(arrival: Arrival, row: Act, made: Terms) -> None:
    side = Side.OFFICE if own_side() == Side.LAB else Side.LAB
    if getattr(made, f"{side}_signature"):
        return
    _accepted(row)
    setattr(made, f"{side}_signature", arrival.body["signature"])
    setattr(made, f"{side}_signed_by", arrival.body["signed_by"][:200])
    _hold(arrival.doing, row, made)
    made.save()
    _record(arrival.doing, row, made, arrival.message.id, proposed=False)
    settle(arrival.doing, row, arrival.message.id)
