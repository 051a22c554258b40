"""SPDX 2.2, 2.3 (JSON) and 3.0 (JSON-LD) inventories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vedette.formats.cyclonedx_in import collect
from vedette.formats.interface import mapping, objects, text
from vedette.matching.model import Inventory

_NOTHING = ("NOASSERTION", "NONE")


def read_2(document: Any, name: str) -> Inventory:
    """Read a parsed SPDX 2 document."""
    return collect(name, (_package_2(row) for row in objects(document.get("packages"))))


def _package_2(row: dict[str, Any]) -> dict[str, str]:
    found = {"purl": "", "cpe": ""}
    for reference in objects(row.get("externalRefs")):
        kind = text(reference.get("referenceType")).rsplit("/", 1)[-1]
        field = {"purl": "purl", "cpe23Type": "cpe", "cpe22Type": "cpe"}.get(kind)
        if field and not found[field]:
            found[field] = text(reference.get("referenceLocator"))
    supplier = text(row.get("supplier")).removeprefix("Organization:").strip()
    return found | {
        "id": text(row.get("SPDXID")),
        "name": text(row.get("name")),
        "version": _stated(row.get("versionInfo")),
        "vendor": "" if supplier in _NOTHING else supplier,
    }


def read_3(document: Any, name: str) -> Inventory:
    """Read a parsed SPDX 3 document (its usual, flat JSON-LD form)."""
    elements = objects(document.get("@graph")) or [document]
    by_id = {_id(element): element for element in elements}
    return collect(name, _packages_3(elements, by_id))


def _packages_3(
    elements: list[dict[str, Any]], by_id: dict[str, dict[str, Any]]
) -> Iterator[dict[str, str]]:
    for element in elements:
        kind = text(element.get("type")) or text(element.get("@type"))
        if kind.rsplit("/", 1)[-1] not in ("software_Package", "Package"):
            continue
        found = {"purl": _field(element, "packageUrl"), "cpe": ""}
        for identifier in objects(element.get("externalIdentifier")):
            named = text(identifier.get("externalIdentifierType")).rsplit("/", 1)[-1]
            field = {"packageUrl": "purl", "cpe23": "cpe", "cpe22": "cpe"}.get(named)
            if field and not found[field]:
                found[field] = text(identifier.get("identifier"))
        supplier = element.get("suppliedBy")
        agent = mapping(supplier) or by_id.get(text(supplier), {})
        yield found | {
            "id": _id(element),
            "name": text(element.get("name")),
            "version": _stated(_field(element, "packageVersion")),
            "vendor": text(agent.get("name")),
        }


def _field(element: dict[str, Any], name: str) -> str:
    return text(element.get(f"software_{name}")) or text(element.get(name))


def _id(element: dict[str, Any]) -> str:
    return text(element.get("spdxId")) or text(element.get("@id"))


def _stated(value: Any) -> str:
    version = text(value)
    return "" if version in _NOTHING else version
