"""CycloneDX JSON and XML of every version, written by the reference library."""

from __future__ import annotations

import json

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as Written
from cyclonedx.model.component import ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from vedette.formats.detect import read_inventory
from vedette.kernel.errors import BadInput
from vedette.matching.model import Component

VERSIONS = [
    SchemaVersion.V1_4, SchemaVersion.V1_5, SchemaVersion.V1_6, SchemaVersion.V1_7
]  # fmt: skip


def written(schema: SchemaVersion, form: OutputFormat) -> bytes:
    nested = Written(name="inner", version="0.1", bom_ref="n", type=ComponentType.LIBRARY)
    outer = Written(
        name="ujson",
        version="5.1.0",
        bom_ref="u",
        purl=PackageURL("pypi", None, "ujson", "5.1.0"),
        components=[nested],
    )
    device = Written(
        name="X204",
        bom_ref="d",
        type=ComponentType.DEVICE,
        supplier=OrganizationalEntity(name="Siemens"),
        cpe="cpe:2.3:h:siemens:x204:*:*:*:*:*:*:*:*",
    )
    bom = Bom(components=[outer, device])
    bom.metadata.component = Written(name="plant", version="7", bom_ref="root")
    return make_outputter(bom, form, schema).output_as_string().encode()


@pytest.mark.parametrize("schema", VERSIONS)
@pytest.mark.parametrize("form", [OutputFormat.JSON, OutputFormat.XML])
def test_components_are_read_at_every_depth(schema: SchemaVersion, form: OutputFormat) -> None:
    inventory = read_inventory(written(schema, form), "sbom")
    found = {c.id: c for c in inventory.components}
    assert set(found) == {"root", "u", "n", "d"}
    assert found["u"].purl == "pkg:pypi/ujson@5.1.0"
    assert (found["n"].name, found["n"].version) == ("inner", "0.1")
    assert (found["d"].vendor, found["d"].version) == ("Siemens", "")
    assert found["d"].cpe.startswith("cpe:2.3:h:siemens")


def test_without_reference_the_purl_else_the_row_is_the_id() -> None:
    rows = [{"name": "a", "purl": "pkg:pypi/a@1"}, {"name": "b"}, {"name": "c", "purl": "broken"}]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": rows}
    inventory = read_inventory(json.dumps(document).encode(), "sbom")
    assert [c.id for c in inventory.components] == ["pkg:pypi/a@1", "row:2", "broken"]
    assert inventory.components[1] == Component(id="row:2", name="b")
    assert inventory.notes == ("1 components have a purl that can't be read",)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE bom [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>
<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component><name>&b;</name>
</component></components></bom>"""
OPEN = b'<bom xmlns="http://cyclonedx.org/schema/bom/1.5">'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (BOMB, "document type or entities"),
        (OPEN + b"<a>" * 500, "nested deeper"),
        (OPEN, "not XML"),
        (b"<html></html>", "neither a CycloneDX"),
        (b'{"bomFormat": "Other"}', "neither a CycloneDX nor"),
        (b"{", "not JSON"),
    ],
)
def test_hostile_and_foreign_documents_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        read_inventory(data, "sbom.xml")
    assert str(caught.value).startswith("sbom.xml: ")


def test_components_nested_too_deep_are_refused() -> None:
    row: dict[str, object] = {"name": "x"}
    for _ in range(150):
        row = {"name": "x", "components": [row]}
    document = {"bomFormat": "CycloneDX", "components": [row]}
    with pytest.raises(BadInput, match="nested deeper"):
        read_inventory(json.dumps(document).encode(), "sbom")
