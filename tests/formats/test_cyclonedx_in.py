"""CycloneDX JSON and XML of every version, written by the reference library."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as Written
from cyclonedx.model.component import ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from vedette.formats import cyclonedx_in
from vedette.formats.bounded import load
from vedette.formats.detect import MAX_INVENTORY, inventory_reader, read_inventory
from vedette.kernel.errors import BadInput
from vedette.matching import identity
from vedette.matching.holdings import Known
from vedette.matching.model import Component, Inventory

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
    assert [note.split(":")[0] for note in inventory.notes] == [
        "1 component with a purl that can't be read",
        "2 components without a version",
    ]


def test_nested_components_and_shared_ids_are_counted_and_explained() -> None:
    inner = {"name": "b", "version": "1", "bom-ref": "x", "components": [{"name": "c"}]}
    rows = [{"name": "a", "version": "1", "bom-ref": "x", "components": [inner]}]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.7", "components": rows}
    inventory = read_inventory(json.dumps(document).encode(), "sbom")
    assert [c.name for c in inventory.components] == ["a", "b", "c"]
    assert [note.split(":")[0] for note in inventory.notes] == [
        "2 components nested in others",
        "1 component without a version",
        "1 component with the id of another",
    ]


MENTIONED = """<bom xmlns="http://cyclonedx.org/schema/bom/1.6"
 serialNumber="urn:uuid:1-2" version="3">
<metadata><tools><components><component><name>scanner</name></component></components></tools>
<component bom-ref="root"><name>plant</name><version>7</version></component></metadata>
<components><component bom-ref="u"><name>own</name><pedigree><ancestors><component>
<name>older</name><version>0</version></component></ancestors></pedigree><version>1</version>
<components><component bom-ref="n"><name>inner</name></component></components></component>
</components></bom>"""


def test_components_only_mentioned_are_none_of_the_inventory() -> None:
    inventory = read_inventory(MENTIONED.encode(), "sbom.xml")
    found = [(c.id, c.name, c.version) for c in inventory.components]
    assert found == [("root", "plant", "7"), ("u", "own", "1"), ("n", "inner", "")]
    assert (inventory.subject, inventory.link) == ("root", "urn:cdx:1-2/3#")


def test_a_cycle_of_dependencies_is_nothing() -> None:
    rows = [{"name": name, "version": "1", "bom-ref": name} for name in "ab"]
    edges = [{"ref": "a", "dependsOn": ["b"]}, {"ref": "b", "dependsOn": ["a", "b"]}]
    document = {"bomFormat": "CycloneDX", "components": rows, "dependencies": edges}
    inventory = read_inventory(json.dumps(document).encode(), "sbom")
    assert [c.id for c in inventory.components] == ["a", "b"]
    assert inventory.notes == ()


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
        (b'<?xml version="1.0" encoding="EBCDIC-XX"?>' + OPEN, "an encoding that is not read"),
        (b'<?xml version="1.0" encoding="Shift_JIS"?>' + OPEN, "an encoding that is not read"),
        (b'{"bomFormat": "Other"}', "neither a CycloneDX nor"),
        (b"{", "not JSON"),
    ],
)
def test_hostile_and_foreign_documents_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        read_inventory(data, "sbom.xml")
    assert str(caught.value).startswith("sbom.xml: ")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("form", [OutputFormat.JSON, OutputFormat.XML])
def test_documents_are_read_in_any_encoding_of_unicode(form: OutputFormat, encoding: str) -> None:
    data = written(SchemaVersion.V1_6, form)
    text = data.decode().replace('encoding="UTF-8"', f'encoding="{encoding[:6].rstrip("-")}"')
    again = read_inventory(text.encode(encoding), "sbom")
    assert again == read_inventory(data, "sbom")


def test_what_extends_xml_is_none_of_its_component() -> None:
    odd = b'<component bom-ref="x"><name>odd</name></component>'
    parts = (b"<version>9</version>", b"<purl>pkg:pypi/b@9</purl>", odd)
    alien = b"".join(part.replace(b"</", b"</z:").replace(b"<", b"<z:", 1) for part in parts)
    alien = alien.replace(b"<name>", b"<z:name>")
    data = b"<components>%s<component><name>a</name><version>1</version>%s</component></components>"
    opened = OPEN.replace(b"<bom", b'<bom xmlns:z="https://z.example"')
    inventory = read_inventory(opened + data % (alien, alien) + b"</bom>", "sbom")
    assert inventory.components == (Component(id="row:1", name="a", version="1"),)


def test_components_nested_too_deep_are_refused() -> None:
    row: dict[str, object] = {"name": "x"}
    for _ in range(150):
        row = {"name": "x", "components": [row]}
    document = {"bomFormat": "CycloneDX", "components": [row]}
    with pytest.raises(BadInput, match="nested deeper"):
        read_inventory(json.dumps(document).encode(), "sbom")


odd = st.sampled_from([None, 1, True, [], {}, "", " a ", "x" * 5000, "\0", "\u00e4"])
words = st.sampled_from(["a", "b", " c", "pkg:pypi/a@1", "pkg:npm/%40s/b", "no purl"])
owners = st.fixed_dictionaries({}, optional={"name": words | odd}) | odd


@st.composite
def rows(draw: st.DrawFn, depth: int = 2) -> Any:
    said = dict.fromkeys(("bom-ref", "group", "version", "purl", "cpe"), words | odd)
    said |= {"publisher": words, "supplier": owners, "manufacturer": owners, "licenses": odd}
    row = draw(st.fixed_dictionaries({"name": words}, optional=said))
    if depth and draw(st.booleans()):
        row["components"] = draw(st.lists(rows(depth - 1), max_size=2) | odd)
    return row


documents = st.fixed_dictionaries(
    {"bomFormat": st.just("CycloneDX"), "components": st.lists(rows(), max_size=3)},
    optional={
        "metadata": st.fixed_dictionaries({"component": rows() | odd}) | odd,
        "serialNumber": st.sampled_from(["urn:uuid:1-2", 3]),
        "version": st.sampled_from([2, True, "3"]),
        "vulnerabilities": st.just([]) | odd,
    },
)


@given(documents, st.booleans())
def test_what_is_read_at_once_is_read_as_field_by_field(document: Any, ascii: bool) -> None:
    data = json.dumps(document, ensure_ascii=ascii).encode()
    slowly: Inventory | None = None
    with suppress(BadInput):
        read = load(data, "sbom", MAX_INVENTORY)
        reader = inventory_reader(read)
        assert reader is cyclonedx_in.read_json
        slowly = reader(read, "sbom")
    assert cyclonedx_in.read_plain(data, "sbom") in (None, slowly)


@given(documents, st.booleans())
def test_packages_that_no_advisory_speaks_of_are_counted_and_left_out(
    document: Any, held: bool
) -> None:
    data = json.dumps(document).encode()
    with suppress(BadInput):
        whole = cyclonedx_in.read_plain(data, "sbom")
        asked: set[str] = set()
        spoken = Known(lambda key: bool(asked.add(key)) or held)
        part = cyclonedx_in.read_plain(data, "sbom", spoken)
        assert (part is None) == (whole is None)
        if whole and part:
            assert replace(part, components=whole.components) == whole
            gone = set(whole.components) - set(part.components)
            assert all(asked.issuperset(identity.of_component(one)) for one in gone)
            assert not held or not any(identity.of_component(one) for one in gone)


def test_the_reference_librarys_documents_are_read_at_once() -> None:
    data = written(SchemaVersion.V1_6, OutputFormat.JSON)
    assert cyclonedx_in.read_plain(data, "sbom") == read_inventory(data, "sbom") is not None
    assert cyclonedx_in.read_plain(data.replace(b"plant", b"\xff"), "sbom") is None


@pytest.mark.parametrize(
    ("components", "note"),
    [
        ("5", "components: no list, so that nothing of it could be read"),
        ("[]", "no component in it, so that nothing could match"),
        ('[{"name": "a"}, 7, "b"]', "components: 2 of 3 left aside, no objects"),
    ],
)
def test_what_is_no_component_is_told(components: str, note: str) -> None:
    data = f'{{"bomFormat": "CycloneDX", "components": {components}}}'.encode()
    assert read_inventory(data, "a.json").notes[0] == note
    spdx = data.replace(b'"bomFormat": "CycloneDX"', b'"spdxVersion": "SPDX-2.3"')
    told = read_inventory(spdx.replace(b"components", b"packages"), "a.json").notes[0]
    assert told == note.replace("components", "packages")
