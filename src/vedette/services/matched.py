"""One inventory against the newest indexes: each vulnerability found, with all that a notice says.

Rules:
- Records that name each other's id or alias, or that one corrects, are one vulnerability; a record
  on several CVEs is joined by a correction only.
- The correction leads, else the record with the smallest id.
- `naive` is what the match says without the clearinghouse's corrections, where that differs.
- What the VEX statements of an inventory take away is not found, but what was lifted is; nor is
  what its owner said to be another product.
- `remedy` is equal as long as the same components need the same fixed versions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from vedette.clearinghouse import facts as deadline_facts
from vedette.clearinghouse.facts import Facts
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.words import versioned
from vedette.matching import changes, identity, said
from vedette.matching.engine import found, match, matches
from vedette.matching.index import Index
from vedette.matching.model import CONFIDENCES, Advisory, Component, Inventory, Match
from vedette.matching.said import Said
from vedette.matching.vex import Suppressed, honour

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
    known_as: frozenset[str]
    revisions: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.lead, *self.also)

    @property
    def doubt(self) -> int:
        """How unsure it is that the inventory is affected: 0 where it is so exactly, at most 5."""
        return min(
            len(CONFIDENCES) * (line["verdict"] != "affected")
            + CONFIDENCES.index(str(line["confidence"]))
            for line in self.matches
        )


class _Read:
    """The indexes as the engine's source, keeping what it took from them."""

    def __init__(self, indexes: Sequence[Index]) -> None:
        self._indexes = indexes
        self.read: list[Advisory] = []

    def advisories(self, wanted: frozenset[str]) -> Iterable[Advisory]:
        self.read = [a for index in self._indexes for a in index.advisories(wanted)]
        if len(self._indexes) > 1:
            # another clearinghouse's newer reading may speak of other products
            self.read = changes.readings({a.id for a in self.read}, self._indexes)
        return self.read

    def match(self, inventories: Sequence[Inventory]) -> Iterator[Match]:
        """The matches; a single index without corrections is asked for the records hit alone."""
        if len(self._indexes) != 1 or self._indexes[0].corrections:
            yield from match(inventories, self)
            return
        (index,) = self._indexes
        told = list(found(inventories, index))
        hit = {where for *_, hits in told for where, *_ in hits}
        self.read = [index.advisory(where) for where in sorted(hit)]
        yield from matches(told)


def _silent(inventory: Inventory, names: Collection[str]) -> Inventory:
    return inventory


@dataclass(frozen=True)
class Held:
    """An inventory, or the part of it at issue; `exposed` where its assets don't say themselves.

    `stated` makes it carry what is stated elsewhere of the vulnerabilities that matched, `said` is
    what its owner said of names.
    """

    inventory: Inventory
    exposed: bool
    lifted: frozenset[tuple[str, str]] = frozenset()
    stated: Callable[[Inventory, Collection[str]], Inventory] = _silent
    said: Said = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The vulnerabilities of an inventory by the leading record's id, and what VEX took away."""

    found: list[Found]
    suppressed: list[Suppressed]


def find(held: Held, indexes: Sequence[Index]) -> Outcome:
    """What a match makes of an inventory."""
    return find_each([held], indexes)[held.inventory.name]


def find_each(
    held: Sequence[Held], indexes: Sequence[Index], about: Container[str] | None = None
) -> dict[str, Outcome]:
    """What a match makes of inventories whose names differ, by name.

    With `about` only those that have a record of these ids.
    """
    inventories = [one.inventory for one in held]
    source = _Read(indexes)
    taken: list[Suppressed] = []
    every = list(source.match(inventories))
    records = {a.id: a for a in sorted(source.read, key=lambda a: a.modified)}
    of_names = {one.inventory.name: one.said for one in held if one.said}
    if of_names:
        every = list(said.heed(every, inventories, of_names, records, taken))
    named = {name for line in every for name in (line.advisory, *line.aliases)}
    speaking = [one.stated(one.inventory, named) for one in held]
    lines = list(honour(every, speaking, (), taken))
    read = _Records(records)
    naive = _naive(inventories, read.by_id.values())
    by_inventory: dict[str, list[Match]] = {one.name: [] for one in inventories}
    suppressed: dict[str, list[Suppressed]] = {one.name: [] for one in inventories}
    back = {one.inventory.name: one.lifted for one in held}
    for gone in taken:
        line = gone.match
        suppressed[line.inventory].append(gone)
        if (line.component, line.advisory) in back[line.inventory]:
            lines.append(line._replace(reason=f"{line.reason}; what VEX states was lifted"))
    for line in sorted(lines) if any(back.values()) else lines:
        by_inventory[line.inventory].append(line)
    outcomes = {}
    for one in held:
        name = one.inventory.name
        found = list(_found(one, by_inventory[name], read, naive, about))
        outcomes[name] = Outcome(found, suppressed[name])
    return outcomes


class _Records:
    """The newest records read, by id."""

    def __init__(self, by_id: dict[str, Advisory]) -> None:
        self.by_id = by_id

    @cached_property
    def corrected(self) -> dict[str, list[tuple[Advisory, set[str]]]]:
        """The records that are no corrections, with their keys, by each of their names."""
        found: dict[str, list[tuple[Advisory, set[str]]]] = {}
        for advisory in self.by_id.values():
            if not advisory.corrects:
                keys = changes.keys([advisory])
                for name in {advisory.id, *advisory.aliases}:
                    found.setdefault(name, []).append((advisory, keys))
        return found


_Naive = dict[tuple[str, str, str], Match] | None


def _found(
    held: Held,
    lines: Sequence[Match],
    read: _Records,
    naive: _Naive,
    about: Container[str] | None,
) -> Iterator[Found]:
    components = {c.id: c for c in held.inventory.components}
    by_record: dict[str, list[Match]] = {}
    for line in lines:
        by_record.setdefault(line.advisory, []).append(line)
    for group in _groups(by_record, read.by_id):
        if about is not None and not any(name[: changes.MAX_NAME] in about for name in group):
            continue
        own = sorted(line for name in group for line in by_record[name])
        touched = [components[line.component] for line in own if line.component in components]
        records = [read.by_id[name] for name in group]
        yield Found(
            lead=group[0],
            also=tuple(group[1:]),
            title=next((r.summary for r in records if r.summary), group[0]),
            verdict="affected" if any(m.verdict == "affected" for m in own) else "unknown",
            matches=tuple(_json(line, components) for line in own[:MAX_MATCHES]),
            left_out=max(0, len(own) - MAX_MATCHES),
            remedy=_remedy(own),
            naive=_difference(own, records, touched, read, naive),
            facts=deadline_facts.combine(
                (word for r in records for word in r.facts),
                (c.exposure for c in touched),
                held.exposed,
            ),
            criticality=deadline_facts.criticality(c.criticality for c in touched),
            known_as=frozenset().union(*map(changes.names, records)),
            revisions={record.id: record.revision for record in records if record.revision},
        )


def _naive(inventories: Sequence[Inventory], advisories: Collection[Advisory]) -> _Naive:
    """The lines without any correction; None where there is no correction."""
    plain = [a for a in advisories if not a.corrects]
    if len(plain) == len(advisories):
        return None
    return {(m.inventory, m.component, m.advisory): m for m in match(inventories, plain)}


def _groups(matched: Iterable[str], advisories: dict[str, Advisory]) -> list[list[str]]:
    """The matched records by vulnerability, each group with its lead first."""
    ids = sorted(matched)
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


def _json(line: Match, components: Mapping[str, Component]) -> dict[str, object]:
    """A line; where it is by words, how both sides write them, to be confirmed or not."""
    component = components.get(line.component)
    by_words: dict[str, object] = {}
    if component is not None and not line.purl and line.confidence != "exact":
        names = said.alike(component, line.met)
        by_words = {"ours": said.asset_name(component), "theirs": names}
    return {
        "component": line.component,
        "name": line.name or line.purl or line.component,
        "version": line.version,
        "purl": line.purl,
        "advisory": line.advisory,
        "aliases": list(line.aliases),
        "range": line.range,
        "fixed": list(line.fixed),
        "verdict": line.verdict,
        "confidence": line.confidence,
        "reason": line.reason,
        **by_words,
    }


def _remedy(lines: Iterable[Match]) -> str:
    needed: dict[str, set[str]] = {}
    for line in lines:
        needed.setdefault(line.component, set()).update(line.fixed)
    return digest(canonical([[name, sorted(needed[name])] for name in sorted(needed)]))


def _difference(
    lines: Sequence[Match],
    records: Sequence[Advisory],
    components: Sequence[Component],
    read: _Records,
    naive: _Naive,
) -> str:
    """What the corrected records alone say of the first component of which they say another.

    Only those that speak of one of the components, in whatever version.
    """
    corrected = {name for r in records for name in r.corrects}
    if naive is None or not corrected:
        return ""
    own = {key for one in components for key in identity.of_component(one)}
    plain = (each for name in corrected for each in read.corrected.get(name, ()))
    ids = sorted({advisory.id for advisory, keys in plain if not own.isdisjoint(keys)})
    for line in lines:
        for name in ids:
            alone = naive.get((line.inventory, line.component, name))
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
    return versioned(line.name or line.component, line.version)
