"""Inventories × advisories: who is affected by what.

Rules:
- One line per inventory, component and advisory, sorted by these; `affected` outweighs `unknown`,
  then the higher confidence counts. What is unaffected has no line.
- Of two records with one id the newer counts; a withdrawn record yields nothing.
- Two stated releases of a distribution that differ are different packages; a release that only
  the advisory states makes a match `likely`. A product that is part of another likewise.
- `unknown` has the confidence `possible`.
- A correction supersedes the records it names, for the components that both speak of: verdict,
  range and fix come from the correction and the reason says so. The newest correction counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from vedette.matching import identity, names
from vedette.matching.identity import Claim, weaker
from vedette.matching.model import CONFIDENCES, Advisory, Affected, Component, Inventory, Match
from vedette.matching.verdict import Decision, decide


@runtime_checkable
class Source(Protocol):
    """Where advisories come from; may leave out what has none of the `wanted` keys."""

    def advisories(self, wanted: frozenset[str]) -> Iterable[Advisory]: ...


@dataclass(frozen=True)
class _Asset:
    inventory: str
    component: Component


@dataclass(frozen=True)
class _Finding:
    """A decision on one asset by one advisory, with what the line needs."""

    asset: _Asset
    advisory: Advisory
    decision: Decision
    confidence: str
    version: str
    aliases: tuple[str, ...]

    @property
    def rank(self) -> tuple[int, int]:
        order = ("affected", "unknown", "unaffected")
        return order.index(self.decision.verdict), CONFIDENCES.index(self.confidence)


_Line = tuple[str, str, str]
_Table = dict[str, list[tuple[_Asset, Claim]]]


def match(
    inventories: Iterable[Inventory],
    source: Source | Iterable[Advisory],
    notes: list[str] | None = None,
) -> Iterator[Match]:
    """Yield the matches of `inventories` against `source` in order.

    Args:
        inventories: with names that differ.
        source: an index, a folder reader, or plain advisories.
        notes: takes a sentence about each kind of line that a correction left out.
    """
    table = _table(inventories)
    wanted = frozenset(table)
    stream = source.advisories(wanted) if isinstance(source, Source) else source
    advisories = _newest(stream, wanted)
    corrected = _corrected(advisories)
    keep = {i for ids in corrected.values() for i in ids} | set(corrected)
    findings: dict[_Line, _Finding] = {}
    for advisory in advisories:
        for finding in _findings(advisory, table):
            if finding.decision.verdict != "unaffected" or advisory.id in keep:
                _merge(findings, finding)
    left_out = _apply(corrected, advisories, findings)
    if left_out and notes is not None:
        notes.append(f"{left_out} matches left out: a correction states the version as unaffected")
    for line in sorted(findings):
        finding = findings[line]
        if finding.decision.verdict != "unaffected":
            yield _match(finding)


def _table(inventories: Iterable[Inventory]) -> _Table:
    table: _Table = {}
    for inventory in inventories:
        for component in inventory.components:
            asset = _Asset(inventory.name, component)
            for key, claim in identity.of_component(component).items():
                table.setdefault(key, []).append((asset, claim))
    return table


def _newest(stream: Iterable[Advisory], wanted: frozenset[str]) -> list[Advisory]:
    latest: dict[str, list[Advisory]] = {}
    for advisory in stream:
        known = latest.get(advisory.id)
        if known is None:
            if any(key in wanted for a in advisory.affected for key in identity.of_affected(a)):
                latest[advisory.id] = [advisory]
        elif advisory.modified > known[0].modified:
            latest[advisory.id] = [advisory]
        elif advisory.modified == known[0].modified and advisory not in known:
            known.append(advisory)
    return [a for same in latest.values() for a in same if not a.withdrawn]


def _findings(advisory: Advisory, table: _Table) -> Iterator[_Finding]:
    for affected in advisory.affected:
        for key, stated in identity.of_affected(affected).items():
            for asset, claim in table.get(key, ()):
                if not names.same_release(claim.release, stated.release):
                    continue
                yield _finding(asset, advisory, affected, claim, stated)


def _finding(
    asset: _Asset, advisory: Advisory, affected: Affected, claim: Claim, stated: Claim
) -> _Finding:
    decision = decide(claim.version, affected)
    confidence = weaker(claim.confidence, stated.confidence)
    reasons = [decision.reason]
    if claim.via:
        reasons.append(f"through its source package {claim.via}")
    if not names.same_release(claim.release, stated.release, vague=False):
        confidence = weaker(confidence, "likely")
        reasons.append(f"the inventory does not say that it is release {stated.release}")
    if affected.context:
        confidence = weaker(confidence, "likely")
        reasons.append(f"stated as part of {affected.context}")
    if confidence != "exact" and not (stated.release or affected.context):
        reasons.append("the product is matched by its words")
    if decision.verdict == "unknown":
        confidence = "possible"
    if len(reasons) > 1:
        decision = replace(decision, reason="; ".join(reasons))
    aliases = affected.aliases or advisory.aliases
    return _Finding(asset, advisory, decision, confidence, claim.version, aliases)


def _line(finding: _Finding) -> _Line:
    return finding.asset.inventory, finding.asset.component.id, finding.advisory.id


def _merge(findings: dict[_Line, _Finding], new: _Finding) -> None:
    known = findings.get(_line(new))
    if known is None:
        findings[_line(new)] = new
        return
    better, other = (new, known) if new.rank < known.rank else (known, new)
    if other.decision.verdict == better.decision.verdict:
        fixed = tuple(dict.fromkeys((*better.decision.fixed, *other.decision.fixed)))
        aliases = tuple(dict.fromkeys((*better.aliases, *other.aliases)))
        decision = replace(better.decision, fixed=fixed)
        better = replace(better, decision=decision, aliases=aliases)
    findings[_line(new)] = better


def _corrected(advisories: Sequence[Advisory]) -> dict[str, list[str]]:
    """Return the ids that each correction supersedes, the oldest correction first."""
    by_name: dict[str, list[str]] = {}
    for advisory in advisories:
        if not advisory.corrects:
            for name in (advisory.id, *advisory.aliases):
                by_name.setdefault(name, []).append(advisory.id)
    corrections = sorted((a for a in advisories if a.corrects), key=lambda a: (a.modified, a.id))
    return {
        c.id: sorted({i for name in c.corrects for i in by_name.get(name, ())}) for c in corrections
    }


def _apply(
    corrected: dict[str, list[str]],
    advisories: Sequence[Advisory],
    findings: dict[_Line, _Finding],
) -> int:
    """Put the corrections' decisions in place; return how many lines they took away."""
    corrections = {a.id: a for a in advisories if a.id in corrected}
    before = {line: f.decision.verdict for line, f in findings.items()}
    assets = {line[:2] for line in findings}
    for correction, ids in corrected.items():
        for asset in assets:
            ruling = findings.get((*asset, correction))
            for superseded in ids if ruling else ():
                old = findings.get((*asset, superseded))
                if ruling is not None and old is not None:
                    findings[(*asset, superseded)] = _superseded(
                        old, ruling, corrections[correction]
                    )
    return sum(
        before[line] != "unaffected" and finding.decision.verdict == "unaffected"
        for line, finding in findings.items()
    )


def _superseded(old: _Finding, ruling: _Finding, correction: Advisory) -> _Finding:
    evidence = f", {correction.evidence} evidence" if correction.evidence else ""
    reason = f"corrected by {correction.id}{evidence}: {ruling.decision.reason}"
    decision = replace(ruling.decision, reason=reason)
    return replace(old, decision=decision, confidence=ruling.confidence, version=ruling.version)


def _match(finding: _Finding) -> Match:
    component, decision = finding.asset.component, finding.decision
    return Match(
        inventory=finding.asset.inventory,
        component=component.id,
        purl=component.purl,
        version=component.version or finding.version,
        advisory=finding.advisory.id,
        aliases=tuple(sorted(finding.aliases)),
        range=decision.range,
        fixed=decision.fixed,
        verdict=decision.verdict,
        confidence=finding.confidence,
        reason=decision.reason,
        name=component.product or component.name,
        summary=finding.advisory.summary,
    )
