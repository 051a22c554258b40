"""The match as plain loops, one asset and one advisory at a time: the reference for the engine.

Rules as in `vedette.matching.engine`; nothing is grouped, sorted by version or decided by keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from vedette.matching import identity, names, records
from vedette.matching.identity import Claim, weaker
from vedette.matching.model import CONFIDENCES, Advisory, Affected, Component, Inventory
from vedette.matching.verdict import decide

VERDICTS = ("affected", "unknown", "unaffected")


class Finding(NamedTuple):
    component: Component
    verdict: str
    confidence: str
    range: str
    fixed: tuple[str, ...]
    reason: str
    version: str
    aliases: tuple[str, ...]
    product: str = ""

    @property
    def rank(self) -> tuple[int, int]:
        return VERDICTS.index(self.verdict), CONFIDENCES.index(self.confidence)


def plain_match(
    inventories: Sequence[Inventory], advisories: Sequence[Advisory]
) -> list[dict[str, Any]]:
    """Return the lines of a match."""
    current = newest(advisories)
    lines = []
    for inventory in sorted(inventories, key=lambda i: i.name):
        for name in sorted({c.id for c in inventory.components}):
            same = [c for c in inventory.components if c.id == name]
            found = {a.id: f for a in current if (f := merged(same, current, a.id))}
            correct(found, current)
            lines += [line(inventory, name, i, found[i]) for i in sorted(found)]
    return [row for row in lines if row["verdict"] != "unaffected"]


def newest(advisories: Sequence[Advisory]) -> list[Advisory]:
    times = {a.id: max(b.modified for b in advisories if b.id == a.id) for a in advisories}
    current = [a for a in advisories if a.modified == times[a.id] and not a.withdrawn]
    return sorted(dict.fromkeys(current), key=told)


def told(advisory: Advisory) -> tuple[str, str, list[bytes]]:
    """By what equally new records of one id stand in order: summaries, then products."""
    products = [records.encode(replace(p, versions=p.loose)) for p in advisory.affected]
    return advisory.id, advisory.summary, sorted(products)


def merged(same: Sequence[Component], records: Sequence[Advisory], name: str) -> Finding | None:
    every = []
    for advisory in (a for a in records if a.id == name):
        for affected in advisory.affected:
            for key, stated in identity.of_affected(affected).items():
                for component in same:
                    claim = identity.of_component(component).get(key)
                    if claim and names.same_release(claim.release, stated.release):
                        every.append(finding(component, advisory, affected, claim, stated))
    if not every:
        return None
    best = min(every, key=lambda one: one.rank)
    alike = [best, *(one for one in every if one.verdict == best.verdict)]
    fixed = tuple(dict.fromkeys(fix for one in alike for fix in one.fixed))
    aliases = tuple({alias for one in alike for alias in one.aliases})
    return undecided(best, every)._replace(fixed=fixed, aliases=aliases)


def undecided(best: Finding, every: Sequence[Finding]) -> Finding:
    others = [one for one in every if one.product and one.product != best.product]
    if best.confidence == "exact" or not best.product:
        return best
    alike = [o for o in others if o.confidence == best.confidence and o.verdict != "unaffected"]
    spared = [o for o in others if o.verdict == "unaffected" and o.rank[1] <= best.rank[1]]
    tied = list(dict.fromkeys(f"{one.product} ({one.range})" for one in alike))
    named = {one.product for one in alike}
    well = list(dict.fromkeys(one.product for one in spared if one.product not in named))
    reason = best.reason
    if tied:
        reason += f"; it is no surer {best.product} than {several(tied)}"
    if well:
        reason += f"; it may as well be {several(well)}, not affected in this version"
    return best._replace(reason=reason)


def several(listed: Sequence[str]) -> str:
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")


def finding(
    component: Component, advisory: Advisory, affected: Affected, claim: Claim, stated: Claim
) -> Finding:
    decision = decide(claim.version, affected)
    confidence = weaker(claim.confidence, stated.confidence)
    reasons = [decision.reason]
    if claim.doubt:
        reasons.append(claim.doubt)
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
    return Finding(
        component, decision.verdict, confidence, decision.range, decision.fixed,
        "; ".join(reasons), claim.version, affected.aliases or advisory.aliases, affected.product,
    )  # fmt: skip


def correct(found: dict[str, Finding], records: Iterable[Advisory]) -> None:
    known = list(records)
    for correction in sorted((a for a in known if a.corrects), key=lambda a: (a.modified, a.id)):
        for old in (a for a in known if not a.corrects):
            named = set(correction.corrects) & {old.id, *old.aliases}
            if old.id == correction.id:
                continue
            if named and old.id in found and correction.id in found:
                ruling = found[correction.id]
                evidence = f", {correction.evidence} evidence" if correction.evidence else ""
                found[old.id] = found[old.id]._replace(
                    verdict=ruling.verdict, confidence=ruling.confidence, range=ruling.range,
                    fixed=ruling.fixed, version=ruling.version,
                    reason=f"corrected by {correction.id}{evidence}: {ruling.reason}",
                )  # fmt: skip


def line(inventory: Inventory, name: str, advisory: str, found: Finding) -> dict[str, Any]:
    purl = {"purl": found.component.purl} if found.component.purl else {}
    return {
        "inventory": inventory.name,
        "component": name,
        **purl,
        "version": found.component.version or found.version,
        "advisory": advisory,
        "aliases": tuple(sorted(set(found.aliases))),
        "range": found.range,
        "fixed": found.fixed,
        "verdict": found.verdict,
        "confidence": found.confidence,
        "reason": found.reason,
    }
