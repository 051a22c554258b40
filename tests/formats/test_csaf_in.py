"""CSAF: branches, helpers, relationships, statuses."""

from __future__ import annotations

from typing import Any

import pytest

from vedette.formats import csaf_in
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


def test_a_product_of_a_family_is_found_by_its_name_and_by_both() -> None:
    inner = branch(
        "product_name", "CPU 1515-2 PN", branch("product_version_range", "<2.0", leaf="P")
    )
    tree = {"branches": [branch("vendor", "Siemens", branch("product_family", "S7-1500", inner))]}
    advisory = csaf_in.read(document(tree, {"known_affected": ["P"]}), "x")
    for product in ("CPU 1515-2 PN", "S7-1500 CPU 1515-2 PN"):
        found = verdict(advisory, vendor="Siemens", product=product, version="1.9")
        assert found == ("affected", "exact", ("CVE-2026-1",)), product


def test_serial_numbers_leave_the_versions_undecided() -> None:
    tree = siemens(branch("product_version", "1.0", leaf="P1", serial_numbers=["SN-7*"]))
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"]}), "x")
    asset = {"vendor": "Siemens", "product": "X204", "version": "1.0"}
    assert verdict(advisory, **asset) == ("unknown", "possible", ("CVE-2026-1",))


def test_all_versions_of_a_line_are_those_of_the_line() -> None:
    name = branch(
        "product_name", "RSG2100 V4.X", branch("product_version_range", "vers:all/*", leaf="P")
    )
    tree = {"branches": [branch("vendor", "Siemens", name)]}
    advisory = csaf_in.read(document(tree, {"known_affected": ["P"]}), "x")
    asset = {"vendor": "Siemens", "product": "RSG2100"}
    assert verdict(advisory, **asset, version="4.3.7") == ("affected", "likely", ("CVE-2026-1",))
    assert verdict(advisory, **asset, version="5.5.0") is None


def test_product_paths_of_csaf_2_1() -> None:
    tree = {
        "branches": [
            branch(
                "vendor", "Siemens",
                branch("product_name", "Firmware",
                       branch("product_version_range", "vers:generic/<4.2", leaf="F")),
                branch("product_name", "S7-1200", leaf="H", model_numbers=["6ES7214-1AG40-0XB0"],
                       purls=["pkg:generic/s7-1200"]),
            )
        ],
        "product_paths": [
            {
                "beginning_product_reference": "F",
                "full_product_name": {"product_id": "FH", "name": "Firmware on S7-1200"},
                "subpaths": [{"category": "installed_on", "next_product_reference": "H"}],
            }
        ],
    }  # fmt: skip
    advisory = csaf_in.read(document(tree, {"known_affected": ["FH"]}), "x")
    by_order = verdict(advisory, model="6ES7214-1AG40-0XB0", version="4.1")
    assert by_order == ("affected", "likely", ("CVE-2026-1",))
    assert verdict(advisory, model="6ES7214-1AG40-0XB0", version="4.2") is None


def test_words_that_are_not_read_leave_an_unknown_not_a_gap() -> None:
    spoken = "All versions with U-Boot < V2016.05RS09"
    advisory = csaf_in.read(
        document(siemens(branch("product_version_range", spoken, leaf="P1")),
                 {"known_affected": ["P1"]}), "x",
    )  # fmt: skip
    inventory = Inventory("i", (Component("c", vendor="Siemens", product="X204", version="1.0"),))
    (line,) = match([inventory], [advisory])
    assert (line.verdict, line.confidence, line.range) == ("unknown", "possible", spoken)
    assert line.reason.endswith("(condition)")


def test_a_condition_opens_the_versions_inside_and_no_other() -> None:
    spoken = "< V10.4.1 only if web components are used"
    tree = siemens(branch("product_version_range", spoken, leaf="P1"))
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"]}), "x")
    asset = {"vendor": "Siemens", "product": "X204"}
    assert verdict(advisory, **asset, version="10.4")[:2] == ("unknown", "possible")  # type: ignore[index]
    assert verdict(advisory, **asset, version="10.4.1") is None


def test_models_that_the_version_words_name_are_found_by_model_and_by_product() -> None:
    tree = siemens(branch("product_version", "HEN08104 | HEN16104", leaf="P1"))
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"]}), "x")
    for asset in ({"product": "NVR", "model": "HEN-16104"}, {"product": "HEN08104"}):
        found = verdict(advisory, vendor="Siemens", version="2.0", **asset)
        assert found is not None
        assert found[0] == "unknown"
    assert verdict(advisory, vendor="Siemens", product="HEN08105", version="2.0") is None


@pytest.mark.parametrize(
    ("product", "asset", "found"),
    [
        ("CK75 running Android OS", "CK75", "unknown"),
        ("CK75", "CK75 running Android OS", "affected"),
        ("Relion 670/650 series", "Relion 650", "affected"),
        ("R04(EN)CPU", "R04ENCPU", "affected"),
        ("Q03UDVCPU The first 5 digits of serial No.", "Q03UDVCPU", "unknown"),
        ("Relion 670/650 series", "Relion 630", None),
    ],
)
def test_lists_and_conditions_of_a_name_reach_its_products(
    product: str, asset: str, found: str | None
) -> None:
    version = branch("product_version_range", "< 2.0", leaf="P1")
    tree = {"branches": [branch("vendor", "V", branch("product_name", product, version))]}
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"]}), "x")
    line = verdict(advisory, vendor="V", product=asset, version="1.0")
    assert (line and line[0]) == found


@pytest.mark.parametrize(
    ("vendor", "product", "asset", "found"),
    [
        ("Siemens", "SCALANCE X208", "Scalance X-208", "possible"),
        ("Siemens", "SIMATIC WinCC", "WinCC", "possible"),
        ("Siemens", "SIMATIC IPC427E", "IPC427E", "possible"),
        ("Inductive Automation", "Inductive Automation Ignition", "Ignition 8.1", "likely"),
        ("Schneider Electric", "M580 CPUs with firmware", "Modicon M580", "possible"),
        ("Keysight", "ENA Network Analyzers", "ENA Network Analyzer", "possible"),
        ("Omron", "CJ2M-CPU**", "CJ2M-CPU33", "possible"),
        ("Omron", "CJ2M-CPU**", "CJ2H-CPU64", None),
        ("Phoenix Contact", "ILC 3xx", "ILC 350 PN", "possible"),
        ("Phoenix Contact", "ILC 3xx", "ILC 150 ETH", None),
        ("WAGO", "750-8202/025-000", "PFC200 750-8202/025-000", "possible"),
        ("WAGO", "750-8202/025-000", "PFC200 750-8202/025-001", None),
        ("Siemens", "SCALANCE X208", "SCALANCE X2-08", None),
    ],
)
def test_products_are_found_as_plants_write_them(
    vendor: str, product: str, asset: str, found: str | None
) -> None:
    version = branch("product_version_range", "< 9.0", leaf="P1")
    tree = {"branches": [branch("vendor", vendor, branch("product_name", product, version))]}
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"]}), "x")
    line = verdict(advisory, vendor=vendor, product=asset, version="8.0")
    assert (line and line[:2]) == (found and ("affected", found))


def test_a_vendor_may_stand_in_the_products_name_alone() -> None:
    version = branch("product_version_range", "< 9.0", leaf="P1")
    product = branch("product_name", "NPort 5110", version)
    tree = {"branches": [branch("vendor", "Moxa Inc.", product)]}
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"]}), "x")
    found = verdict(advisory, product="Moxa NPort 5110", version="2.8")
    assert found is not None
    assert found[:2] == ("affected", "possible")
    assert verdict(advisory, product="Korenix NPort 5110", version="2.8") is None
    assert verdict(advisory, vendor="Korenix", product="Moxa NPort 5110", version="2.8") is None


@pytest.mark.parametrize(
    ("product", "words", "version", "found"),
    [
        ("RSG V5.X", "< V5.6.0", "V5.5", "affected"),
        ("RSG V5.X", "< V5.6.0", "V4.3", None),
        ("RSG V13", "< V13 SP2", "V13 SP1", "affected"),
        ("RSG V13", "< V13 SP2", "V7.5", "unknown"),
        ("RSG V13", "vers:all/*", "V13 SP1", "affected"),
        ("RSG V13", "vers:all/*", "V12", "unknown"),
        ("RSG V13", "vers:all/*", "V14", None),
        ("RSG V8.0 and earlier", "vers:all/*", "V8.0 SP2", "affected"),
        ("RSG V8.0 and earlier", "vers:all/*", "V9.1", None),
        ("RSG", "<=20081", "1.0", "unknown"),
        ("RSG", "<=20081", "20080", "affected"),
    ],
)
def test_the_line_in_a_products_name_bounds_its_versions(
    product: str, words: str, version: str, found: str | None
) -> None:
    tree = siemens()
    stated = branch("product_version_range", words, leaf="P1")
    tree["branches"][0]["branches"] = [branch("product_name", product, stated)]
    advisory = csaf_in.read(document(tree, {"known_affected": ["P1"]}), "x")
    line = verdict(advisory, vendor="Siemens", product="RSG", version=version)
    assert (line and line[0]) == found


def test_nesting_is_bounded() -> None:
    deep = branch("product_version", "1", leaf="P")
    for _ in range(200):
        deep = branch("product_family", "f", deep)
    with pytest.raises(BadInput, match="nested deeper"):
        csaf_in.read(document({"branches": [deep]}), "x")
