"""VEX handed in: what it suppresses, with its reason; lifted, withdrawn, and nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.services.advisories import CORRECTION, CVE, PUBLIC, publish_correction, sbom
from tests.services.operators import FIXED, OLD, build, events, hosted, house, take
from tests.services.running import run_jobs

from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.services import inventories, matches, notices, vex
from vedette.services.acting import Actor
from vedette.services.testing import Fixture

__all__ = ["house"]


def openvex(status: str = "not_affected", purl: str = "pkg:pypi/ujson", name: str = CVE) -> bytes:
    statement = {
        "vulnerability": {"name": name},
        "products": [{"@id": purl}],
        "status": status,
        "justification": "vulnerable_code_not_in_execute_path",
        "impact_statement": "We never decode.",
    }
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://lake.example/vex/1",
        "author": "Lake Water",
        "timestamp": "2026-11-01T00:00:00Z",
        "statements": [statement],
    }
    return json.dumps(document).encode()


def csaf() -> bytes:
    product = {
        "name": "ujson",
        "product_id": "P1",
        "product_identification_helper": {"purl": OLD},
    }
    document = {
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "title": "VEX",
            "tracking": {"id": "LAKE-1", "current_release_date": "2026-11-01T00:00:00Z"},
        },
        "product_tree": {"full_product_names": [product]},
        "vulnerabilities": [{"cve": CVE, "product_status": {"known_not_affected": ["P1"]}}],
    }
    return json.dumps(document).encode()


def cyclonedx() -> bytes:
    document = json.loads(sbom(OLD))
    reference = document["components"][0]["bom-ref"]
    document["vulnerabilities"] = [
        {"id": CVE, "analysis": {"state": "not_affected"}, "affects": [{"ref": reference}]}
    ]
    return json.dumps(document).encode()


@pytest.fixture
def actor(house: Fixture) -> Actor:
    made = hosted(house)
    publish_correction(house)
    build(house)
    take(made, OLD)
    return made


def found(actor: Actor) -> list[str]:
    return [n["advisory"] for n in notices.notices(actor) if n["verdict"] == "affected"]


@pytest.mark.parametrize("data", [openvex(), csaf(), cyclonedx()], ids=["open", "csaf", "cdx"])
def test_each_form_suppresses_with_reason_and_source(actor: Actor, data: bytes) -> None:
    assert found(actor) == [CORRECTION]
    row = vex.take_vex(actor, "lake.json", data)
    run_jobs()
    assert found(actor) == []
    rows = vex.suppressed(actor)
    assert {each["advisory"] for each in rows} == {CORRECTION, PUBLIC}
    for each in rows:
        assert (each["component"], each["status"]) == (OLD, "not_affected")
        assert "lake.json" in each["reason"]
        assert "lake.json" in each["source"]
    assert events(row.id) == ["operator:vex:taken"]
    assert vex.take_vex(actor, "lake.json", data).id == row.id, "the same again is nothing"
    assert run_jobs() == 0


def test_a_suppressed_match_is_lifted_and_honoured_again(actor: Actor) -> None:
    vex.take_vex(actor, "lake.json", openvex())
    run_jobs()
    rows = {row["advisory"]: row["id"] for row in vex.suppressed(actor)}
    vex.lift(actor, rows[CORRECTION])
    run_jobs()
    assert found(actor) == [CORRECTION]
    (notice,) = notices.notices(actor)
    assert "was lifted" in notice["reason"]
    listed = {row["advisory"]: row["lifted"] for row in vex.suppressed(actor)}
    assert listed == {CORRECTION: True, PUBLIC: False}, "listed still, as lifted"
    take(actor, OLD, "pkg:pypi/other@1.0")
    assert found(actor) == [CORRECTION], "a newer taking keeps it lifted"
    vex.lift(actor, rows[CORRECTION], lifted=False)
    run_jobs()
    assert found(actor) == []
    assert events(rows[CORRECTION]) == ["operator:vex:lifted", "operator:vex:honoured"]


def test_a_document_is_replaced_and_withdrawn(actor: Actor) -> None:
    vex.take_vex(actor, "lake.json", openvex())
    run_jobs()
    second = vex.take_vex(actor, "lake.json", openvex("affected"))
    run_jobs()
    assert [row["id"] for row in vex.documents(actor)] == [second.id]
    assert (found(actor), vex.suppressed(actor)) == ([CORRECTION], [])
    third = vex.take_vex(actor, "more.json", openvex("fixed", FIXED))
    run_jobs()
    assert found(actor) == [CORRECTION], "of another version"
    vex.withdraw_vex(actor, third.id)
    vex.withdraw_vex(actor, second.id)
    assert vex.documents(actor) == []
    assert events(second.id) == ["operator:vex:taken", "operator:vex:withdrawn"]


def test_a_new_index_honours_what_was_handed_in(house: Fixture, actor: Actor) -> None:
    vex.take_vex(actor, "lake.json", openvex())
    run_jobs()
    publish_correction(house, priority={"kev": True})
    build(house)
    assert found(actor) == []
    assert len(vex.suppressed(actor)) == 2
    matches.match_inventories()
    assert len(vex.suppressed(actor)) == 2


def test_it_speaks_of_nobody_elses_inventories(house: Fixture, actor: Actor) -> None:
    other = hosted(house, "Other")
    take(other, OLD)
    vex.take_vex(other, "other.json", openvex())
    run_jobs()
    assert (found(actor), found(other)) == ([CORRECTION], [])
    theirs = vex.suppressed(other)[0]["id"]
    document = vex.documents(other)[0]["id"]
    reader = house.person("reader", other.org)
    for stranger in (actor, house.person("administrator")):
        assert (vex.documents(stranger), vex.suppressed(stranger)) == ([], [])
        with pytest.raises(NotFound):
            vex.lift(stranger, theirs)
        with pytest.raises(NotFound):
            vex.withdraw_vex(stranger, document)
    assert len(vex.suppressed(reader)) == 2
    attempts: list[Any] = [
        lambda: vex.lift(reader, theirs),
        lambda: vex.withdraw_vex(reader, document),
        lambda: vex.take_vex(reader, "x", openvex()),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("", openvex(), "name"),
        ("x" * 201, openvex(), "name"),
        ("x", b"{}", "file"),
        ("x", sbom(OLD), "file"),
        ("x", b"not JSON", "x"),
    ],
)
def test_what_is_no_vex_is_refused(actor: Actor, name: str, data: bytes, field: str) -> None:
    with pytest.raises(BadInput, match=field):
        vex.take_vex(actor, name, data)
    assert vex.documents(actor) == []
    assert inventories.inventories(actor)
