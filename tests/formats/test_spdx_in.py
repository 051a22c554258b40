"""SPDX 2.3 and 3.0 JSON, written by the reference library."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from spdx_tools.spdx.model import (
    Actor,
    ActorType,
    CreationInfo,
    Document,
    ExternalPackageRef,
    ExternalPackageRefCategory,
    Package,
    SpdxNoAssertion,
)
from spdx_tools.spdx.writer.write_anything import write_file
from spdx_tools.spdx3.bump_from_spdx2.spdx_document import bump_spdx_document
from spdx_tools.spdx3.writer.json_ld import json_ld_writer

from vedette.formats.detect import read_inventory


def document() -> Document:
    creation = CreationInfo(
        "SPDX-2.3", "SPDXRef-DOCUMENT", "plant", "https://spdx.example/plant",
        [Actor(ActorType.TOOL, "test")], datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    )  # fmt: skip
    purl = ExternalPackageRef(
        ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", "pkg:pypi/ujson@5.1.0"
    )
    cpe = ExternalPackageRef(
        ExternalPackageRefCategory.SECURITY,
        "cpe23Type",
        "cpe:2.3:a:ultrajson_project:ultrajson:5.1.0:*:*:*:*:*:*:*",
    )
    package = Package(
        "SPDXRef-u", "ujson", SpdxNoAssertion(), version="5.1.0",
        supplier=Actor(ActorType.ORGANIZATION, "UltraJSON"), external_references=[purl, cpe],
    )  # fmt: skip
    return Document(creation, [package, Package("SPDXRef-n", "nameless", SpdxNoAssertion())])


def test_version_2_3(tmp_path: Path) -> None:
    path = tmp_path / "plant.spdx.json"
    write_file(document(), str(path), validate=False)
    first, second = read_inventory(path.read_bytes(), "plant").components
    assert (first.id, first.name, first.version) == ("SPDXRef-u", "ujson", "5.1.0")
    assert first.purl == "pkg:pypi/ujson@5.1.0"
    assert first.cpe.startswith("cpe:2.3:a:ultrajson_project")
    assert first.vendor == "UltraJSON"
    assert (second.id, second.version, second.purl) == ("SPDXRef-n", "", "")


def test_version_3_0_as_the_reference_library_writes_it(tmp_path: Path) -> None:
    payload = bump_spdx_document(document())
    json_ld_writer.write_payload(payload, str(tmp_path / "plant"))
    path = next(tmp_path.glob("plant*json*"))
    components = {c.name: c for c in read_inventory(path.read_bytes(), "plant").components}
    assert components["ujson"].version == "5.1.0"
    assert components["ujson"].purl == "pkg:pypi/ujson@5.1.0"
    assert components["ujson"].id.endswith("SPDXRef-u")


@pytest.mark.parametrize("prefix", ["software_", ""])
def test_version_3_0_as_the_specification_writes_it(prefix: str) -> None:
    graph = [
        {"type": "Organization", "spdxId": "urn:org", "name": "Siemens"},
        {
            "type": "software_Package",
            "spdxId": "urn:p",
            "name": "fw",
            f"{prefix}packageVersion": "V4.2",
            f"{prefix}packageUrl": "pkg:generic/fw@4.2",
            "suppliedBy": "urn:org",
            "externalIdentifier": [
                {"externalIdentifierType": "cpe23", "identifier": "cpe:2.3:o:siemens:fw:4.2"}
            ],
        },
        {"type": "software_File", "spdxId": "urn:f", "name": "file"},
    ]
    context = "https://spdx.example/rdf/3.0.1/spdx-context.jsonld"
    data = json.dumps({"@context": context, "@graph": graph}).encode()
    (found,) = read_inventory(data, "x").components
    assert (found.id, found.version, found.vendor) == ("urn:p", "V4.2", "Siemens")
    assert found.purl == "pkg:generic/fw@4.2"
    assert found.cpe == "cpe:2.3:o:siemens:fw:4.2"


def test_what_a_document_describes_is_its_subject() -> None:
    packages = [{"SPDXID": "SPDXRef-a", "name": "a"}, {"SPDXID": "SPDXRef-b", "name": "b"}]
    relation = {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": "SPDXRef-a",
    }
    document = {"spdxVersion": "SPDX-2.3", "packages": packages, "relationships": [relation]}
    inventory = read_inventory(json.dumps(document).encode(), "sbom")
    assert inventory.subject == "SPDXRef-a"
    second = relation | {"relatedSpdxElement": "SPDXRef-b"}
    two = document | {"relationships": [relation, second]}
    assert read_inventory(json.dumps(two).encode(), "sbom").subject == ""


def test_the_root_of_an_spdx_3_sbom_is_its_subject() -> None:
    graph = [
        {
            "type": "software_Package",
            "spdxId": "urn:a",
            "name": "a",
            "software_packageVersion": "1",
        },
        {
            "type": "software_Package",
            "spdxId": "urn:b",
            "name": "b",
            "software_packageUrl": "pkg:pypi/b@2",
        },
        {"type": "software_Sbom", "spdxId": "urn:s", "rootElement": ["urn:a"]},
    ]
    document = {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}
    inventory = read_inventory(json.dumps(document).encode(), "sbom")
    assert inventory.subject == "urn:a"
    assert [(c.id, c.version, c.purl) for c in inventory.components] == [
        ("urn:a", "1", ""), ("urn:b", "", "pkg:pypi/b@2")
    ]  # fmt: skip


def test_every_purl_and_cpe_of_a_package_counts() -> None:
    names = {
        "purl": ["pkg:generic/a@1", "pkg:pypi/a@1", "pkg:pypi/a@1"],
        "cpe23Type": ["cpe:2.3:a:x:a:1:*:*:*:*:*:*:*", "cpe:2.3:a:y:a:1:*:*:*:*:*:*:*"],
    }
    references = [
        {"referenceType": kind, "referenceLocator": name} for kind in names for name in names[kind]
    ]
    package = {"name": "a", "versionInfo": "1", "originator": "Organization: Y"}
    rows = [{**package, "externalRefs": references}, package]
    document = {"spdxVersion": "SPDX-2.3", "packages": rows}
    inventory = read_inventory(json.dumps(document).encode(), "sbom")
    told = [(c.id, c.purl, c.cpe) for c in inventory.components]
    first = "pkg:generic/a@1"
    assert told == [
        (first, first, names["cpe23Type"][0]),
        ("row:2", "", ""),
        (first, "pkg:pypi/a@1", ""),
        (first, "", names["cpe23Type"][1]),
    ]
    assert inventory.components[0].vendor == "Y"
    assert inventory.notes == ()


@pytest.mark.parametrize("kind", ["ai_AIPackage", "dataset_DatasetPackage"])
def test_models_and_data_sets_are_packages(kind: str) -> None:
    maker = {"type": "Organization", "spdxId": "urn:m", "name": "Maker"}
    row = {"type": kind, "spdxId": "urn:a", "name": "a", "software_packageVersion": "1"}
    graph = [maker, row | {"originatedBy": ["urn:m"], "software_packageUrl": "pkg:pypi/a@1"}]
    document = {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}
    (component,) = read_inventory(json.dumps(document).encode(), "sbom").components
    assert (component.id, component.purl, component.vendor) == ("urn:a", "pkg:pypi/a@1", "Maker")
