"""SPDX 2.2, 2.3 (JSON) and 3.0 (JSON-LD) inventories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from vedette.formats.cyclonedx_in import collect
from vedette.formats.interface import Said, mapping, objects, odd, text, texts
from vedette.matching.model import Inventory

_DOCUMENT = "SPDXRef-DOCUMENT"
_NOTHING = ("NOASSERTION", "NONE")
# with the profile's prefix and without
_PACKAGES = frozenset({"software_Package", "Package", "ai_AIPackage", "AIPackage"}) | frozenset(
    {"dataset_DatasetPackage", "DatasetPackage"}
)


def read_2(document: Any, name: str) -> Inventory:
    """Read a parsed SPDX 2 document."""
    packages = objects(document.get("packages"))
    inventory = collect(name, _each(_package_2(row) for row in packages))
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


class _Package(NamedTuple):
    """What a document says of a package; it may name several purls and CPEs."""

    id: str
    name: str
    version: str
    vendor: str
    purls: list[str]
    cpes: list[str]


def _each(packages: Iterable[_Package]) -> Iterator[Said]:
    """Yield the packages, and at the end the other readings of those of several purls or CPEs."""
    more: list[Said] = []
    for row, package in enumerate(packages, 1):
        purl, *purls = package.purls or [""]
        cpe, *cpes = package.cpes or [""]
        said = package.name, package.version
        yield package.id, *said, purl, package.vendor, cpe, False
        called = package.id or purl or f"row:{row}"
        more += [(called, *said, other, "", "", None) for other in purls]
        more += [(called, *said, "", package.vendor, other, None) for other in cpes]
    yield from more


def _names(rows: Any, kind: str, value: str, kinds: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the purls and the CPEs among identifiers, each once."""
    found: dict[str, list[str]] = {"purl": [], "cpe": []}
    for row in objects(rows):
        field = kinds.get(text(row.get(kind)).rsplit("/", 1)[-1])
        if field and (told := text(row.get(value))) and told not in found[field]:
            found[field].append(told)
    return found["purl"], found["cpe"]


def _package_2(row: dict[str, Any]) -> _Package:
    kinds = {"purl": "purl", "cpe23Type": "cpe", "cpe22Type": "cpe"}
    named = _names(row.get("externalRefs"), "referenceType", "referenceLocator", kinds)
    vendor = _organization(row.get("supplier")) or _organization(row.get("originator"))
    said = text(row.get("SPDXID")), text(row.get("name")), _stated(row.get("versionInfo"))
    return _Package(*said, vendor, *named)


def _organization(value: Any) -> str:
    return _stated(value).removeprefix("Organization:").strip()


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
    return _of_one(collect(name, _each(_packages_3(elements, by_id))), roots)


def _packages_3(
    elements: list[dict[str, Any]], by_id: dict[str, dict[str, Any]]
) -> Iterator[_Package]:
    kinds = {"packageUrl": "purl", "cpe23": "cpe", "cpe22": "cpe"}
    for element in elements:
        if _kind(element) not in _PACKAGES:
            continue
        identifiers = element.get("externalIdentifier")
        purls, cpes = _names(identifiers, "externalIdentifierType", "identifier", kinds)
        own = _field(element, "packageUrl")
        purls = [own, *(purl for purl in purls if purl != own)] if own else purls
        version = _stated(_field(element, "packageVersion"))
        vendor = _agent(element.get("suppliedBy"), by_id) or next(
            filter(None, (_agent(one, by_id) for one in _listed(element.get("originatedBy")))), ""
        )
        yield _Package(_id(element), text(element.get("name")), version, vendor, purls, cpes)


def _agent(value: Any, by_id: dict[str, dict[str, Any]]) -> str:
    return text((mapping(value) or by_id.get(text(value), {})).get("name"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


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
