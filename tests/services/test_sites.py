"""Sites: an asset list cut by its own column, mandates and VEX that end at a site."""

from __future__ import annotations

import json

import pytest
from tests.services.advisories import CVE, osv
from tests.services.mandated import ALL, ANSWER, BASIS, DAY, KEEP, STATE
from tests.services.operators import hosted
from tests.services.running import run_jobs
from tests.services.test_vex import openvex

from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.services import (
    asset_matches,
    delegated_vex,
    delegates,
    index,
    inventories,
    mandates,
    notices,
    sources,
    vex,
)
from vedette.services.acting import Actor, reading
from vedette.services.testing import Fixture

ROWS = ("p-1,North,pkg:pypi/ujson@5.1.0", "p-2,South,pkg:pypi/ujson@5.1.0", "p-3,,pkg:pypi/x@1")
NORTH, SOUTH = "assets: North", "assets: South"


def listed(*rows: str) -> bytes:
    return "\n".join(("serial;Standort;purl", *rows)).replace(",", ";").encode("utf-16")


@pytest.fixture
def house(clearinghouse: Fixture) -> Fixture:
    coordinator = clearinghouse.person("coordinator")
    record = json.dumps(osv("PYSEC-1", "5.2.0", aliases=(CVE,))).encode()
    sources.import_advisories(coordinator, record, "public")
    index.build_index(coordinator)
    return clearinghouse


@pytest.fixture
def oak(house: Fixture) -> Actor:
    actor = hosted(house, "Oak")
    inventories.take_by_site(actor, "assets", listed(*ROWS))
    run_jobs()
    return actor


def delegate(house: Fixture, oak: Actor, *sites: str, acts: tuple[str, ...] = ALL) -> Actor:
    actor = house.person("delegate", house.organisation("Integrator", "delegate").id)
    until = house.clock.now() + 30 * DAY
    made = mandates.make_mandate(oak, actor.org, acts, BASIS, until, sites=sites)
    mandates.accept_mandate(actor, made.id)
    return actor


def sites(actor: Actor) -> dict[str, str]:
    """The notices by site, with their states."""
    with reading(actor):
        return {row.site: row.state for row in delegates.inbox(actor)}


def test_each_site_is_an_inventory_with_notices_of_its_own(oak: Actor) -> None:
    rows = inventories.inventories(oak)
    assert {row["name"]: (row["site"], row["components"]) for row in rows} == {
        NORTH: ("North", 1),
        SOUTH: ("South", 1),
        "assets: no site": ("no site", 1),
    }
    assert sorted(row["inventory"]["name"] for row in notices.notices(oak)) == [NORTH, SOUTH]


def test_a_site_that_is_gone_is_empty_and_verifies_its_patches_alone(oak: Actor) -> None:
    for row in notices.notices(oak):
        notices.answer_notice(oak, row["id"], "patched")
    inventories.take_by_site(oak, "assets", listed(ROWS[0], ROWS[2]))
    run_jobs()
    states = {row["inventory"]["name"]: row["state"] for row in notices.notices(oak)}
    assert states == {NORTH: "patched", SOUTH: "verified"}
    counts = {row["name"]: row["components"] for row in inventories.inventories(oak)}
    assert counts == {NORTH: 1, SOUTH: 0, "assets: no site": 1}


def test_what_can_not_be_cut_is_told(oak: Actor) -> None:
    for data, said in (
        (b"serial,purl\na,pkg:pypi/x@1", "no column for a site"),
        (b"{}", "neither"),
    ):
        with pytest.raises(BadInput, match=said):
            inventories.take_by_site(oak, "assets", data)
    inventories.take_inventory(oak, "whole", listed(*ROWS))
    with pytest.raises(BadInput, match="kept as one inventory"):
        inventories.take_by_site(oak, "whole", listed(*ROWS))
    assert len(inventories.inventories(oak)) == 4, "and what was here is as it was"


def test_a_mandate_for_one_site_ends_there(house: Fixture, oak: Actor) -> None:
    integrator = delegate(house, oak, "North")
    assert sites(integrator) == {"North": "unanswered"}
    assert [row["name"] for row in delegates.kept_inventories(integrator)] == [NORTH]
    [north] = [n for n in notices.notices(oak) if n["inventory"]["name"] == NORTH]
    delegates.mark_assets(integrator, north["id"], ["p-1"], "done")
    marked = [line for line in asset_matches.lines(oak) if line.marked]
    assert [line.asset.component for line in marked] == ["p-1"]
    [south] = [n for n in notices.notices(oak) if n["inventory"]["name"] == SOUTH]
    with pytest.raises(NotFound):
        delegates.mark_assets(integrator, south["id"], ["p-2"], "done")
    with pytest.raises(NotFound):
        delegates.take_by_site(integrator, oak.org, "assets", listed(*ROWS))
    with pytest.raises(NotFound):
        delegates.take_inventory(integrator, oak.org, SOUTH, listed(ROWS[1]), site="North")
    [row] = delegates.take_by_site(integrator, oak.org, "assets", listed(ROWS[0], "p-9,North,"))
    assert (row.name, row.components) == (NORTH, 2)
    assert next(r["components"] for r in inventories.inventories(oak) if r["site"] == "South") == 1
    other = delegates.take_inventory(integrator, oak.org, "HMI", listed(ROWS[0]), site="North")
    assert other.site == "North"
    run_jobs()
    with reading(integrator):
        assert len(delegates.inbox(integrator)) == 2, "also what it brings to its site later"


def test_vex_of_a_site_speaks_of_that_site(house: Fixture, oak: Actor) -> None:
    integrator = delegate(house, oak, "North")
    with pytest.raises(NotFound):
        delegated_vex.take_vex(integrator, oak.org, "maker", openvex())
    made = delegated_vex.take_vex(integrator, oak.org, "maker", openvex(), "North")
    run_jobs()
    assert [row["inventory"] for row in vex.suppressed(oak)] == [NORTH]
    [row] = vex.documents(oak)
    assert row["taken_by"].startswith("a delegate of Integrator, for Oak under mandate-")
    vex.take_vex(oak, "own", openvex(), "South")
    run_jobs()
    assert len(vex.suppressed(oak)) == 2
    [seen] = delegated_vex.suppressed(integrator)
    assert (seen["inventory"], seen["operator"]["name"]) == (NORTH, "Oak")
    delegated_vex.lift(integrator, seen["id"])
    run_jobs()
    assert sites(integrator) == {"North": "unanswered"}
    own = next(row["id"] for row in vex.documents(oak) if row["name"] == "own")
    with pytest.raises(NotFound):
        delegated_vex.withdraw_vex(integrator, own)
    south = next(row["id"] for row in vex.suppressed(oak) if row["inventory"] == SOUTH)
    with pytest.raises(NotFound):
        delegated_vex.lift(integrator, south)
    delegated_vex.withdraw_vex(integrator, made.id)
    assert delegated_vex.vex_documents(integrator) == []


def test_stating_needs_a_mandate_for_it(house: Fixture, oak: Actor) -> None:
    integrator = delegate(house, oak, acts=(ANSWER, KEEP))
    with pytest.raises(Refused, match=STATE):
        delegated_vex.take_vex(integrator, oak.org, "maker", openvex())
    vex.take_vex(oak, "own", openvex())
    run_jobs()
    [document] = delegated_vex.vex_documents(integrator)
    assert (document["name"], document["own"]) == ("own", False)
    [row] = delegated_vex.suppressed(integrator)[:1]
    with pytest.raises(Refused):
        delegated_vex.lift(integrator, row["id"])
