"""Inventories × advisories: who is affected by what.

Rules:
- One line per inventory, component and advisory, sorted by these; `affected` outweighs `unknown`,
  then the higher confidence counts. What is unaffected has no line.
- Of two records with one id and origin the newer counts, equally new ones both, as do those of
  different origins (a CVE record, two vendors' CSAF on it); a withdrawn record yields nothing.
- Two stated releases of a distribution that differ are different packages; a release that only
  the advisory states makes a match `likely`. A product that is part of another likewise.
- `unknown` has the confidence `possible`.
- Where several products of an advisory are found with the same confidence, none of them exactly,
  the line names the first, and its reason the others with their ranges; and those found as surely,
  of which the version is not affected.
- A correction supersedes the records it names, for the components that both speak of: verdict,
  range and fix come from the correction and the reason says so. The newest correction counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from msgspec.structs import replace

from vedette.kernel.words import counted
from vedette.matching import records
from vedette.matching.holdings import Finding, Group, Hit, Holdings
from vedette.matching.identity import Claim
from vedette.matching.joining import finding_of, hit_of, join
from vedette.matching.model import CONFIDENCES, Advisory, Component, Inventory, Match, moment
from vedette.matching.rows import Correction, Loaded, Source

SHOWN = 3
_VERDICTS = ("affected", "unknown", "unaffected")


@runtime_checkable
class Reader(Protocol):
    """Where advisories come from; may leave out what has none of the `wanted` keys.

    Records that state an id again must come, with or without products: the newest counts.
    """

    def advisories(self, wanted: frozenset[str]) -> Iterable[Advisory]: ...


def match(
    inventories: Iterable[Inventory],
    source: Source | Reader | Iterable[Advisory],
    notes: list[str] | None = None,
) -> Iterator[Match]:
    """Yield the matches of `inventories` against `source` in order.

    Args:
        inventories: with names that differ.
        source: an index, a reader of files, or plain advisories.
        notes: takes a sentence about each kind of line that a correction left out.
    """
    holdings, rows = _ready(inventories, source)
    yield from matches(_found(holdings, rows, notes), rows)


def matches(
    found: Iterable[tuple[str, Component, Claim, Sequence[Hit]]], source: Source | None = None
) -> Iterator[Match]:
    """Yield the matches of what `found` gives; their summaries are those of `source`."""
    for name, component, claim, hits in found:
        for hit in hits:
            finding = finding_of(hit, claim)
            yield Match(
                name,
                component.id,
                component.version or finding.version,
                finding.advisory,
                finding.range,
                finding.verdict,
                finding.confidence,
                finding.reason,
                component.purl,
                finding.aliases,
                finding.fixed,
                component.product or component.name,
                "" if source is None else source.summary(finding.where),
                finding.met,
            )


Told = tuple[Component, Claim, Sequence[Hit]]


def found(
    inventories: Iterable[Inventory],
    source: Source | Reader | Iterable[Advisory],
    notes: list[str] | None = None,
) -> Iterator[tuple[str, Component, Claim, Sequence[Hit]]]:
    """Yield what `match` tells by component: its inventory's name, its claim, its hits in order."""
    holdings, rows = _ready(inventories, source)
    yield from _found(holdings, rows, notes)


def _found(
    holdings: Holdings, rows: Source, notes: list[str] | None
) -> Iterator[tuple[str, Component, Claim, Sequence[Hit]]]:
    join(holdings, rows)
    taken: list[int] = []
    for name in sorted(holdings.inventories):
        for told in _lines(holdings.inventories[name], rows.corrections, taken):
            yield name, *told
    if taken and notes is not None:
        notes.append(
            f"{counted(len(taken), 'match', 'matches')} left out:"
            " a correction states the version as unaffected"
        )


def _ready(
    inventories: Iterable[Inventory], source: Source | Reader | Iterable[Advisory]
) -> tuple[Holdings, Source]:
    """What the inventories hold, and the rows they may find."""
    if isinstance(source, Source):
        return Holdings(inventories, source.holds), source
    holdings = Holdings(inventories)
    wanted = frozenset(holdings.by_key)
    stream = source.advisories(wanted) if isinstance(source, Reader) else source
    return holdings, Loaded(_newest(stream), wanted)


def _newest(stream: Iterable[Advisory]) -> list[Advisory]:
    """The newest records that speak of a product, one an id."""
    times: dict[str, str] = {}
    latest: dict[str, list[Advisory]] = {}
    for advisory in stream:
        name = advisory.id
        if advisory.origin:
            name = f"{name}\0{advisory.origin}"
        time = times.setdefault(name, advisory.modified)
        if advisory.modified != time and (new := moment(advisory.modified)) != moment(time):
            if new < moment(time):
                continue
            times[name] = advisory.modified
            latest.pop(name, None)
        known = latest.setdefault(name, [])
        if advisory not in known:
            known.append(advisory)
    newest: dict[str, Advisory] = {}
    several: dict[str, list[Advisory]] = {}
    for one in (a for same in latest.values() for a in same if not a.withdrawn):
        if (first := newest.setdefault(one.id, one)) is not one:
            several.setdefault(one.id, [first]).append(one)
    newest |= {name: records.merged(same) for name, same in several.items()}
    return [one for one in newest.values() if one.affected]


_Held = Sequence[tuple[Component, tuple[Group, ...]]]


def _lines(held: _Held, corrections: Sequence[Correction], taken: list[int]) -> Iterator[Told]:
    """Yield one inventory's lines in order; `taken` gets an entry a line that corrections took."""
    by_id: dict[str, list[tuple[Component, tuple[Group, ...]]]] = {}
    for row in held:
        for group in row[1]:
            if group.hits:
                identifier = row[0].id
                if identifier in by_id:
                    by_id[identifier].append(row)
                else:
                    by_id[identifier] = [row]
                break
    for identifier in sorted(by_id):
        same = by_id[identifier]
        component, groups = same[0]
        if len(same) == 1 and len(groups) == 1 and not corrections:
            (group,) = groups
            if group.told is None:
                once = _once_each(group.hits)
                hits = group.hits if once else [hit_of(finding) for _, finding in _merged(same)]
                group.told = [*filter(_is_found, hits)] if group.spared else hits
            yield component, group.claim, group.told
        else:
            for component, finding in _corrected(_merged(same), corrections, taken):
                yield component, groups[0].claim, (hit_of(finding),)


def _once_each(hits: Sequence[Hit]) -> bool:
    """Whether each is of another advisory."""
    before = -1
    for hit in hits:
        if hit[0] == before:
            return False
        before = hit[0]
    return True


def _is_found(hit: Hit) -> bool:
    return hit[2] is not None or hit[1].verdict != "unaffected"


def _merged(same: _Held) -> list[tuple[Component, Finding]]:
    """One finding an advisory, by its id, for the components that bear one id."""
    hits = [
        (finding.where, finding.place, position, component, finding)
        for position, (component, groups) in enumerate(same)
        for group in groups
        for finding in (finding_of(hit, group.claim) for hit in group.hits)
    ]
    hits.sort(key=lambda hit: hit[:3])
    by_advisory: dict[str, list[tuple[Component, Finding]]] = {}
    for *_, component, finding in hits:
        by_advisory.setdefault(finding.advisory, []).append((component, finding))
    return [_best(lines) for lines in by_advisory.values()]


def _best(lines: Sequence[tuple[Component, Finding]]) -> tuple[Component, Finding]:
    """The line that counts, with what the others add to it."""
    component, finding = min(lines, key=_rank)
    if len(lines) == 1:
        return component, finding
    others = [other for _, other in lines if other is not finding]
    same = [finding, *(other for other in others if other.verdict == finding.verdict)]
    return component, replace(
        finding,
        fixed=tuple(dict.fromkeys(fix for one in same for fix in one.fixed)),
        aliases=tuple(sorted({alias for one in same for alias in one.aliases})),
        met=tuple(dict.fromkeys(name for one in (finding, *others) for name in one.met)),
        reason="; ".join((finding.reason, *_undecided(finding, others))),
    )


def _undecided(finding: Finding, others: Iterable[Finding]) -> Iterator[str]:
    """Which other products of the advisory the words find as surely, affected or not."""
    if finding.confidence == "exact" or not finding.product:
        return
    rank, tied, spared = CONFIDENCES.index(finding.confidence), {}, {}
    for other in others:
        surer = CONFIDENCES.index(other.confidence) - rank
        if other.product == finding.product or not other.product or surer > 0:
            continue
        if other.verdict == "unaffected":
            spared[other.product] = other.product
        elif surer == 0:
            tied[other.product, other.range] = f"{other.product} ({other.range})"
    if tied:
        yield f"it is no surer {finding.product} than {_listed(tied.values())}"
    known = {name for name, _ in tied}
    if unharmed := [name for name in spared if name not in known]:
        yield f"it may as well be {_listed(unharmed)}, not affected in this version"


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def _rank(line: tuple[Component, Finding]) -> tuple[int, int]:
    return _VERDICTS.index(line[1].verdict), CONFIDENCES.index(line[1].confidence)


def _corrected(
    lines: Iterable[tuple[Component, Finding]],
    corrections: Sequence[Correction],
    taken: list[int],
) -> Iterator[tuple[Component, Finding]]:
    found = {line[1].advisory: line for line in lines}
    before = {name: finding.verdict for name, (_, finding) in found.items()}
    for correction in corrections:
        for name in correction.supersedes if correction.id in found else ():
            if name in found:
                component, old = found[name]
                ruling = found[correction.id][1]
                found[name] = component, _superseded(old, ruling, correction)
    for name, line in found.items():
        if line[1].verdict != "unaffected":
            yield line
        elif before[name] != "unaffected":
            taken.append(1)


def _superseded(old: Finding, ruling: Finding, correction: Correction) -> Finding:
    evidence = f", {correction.evidence} evidence" if correction.evidence else ""
    return replace(
        old,
        verdict=ruling.verdict,
        confidence=ruling.confidence,
        range=ruling.range,
        fixed=ruling.fixed,
        reason=f"corrected by {correction.id}{evidence}: {ruling.reason}",
        version=ruling.version,
    )
