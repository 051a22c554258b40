"""Scan intents: registered here or by message, answered with what their party may know.

Rules:
- Whoever scans registers it at the clearinghouse: in its portal, through its API, or on a lab's or
  an office's own instance, which sends it on; a lab sends its partners' under their name or their
  pseudonym.
- What a party is told comes from `clearinghouse.scans` alone, and is worked out anew whenever
  something about the target changes; a peer is sent it again where it differs.
- The clearinghouse's own people see who is at what: it is theirs to bring together. Others see
  their own intents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vedette.clearinghouse import scans as rules
from vedette.clearinghouse.scans import Target
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Permission, Profile
from vedette.services import scan_answers, scan_parties
from vedette.services.acting import Actor, Doing, act, instance_actor
from vedette.services.here import here
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.jobs import job, schedule
from vedette.services.parties import words
from vedette.services.sides import stamp
from vedette.store.models import Peer, ScanIntent
from vedette.store.tenancy import SYSTEM, scoped

REGISTERING = (Profile.CLEARINGHOUSE, Profile.LAB, Profile.OFFICE)


def target_of(given: Mapping[str, Any]) -> Target:
    """The target that fields or a message's body name. Raises BadInput naming the field."""
    for name in ("product", "vendor", "package"):
        if not isinstance(given.get(name) or "", str):
            raise BadInput(f"{name}: text expected")
    target = Target(
        product=(given.get("product") or "").strip(),
        vendor=(given.get("vendor") or "").strip(),
        package=(given.get("package") or "").strip(),
        versions=tuple(str(version).strip() for version in given.get("versions") or ()),
    )
    rules.check_target(target)
    return target


def columns_of(target: Target) -> dict[str, str]:
    """A target as its table's columns."""
    return {
        "vendor": target.vendor,
        "product": target.product,
        "package": target.package,
        "product_key": target.product_key,
        "package_key": target.package_key,
    }


def declare_scan(
    actor: Actor,
    *,
    product: str = "",
    vendor: str = "",
    package: str = "",
    versions: tuple[str, ...] | list[str] = (),
    method: str,
    starts: datetime,
    ends: datetime,
    introduce: bool = False,
    contact: str = "",
    to: str = "",
) -> ScanIntent:
    """Register a scan before its work begins.

    Args:
        package: a purl; product or package is enough.
        versions: exact ones; none means all of them.
        method: an id from the pack.
        introduce: whether to be introduced to whoever else is at it, if they consent, too.
        contact: how to reach whoever does the work; told only to whom one is introduced to.
        to: on an instance that is no clearinghouse, the clearinghouse, where there are several.
    """
    if here().profile not in REGISTERING:
        raise NotFound(f"a {here().profile} registers no scans")
    actor.require(Permission.SCAN_DECLARE)
    target = target_of(
        {"product": product, "vendor": vendor, "package": package, "versions": list(versions)}
    )
    with act(actor, Permission.SCAN_DECLARE) as doing:
        party, behalf = scan_parties.own_party(actor)
        row = ScanIntent(
            id=new_id("scan"),
            org_id=actor.org,
            party=party,
            behalf=behalf,
            **columns_of(target),
            versions=list(target.versions),
            method=method,
            starts_at=starts,
            ends_at=ends,
            introduce=introduce,
            contact=words(contact, "contact", 300, empty=True),
            registered_by=actor.name[:200],
            registered_at=doing.now,
        )
        rules.check_intent(doing.here.pack, scan_answers.pure(row), method, doing.now)
        _bounded(doing, row)
        _keep(doing, row)
        if doing.here.profile != Profile.CLEARINGHOUSE:
            row.sent_to = scan_parties.clearinghouse(to)
            row.save(update_fields=["sent_to"])
            _send(doing, row)
        return row


def _bounded(doing: Doing, row: ScanIntent) -> None:
    most = doing.here.pack.integer("scans", "most_open")
    rows = ScanIntent.objects.filter(org_id=row.org_id, ended_at=None, ends_at__gt=doing.now)
    if rows.count() >= most:
        raise Refused(
            f"{most} scans of yours are registered and not over",
            kept="those that are",
            next_step="end those that are done",
        )


def _keep(doing: Doing, row: ScanIntent, message_id: str = "") -> None:
    row.save(force_insert=True)
    doing.record(
        Event.SCAN_INTENT_DECLARED,
        row.id,
        {"target": [row.product_key, row.package_key], "party": row.party},
        marking=row.marking,
        message_id=message_id,
    )
    schedule(f"scan {row.id} ends", scan_over, row.ends_at, scan_id=row.id)
    if doing.here.profile == Profile.CLEARINGHOUSE:
        scan_answers.tell_all(doing, row)


def _send(doing: Doing, row: ScanIntent) -> None:
    assert row.sent_to is not None
    body = {
        "scan": row.id,
        "number": row.number,
        "vendor": row.vendor or None,
        "product": row.product,
        "package": row.package or None,
        "versions": list(row.versions),
        "method": row.method,
        "starts": stamp(row.starts_at),
        "ends": stamp(row.ends_at),
        "introduce": row.introduce,
        "contact": row.contact or None,
        "behalf": row.behalf or None,
    }
    doing.send(row.sent_to, "scan.declared", body, thread=row.id, marking=row.marking)


def _own(scan_id: str) -> ScanIntent:
    """An intent of this id that the actor's scope owns, locked. Raises NotFound."""
    rows = ScanIntent.objects.select_for_update(of=("self",))
    row = rows.filter(id=scan_id).first()
    if row is None:
        raise NotFound(f"scan {scan_id[:40]!r} is not here")
    if row.sent_to_id:
        with scoped(SYSTEM):  # a partner on a lab's instance sees no peers
            row.sent_to = Peer.objects.get(pk=row.sent_to_id)
    return row


def consent(actor: Actor, scan_id: str, introduce: bool, contact: str = "") -> ScanIntent:
    """Say whether one likes to be introduced to whoever else is at it; at any time, either way."""
    with act(actor, Permission.SCAN_DECLARE) as doing:
        row = _own(scan_id)
        _only_owner(actor, row)
        row.introduce = introduce
        row.contact = words(contact, "contact", 300, empty=True) or row.contact
        row.number += 1
        row.save(update_fields=["introduce", "contact", "number"])
        doing.record(
            Event.SCAN_INTENT_CHANGED, row.id, {"introduce": introduce}, marking=row.marking
        )
        if row.sent_to is not None:
            _send(doing, row)
        else:
            scan_answers.tell_all(doing, row)
        return row


def _only_owner(actor: Actor, row: ScanIntent) -> None:
    if row.org_id != actor.org and not actor.system:
        raise Refused("this scan is another party's", kept="the scan as it was")


def end_scan(actor: Actor, scan_id: str) -> ScanIntent:
    """Say that the work is done, or not to be done; ending it twice changes nothing."""
    with act(actor, Permission.SCAN_DECLARE) as doing:
        row = _own(scan_id)
        _only_owner(actor, row)
        if _end(doing, row, doing.now) and row.sent_to is not None:
            body = {"scan": row.id, "at": stamp(doing.now)}
            doing.send(row.sent_to, "scan.ended", body, thread=row.id, marking=row.marking)
        return row


def _end(doing: Doing, row: ScanIntent, at: datetime, message_id: str = "") -> bool:
    if row.ended_at is not None:
        return False
    row.ended_at = min(at, row.ends_at)
    row.save(update_fields=["ended_at"])
    doing.record(
        Event.SCAN_INTENT_ENDED,
        row.id,
        {"at": stamp(at)},
        marking=row.marking,
        message_id=message_id,
    )
    if doing.here.profile == Profile.CLEARINGHOUSE:
        scan_answers.tell_all(doing, row)
    return True


@job()
def scan_over(scan_id: str) -> None:
    """Let a scan be over at its end. Idempotent."""
    with act(instance_actor(), None) as doing:
        row = ScanIntent.objects.select_for_update(of=("self",)).filter(id=scan_id).first()
        if row is not None and row.ends_at <= doing.now:
            _end(doing, row, row.ends_at)


@handles("scan.declared")
def on_declared(arrival: Arrival) -> None:
    """A lab or an office registers a scan, its own or on a partner's behalf."""
    body, doing = arrival.body, arrival.doing
    known = ScanIntent.objects.select_for_update(of=("self",)).filter(id=body["scan"]).first()
    if known is not None:
        if known.peer_id != arrival.peer.keyid:
            raise Refused("another party registered this scan", kept="the scan as it was")
        if body["number"] > known.number:
            known.number, known.introduce = body["number"], body["introduce"]
            known.contact = body.get("contact", "")
            known.save(update_fields=["number", "introduce", "contact"])
            scan_answers.tell_all(doing, known)
        return
    target = target_of(body)
    org, party = scan_parties.arrived_party(arrival)
    row = ScanIntent(
        id=body["scan"],
        org=org,
        peer=arrival.peer,
        party=party,
        behalf=body.get("behalf", {}),
        **columns_of(target),
        versions=list(target.versions),
        method=body["method"],
        starts_at=parse_time(body["starts"], field="body.starts"),
        ends_at=parse_time(body["ends"], field="body.ends"),
        introduce=body["introduce"],
        contact=body.get("contact", ""),
        number=body["number"],
        marking=arrival.message.marking,
        registered_at=doing.now,
    )
    sent = parse_time(arrival.message.sent_at, field="sent_at")
    rules.check_intent(doing.here.pack, scan_answers.pure(row), row.method, min(sent, doing.now))
    _keep(doing, row, arrival.message.id)
    scan_parties.link_earlier(row)


@handles("scan.ended")
def on_ended(arrival: Arrival) -> None:
    """A scan is over before its end."""
    rows = ScanIntent.objects.select_for_update(of=("self",))
    row = rows.filter(id=arrival.body["scan"], peer_id=arrival.peer.keyid).first()
    if row is None:
        raise NotYet(f"scan {arrival.body['scan']} has not arrived")
    _end(arrival.doing, row, parse_time(arrival.body["at"], field="body.at"), arrival.message.id)


@handles("scan.answered")
def on_answered(arrival: Arrival) -> None:
    """The clearinghouse says what the party of a scan may know; its newest word stands."""
    rows = ScanIntent.objects.select_for_update(of=("self",))
    row = rows.filter(id=arrival.body["scan"], sent_to_id=arrival.peer.keyid).first()
    if row is None:
        raise NotFound("no such scan was registered with this peer")
    if arrival.body["number"] <= row.answer.get("number", 0):
        return
    row.answer = {key: value for key, value in arrival.body.items() if key != "scan"}
    row.save(update_fields=["answer"])
    arrival.doing.record(
        Event.SCAN_INTENT_ANSWERED,
        row.id,
        row.answer,
        marking=row.marking,
        message_id=arrival.message.id,
    )
