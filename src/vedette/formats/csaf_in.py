"""CSAF 2.0 and 2.1 advisories (JSON) into advisories.

Rules:
- A document is one advisory; its CVEs are the aliases of the products that they affect.
- Branches give a product its vendor, name and version; the helpers give purl, CPE and models.
- A product is affected when any vulnerability says so (known, first or last affected), under
  investigation when one says that, else unaffected (fixed, known not affected, recommended).
- A relationship makes a product of two: it is found by the component's names, `as part of` the
  other; where it is installed on hardware, also by the hardware's names with its versions.
- A product of a family is found by its own name and by both.
- A version branch is read as words; without one the version is that of the purl or CPE name, else
  the versions are undecided, as they are where only some serial numbers are meant. What the words
  leave open is undecided too: so are versions under a condition, while those outside are not
  affected. Models that the words name are the product's. Of a product named with its line ("V4.X",
  "V13", "V7.2 and earlier") those of the line are meant; what is older than a single line ("V13")
  is undecided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from msgspec import structs

from vedette.formats.interface import Wanted, mapping, objects, required, text, texts
from vedette.kernel.bounds import FLATTER
from vedette.kernel.errors import BadInput
from vedette.matching import cpe, designation, identity, names, versions
from vedette.matching.model import Advisory, Affected
from vedette.matching.ranges import EVERY, Interval, Range
from vedette.matching.versions import words

MAX_DEPTH = 30
_LINE = re.compile(r"(v[0-9]+(?:\.[0-9]+)*)$")
_RANGE = re.compile("[<>*|]")
_AFFECTED = ("known_affected", "first_affected", "last_affected")
_OPEN = ("under_investigation", "unknown")
_UNAFFECTED = ("fixed", "first_fixed", "known_not_affected", "recommended")


@dataclass(frozen=True)
class _Product:
    """A product of the tree; `version` is None where no branch states one.

    `ranged` is whether the version is a range, `purls` are other names of the same product.
    """

    vendor: str = ""
    product: str = ""
    family: str = ""
    version: str | None = None
    ranged: bool = False
    purl: str = ""
    purls: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    cpes: tuple[str, ...] = ()
    context: str = ""
    serials: tuple[str, ...] = ()


def read(document: Any, source: str, wanted: Wanted = None) -> Advisory:
    """Read one CSAF document. Raises BadInput when it is none."""
    head = mapping(document.get("document")) if isinstance(document, dict) else {}
    tracking = mapping(head.get("tracking"))
    if not tracking:
        raise BadInput(
            f"{source}: document.tracking is missing",
            next_step="a CSAF document has it: get it anew from its publisher",
        )
    products = _products(mapping(document.get("product_tree")), source)
    statuses, aliases, all_aliases = _statuses(document)
    affected = []
    unaffected = _fixed(statuses, products)
    for identifier, status in statuses.items():
        same = products.get(identifier, ())
        named = dict.fromkeys((p.vendor, p.product) for p in same if status != "unaffected")
        stated = [unaffected[name] for name in named if name in unaffected]
        fixed = stated[0] if len(stated) == 1 else tuple(dict.fromkeys(chain(*stated)))
        for product in same:
            one = _affected(product, status, tuple(aliases.get(identifier, ())), fixed)
            if wanted is None or any(key in wanted for key in identity.of_affected(one)):
                affected.append(one)
    return Advisory(
        id=required(tracking, "id", source),
        aliases=tuple(all_aliases),
        summary=text(head.get("title")),
        modified=text(tracking.get("current_release_date")),
        withdrawn=text(head.get("category")) in ("csaf_withdrawn", "csaf_superseded"),
        affected=tuple(dict.fromkeys(affected)),
        revision=text(tracking.get("version")),
        origin=f"csaf {text(mapping(head.get('publisher')).get('namespace'))}".strip(),
    )


def stated_products(document: dict[str, Any], source: str) -> dict[str, list[Affected]]:
    """Return the tree's products by id, each with the versions it means; none means every one."""
    found: dict[str, list[Affected]] = {}
    for identifier, products in _products(mapping(document.get("product_tree")), source).items():
        for product in products:
            one = _affected(product, "affected", (), ())
            package = names.from_purl(product.purl) if product.purl else None
            every = product.version is None and not (package and package.version)
            found.setdefault(identifier, []).append(
                structs.replace(one, ranges=()) if every else one
            )
    return found


def _statuses(document: dict[str, Any]) -> tuple[dict[str, str], dict[str, list[str]], list[str]]:
    """Return status by product id, CVEs by affected product id, and every CVE."""
    statuses: dict[str, str] = {}
    aliases: dict[str, list[str]] = {}
    every: list[str] = []
    groups = {
        text(g.get("group_id")): texts(g.get("product_ids"))
        for g in objects(mapping(document.get("product_tree")).get("product_groups"))
    }
    for vulnerability in objects(document.get("vulnerabilities")):
        cve = text(vulnerability.get("cve"))
        if cve and cve not in every:
            every.append(cve)
        stated = mapping(vulnerability.get("product_status"))
        for meaning, lists in (
            ("affected", _AFFECTED),
            ("unknown", _OPEN),
            ("unaffected", _UNAFFECTED),
        ):
            for name in lists:
                for listed in texts(stated.get(name)):
                    for identifier in groups.get(listed, (listed,)):
                        _state(statuses, identifier, meaning)
                        if cve and meaning != "unaffected":
                            aliases.setdefault(identifier, []).append(cve)
    return statuses, aliases, every


def _state(statuses: dict[str, str], identifier: str, meaning: str) -> None:
    order = ("affected", "unknown", "unaffected")
    known = statuses.get(identifier, "unaffected")
    statuses[identifier] = min(known, meaning, key=order.index)


def _products(tree: dict[str, Any], source: str) -> dict[str, list[_Product]]:
    found: dict[str, list[_Product]] = {}
    for branch in objects(tree.get("branches")):
        for identifier, product in _walk(branch, source):
            found.setdefault(identifier, []).append(product)
    for entry in objects(tree.get("full_product_names")):
        product = _helped(_Product(product=text(entry.get("name"))), entry)
        found.setdefault(text(entry.get("product_id")), []).append(product)
    for relation in _relations(tree):
        whole = mapping(relation.get("full_product_name"))
        identifier = text(whole.get("product_id"))
        combined = _combine(relation, found)
        found.setdefault(identifier, []).extend(_helped(p, whole) for p in combined)
    return {
        identifier: [
            one
            for product in listed
            for one in (product, *(replace(product, purl=purl) for purl in product.purls))
        ]
        for identifier, listed in found.items()
    }


def _relations(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """CSAF 2.0 relationships, and 2.1 product paths as the relationships they consist of."""
    relations = objects(tree.get("relationships"))
    for path in objects(tree.get("product_paths")):
        first = text(path.get("beginning_product_reference"))
        for part in objects(path.get("subpaths")):
            relations.append(
                {
                    "category": part.get("category"),
                    "product_reference": first,
                    "relates_to_product_reference": part.get("next_product_reference"),
                    "full_product_name": path.get("full_product_name"),
                }
            )
    return relations


def _walk(root: dict[str, Any], source: str) -> Iterator[tuple[str, _Product]]:
    stack: list[tuple[dict[str, Any], _Product, int]] = [(root, _Product(), 1)]
    while stack:
        branch, above, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise BadInput(
                f"{source}: product_tree.branches nested deeper than {MAX_DEPTH}", next_step=FLATTER
            )
        product = _named(above, text(branch.get("category")), text(branch.get("name")))
        leaf = branch.get("product")
        if isinstance(leaf, dict):
            helped = _helped(product, leaf)
            yield text(leaf.get("product_id")), helped
            if product.family and product.family.casefold() not in helped.product.casefold():
                whole = f"{product.family} {helped.product}"
                yield text(leaf.get("product_id")), replace(helped, product=whole)
        children = objects(branch.get("branches"))
        stack.extend((child, product, depth + 1) for child in reversed(children))


def _named(above: _Product, category: str, name: str) -> _Product:
    match category:
        case "vendor":
            return replace(above, vendor=name)
        case "product_name":
            return replace(above, product=name)
        case "product_family":
            return replace(above, family=name)
        case "product_version" | "product_version_range":
            ranged = category == "product_version_range" and bool(_RANGE.search(name))
            return replace(above, version=name, ranged=ranged)
    return above


def _helped(product: _Product, leaf: dict[str, Any]) -> _Product:
    helper = mapping(leaf.get("product_identification_helper"))
    purls = (*texts([helper.get("purl")]), *texts(helper.get("purls")))
    return replace(
        product,
        product=product.product or product.family or text(leaf.get("name")),
        purl=purls[0] if purls else product.purl,
        purls=purls[1:] if purls else product.purls,
        models=(
            *product.models,
            *texts(helper.get("model_numbers")),
            *texts(helper.get("skus")),
        ),
        cpes=(*product.cpes, *texts([helper.get("cpe")])),
        serials=(*product.serials, *texts(helper.get("serial_numbers"))),
    )


def _combine(relation: dict[str, Any], found: dict[str, list[_Product]]) -> list[_Product]:
    parts = found.get(text(relation.get("product_reference")), [])
    wholes = found.get(text(relation.get("relates_to_product_reference")), [])
    combined = []
    for part in parts:
        for whole in wholes or [_Product()]:
            name = f"{whole.vendor} {whole.product}".strip()
            combined.append(replace(part, context=part.context or name))
            if text(relation.get("category")) == "installed_on" and whole.product:
                combined.append(replace(whole, version=part.version, context=part.product))
    return combined


def _affected(
    product: _Product, status: str, aliases: tuple[str, ...], fixed: tuple[str, ...]
) -> Affected:
    package = names.from_purl(product.purl) if product.purl else None
    scheme = package.scheme if package else versions.FIRMWARE
    stated = _range(product, status, scheme, package.version if package else "")
    older = doubt = None
    meant: tuple[str, ...] = ()
    if stated.problem or stated.scheme.startswith(versions.FIRMWARE):
        stated, older = _line_of(product.product, stated)
        doubt = words.doubts(stated)
        meant = words.read(product.version or "", versions.FIRMWARE).names
    return Affected(
        purl=product.purl,
        vendor=product.vendor,
        product=product.product,
        models=(*product.models, *meant),
        cpes=product.cpes,
        scheme=scheme,
        ranges=tuple(one for one in (stated, doubt, older) if one is not None),
        aliases=aliases,
        fixed=fixed,
        context=product.context,
    )


def _range(product: _Product, status: str, scheme: str, pinned: str) -> Range:
    if product.serials:
        problem = f"the advisory means serial numbers {', '.join(product.serials)[:200]}"
        spoken = product.version or product.product
        return Range(versions.FIRMWARE, words=spoken, status=status, problem=problem)
    if pinned and scheme != versions.FIRMWARE and not product.ranged:
        return Range(scheme, (Interval(pinned, pinned, high_open=False),), status=status)
    if product.version is None and (named := _named_version(product.cpes)):
        return words.parse(named, status=status, scheme=versions.FIRMWARE)
    if product.version is None:
        problem = "the advisory names the product without a version"
        return Range(versions.FIRMWARE, words=product.product, status=status, problem=problem)
    return words.parse(
        product.version,
        status=status,
        scheme=versions.FIRMWARE,
        condition=designation.read(product.product).condition,
    )


def _named_version(cpes: tuple[str, ...]) -> str:
    """The version that CPE names state, "" where they state none or several."""
    if not cpes:
        return ""
    from vedette.matching.products import cpe_words

    stated = {found[2] for found in map(cpe_words, cpes) if found and found[2] not in cpe.NONE}
    return stated.pop() if len(stated) == 1 else ""


def _line_of(product: str, stated: Range) -> tuple[Range, Range | None]:
    """Return the versions of the line that a product's name bears, and what it leaves open."""
    generation = designation.read(product).generation
    line = words.read(_LINE.sub(r"\1.x", generation), versions.FIRMWARE)
    named = _LINE.search(generation) or generation.endswith("x")
    if not (named and line.intervals) or stated.status == "unaffected" or stated.problem:
        return stated, None
    if line.scheme != versions.FIRMWARE or not stated.scheme.startswith(line.scheme):
        return stated, None
    (only,) = line.intervals
    limited = tuple(_within(item, only, stated.scheme) for item in stated.intervals)
    if limited == stated.intervals:
        return stated, None
    spoken = f"{stated.words} of {generation}"
    older = Range(stated.scheme, (Interval(None, only.low),), spoken, "unknown")
    single = _LINE.fullmatch(generation)
    return structs.replace(stated, intervals=limited, words=spoken), older if single else None


def _within(item: Interval, line: Interval, scheme: str) -> Interval:
    """Return `item` cut to `line` where it has no bounds of its own there."""
    if item == EVERY:
        return line
    if item.low is not None or item.high is None or line.low is None:
        return item
    low, high = versions.key(scheme, line.low), versions.key(scheme, item.high)
    below = low is not None and high is not None and low < high
    return structs.replace(item, low=line.low) if below else item


def _fixed(
    statuses: dict[str, str], products: dict[str, list[_Product]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The versions that are stated as not affected, by vendor and product."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for identifier, status in statuses.items():
        for p in products.get(identifier, ()) if status == "unaffected" else ():
            if p.version and versions.key(versions.FIRMWARE, p.version):
                found.setdefault((p.vendor, p.product), {})[p.version] = None
    return {name: tuple(stated) for name, stated in found.items()}
