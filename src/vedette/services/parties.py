"""Who is a party on this clearinghouse: its own organisations, and one for each peer."""

from __future__ import annotations

from vedette.kernel.errors import NotFound
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Profile
from vedette.services.acting import Actor, Doing
from vedette.services.here import here
from vedette.store.models import Organisation, Peer, PeerOrganisation
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
