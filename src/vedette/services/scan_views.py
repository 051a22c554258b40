"""What people see of scans, wishes and test beds: lists and single ones, for pages and the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission, Profile
from vedette.services import scan_answers
from vedette.services.acting import Actor, reading
from vedette.services.here import here
from vedette.services.sides import stamp
from vedette.store.models import ScanFinding, ScanIntent, ScanWish, TestBed
from vedette.store.tenancy import SYSTEM, scoped

TARGET = ("vendor", "product", "package")


def browse_scans(actor: Actor, *, standing: bool = False) -> QuerySet[ScanIntent]:
    """Scans in the reader's scope, the newest first; evaluate it under that scope."""
    actor.require(Permission.SCAN_READ)
    rows = ScanIntent.objects.order_by("-registered_at", "id")
    return rows.filter(ended_at=None, ends_at__gt=here().clock.now()) if standing else rows


def scan_row(row: ScanIntent) -> dict[str, Any]:
    """One scan as a line of a list."""
    over = row.ended_at is not None or row.ends_at <= here().clock.now()
    begun = row.starts_at <= here().clock.now()
    return {
        "id": row.id,
        "party": row.party,
        **{name: getattr(row, name) for name in TARGET},
        "versions": list(row.versions),
        "method": row.method,
        "starts": stamp(row.starts_at),
        "ends": stamp(row.ends_at),
        "ended": stamp(row.ended_at),
        "state": "over" if over else "under way" if begun else "ahead",
        "introduce": row.introduce,
        "contact": row.contact,
        "marking": row.marking,
        "registered_at": stamp(row.registered_at),
    }


def scans(actor: Actor) -> list[dict[str, Any]]:
    """The newest 200 scans."""
    with reading(actor, Permission.SCAN_READ):
        return [scan_row(row) for row in browse_scans(actor)[:200]]


def own_scans(actor: Actor) -> list[tuple[str, str]]:
    """The reader's own scans of the last while, as (id, target), for a choice."""
    if not actor.may(Permission.SCAN_DECLARE):
        return []
    with reading(actor):
        rows = ScanIntent.objects.filter(org_id=actor.org).order_by("-registered_at", "id")
        return [(row.id, row.product or row.package) for row in rows[:50]]


def scan_view(actor: Actor, scan_id: str) -> dict[str, Any]:
    """One scan, what its party may know, its findings; for the clearinghouse's own who is at it."""
    with reading(actor, Permission.SCAN_READ) as instance:
        row = ScanIntent.objects.filter(id=scan_id).first()
        if row is None:
            raise NotFound(f"scan {scan_id[:40]!r} is not here")
        house = instance.profile == Profile.CLEARINGHOUSE
        links = ScanFinding.objects.filter(intent=row).select_related("finding")
        shown = {
            **scan_row(row),
            "mine": row.org_id == actor.org,
            "answer": scan_answers.answer_of(row) if house else _told(row),
            "findings": [
                {"id": link.finding_id, "title": link.finding.title, "state": link.finding.state}
                for link in links[:200]
            ],
        }
        if house and actor.host and actor.may(Permission.CASE_COORDINATE):
            with scoped(SYSTEM):
                met = scan_answers.meeting(row)
                shown["at_it"] = [scan_row(other) for other in met]
                shown["open_cases"] = [
                    {"id": c.id, "title": c.title} for c in scan_answers.open_cases(row)
                ]
        return shown


def _told(row: ScanIntent) -> dict[str, Any] | None:
    return {k: v for k, v in row.answer.items() if k != "number"} if row.answer else None


def wishes(actor: Actor) -> list[dict[str, Any]]:
    """Wishes in the reader's scope: a maker's own, all of them for the clearinghouse."""
    with reading(actor, Permission.SCAN_WISH):
        rows = ScanWish.objects.select_related("org").order_by("-made_at", "id")
        return [wish_row(row) for row in rows[:500]]


def wish_row(row: ScanWish) -> dict[str, Any]:
    return {
        "id": row.id,
        "by": row.org.name,
        "kind": row.kind,
        **{name: getattr(row, name) for name in TARGET},
        "text": row.text,
        "contact": row.contact,
        "starts": stamp(row.starts_at),
        "ends": stamp(row.ends_at),
        "withdrawn": stamp(row.withdrawn_at),
        "made_at": stamp(row.made_at),
    }


def testbeds(actor: Actor) -> list[dict[str, Any]]:
    """Test beds in the reader's scope; whoever may register scans sees all on offer here."""
    with reading(actor) as instance:
        own = actor.may(Permission.TESTBED_OFFER)
        scanning = actor.may(Permission.SCAN_READ) and instance.profile == Profile.CLEARINGHOUSE
        if not (own or scanning):
            actor.require(Permission.TESTBED_OFFER)
        rows = list(TestBed.objects.select_related("org").order_by("-offered_at", "id")[:500])
        if scanning:
            with scoped(SYSTEM):
                on_offer = TestBed.objects.select_related("org").filter(withdrawn_at=None)
                now = instance.clock.now()
                rows += [
                    bed
                    for bed in on_offer.order_by("-offered_at", "id")[:500]
                    if bed not in rows and (bed.until is None or bed.until > now)
                ]
        return [bed_row(actor, row) for row in rows]


def bed_view(actor: Actor, testbed_id: str) -> dict[str, Any]:
    """One test bed of the reader's own. Raises NotFound."""
    with reading(actor, Permission.TESTBED_OFFER):
        row = TestBed.objects.select_related("org").filter(id=testbed_id).first()
        if row is None:
            raise NotFound(f"test bed {testbed_id[:40]!r} is not here")
        return bed_row(actor, row)


def bed_row(actor: Actor, row: TestBed) -> dict[str, Any]:
    shown = scan_answers.bed_json(row)
    over = row.until is not None and row.until <= here().clock.now()
    state = "withdrawn" if row.withdrawn_at else "over" if over else "on offer"
    return {
        "until": None,
        **shown,
        "id": row.id,
        "vendor": row.vendor,
        "package": row.package,
        "state": state,
        "mine": row.org_id == actor.org,
        "offered_at": stamp(row.offered_at),
    }
