"""One inventory against the newest indexes: each vulnerability found, with all that a notice says.

Rules:
- Records that name each other's id or alias, or that one corrects, are one vulnerability; a record
  on several CVEs is joined by a correction only.
- The correction leads, else the record with the smallest id.
- `naive` is what the match says without the clearinghouse's corrections, where that differs.
- What the inventory's own VEX statements take away is not found.
- `remedy` is equal as long as the same components need the same fixed versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vedette.clearinghouse import facts as deadline_facts
from vedette.clearinghouse.facts import Facts
from vedette.kernel.canonical import canonical, digest
from vedette.matching.engine import match
from vedette.matching.index import Index
from vedette.matching.model import Advisory, Inventory, Match
from vedette.matching.vex import honour

MAX_MATCHES = 500


@dataclass(frozen=True)
class Found:
    """One vulnerability in one inventory; `matches` are JSON, one a component and record."""

    lead: str
    also: tuple[str, ...]
    title: str
    verdict: str
    matches: tuple[dict[str, object], ...]
    left_out: int
    remedy: str
    naive: str
    facts: Facts
    criticality: int

    @property
    def names(self) -> tuple[str, ...]:
        return (self.lead, *self.also)


class _Read:
    """The indexes as the engine's source, keeping what it took from them."""

    def __init__(self, indexes: Sequence[Index]) -> None:
        self._indexes = indexes
        self.read: list[Advisory] = []

    def advisories(self, wanted: frozenset[str]) -> Iterable[Advisory]:
        self.read = [a for index in self._indexes for a in index.advisories(wanted)]
        return self.read


def find(inventory: Inventory, exposed: bool, indexes: Sequence[Index]) -> Iterator[Found]:
    """Yield the vulnerabilities of `inventory`, sorted by the leading record's id."""
    source = _Read(indexes)
    lines = list(honour(match([inventory], source), [inventory], (), []))
    advisories = {a.id: a for a in sorted(source.read, key=lambda a: a.modified)}
    naive = _naive(inventory, advisories.values())
    components = {c.id: c for c in inventory.components}
    for group in _groups(lines, advisories):
        own = [line for line in lines if line.advisory in group]
        touched = [components[line.component] for line in own if line.component in components]
        records = [advisories[name] for name in group]
        yield Found(
            lead=group[0],
            also=tuple(group[1:]),
            title=next((r.summary for r in records if r.summary), group[0]),
            verdict="affected" if any(m.verdict == "affected" for m in own) else "unknown",
            matches=tuple(_json(line) for line in own[:MAX_MATCHES]),
            left_out=max(0, len(own) - MAX_MATCHES),
            remedy=_remedy(own),
            naive=_difference(own, records, advisories, naive),
            facts=deadline_facts.combine(
                (word for r in records for word in r.facts),
                (c.exposure for c in touched),
                exposed,
            ),
            criticality=deadline_facts.criticality(c.criticality for c in touched),
        )


def _naive(
    inventory: Inventory, advisories: Iterable[Advisory]
) -> dict[tuple[str, str], Match] | None:
    """The lines without any correction; None where there is no correction."""
    plain = [a for a in advisories if not a.corrects]
    if len(plain) == len(list(advisories)):
        return None
    return {(m.component, m.advisory): m for m in match([inventory], plain)}


def _groups(lines: Sequence[Match], advisories: dict[str, Advisory]) -> list[list[str]]:
    """The matched records by vulnerability, each group with its lead first."""
    ids = sorted({line.advisory for line in lines})
    leader = {name: name for name in ids}

    def root(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    first_by_name: dict[str, str] = {}
    for name in ids:
        for shared in _names(advisories[name]):
            known = first_by_name.setdefault(shared, name)
            leader[root(name)] = root(known)
    groups: dict[str, list[str]] = {}
    for name in ids:
        groups.setdefault(root(name), []).append(name)
    for group in groups.values():
        group.sort(key=lambda name: (not advisories[name].corrects, name))
    return sorted(groups.values())


def _names(advisory: Advisory) -> tuple[str, ...]:
    cves = [name for name in advisory.aliases if name.startswith("CVE-")]
    aliases = advisory.aliases if len(cves) <= 1 else ()
    return (advisory.id, *aliases, *advisory.corrects)


def _json(line: Match) -> dict[str, object]:
    return {
        "component": line.component,
        "name": line.name or line.purl or line.component,
        "version": line.version,
        "purl": line.purl,
        "advisory": line.advisory,
        "range": line.range,
        "fixed": list(line.fixed),
        "verdict": line.verdict,
        "confidence": line.confidence,
        "reason": line.reason,
    }


def _remedy(lines: Iterable[Match]) -> str:
    needed: dict[str, set[str]] = {}
    for line in lines:
        needed.setdefault(line.component, set()).update(line.fixed)
    return digest(canonical([[name, sorted(needed[name])] for name in sorted(needed)]))


def _difference(
    lines: Sequence[Match],
    records: Sequence[Advisory],
    advisories: dict[str, Advisory],
    naive: dict[tuple[str, str], Match] | None,
) -> str:
    """What the corrected records alone say of the first component of which they say another."""
    corrected = {name for r in records for name in r.corrects}
    if naive is None or not corrected:
        return ""
    ids = sorted(
        a.id for a in advisories.values() if not a.corrects and corrected & {a.id, *a.aliases}
    )
    for line in lines:
        for name in ids:
            alone = naive.get((line.component, name))
            what = _what(line)
            if alone is None:
                return f"{name} alone says that {what} is not affected"[:300]
            if (alone.verdict, alone.fixed) != (line.verdict, line.fixed):
                fixed = f", fixed in {', '.join(alone.fixed)}" if alone.fixed else ""
                return f"{name} alone says of {what}: {alone.verdict}{fixed}"[:300]
    if not ids:
        return f"without the correction no record of the index speaks of {_what(lines[0])}"[:300]
    return ""


def _what(line: Match) -> str:
    return f"{line.name or line.component} {line.version}".strip()
