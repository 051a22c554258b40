"""Inventories, advisories and matches: what the readers fill and the engine joins."""

from __future__ import annotations

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import msgspec

from vedette.matching import versions
from vedette.matching.ranges import Range, points
from vedette.matching.versions.interface import Key

LINE = (
    *("inventory", "component", "purl", "version", "advisory", "aliases", "range"),
    *("fixed", "verdict", "confidence", "reason"),
)
MAX_WORDS = 300
CONFIDENCES = ("exact", "likely", "possible")


class Component(msgspec.Struct, frozen=True, gc=False):
    """One thing an operator runs, with what its inventory says about it.

    `id` is the inventory's own: bom-ref, SPDXID, an asset's serial; else the purl, else `row:N`.
    `origin` is "listed" for a package of a listing, and "typed" for words that a person typed: what
    these match is never `exact`.
    """

    id: str
    name: str = ""
    version: str = ""
    purl: str = ""
    vendor: str = ""
    product: str = ""
    model: str = ""
    serial: str = ""
    cpe: str = ""
    site: str = ""
    zone: str = ""
    criticality: str = ""
    exposure: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Inventory:
    """An operator's list.

    Args:
        name: its path as given.
        components: what it lists; several with one id are readings of one thing.
        notes: what could not be read, or was read in a way worth knowing.
        statements: the VEX statements that it carries; they are about this inventory alone.
        subject: id of the component that the whole list describes, "" where it names none.
        link: BOM-Link of the document up to its `#`, "" where it has none.
    """

    name: str
    components: tuple[Component, ...]
    notes: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    subject: str = ""
    link: str = ""


class Affected(msgspec.Struct, frozen=True, dict=True, omit_defaults=True):
    """One product of an advisory and the versions of it that are affected.

    Args:
        ecosystem: OSV ecosystem, with its release where it names one ("Debian:12").
        name: package name in that ecosystem.
        purl: package URL without version.
        vendor, product: as the advisory writes them.
        models: model or order numbers.
        cpes: CPE 2.3 names.
        ranges: any of them may decide; see `verdict`.
        versions: single affected versions, in `scheme`.
        default: status of a version that nothing speaks of.
        aliases: the vulnerabilities meant, where not all of the advisory's.
        fixed: fixed versions that no range states.
        context: what the product is stated to be part of, "" when it stands alone.
    """

    ecosystem: str = ""
    name: str = ""
    purl: str = ""
    vendor: str = ""
    product: str = ""
    models: tuple[str, ...] = ()
    cpes: tuple[str, ...] = ()
    scheme: str = ""
    ranges: tuple[Range, ...] = ()
    versions: tuple[str, ...] = ()
    default: str = "unaffected"
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    context: str = ""

    @cached_property
    def called(self) -> str:
        """Vendor and product, as the advisory writes them."""
        if self.product or not self.cpes:
            product = self.product or self.name or self.purl
            named = product.casefold().startswith(self.vendor.casefold())
            return (product if named else f"{self.vendor} {product}")[:MAX_WORDS]
        from vedette.matching.products import cpe_words  # large, and not needed for packages

        found = next(filter(None, map(cpe_words, self.cpes)), ("", self.cpes[0], ""))
        return " ".join(found[:2]).replace("_", " ").strip()[:MAX_WORDS]

    @cached_property
    def loose(self) -> tuple[str, ...]:
        """The listed versions that lie in no range of affected versions."""
        rest: Sequence[str] = self.versions
        for item in self.ranges if rest else ():
            if rest and item.status == "affected":
                rest = item.outside(rest)
        return tuple(rest)

    @cached_property
    def points(self) -> str:
        """The listed versions as a vers string, with commas where they have no order."""
        return points(self.scheme, self.versions)

    @property
    def strays(self) -> bool:
        """Whether a listed version that can be read lies in no range of affected versions.

        One that can't be read equals no version that can, and bounds decide of no other.
        """
        return bool(self.loose) and any(
            versions.key(self.scheme, version) is not None for version in self.loose
        )

    @cached_property
    def listed_keys(self) -> Container[Key]:
        """The keys of those listed versions that can be read."""
        keys = [versions.key(self.scheme, version) for version in self.versions]
        read = [key for key in keys if key is not None]
        hashable = bool(read) and all(isinstance(key, bytes) for key in read)
        return frozenset(read) if hashable else read  # a Maven key has no hash


ANY = Affected()


@dataclass(frozen=True)
class Statement:
    """What a VEX document says of one vulnerability in some products.

    Args:
        status: "not_affected", "fixed", "affected" or "under_investigation".
        vulnerability: its id and aliases.
        products: whose ranges and versions are those meant; none of both means every version.
        within: what the products are part of, () where they are named for themselves.
        references: components by their id in the inventory that carries this, or by BOM-Link.
        limits: the versions that the references are limited to.
        time: RFC 3339, "" when not stated.
        justification: the format's own label.
        words: the author's words.
        source: which document says so.
    """

    status: str
    vulnerability: frozenset[str]
    products: tuple[Affected, ...] = ()
    within: tuple[Affected, ...] = ()
    references: tuple[str, ...] = ()
    limits: Affected = ANY
    time: str = ""
    justification: str = ""
    words: str = ""
    source: str = ""

    @property
    def reason(self) -> str:
        """Status, justification, words and source in one sentence."""
        why = ", ".join(filter(None, (self.status, self.justification)))
        return f"{why}{': ' + self.words if self.words else ''} (stated by {self.source})"


class Advisory(msgspec.Struct, frozen=True, omit_defaults=True):
    """A published record; `corrects` names the ids or aliases of records it supersedes.

    `facts` holds what a deadline rests on, as far as the publisher states it, in the form
    `kev=yes`, `automatable=no`, `impact=total`; `revision` is the version of the document itself,
    as its publisher counts, "" where it states none. `origin` is whose record it is, "" for OSV: an
    id is one record's only within it.
    """

    id: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    modified: str = ""
    withdrawn: bool = False
    affected: tuple[Affected, ...] = ()
    corrects: tuple[str, ...] = ()
    evidence: str = ""
    facts: tuple[str, ...] = ()
    revision: str = ""
    origin: str = ""


@lru_cache(maxsize=1 << 12)
def moment(time: str) -> str:
    """An RFC 3339 time as text that sorts as times do; what is none as it is."""
    try:
        read = datetime.fromisoformat(time)
    except ValueError:
        return time
    zoned = read if read.tzinfo else read.replace(tzinfo=UTC)
    with suppress(OverflowError):
        zoned = zoned.astimezone(UTC)
    return zoned.isoformat(timespec="microseconds")


class Match(NamedTuple):
    """One line of `vedette match`.

    No part of the line are `name` and `summary`, which are for people, and `met`: the advisory's
    products that the component meets by words, as the advisory calls them.
    """

    inventory: str
    component: str
    version: str
    advisory: str
    range: str
    verdict: str
    confidence: str
    reason: str
    purl: str = ""
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    name: str = ""
    summary: str = ""
    met: tuple[str, ...] = ()

    def line(self) -> dict[str, Any]:
        """The fields of the contract, `purl` only where there is one."""
        return {name: getattr(self, name) for name in LINE if name != "purl" or self.purl}


@dataclass
class Exploited:
    """CVEs known to be exploited, and the probability (0 to 1) that others soon will be."""

    kev: set[str] = field(default_factory=set)
    epss: dict[str, float] = field(default_factory=dict)

    def known(self, match: Match) -> bool:
        """Whether the catalogue lists one of the match's vulnerabilities."""
        return not self.kev.isdisjoint((match.advisory, *match.aliases))

    def score(self, match: Match) -> float | None:
        """The highest probability of the match's vulnerabilities, None where none has one."""
        names = (match.advisory, *match.aliases)
        return max((self.epss[name] for name in names if name in self.epss), default=None)
