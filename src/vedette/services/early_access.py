"""Early access: a trusted partner's own sessions on the lab's instance, through the same proxy.

Rules:
- The partner is an organisation on the lab's instance, with people who sign in. It sees its own
  access, sessions, scans and findings; of the lab's plan, dossier, acts and other partners nothing.
- Each person accepts the terms for themselves, and asks for each session themselves; the
  credential is shown once, and only its digest is kept.
- The lab ends a session or the whole access at once. An office's word about the partner ends
  nothing.
- Calls are metered where every call is; nothing about them goes to the office.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vedette.engagement import early_access as rules
from vedette.engagement.access import Allowance, Reason, Refusal, Usage
from vedette.engagement.early_access import Early
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission, Profile
from vedette.services import accounts, metering
from vedette.services.access import PROXY_PATH
from vedette.services.acting import Actor, Doing, act, instance_actor
from vedette.services.here import here
from vedette.services.jobs import job, schedule
from vedette.services.metering import ENDED, OPEN
from vedette.services.sides import note, only
from vedette.store.models import (
    EarlyAcceptance,
    EarlyAccess,
    ModelEndpoint,
    Organisation,
    Person,
    Session,
    TrustedPartner,
)
from vedette.store.tenancy import SYSTEM, scoped


def open_early_access(
    actor: Actor,
    partner_id: str,
    email: str,
    *,
    closes: datetime | None = None,
    opens: datetime | None = None,
    session_hours: int | None = None,
    calls: int | None = None,
    tokens: int | None = None,
    purposes: Iterable[str] = (),
) -> tuple[EarlyAccess, str]:
    """Open a partner's early access; return it and the one-time code that lets its person in.

    Args:
        partner_id: a partner that this lab named, whatever the office says of it.
        email: who is invited, to the partner's own organisation on this instance.
        opens, closes: from when to when; from now, for as long as the pack allows by default.
        session_hours, calls, tokens, purposes: the pack's by default.
    """
    only(Profile.LAB, actor)
    with act(actor, Permission.ENGAGEMENT_OFFER) as doing:
        partner = TrustedPartner.objects.select_related("act").filter(id=partner_id).first()
        if partner is None:
            raise NotFound(f"partner {partner_id[:40]!r} is not here")
        pack = doing.here.pack
        start = opens or doing.now
        days = timedelta(days=pack.integer("early_access", "most_days"))
        known = [row["id"] for row in pack.records("early_access", "purposes")]
        terms = terms_of(pack)
        early = Early(
            start,
            closes or start + days,
            session_hours or pack.integer("early_access", "session_hours"),
            calls or pack.integer("early_access", "quota", "calls"),
            tokens or pack.integer("early_access", "quota", "tokens"),
            tuple(purposes) or tuple(known),
            digest(canonical(terms)),
        )
        rules.check_early(pack, early, doing.now)
        row = _opened(doing, actor, partner, early, terms)
        return row, accounts.invite(instance_actor(), email, "partner", row.org_id)


def terms_of(pack: PolicyPack) -> dict[str, Any]:
    """The terms of early access, in full, as a person accepts them: in the words for partners.

    A clause that has no words of its own for partners is as the office's.
    """
    chosen = pack.sequence("early_access", "clauses")
    library = {row["id"]: row for row in pack.records("terms", "clauses")}
    clauses = [
        {
            **{name: str(library[key][name]) for name in ("id", "version", "title")},
            "text": str(library[key].get("partner_text", library[key]["text"])),
        }
        for key in chosen
    ]
    return {"vedette_early_terms": 1, "pack": pack.ref, "clauses": clauses}


def _opened(
    doing: Doing, actor: Actor, partner: TrustedPartner, early: Early, terms: Mapping[str, Any]
) -> EarlyAccess:
    org = _organisation(doing, partner)
    rows = EarlyAccess.objects.filter(partner=partner.id, org=org, ended_at=None)
    if rows.filter(closes__gt=doing.now).exists():
        raise Refused(
            "this partner has early access already",
            kept="the access as it is",
            next_step="end it first, to open another",
        )
    for old in rows:
        _end(doing, old, "over at its hour")
    row = EarlyAccess(
        org=org,
        partner=partner.id,
        act=partner.act_id,
        model=partner.act.model,
        sector=partner.sector,
        small=partner.small,
        opens=early.opens,
        closes=early.closes,
        session_hours=early.session_hours,
        quota_calls=early.calls,
        quota_tokens=early.tokens,
        purposes=list(early.purposes),
        terms=dict(terms),
        digest=early.digest,
        pseudonym=f"partner {secrets.token_hex(3)}",
        marking=partner.act.marking,
        opened_by=actor.name[:200],
        opened_at=doing.now,
    )
    row.save(force_insert=True)
    doing.record(Event.ACCESS_EARLY_OPENED, row.id, {"partner": partner.id}, marking=row.marking)
    schedule(f"early {row.id} closes", early_over, row.closes, early_id=row.id)
    return row


def _organisation(doing: Doing, partner: TrustedPartner) -> Organisation:
    """The partner's own organisation on this instance: one a name, never another party's."""
    known = EarlyAccess.objects.select_related("org").filter(partner=partner.id).first()
    if known is not None:
        return known.org
    name = partner.name[:200]
    found = Organisation.objects.filter(name=name).first()
    if found is not None and found.kind == "partner" and not found.host:
        return found
    if found is not None:
        name = f"{name[:180]} ({partner.id[-6:]})"
    return accounts.add_organisation(
        instance_actor(), name, "partner", sector=partner.sector, small=partner.small
    )


def end_early_access(actor: Actor, early_id: str, reason: str = "") -> EarlyAccess:
    """The lab ends a partner's access at once, with every session of it."""
    only(Profile.LAB, actor)
    with act(actor, Permission.SESSION_END) as doing:
        row = EarlyAccess.objects.select_for_update(of=("self",)).filter(id=early_id).first()
        if row is None:
            raise NotFound(f"early access {early_id[:40]!r} is not here")
        _end(doing, row, note(reason, "reason", 300) or "ended by the lab")
        return row


def _end(doing: Doing, row: EarlyAccess, reason: str) -> None:
    if row.ended_at is not None:
        return
    row.ended_at, row.reason = min(doing.now, row.closes), reason
    row.save(update_fields=["ended_at", "reason"])
    for session in row.sessions.select_related("act", "act__peer").filter(state=OPEN):
        metering.end(doing, session, reason)
    doing.record(Event.ACCESS_EARLY_ENDED, row.id, {"reason": reason}, marking=row.marking)


@job()
def early_over(early_id: str) -> None:
    """End an access at its hour. Idempotent."""
    with act(instance_actor(), None) as doing:
        row = EarlyAccess.objects.filter(id=early_id, closes__lte=doing.now).first()
        if row is not None:
            _end(doing, row, "over at its hour")


@job()
def session_over(session_id: str) -> None:
    """End a partner's session at its hour. Idempotent."""
    with act(instance_actor(), None) as doing:
        rows = Session.objects.select_related("act", "act__peer").exclude(early=None)
        row = rows.filter(id=session_id, expires_at__lte=doing.now).first()
        if row is not None:
            metering.end(doing, row, "over at its hour")


def _mine(actor: Actor, early_id: str) -> EarlyAccess:
    """The access of this id, for a person of the partner itself. Raises NotFound."""
    if here().profile != Profile.LAB:
        raise NotFound("no such thing here")
    row = EarlyAccess.objects.select_for_update(of=("self",)).filter(id=early_id).first()
    if row is None or row.org_id != actor.org:
        raise NotFound(f"early access {early_id[:40]!r} is not here")
    return row


def _person(actor: Actor) -> str:
    if actor.person is None:
        raise Forbidden("the partner's own people do this, each for themselves")
    return str(Person.objects.values_list("email", flat=True).get(pk=actor.person))


def accept_terms(actor: Actor, early_id: str, accepted: str) -> EarlyAcceptance:
    """A person of the partner accepts the terms, by the digest of what they read."""
    with act(actor, Permission.EARLY_USE) as doing:
        row, person = _mine(actor, early_id), _person(actor)
        if accepted != row.digest:
            raise BadInput("digest: these are not the terms in force", next_step="read them again")
        made, new = EarlyAcceptance.objects.get_or_create(
            early=row,
            person=person,
            digest=accepted,
            defaults={"org_id": actor.org, "accepted_at": doing.now},
        )
        if new:
            payload = {"person": person, "digest": accepted}
            doing.record(Event.ACCESS_EARLY_ACCEPTED, row.id, payload, marking=row.marking)
        return made


def set_named(actor: Actor, early_id: str, named: bool) -> EarlyAccess:
    """The partner says whether its scans and findings bear its name, or its pseudonym."""
    with act(actor, Permission.EARLY_USE) as doing:
        row = _mine(actor, early_id)
        row.named = named
        row.save(update_fields=["named"])
        doing.record(Event.ACCESS_EARLY_NAMED, row.id, {"named": named}, marking=row.marking)
        return row


@dataclass(frozen=True)
class Opened:
    """A session that is open, with its credential: shown now and never again."""

    session: str
    url: str
    credential: str
    model: str
    purpose: str
    expires: datetime

    def __repr__(self) -> str:
        return f"Opened({self.session})"


def open_session(actor: Actor, early_id: str, purpose: str) -> Opened:
    """A person of the partner opens a session of their own; decided by rule alone."""
    with act(actor, Permission.EARLY_USE) as doing:
        row, person = _mine(actor, early_id), _person(actor)
        accepted = row.acceptances.filter(person=person, digest=row.digest).exists()
        with scoped(SYSTEM):
            until = rules.opening(
                pure(row), purpose, row.digest if accepted else "", used_of(row), doing.now
            )
            if isinstance(until, Refusal):
                next_step = {
                    Reason.PERSON: f"read and accept them at /early/{row.id}/accept/",
                    Reason.PURPOSE: f"choose among {', '.join(row.purposes)}",
                    Reason.QUOTA: "ask the lab",
                }
                raise Refused(
                    until.text,
                    kept="the access as it was",
                    next_step=next_step.get(until.reason, ""),
                )
            endpoint = ModelEndpoint.objects.filter(model=row.model).first()
            if endpoint is None:
                raise Refused(
                    "the lab has not set up this model's proxy yet",
                    kept="the access as it was",
                    next_step="ask the lab",
                )
            credential = "vac_" + secrets.token_urlsafe(32)
            session = Session(
                id=new_id("session"),
                org_id=here().org,
                act_id=row.act,
                early=row,
                person=person,
                purpose=purpose,
                state=OPEN,
                model=row.model,
                url=here().url + PROXY_PATH,
                credential_digest=digest(credential.encode()),
                build=endpoint.build,
                safeguards=endpoint.safeguards,
                dialect=endpoint.dialect,
                quota_calls=row.quota_calls,
                quota_tokens=row.quota_tokens,
                requested_at=doing.now,
                opened_at=doing.now,
                expires_at=until,
            )
            session.save(force_insert=True)
        doing.record(
            Event.ACCESS_SESSION_OPENED,
            session.id,
            {"early": row.id, "person": person, "purpose": purpose},
            marking=row.marking,
        )
        schedule(f"session {session.id} ends", session_over, until, session_id=session.id)
        return Opened(session.id, session.url, credential, session.model, purpose, until)


def close_session(actor: Actor, session_id: str) -> None:
    """The person whose session it is ends it, before its hour."""
    with act(actor, Permission.EARLY_USE) as doing:
        person = _person(actor)
        with scoped(SYSTEM):
            rows = Session.objects.select_related("act", "act__peer")
            row = rows.filter(id=session_id, early__org_id=actor.org, person=person).first()
            if row is None:
                raise NotFound(f"session {session_id[:40]!r} is not here")
            metering.end(doing, row, "ended by the partner")


def pure(row: EarlyAccess) -> Early:
    return Early(
        row.opens,
        row.closes,
        row.session_hours,
        row.quota_calls,
        row.quota_tokens,
        tuple(row.purposes),
        row.digest,
        row.ended_at,
    )


def used_of(row: EarlyAccess) -> Usage:
    """What all sessions of an access have used so far."""
    pairs = list(row.sessions.values_list("calls_used", "tokens_used"))
    return Usage(sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs))


def judge(session: Session, purpose: str, aside: int, at_most: int) -> Allowance | Refusal:
    """Decide on one call of a partner's session, at the proxy."""
    row = EarlyAccess.objects.get(pk=session.early_id)
    used = used_of(row)
    ends = session.expires_at if session.state != ENDED else session.ended_at
    assert ends is not None
    return rules.decide(
        pure(row),
        session.purpose,
        ends,
        purpose,
        Usage(used.calls, used.tokens + aside),
        here().clock.now(),
        at_most=at_most,
    )
