"""VEX documents into statements: OpenVEX, CSAF VEX, and the vulnerabilities of CycloneDX.

Sources: OpenVEX Specification 0.2.0; CSAF 2.0 and 2.1, profile VEX; CycloneDX 1.4 to 1.7,
`vulnerabilities`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, unquote

from msgspec import structs

from vedette.formats.interface import mapping, objects, text, texts
from vedette.matching import names, versions
from vedette.matching.model import Affected, Statement
from vedette.matching.ranges import Range

_CSAF = {
    "known_not_affected": "not_affected",
    "fixed": "fixed",
    "first_fixed": "fixed",
    "known_affected": "affected",
    "first_affected": "affected",
    "last_affected": "affected",
    "under_investigation": "under_investigation",
}
_CYCLONEDX = {
    "not_affected": "not_affected",
    "false_positive": "not_affected",
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under_investigation",
}
_OPENVEX = ("not_affected", "fixed", "affected", "under_investigation")


def read(document: Any, source: str) -> list[Statement] | None:
    """Return the statements of a parsed VEX document, None when it is none. Raises BadInput."""
    if not isinstance(document, dict):
        return None
    if "statements" in document and "openvex" in str(document.get("@context", ""))[:200]:
        return list(_openvex(document, source))
    if "document" in document and text(mapping(document["document"]).get("category")) == "csaf_vex":
        return list(_csaf(document, source))
    if document.get("bomFormat") == "CycloneDX" and "vulnerabilities" in document:
        return list(cyclonedx(document, source, _components(document)))
    return None


def author(document: Any) -> str:
    """Whom a VEX document names as its author; "" where it names nobody."""
    root = mapping(document)
    metadata = mapping(root.get("metadata"))
    authors = ", ".join(text(row.get("name")) for row in objects(metadata.get("authors")))
    bodies = [metadata.get(key) for key in ("manufacturer", "manufacture", "supplier")]
    publisher = mapping(mapping(root.get("document")).get("publisher"))
    found = (
        text(root.get("author")),
        text(publisher.get("name")),
        authors,
        *(text(mapping(body).get("name")) for body in bodies),
    )
    return next(filter(None, found), "")


def product(purl: str = "", cpes: tuple[str, ...] = ()) -> Affected:
    """A product by its identifiers; a version in the purl is the one meant."""
    package = names.from_purl(purl) if purl else None
    scheme = package.scheme if package else versions.GENERIC
    version = package.version if package else ""
    stated = parse_qs(purl.partition("?")[2]).get("vers", ())
    ranges = tuple(map(_words, stated))
    listed = (version,) if version else ()
    return Affected(purl=purl, cpes=cpes, scheme=scheme, ranges=ranges, versions=listed)


def _words(expression: str) -> Range:
    from vedette.matching.versions import words  # large, and seldom needed

    return words.parse(expression)


def _openvex(document: dict[str, Any], source: str) -> Iterator[Statement]:
    dated = text(document.get("last_updated")) or text(document.get("timestamp"))
    for row in objects(document.get("statements")):
        status = text(row.get("status"))
        rows = row.get("products")
        listed = rows if isinstance(rows, list) else []
        time = text(row.get("last_updated")) or text(row.get("timestamp")) or dated
        vulnerability = row.get("vulnerability")
        known = mapping(vulnerability)
        plain = (vulnerability, known.get("name"), known.get("@id"))
        ids = frozenset([*texts(list(plain)), *texts(known.get("aliases"))])
        if status not in _OPENVEX or not ids:
            continue
        for entry in listed:
            inner = mapping(entry).get("subcomponents") or row.get("subcomponents")
            parts = tuple(map(_openvex_product, inner)) if isinstance(inner, list) else ()
            whole = (_openvex_product(entry),)
            yield Statement(
                status=status,
                vulnerability=ids,
                products=parts or whole,
                within=whole if parts else (),
                time=time,
                justification=text(row.get("justification")),
                words=text(row.get("impact_statement")) or text(row.get("status_notes")),
                source=source,
            )


def _openvex_product(entry: Any) -> Affected:
    row = mapping(entry)
    known = mapping(row.get("identifiers"))
    given = text(entry) or text(row.get("@id"))
    purl = text(known.get("purl")) or (given if given.startswith("pkg:") else "")
    # the specification writes cpe23, its schema @cpe23
    return product(purl, texts([known.get(f"{at}cpe{n}") for n in (23, 22) for at in ("", "@")]))


def _csaf(document: dict[str, Any], source: str) -> Iterator[Statement]:
    from vedette.formats import csaf_in

    products = csaf_in.stated_products(document, source)
    tracking = mapping(mapping(document.get("document")).get("tracking"))
    name = text(tracking.get("id"))
    groups = {
        text(group.get("group_id")): texts(group.get("product_ids"))
        for group in objects(mapping(document.get("product_tree")).get("product_groups"))
    }

    def told(rows: list[dict[str, Any]], field: str) -> dict[str, str]:
        """What the first of the rows about a product says, by the product's id."""
        said: dict[str, str] = {}
        for row in rows:
            grouped = (groups.get(group, ()) for group in texts(row.get("group_ids")))
            for identifier in chain(texts(row.get("product_ids")), *grouped):
                said.setdefault(identifier, text(row.get(field)))
        return said

    for vulnerability in objects(document.get("vulnerabilities")):
        ids = [text(row.get("text")) for row in objects(vulnerability.get("ids"))]
        known = frozenset(filter(None, [text(vulnerability.get("cve")), *ids]))
        labels = told(objects(vulnerability.get("flags")), "label")
        threats = objects(vulnerability.get("threats"))
        impacts = told([t for t in threats if t.get("category") == "impact"], "details")
        for listing, status in _CSAF.items():
            for identifier in texts(mapping(vulnerability.get("product_status")).get(listing)):
                yield Statement(
                    status=status,
                    vulnerability=known,
                    products=tuple(products.get(identifier, ())),
                    time=text(tracking.get("current_release_date")),
                    justification=labels.get(identifier, ""),
                    words=impacts.get(identifier, ""),
                    source=f"{source}, {name}" if name else source,
                )


def cyclonedx(
    document: Mapping[str, Any], source: str, components: Mapping[str, Affected] | None = None
) -> Iterator[Statement]:
    """Yield the statements of a CycloneDX document's `vulnerabilities`.

    Args:
        document: parsed; only its metadata's timestamp and vulnerabilities are read.
        source: names the document in reasons.
        components: products by bom-ref, where the document is read as VEX on other inventories;
            None where it is the inventory itself, whose references then stand for themselves.
    """
    dated = text(mapping(document.get("metadata")).get("timestamp"))
    for row in objects(document.get("vulnerabilities")):
        analysis = mapping(row.get("analysis"))
        state = _CYCLONEDX.get(text(analysis.get("state")), "")
        ids = [text(each.get("id")) for each in objects(row.get("references"))]
        known = frozenset(filter(None, [text(row.get("id")), *ids]))
        base = Statement(
            status=state,
            vulnerability=known,
            time=text(analysis.get("lastUpdated")) or text(row.get("updated")) or dated,
            justification=text(analysis.get("justification")),
            words=text(analysis.get("detail")),
            source=source,
        )
        for target in objects(row.get("affects")):
            reference = text(target.get("ref"))
            for status, limits in _limits(state, objects(target.get("versions"))):
                if status and reference:
                    yield _about(replace(base, status=status), reference, limits, components)


def _limits(state: str, rows: list[dict[str, Any]]) -> Iterator[tuple[str, Affected]]:
    """The status of the versions listed; without a list, that of every version."""
    if not rows:
        yield state, Affected()
    for row in rows:
        own = text(row.get("status"))
        status = {"unaffected": "not_affected", "unknown": ""}.get(own, state)
        version, span = text(row.get("version")), text(row.get("range"))
        if version:
            yield status, Affected(scheme=versions.GENERIC, versions=(version,))
        elif span:
            yield status, Affected(scheme=versions.GENERIC, ranges=(_words(span),))


def _about(
    statement: Statement,
    reference: str,
    limits: Affected,
    components: Mapping[str, Affected] | None,
) -> Statement:
    linked = reference.startswith("urn:cdx:")
    if linked:
        start, _, name = reference.partition("#")
        reference = unquote(name)
        statement = replace(statement, references=(f"{start}#{reference}",), limits=limits)
    elif components is None:
        return replace(statement, references=(reference,), limits=limits)
    found = (components or {}).get(reference) if not linked else None
    if found is None and reference.startswith("pkg:"):
        found = product(reference)
    if found is not None and limits != Affected():
        found = structs.replace(found, ranges=limits.ranges, versions=limits.versions)
    return replace(statement, products=(found,) if found else ())


def _components(document: dict[str, Any]) -> dict[str, Affected]:
    described = mapping(mapping(document.get("metadata")).get("component"))
    stack = [*objects(document.get("components")), *([described] if described else [])]
    found = {}
    while stack:
        row = stack.pop()
        stack.extend(objects(row.get("components")))
        one = product(text(row.get("purl")), texts([row.get("cpe")]))
        version = text(row.get("version"))
        if not one.purl:
            one = structs.replace(
                one,
                vendor=text(mapping(row.get("supplier")).get("name")),
                product=text(row.get("name")),
            )
        found[text(row.get("bom-ref"))] = (
            structs.replace(one, versions=(version,)) if version and not one.versions else one
        )
    return found
