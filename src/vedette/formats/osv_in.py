"""OSV records (schema 1.x) into advisories.

A record without a package is about the repository of its commits, where package URLs have a type
for it (github, bitbucket): its listed versions are tags then. A correction is an OSV record whose
`database_specific.vedette` holds `corrects` (the ids of the records that it supersedes) and
optionally `evidence` (such as "execution").
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from vedette.formats.bounded import into
from vedette.formats.interface import (
    ADVISORY_FORMS,
    Text,
    Wanted,
    mapping,
    objects,
    required,
    text,
    texts,
)
from vedette.kernel.bounds import MIB
from vedette.kernel.errors import BadInput
from vedette.matching import names, versions
from vedette.matching.model import Advisory, Affected
from vedette.matching.ranges import Range, from_events, spoken

MAX_PLAIN = 16 * MIB
_Never = Literal["\0"] | UnsetType  # no text that is read holds a NUL
_MOST_WORDS = 500
_NAMELESS = "", "", ""
_KINDS = ("introduced", "fixed", "last_affected", "limit")


def read(document: Any, source: str, wanted: Wanted = None) -> Advisory:
    """Read one OSV record. Raises BadInput when it is none.

    Where all are wanted, listed versions are left out that lie in the one range beside them.
    """
    if not isinstance(document, dict):
        raise BadInput(f"{source}: an OSV record is an object", next_step=ADVISORY_FORMS)
    specific = document.get("database_specific")
    own = mapping(mapping(specific).get("vedette")) if specific else {}
    affected = []
    for row in objects(document.get("affected")):
        package = _package(row)
        if wanted is None or _is_wanted(package, wanted):
            stated = [
                (text(r.get("type")), [_texts_of(e) for e in objects(r.get("events"))])
                for r in objects(row.get("ranges"))
            ]
            listed = list(texts(row.get("versions")))
            affected.append(_affected(package, stated, listed, trim=wanted is None))
    return Advisory(
        id=required(document, "id", source),
        aliases=texts(document.get("aliases")),
        summary=text(document.get("summary")) or text(document.get("details"))[:200],
        modified=text(document.get("modified")),
        withdrawn=bool(document.get("withdrawn")),
        affected=tuple(affected),
        corrects=texts(own.get("corrects")) if own else (),
        evidence=text(own.get("evidence")) if own else "",
    )


class _Package(msgspec.Struct):
    ecosystem: Text = ""
    name: Text = ""
    purl: Text = ""


class _Range(msgspec.Struct):
    type: Text = ""
    events: list[dict[str, Text]] = []
    repo: Text = ""


class _Row(msgspec.Struct):
    package: _Package = msgspec.field(default_factory=_Package)
    ranges: list[_Range] = []
    versions: list[str] = []


class _Specific(msgspec.Struct):
    vedette: _Never = UNSET


class _Plain(msgspec.Struct, rename={"context": "@context"}):
    """A record as most are written; whatever it holds besides is not even parsed."""

    id: Text
    affected: list[_Row]
    aliases: list[str] = []
    summary: Text = ""
    details: msgspec.Raw = msgspec.Raw(b'""')
    modified: Text = ""
    withdrawn: Text | None = None
    database_specific: _Specific | None = None
    # what documents of other kinds are known by
    cveMetadata: _Never = UNSET
    document: _Never = UNSET
    context: _Never = UNSET
    bomFormat: _Never = UNSET


_DECODER = msgspec.json.Decoder(_Plain)


def read_plain(data: bytes, wanted: Wanted = None) -> Advisory | None:
    """Read the bytes of a record without odd fields as `read` does, in half the time.

    None where it is a correction, or anything else.
    """
    plain = into(_DECODER, data, MAX_PLAIN)
    if plain is None or not (identifier := plain.id.strip()):
        return None
    affected = []
    for row in plain.affected:
        package = row.package.ecosystem.strip(), row.package.name.strip(), row.package.purl.strip()
        if package == _NAMELESS:
            package = _of_repository([r.repo for r in row.ranges])
        if wanted is None or _is_wanted(package, wanted):
            stated = [(r.type.strip(), r.events) for r in row.ranges]
            affected.append(_affected(package, stated, row.versions, trim=wanted is None))
    return Advisory(
        id=identifier,
        aliases=texts(plain.aliases),
        summary=plain.summary.strip() or text(msgspec.json.decode(plain.details))[:200],
        modified=plain.modified.strip(),
        withdrawn=bool(plain.withdrawn),
        affected=tuple(affected),
    )


def _texts_of(event: dict[str, Any]) -> dict[str, str]:
    return {name: text(value) for name, value in event.items()}


def _package(row: dict[str, Any]) -> tuple[str, str, str]:
    package = mapping(row.get("package"))
    found = text(package.get("ecosystem")), text(package.get("name")), text(package.get("purl"))
    if found == _NAMELESS:
        return _of_repository([text(r.get("repo")) for r in objects(row.get("ranges"))])
    return found


def _of_repository(repositories: list[str]) -> tuple[str, str, str]:
    return "", "", next(filter(None, map(names.of_repository, repositories)), "")


def _is_wanted(package: tuple[str, str, str], wanted: Container[str]) -> bool:
    found = names.stated(*package)
    return found is not None and found.key in wanted


def _affected(
    package: tuple[str, str, str],
    stated: Sequence[tuple[str, list[dict[str, str]]]],
    listed: list[str],
    *,
    trim: bool,
) -> Affected:
    ecosystem, name, purl = package
    found = names.stated(ecosystem, name, purl)
    scheme = found.scheme if found else ""
    ranges = [
        _range(scheme, kind, events) for kind, events in stated if kind in ("ECOSYSTEM", "SEMVER")
    ]
    if not ranges and not listed:
        nothing = "commits only" if stated else "no versions"
        words = "; ".join(f"{kind} {spoken(_events(rows))}" for kind, rows in stated)[:_MOST_WORDS]
        ranges = [Range(scheme, words=words, problem=f"the advisory states {nothing}")]
    only = ranges[0] if trim and len(ranges) == 1 else None
    needless = only is not None and listed and only.ascends and not only.outside(listed)
    return Affected(
        ecosystem=ecosystem,
        name=name,
        purl=purl,
        scheme=scheme,
        ranges=tuple(ranges),
        versions=() if needless else texts(listed),
    )


def _range(scheme: str, kind: str, rows: list[dict[str, str]]) -> Range:
    events = _events(rows)
    if not events:
        return Range(scheme, problem="the advisory states a range without events")
    semantic = kind == "SEMVER" and scheme not in versions.SCHEMES
    return from_events("semver" if semantic else scheme, events)


def _events(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [
        (name, version)
        for event in rows
        for name, value in event.items()
        if name in _KINDS and (version := value.strip())
    ]
