"""The clearinghouse's pages: findings, cases and advisories, for each who has business there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.services.coordination import (
    UJSON,
    Executions,
    executions,
    opened,
    reproduced,
    shown,
)
from tests.services.running import run_jobs
from tests.web.houses import House, finding_of, house, status_of
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.services import cases, fixes
from vedette.services.testing import Fixture
from vedette.store.models import Advisory, Case, CaseParticipant, Organisation
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions", "house"]
FACTS = {"kev": "no", "automatable": "yes", "impact": "total"}
WORDS = {"title": "ujson overflows", "summary": "It overflows.", "details": "With an indent."}


def test_an_empty_instance_names_the_next_act(clearinghouse: Fixture) -> None:
    coordinator = visitor(clearinghouse, "coordinator")
    assert "Nothing waits" in read(coordinator, "/")
    assert 'href="/findings/report/"' in read(coordinator, "/findings/")
    assert 'href="/findings/?state=reproduced"' in read(coordinator, "/cases/")
    finder = visitor(clearinghouse, "finder", clearinghouse.organisation("F", "finder").id)
    assert 'href="/findings/report/"' in read(finder, "/")
    vendor = visitor(clearinghouse, "vendor", clearinghouse.organisation("V", "vendor").id)
    assert "No case waits for you" in read(vendor, "/")
    auditor = visitor(clearinghouse, "auditor")
    assert 'href="/ledger/"' in read(auditor, "/")
    assert "Nothing is published yet" in read(Client(), "/advisories/")


PAGES = [
    ("/findings/", "finder", "vendor"),
    ("/findings/report/", "finder", "vendor"),
    ("/findings/{finding}/", "coordinator", "vendor"),
    ("/findings/{finding}/recipe.json", "coordinator", "vendor"),
    ("/cases/", "vendor", "operator"),
    ("/cases/{case}/", "vendor", "operator"),
    ("/cases/{case}/notes/", "vendor", "operator"),
    ("/cases/{case}/answer/", "vendor", "finder"),
    ("/cases/{case}/fix/", "vendor", "finder"),
    ("/cases/{case}/participants/", "coordinator", "vendor"),
    ("/cases/{case}/invite/", "coordinator", "vendor"),
    ("/cases/{case}/publish/", "coordinator", "vendor"),
    ("/cases/{case}/close/", "coordinator", "vendor"),
]


@pytest.mark.parametrize(("page", "works", "lacks"), PAGES)
def test_access(house: House, page: str, works: str, lacks: str) -> None:
    url = page.format(case=house.case.id, finding=finding_of(house).id)
    inside = {"coordinator": "", "finder": house.finder.id}
    assert status_of(visitor(house.fixture, works, inside.get(works, house.vendor.id)), url) == 200
    assert status_of(visitor(house.fixture, lacks, house.vendor.id), url) == 403
    assert Client().get(url).headers["Location"].startswith("/accounts/login/")
    if "{" in page:
        assert status_of(stranger(house.fixture, "vendor"), url) == 404


def test_posts_of_strangers_and_of_the_wrong_role_change_nothing(house: House) -> None:
    other = stranger(house.fixture, "vendor")
    vendor = visitor(house.fixture, "vendor", house.vendor.id)
    for name in ("note", "close", "publish", "answer", "nonsense"):
        assert other.post(f"{house.at}{name}/", {"text": "x", "reason": "x"}).status_code == 404
    assert vendor.post(f"{house.at}close/", {"reason": "x"}).status_code == 403
    assert vendor.post(f"{house.at}nonsense/").status_code == 404
    assert vendor.post(f"/findings/{finding_of(house).id}/execute/").status_code == 403
    assert house.coordinator.get(f"/findings/{finding_of(house).id}/execute/").status_code == 405
    safe = Client(enforce_csrf_checks=True)
    safe.cookies = house.coordinator.cookies
    assert safe.post(f"{house.at}note/", {"text": "x"}).status_code == 403
    with scoped(SYSTEM):
        assert Case.objects.get(id=house.case.id).state == "vendor-notified"


def test_a_case_from_its_finding_to_its_advisory_by_the_portal_alone(
    clearinghouse: Fixture, executions: Executions
) -> None:
    coordinator = visitor(clearinghouse, "coordinator")
    row = reproduced(clearinghouse)
    case = send(coordinator, f"/findings/{row.id}/open-case/", title="Overflow", vendor="Norrvik")
    vendor_org = clearinghouse.organisation("Norrvik", "vendor")
    bad = refused(coordinator, f"{case}invite/", org=vendor_org.id, role="vendor", zone="Nowhere")
    assert "unknown" in bad
    assert "Europe/Berlin" in bad
    send(
        coordinator,
        f"{case}invite/",
        org=vendor_org.id,
        role="vendor",
        zone="Europe/Oslo",
        terms="Ninety days.",
        disclosure_days="90",
    )
    vendor = visitor(clearinghouse, "vendor", vendor_org.id)
    assert 'href="' + case in read(vendor, "/")
    assert read(vendor, case.rstrip("/")), "the address in the mail"
    send(vendor, f"{case}answer/", status="working", note="on it")
    assert "answered: working on it" in read(coordinator, case)
    source = SimpleUploadedFile("fixed.c", b"int main(void) { return 0; }")
    send(vendor, f"{case}fix/", version="3.2.1", source=source, note="length checked")
    assert "waits for its execution" in read(vendor, case)
    run_jobs()
    page = read(vendor, case)
    assert "verified by execution" in page
    assert "fix verified" in page
    refusal = refused(coordinator, f"{case}publish/", **WORDS, **FACTS)
    assert "the embargo runs until" in refusal.lower()
    assert "give the reason" in refusal.lower()
    send(vendor, f"{case}answer/", status="fixed", agree="on")
    send(coordinator, f"{case}publish/", **WORDS, **FACTS, reason="the fix is out")
    with scoped(SYSTEM):
        advisory = Advisory.objects.get()
    public = f"/advisories/{advisory.tracking_id}/"
    assert public in read(coordinator, case)
    assert public in read(Client(), "/advisories/")
    page = read(Client(), public)
    assert "It overflows." in page
    assert "Deployment" not in page
    assert case not in page
    assert "Deployment" in read(coordinator, public)
    for name in ("csaf", "osv"):
        answer = Client().get(f"{public}{name}.json")
        assert answer.status_code == 200
        assert advisory.tracking_id in answer.content.decode()
        assert "attachment" in answer.headers["Content-Disposition"]
    send(coordinator, f"{case}close/", reason="published")
    send(coordinator, f"{case}open-again/", reason="a second flaw")


def test_a_public_fix_is_recorded_where_a_release_was_executed(
    house: House, executions: Executions
) -> None:
    assert "/public-fix/" not in read(house.coordinator, house.at)
    executions.finding = shown(top_frame="Buffer_AppendIndent", frames=["Buffer_AppendIndent"])
    case = opened(house.fixture, title="ujson", product="ujson", recipe=UJSON)
    at = f"/cases/{case.id}/"
    assert "/public-fix/" in read(house.coordinator, at)
    send(house.coordinator, f"{at}public-fix/")
    assert "5.2.0" in read(house.coordinator, at)


def test_what_is_not_public_yet_is_not_here(house: House) -> None:
    with scoped(SYSTEM):
        held: tuple[dict[str, Any], ...] = (
            {"public": False},
            {"marking": "TLP:GREEN"},
            {"published_at": house.fixture.clock.now() + timedelta(hours=1)},
        )
        for number, changes in enumerate(held):
            given = {"public": True, "published_at": house.fixture.clock.now(), **changes}
            Advisory(
                org_id=house.fixture.here.org, tracking_id=f"x_t-{number}", title="Held", **given
            ).save()
    assert "Held" not in read(Client(), "/advisories/")
    for number in range(3):
        assert status_of(Client(), f"/advisories/x_t-{number}/") == 404
        assert status_of(Client(), f"/advisories/x_t-{number}/csaf.json") == 404


def test_silence_is_told_from_not_affected_and_not_looked(house: House) -> None:
    silent = house.party("Silent AS")
    for name, status in (("Calm AS", "not-affected"), ("Later AS", "not-looked")):
        org = house.party(name)
        cases.respond(house.acting("vendor", org), house.case.id, status)
    with scoped(SYSTEM):
        place = CaseParticipant.objects.get(case=house.case, org=silent)
    cases.grow_silent(place.pk)
    page = read(house.coordinator, house.at)
    for said in (
        "silent: never answered",
        "invited, no answer yet",
        "answered: not affected",
        "answered: not looked yet",
    ):
        assert said in page
    assert page.index("Silent AS") < page.index("Calm AS")
    assert "Silent AS" in read(house.coordinator, "/")
    narrowed = read(house.coordinator, f"{house.at}participants/?status=silent")
    assert "Silent AS" in narrowed
    assert "Calm AS" not in narrowed


def test_the_embargo_shows_its_hour_zone_and_whose_term_is_strictest(house: House) -> None:
    house.party(
        "Tern", "finder", terms="Sixty days.", zone="America/Chicago", days={"disclosure_days": 60}
    )
    page = read(house.coordinator, house.at)
    for part in (
        "30 Jan 2027, 09:00 UTC",
        "in 60 days",
        "America/Chicago",
        "2027-01-30 03:00 CST",
        "Europe/Oslo",
        "2027-01-30 10:00 CET",
        "Tern: 60 days",
        "Sixty days.",
        "Ninety days, please.",
    ):
        assert part in page, part


def test_a_participant_sees_neither_the_others_nor_the_reporter(house: House) -> None:
    house.party("Rival AS", terms="Seven days.", zone="Asia/Tokyo", days={"disclosure_days": 7})
    vendor = visitor(house.fixture, "vendor", house.vendor.id)
    page = read(vendor, house.at)
    assert "Rival" not in page
    assert "Seven days" not in page
    assert "Asia/Tokyo" not in page
    assert finding_of(house).reporter not in page
    assert "Another party&#x27;s terms: 7 days" in page
    assert "heap-buffer-overflow" in page
    assert "Europe/Oslo" in page
    assert "Mail sent" not in page


def test_terms_notes_severity_and_facts_of_the_embargo(house: House) -> None:
    vendor = visitor(house.fixture, "vendor", house.vendor.id)
    send(vendor, f"{house.at}terms/", terms="Thirty days.", zone="UTC", disclosure_days="30")
    page = read(house.coordinator, house.at)
    assert "Norrvik: 30 days" in page
    assert "answered: acknowledged" in page
    send(vendor, f"{house.at}note/", text="<b>bold</b>")
    assert "&lt;b&gt;bold&lt;/b&gt;" in read(house.coordinator, house.at)
    assert "Malformed" in refused(vendor, f"{house.at}severity/", vector="high")
    send(vendor, f"{house.at}severity/", vector="CVSS:3.1/AV:A/AC:H/PR:L/UI:N/S:U/C:L/I:L/A:H")
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    send(house.coordinator, f"{house.at}severity/", vector=vector)
    page = read(house.coordinator, house.at)
    assert "9.8" in page
    assert "5.9" in page
    assert "do not agree" in page
    send(house.coordinator, f"{house.at}embargo/", exploited_since="2026-11-30T09:00")
    assert "7 days since exploited" in read(house.coordinator, house.at)
    assert "future" in refused(
        house.coordinator, f"{house.at}embargo/", exploited_since="2027-11-30T09:00"
    )


def measured(client: Client, url: str) -> int:
    read(client, url)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        read(client, url)
    return len(queries)


def test_a_case_of_121_parties_and_120_notes_takes_no_more_queries_than_a_small_one(
    house: House,
) -> None:
    vendor = visitor(house.fixture, "vendor", house.vendor.id)
    urls = ("/", "/cases/", house.at, f"{house.at}participants/", f"{house.at}notes/")
    cases.note(house.acting("coordinator"), house.case.id, "first")
    house.party("First AS", terms="So.", zone="Asia/Tokyo")
    before = {url: measured(house.coordinator, url) for url in urls}
    seen = {url: measured(vendor, url) for url in ("/", "/cases/", house.at)}
    with scoped(SYSTEM):
        now = house.fixture.clock.now()
        orgs = [Organisation(name=f"Vendor {n}", kind="vendor", added_at=now) for n in range(119)]
        Organisation.objects.bulk_create(orgs)
        CaseParticipant.objects.bulk_create(
            CaseParticipant(org=org, case=house.case, role="vendor", invited_at=now) for org in orgs
        )
    for number in range(119):
        cases.note(house.acting("coordinator"), house.case.id, f"note {number}")
    assert {url: measured(house.coordinator, url) for url in urls} == before
    assert {url: measured(vendor, url) for url in seen} == seen
    assert max(before.values()) < 40
    page = read(house.coordinator, house.at)
    assert "All 121 participants" in page
    assert "All 120 notes" in page
    assert page.count("Vendor ") < 40, "the case page shows the first of them"
    assert "Page </span>3" in read(house.coordinator, f"{house.at}participants/")


def test_a_source_that_is_too_large_is_said_at_its_field(house: House) -> None:
    vendor = visitor(house.fixture, "vendor", house.vendor.id)
    source = SimpleUploadedFile("big.c", b"x" * (fixes.SOURCE_LIMIT + 1))
    assert "1,048,577 bytes" in refused(vendor, f"{house.at}fix/", version="1", source=source)


def test_a_case_is_opened_for_private_matching_and_closed_again(house: House) -> None:
    with scoped(SYSTEM):
        Case.objects.filter(id=house.case.id).update(marking="TLP:AMBER+STRICT")
    assert "no operator is told" in read(house.coordinator, house.at)
    page = read(house.coordinator, house.at + "private/")
    assert "What was told once stays told" in page
    send(house.coordinator, house.at + "private/")
    page = read(house.coordinator, house.at)
    assert "Close private matching" in page
    assert "A question reached it 0 times" in page
    send(house.coordinator, house.at + "private-close/")
    assert "Questions reached it 0 times" in read(house.coordinator, house.at)
    vendor = visitor(house.fixture, "vendor", house.vendor.id)
    assert "Private matching" not in read(vendor, house.at)
    assert vendor.post(house.at + "private/").status_code == 403
