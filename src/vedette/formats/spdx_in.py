"""SPDX 2.2, 2.3 (JSON) and 3.0 (JSON-LD) inventories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from vedette.formats.cyclonedx_in import collect
from vedette.formats.interface import Said, mapping, objects, odd, text, texts
from vedette.matching.model import Inventory

_DOCUMENT = "SPDXRef-DOCUMENT"
_NOTHING = ("NOASSERTION", "NONE")


def read_2(document: Any, name: str) -> Inventory:
    """Read a parsed SPDX 2 document."""
    packages = objects(document.get("packages"))
    inventory = collect(name, map(_package_2, packages))
    left = odd(document.get("packages"), "packages")
    inventory = replace(inventory, notes=(*left, *inventory.notes))
    described = {*texts(document.get("documentDescribes"))} | {
        text(row.get("relatedSpdxElement"))
        for row in objects(document.get("relationships"))
        if (row.get("relationshipType"), row.get("spdxElementId")) == ("DESCRIBES", _DOCUMENT)
    }
    return _of_one(inventory, described)


def _of_one(inventory: Inventory, described: set[str]) -> Inventory:
    """Name what the document describes, where that is one thing."""
    return replace(inventory, subject=described.pop()) if len(described) == 1 else inventory


def _package_2(row: dict[str, Any]) -> Said:
    found = {"purl": "", "cpe": ""}
    for reference in objects(row.get("externalRefs")):
        kind = text(reference.get("referenceType")).rsplit("/", 1)[-1]
        field = {"purl": "purl", "cpe23Type": "cpe", "cpe22Type": "cpe"}.get(kind)
        if field and not found[field]:
            found[field] = text(reference.get("referenceLocator"))
    supplier = text(row.get("supplier")).removeprefix("Organization:").strip()
    vendor = "" if supplier in _NOTHING else supplier
    said = (text(row.get("SPDXID")), text(row.get("name")), _stated(row.get("versionInfo")))
    return *said, found["purl"], vendor, found["cpe"], False


def read_3(document: Any, name: str) -> Inventory:
    """Read a parsed SPDX 3 document (its usual, flat JSON-LD form)."""
    elements = objects(document.get("@graph")) or [document]
    by_id = {_id(element): element for element in elements}
    roots = {
        root
        for element in elements
        if _kind(element) in ("software_Sbom", "Sbom")
        for root in texts(element.get("rootElement"))
    }
    return _of_one(collect(name, _packages_3(elements, by_id)), roots)


def _packages_3(elements: list[dict[str, Any]], by_id: dict[str, dict[str, Any]]) -> Iterator[Said]:
    for element in elements:
        if _kind(element) not in ("software_Package", "Package"):
            continue
        found = {"purl": _field(element, "packageUrl"), "cpe": ""}
        for identifier in objects(element.get("externalIdentifier")):
            named = text(identifier.get("externalIdentifierType")).rsplit("/", 1)[-1]
            field = {"packageUrl": "purl", "cpe23": "cpe", "cpe22": "cpe"}.get(named)
            if field and not found[field]:
                found[field] = text(identifier.get("identifier"))
        supplier = element.get("suppliedBy")
        agent = mapping(supplier) or by_id.get(text(supplier), {})
        version = _stated(_field(element, "packageVersion"))
        said = (_id(element), text(element.get("name")), version, found["purl"])
        yield *said, text(agent.get("name")), found["cpe"], False


def _kind(element: dict[str, Any]) -> str:
    kind = text(element.get("type")) or text(element.get("@type"))
    return kind.rsplit("/", 1)[-1]


def _field(element: dict[str, Any], name: str) -> str:
    return text(element.get(f"software_{name}")) or text(element.get(name))


def _id(element: dict[str, Any]) -> str:
    return text(element.get("spdxId")) or text(element.get("@id"))


def _stated(value: Any) -> str:
    version = text(value)
    return "" if version in _NOTHING else version
