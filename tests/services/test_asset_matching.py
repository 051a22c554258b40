"""CSAF 2.0, conformance clause 13: what an asset matching system does, rule by rule."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.services.operators import events, hosted, house
from tests.services.running import run_jobs
from tests.services.test_rematching import put

from vedette.clearinghouse.remediation import MARKS, Remediation, major, of_asset
from vedette.clearinghouse.states import NoticeState
from vedette.formats.detect import read_advisory
from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.matching.model import Advisory
from vedette.services import asset_matches, inventories, notices
from vedette.services.acting import Actor
from vedette.services.asset_matches import Asset
from vedette.services.testing import Fixture
from vedette.store.models import LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["house"]

CVE = "CVE-2026-1000"
PLANT = b"""serial,vendor,product,version
S-1,Acme,Pump Controller,1.0
S-2,Acme,Pump Controller,1.1
S-3,Acme,Valve,4.0
"""


def csaf(name: str, product: str, before: str, version: str = "1.0.0") -> Advisory:
    """A document on every version of one product before one."""
    tracking = {
        "id": name,
        "version": version,
        "current_release_date": "2026-05-01T00:00:00Z",
        "status": "final",
    }
    leaf = {
        "category": "product_version_range",
        "name": f"vers:generic/<{before}",
        "product": {"name": product, "product_id": "P1"},
    }
    tree = {"category": "product_name", "name": product, "branches": [leaf]}
    document = {
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "title": f"A flaw in {product}",
            "tracking": tracking,
        },
        "product_tree": {"branches": [{"category": "vendor", "name": "Acme", "branches": [tree]}]},
        "vulnerabilities": [{"cve": CVE, "product_status": {"known_affected": ["P1"]}}],
    }
    return read_advisory(json.dumps(document).encode(), name)


PUMP, VALVE = csaf("ACME-1", "Pump Controller", "2.0"), csaf("ACME-2", "Valve", "5.0", "3")


@pytest.fixture
def actor(house: Fixture) -> Actor:
    made = hosted(house)
    inventories.take_inventory(made, "plant", PLANT)
    put([PUMP, VALVE])
    run_jobs()
    return made


def listed(actor: Actor, kind: str) -> dict[Any, list[Any]]:
    found = asset_matches.entries(asset_matches.lines(actor), kind)
    return {entry.key: list(entry.lines) for entry in found}


def asset(component: str) -> Asset:
    return Asset("plant", component)


def asked(of: str) -> int:
    with scoped(SYSTEM):
        return int(LedgerEntry.objects.filter(event=of).count())


def test_for_each_product_a_list_of_matched_advisories(actor: Actor) -> None:
    found = listed(actor, "product")
    assert {k: {line.document for line in v} for k, v in found.items()} == {
        "Pump Controller": {"ACME-1"},
        "Valve": {"ACME-2"},
    }


def test_for_each_asset_a_list_of_matched_advisories(actor: Actor) -> None:
    found = listed(actor, "asset")
    assert {k: [line.document for line in v] for k, v in found.items()} == {
        asset("S-1"): ["ACME-1"],
        asset("S-2"): ["ACME-1"],
        asset("S-3"): ["ACME-2"],
    }


def test_for_each_document_the_lists_of_matched_products_and_assets(actor: Actor) -> None:
    found = listed(actor, "document")
    assert {line.product for line in found["ACME-1"]} == {"Pump Controller"}
    assert [line.asset for line in found["ACME-1"]] == [asset("S-1"), asset("S-2")]


def test_for_each_vulnerability_an_asset_is_marked_for_itself(actor: Actor) -> None:
    line = listed(actor, "asset")[asset("S-1")][0]
    assert (line.status, line.marked) == (Remediation.NOT_REMEDIATED, False)
    for status in MARKS:
        asset_matches.mark_assets(actor, line.notice, ["S-1"], status)
        after = listed(actor, "asset")
        assert (after[asset("S-1")][0].status, after[asset("S-1")][0].marked) == (status, True)
        assert after[asset("S-2")][0].status == Remediation.NOT_REMEDIATED
    assert events(line.notice).count("operator:asset:marked") == 3
    asset_matches.mark_assets(actor, line.notice, ["S-1"], MARKS[-1])
    assert events(line.notice).count("operator:asset:marked") == 3, "the same again is nothing"
    asset_matches.mark_assets(actor, line.notice, ["S-1"], "")
    assert not listed(actor, "asset")[asset("S-1")][0].marked


def test_the_answer_to_a_notice_marks_all_its_assets_at_once(actor: Actor) -> None:
    notice = listed(actor, "asset")[asset("S-1")][0].notice
    notices.answer_notice(actor, notice, "patched")
    found = listed(actor, "document")["ACME-1"]
    assert {line.status for line in found} == {Remediation.DONE}
    assert {of_asset("", state) for state in NoticeState} == set(Remediation)


def test_a_newer_revision_is_no_new_match_while_the_remediation_stays(
    house: Fixture, actor: Actor
) -> None:
    before = listed(actor, "asset")[asset("S-1")][0]
    asset_matches.mark_assets(actor, before.notice, ["S-1"], "done")
    house.clock.time += timedelta(days=1)
    later = replace(PUMP, revision="1.1.0", modified="2026-06-01T00:00:00Z", summary="New words")
    put([later, VALVE])
    run_jobs()
    after = listed(actor, "asset")[asset("S-1")][0]
    assert (after.notice, after.status) == (before.notice, Remediation.DONE)
    assert (after.revision, after.title) == ("1.1.0", "New words")
    assert events(before.notice).count("operator:notice:received") == 1


def test_what_is_still_found_in_a_newer_taking_is_not_done(actor: Actor) -> None:
    notice = listed(actor, "asset")[asset("S-1")][0].notice
    asset_matches.mark_assets(actor, notice, ["S-1", "S-2"], "done")
    inventories.take_inventory(
        actor, "plant", PLANT.replace(b"S-2,Acme,Pump Controller,1.1\n", b"")
    )
    run_jobs()
    found = listed(actor, "document")["ACME-1"]
    assert [(line.asset, line.status) for line in found] == [
        (asset("S-1"), Remediation.NOT_REMEDIATED)
    ]
    assert "operator:patch:failed" in events(notice)


def test_semantic_versions_are_detected(actor: Actor) -> None:
    found = asset_matches.entries(asset_matches.lines(actor), "document")
    assert {e.key: (e.revision, e.semantic) for e in found} == {
        "ACME-1": ("1.0.0", True),
        "ACME-2": ("3", False),
    }
    assert [major(v) for v in ("2.10.1", "1.0.0-rc.1+b", "1.0", "7", "", "01.0.0")] == [
        *(2, 1, None, None, None, None)
    ]


def test_runs_by_hand_for_documents_and_for_assets(actor: Actor) -> None:
    before = asked("operator:match:finished")
    for documents, assets, runs in (
        (["ACME-1"], [], 1),
        (["ACME-1", "ACME-2"], [], 1),
        ([], [asset("S-1")], 1),
        ([], [asset("S-1"), asset("S-3")], 1),
    ):
        asset_matches.match_again(actor, documents, assets)
        assert run_jobs() == runs, "a job of its own"
    assert asked("operator:match:finished") == before + 4
    assert asked("operator:match:asked") == 4
    for wrong in (([], []), ([f"A-{n}" for n in range(101)], [])):
        with pytest.raises(BadInput, match="expected"):
            asset_matches.match_again(actor, *wrong)
    with pytest.raises(NotFound):
        asset_matches.match_again(actor, [], [Asset("elsewhere", "S-1")])


def test_runs_by_themselves_for_a_new_document_a_new_asset_and_a_new_major_version(
    actor: Actor,
) -> None:
    put([PUMP, VALVE, csaf("ACME-3", "Valve", "4.5")])
    run_jobs()
    assert "ACME-3" in listed(actor, "document")
    inventories.take_inventory(actor, "site", b"serial,vendor,product,version\nS-9,Acme,Valve,1\n")
    run_jobs()
    assert Asset("site", "S-9") in listed(actor, "asset")
    put([replace(csaf("ACME-1", "Pump Controller", "1.1", "2.0.0"), modified="2026-07-01"), VALVE])
    run_jobs()
    assert [line.asset for line in listed(actor, "document")["ACME-1"]] == [asset("S-1")]


def test_statistics_of_a_document_and_of_all(actor: Actor) -> None:
    line = listed(actor, "asset")[asset("S-1")][0]
    asset_matches.mark_assets(actor, line.notice, ["S-1"], "in-progress")
    every = asset_matches.lines(actor)
    assert asset_matches.statistics(line for line in every if line.document == "ACME-1") == {
        "assets": 2,
        "not-remediated": 1,
        "in-progress": 1,
        "done": 0,
        "not-affected": 0,
    }
    assert asset_matches.statistics(every)["assets"] == 3


def test_others_mark_and_match_nothing(house: Fixture, actor: Actor) -> None:
    notice = listed(actor, "asset")[asset("S-1")][0].notice
    other, reader = hosted(house, "Other"), house.person("reader", actor.org)
    for stranger in (other, house.person("administrator")):
        assert asset_matches.lines(stranger) == []
        with pytest.raises(NotFound):
            asset_matches.mark_assets(stranger, notice, ["S-1"], "done")
        with pytest.raises(NotFound):
            asset_matches.match_again(stranger, [], [asset("S-1")])
    assert len(asset_matches.lines(reader)) == 3
    with pytest.raises(Forbidden):
        asset_matches.mark_assets(reader, notice, ["S-1"], "done")
    with pytest.raises(Forbidden):
        asset_matches.match_again(reader, ["ACME-1"])
    for components, status in ((["S-8"], "done"), ([], "done"), (["S-1"], "finished")):
        with pytest.raises(BadInput):
            asset_matches.mark_assets(actor, notice, components, status)
