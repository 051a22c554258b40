"""Ranges of versions: intervals in one scheme, read from OSV events and evaluated three-valued.

Rules:
- Events may stand in any order; they are sorted by version first, `introduced: 0` before all.
- `fixed` closes an interval before its version, `last_affected` after it, `limit` cuts off what
  is not below the highest limit.
- Where one interval ends and another begins at the same version, they are one; a version that is
  introduced and fixed at once, inside none, is not affected.
- A bound that can't be read leaves the whole range undecided (`problem` says why), never guessed.
- An interval without bounds holds every version, readable or not.

Source: OSV schema, evaluation of `affected`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache, partial
from operator import itemgetter
from typing import Any
from urllib.parse import quote

import msgspec

from vedette.matching import versions
from vedette.matching.versions.interface import Key

_PLAIN = re.compile(r"[0-9A-Za-z._+:~-]*")
ORDERED = ("introduced", "fixed", "last_affected")


class Interval(msgspec.Struct, frozen=True, array_like=True):
    """Versions from `low` to `high`; None is unbounded; `*_open` leaves the bound itself out."""

    low: str | None = None
    high: str | None = None
    low_open: bool = False
    high_open: bool = True

    @property
    def fixed(self) -> str:
        """The first version after the interval, "" where none is stated."""
        return self.high if self.high is not None and self.high_open else ""

    def __str__(self) -> str:
        if self.low is not None and self.low == self.high:
            return _quoted(self.low)
        parts = []
        if self.low is not None:
            parts.append((">" if self.low_open else ">=") + _quoted(self.low))
        if self.high is not None:
            parts.append(("<" if self.high_open else "<=") + _quoted(self.high))
        return "|".join(parts) or "*"


EVERY = Interval()
TOP = "g"  # above every hexadecimal text; the least text above another is that with a 0 behind it


class Range(msgspec.Struct, frozen=True, dict=True, omit_defaults=True):
    """Intervals of one scheme with the status they state.

    Args:
        scheme: name of the version order.
        intervals: what the range holds; empty with a `problem`.
        words: the advisory's own words, where it used words.
        status: "affected", "unaffected" or "unknown".
        problem: why the range can't be decided, "" when it can.
    """

    scheme: str
    intervals: tuple[Interval, ...] = ()
    words: str = ""
    status: str = "affected"
    problem: str = ""

    def __str__(self) -> str:
        return self.text

    @cached_property
    def text(self) -> str:
        """A vers string where the scheme has one, else the advisory's own words."""
        if self.words or not self.intervals or self.scheme == versions.GENERIC:
            return self.words or "|".join(map(str, self.intervals))
        return f"vers:{self.scheme}/" + "|".join(map(str, self.intervals))

    @cached_property
    def _keyed(self) -> tuple[tuple[Key | None, Key | None, Interval, bool], ...]:
        """Lower key, upper key, interval, and whether both bounds could be read."""
        rows = []
        for item in self.intervals:
            low = None if item.low is None else versions.key(self.scheme, item.low)
            high = None if item.high is None else versions.key(self.scheme, item.high)
            read = (low is not None or item.low is None) and (high is not None or item.high is None)
            rows.append((low, high, item, read))
        return tuple(rows)

    @cached_property
    def bounds(self) -> tuple[str, ...] | None:
        """Low and high of each interval as sortable text, low <= version < high.

        None where the range can't be decided by keys alone.
        """
        if self.problem:
            return None
        bounds: list[str] = []
        for low, high, item, read in self._keyed:
            if not read or not isinstance(low, bytes | None) or not isinstance(high, bytes | None):
                return None
            bounds.append("" if low is None else low.hex() + "0" * item.low_open)
            bounds.append(TOP if high is None else high.hex() + "0" * (not item.high_open))
        return tuple(bounds)

    @cached_property
    def ascends(self) -> bool:
        """Whether there are bounds, and no interval begins before the end of another."""
        bounds = self.bounds
        return bounds is not None and (len(bounds) == 2 or list(bounds) == sorted(bounds))

    def find(self, version: str) -> Interval | bool | None:
        """Return the interval that holds `version`, False when none does, None when undecided."""
        key = versions.key(self.scheme, version)
        undecided = bool(self.problem)
        for low, high, item, read in self._keyed:
            if item.low is None and item.high is None:
                return item
            if key is None or not read:
                undecided = True
            elif (low is None or (low < key if item.low_open else low <= key)) and (
                high is None or (key < high if item.high_open else key <= high)
            ):
                return item
        return None if undecided else False

    def outside(self, listed: Sequence[str]) -> list[str]:
        """Return the `listed` versions that the range does not hold."""
        bounds = self.bounds
        if bounds is None or not self.ascends:
            return [v for v in listed if not isinstance(self.find(v), Interval)]
        if EVERY in self.intervals:
            return []
        read = [*map(versions.sortables(self.scheme).__getitem__, listed)]
        if _all_inside(read, bounds):
            return []
        # bounds ascend: an odd number of them at or below a version is inside
        inside = partial(bisect_right, bounds)
        return [v for v, key in zip(listed, read, strict=True) if not key or not inside(key) % 2]

    def why_undecided(self, version: str) -> str:
        """Say which part could not be read."""
        if self.problem:
            return self.problem
        if not versions.known(self.scheme):
            return f"no version order is known for {self.scheme}"
        if versions.key(self.scheme, version) is None:
            if self.scheme.startswith(versions.FIRMWARE):
                return f"version {version!r} is not written as the advisory's {self.words!r}"
            return f"version {version!r} can't be read as {self.scheme}"
        bounds = [b for _, _, i, read in self._keyed if not read for b in (i.low, i.high) if b]
        return f"bound {' or '.join(bounds)!r} can't be read as {self.scheme}"


def _all_inside(keys: Sequence[Any], bounds: tuple[str, ...]) -> bool:
    """Whether all keys can be read and none lies before, between or after ascending bounds."""
    try:
        if len(bounds) == 2:
            below = max(keys) < bounds[1]  # fails where one has no key
            return bool(below and (not bounds[0] or bounds[0] <= min(keys)))
        ascending = sorted(keys)
        edges = [0, *[bisect_left(ascending, bound) for bound in bounds], len(ascending)]
    except TypeError:  # one has no key
        return False
    return edges[::2] == edges[1::2]


def from_events(scheme: str, events: Iterable[tuple[str, str]]) -> Range:
    """Read OSV events, pairs of kind and version in any order, into a Range."""
    return _from_events(scheme, tuple(events))


@lru_cache(maxsize=1 << 12)  # many advisories state the same, above all "every version"
def _from_events(scheme: str, events: tuple[tuple[str, str], ...]) -> Range:
    rows: list[tuple[bool, Key | None, str, str]] = []
    limits: list[tuple[Key, str]] = []
    for kind, version in events:
        if kind == "limit" and version == "*":
            continue
        first = kind == "introduced" and version == "0"
        key = None if first else versions.key(scheme, version)
        if key is None and not first:
            problem = f"bound {version!r} can't be read as {scheme}"
            if scheme not in versions.SCHEMES:
                problem = f"no version order is known for {scheme}"
            return Range(scheme, words=spoken(events), problem=problem)
        if kind == "limit":
            assert key is not None
            limits.append((key, version))
        elif kind in ORDERED:
            rows.append((first, key, kind, version))
    top = max(limits, key=itemgetter(0)) if limits else None
    return Range(scheme, tuple(_sweep(_sorted(rows), top)))


def spoken(events: Iterable[tuple[str, str]]) -> str:
    """Events in the schema's own words."""
    return ", ".join(f"{kind} {version}" for kind, version in events)


def points(scheme: str, listed: Iterable[str]) -> str:
    """Single versions as one vers string, sorted, each once; with commas where without order."""
    read = {version: versions.key(scheme, version) for version in listed}
    if scheme == versions.GENERIC or any(key is None for key in read.values()):
        return ", ".join(read)
    found: list[Interval] = []
    for version, key in sorted(read.items(), key=itemgetter(1)):
        if not found or versions.key(scheme, found[-1].low or "") != key:
            found.append(Interval(version, version, high_open=False))
    return Range(scheme, tuple(found)).text


def _sorted(
    rows: list[tuple[bool, Key | None, str, str]],
) -> list[tuple[Key | None, str, str]]:
    start = [(key, kind, version) for first, key, kind, version in rows if first]
    rest = [row for row in rows if not row[0]]
    rest.sort(key=itemgetter(1))
    return start[:1] + [(key, kind, version) for _, key, kind, version in rest]


def _sweep(
    events: list[tuple[Key | None, str, str]], top: tuple[Key, str] | None
) -> Iterable[Interval]:
    low: str | None = None
    inside = False
    for key, kinds, version in _meetings(events):
        past = top is not None and key is not None and not key < top[0]
        begins, fixed, last = [kind in kinds for kind in ORDERED]
        if inside:
            goes_on = begins and not (fixed and last)
            if (fixed or last) and not goes_on:
                inside = False
                cut = top[1] if past and top is not None else ""
                yield Interval(low, cut or version, high_open=bool(cut) or (fixed and not begins))
        elif begins and not past:
            if last:
                yield Interval(version, version, high_open=False)
            elif not fixed:
                inside, low = True, None if key is None else version
    if inside:
        yield Interval(low, None if top is None else top[1])


def _meetings(
    events: list[tuple[Key | None, str, str]],
) -> Iterable[tuple[Key | None, list[str], str]]:
    """Yield each version of sorted events with the kinds of those at it."""
    position, count = 0, len(events)
    while position < count:
        key, kind, version = events[position]
        position += 1
        kinds = [kind]
        while position < count and key is not None and events[position][0] == key:
            kinds.append(events[position][1])
            position += 1
        yield key, kinds, version


def _quoted(version: str) -> str:
    return version if _PLAIN.fullmatch(version) else quote(version, safe=":+~")
