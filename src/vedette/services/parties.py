"""Who is a party on this clearinghouse, and how every act on a case begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, act
from vedette.services.here import here
from vedette.store.models import Case, Organisation, Peer, PeerOrganisation
from vedette.store.tenancy import SYSTEM, scoped


def clearinghouse_only() -> None:
    """Raise NotFound on an instance that is no clearinghouse."""
    if here().profile != Profile.CLEARINGHOUSE:
        raise NotFound(f"a {here().profile} coordinates no cases")


def readable(actor: Actor, marking: str) -> bool:
    """Tell whether `actor` is cleared for `marking`."""
    return Marking.parse(actor.clearance).dominates(Marking.parse(marking))


def organisation_of(doing: Doing, peer: Peer) -> Organisation:
    """The organisation that owns what `peer` reports, made on first contact.

    It never is one that signs in here: a peer gains no member's rows by its name.
    """
    with scoped(SYSTEM):
        known = PeerOrganisation.objects.select_related("org").filter(peer=peer).first()
        if known is not None:
            return known.org
        name = peer.name
        if Organisation.objects.filter(name=name).exists():
            name = f"{peer.name[:150]} (by message, key {peer.keyid[:16]})"
        org = Organisation(name=name, kind=peer.profile, added_at=doing.now)
        org.save(force_insert=True)
        PeerOrganisation(org=org, peer=peer).save(force_insert=True)
    doing.record(
        Event.INSTANCE_ORGANISATION_ADDED, org.id, {"name": org.name, "kind": peer.profile}
    )
    return org


@contextmanager
def on_case(
    actor: Actor, case_id: str, permission: Permission = Permission.CASE_COORDINATE
) -> Iterator[tuple[Doing, Case]]:
    """An act on one case, locked; by default one of its coordinator."""
    clearinghouse_only()
    with act(actor, permission) as doing:
        seen = Case.objects.filter(id=case_id).first()
        if seen is None or not readable(actor, seen.marking):
            raise NotFound(f"case {case_id[:40]!r} is not here")
        with scoped(SYSTEM):  # a participant sees a case, but only its owner may lock the row
            row = Case.objects.select_for_update(of=("self",)).get(id=case_id)
        if permission == Permission.CASE_COORDINATE and not (actor.host or actor.system):
            raise Forbidden("the clearinghouse's own people coordinate")
        yield doing, row


def words(text: str, field: str, limit: int, *, empty: bool = False) -> str:
    """Text within its bound, without NUL. Raises BadInput naming `field`."""
    if not isinstance(text, str) or "\0" in text or len(text) > limit:
        raise BadInput(f"{field}: text of at most {limit:,} characters belongs here")
    if not empty and not text.strip():
        raise BadInput(f"{field}: missing")
    return text.strip()
