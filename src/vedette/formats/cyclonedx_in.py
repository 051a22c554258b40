"""CycloneDX 1.4 to 1.7 inventories, JSON and XML.

Nested components are taken at every depth, the described component itself too; tools, ancestors
and other components that a document only mentions are not. Dependencies are not followed, so that
a cycle of them is nothing. XML is read without document types and entities; a document that
declares one is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from xml.parsers import expat

from vedette.formats import cyclonedx_plain, vex_in
from vedette.formats.cyclonedx_plain import MAX_NESTING
from vedette.formats.cyclonedx_xml import MAX_COMPONENTS, NESTED, CycloneDXReader
from vedette.formats.interface import PARTS, Said, Spoken, mapping, objects, odd, text
from vedette.kernel.bounds import FLATTER, NOT_WHOLE
from vedette.kernel.errors import BadInput
from vedette.kernel.words import counted
from vedette.matching import names
from vedette.matching.model import Component, Inventory

NO_COMPONENT = "no component in it, so that nothing could match"
_OWNERS = frozenset({"manufacturer", "publisher", "supplier"})


def read_plain(data: bytes, name: str, spoken: Spoken = None) -> Inventory | None:
    """Read the bytes of a JSON document in less time than `read_json` where it is a plain one.

    None where it is not. Raises BadInput.
    """
    plain = cyclonedx_plain.read(data)
    if plain is None:
        return None
    described = plain.metadata.component is not None
    inventory = collect(name, plain.rows(name, spoken), described=described, spoken=spoken)
    link = {"serialNumber": plain.serialNumber, "version": plain.version}
    return _whole(inventory, link, described=described)


def read_json(document: Any, name: str) -> Inventory:
    """Read a parsed CycloneDX document. Raises BadInput."""
    described = mapping(mapping(document.get("metadata")).get("component"))
    listed = document.get("components")
    roots = ([described] if described else []) + objects(listed)
    inventory = collect(name, _flat(roots, name), described=bool(described))
    return _whole(
        replace(inventory, notes=(*odd(listed, "components"), *inventory.notes)),
        document,
        described=bool(described),
    )


def _whole(inventory: Inventory, document: dict[str, Any], *, described: bool) -> Inventory:
    """Add what the document says besides its components: its subject, its own VEX, its BOM-Link."""
    serial = text(document.get("serialNumber")).removeprefix("urn:uuid:")
    version = document.get("version")
    link = f"urn:cdx:{serial}/{version if isinstance(version, int) else 1}#" if serial else ""
    return replace(
        inventory,
        statements=tuple(vex_in.cyclonedx(document, inventory.name)),
        subject=inventory.components[0].id if described and inventory.components else "",
        link=link,
    )


def _flat(roots: list[dict[str, Any]], name: str) -> Iterator[Said]:
    stack = [(row, 1) for row in reversed(roots)]
    while stack:
        row, depth = stack.pop()
        if depth > MAX_NESTING:
            raise BadInput(
                f"{name}: components nested deeper than {MAX_NESTING}", next_step=FLATTER
            )
        get = row.get
        said = (text(get("bom-ref")), _name(row), text(get("version")), text(get("purl")))
        vendor = "" if _OWNERS.isdisjoint(row) else _vendor(row)
        cpe = text(row["cpe"]) if "cpe" in row else ""
        yield *said, vendor, cpe, depth > 1
        if "components" in row:
            nested = objects(row["components"])
            stack.extend((child, depth + 1) for child in reversed(nested))


def _name(row: dict[str, Any]) -> str:
    group, name = text(row["group"]) if "group" in row else "", text(row.get("name"))
    return f"{group}/{name}" if group and name else group or name


def _vendor(row: dict[str, Any]) -> str:
    manufacturer, supplier = _owner(row.get("manufacturer")), _owner(row.get("supplier"))
    return manufacturer or supplier or text(row.get("publisher"))


def _owner(value: Any) -> str:
    return text(mapping(value).get("name"))


def collect(
    name: str, rows: Iterable[Said], *, described: bool = False, spoken: Spoken = None
) -> Inventory:
    """Make an inventory of what a document says of its components.

    One without id gets its purl, else `row:N`; further readings stand at the end. `described`: the
    first is what the document is about, which may well have no version. Packages of which no
    advisory speaks are counted and left out.
    """
    components = []
    ids = set()
    number = nested = unreadable = unversioned = again = 0
    for number, said in enumerate(rows, 1):
        if number > MAX_COMPONENTS:
            raise BadInput(f"{name}: more than {MAX_COMPONENTS:,} components", next_step=PARTS)
        if isinstance(said, str):
            ids.add(said)
            continue
        reference, label, version, purl, vendor, cpe, inner = said
        package = names.from_purl(purl) if purl else None
        identifier = reference or purl or f"row:{number}"
        ids.add(identifier)
        if inner is None:
            again += 1
            components.append(Component(identifier, label, version, purl, vendor, cpe=cpe))
            continue
        nested += inner
        unreadable += purl != "" and package is None
        if not version:
            unversioned += number > described and not _has_version(package, cpe)
        if (
            spoken is not None
            and purl
            and number > described
            and not (vendor or cpe or spoken[purl])
        ):
            continue
        components.append(Component(identifier, label, version, purl, vendor, cpe=cpe))
    notes = (
        (nested, "nested in others: they count like any other"),
        (unreadable, "with a purl that can't be read: matched by name and CPE, if at all"),
        (unversioned, "without a version: what affects them is unknown"),
        (number - again - len(ids), "with the id of another: one line for both"),
    )
    told = [f"{counted(n, 'component')} {what}" for n, what in notes if n]
    return Inventory(name, tuple(components), tuple(told if number else [NO_COMPONENT]))


def _has_version(package: names.Package | None, cpe: str) -> bool:
    """Whether a package or a CPE states a version."""
    if package and package.version:
        return True
    if not cpe:
        return False
    from vedette.matching import products

    words = products.cpe_words(cpe)
    return words is not None and words[2] not in ("", "*", "-")


def read_xml(data: bytes, name: str) -> Inventory:
    """Read a CycloneDX XML document. Raises BadInput."""
    reader = CycloneDXReader(name)
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
        raise BadInput(f"{name}: not XML ({error})", next_step=NOT_WHOLE) from None
    except (LookupError, ValueError):  # what pyexpat makes of an encoding that it does not read
        raise BadInput(
            f"{name}: XML in an encoding that is not read", next_step="export it as UTF-8"
        ) from None
    rows = (
        (r["id"], r["name"], r["version"], r["purl"], r["vendor"], r["cpe"], bool(r[NESTED]))
        for r in reader.rows
    )
    inventory = collect(name, rows, described=reader.described)
    return _whole(inventory, reader.document, described=reader.described)
