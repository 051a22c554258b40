"""What the party of a scan may know, worked out at the clearinghouse, and sent where it changed."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from vedette.clearinghouse import scans as rules
from vedette.clearinghouse.scans import Intent, Target
from vedette.clearinghouse.states import CaseState
from vedette.services.acting import Doing
from vedette.services.here import here
from vedette.services.sides import stamp
from vedette.store.models import Case, CaseParticipant, ScanIntent, ScanWish, TestBed
from vedette.store.tenancy import SYSTEM, scoped

OVER = (CaseState.PUBLISHED, CaseState.CLOSED)
MOST = 500


def target(row: Any) -> Target:
    """The target of an intent, wish or test bed."""
    return Target(row.product, row.vendor, row.package, tuple(getattr(row, "versions", ())))


def pure(row: ScanIntent) -> Intent:
    return Intent(
        row.id,
        row.org_id,
        target(row),
        row.starts_at,
        row.ends_at,
        row.ended_at,
        row.introduce,
    )


def like(rows: QuerySet[Any], row: Any) -> list[Any]:
    """The rows about the same target as `row`."""
    keys = Q()
    for name in ("product_key", "package_key"):
        if getattr(row, name):
            keys |= Q(**{name: getattr(row, name)})
    wanted = target(row)
    return [other for other in rows.filter(keys)[:MOST] if rules.same_target(wanted, target(other))]


def neighbours(row: ScanIntent) -> list[ScanIntent]:
    """Other parties' intents on the same target that are not over."""
    now = here().clock.now()
    rows = ScanIntent.objects.filter(ended_at=None, ends_at__gt=now).exclude(pk=row.pk)
    return like(rows.exclude(org_id=row.org_id).order_by("registered_at", "id"), row)


def meeting(row: ScanIntent) -> list[ScanIntent]:
    """Other parties' intents that meet this one."""
    now, own = here().clock.now(), pure(row)
    return [other for other in neighbours(row) if rules.meets(own, pure(other), now)]


def open_cases(row: ScanIntent) -> list[Case]:
    """Open cases on the target in which the scan's party has no part."""
    rows = Case.objects.exclude(state__in=OVER).exclude(findings__org_id=row.org_id)
    inside = CaseParticipant.objects.filter(org_id=row.org_id).values("case_id")
    rows = rows.exclude(id__in=inside).order_by("id")
    wanted, found = target(row), {}
    if row.product:
        for case in rows.filter(product__iexact=row.product)[:MOST]:
            if rules.same_target(wanted, Target(case.product, case.vendor)):
                found[case.id] = case
    if row.package_key:
        reported = rows.filter(findings__target=row.package_key.removeprefix("pkg:"))
        found |= {case.id: case for case in reported.distinct()[:MOST]}
    return list(found.values())


def answer_of(row: ScanIntent) -> dict[str, Any]:
    """What the party of `row` may know, as it crosses: never who or how many are at it."""
    now = here().clock.now()
    with scoped(SYSTEM):
        others = neighbours(row)
        intent = pure(row)
        found = rules.told(intent, [pure(o) for o in others], bool(open_cases(row)), now)
        by_id = {other.id: other for other in others}
        return {
            "somebody": found.somebody,
            "introduced": [
                {"name": by_id[key].party, "contact": by_id[key].contact}
                for key in found.introduced
            ],
            "wishes": [_wish(wish) for wish in _wishes(row, intent)],
            "beds": [bed_json(bed) for bed in _beds(row, intent)],
        }


def _wishes(row: ScanIntent, intent: Intent) -> list[ScanWish]:
    rows = ScanWish.objects.filter(withdrawn_at=None).order_by("made_at", "id")
    found = like(rows, row)
    return [w for w in found if rules.overlap(w.starts_at, w.ends_at, intent)][:50]


def _wish(row: ScanWish) -> dict[str, Any]:
    shown = {
        "kind": row.kind,
        "vendor": row.vendor or row.org.name,
        "product": row.product or row.package,
        "text": row.text,
        "contact": row.contact,
        "starts": stamp(row.starts_at),
        "ends": stamp(row.ends_at),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _beds(row: ScanIntent, intent: Intent) -> list[TestBed]:
    rows = TestBed.objects.filter(withdrawn_at=None).order_by("offered_at", "id")
    found = like(rows.select_related("org"), row)
    return [bed for bed in found if rules.overlap(None, bed.until, intent)][:50]


def bed_json(row: TestBed) -> dict[str, Any]:
    """A test bed as whoever registers a scan sees it."""
    shown = {
        "name": row.name,
        "owner": row.org.name,
        "kind": row.kind,
        "product": row.product or row.package,
        "hours": row.hours,
        "limits": row.limits,
        "contact": row.contact,
        "until": stamp(row.until),
    }
    return {name: value for name, value in shown.items() if value is not None}


def tell_all(doing: Doing, row: Any) -> None:
    """Something about a target changed: send the peers whose scans it touches what is so now."""
    with scoped(SYSTEM):
        rows = ScanIntent.objects.select_related("peer").exclude(peer=None)
        touched = like(rows.filter(ended_at=None, ends_at__gt=doing.now), row)
        if isinstance(row, ScanIntent) and row.peer_id and row not in touched and not row.ended_at:
            touched.append(row)
        for other in touched:
            _tell(doing, other)


def _tell(doing: Doing, row: ScanIntent) -> None:
    found, number = answer_of(row), row.answer.get("number", 0)
    if {key: value for key, value in row.answer.items() if key != "number"} == found:
        return
    row.answer = {**found, "number": number + 1}
    row.save(update_fields=["answer"])
    assert row.peer is not None
    body = {"scan": row.id, **row.answer}
    doing.send(row.peer, "scan.answered", body, thread=row.id, marking=row.marking)
