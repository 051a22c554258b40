"""What inventories hold, by package key and version: whoever holds the same shares one decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from vedette.matching import identity, names, versions
from vedette.matching.identity import Claim
from vedette.matching.model import Component, Inventory
from vedette.matching.rows import Row

_MOST = 1 << 16


class Finding(msgspec.Struct, gc=False):
    """What one advisory says of one claim; `where` and `place` are those of its row.

    `product` is the advisory's, "" where it is not needed; `met` are all of its products that the
    claim meets by words, as the advisory calls them.
    """

    where: int
    advisory: str
    place: tuple[int, ...]
    verdict: str
    confidence: str
    range: str
    fixed: tuple[str, ...]
    aliases: tuple[str, ...]
    reason: str
    version: str
    product: str = ""
    met: tuple[str, ...] = ()


Hit = tuple[int, Row, int] | tuple[int, Finding, None]


class Group(msgspec.Struct, gc=False):
    """All components that say the same of what they are.

    `hits` holds plain rows with the interval that was hit, made a finding when it is asked for,
    and the findings of advisories that were asked; both begin with the number of the advisory, and
    stand in its order. `spared` is whether some of these say that the version is not affected.
    """

    claim: Claim
    hits: list[Hit] = []
    spared: bool = False
    # one an advisory, for all components that have no other group
    told: Sequence[Hit] | None = None


class Shelf:
    """The groups of one key: those whose version can be sorted, by it, and the others."""

    __slots__ = ("groups", "odd", "sortable")

    def __init__(self, scheme: str, groups: Iterable[Group]) -> None:
        keys = versions.sortables(scheme)
        self.sortable: list[str] = []
        self.groups: list[Group] = []
        self.odd: list[Group] = []
        read: list[tuple[str, Group]] = []
        for group in groups:
            key = keys[group.claim.version]
            if key is None:
                self.odd.append(group)
            else:
                read.append((key, group))
        if len(read) > 1:
            read.sort(key=_first)
        for key, group in read:
            self.sortable.append(key)
            self.groups.append(group)


class Known(dict[str, bool | None]):
    """Whether advisories may speak of a package, by its purl; None where that can't be read."""

    def __init__(self, holds: Callable[[str], bool]) -> None:
        super().__init__()
        self._holds = holds

    def __missing__(self, purl: str) -> bool | None:
        if len(self) >= _MOST:
            self.clear()
        package, holds = names.from_purl(purl), self._holds
        said = None if package is None else holds(package.key)
        if package is not None and package.source_key:
            said = said or holds(package.source_key)
        self[purl] = said
        return said


class Holdings:
    """Inventories, prepared for a match. Holds one row a component and one group a claim.

    Args:
        inventories: read one at a time.
        wanted: whether any advisory speaks of a key, where that is known; what has none is not
            held.
    """

    def __init__(
        self, inventories: Iterable[Inventory], wanted: Callable[[str], bool] | None = None
    ) -> None:
        self.by_key: dict[str, list[Group]] = {}
        self.inventories: dict[str, list[tuple[Component, tuple[Group, ...]]]] = {}
        self._wanted = wanted
        known: dict[tuple[str, ...], tuple[Group, ...]] = {}
        for inventory in inventories:
            rows = self.inventories.setdefault(inventory.name, [])
            for component in inventory.components:
                alike = identity.asked(component)
                groups = known.get(alike)
                if groups is None:
                    groups = known[alike] = self._groups(component)
                if groups:
                    rows.append((component, groups))

    def _groups(self, component: Component) -> tuple[Group, ...]:
        found = []
        for key, claim in identity.of_component(component).items():
            if self._wanted is not None and not self._wanted(key):
                continue
            group = Group(claim)
            if (shared := self.by_key.get(key)) is None:
                self.by_key[key] = [group]
            else:
                shared.append(group)
            found.append(group)
        return tuple(found)


def _first(row: tuple[str, Group]) -> str:
    return row[0]
