"""OSV records (schema 1.x) into advisories.

A correction is an OSV record whose `database_specific.vedette` holds `corrects` (the ids of the
records that it supersedes) and optionally `evidence` (such as "execution").
"""

from __future__ import annotations

from typing import Any

from vedette.formats.interface import Wanted, mapping, objects, required, text, texts
from vedette.kernel.errors import BadInput
from vedette.matching import names, versions
from vedette.matching.model import Advisory, Affected
from vedette.matching.ranges import Range, from_events

_KINDS = ("introduced", "fixed", "last_affected", "limit")


def read(document: Any, source: str, wanted: Wanted = None) -> Advisory:
    """Read one OSV record. Raises BadInput when it is none."""
    if not isinstance(document, dict):
        raise BadInput(f"{source}: an OSV record is an object")
    specific = document.get("database_specific")
    own = mapping(mapping(specific).get("vedette")) if specific else {}
    rows = objects(document.get("affected"))
    return Advisory(
        id=required(document, "id", source),
        aliases=texts(document.get("aliases")),
        summary=text(document.get("summary")) or text(document.get("details"))[:200],
        modified=text(document.get("modified")),
        withdrawn=bool(document.get("withdrawn")),
        affected=tuple([_affected(row) for row in rows if _is_wanted(row, wanted)]),
        corrects=texts(own.get("corrects")) if own else (),
        evidence=text(own.get("evidence")) if own else "",
    )


def _package(row: dict[str, Any]) -> tuple[str, str, str]:
    package = mapping(row.get("package"))
    return text(package.get("ecosystem")), text(package.get("name")), text(package.get("purl"))


def _is_wanted(row: dict[str, Any], wanted: Wanted) -> bool:
    if wanted is None:
        return True
    ecosystem, name, purl = _package(row)
    if ecosystem and name:
        return names.from_ecosystem(ecosystem, name).key in wanted
    package = names.from_purl(purl) if purl else None
    return package is not None and package.key in wanted


def _affected(row: dict[str, Any]) -> Affected:
    ecosystem, name, purl = _package(row)
    package = names.from_ecosystem(ecosystem, name) if ecosystem else names.from_purl(purl)
    scheme = package.scheme if package else ""
    ranges = [
        _range(scheme, item)
        for item in objects(row.get("ranges"))
        if text(item.get("type")) in ("ECOSYSTEM", "SEMVER")
    ]
    listed = texts(row.get("versions"))
    if not ranges and not listed:
        only = "commits only" if objects(row.get("ranges")) else "no versions"
        ranges = [Range(scheme, problem=f"the advisory states {only}")]
    return Affected(
        ecosystem=ecosystem,
        name=name,
        purl=purl,
        scheme=scheme,
        ranges=tuple(ranges),
        versions=listed,
    )


def _range(scheme: str, item: dict[str, Any]) -> Range:
    events = [
        (kind, version)
        for event in objects(item.get("events"))
        for kind, value in event.items()
        if kind in _KINDS and (version := text(value))
    ]
    if not events:
        return Range(scheme, problem="the advisory states a range without events")
    semantic = item["type"] == "SEMVER" and scheme not in versions.SCHEMES
    return from_events("semver" if semantic else scheme, events)
