"""What somebody said of a name: that an asset is the product that an advisory names, or is not.

Rules:
- It is about matches by words alone: what is `exact` needs nobody's word.
- Both sides are known by their words, so that what was said once counts for every asset and every
  advisory that write them so, now and later.
- A product that it is not takes no part in the match; where no other is left, there is none.
- A match of products that it is becomes `exact`, with whose word that is. Where these are not
  affected but others may be, the reason says so: it may be a part, or one of a family.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from vedette.matching import identity
from vedette.matching.engine import match
from vedette.matching.model import (
    MAX_WORDS,
    Advisory,
    Affected,
    Component,
    Inventory,
    Match,
    Statement,
)
from vedette.matching.products import product_words
from vedette.matching.vex import Suppressed

_PART = re.compile(r"[0-9]+|[^\W\d_]{3,}")
MOST_NAMES = 20


@dataclass(frozen=True)
class Word:
    """Whether the two are the same product, and who said so."""

    same: bool
    by: str


# the words of the asset and of the advisory's product
Said = Mapping[tuple[str, str], Word]


def asset_name(component: Component) -> str:
    """An asset's vendor, product and model, as its inventory writes them."""
    inside = identity.version_inside(component)
    product = inside.name if inside else component.product or component.name
    model = "" if component.model in product else component.model
    return " ".join(filter(None, (component.vendor, product, model)))[:MAX_WORDS]


def pair(ours: str, theirs: str) -> tuple[str, str]:
    """Two names by their words."""
    return product_words(ours), product_words(theirs)


def met(component: Component, advisory: Advisory) -> list[Affected]:
    """The advisory's products that a component may be."""
    own = identity.of_component(component).keys()
    return [
        one
        for one in advisory.affected
        if not own.isdisjoint(
            _keys(
                *(one.ecosystem, one.name, one.purl, one.vendor, one.product, one.models, one.cpes)
            )
        )
    ]


def alike(component: Component, theirs: Iterable[str]) -> list[str]:
    """Those of an advisory's products, as it calls them, that share a word with a component."""
    own = _parts(f"{component.product or component.name} {component.model}")
    return [name for name in theirs if not own.isdisjoint(_parts(name))][:MOST_NAMES]


@lru_cache(maxsize=1 << 14)
def _parts(name: str) -> frozenset[str]:
    """The numbers and the words of three letters or more in a name."""
    return frozenset(_PART.findall(product_words(name)))


@lru_cache(maxsize=1 << 14)
def _keys(*named: Any) -> frozenset[str]:
    return frozenset(identity.of_affected(Affected(*named)))


def heed(
    matches: Iterable[Match],
    inventories: Collection[Inventory],
    said: Mapping[str, Said],
    advisories: Mapping[str, Advisory],
    taken: list[Suppressed],
) -> Iterator[Match]:
    """Yield the matches as what was `said`, by inventory, has them; the others go to `taken`."""
    held: dict[str, dict[str, list[Component]]] = {}
    for inventory in inventories if any(said.values()) else ():
        by_id = held.setdefault(inventory.name, {})
        for component in inventory.components if said.get(inventory.name) else ():
            by_id.setdefault(component.id, []).append(component)
    for line in matches:
        words = said.get(line.inventory)
        advisory = advisories.get(line.advisory)
        if not words or advisory is None or line.confidence == "exact" or advisory.corrects:
            yield line
            continue
        yield from _heeded(line, held[line.inventory][line.component], advisory, words, taken)


def _heeded(
    line: Match,
    components: list[Component],
    advisory: Advisory,
    words: Said,
    taken: list[Suppressed],
) -> Iterator[Match]:
    spoken: dict[bool, list[tuple[Component, Affected, Word]]] = {True: [], False: []}
    for component in components:
        for product in met(component, advisory):
            word = words.get(pair(asset_name(component), product.called))
            if word is not None:
                spoken[word.same].append((component, product, word))
    others = [product for _, product, _ in spoken[False]]
    if others:
        rest = [one for one in advisory.affected if one not in others]
        again = _match(line, components, advisory, rest)
        if again is None:
            component, product, word = spoken[False][0]
            taken.append(Suppressed(line, _statement(line, component, product, word)))
            return
        line = again
    if spoken[True]:
        sure = _match(line, components, advisory, [product for _, product, _ in spoken[True]])
        _, product, word = spoken[True][0]
        by = word.by
        if sure is None:
            said = f"{by} says that it is {product.called}, not affected in this version"
            line = line._replace(reason=f"{line.reason}; {said}")
        elif sure.verdict == line.verdict:
            confidence = "exact" if sure.verdict == "affected" else sure.confidence
            reason = sure.reason.replace(f"; {identity.TYPED}", "")
            line = sure._replace(
                confidence=confidence, reason=f"{reason}; confirmed as this product by {by}"
            )
    yield line


def _match(
    line: Match, components: list[Component], advisory: Advisory, products: list[Affected]
) -> Match | None:
    part = Inventory(line.inventory, tuple(components))
    return next(match([part], [replace(advisory, affected=tuple(products))]), None)


def _statement(line: Match, component: Component, product: Affected, word: Word) -> Statement:
    return Statement(
        status="not_affected",
        vulnerability=frozenset({line.advisory}),
        justification="component_not_present",
        words=f"{asset_name(component)} is another product than {product.called}",
        source=word.by,
    )
