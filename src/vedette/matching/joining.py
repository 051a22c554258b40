"""The join: which advisories' rows find which components, and what each says of them.

Components that say the same of what they are are one group. Where a key has few groups, each looks
for its version in a row's bounds; where it has many, they are sorted by version, and each row finds
its own by bisection. Decisions are made once a group.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from vedette.matching import names, versions
from vedette.matching.holdings import Finding, Group, Hit, Holdings, Shelf
from vedette.matching.identity import TORN, Claim, weaker
from vedette.matching.model import Affected
from vedette.matching.rows import Loaded, Row, Source, Texts, plain
from vedette.matching.verdict import decide

FEW = 2
_KNOWN = 1000
_MOST = 1 << 16


class _Asking:
    """Asks advisories, each once of a version: a component may meet a product under many keys."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._superseding = {n for c in source.corrections for n in (c.id, *c.supersedes)}
        self._known: dict[tuple[int, int, int, str], tuple[Affected, Finding]] = {}

    def ask(self, row: Row, group: Group) -> None:
        """Give a group its hit where the advisory says something of it."""
        claim = group.claim
        asked = row.where, row.number, row.product, claim.version
        answer = self._known.get(asked)
        if answer is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            answer = self._known[asked] = self._answer(row, claim.version)
        affected, said = answer
        if claim.cpe and affected.cpes:
            from vedette.matching import cpe  # not needed for packages

            if cpe.contradict(affected.cpes, claim.cpe):
                return
        if said.verdict == "unaffected":
            if not said.met and said.advisory not in self._superseding:
                return
            group.spared = True
        confidence, reason = _confidence(row, claim, affected.context, said.reason)
        if said.verdict == "unknown":
            confidence = "possible"
        found = replace(said, confidence=confidence, reason=reason, place=row.place)
        group.hits.append(hit_of(found))

    def _answer(self, row: Row, version: str) -> tuple[Affected, Finding]:
        """The advisory's product, and what it says of a version, whatever the key."""
        advisory, affected = self.source.product(row)
        decision = decide(version, affected)
        aliases = tuple(sorted({*(affected.aliases or advisory.aliases)} - {advisory.id}))
        said = (decision.verdict, "", decision.range, decision.fixed, aliases, decision.reason)
        found = Finding(row.where, row.advisory, row.place, *said, version)
        if affected.product or affected.cpes:
            found.product, found.met = affected.product, (affected.called,)
        return affected, found


def join(holdings: Holdings, source: Source) -> None:
    """Give each group its hits."""
    asking = _Asking(source)
    for key, rows in source.each(holdings.by_key):
        scheme, groups = key.partition("/")[0], holdings.by_key[key]
        if len(groups) <= FEW:
            _join_few(scheme, groups, rows, asking)
        else:
            _join_key(Shelf(scheme, groups), rows, asking)


def _join_few(
    scheme: str,
    groups: Iterable[Group],
    rows: Iterable[Row],
    asking: _Asking,
) -> None:
    """Do what `_join_key` does where the groups are few, as they are for most keys."""
    keys = versions.sortables(scheme)
    each = [(keys[group.claim.version], group) for group in groups]
    hasty = isinstance(asking.source, Loaded)
    for row in rows:
        bounds = row.bounds
        for version, group in each:
            if row.release and not names.same_release(group.claim.release, row.release):
                continue
            if bounds is None or version is None:
                asking.ask(row, group)
                continue
            place = bisect_right(bounds, version)
            if place & 1:
                group.hits.append((row.where, row, place >> 1))
            elif hasty and not row.release and asking.source.product(row)[1].strays:
                asking.ask(row, group)


def _join_key(shelf: Shelf, rows: Iterable[Row], asking: _Asking) -> None:
    sortable, odd = shelf.sortable, shelf.odd
    takes = [group.hits.append for group in shelf.groups]
    # what bounds hit, by interval: many advisories of one package state the same
    known: dict[tuple[str, ...], list[tuple[int, list[Callable[[Hit], None]]]]] = {}
    hasty = isinstance(asking.source, Loaded)
    for row in rows:
        bounds = row.bounds
        if bounds is None or row.release:
            _join_row(row, shelf, asking)
            continue
        spans = known.get(bounds)
        if spans is None:
            if len(known) >= _KNOWN:
                known.clear()
            spans = known[bounds] = []
            for place in range(1, len(bounds), 2):
                low, end = bisect_left(sortable, bounds[place - 1]), bounds[place]
                if low < len(sortable) and sortable[low] < end:
                    spans.append((place // 2, takes[low : bisect_left(sortable, end, low)]))
        everyone = len(spans) == 1 and len(spans[0][1]) == len(takes)
        if hasty and not everyone and asking.source.product(row)[1].strays:
            _join_row(replace(row, bounds=None), shelf, asking)
            continue
        for interval, hit_takes in spans:
            hit = (row.where, row, interval)
            for take in hit_takes:
                take(hit)
        for group in odd:
            asking.ask(row, group)


def _join_row(row: Row, shelf: Shelf, asking: _Asking) -> None:
    """Join a row that asks its advisory, or that is of one release."""
    asked = [*shelf.groups, *shelf.odd] if row.bounds is None else shelf.odd
    for interval in range(len(row.bounds or ()) // 2):
        start, end = (row.bounds or ())[2 * interval : 2 * interval + 2]
        low = bisect_left(shelf.sortable, start)
        for group in shelf.groups[low : bisect_left(shelf.sortable, end, low)]:
            if names.same_release(group.claim.release, row.release):
                group.hits.append((row.where, row, interval))
    for group in asked:
        if names.same_release(group.claim.release, row.release):
            asking.ask(row, group)


def hit_of(finding: Finding) -> Hit:
    """The hit of a finding."""
    return finding.where, finding, None


def finding_of(hit: Hit, claim: Claim) -> Finding:
    """The finding of a hit."""
    if hit[2] is None:
        return hit[1]
    where, row, interval = hit
    reason = plain_reason(claim, row)
    confidence = claim.confidence
    if confidence != "exact" or claim.via or row.release:
        confidence, reason = _confidence(row, claim, "", reason)
    fixed, aliases = plain(row.fixed_in(interval), Texts), plain(row.aliases, Texts)
    said = ("affected", confidence, row.text, fixed, aliases, reason)
    return Finding(where, row.advisory, row.place, *said, claim.version)


def plain_reason(claim: Claim, row: Row) -> str:
    """Why a plain row hits."""
    return f"version {claim.version} lies in {row.text}"


def _confidence(row: Row, claim: Claim, context: str, reason: str) -> tuple[str, str]:
    """How sure both sides are, and the reason with what makes them less sure."""
    confidence = weaker(claim.confidence, row.confidence)
    if claim.doubt:
        reason += f"; {claim.doubt}"
    if claim.via:
        reason += f"; through its source package {claim.via}"
    if not names.same_release(claim.release, row.release, vague=False):
        confidence = weaker(confidence, "likely")
        reason += f"; the inventory does not say that it is release {row.release}"
    if context:
        confidence = weaker(confidence, "likely")
        reason += f"; stated as part of {context}"
    if confidence != "exact" and not (row.release or context or claim.doubt.startswith(TORN)):
        reason += "; the product is matched by its words"
    return confidence, reason
