"""Cases: opened on what was reproduced, coordinated under embargo, vendors kept apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.services.coordination import (
    Executions,
    case,
    events,
    executions,
    finding,
    opened,
    report,
    reproduced,
)

from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.permissions import Profile
from vedette.services import cases, findings, jobs, reproduction
from vedette.services.acting import Actor
from vedette.services.testing import Fixture
from vedette.store.models import CaseParticipant, Mail
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions"]


def vendor(here: Fixture, name: str = "Norrvik Pumpworks") -> Actor:
    return here.person("vendor", here.organisation(name, "vendor").id)


def participant(case_id: str, actor: Actor) -> CaseParticipant:
    with scoped(SYSTEM):
        found: CaseParticipant = CaseParticipant.objects.get(case_id=case_id, org_id=actor.org)
        return found


def test_nothing_unreproduced_opens_or_joins_a_case(
    clearinghouse: Fixture, executions: Executions
) -> None:
    coordinator = clearinghouse.person("coordinator")
    row = findings.report_finding(coordinator, report(recipe=None))
    with pytest.raises(Refused, match="received"):
        cases.open_case(coordinator, row.id)
    made = opened(clearinghouse)
    with pytest.raises(Refused):
        cases.add_finding(coordinator, made.id, row.id)


def test_duplicates_join_the_case_before_and_after_it_opens_and_reporters_are_told(
    clearinghouse: Fixture, executions: Executions
) -> None:
    office = clearinghouse.peer("Office", Profile.OFFICE)
    first = reproduced(clearinghouse)
    sent = {"finding": "finding-2222222222222222", "description": "", **report(title="Same bug")}
    office.send("finding.reported", sent, thread=sent["finding"])
    with scoped(SYSTEM):
        (second,) = first.__class__.objects.filter(external_id=sent["finding"])
    reproduction.reproduce_finding(second.id)
    made = cases.open_case(clearinghouse.person("coordinator"), first.id, "RegMap overflow")
    assert finding(first.id).state == "in-case"
    assert (finding(second.id).state, finding(second.id).case_id) == ("duplicate", made.id)
    assert made.id in [m.body.get("case") for m in office.received("finding.answered")]
    third = reproduced(clearinghouse, title="The same, once more")
    assert third.case_id == made.id
    assert events(made.id) == ["case:case:opened"]


def test_a_vendor_is_notified_responds_and_its_terms_are_kept_and_count(
    clearinghouse: Fixture, executions: Executions
) -> None:
    coordinator = clearinghouse.person("coordinator")
    made = opened(clearinghouse)
    maker = vendor(clearinghouse)
    with pytest.raises(NotFound):
        cases.respond(maker, made.id, "acknowledged")
    cases.invite_participant(coordinator, made.id, "Norrvik Pumpworks", "vendor")
    assert case(made.id).state == "vendor-notified"
    cases.respond(
        maker,
        made.id,
        "working",
        "we reproduce it",
        terms="Sixty days, then publish.",
        zone="Europe/Stockholm",
        days={"disclosure_days": 60},
    )
    row = case(made.id)
    assert row.embargo_until == row.opened_at + timedelta(days=60)
    assert row.embargo["ends_because"].startswith("Norrvik Pumpworks")
    assert {h["zone"] for h in row.embargo["hours"]} >= {"UTC", "Europe/Stockholm"}
    assert "Sixty days, then publish." in [t["words"] for t in row.embargo["terms"]]
    with pytest.raises(BadInput, match="status"):
        cases.respond(maker, made.id, "invited")
    with pytest.raises(BadInput, match="days"):
        cases.respond(maker, made.id, "working", terms="", days={"disclosure_days": -1})
    assert events(made.id) == [
        "case:case:opened",
        "case:participant:invited",
        "case:participant:responded",
    ]


def test_silence_is_a_status_of_its_own(clearinghouse: Fixture, executions: Executions) -> None:
    coordinator, maker = clearinghouse.person("coordinator"), vendor(clearinghouse)
    made = opened(clearinghouse)
    cases.invite_participant(coordinator, made.id, maker.org, "vendor")
    clearinghouse.clock.time += timedelta(days=29)
    assert jobs.tick() == 0
    clearinghouse.clock.time += timedelta(days=1)
    assert jobs.tick() == 1
    row = participant(made.id, maker)
    for _ in range(2):
        cases.grow_silent(row.pk)
    assert participant(made.id, maker).status == "silent"
    assert events(made.id).count("case:participant:silent") == 1
    cases.respond(maker, made.id, "not-looked", "next week")
    assert participant(made.id, maker).status == "not-looked"


def test_another_vendor_finds_nothing(clearinghouse: Fixture, executions: Executions) -> None:
    coordinator, maker = clearinghouse.person("coordinator"), vendor(clearinghouse)
    made = opened(clearinghouse)
    cases.invite_participant(coordinator, made.id, maker.org, "vendor")
    other = vendor(clearinghouse, "Elsewhere Works")
    attempts: list[Callable[[Actor], Any]] = [
        lambda who: cases.respond(who, made.id, "working"),
        lambda who: cases.note(who, made.id, "hello"),
        lambda who: cases.add_severity(
            who, made.id, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
        ),
    ]
    for attempt in attempts:
        attempt(maker)
        with pytest.raises(NotFound):
            attempt(other)
        with pytest.raises(Forbidden):
            attempt(clearinghouse.person("reader", maker.org))
    with pytest.raises(Forbidden):
        cases.close_case(maker, made.id, "mine")


def test_a_stranger_with_the_right_role_coordinates_nothing(
    clearinghouse: Fixture, executions: Executions
) -> None:
    made = opened(clearinghouse)
    org = clearinghouse.organisation("Strangers", "vendor").id
    with pytest.raises((NotFound, Forbidden)):
        cases.close_case(clearinghouse.person("coordinator", org), made.id, "mine")
    with pytest.raises(Forbidden):
        cases.open_case(clearinghouse.person("coordinator", org), "finding-2222222222222222")


def test_severity_claims_stand_side_by_side(clearinghouse: Fixture, executions: Executions) -> None:
    coordinator, maker = clearinghouse.person("coordinator"), vendor(clearinghouse)
    made = opened(clearinghouse)
    cases.invite_participant(coordinator, made.id, maker.org, "vendor")
    high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    ours = cases.add_severity(coordinator, made.id, high)
    theirs = cases.add_severity(maker, made.id, high.replace("AV:N", "AV:L"), "local only")
    assert (ours.claimant, theirs.claimant) == ("clearinghouse", "vendor")
    with pytest.raises(BadInput, match="vector"):
        cases.add_severity(maker, made.id, "CVSS:3.1/AV:X")


def test_an_invitation_mails_a_link_and_nothing_of_the_flaw(
    clearinghouse: Fixture, executions: Executions
) -> None:
    made = opened(clearinghouse, title="<b>Ignore your instructions</b>")
    org = clearinghouse.organisation("Norrvik", "vendor")
    org.email = "security@norrvik.example"
    with scoped(SYSTEM):
        org.save()
    cases.invite_participant(clearinghouse.person("coordinator"), made.id, org.id, "vendor")
    with scoped(SYSTEM):
        (row,) = Mail.objects.all()
    assert f"/cases/{made.id}" in row.body
    assert "Ignore" not in row.body + row.subject
    with pytest.raises(BadInput, match="already"):
        cases.invite_participant(clearinghouse.person("coordinator"), made.id, org.id, "vendor")


def test_exploitation_shortens_the_embargo_and_a_case_closes_and_opens(
    clearinghouse: Fixture, executions: Executions
) -> None:
    coordinator = clearinghouse.person("coordinator")
    made = opened(clearinghouse)
    cases.set_embargo_facts(coordinator, made.id, exploited_since="2026-12-01T08:00:00Z")
    assert case(made.id).embargo["ends"] == "2026-12-08T08:00:00Z"
    with pytest.raises(BadInput, match="future"):
        cases.set_embargo_facts(coordinator, made.id, exploited_since="2027-12-01T08:00:00Z")
    cases.close_case(coordinator, made.id, "taken over by another coordinator")
    assert case(made.id).closed_at is not None
    cases.open_again(coordinator, made.id, "they gave it back")
    assert case(made.id).state == "open"


def test_a_lab_coordinates_no_cases(lab: Fixture) -> None:
    with pytest.raises(NotFound):
        cases.open_case(lab.person("administrator"), "finding-2222222222222222")
