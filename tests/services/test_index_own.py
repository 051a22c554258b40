"""From a published case to the operators' notices: the clearinghouse's own advisories."""

from __future__ import annotations

from tests.services.advisories import CVE, PUBLIC, public_record, sbom
from tests.services.coordination import UJSON, Executions, executions, opened
from tests.services.running import run_jobs

from vedette.kernel.permissions import Profile
from vedette.matching.index import Index
from vedette.services import advisories, fixes, index, inventories, notices, sources
from vedette.services.testing import Fixture
from vedette.store.models import Advisory, IndexBuild
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions"]
FACTS = {"kev": False, "automatable": True, "impact": "total"}


def publish_ujson(house: Fixture) -> Advisory:
    coordinator = house.person("coordinator")
    case = opened(house, recipe=UJSON, product="ujson", version="5.1.0", vendor="ujson")
    fixes.verify_upstream_fix(coordinator, case.id)
    return advisories.publish_advisory(
        coordinator,
        case.id,
        summary="ujson 5.1.0 writes past a stack buffer when it indents.",
        details="Ran it.",
        priority=FACTS,
        aliases=[CVE],
        corrects=[{"id": PUBLIC, "statement": "It calls 5.1.0 fixed; it is affected."}],
        reason="public since 2022",
    )


def test_the_ujson_story(clearinghouse: Fixture, executions: Executions) -> None:
    home = clearinghouse.peer("Home", Profile.OPERATOR)
    org = clearinghouse.organisation("Utility", "operator")
    actor = clearinghouse.person("operator", org.id)
    coordinator = clearinghouse.person("coordinator")
    sources.import_advisories(coordinator, public_record(), "public")
    index.build_index(coordinator)
    inventories.take_inventory(actor, "plant", sbom("pkg:pypi/ujson@5.1.0"), exposed=True)
    run_jobs()
    assert notices.notices(actor) == []
    row = publish_ujson(clearinghouse)
    run_jobs()
    (notice,) = notices.notices(actor)
    assert (notice["advisory"], notice["also"]) == (row.tracking_id, [PUBLIC])
    assert (
        notice["naive"]
        == f"{PUBLIC} alone says that {notice['component']['name']} 5.1.0 is not affected"
    )
    assert notice["component"]["fixed"] == ["5.2.0"]
    assert (notice["row"], notice["deadline"]) == ("n/y/y/total", "2026-12-04")
    matches = notices.notice_view(actor, notice["id"])["matches"]
    assert any(
        f"corrected by {row.tracking_id}, execution evidence" in m["reason"] for m in matches
    )
    assert len(home.received("index.published")) == 2


def test_a_product_without_a_package_is_found_by_its_words(
    clearinghouse: Fixture, executions: Executions
) -> None:
    coordinator = clearinghouse.person("coordinator")
    org = clearinghouse.organisation("Waterworks", "operator")
    actor = clearinghouse.person("operator", org.id)
    csv = (
        b"serial;vendor;product;firmware;exposure;criticality\n"
        b"P-1;Norrvik Pumpworks;RegMap Gateway;3.2.0;no;high\n"
        b"P-2;Norrvik Pumpworks;RegMap Gateway;3.3.0;no;high\n"
    )
    inventories.take_inventory(actor, "site", csv)
    case = opened(clearinghouse)
    run_jobs()
    with scoped(SYSTEM):
        assert not IndexBuild.objects.exists(), "nothing of a case is in an index before it is out"
    clearinghouse.clock.time = case.embargo_until or clearinghouse.clock.time
    advisories.publish_advisory(
        coordinator,
        case.id,
        summary="A block write past the register map overflows the heap.",
        details="The end of the block is not checked.",
        priority=FACTS,
        affected=[
            {
                "vendor": "Norrvik Pumpworks",
                "product": "RegMap Gateway",
                "ranges": [{"introduced": "0", "fixed": "3.3.0"}],
            }
        ],
        reason="the embargo is over",
    )
    run_jobs()
    with scoped(SYSTEM):
        (record,) = Index(bytes(IndexBuild.objects.get().data), "index")
    assert {a.product for a in record.affected} == {"RegMap Gateway"}
    (notice,) = notices.notices(actor)
    assert [m["component"] for m in notices.notice_view(actor, notice["id"])["matches"]] == ["P-1"]
    assert notice["component"]["fixed"] == ["3.3.0"]
    assert notice["row"] == "n/n/y/total"
    assert notice["facts"]["criticality"] == 3
