"""Which products that advisories know may a person have meant? Best first, to choose from.

A candidate's score is the share of words that it and the typed words have in common, words of the
product and of what was typed; vendor words that were typed count, and those left out cost nothing.
A word that begins another of four letters or more counts half, and a typed number that the
candidate has counts double, because models are told apart by their numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from vedette.matching import names
from vedette.matching.model import Advisory, Affected
from vedette.matching.products import cpe_words, product_words
from vedette.matching.vendors import repair, vendor_words

LEAST = 0.3
SHOWN = 10

_Name = tuple[str, str, str]


@dataclass(frozen=True)
class Candidate:
    """A product as advisories write it; `score` is 0 to 1, `advisories` how many name it.

    A package has its ecosystem as vendor, and a purl without a version.
    """

    vendor: str
    product: str
    purl: str
    score: float
    advisories: int


Prepared = tuple[str, str, _Name, int]


def prepare(advisories: Iterable[Advisory]) -> list[Prepared]:
    """The products that advisories name: words of vendor and product, name, how many name it."""
    counts: Counter[_Name] = Counter()
    for advisory in advisories:
        counts.update({name for a in advisory.affected for name in _names_of(a)})
    spelled: dict[tuple[str, str, str], list[_Name]] = {}
    for vendor, product, purl in counts:
        same = (vendor_words(vendor), product_words(product), purl)
        spelled.setdefault(same, []).append((vendor, product, purl))
    return [
        (
            vendor_key,
            product_key,
            max(sorted(spellings), key=lambda name: (counts[name], not name[1].isupper())),
            sum(counts[name] for name in spellings),
        )
        for (vendor_key, product_key, _), spellings in sorted(spelled.items())
    ]


class Known:
    """The products that advisories name, by their words."""

    def __init__(self, advisories: Iterable[Advisory]) -> None:
        self._take(prepare(advisories))

    @classmethod
    def of(cls, prepared: Iterable[Sequence[Any]]) -> Known:
        """What `prepare` made, of one or of several sets of advisories."""
        known = cls(())
        known._take(prepared)
        return known

    def _take(self, prepared: Iterable[Sequence[Any]]) -> None:
        merged: dict[tuple[str, str, str], tuple[_Name, int]] = {}
        for vendor_key, product_key, name, total in prepared:
            same = (vendor_key, product_key, name[2])
            first, others = merged.get(same, (tuple(name), 0))
            merged[same] = (first, total + others)
        self._rows: list[tuple[frozenset[str], frozenset[str], _Name, int]] = []
        self._by_word: dict[str, set[int]] = {}
        for (vendor_key, product_key, _), (best, total) in sorted(merged.items()):
            row = (frozenset(vendor_key.split()), frozenset(product_key.split()), best, total)
            for word in row[0] | row[1]:
                self._by_word.setdefault(word[:4], set()).add(len(self._rows))
            self._rows.append(row)

    def meant(self, readings: Sequence[str], limit: int = SHOWN) -> list[Candidate]:
        """Return the products that an entry may mean, as it can be read (`Entry.readings`).

        Those with the number that may be part of the name or its version stand first.
        """
        *whole, name = readings
        found = self.candidates(name, limit)
        if not whole:
            return found
        number = set(product_words(whole[0]).split()) - set(product_words(name).split())
        numbered = [
            one
            for one in self.candidates(whole[0], limit)
            if not number.isdisjoint(product_words(one.product).split())
        ][: max(limit // 2, limit - len(found))]
        known = {(one.vendor, one.product, one.purl) for one in numbered}
        rest = [one for one in found if (one.vendor, one.product, one.purl) not in known]
        return [*numbered, *rest][:limit]

    def candidates(self, typed: str, limit: int = SHOWN) -> list[Candidate]:
        """Return the products that `typed` may mean, the best first."""
        asked = frozenset(product_words(typed).split())
        places = {p for word in asked for p in self._by_word.get(word[:4], ())}
        found = []
        for place in places:
            vendor, product, name, total = self._rows[place]
            score = _score(asked, vendor, product)
            if score >= LEAST:
                found.append(Candidate(*name, round(score, 3), total))
        found.sort(key=lambda c: (-c.score, -c.advisories, c.vendor, c.product))
        return found[:limit]


def _names_of(affected: Affected) -> set[_Name]:
    if affected.ecosystem and affected.name:
        key = names.from_ecosystem(affected.ecosystem, affected.name).key
        purl = "pkg:" + "/".join(quote(part, safe="") for part in key.split("/"))
        return {(affected.ecosystem.partition(":")[0], affected.name, purl)}
    if affected.product:
        return {(repair(affected.vendor), repair(affected.product), "")}
    found = set()
    for cpe in affected.cpes:
        if words := cpe_words(cpe):
            found.add((words[0].replace("_", " "), words[1].replace("_", " "), ""))
    return found


def _score(asked: frozenset[str], vendor: frozenset[str], product: frozenset[str]) -> float:
    """Dice's coefficient of the words, with the weights of the module's rules."""
    known = (product - vendor or product) | (vendor & asked)
    common = sum(_weight(word) for word in asked & known)
    if not common:
        return 0.0
    parts = sum(
        min(_weight(a), _weight(b)) / 2
        for a in asked - known
        for b in known - asked
        if min(len(a), len(b)) >= 4 and (a.startswith(b) or b.startswith(a))
    )
    whole = sum(map(_weight, asked)) + sum(map(_weight, known))
    return min(1.0, 2 * (common + parts) / whole)


def _weight(word: str) -> float:
    return 2.0 if any(c.isdigit() for c in word) else 1.0
