"""Is this version affected? Three answers, each with its reason.

Rules:
- No version: unknown.
- Ranges first. Any affected range that holds the version makes it affected, unless another
  statement of the same product says the opposite: a single version weighs more than a range; two
  of equal weight are unknown.
- Else a listed version (the same text, or equal in the order) is affected; one listed version
  that can't be read harms no other.
- Nothing holds the version, but something could not be read: unknown.
- Else the product's default, which is "unaffected" where the advisory is silent.

Source: OSV schema, evaluation; CVE JSON 5, `affected[].versions`.
"""

from __future__ import annotations

import msgspec

from vedette.matching import versions
from vedette.matching.model import Affected
from vedette.matching.ranges import Interval, Range, points


class Decision(msgspec.Struct, frozen=True):
    """`verdict` is "affected", "unknown" or "unaffected"."""

    verdict: str
    reason: str
    range: str = ""
    fixed: tuple[str, ...] = ()


def decide(version: str, affected: Affected) -> Decision:
    """Apply the rules above."""
    if not version:
        return _unknown(affected, "the inventory states no version")
    hits: list[tuple[Range, Interval]] = []
    undecided: list[Range] = []
    for item in affected.ranges:
        found = item.find(version)
        if isinstance(found, Interval):
            hits.append((item, found))
        elif found is None:
            undecided.append(item)
    if hits:
        return _by_hits(version, affected, hits)
    if _listed(version, affected):
        reason = f"version {version} is listed as affected"
        return Decision("affected", reason, points(affected.scheme, [version]), affected.fixed)
    open_ranges = [r for r in undecided if r.status != affected.default]
    if open_ranges:
        first = open_ranges[0]
        return _unknown(affected, first.why_undecided(version), str(first))
    unread = affected.versions and not affected.ranges
    if unread and versions.key(affected.scheme, version) is None:
        return _unknown(affected, Range(affected.scheme).why_undecided(version))
    if affected.default == "affected":
        reason = f"version {version} is none of those stated as unaffected"
        fixed = affected.fixed or _unaffected_from(version, affected)
        return Decision("affected", reason, "all versions not stated otherwise", fixed)
    return Decision("unaffected", f"version {version} is in no affected range")


def _listed(version: str, affected: Affected) -> bool:
    if version in affected.versions:
        return True
    key = versions.key(affected.scheme, version) if affected.versions else None
    return key is not None and key in affected.listed_keys


def _by_hits(version: str, affected: Affected, hits: list[tuple[Range, Interval]]) -> Decision:
    points = [hit for hit in hits if hit[1].low is not None and hit[1].low == hit[1].high]
    hits = points or hits
    statuses = {item.status for item, _ in hits}
    text = str(next((r for r, _ in hits if r.status == "affected"), hits[0][0]))
    if statuses == {"affected"}:
        reason = f"version {version} lies in {text}"
        return Decision("affected", reason, text, _fixed(hits, affected))
    if statuses == {"unaffected"}:
        return Decision("unaffected", f"version {version} is stated as unaffected")
    if "affected" in statuses:
        return _unknown(affected, f"the advisory contradicts itself about version {version}", text)
    return _unknown(affected, f"the advisory leaves version {version} open", text)


def _fixed(hits: list[tuple[Range, Interval]], affected: Affected) -> tuple[str, ...]:
    found = [interval.fixed for _, interval in hits if interval.fixed]
    return tuple(dict.fromkeys(found or affected.fixed))


def _unaffected_from(version: str, affected: Affected) -> tuple[str, ...]:
    """The versions above this one from which the product is stated as unaffected."""
    found: list[str] = []
    for item in affected.ranges:
        own = versions.key(item.scheme, version) if item.status == "unaffected" else None
        for low in [i.low for i in item.intervals if i.low]:
            start = versions.key(item.scheme, low)
            if own is not None and start is not None and own < start:
                found.append(low)
    return tuple(dict.fromkeys(found))


def _unknown(affected: Affected, reason: str, text: str = "") -> Decision:
    stated = [i.fixed for r in affected.ranges if r.status == "affected" for i in r.intervals]
    fixed = tuple(dict.fromkeys(filter(None, (*stated, *affected.fixed))))
    return Decision("unknown", reason, text or _text(affected), fixed)


def _text(affected: Affected) -> str:
    texts = (str(r) for r in affected.ranges if r.status == "affected")
    return " || ".join(dict.fromkeys(filter(None, texts))) or affected.points
