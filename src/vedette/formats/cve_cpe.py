"""`cpeApplicability` of CVE records (5.1 and later) into affected products.

Rules:
- Each vulnerable CPE name is a product: its version, or from `versionStart...` to `versionEnd...`;
  without either every version.
- Under AND, over nodes or over names, a product is part of what the others name; on hardware it is
  found by the hardware's name, too, with its own versions.
- A condition that is negated can't be decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from vedette.formats.interface import objects, text
from vedette.matching import cpe, versions
from vedette.matching.model import Affected
from vedette.matching.ranges import EVERY, Interval, Range
from vedette.matching.versions import words

_NEGATED = "the record negates a condition"
_UNVERSIONED = "the record names no version"


def read(container: dict[str, Any]) -> list[Affected]:
    """Return the products of a container's `cpeApplicability`, each once with all its ranges."""
    found: dict[Affected, list[Range]] = {}
    for element in objects(container.get("cpeApplicability")):
        for product, stated in _of_element(element):
            ranges = found.setdefault(product, [])
            if stated not in ranges:
                ranges.append(stated)
    return [replace(product, ranges=tuple(ranges)) for product, ranges in found.items()]


def _of_element(element: dict[str, Any]) -> Iterator[tuple[Affected, Range]]:
    nodes = objects(element.get("nodes"))
    for node in nodes:
        beside = [n for n in nodes if n is not node] if element.get("operator") == "AND" else []
        around = [m for n in beside for m in _matches(n)]
        negated = any(bool(one.get("negate")) for one in (element, node, *beside))
        for match in _matches(node):
            if match.get("vulnerable") is False:
                continue
            inner = [m for m in _matches(node) if m is not match]
            others = around + (inner if node.get("operator") == "AND" else [])
            stated = _range(match)
            if negated:
                stated = Range(versions.GENERIC, words=stated.text, problem=_NEGATED)
            yield from _of_match(match, [text(m.get("criteria")) for m in others], stated)


def _matches(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [m for m in objects(node.get("cpeMatch")) if cpe.attributes(text(m.get("criteria")))]


def _of_match(
    match: dict[str, Any], others: list[str], stated: Range
) -> Iterator[tuple[Affected, Range]]:
    own = text(match.get("criteria"))
    context = " or ".join(dict.fromkeys(map(_spoken, others)))[:300]
    yield _product(own, context), stated
    for other in others:
        if _part(other) == "h":
            yield _product(other, _spoken(own)), stated


def _part(name: str) -> str:
    return (cpe.attributes(name) or ("",))[cpe.PART]


def _product(name: str, context: str) -> Affected:
    parts = list(cpe.attributes(name) or ())
    parts[cpe.VERSION : cpe.EDITION] = [cpe.ANY, cpe.ANY]
    bare = "cpe:2.3:" + ":".join(parts)
    return Affected(cpes=(bare,), scheme=versions.GENERIC, context=context)


def _spoken(name: str) -> str:
    parts = cpe.attributes(name) or ()
    return " ".join(cpe.plain(part) for part in parts[cpe.VENDOR : cpe.VERSION])


def _range(match: dict[str, Any]) -> Range:
    parts = cpe.attributes(text(match.get("criteria"))) or ()
    version, update = parts[cpe.VERSION : cpe.EDITION]
    if version == "-":
        return Range(versions.GENERIC, words="-", problem=_UNVERSIONED)
    if version == cpe.ANY:
        return _between(match)
    if cpe.is_wild(version):
        return words.parse(cpe.plain(version))
    point = cpe.plain(version) + (f" {cpe.plain(update)}" if update not in cpe.NONE else "")
    return Range(versions.GENERIC, (Interval(point, point, high_open=False),))


def _between(match: dict[str, Any]) -> Range:
    start, after = (
        text(match.get("versionStartIncluding")),
        text(match.get("versionStartExcluding")),
    )
    end, before = text(match.get("versionEndIncluding")), text(match.get("versionEndExcluding"))
    low, high = start or after or None, before or end or None
    if low is None and high is None:
        return Range(versions.GENERIC, (EVERY,))
    interval = Interval(
        low, high, low_open=bool(after and not start), high_open=not end or bool(before)
    )
    return Range(versions.GENERIC, (interval,))
