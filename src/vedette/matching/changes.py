"""What differs between two sets of indexes, and what of an inventory that can touch.

Rules:
- A record counts as changed where any index holds it in words that another set does not hold; then
  all readings of its id count, those that stayed included.
- An inventory is touched where it holds a key of a changed record, as it was or as it is.
- Components that bear one id are readings of one thing, and stay together.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from msgspec.structs import astuple

from vedette.matching import identity
from vedette.matching.index import Index, plain
from vedette.matching.model import Advisory, Component, Inventory

Placed = tuple[int, tuple[str, ...]]
MOST_ALIKE = 20
MAX_NAME = 200


def code(key: str) -> int:
    """The CRC-32 of a key as the index writes it: 0 to 2**32 - 1; two keys may share one."""
    return zlib.crc32(plain(key))


def differing(before: Sequence[Index], after: Sequence[Index]) -> set[str]:
    """The ids of the records that differ between the indexes of two times."""
    old, new = ({index.name: index for index in some} for some in (before, after))
    gone = [line for name in old.keys() - new.keys() for line in _lines(old[name])]
    come = [line for name in new.keys() - old.keys() for line in _lines(new[name])]
    there, here = {each[0] for each in gone}, {each[0] for each in come}
    return {
        index.advisory(where).id
        for lines, others in ((gone, here), (come, there))
        for digest, index, where in lines
        if digest not in others
    }


def readings(ids: Iterable[str], indexes: Iterable[Index]) -> list[Advisory]:
    """Every reading of the records with those ids."""
    every = {index.name: index for index in indexes}.values()
    return [found for name in sorted(ids) for i in every if (found := named(i, name))]


def _lines(index: Index) -> Iterator[tuple[bytes, Index, int]]:
    data, start, where = index.record_lines(), 0, 0
    while (end := data.find(b"\n", start)) >= 0:
        yield blake2b(data[start:end], digest_size=16).digest(), index, where
        start, where = end + 1, where + 1


def named(index: Index, name: str) -> Advisory | None:
    """The record of that id, None where the index has none."""
    size = int(index.header["advisories"])
    where = bisect_left(range(size), name, key=lambda place: index.advisory(place).id)
    found = index.advisory(where) if where < size else None
    return found if found is not None and found.id == name else None


def keys(advisories: Iterable[Advisory]) -> set[str]:
    """The keys under which the advisories' products are known."""
    return {k for a in advisories for one in a.affected for k in identity.of_affected(one)}


def names(advisory: Advisory) -> frozenset[str]:
    """What may join a record with others: its id, its aliases, and what it corrects; cut short."""
    every = (advisory.id, *advisory.aliases, *advisory.corrects)
    return frozenset(name[:MAX_NAME] for name in every)


def separable(inventory: Inventory) -> bool:
    """Whether few enough components bear one id for it to be told apart what touches which."""
    counts = Counter(component.id for component in inventory.components)
    return max(counts.values(), default=0) <= MOST_ALIKE


def held(inventory: Inventory) -> dict[int, list[Placed]]:
    """The components, as rows, by the codes of their keys, each with its place.

    None if not separable.
    """
    if not separable(inventory):
        return {}
    things: dict[str, list[tuple[int, Component]]] = {}
    for placed in enumerate(inventory.components):
        things.setdefault(placed[1].id, []).append(placed)
    found: dict[int, list[Placed]] = {}
    for thing in things.values():
        rows = [(place, astuple(one)) for place, one in thing]
        for each in {code(key) for _, one in thing for key in identity.of_component(one)}:
            found.setdefault(each, []).extend(rows)
    return found


def part(name: str, rows: Iterable[Sequence[Any]]) -> Inventory:
    """The part of an inventory that places and components make up, in its own order."""
    placed = {place: Component(*component) for place, component in rows}
    return Inventory(name, tuple(placed[place] for place in sorted(placed)))
