"""CycloneDX 1.4 to 1.7 inventories, JSON and XML.

Nested components are taken at every depth, the described component itself too. XML is read
without document types and entities; a document that declares one is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from vedette.formats.interface import mapping, objects, text
from vedette.kernel.errors import BadInput
from vedette.matching import names
from vedette.matching.model import Component, Inventory

MAX_COMPONENTS = 1_000_000
MAX_XML_DEPTH = 200
MAX_NESTING = 100
MAX_XML_TEXT = 4096


def read_json(document: Any, name: str) -> Inventory:
    """Read a parsed CycloneDX document. Raises BadInput."""
    described = mapping(mapping(document.get("metadata")).get("component"))
    roots = ([described] if described else []) + objects(document.get("components"))
    return collect(name, _flat(roots, name))


def _flat(roots: list[dict[str, Any]], name: str) -> Iterator[dict[str, str]]:
    stack = [(row, 1) for row in reversed(roots)]
    while stack:
        row, depth = stack.pop()
        if depth > MAX_NESTING:
            raise BadInput(f"{name}: components nested deeper than {MAX_NESTING}")
        yield {
            "id": text(row.get("bom-ref")),
            "name": "/".join(filter(None, (text(row.get("group")), text(row.get("name"))))),
            "version": text(row.get("version")),
            "purl": text(row.get("purl")),
            "cpe": text(row.get("cpe")),
            "vendor": _owner(row.get("manufacturer"))
            or _owner(row.get("supplier"))
            or text(row.get("publisher")),
        }
        nested = objects(row.get("components"))
        stack.extend((child, depth + 1) for child in reversed(nested))


def _owner(value: Any) -> str:
    return text(mapping(value).get("name"))


def collect(name: str, rows: Iterator[dict[str, str]]) -> Inventory:
    """Make an inventory of rows; a row without id gets its purl, else `row:N`."""
    components = []
    unreadable = 0
    for number, row in enumerate(rows, 1):
        if number > MAX_COMPONENTS:
            raise BadInput(f"{name}: more than {MAX_COMPONENTS:,} components")
        purl = row.get("purl", "")
        unreadable += bool(purl) and names.from_purl(purl) is None
        components.append(Component(**(row | {"id": row["id"] or purl or f"row:{number}"})))
    notes = (f"{unreadable:,} components have a purl that can't be read",) if unreadable else ()
    return Inventory(name, tuple(components), notes)


def read_xml(data: bytes, name: str) -> Inventory:
    """Read a CycloneDX XML document. Raises BadInput."""
    reader = _XmlReader(name)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.EntityDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadInput(f"{name}: not XML ({error})") from None
    return collect(name, iter(reader.rows))


class _XmlReader:
    """Collects components while the parser goes by; holds no tree."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[dict[str, str]] = []
        self._path: list[str] = []
        self._open: list[dict[str, str]] = []
        self._text: list[str] = []

    def doctype(self, *_: object) -> None:
        raise BadInput(f"{self.name}: XML with a document type or entities is not read")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, local = tag.rpartition(" ")
        if not self._path and (local != "bom" or "cyclonedx.org/schema/bom" not in namespace):
            raise BadInput(f"{self.name}: neither a CycloneDX XML document nor another inventory")
        if len(self._path) >= MAX_XML_DEPTH:
            raise BadInput(f"{self.name}: nested deeper than {MAX_XML_DEPTH}")
        if local == "component":
            if len(self.rows) >= MAX_COMPONENTS:
                raise BadInput(f"{self.name}: more than {MAX_COMPONENTS:,} components")
            row = {"id": text(attributes.get("bom-ref"))} | dict.fromkeys(
                ("group", "name", "version", "purl", "cpe", "vendor"), ""
            )
            self.rows.append(row)
            self._open.append(row)
        self._path.append(local)
        self._text.clear()

    def characters(self, data: str) -> None:
        if sum(map(len, self._text)) < MAX_XML_TEXT:
            self._text.append(data)

    def end(self, tag: str) -> None:
        local = self._path.pop()
        value = text("".join(self._text))
        self._text.clear()
        if local == "component":
            row = self._open.pop()
            group = row.pop("group")
            row["name"] = "/".join(filter(None, (group, row["name"])))
        elif self._open and value:
            self._take(local, value)

    def _take(self, local: str, value: str) -> None:
        row, above = self._open[-1], self._path[-1]
        if above == "component" and local in ("group", "name", "version", "purl", "cpe"):
            row[local] = value
        elif (above in ("manufacturer", "supplier") and local == "name") or (
            above == "component" and local == "publisher"
        ):
            row["vendor"] = row["vendor"] or value
