"""Rows: what the match needs of one product of one advisory under one key.

A plain row decides any version that can be sorted by itself: its bounds are intervals
[low, high) of sortable text, and one template gives range, fix and reason. For all else the
advisory itself is asked (`verdict.decide`), which gives the same answers.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import msgspec
from msgspec.structs import replace

from vedette.kernel.errors import BadInput
from vedette.matching import identity
from vedette.matching.identity import Claim
from vedette.matching.model import Advisory, Affected, moment

AGAIN = "fetch the index again, or build it: vedette index --advisories PATH --out FILE"
T = TypeVar("T")
Texts = tuple[str, ...]


class Row(msgspec.Struct, array_like=True, gc=False):
    """One product of an advisory under one key.

    Args:
        where: number by which the source finds the advisory; ascends as the advisories' ids do.
        bounds: low, high, low, high ... of a plain row, ascending; None where the advisory must be
            asked.
        advisory: its id.
        text: the range in words.
        fixed: for each interval, the fixed versions, or their JSON.
        aliases: of the advisory, or their JSON.
        product, count, number: its order among the rows of all advisories with that id: which
            product, which of its keys, and which of equal ids.
        confidence, release: what the advisory's side claims.
    """

    where: int
    bounds: Texts | None
    advisory: str
    text: str = ""
    fixed: tuple[Texts | msgspec.Raw, ...] = ()
    aliases: Texts | msgspec.Raw = ()
    product: int = 0
    count: int = 0
    confidence: str = "exact"
    release: str = ""
    number: int = 0

    @property
    def place(self) -> tuple[int, int, int]:
        """Its order among the rows of all advisories with its id."""
        return self.number, self.product, self.count

    def fixed_in(self, interval: int) -> Texts | msgspec.Raw:
        """The fixed versions of an interval. Raises BadInput where the index has none."""
        try:
            return self.fixed[interval]
        except IndexError:
            raise BadInput("the index is damaged", next_step=AGAIN) from None


def plain(value: T | msgspec.Raw, kind: type[T]) -> T:
    """Return what a row holds as a value, or as JSON of that kind. Raises BadInput."""
    if not isinstance(value, msgspec.Raw):
        return value
    try:
        return msgspec.json.decode(value, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadInput("the index is damaged", next_step=AGAIN) from None


class Correction(NamedTuple):
    """A correction and the ids of the records that it supersedes."""

    id: str
    supersedes: tuple[str, ...]
    evidence: str


@runtime_checkable
class Source(Protocol):
    """Rows by key in order, the advisory and its product behind each, and the corrections.

    `holds` is whether a key may have rows; "yes" where it has none costs time only. `each` yields
    those of the keys that may, with their rows. `summary` is that of the advisory of a number. The
    oldest of the corrections is first.
    """

    def holds(self, key: str, /) -> bool: ...
    def each(self, keys: Iterable[str]) -> Iterator[tuple[str, Iterable[Row]]]: ...
    def product(self, row: Row) -> tuple[Advisory, Affected]: ...
    def summary(self, where: int, /) -> str: ...

    @property
    def corrections(self) -> Sequence[Correction]: ...


def of_advisory(
    advisory: Advisory,
    number: int,
    where: int,
    *,
    wanted: Container[str] | None = None,
    hastily: bool = False,
) -> Iterator[tuple[str, Row]]:
    """Yield the keys of an advisory, each with a row.

    Args:
        number: its place among equal ids.
        where: see `Row`.
        wanted: the keys that count, None for all.
        hastily: products with `strays` have plain rows too, unless of one release.
    """
    for product, affected in enumerate(advisory.affected):
        for count, (key, claim) in enumerate(identity.of_affected(affected).items()):
            if wanted is not None and key not in wanted:
                continue
            bounds = None if advisory.corrects else plain_bounds(affected, key, claim)
            if bounds is not None and affected.versions and (not hastily or claim.release):
                bounds = None if affected.strays else bounds
            if bounds is None:
                row = Row(where, None, advisory.id, number=number, product=product, count=count)
                row.confidence, row.release = claim.confidence, claim.release
                yield key, row
                continue
            only = affected.ranges[0]
            fixed = tuple([(i.fixed,) if i.fixed else affected.fixed for i in only.intervals])
            aliases = affected.aliases or advisory.aliases
            if len(aliases) > 1 or advisory.id in aliases:
                aliases = tuple(sorted(set(aliases) - {advisory.id}))
            yield (
                key,
                Row(
                    where,
                    bounds,
                    advisory.id,
                    only.text,
                    fixed,
                    aliases,
                    product,
                    count,
                    claim.confidence,
                    claim.release,
                    number,
                ),
            )


def plain_bounds(affected: Affected, key: str, claim: Claim) -> tuple[str, ...] | None:
    """Return the bounds of a product that a plain row can decide, else None.

    That is one range of affected versions in the key's own order, and nothing else stated but
    versions in it.
    """
    if len(affected.ranges) != 1 or affected.context or affected.default != "unaffected":
        return None
    (only,) = affected.ranges
    scheme = key.partition("/")[0]
    if only.status != "affected" or not affected.scheme == only.scheme == scheme:
        return None
    if claim.confidence != "exact":
        return None
    return only.bounds if only.ascends else None


def corrections(advisories: Sequence[Advisory]) -> list[Correction]:
    """Return the corrections among newest records, the oldest first, with what they supersede."""
    found = sorted((a for a in advisories if a.corrects), key=lambda a: (moment(a.modified), a.id))
    named = ((a.id, (a.id, *a.aliases)) for a in advisories if not a.corrects)
    return superseding([(c.id, c.corrects, c.evidence) for c in found], named)


def superseding(
    found: Sequence[tuple[str, Sequence[str], str]], named: Iterable[tuple[str, Sequence[str]]]
) -> list[Correction]:
    """Join corrections (id, what they correct, evidence) with records (id, names).

    None supersedes a record of its own id.
    """
    by_name: dict[str, set[str]] = {name: set() for _, corrects, _ in found for name in corrects}
    for identifier, bears in named if found else ():
        for name in bears:
            if name in by_name:
                by_name[name].add(identifier)
    return [
        Correction(c, tuple(sorted(set().union(*(by_name[n] for n in corrects)) - {c})), evidence)
        for c, corrects, evidence in found
    ]


class Loaded:
    """Advisories in memory as a source: of two records with one id, the newest counts.

    Its plain rows are hasty: what lies outside their bounds may yet be listed (`Affected.strays`).
    """

    def __init__(
        self, advisories: Sequence[Advisory], wanted: Container[str] | None = None
    ) -> None:
        self._advisories = sorted(advisories, key=attrgetter("id"))
        self.corrections = corrections(advisories)
        self._asked = {i for c in self.corrections for i in (c.id, *c.supersedes)}
        self._rows: dict[str, list[Row]] = {}
        first: dict[str, int] = {}
        for number, advisory in enumerate(self._advisories):
            where = first.setdefault(advisory.id, number)
            for key, row in of_advisory(advisory, number, where, wanted=wanted, hastily=True):
                kept = replace(row, bounds=None) if advisory.id in self._asked else row
                self._rows.setdefault(key, []).append(kept)

    def holds(self, key: str) -> bool:
        return key in self._rows

    def each(self, keys: Iterable[str]) -> Iterator[tuple[str, Iterable[Row]]]:
        return ((key, self._rows[key]) for key in keys if key in self._rows)

    def product(self, row: Row) -> tuple[Advisory, Affected]:
        advisory = self._advisories[row.number]
        return advisory, advisory.affected[row.product]

    def summary(self, where: int) -> str:
        return self._advisories[where].summary
