"""Scans registered at the clearinghouse: told to their parties by need to know, over by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.services.coordination import Executions, executions, opened
from tests.services.flow import events, move

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import scan_views, scans, testbeds, wishes
from vedette.services.acting import Actor
from vedette.services.testing import START, FakePeer, Fixture
from vedette.store.models import InMessage
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions"]
WEEK = timedelta(days=7)
PRODUCT = {"product": "RegMap Gateway", "vendor": "Norrvik Pumpworks"}


def party(house: Fixture, name: str, kind: str = "finder") -> Actor:
    role = {"finder": "finder", "vendor": "vendor", "partner": "partner", "operator": "operator"}
    return house.person(role[kind], house.organisation(name, kind).id)


def declare(actor: Actor, **changes: Any) -> str:
    given = {**PRODUCT, "method": "fuzzing", "starts": START, "ends": START + WEEK, **changes}
    return str(scans.declare_scan(actor, **given).id)


def view(actor: Actor, scan_id: str) -> dict[str, Any]:
    return scan_views.scan_view(actor, scan_id)


def answer(actor: Actor, scan_id: str) -> dict[str, Any]:
    found: dict[str, Any] = view(actor, scan_id)["answer"]
    return found


def body(**changes: Any) -> dict[str, Any]:
    return {
        "scan": new_id("scan"),
        "number": 1,
        **PRODUCT,
        "versions": [],
        "method": "fuzzing",
        "starts": format_time(START),
        "ends": format_time(START + WEEK),
        "introduce": False,
        **changes,
    }


def send(peer: FakePeer, **changes: Any) -> str:
    sent = body(**changes)
    peer.send("scan.declared", sent, thread=sent["scan"])
    return str(sent["scan"])


def test_overlapping_intents_are_told_to_both(clearinghouse: Fixture) -> None:
    one, two = party(clearinghouse, "One"), party(clearinghouse, "Two", "partner")
    first = declare(one)
    assert answer(one, first)["somebody"] is False
    second = declare(two, product="regmap-gateway", vendor="")
    for actor, scan_id in ((one, first), (two, second)):
        assert answer(actor, scan_id)["somebody"] is True
        shown = str(view(actor, scan_id))
        assert ("Two" if actor is one else "One") not in shown, "somebody, not who"
    scans.end_scan(two, second)
    assert answer(one, first)["somebody"] is False


def test_introduced_where_both_like_it_and_no_longer_where_one_does_not(
    clearinghouse: Fixture,
) -> None:
    one, two = party(clearinghouse, "One"), party(clearinghouse, "Two")
    first, second = declare(one, introduce=True, contact="one@here"), declare(two)
    assert answer(one, first)["introduced"] == []
    scans.consent(two, second, True, "two@there")
    assert answer(one, first)["introduced"] == [{"name": "Two", "contact": "two@there"}]
    assert answer(two, second)["introduced"] == [{"name": "One", "contact": "one@here"}]
    scans.consent(one, first, False)
    assert answer(two, second)["introduced"] == answer(one, first)["introduced"] == []


def test_an_open_case_looks_like_any_other_somebody(
    clearinghouse: Fixture, executions: Executions
) -> None:
    one = party(clearinghouse, "One")
    scan_id = declare(one)
    before = answer(one, scan_id)
    case = opened(clearinghouse)
    after = answer(one, scan_id)
    assert (before["somebody"], after["somebody"]) == (False, True)
    assert {k: v for k, v in after.items() if k != "somebody"} == {
        k: v for k, v in before.items() if k != "somebody"
    }
    assert "open_cases" not in view(one, scan_id)
    seen = view(clearinghouse.person("coordinator"), scan_id)
    assert [c["id"] for c in seen["open_cases"]] == [case.id]


def test_it_is_over_by_itself(clearinghouse: Fixture) -> None:
    one, two = party(clearinghouse, "One"), party(clearinghouse, "Two")
    first, second = declare(one), declare(two, ends=START + 2 * WEEK)
    move(clearinghouse, START + WEEK)
    assert view(one, first)["state"] == "over"
    assert answer(two, second)["somebody"] is False
    assert events().count("scan:intent:ended") == 1


def test_a_makers_wishes_and_test_beds_are_shown_before_the_work(clearinghouse: Fixture) -> None:
    maker = party(clearinghouse, "Norrvik Pumpworks", "vendor")
    plant = party(clearinghouse, "Plant", "operator")
    finder = party(clearinghouse, "One")
    window = {"starts": START + timedelta(days=1), "ends": START + timedelta(days=3)}
    made = wishes.wish(maker, "no-scan", product="RegMap Gateway", text="flood season", **window)
    wishes.wish(maker, "welcome", product="Something Else")
    testbeds.offer_testbed(
        plant, "Old gateway", "own-test-bed", own=True, contact="a@plant", **PRODUCT
    )
    scan_id = declare(finder)
    found = answer(finder, scan_id)
    assert [(w["kind"], w["text"]) for w in found["wishes"]] == [("no-scan", "flood season")]
    assert [(b["name"], b["owner"]) for b in found["beds"]] == [("Old gateway", "Plant")]
    later = declare(finder, starts=START + timedelta(days=4))
    assert answer(finder, later)["wishes"] == [], "the wish is over by then"
    wishes.withdraw_wish(maker, made.id)
    assert answer(finder, scan_id)["wishes"] == []


def test_nobody_offers_what_is_anothers(clearinghouse: Fixture) -> None:
    plant, other = (party(clearinghouse, name, "operator") for name in ("Plant", "Other"))
    with pytest.raises(BadInput, match="your own"):
        testbeds.offer_testbed(plant, "X", "own-product", own=False, contact="a", product="X")
    row = testbeds.offer_testbed(plant, "X", "own-product", own=True, contact="a", product="X")
    with pytest.raises(NotFound):
        testbeds.withdraw_testbed(other, row.id)
    with pytest.raises(Refused):
        testbeds.withdraw_testbed(clearinghouse.person("administrator"), row.id)
    assert scan_views.testbeds(other) == []
    (shown,) = scan_views.testbeds(party(clearinghouse, "Finder"))
    assert (shown["name"], shown["mine"]) == ("X", False)
    testbeds.withdraw_testbed(plant, row.id)
    assert scan_views.testbeds(party(clearinghouse, "Finder 2")) == []


def test_a_lab_speaks_for_its_partner_and_is_answered_by_message(clearinghouse: Fixture) -> None:
    lab, finder = clearinghouse.peer("Lab", Profile.LAB), party(clearinghouse, "One")
    behalf = {"reference": new_id("org"), "name": "Partner 7", "named": False}
    scan_id = send(lab, behalf=behalf)
    assert [m.body["somebody"] for m in lab.received("scan.answered")] == [False]
    mine = declare(finder)
    told = sorted(lab.received("scan.answered"), key=lambda m: m.body["number"])
    assert [m.body["somebody"] for m in told] == [False, True]
    assert "One" not in str([m.body for m in told])
    shown = view(clearinghouse.person("coordinator"), mine)["at_it"]
    assert [row["party"] for row in shown] == ["Partner 7"]
    lab.send("scan.ended", {"scan": scan_id, "at": format_time(START)}, thread=scan_id)
    assert answer(finder, mine)["somebody"] is False
    send(lab, **body(behalf=behalf, product="Other"))
    with scoped(SYSTEM):
        assert not InMessage.objects.exclude(state="handled").exists()


def test_two_partners_of_one_lab_are_two_parties(clearinghouse: Fixture) -> None:
    lab = clearinghouse.peer("Lab", Profile.LAB)
    for number in (7, 8):
        send(lab, behalf={"reference": new_id("org"), "name": f"Partner {number}", "named": False})
    last = {m.body["scan"]: m.body["somebody"] for m in lab.received("scan.answered")}
    assert len(last) == 2
    coordinator = clearinghouse.person("coordinator")
    assert all(view(coordinator, scan_id)["at_it"] for scan_id in last)


def test_messages_in_any_order_and_from_strangers(clearinghouse: Fixture) -> None:
    lab, other = (clearinghouse.peer(name, Profile.LAB) for name in ("Lab", "Other"))
    sent = body()
    lab.send("scan.ended", {"scan": sent["scan"], "at": format_time(START)}, thread=sent["scan"])
    lab.send("scan.declared", {**sent, "number": 2, "introduce": True}, thread=sent["scan"])
    lab.send("scan.declared", sent, thread=sent["scan"])
    coordinator = clearinghouse.person("coordinator")
    found = view(coordinator, sent["scan"])
    assert (found["state"], found["introduce"]) == ("over", True)
    other.send("scan.declared", {**sent, "number": 9, "introduce": False}, thread=sent["scan"])
    assert view(coordinator, sent["scan"])["introduce"] is True
    send(lab, ends=format_time(START - WEEK), starts=format_time(START - 2 * WEEK))
    with scoped(SYSTEM):
        reasons = [r.reason for r in InMessage.objects.exclude(state="handled").order_by("pk")]
    assert len(reasons) == 2
    assert "another party" in reasons[0]
    assert "has passed" in reasons[1]


def test_a_lab_registers_through_its_own_instance(lab: Fixture) -> None:
    house = lab.peer("House", Profile.CLEARINGHOUSE)
    lead = lab.person("release-lead")
    scan_id = declare(lead, contact="a@lab")
    (message,) = house.received("scan.declared")
    assert message.body["product"] == "RegMap Gateway"
    assert "behalf" not in message.body
    assert view(lead, scan_id)["answer"] is None
    told = {"introduced": [], "wishes": [], "beds": []}
    for number, somebody in ((2, True), (1, False)):
        sent = {"scan": scan_id, "number": number, "somebody": somebody, **told}
        house.send("scan.answered", sent, thread=scan_id)
    assert answer(lead, scan_id)["somebody"] is True, "the newest word stands"
    scans.consent(lead, scan_id, True)
    scans.end_scan(lead, scan_id)
    assert {m.body["number"] for m in house.received("scan.declared")} == {1, 2}
    assert len(house.received("scan.ended")) == 1


def test_an_operator_offers_from_its_own_instance(operator: Fixture) -> None:
    house = operator.peer("House", Profile.CLEARINGHOUSE)
    person = operator.person("operator")
    row = testbeds.offer_testbed(
        person, "Gateway", "own-test-bed", own=True, contact="a", hours="nights", **PRODUCT
    )
    testbeds.withdraw_testbed(person, row.id)
    testbeds.withdraw_testbed(person, row.id)
    (offered,), (withdrawn,) = (
        house.received("testbed.offered"),
        house.received("testbed.withdrawn"),
    )
    assert (offered.body["own"], offered.body["hours"]) == (True, "nights")
    assert withdrawn.body["testbed"] == row.id


def test_an_offer_by_message_in_any_order(clearinghouse: Fixture) -> None:
    plant = clearinghouse.peer("Plant", Profile.OPERATOR)
    bed = new_id("testbed")
    offered = {
        "testbed": bed,
        "name": "Gateway",
        "kind": "own-test-bed",
        "own": True,
        "product": "RegMap Gateway",
        "hours": "nights",
        "contact": "a@plant",
    }
    plant.send("testbed.withdrawn", {"testbed": bed, "at": format_time(START)}, thread=bed)
    plant.send("testbed.offered", offered, thread=bed)
    (row,) = scan_views.testbeds(clearinghouse.person("coordinator"))
    assert row["state"] == "withdrawn"
    plant.send(
        "testbed.offered", {**offered, "testbed": new_id("testbed"), "own": False}, thread=bed
    )
    with scoped(SYSTEM):
        (kept,) = InMessage.objects.exclude(state="handled")
    assert "another's" in kept.reason


def test_who_may_not(clearinghouse: Fixture) -> None:
    one, two = party(clearinghouse, "One"), party(clearinghouse, "Two")
    scan_id = declare(one)
    with pytest.raises(NotFound):
        view(two, scan_id)
    with pytest.raises(NotFound):
        scans.end_scan(two, scan_id)
    with pytest.raises(NotFound):
        scans.consent(two, scan_id, True)
    assert scan_views.scans(two) == []
    with pytest.raises(Refused):
        scans.end_scan(clearinghouse.person("coordinator"), scan_id)
    reader = clearinghouse.person("reader", one.org)
    assert view(reader, scan_id)["id"] == scan_id
    with pytest.raises(Forbidden):
        declare(reader)
    with pytest.raises(Forbidden):
        declare(clearinghouse.person("auditor"))
    with pytest.raises(Forbidden):
        wishes.wish(one, "no-scan", product="X")


def test_scans_that_stand_are_bounded(clearinghouse: Fixture) -> None:
    one = party(clearinghouse, "One")
    most = clearinghouse.here.pack.integer("scans", "most_open")
    for number in range(most):
        declare(one, product=f"P{number}")
    with pytest.raises(Refused, match=str(most)):
        declare(one)
