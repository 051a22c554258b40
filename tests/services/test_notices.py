"""The way from an inventory to a notice, its answer and its verification."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.services.advisories import (
    CORRECTION,
    CVE,
    PUBLIC,
    osv,
    publish,
    publish_correction,
    sbom,
)
from tests.services.operators import (
    FACTS,
    FIXED,
    OLD,
    answers_of,
    build,
    events,
    hosted,
    house,
    take,
)
from tests.services.running import run_jobs

from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.permissions import Profile
from vedette.services import answers, inventories, jobs, matches, notices, sources
from vedette.services.testing import START, Fixture
from vedette.store.models import Inventory, Notice, OperatorAnswer
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["house"]


def test_the_correction_says_what_the_public_record_misses(house: Fixture) -> None:
    actor = hosted(house)
    build(house)
    take(actor, OLD)
    assert notices.notices(actor) == [], "the public record calls 5.1.0 fixed"

    publish_correction(house, priority=FACTS)
    build(house)
    (notice,) = notices.notices(actor)
    assert notice["advisory"] == CORRECTION
    assert notice["also"] == [PUBLIC]
    assert notice["component"]["fixed"] == ["5.2.0"]
    assert notice["naive"] == f"{PUBLIC} alone says that {OLD} 5.1.0 is not affected" or (
        "ujson 5.1.0 is not affected" in notice["naive"]
    )
    assert notice["row"] == "n/n/y/partial"
    assert notice["facts"]["assumed"] == []


def test_patched_and_verified_by_a_newer_inventory(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house, priority=FACTS)
    build(house)
    first = take(actor, OLD)
    (notice,) = notices.notices(actor)
    with pytest.raises(Refused, match="only a patched one"):
        notices.verify_notice(actor, notice["id"])
    notices.answer_notice(actor, notice["id"], "patched")
    with pytest.raises(Refused, match="still holds"):
        notices.verify_notice(actor, notice["id"])
    second = take(actor, FIXED)
    assert notices.verify_notice(actor, notice["id"]).state == "verified"
    view = notices.notice_view(actor, notice["id"])
    assert view["evidence"]["verified"]["inventory"] == second.id != first.id
    assert [e["event"] for e in view["history"]] == [
        "operator:notice:received",
        "operator:notice:answered",
        "operator:patch:verified",
    ]
    with scoped(SYSTEM):
        said = [row.state for row in OperatorAnswer.objects.order_by("pk")]
    assert said == ["patched", "verified"]


def test_an_unpatched_system_is_found_again(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house)
    build(house)
    take(actor, OLD)
    (notice,) = notices.notices(actor)
    notices.answer_notice(actor, notice["id"], "patched")
    take(actor, OLD, "pkg:pypi/other@1.0")
    (again,) = notices.notices(actor)
    assert (again["id"], again["state"]) == (notice["id"], "unanswered")
    assert "still holds it" in again["evidence"]["failed"]["why"]
    assert events(notice["id"])[-1] == "operator:patch:failed"


def test_a_correction_opens_a_notice_that_was_patched_to_the_wrong_version(house: Fixture) -> None:
    actor = hosted(house)
    build(house)
    take(actor, "pkg:pypi/ujson@5.0.0")
    (notice,) = notices.notices(actor)
    assert notice["advisory"] == PUBLIC
    notices.answer_notice(actor, notice["id"], "patched")
    take(actor, OLD)
    assert notices.verify_notice(actor, notice["id"]).state == "verified"
    publish_correction(house)
    build(house)
    (again,) = notices.notices(actor)
    assert again["id"] == notice["id"], "one vulnerability, one notice"
    assert again["state"] == "unanswered"
    assert again["component"]["fixed"] == ["5.2.0"]


def test_matching_again_changes_nothing(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house)
    build(house)
    take(actor, OLD)
    (before,) = notices.notices(actor)
    notices.answer_notice(actor, before["id"], "patched")
    (before,) = notices.notices(actor)
    house.clock.time += timedelta(days=3)
    record = osv(CORRECTION, "5.2.0", aliases=(CVE,), modified="2026-12-03T00:00:00Z")
    publish(house, {**record, "details": "new words"}, corrects=(PUBLIC,))
    build(house)
    matches.match_inventories()
    assert notices.notices(actor) == [before]
    assert events(before["id"]).count("operator:notice:received") == 1


def test_the_same_inventory_again_is_the_same_taking(house: Fixture) -> None:
    actor = hosted(house)
    first = take(actor, OLD)
    assert take(actor, OLD).id == first.id
    second = take(actor, FIXED)
    listed = inventories.inventories(actor, history=True)
    assert [(row["id"], row["current"]) for row in listed] == [
        (second.id, True),
        (first.id, False),
    ]


def test_what_the_records_alone_take_away_verifies_nothing(house: Fixture) -> None:
    actor = hosted(house)
    build(house)
    take(actor, "pkg:pypi/ujson@5.0.0")
    (notice,) = notices.notices(actor)
    notices.answer_notice(actor, notice["id"], "patched")
    withdrawn = osv(PUBLIC, "5.1.0", modified="2026-12-02T00:00:00Z", withdrawn="2026-12-02")
    data = __import__("json").dumps(withdrawn).encode()
    sources.import_advisories(house.person("coordinator"), data, "public")
    build(house)
    take(actor, "pkg:pypi/ujson@5.0.0", "pkg:pypi/other@1.0")
    with pytest.raises(Refused, match="the records did"):
        notices.verify_notice(actor, notice["id"])


def test_bod_26_04_order(house: Fixture) -> None:
    actor = hosted(house)
    facts: list[dict[str, Any]] = [
        {"kev": False, "automatable": False, "impact": "total"},
        {"kev": True, "automatable": True, "impact": "total"},
        {"kev": False, "automatable": True, "impact": "partial"},
        {"kev": True, "automatable": False, "impact": "partial"},
    ]
    for number, priority in enumerate(facts):
        record = osv(f"x_vedette-{number}", "2.0", package=f"part{number}")
        publish(house, record, priority=priority)
    publish(house, osv("x_vedette-4", "2.0", package="part4"))
    build(house)
    take(actor, *(f"pkg:pypi/part{n}@1.0" for n in range(5)))
    listed = notices.notices(actor)
    assert [row["rank"] for row in listed] == [1, 2, 3, 4, 5]
    assert [(row["advisory"], row["row"]) for row in listed[:2]] == [
        ("x_vedette-1", "y/n/y/total"),
        ("x_vedette-3", "y/n/n/partial"),
    ]
    assert listed[-1]["next_upgrade"] is True
    assumed = next(row for row in listed if row["advisory"] == "x_vedette-4")
    assert assumed["row"] == "n/n/y/total"
    assert assumed["facts"]["assumed"] == ["kev", "automatable", "impact"]
    days = [row["deadline"] for row in listed]
    assert days[0] == (START + timedelta(days=3)).date().isoformat()
    assert listed[0]["forensics"] is True


def test_an_asset_states_its_own_exposure(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house, priority=FACTS)
    build(house)
    csv = b"serial,purl,exposure\nS1," + OLD.encode() + b",internet\n"
    inventories.take_inventory(actor, "site", csv)
    run_jobs()
    assert [row["row"] for row in notices.notices(actor)] == ["n/y/y/partial"]


def test_a_more_urgent_fact_shortens_a_deadline_and_none_lengthens_it(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house, priority=FACTS)
    build(house)
    take(actor, OLD)
    house.clock.time += timedelta(days=10)
    publish_correction(house, priority={**FACTS, "kev": True})
    build(house)
    (notice,) = notices.notices(actor)
    assert notice["row"] == "y/n/y/partial"
    assert notice["deadline"] == (START + timedelta(days=24)).date().isoformat()
    house.clock.time += timedelta(days=1)
    build(house)
    matches.match_inventories()
    assert notices.notices(actor)[0]["deadline"] == notice["deadline"]


def test_a_deferral_needs_control_and_expiry_and_ends_by_the_clock(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house)
    build(house)
    take(actor, OLD)
    (notice,) = notices.notices(actor)
    until = START + timedelta(days=30)
    for control, expires, field in (
        ("", until, "control"),
        ("segmented", None, "expires"),
        ("segmented", START, "expires"),
    ):
        with pytest.raises(BadInput, match=field):
            notices.answer_notice(actor, notice["id"], "deferred", control, expires)
    notices.answer_notice(actor, notice["id"], "deferred", "segmented", until)
    assert answers_of(house)["Utility"] == "deferred"
    house.clock.time = until - timedelta(seconds=1)
    jobs.tick()
    run_jobs()
    assert notices.notices(actor)[0]["state"] == "deferred"
    house.clock.time = until
    assert answers_of(house)["Utility"] == "silent"
    jobs.tick()
    run_jobs()
    run_jobs()
    assert notices.notices(actor)[0]["state"] == "unanswered"
    assert events(notice["id"])[-1] == "operator:deferral:expired"


def test_a_longer_deferral_outlives_the_first_deadline(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house)
    build(house)
    take(actor, OLD)
    (notice,) = notices.notices(actor)
    until = START + timedelta(days=30)
    notices.answer_notice(actor, notice["id"], "deferred", "segmented", until)
    later = until + timedelta(days=30)
    notices.answer_notice(actor, notice["id"], "deferred", "segmented", later)
    house.clock.time = until
    jobs.tick()
    notices.expire_deferral(notice["id"])
    assert notices.notices(actor)[0]["state"] == "deferred"


def test_the_host_reads_neither_inventories_nor_notices(house: Fixture) -> None:
    actor, other = hosted(house), hosted(house, "Other")
    publish_correction(house)
    build(house)
    row = take(actor, OLD)
    (notice,) = notices.notices(actor)
    for stranger in (house.person("coordinator"), house.person("administrator"), other):
        assert notices.notices(stranger) == []
        assert inventories.inventories(stranger) == []
        with pytest.raises(NotFound):
            inventories.inventory(stranger, row.id)
        with pytest.raises(NotFound):
            notices.notice_view(stranger, notice["id"])
    for stranger in (house.person("administrator"), other):
        with pytest.raises(NotFound):
            notices.answer_notice(stranger, notice["id"], "patched")
        with pytest.raises(NotFound):
            notices.verify_notice(stranger, notice["id"])
    with pytest.raises(NotFound):
        answers.answers_for(actor, CORRECTION)
    with scoped(house.person("coordinator").scope):
        assert not Notice.objects.exists()


def test_a_reader_reads_and_answers_nothing(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house)
    build(house)
    take(actor, OLD)
    (notice,) = notices.notices(actor)
    reader = replace(house.person("reader", actor.org))
    assert notices.notice_view(reader, notice["id"])["answers"] == []
    for attempt in (
        lambda: notices.answer_notice(reader, notice["id"], "patched"),
        lambda: notices.verify_notice(reader, notice["id"]),
        lambda: inventories.take_inventory(reader, "x", sbom(OLD)),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_the_inbox_takes_a_fixed_number_of_queries(
    house: Fixture, django_assert_num_queries: Any
) -> None:
    actor = hosted(house)
    for number in range(12):
        publish(house, osv(f"x_vedette-{number}", "2.0", package=f"part{number}"))
    build(house)
    take(actor, *(f"pkg:pypi/part{n}@1.0" for n in range(12)))
    with scoped(actor.scope), django_assert_num_queries(1):
        assert len([notices.describe(row) for row in notices.inbox(actor)]) == 12


def test_at_home_only_the_answer_crosses(operator: Fixture) -> None:
    house = operator.peer("Clearinghouse", Profile.CLEARINGHOUSE)
    actor = operator.person("operator")
    with scoped(SYSTEM):
        row = Inventory(org_id=actor.org, name="plant", data=sbom(OLD), digest="d", taken_at=START)
        row.save()
        notice = Notice(
            org_id=actor.org, inventory=row, advisory=CORRECTION, verdict="affected", sent_at=START
        )
        notice.save()
    until = START + timedelta(days=9)
    notices.answer_notice(actor, notice.id, "deferred", "behind a data diode", until)
    (message,) = house.received("notice.answered")
    assert message.body == {
        "notice": notice.id,
        "advisory": CORRECTION,
        "state": "deferred",
        "control": "behind a data diode",
        "expires": "2026-12-10T09:00:00Z",
        "answered": "2026-12-01T09:00:00Z",
    }


def test_what_an_inventory_states_as_not_affected_makes_no_notice(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house, priority=FACTS)
    build(house)
    document = json.loads(sbom(OLD))
    reference = document["components"][0].setdefault("bom-ref", "u")
    document["vulnerabilities"] = [
        {"id": CVE, "analysis": {"state": "not_affected"}, "affects": [{"ref": reference}]}
    ]
    row = inventories.take_inventory(actor, "plant", json.dumps(document).encode())
    run_jobs()
    assert notices.notices(actor) == []
    assert "1 VEX statements in it" in row.problems[-1]


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (b"bash\t5.2-1\nlibc6\t2.36-9+deb12u4\n", "package listing"),
        (b"Modicon M340 V3.1, Ignition 8.1", "typed list"),
        (b"product;version\nX;1\n", "CSV"),
        (sbom(OLD), "CycloneDX"),
    ],
)
def test_an_inventory_says_what_it_was_taken_for(
    house: Fixture, content: bytes, format_: str
) -> None:
    assert inventories.take_inventory(hosted(house), "plant", content).format == format_
