"""Named persons and the terms: each accepts the version in force; either side takes one off.

Rules:
- A named person accepts one version, by its digest, at a time; a later version is accepted anew.
  Both sides keep who accepted what when.
- Either side takes a person off the list at once and alone, without a reason; their sessions end
  with it, and no one else's. It holds for every version up to the newest that this side knew: who
  is to come back is named in a later version, which both sign.
"""

from __future__ import annotations

from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, Forbidden, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, act
from vedette.services.binding import address_of
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.review_parties import seen_review
from vedette.services.sides import arrived_act, find_act, only, own_side
from vedette.services.term_versions import end_outsiders, in_force, on_the_list, versions_of
from vedette.store.models import Act, Terms, TermsAcceptance, TermsStrike
from vedette.store.tenancy import SYSTEM, scoped


def accept_terms(actor: Actor, act_id: str, digest: str = "") -> TermsAcceptance:
    """A named person at the office accepts the version in force, before reading under it.

    Args:
        digest: of the version that was read; refused where another is in force by now.
    """
    only(Profile.OFFICE, actor)
    with act(actor, Permission.ENGAGEMENT_READ) as doing:
        return _accept_named(doing, find_act(act_id), digest)


def accept_for_review(actor: Actor, review_id: str, digest: str = "") -> TermsAcceptance:
    """The same for a named person of an office that takes part in a review of the act."""
    with act(actor, Permission.REVIEW_READ) as doing:
        row = seen_review(actor, review_id)
        with scoped(SYSTEM):  # the act and its terms are the lead's rows
            return _accept_named(doing, find_act(row.act_id), digest)


def _accept_named(doing: Doing, row: Act, digest: str) -> TermsAcceptance:
    made = in_force(row)
    if made is None:
        raise Refused("no terms are signed by both sides", kept="the act as it was")
    if digest and digest != made.digest:
        raise Refused(
            f"version {made.number} of the terms is in force now, another than you read",
            kept="what you accepted before",
            next_step=f"read version {made.number}, then accept it",
        )
    person = address_of(doing.actor)
    if person not in {named.id for named in on_the_list(row, made).people}:
        raise Forbidden(
            f"version {made.number} of the terms does not name you",
            next_step="ask whoever signs the terms for your office",
        )
    found = TermsAcceptance.objects.filter(act=row, person=person, digest=made.digest).first()
    return found or _accept(doing, row, made, person)


def _accept(doing: Doing, row: Act, made: Terms, person: str) -> TermsAcceptance:
    body = {
        "act": row.id,
        "digest": made.digest,
        "person": person,
        "accepted": format_time(doing.now),
    }
    message_id = doing.send(row.peer, "terms.accepted", body, thread=row.id, marking=row.marking)
    return _keep(
        doing, row, made, TermsAcceptance(person=person, accepted_at=doing.now), message_id
    )


def _keep(
    doing: Doing, row: Act, made: Terms, accepted: TermsAcceptance, message_id: str
) -> TermsAcceptance:
    accepted.act, accepted.org_id = row, row.org_id
    accepted.digest, accepted.number = made.digest, made.number
    accepted.save(force_insert=True)
    doing.record(
        Event.ENGAGEMENT_TERMS_ACCEPTED,
        row.id,
        {"person": accepted.person, "digest": made.digest},
        marking=row.marking,
        message_id=message_id,
    )
    return accepted


@handles("terms.accepted")
def on_accepted(arrival: Arrival) -> None:
    """The lab learns that a named person accepted a version."""
    row, body = arrived_act(arrival), arrival.body
    made = Terms.objects.filter(act=row, digest=body["digest"]).first()
    if made is None:
        raise NotYet("this version of the terms has not arrived")
    if TermsAcceptance.objects.filter(act=row, person=body["person"], digest=made.digest).exists():
        return
    at = parse_time(body["accepted"], field="body.accepted")
    accepted = TermsAcceptance(person=body["person"], accepted_at=at)
    _keep(arrival.doing, row, made, accepted, arrival.message.id)


def strike_person(actor: Actor, act_id: str, person: str) -> TermsStrike:
    """Take a person off the terms' list at once; no reason is owed, and none is asked."""
    with act(actor, Permission.TERMS_SIGN) as doing:
        side = own_side()
        only(doing.here.profile, actor)
        row, address = find_act(act_id), person.strip().lower()
        made = versions_of(row)
        if not any(p["id"] == address for version in made for p in version.document["people"]):
            raise BadInput(f"person: {person[:60]!r} is in no version of these terms")
        through = max(version.number for version in made)
        body = {"act": row.id, "person": address, "through": through}
        message_id = doing.send(row.peer, "terms.struck", body, thread=row.id, marking=row.marking)
        return _strike(doing, row, address, through, str(side), message_id)


def _strike(
    doing: Doing, row: Act, person: str, through: int, by: str, message_id: str
) -> TermsStrike:
    made, new = TermsStrike.objects.get_or_create(
        org_id=row.org_id,
        act=row,
        person=person,
        through=through,
        by=by,
        defaults={"at": doing.now},
    )
    if new:
        doing.record(
            Event.ENGAGEMENT_PERSON_STRUCK,
            row.id,
            {"person": person, "through": through},
            marking=row.marking,
            message_id=message_id,
        )
        end_outsiders(doing, row)
    return made


@handles("terms.struck")
def on_struck(arrival: Arrival) -> None:
    """The other side takes a person off the list."""
    row, body = arrived_act(arrival), arrival.body
    by = "office" if arrival.doing.here.profile == Profile.LAB else "lab"
    _strike(arrival.doing, row, body["person"], body["through"], by, arrival.message.id)
