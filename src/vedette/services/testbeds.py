"""Test beds: an operator or a maker offers its own product or test bed to be looked at.

Rules:
- Only what is one's own is offered: whoever offers declares so, and the declaration enters the
  ledger. A third party's system is nobody else's to offer.
- An offer has hours, limits and a contact; it ends at its hour, is withdrawn at any time, and is
  shown to those who register scans of that target and to those who look for one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services import scan_answers, scan_parties
from vedette.services.acting import Actor, Doing, act
from vedette.services.here import here
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.parties import organisation_of, words
from vedette.services.scans import columns_of, target_of
from vedette.services.sides import stamp
from vedette.store.models import TestBed

KINDS = ("own-product", "own-test-bed")
OFFERING = (Profile.OPERATOR, Profile.CLEARINGHOUSE)
MARKING = "TLP:AMBER"


def offer_testbed(
    actor: Actor,
    name: str,
    kind: str,
    *,
    own: bool,
    product: str = "",
    vendor: str = "",
    package: str = "",
    hours: str = "",
    limits: str = "",
    contact: str = "",
    until: datetime | None = None,
    to: str = "",
) -> TestBed:
    """Offer one's own product or test bed to be looked at.

    Args:
        own: the declaration that it is one's own; without it nothing is offered.
        hours, limits: when it may be looked at, and what must not be done to it.
        until: when the offer ends by itself; open where None.
        to: on an operator's instance the clearinghouse, where there are several.
    """
    if here().profile not in OFFERING:
        raise NotFound(f"a {here().profile} offers no test beds")
    actor.require(Permission.TESTBED_OFFER)
    if not own:
        raise BadInput("own: only what is your own can be offered", next_step="ask its owner")
    if kind not in KINDS:
        raise BadInput(f"kind: {kind[:40]!r} is none of {', '.join(KINDS)}")
    target = target_of({"product": product, "vendor": vendor, "package": package})
    with act(actor, Permission.TESTBED_OFFER) as doing:
        if until is not None and until <= doing.now:
            raise BadInput("until: it has passed")
        row = TestBed(
            org_id=actor.org,
            name=words(name, "name", 200),
            kind=kind,
            **columns_of(target),
            hours=words(hours, "hours", 1_000, empty=True),
            limits=words(limits, "limits", 4_000, empty=True),
            contact=words(contact, "contact", 300),
            until=until,
            offered_by=actor.name[:200],
            offered_at=doing.now,
        )
        row.save(force_insert=True)
        message_id = ""
        if doing.here.profile == Profile.OPERATOR:
            row.sent_to = scan_parties.clearinghouse(to)
            row.save(update_fields=["sent_to"])
            message_id = doing.send(
                row.sent_to, "testbed.offered", _body(row), thread=row.id, marking=MARKING
            )
        _offered(doing, row, message_id)
        return row


def _body(row: TestBed) -> dict[str, Any]:
    return {
        "testbed": row.id,
        "name": row.name,
        "kind": row.kind,
        "own": True,
        "vendor": row.vendor or None,
        "product": row.product,
        "package": row.package or None,
        "hours": row.hours,
        "limits": row.limits or None,
        "contact": row.contact,
        "until": stamp(row.until),
    }


def _offered(doing: Doing, row: TestBed, message_id: str) -> None:
    payload = {"kind": row.kind, "own": True, "product": row.product_key}
    doing.record(Event.OPERATOR_TESTBED_OFFERED, row.id, payload, message_id=message_id)
    if doing.here.profile == Profile.CLEARINGHOUSE:
        scan_answers.tell_all(doing, row)


def withdraw_testbed(actor: Actor, testbed_id: str) -> TestBed:
    """Withdraw an offer, at any time; doing so twice changes nothing."""
    with act(actor, Permission.TESTBED_OFFER) as doing:
        rows = TestBed.objects.select_related("sent_to").select_for_update(of=("self",))
        row = rows.filter(id=testbed_id).first()
        if row is None:
            raise NotFound(f"test bed {testbed_id[:40]!r} is not here")
        if row.org_id != actor.org:
            raise Refused("this test bed is another party's", kept="the offer as it was")
        if row.withdrawn_at is None:
            message_id = ""
            if row.sent_to is not None:
                body = {"testbed": row.id, "at": stamp(doing.now)}
                message_id = doing.send(
                    row.sent_to, "testbed.withdrawn", body, thread=row.id, marking=MARKING
                )
            _withdrawn(doing, row, doing.now, message_id)
        return row


def _withdrawn(doing: Doing, row: TestBed, at: datetime, message_id: str) -> None:
    row.withdrawn_at = at
    row.save(update_fields=["withdrawn_at"])
    doing.record(Event.OPERATOR_TESTBED_WITHDRAWN, row.id, {}, message_id=message_id)
    if doing.here.profile == Profile.CLEARINGHOUSE:
        scan_answers.tell_all(doing, row)


@handles("testbed.offered")
def on_offered(arrival: Arrival) -> None:
    """An operator offers its own product or test bed."""
    body, doing = arrival.body, arrival.doing
    if not body["own"]:
        raise BadInput("testbed.offered: own: nobody offers what is another's")
    if TestBed.objects.filter(id=body["testbed"]).exists():
        raise Refused(f"test bed {body['testbed']} is here already", kept="the offer as it was")
    row = TestBed(
        id=body["testbed"],
        org=organisation_of(doing, arrival.peer),
        peer=arrival.peer,
        name=words(body["name"], "name", 200),
        kind=body["kind"],
        **columns_of(target_of(body)),
        hours=body.get("hours", ""),
        limits=body.get("limits", ""),
        contact=body["contact"],
        until=parse_time(body["until"], field="body.until") if "until" in body else None,
        offered_at=doing.now,
    )
    row.save(force_insert=True)
    _offered(doing, row, arrival.message.id)


@handles("testbed.withdrawn")
def on_withdrawn(arrival: Arrival) -> None:
    """An operator takes its offer back."""
    rows = TestBed.objects.select_for_update(of=("self",))
    row = rows.filter(id=arrival.body["testbed"], peer_id=arrival.peer.keyid).first()
    if row is None:
        raise NotYet(f"test bed {arrival.body['testbed']} has not arrived")
    if row.withdrawn_at is None:
        at = parse_time(arrival.body["at"], field="body.at")
        _withdrawn(arrival.doing, row, at, arrival.message.id)
