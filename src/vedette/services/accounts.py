"""Organisations, persons, invitations, tokens: who may come in, and as whom."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import PROFILE_ROLES, ROLES, Permission
from vedette.services.acting import Actor, act, instance_actor, member, reading
from vedette.services.here import here
from vedette.store.models import (
    ApiToken,
    Invitation,
    Membership,
    Organisation,
    PeerOrganisation,
    Person,
)
from vedette.store.rows import one
from vedette.store.tenancy import SYSTEM, scoped

INVITATION_DAYS = 7
ROLE_OF_KIND = {
    "delegate": "delegate",
    "finder": "finder",
    "maintainer": "vendor",
    "operator": "operator",
    "partner": "partner",
    "vendor": "vendor",
}
ORGANISATION_KINDS = (
    *("lab", "office", "clearinghouse", "operator"),
    *("vendor", "maintainer", "finder", "partner", "delegate"),
)


def found(email: str) -> str:
    """Make the host organisation and invite its first administrator; return the one-time code."""
    instance = here()
    with act(instance_actor(), None) as doing:
        if Organisation.objects.filter(host=True).exists():
            raise BadInput("this instance is founded already", next_step="vedette check")
        Organisation(
            id=instance.org,
            name=instance.name,
            kind=str(instance.profile),
            host=True,
            added_at=doing.now,
        ).save(force_insert=True)
        doing.record(
            Event.INSTANCE_INSTANCE_FOUNDED, instance.org, {"profile": str(instance.profile)}
        )
        doing.record(
            Event.INSTANCE_PACK_ADOPTED, instance.pack.ref, {"digest": instance.pack.digest}
        )
        return invite(instance_actor(), email, "administrator", instance.org)


def add_organisation(
    actor: Actor, name: str, kind: str, *, sector: str = "", small: bool = False, email: str = ""
) -> Organisation:
    """Add an organisation to this instance's portal."""
    if kind not in ORGANISATION_KINDS:
        raise BadInput(f"kind: {kind[:40]!r} is none of {', '.join(ORGANISATION_KINDS)}")
    if not name.strip() or len(name) > 200:
        raise BadInput("name: 1 to 200 characters expected")
    with act(actor, Permission.PERSON_INVITE) as doing:
        if Organisation.objects.filter(name=name.strip()).exists():
            raise BadInput(f"name: {name[:60]!r} is here already", next_step="invite to it")
        org = Organisation(
            name=name.strip(),
            kind=kind,
            sector=sector,
            small=small,
            email=email,
            added_at=doing.now,
        )
        with scoped(SYSTEM):
            org.save(force_insert=True)
        doing.record(Event.INSTANCE_ORGANISATION_ADDED, org.id, {"name": org.name, "kind": kind})
        return org


def invite(actor: Actor, email: str, role: str, org_id: str = "") -> str:
    """Invite somebody to an organisation; return the one-time code of the link."""
    if role not in PROFILE_ROLES[here().profile]:
        raise BadInput(
            f"role: {role[:40]!r} does not exist here",
            next_step=f"roles: {', '.join(PROFILE_ROLES[here().profile])}",
        )
    if "@" not in email or len(email) > 254:
        raise BadInput(f"email: {email[:60]!r} is no address")
    code = secrets.token_urlsafe(24)
    with act(actor, Permission.PERSON_INVITE) as doing:
        org = find_organisation(org_id or actor.org)
        if not actor.host and org.id != actor.org:
            raise NotFound("no such organisation")
        Invitation(
            digest=digest(code.encode()),
            email=email.lower(),
            org=org,
            role=role,
            expires_at=doing.now + timedelta(days=INVITATION_DAYS),
        ).save()
        doing.record(Event.INSTANCE_PERSON_INVITED, org.id, {"email": email, "role": role})
    return code


def find_organisation(name_or_id: str) -> Organisation:
    """An organisation by id or name, among those in scope. Raises NotFound."""
    row = (
        Organisation.objects.filter(id=name_or_id).first()
        or Organisation.objects.filter(name=name_or_id).first()
    )
    if row is None:
        raise NotFound(f"organisation {name_or_id[:60]!r} is not here")
    return row


def open_invitation(code: str) -> Invitation:
    """The invitation behind a code, unused and in time. Raises NotFound."""
    row = Invitation.objects.filter(digest=digest(code.encode()), used_at=None).first()
    if row is None or row.expires_at <= here().clock.now():
        raise NotFound(
            "this link was used already, or its time is over",
            next_step="ask who invited you for a new one",
        )
    return row


def join(code: str, name: str, password: str) -> Person:
    """Use an invitation: make the person (or add the membership) and burn the link."""
    with act(instance_actor(), None) as doing:
        invitation = open_invitation(code)
        person = Person.objects.filter(email=invitation.email).first()
        if person is None:
            try:
                validate_password(password, Person(email=invitation.email, name=name))
            except ValidationError as error:
                raise BadInput(f"password: {' '.join(error.messages)}") from None
            person = Person.objects.create_user(invitation.email, name.strip()[:200], password)
            # the link went to this address, so it is verified; passkeys and TOTP ask for that
            EmailAddress.objects.create(
                user=person, email=person.email, verified=True, primary=True
            )
        elif not person.check_password(password):
            raise BadInput("password: this address has an account; give its password")
        Membership.objects.update_or_create(
            person=person, org=invitation.org, defaults={"role": invitation.role}
        )
        invitation.used_at = doing.now
        invitation.save(update_fields=["used_at"])
        doing.record(Event.INSTANCE_PERSON_JOINED, invitation.org_id, {"role": invitation.role})
        return person


def actor_of(person: Person, org_id: str = "") -> Actor | None:
    """The person as an actor in one of its organisations (the first where none is named)."""
    rows = Membership.objects.filter(person=person).order_by("pk")
    row = rows.filter(org_id=org_id).first() if org_id else rows.first()
    if row is None:
        return None
    row.person = person
    return _actor(row)


def organisations_of(person: Person) -> list[tuple[str, str, str]]:
    """The person's memberships as (organisation id, name, role)."""
    with scoped(SYSTEM):
        rows = Membership.objects.filter(person=person).select_related("org").order_by("pk")
        return [(row.org_id, row.org.name, row.role) for row in rows]


def _actor(row: Membership) -> Actor:
    actor = member(
        row.org_id,
        str(row.person),
        row.role,
        host=row.org_id == here().org,
        person=row.person_id,
    )
    return replace(actor, clearance=row.marking)


def make_token(
    email: str, org_id: str = "", *, label: str = "", permissions: Iterable[str] | None = None
) -> str:
    """Make an API token for a member, optionally with fewer permissions than the role has."""
    with act(instance_actor(), None) as doing:
        rows = Membership.objects.filter(person__email=email.lower())
        row = (rows.filter(org_id=org_id) if org_id else rows).first()
        if row is None:
            raise NotFound(f"{email[:60]!r} is no member here", next_step="vedette invite")
        asked = sorted(set(permissions)) if permissions is not None else None
        if asked is not None and not set(asked) <= ROLES[row.role]:
            raise BadInput(f"permissions: the role {row.role} has not all of {asked}")
        code = "vdt_" + secrets.token_urlsafe(32)
        ApiToken(
            digest=digest(code.encode()),
            membership=row,
            label=label[:100],
            permissions=asked,
            made_at=doing.now,
        ).save()
        doing.record(Event.INSTANCE_TOKEN_MADE, row.org_id, {"label": label, "role": row.role})
    return code


def actor_of_token(code: str) -> Actor | None:
    """The actor behind a bearer token, None where there is none."""
    row = one(ApiToken, "digest", digest(code.encode()))
    if row is None or row.ended_at is not None:
        return None
    membership = one(Membership, "id", row.membership_id)
    if membership is None:
        return None
    person = one(Person, "id", membership.person_id)
    if person is None:
        return None
    membership.person = person
    actor = _actor(membership)
    if row.permissions is None:
        return actor
    return replace(
        actor, permissions=actor.permissions & {Permission(name) for name in row.permissions}
    )


def set_reach(actor: Actor, email: str, marking: str, org_id: str = "") -> Membership:
    """Say up to which marking a member reads here: the host's administrators do, at most up to
    this instance's ceiling, and nobody says it of themselves.
    """
    reach = Marking.parse(marking.strip())
    with act(actor, Permission.PERSON_INVITE) as doing:
        if not actor.host:
            raise Forbidden("the host's administrators say who reads what here")
        if not doing.here.ceiling.dominates(reach):
            raise BadInput(
                f"marking: above this instance's ceiling, {doing.here.ceiling}",
                next_step="choose a lower one, or raise `ceiling` in vedette.toml",
            )
        rows = Membership.objects.select_related("person", "org").select_for_update(of=("self",))
        rows = rows.filter(person__email=email.strip().lower())
        row: Membership | None = (rows.filter(org_id=org_id) if org_id else rows).first()
        if row is None:
            raise NotFound(f"{email[:60]!r} is no member here", next_step="vedette invite")
        if row.person_id == actor.person:
            raise Refused("nobody sets how far they read themselves", next_step="ask a colleague")
        payload = {"email": row.person.email, "before": row.marking, "marking": str(reach)}
        row.marking = str(reach)
        row.save(update_fields=["marking"])
        doing.record(Event.INSTANCE_REACH_SET, row.org_id, payload)
    return row


def people(actor: Actor) -> list[Membership]:
    """Members of the organisations that the actor may see, with person and organisation."""
    with reading(actor, Permission.PERSON_INVITE):
        rows = Membership.objects.select_related("person", "org").order_by("org__name", "pk")
        return list(rows if actor.host else rows.filter(org_id=actor.org))


def hosted_organisations(actor: Actor) -> list[tuple[str, str]]:
    """The organisations that this instance hosts besides its own, as (id, name)."""
    with reading(actor, Permission.PERSON_INVITE):
        rows = Organisation.objects.filter(host=False).order_by("name")
        return list(rows.values_list("id", "name"))


def nobody_yet(actor: Actor) -> list[Organisation]:
    """The hosted organisations that nobody signs in to or is invited to, by name.

    Those that report from an instance of their own are none of them.
    """
    with reading(actor, Permission.PERSON_INVITE) as instance:
        asked = Invitation.objects.filter(used_at=None, expires_at__gt=instance.clock.now())
        rows = Organisation.objects.filter(host=False, kind__in=ROLE_OF_KIND)
        rows = rows.exclude(id__in=Membership.objects.values("org_id"))
        rows = rows.exclude(id__in=PeerOrganisation.objects.values("org_id"))
        return list(rows.exclude(id__in=asked.values("org_id")).order_by("name"))


def open_invitations(actor: Actor) -> list[Invitation]:
    """Invitations that can still be used."""
    with reading(actor, Permission.PERSON_INVITE) as instance:
        rows = Invitation.objects.select_related("org").filter(
            used_at=None, expires_at__gt=instance.clock.now()
        )
        return list((rows if actor.host else rows.filter(org_id=actor.org)).order_by("-pk"))
