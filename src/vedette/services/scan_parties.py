"""Under whose name a scan or a finding goes: one's own, or a partner's through its lab."""

from __future__ import annotations

from typing import Any

from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.kernel.permissions import Profile
from vedette.services.acting import Actor, Doing
from vedette.services.inbox import Arrival
from vedette.services.outbox import find_peer
from vedette.services.parties import organisation_of
from vedette.store.models import (
    EarlyAccess,
    Finding,
    Organisation,
    Peer,
    PeerPartner,
    ScanFinding,
    ScanIntent,
)
from vedette.store.tenancy import SYSTEM, scoped


def own_party(actor: Actor) -> tuple[str, dict[str, Any]]:
    """The name that an actor's scans go by, and who it is on whose behalf a lab sends them on.

    A partner on a lab's instance goes by its name where it agreed to be named, else by its
    pseudonym. Its reference is the same for everything that it sends.
    """
    with scoped(SYSTEM):
        org = Organisation.objects.get(id=actor.org)
        if actor.host or actor.system:
            return org.name, {}
        early = EarlyAccess.objects.filter(org_id=actor.org).order_by("-opened_at", "id").first()
    named = early is None or early.named
    name = org.name if named else (early.pseudonym if early else org.name)
    behalf = {"reference": org.id, "name": name, "named": named}
    if org.sector:
        behalf["sector"] = org.sector
    return name, behalf


def clearinghouse(name: str) -> Peer:
    """The clearinghouse of that name, or the only one. Raises BadInput.

    A partner on a lab's instance sees no peers, so that the instance looks for it.
    """
    with scoped(SYSTEM):
        if name:
            peer = find_peer(name)
            if peer.profile != Profile.CLEARINGHOUSE:
                raise BadInput(f"to: {name[:60]!r} is no clearinghouse")
            return peer
        peers = list(Peer.objects.filter(profile=Profile.CLEARINGHOUSE).order_by("name")[:2])
    if len(peers) != 1:
        raise BadInput(
            f"to: {'several clearinghouses are' if peers else 'no clearinghouse is'} known here",
            next_step="name one" if peers else "vedette exchange peer add",
        )
    return peers[0]


def link(finding: Finding, scan_id: str) -> None:
    """Say which of the reporter's own scans a finding comes from. Raises BadInput."""
    scan = ScanIntent.objects.filter(id=scan_id, org_id=finding.org_id).first()
    if scan is None:
        raise BadInput("scan: no scan of yours has this id", next_step="copy it from its page")
    ScanFinding(org_id=finding.org_id, intent=scan, finding=finding).save(force_insert=True)


def link_arrived(finding: Finding, peer: Peer) -> None:
    """Link an arrived finding to the scan that it names, where that is here; else it comes later.

    Only a scan of the same party through the same peer is meant.
    """
    scan = ScanIntent.objects.filter(
        id=finding.scan_named, peer=peer, org_id=finding.org_id
    ).first()
    if scan is not None:
        ScanFinding(org_id=finding.org_id, intent=scan, finding=finding).save(force_insert=True)


def link_earlier(scan: ScanIntent) -> None:
    """Link the findings that named a scan and arrived before it."""
    rows = Finding.objects.filter(scan_named=scan.id, org_id=scan.org_id, peer=scan.peer, scan=None)
    for finding in rows:
        ScanFinding(org_id=scan.org_id, intent=scan, finding=finding).save(force_insert=True)


def arrived_party(arrival: Arrival) -> tuple[Organisation, str]:
    """The organisation that owns what arrived, and the name it goes by."""
    behalf = arrival.body.get("behalf")
    if not behalf:
        org = organisation_of(arrival.doing, arrival.peer)
        return org, arrival.peer.name
    return partner_organisation(arrival.doing, arrival.peer, behalf), behalf["name"]


def partner_organisation(doing: Doing, peer: Peer, behalf: dict[str, Any]) -> Organisation:
    """The organisation of a partner that a lab speaks for, made on first contact.

    It never is one that signs in here: a lab gains nobody's rows by naming them.
    """
    with scoped(SYSTEM):
        found = PeerPartner.objects.select_related("org")
        known = found.filter(peer=peer, reference=behalf["reference"]).first()
        if known is not None:
            return known.org
        name = behalf["name"][:120]
        if Organisation.objects.filter(name=name).exists():
            name = f"{name} (through {peer.name[:40]}, {behalf['reference'][-6:]})"
        org = Organisation(
            name=name,
            kind="partner",
            sector=behalf.get("sector", ""),
            added_at=doing.now,
        )
        org.save(force_insert=True)
        PeerPartner(org=org, peer=peer, reference=behalf["reference"]).save(force_insert=True)
    doing.record(Event.INSTANCE_ORGANISATION_ADDED, org.id, {"name": org.name, "kind": "partner"})
    return org
