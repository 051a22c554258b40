"""VEX honoured: statements that a product is not affected, or is fixed, take matches away.

Rules:
- `not_affected` and `fixed` take a match away; `affected` and `under_investigation` never do.
- Of the statements on one product and vulnerability the newest counts; of two as old, one that
  takes nothing away. One without a time is older than all others.
- A vulnerability is the same by id or alias. A match on several CVEs goes only when every one of
  them is spoken of, or the advisory itself.
- A product is the same by package URL, CPE, reference, order number or vendor and product, never
  by likeness. Every qualifier that the statement names must be the component's, too.
- Where both sides state a package URL, that decides and no CPE does.
- A statement without a version covers every version; else the component's must be among them.
- A statement on what a whole inventory describes covers its components. One on a part of a product
  covers that part in an inventory of the product, and the product itself; where the product is
  known by words alone (CSAF's relationships) it covers the part by its purl and exact version.
- Statements inside an inventory are about that inventory alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput
from vedette.matching import identity, names
from vedette.matching.model import Affected, Component, Inventory, Match, Statement
from vedette.matching.verdict import decide

TAKES_AWAY = ("not_affected", "fixed")
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_DECIDED_ELSEWHERE = ("distro", "epoch", "upstream", "vers")
FEW = 8  # statements on a vulnerability that are sooner asked one by one
_ANY = "*"
_Stated = tuple[Statement, str | None]  # a statement, and the inventory it is inside of


@dataclass(frozen=True)
class Suppressed:
    """A match that a statement took away."""

    match: Match
    statement: Statement


def honour(
    matches: Iterable[Match],
    inventories: Sequence[Inventory],
    statements: Iterable[Statement],
    suppressed: list[Suppressed],
) -> Iterator[Match]:
    """Yield the matches that no statement takes away; the others go to `suppressed`.

    `inventories` are those that a statement may be about. `statements` is looked at when the first
    match arrives, so that a source may fill it before.
    """
    held: _Held | None = None
    matches = iter(matches)
    for match in matches:
        held = held or _Held(inventories, statements)
        if held.silent:
            yield match
            yield from matches
            return
        ruling = held.ruling(match)
        if ruling is None:
            yield match
        else:
            suppressed.append(Suppressed(match, ruling))


class _Held:
    """The statements by vulnerability, and what they may be about."""

    def __init__(self, inventories: Sequence[Inventory], statements: Iterable[Statement]) -> None:
        self._statements: dict[str, list[_Stated]] = {}
        self._marked: dict[str, dict[str, list[_Stated]]] = {}
        self._inventories = {inventory.name: inventory for inventory in inventories}
        self._components: dict[str, dict[str, list[Component]]] = {}
        for statement in statements:
            self._add(statement, None)
        for inventory in inventories:
            for statement in inventory.statements:
                self._add(statement, inventory.name)

    @property
    def silent(self) -> bool:
        """Whether there is no statement at all."""
        return not self._statements

    def _add(self, statement: Statement, inventory: str | None) -> None:
        for name in statement.vulnerability:
            self._statements.setdefault(name, []).append((statement, inventory))

    def ruling(self, match: Match) -> Statement | None:
        """The statement that takes a match away, None when it stays."""
        every = {match.advisory, *match.aliases}
        if not any(name in self._statements for name in every):
            return None
        cves = sorted(name for name in every if name.startswith("CVE-"))
        groups = [{cve, match.advisory} for cve in cves] if len(cves) > 1 else [every]
        rulings = [self._newest(match, group) for group in groups]
        if any(ruling is None or ruling.status not in TAKES_AWAY for ruling in rulings):
            return None
        return rulings[0]

    def _newest(self, match: Match, vulnerability: set[str]) -> Statement | None:
        inventory = self._inventories.get(match.inventory)
        if inventory is None:
            return None
        components = self._of(inventory).get(match.component, [])
        if not components:
            return None
        whole = self._of(inventory).get(inventory.subject, [])
        asked = _marks_of((components[0], *whole), inventory.link)
        spoken = [
            statement
            for name in vulnerability
            for statement, only in self._about(name, asked)
            if only in (None, match.inventory)
            and all(self._covers(statement, each, inventory, only) for each in components)
        ]
        return max(spoken, key=_weight, default=None)

    def _about(self, vulnerability: str, asked: set[str]) -> Iterator[_Stated]:
        """Yield the statements on a vulnerability that may be about what bears these marks."""
        every = self._statements.get(vulnerability, [])
        if len(every) <= FEW:
            yield from every
            return
        marked = self._marked.get(vulnerability)
        if marked is None:
            marked = self._marked[vulnerability] = {}
            for stated in every:
                for mark in _marks(stated[0]):
                    marked.setdefault(mark, []).append(stated)
        for mark in sorted(asked & marked.keys()):
            yield from marked[mark]

    def _of(self, inventory: Inventory) -> dict[str, list[Component]]:
        if inventory.name not in self._components:
            table = self._components.setdefault(inventory.name, {})
            for component in inventory.components:
                table.setdefault(component.id, []).append(component)
        return self._components[inventory.name]

    def _covers(
        self, statement: Statement, component: Component, inventory: Inventory, only: str | None
    ) -> bool:
        start = "" if only else inventory.link
        whole = self._of(inventory).get(inventory.subject, [])
        around = (component, *whole)
        if (only or start) and any(
            start + one.id in statement.references and _has_version(statement.limits, _version(one))
            for one in around
        ):
            return True
        if not statement.within:
            return any(_same(product, one) for product in statement.products for one in around)
        inside = any(_same(outer, one) for outer in statement.within for one in whole)
        part = any(_same(product, component) for product in statement.products)
        return (inside and part) or any(_same(outer, component) for outer in statement.within)


def _marks(statement: Statement) -> set[str]:
    """What one of its products, or what they are part of, must bear; ANY where that is unknown."""
    marks = {f"ref {reference}" for reference in statement.references}
    for product in (*statement.products, *statement.within):
        marks.update(identity.of_affected(product))
        marks.update(map(_cpe_mark, product.cpes))
    return marks


def _marks_of(components: Iterable[Component], link: str) -> set[str]:
    """The marks of components by which `_marks` may mean them."""
    marks = {_ANY}
    for one in components:
        marks.update((f"ref {one.id}", f"ref {link}{one.id}", *identity.of_component(one)))
        if one.cpe:
            marks.add(_cpe_mark(one.cpe))
    return marks


def _cpe_mark(name: str) -> str:
    from vedette.matching import cpe  # not needed for packages

    named = (cpe.attributes(name) or ())[: cpe.VERSION]
    return _ANY if any(map(cpe.is_wild, named)) else f"cpe {' '.join(map(cpe.plain, named))}"


def _weight(statement: Statement) -> tuple[datetime, bool, str]:
    time = _EARLIEST
    with suppress(BadInput):
        time = parse_time(statement.time, field="time")
    return time, statement.status not in TAKES_AWAY, statement.source


def _same(product: Affected, component: Component) -> bool:
    """Whether a statement's product surely is this component, in a version that it means."""
    if product.context and not (product.purl and _single(product)):
        return False
    packages = product.purl and component.purl
    if not packages and any(_covers_cpe(name, component) for name in product.cpes):
        return _has_version(product, _version(component))
    own = identity.of_component(component)
    return any(
        key in own
        and identity.weaker(stated.confidence, own[key].confidence) == "exact"
        and names.same_release(own[key].release, stated.release, vague=False)
        and _same_qualifiers(product.purl, component.purl, own[key].via)
        and _has_version(product, own[key].version)
        for key, stated in identity.of_affected(product).items()
    )


def _single(product: Affected) -> bool:
    points = [i for r in product.ranges for i in r.intervals if i.low and i.low == i.high]
    return bool(product.versions or points)


def _has_version(product: Affected, version: str) -> bool:
    if not product.ranges and not product.versions:
        return True
    return decide(version, product).verdict == "affected"


def _version(component: Component) -> str:
    package = names.from_purl(component.purl) if component.purl else None
    return component.version or (package.version if package else "")


def _same_qualifiers(stated: str, own: str, via: str) -> bool:
    """Whether the component has every qualifier stated; `via` names its source package, if so."""
    asked, held = _qualifiers(stated), _qualifiers(own)
    if asked.get("arch") == "source" or via:
        return asked.get("arch") == "source"
    return all(held.get(name) == value for name, value in asked.items())


def _qualifiers(purl: str) -> dict[str, str]:
    query = purl.partition("#")[0].partition("?")[2]
    found = {name.lower(): value for name, value in parse_qsl(query)}
    return {name: value for name, value in found.items() if name not in _DECIDED_ELSEWHERE}


def _covers_cpe(stated: str, component: Component) -> bool:
    """Whether a CPE name covers the component's: every attribute equal, or left open by it."""
    from vedette.matching import cpe  # not needed for packages

    asked, named = cpe.attributes(stated), cpe.attributes(component.cpe)
    if asked is None or named is None or cpe.ANY in asked[: cpe.VERSION]:
        return False
    held = list(named)
    if held[cpe.VERSION] == cpe.ANY and component.version:
        held[cpe.VERSION] = component.version.lower()
    return all(
        wanted == cpe.ANY or (have != cpe.ANY and cpe.meets(wanted, have))
        for wanted, have in zip(asked, held, strict=True)
    )
