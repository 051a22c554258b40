"""The SBOM of a machine: valid CycloneDX 1.6, the same bytes for the same machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from vedette.formats.detect import read_inventory
from vedette.formats.machine_in import debian_packages, from_purl, python_packages
from vedette.formats.sbom_out import sbom
from vedette.kernel.errors import BadInput
from vedette.matching.model import Component

STATUS = """Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl (3.0.11-1)
Version: 3.0.11-1~deb12u2
Description: library
 Version: not this one

Package: gone
Status: deinstall ok config-files
Version: 1.0

Package: libstdc++6
Status: install ok installed
Architecture: amd64
Version: 12.2.0-14
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    packages = tmp_path / "site-packages/Foo_Bar-1.0.dist-info"
    packages.mkdir(parents=True)
    (packages / "METADATA").write_text("Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.0+x\n")
    return tmp_path


def components(root: Path) -> list[Component]:
    return [*debian_packages(root), *python_packages([root / "site-packages"])]


def test_packages_are_named_by_purl(root: Path) -> None:
    assert [c.purl for c in components(root)] == [
        "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12"
        "&upstream=openssl%403.0.11-1",
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12",
        "pkg:pypi/foo-bar@1.0%2Bx",
    ]


def test_the_sbom_passes_the_official_schema_and_reads_back(root: Path) -> None:
    held = components(root)
    text = json.dumps(sbom(held, "plant"))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    back = {c.purl: c.version for c in read_inventory(text.encode(), "x").components if c.purl}
    assert back == {c.purl: c.version for c in held}


def test_the_same_components_give_the_same_serial_number(root: Path) -> None:
    held = components(root)
    first = sbom(held, "plant")
    assert sbom(list(reversed(held)), "plant") == first
    assert sbom(held[1:], "plant")["serialNumber"] != first["serialNumber"]


def test_a_machine_without_dpkg_has_no_debian_packages(tmp_path: Path) -> None:
    assert list(debian_packages(tmp_path)) == []


@pytest.mark.parametrize("purl", ["ujson", "pkg:pypi/ujson", "pkg:"])
def test_what_is_no_purl_with_a_version_is_refused(purl: str) -> None:
    with pytest.raises(BadInput, match="no purl with a version"):
        from_purl(purl)
