"""`cpeApplicability` of CVE records: versions of CPE names, AND-nodes, and other editions."""

from __future__ import annotations

from typing import Any

import pytest

from vedette.formats import cve_in
from vedette.matching.engine import match
from vedette.matching.model import Component, Inventory, Match

pytestmark = pytest.mark.any_database


def name(product: str, version: str = "*", part: str = "a", rest: str = "*:*:*:*:*:*:*") -> str:
    return f"cpe:2.3:{part}:acme:{product}:{version}:{rest}"


def node(*matches: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"operator": "OR", "negate": False, "cpeMatch": list(matches)} | more


def criterion(criteria: str, **more: Any) -> dict[str, Any]:
    return {"vulnerable": True, "criteria": criteria} | more


def lines(cpe: str, *nodes: dict[str, Any], version: str = "", **element: Any) -> list[Match]:
    cna = {"cpeApplicability": [{"nodes": list(nodes)} | element]}
    meta = {"cveId": "CVE-2026-1", "state": "PUBLISHED"}
    record = cve_in.read({"cveMetadata": meta, "containers": {"cna": cna}}, "r")
    held = Inventory("i", (Component("c", version=version, cpe=cpe),))
    return list(match([held], [record]))


@pytest.mark.parametrize(
    ("bounds", "inside"),
    [
        ({"versionStartIncluding": "1.0", "versionEndExcluding": "2.0"}, "1.0 1.9"),
        ({"versionStartExcluding": "1.0", "versionEndIncluding": "2.0"}, "1.9 2.0"),
        ({"versionEndExcluding": "1.0"}, "0.9"),
        ({"versionStartIncluding": "2.0"}, "2.0 2.1"),
        ({}, "0.9 1.0 1.9 2.0 2.1"),
    ],
)
def test_bounds_decide_versions(bounds: dict[str, str], inside: str) -> None:
    stated = node(criterion(name("gizmo"), **bounds))
    asked = ["0.9", "1.0", "1.9", "2.0", "2.1"]
    assert [v for v in asked if lines(name("gizmo", v), stated)] == inside.split()
    (open_one,) = lines(name("gizmo"), stated)
    assert (open_one.verdict, open_one.confidence) == ("unknown", "possible")


def test_a_name_with_a_version_and_update_means_that_one() -> None:
    stated = node(criterion(name("gizmo", "1.0", rest="sp1:*:*:*:*:*:*")))
    (found,) = lines(name("gizmo", "1.0", rest="sp1:*:*:*:*:*:*"), stated)
    assert (found.verdict, found.version) == ("affected", "1.0 sp1")
    assert not lines(name("gizmo", "1.0", rest="sp2:*:*:*:*:*:*"), stated)
    assert not lines(name("other", "1.0"), stated)


def test_under_and_a_product_is_part_of_what_it_runs_on() -> None:
    firmware = node(criterion(name("fw9_os", part="o"), versionEndExcluding="2.0"))
    hardware = node(criterion(name("box9", "-", part="h"), vulnerable=False))
    for held in (name("fw9_os", "1.5", part="o"), name("box9", "1.5", part="h")):
        (found,) = lines(held, firmware, hardware, operator="AND")
        assert (found.verdict, found.confidence) == ("affected", "likely")
        assert "part of acme " in found.reason
    assert not lines(name("box9", "2.5", part="h"), firmware, hardware, operator="AND")
    assert not lines(name("box9", "1.5", part="h"), firmware, hardware, operator="OR")


def test_a_negated_condition_is_unknown() -> None:
    stated = node(criterion(name("gizmo"), versionEndExcluding="2.0"), negate=True)
    assert [line.verdict for line in lines(name("gizmo", "1.0"), stated)] == ["unknown"]


@pytest.mark.parametrize(
    ("asked", "held", "found"),
    [
        ("*:*:*:*:wordpress:*:*", "*:*:*:*:wordpress:*:*", True),
        ("*:*:*:*:wordpress:*:*", "*:*:*:*:drupal:*:*", False),
        ("*:*:*:*:wordpress:*:*", "*:*:*:*:*:*:*", True),
        ("*:*:*:pro*:*:*:*", "*:*:*:professional:*:*:*", True),
        ("*:*:*:pro*:*:*:*", "*:*:*:lite:*:*:*", False),
        (r"*:*:*:pro\*:*:*:*", "*:*:*:professional:*:*:*", False),
        ("*:*:*:-:*:*:*", "*:*:*:lite:*:*:*", False),
    ],
)
def test_other_attributes_must_not_contradict(asked: str, held: str, found: bool) -> None:
    stated = node(criterion(name("gizmo", rest=asked)))
    assert bool(lines(name("gizmo", "1.0", rest=held), stated)) == found


def test_a_uri_is_the_same_name() -> None:
    stated = node(criterion("cpe:/a:acme:gizmo:::~~pro~wordpress~~", versionEndExcluding="2.0"))
    assert lines(name("gizmo", "1.0", rest="*:*:*:pro:wordpress:*:*"), stated)
    assert not lines(name("gizmo", "1.0", rest="*:*:*:lite:wordpress:*:*"), stated)
    assert lines("cpe:/a:acme:gizmo:1.0", stated)
