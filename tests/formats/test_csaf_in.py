"""CSAF: branches, helpers, relationships, statuses; the public industrial advisories."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from vedette.formats import csaf_in
from vedette.formats.detect import read_advisory
from vedette.kernel.errors import BadInput
from vedette.matching.engine import match
from vedette.matching.model import Advisory, Component, Inventory


def branch(category: str, name: str, *inner: Any, leaf: str = "", **helper: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"category": category, "name": name}
    if leaf:
        row["product"] = {"product_id": leaf, "name": name}
        if helper:
            row["product"]["product_identification_helper"] = helper
    return row | ({"branches": list(inner)} if inner else {})


def document(tree: dict[str, Any], *statuses: dict[str, list[str]]) -> Any:
    return {
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "title": "T",
            "tracking": {"id": "ICS-1", "current_release_date": "2026-01-01T00:00:00Z"},
        },
        "product_tree": tree,
        "vulnerabilities": [
            {"cve": f"CVE-2026-{n}", "product_status": status}
            for n, status in enumerate(statuses, 1)
        ],
    }


def siemens(*versions: Any) -> dict[str, Any]:
    return {"branches": [branch("vendor", "Siemens", branch("product_name", "X204", *versions))]}


def verdict(advisory: Advisory, **component: str) -> tuple[str, str, tuple[str, ...]] | None:
    inventory = Inventory("i", (Component(id="c", **component),))
    lines = list(match([inventory], [advisory]))
    return (lines[0].verdict, lines[0].confidence, lines[0].aliases) if lines else None


def test_a_range_of_a_product() -> None:
    tree = siemens(branch("product_version_range", "vers:all/<V5.2", leaf="P1"))
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"]}), "x")
    asset = {"vendor": "Siemens", "product": "X204"}
    assert verdict(advisory, **asset, version="V5.1") == ("affected", "exact", ("CVE-2026-1",))
    assert verdict(advisory, **asset, version="V5.2") is None
    assert verdict(advisory, **asset) == ("unknown", "possible", ("CVE-2026-1",))


def test_statuses_of_several_vulnerabilities() -> None:
    tree = siemens(
        branch("product_version", "1.0", leaf="P1"),
        branch("product_version", "2.0", leaf="P2"),
        branch("product_version", "3.0", leaf="P3"),
    )
    advisory = csaf_in.read(
        document(
            tree,
            {"known_affected": ["P1"], "fixed": ["P2"]},
            {"known_affected": ["P1", "P2"], "under_investigation": ["P3"]},
            {"known_not_affected": ["P3"]},
        ),
        "x",
    )
    asset = {"vendor": "Siemens", "product": "X204"}
    both = ("CVE-2026-1", "CVE-2026-2")
    assert verdict(advisory, **asset, version="1.0") == ("affected", "exact", both)
    assert verdict(advisory, **asset, version="2.0") == ("affected", "exact", both[1:])
    assert verdict(advisory, **asset, version="3.0") == ("unknown", "possible", both[1:])
    assert verdict(advisory, **asset, version="4.0") is None


def test_fixed_versions_of_the_same_product_are_told() -> None:
    tree = siemens(
        branch("product_version_range", "<2.0", leaf="P1"),
        branch("product_version", "2.0", leaf="P2"),
    )
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"], "fixed": ["P2"]}), "x")
    inventory = Inventory("i", (Component("c", vendor="Siemens", product="X204"),))
    assert [m.fixed for m in match([inventory], [advisory])] == [("2.0",)]


def test_helpers_name_the_product() -> None:
    tree = siemens(
        branch(
            "product_version", "1.0", leaf="P1",
            model_numbers=["6GK5204-2BB10-2AA3"], purl="pkg:pypi/x204@1.0",
        )
    )  # fmt: skip
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"]}), "x")
    by_model = verdict(advisory, model="6GK5204-2BB10-2AA3", version="1.0")
    assert by_model == ("affected", "exact", ("CVE-2026-1",))
    assert verdict(advisory, purl="pkg:pypi/X204@1.0.0") is not None
    assert verdict(advisory, purl="pkg:pypi/X204@1.1") is None


def test_a_component_of_another_product_is_found_by_both() -> None:
    tree = {
        "branches": [
            branch(
                "vendor", "Siemens",
                branch("product_name", "Firmware", branch("product_version", "V4.2", leaf="F")),
                branch("product_name", "S7-1200", leaf="H"),
            )
        ],
        "relationships": [
            {
                "category": "installed_on",
                "product_reference": "F",
                "relates_to_product_reference": "H",
                "full_product_name": {"product_id": "FH", "name": "Firmware V4.2 on S7-1200"},
            }
        ],
    }  # fmt: skip
    advisory = csaf_in.read(document(tree, {"known_affected": ["FH"]}), "x")
    for product in ("S7-1200", "Firmware"):
        found = verdict(advisory, vendor="Siemens", product=product, version="4.2")
        assert found == ("affected", "likely", ("CVE-2026-1",)), product
    assert verdict(advisory, vendor="Siemens", product="S7-1200", version="4.3") is None


def test_a_product_without_version_is_undecided() -> None:
    tree = siemens()
    tree["full_product_names"] = [{"product_id": "P9", "name": "X204"}]
    advisory = csaf_in.read(document(tree, {"known_affected": ["P9"]}), "x")
    found = verdict(advisory, product="X204", version="1.0")
    assert found == ("unknown", "possible", ("CVE-2026-1",))


def test_nesting_is_bounded() -> None:
    deep = branch("product_version", "1", leaf="P")
    for _ in range(200):
        deep = branch("product_family", "f", deep)
    with pytest.raises(BadInput, match="nested deeper"):
        csaf_in.read(document({"branches": [deep]}), "x")


@pytest.mark.data
def test_industrial_advisories_are_read_and_most_versions_with_them(data_dir: Path) -> None:
    documents, entries, read, refused = 0, 0, 0, []
    with tarfile.open(data_dir / "cisa-csaf-2017-2023.tar.xz") as archive:
        for member in archive:
            if not member.name.endswith(".json") or not member.isfile():
                continue
            content = archive.extractfile(member)
            assert content is not None
            try:
                advisory = read_advisory(content.read(), member.name)
            except BadInput:
                refused.append(member.name)
                continue
            documents += 1
            ranges = [r for a in advisory.affected for r in a.ranges]
            entries += len(ranges)
            read += sum(not r.problem for r in ranges)
    assert documents == 2035
    assert len(refused) == 2  # the feeds
    assert read / entries > 0.87
