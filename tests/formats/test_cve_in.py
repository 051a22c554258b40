"""CVE JSON 5: versions, lessThan, changes, defaults, words, packages."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from vedette.formats import cve_in
from vedette.formats.detect import read_advisory
from vedette.matching import identity, names
from vedette.matching.verdict import decide


def product(*versions: dict[str, Any], **more: Any) -> Any:
    row = {"vendor": "V", "product": "P", "versions": list(versions)} | more
    document = {
        "dataType": "CVE_RECORD",
        "cveMetadata": {"cveId": "CVE-2024-1", "state": "PUBLISHED"},
        "containers": {"cna": {"affected": [row]}},
    }
    return cve_in.read(document, "x").affected[0]


def entry(version: str, status: str = "affected", **more: Any) -> dict[str, Any]:
    return {"version": version, "status": status, "versionType": "custom"} | more


def verdicts(affected: Any, versions: list[str]) -> list[str]:
    return [decide(version, affected).verdict for version in versions]


A, N, U = "affected", "unaffected", "unknown"


@pytest.mark.parametrize(
    ("entries", "more", "versions", "expected"),
    [
        ([entry("1.0", lessThan="2.0")], {}, ["0.9", "1.0", "2.0"], [N, A, N]),
        ([entry("0", lessThanOrEqual="2.0")], {}, ["0.1", "2.0", "2.0.1"], [A, A, N]),
        ([entry("n/a", lessThanOrEqual="2.0")], {}, ["2.0", "2.1"], [A, N]),
        ([entry("All versions", lessThan="2.0")], {}, ["1.9", "2.0"], [A, N]),
        ([entry("earlier", lessThanOrEqual="2.0")], {}, ["2.0", "2.1"], [A, N]),
        ([entry("0", lessThan="*")], {}, ["99", "odd"], [A, A]),
        ([entry("1.5")], {}, ["1.5", "1.5.0", "1.6"], [A, A, N]),
        (
            [entry("1.0", lessThanOrEqual="2.0", changes=[{"at": "2.2", "status": N}])],
            {}, ["0.9", "2.0", "2.1", "2.2"], [N, A, N, N],
        ),
        (
            [entry("1.0", lessThan="2.0", changes=[{"at": "0.5", "status": N}])],
            {}, ["0.7", "1.0", "1.9"], [N, N, N],
        ),
        (
            [entry("1.0.0", lessThanOrEqual="2.0.0", versionType="semver")],
            {}, ["1.0.0-rc.1", "1.9.9.9", "2.0.0.0", "2.0.0.1"], [N, A, A, N],
        ),
        ([entry("< 5.2")], {}, ["5.1", "5.2"], [A, N]),
        ([entry("all versions")], {}, ["1"], [A]),
        ([entry("n/a")], {}, ["1"], [U]),
        ([entry("QCA6574A")], {}, ["QCA6574A", "QCA1"], [A, U]),
        (
            [entry("6.0", changes=[{"at": "6.5", "status": N}], lessThan="7.0")],
            {}, ["6.4", "6.5", "7.0"], [A, N, N],
        ),
        (
            [
                entry("5.4"),
                entry("0", N, lessThan="5.4"),
                entry("6.6.31", N, lessThanOrEqual="6.6.*"),
            ],
            {"defaultStatus": A}, ["5.3", "5.4", "6.1", "6.6.40", "6.7"], [N, A, A, N, A],
        ),
        ([entry("1da177e4", lessThan="52642126", versionType="git")], {}, ["5.10"], [U]),
        ([entry("1.0", lessThan="someday")], {}, ["1.5"], [U]),
        ([], {}, ["1.0"], [U]),
        ([], {"defaultStatus": A}, ["1.0", ""], [A, U]),
        (
            [entry("1.0.0", lessThan="1.0.0-rc.2", versionType="semver")],
            {}, ["1.0.0"], [U],
        ),
        (
            [entry("0", lessThan="1.0.0", versionType="semver")],
            {}, ["1.0.0-alpha.1", "1.0.0"], [A, N],
        ),
        (
            [entry("22.4", lessThan="22.4R3-S3", versionType="semver")],
            {}, ["22.4R3-S2", "22.4R3-S3"], [A, N],
        ),
    ],
)  # fmt: skip
def test_versions(
    entries: list[Any], more: dict[str, Any], versions: list[str], expected: list[str]
) -> None:
    assert verdicts(product(*entries, **more), versions) == expected


def test_packages_are_known_by_their_collection() -> None:
    affected = product(
        entry("0", lessThan="2.0.1"),
        packageName="org.example:lib",
        collectionURL="https://repository.example/maven2",
    )
    assert "maven/org.example/lib" in identity.of_affected(affected)
    assert verdicts(affected, ["2.0-rc1", "2.0.1"]) == [A, N]


def test_rejected_records_are_withdrawn() -> None:
    meta = {"cveId": "CVE-2024-1", "state": "REJECTED"}
    assert cve_in.read({"cveMetadata": meta, "containers": {}}, "x").withdrawn


@pytest.mark.data
def test_every_record_of_the_sample_is_read(data_dir: Path) -> None:
    count = 0
    with tarfile.open(data_dir / "cve5-2024-sample.tar.xz") as archive:
        for member in archive:
            if member.name.endswith(".json") and member.isfile():
                content = archive.extractfile(member)
                assert content is not None
                data = content.read()
                assert (
                    read_advisory(data, member.name).id == json.loads(data)["cveMetadata"]["cveId"]
                )
                count += 1
    assert count == 2931


@pytest.mark.parametrize(
    ("collection", "package", "purl"),
    [
        ("https://npmjs.example", "@a/b", "pkg:npm/%40a/b"),
        ("https://pypi.example", "Foo_Bar", "pkg:pypi/foo-bar"),
        ("https://example.org/maven2", "org.a:b", "pkg:maven/org.a/b"),
        ("https://pkg.go.dev", "example.org/a", "pkg:golang/example.org/a"),
        ("https://hex.pm", "a", "pkg:hex/a"),
        ("https://pub.dev", "a", "pkg:pub/a"),
        ("https://cran.r-project.example", "A", "pkg:cran/A"),
    ],
)
def test_a_package_is_found_in_its_collection(collection: str, package: str, purl: str) -> None:
    one = product(entry("0", lessThan="2.0"), packageName=package, collectionURL=collection)
    wanted = names.from_purl(purl)
    assert wanted is not None
    assert wanted.key in identity.of_affected(one)
    assert str(one.ranges[0]) == f"vers:{wanted.scheme}/<2.0"


@pytest.mark.parametrize(
    ("vendor", "package", "purl"),
    [
        ("Go standard library", "net/http", "pkg:golang/stdlib"),
        ("Go toolchain", "cmd/go", "pkg:golang/toolchain"),
        ("golang.org/x/net", "golang.org/x/net/http2", "pkg:golang/golang.org/x/net"),
        ("golang.org/x/ne", "golang.org/x/net", "pkg:golang/golang.org/x/net"),
    ],
)
def test_a_package_of_go_is_found_by_its_module(vendor: str, package: str, purl: str) -> None:
    versions = entry("0", lessThan="1.2", versionType="semver")
    where = {"packageName": package, "collectionURL": "https://pkg.go.dev"}
    assert product(versions, vendor=vendor, product=package, **where).purl == purl


def red_hat(*versions: dict[str, Any], cpe: str = "cpe:/o:redhat:enterprise_linux:8") -> Any:
    browser = "https://access.redhat.com/downloads/content/package-browser/"
    where = {"packageName": "openssl", "collectionURL": browser, "cpes": [cpe]}
    platform = {"vendor": "Red Hat", "product": "Red Hat Enterprise Linux 8"}
    return product(*versions, defaultStatus="affected", **platform, **where)


def test_what_red_hat_calls_the_product_is_the_packages_platform() -> None:
    fixed = entry("1:1.1.1k-9.el8_7", "unaffected", lessThan="*", versionType="rpm")
    one = red_hat(fixed)
    assert set(identity.of_affected(one)) == {"rpm/redhat/openssl"}
    assert identity.of_affected(one)["rpm/redhat/openssl"].release == "8"
    assert verdicts(one, ["1:1.1.1k-7.el8_6", "1:1.1.1k-9.el8_7"]) == [A, N]
    assert decide("1:1.1.1k-7.el8_6", one).fixed == ("1:1.1.1k-9.el8_7",)
    layered = red_hat(fixed, cpe="cpe:/a:redhat:ansible_automation_platform:2")
    assert layered.context == "Red Hat Enterprise Linux 8"
    assert identity.of_affected(layered)["rpm/redhat/openssl"].release == ""


def test_what_is_unaffected_without_a_version_is_not_affected() -> None:
    row = {"vendor": "V", "product": "P", "defaultStatus": "unaffected"}
    meta = {"cveId": "CVE-2024-1", "state": "PUBLISHED"}
    record = {"cveMetadata": meta, "containers": {"cna": {"affected": [row]}}}
    assert cve_in.read(record, "x").affected == ()


def test_a_change_behind_the_range_says_where_it_is_fixed() -> None:
    change = {"at": "2.2", "status": "unaffected"}
    one = product(entry("0", lessThanOrEqual="2.0", changes=[change]))
    assert decide("1.0", one).fixed == ("2.2",)
