"""Sectors of trusted partners: criteria, who is present or visibly absent, and staged waves.

Rules:
- A sector is one of the pack's, by its id or its title; any other is kept in the namer's own
  words, and has no criteria of its own.
- Of a sector's criteria a partner meets at least one; where it is named under none of them that is
  said as advice, and keeps nobody from naming it.
- Small operators are the sectors that the order lists (the pack's `sectors.early`), and whoever is
  named as small. A listed sector without a partner is shown as absent, never left out.
- Waves are a proposal to the lab: small operators first, among equals the more critical sector
  first, then the name decides; at most `size` a wave, each `days_apart` days after the one before.
  The lab puts any partner in another wave.
- Every partner is in exactly one wave; nothing depends on the order in which they were named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vedette.engagement.partners import Partner
from vedette.kernel.packs import PolicyPack

OTHER = "other"


@dataclass(frozen=True)
class Sector:
    """A sector of the pack; `listed`: the order names it among those not to be left out."""

    id: str
    title: str
    criticality: int = 0
    criteria: tuple[str, ...] = ()
    listed: bool = False


def sectors(pack: PolicyPack) -> tuple[Sector, ...]:
    """The pack's sectors, those that the order lists first."""
    listed = {row["id"] for row in pack.records("sectors", "early")}
    found = [
        Sector(
            row["id"], row["title"], row["criticality"], tuple(row["criteria"]), row["id"] in listed
        )
        for row in pack.records("partners", "sectors")
    ]
    return tuple(sorted(found, key=lambda sector: not sector.listed))


def sector_of(pack: PolicyPack, words: str) -> Sector:
    """The sector that `words` name by id or title, else one of their own words."""
    plain = " ".join(words.casefold().replace("-", " ").split())
    for sector in sectors(pack):
        if plain in (sector.id.replace("-", " "), sector.title.casefold()):
            return sector
    return Sector(OTHER, words.strip() or "no sector given")


def is_small(pack: PolicyPack, partner: Partner) -> bool:
    return partner.small or sector_of(pack, partner.sector).listed


def advice(pack: PolicyPack, partner: Partner) -> str:
    """What the sector's criteria say of this partner, "" where it meets one of them."""
    sector = sector_of(pack, partner.sector)
    if not sector.criteria or set(sector.criteria) & set(partner.criteria):
        return ""
    texts = {row["id"]: str(row["text"]) for row in pack.records("partners", "criteria")}
    wanted = " or: ".join(texts[key].rstrip(".") for key in sector.criteria)
    return f"{sector.title}: the pack looks for one that meets: {wanted}."


@dataclass(frozen=True)
class Seats:
    """How many partners of one sector are named, and agreed on by both sides."""

    sector: Sector
    named: int = 0
    agreed: int = 0
    small: int = 0

    @property
    def absent(self) -> bool:
        return self.sector.listed and not self.named


def balance(pack: PolicyPack, partners: Iterable[Partner]) -> tuple[Seats, ...]:
    """Seats by sector: every sector that the order lists, then every other that has a partner."""
    found: dict[str, list[Partner]] = {s.title: [] for s in sectors(pack) if s.listed}
    known = {sector.title: sector for sector in sectors(pack)}
    for partner in partners:
        sector = sector_of(pack, partner.sector)
        known.setdefault(sector.title, sector)
        found.setdefault(sector.title, []).append(partner)
    rows = [
        Seats(
            known[title],
            len(named),
            sum(p.agreed is not None for p in named),
            sum(is_small(pack, p) for p in named),
        )
        for title, named in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (not row.sector.listed, row.sector.title)))


@dataclass(frozen=True)
class Wave:
    """Partners who get the model together, `days_after` days after the first of them."""

    number: int
    days_after: int
    partners: tuple[Partner, ...]


def waves(
    pack: PolicyPack, partners: Iterable[Partner], chosen: dict[str, int] | None = None
) -> tuple[Wave, ...]:
    """Stage the partners; `chosen` has the lab's own wave (1, 2, ...) for partners by id."""
    size = max(1, pack.integer("partners", "waves", "size"))
    apart = pack.integer("partners", "waves", "days_apart")
    chosen = chosen or {}
    rows = sorted(partners, key=lambda p: _rank(pack, p))
    staged: dict[int, list[Partner]] = {}
    for partner in rows:
        if partner.id in chosen:
            staged.setdefault(max(1, chosen[partner.id]), []).append(partner)
    number = 1
    for partner in rows:
        if partner.id in chosen:
            continue
        while len(staged.get(number, ())) >= size:
            number += 1
        staged.setdefault(number, []).append(partner)
    return tuple(
        Wave(n, (n - 1) * apart, tuple(sorted(staged[n], key=lambda p: _rank(pack, p))))
        for n in sorted(staged)
    )


def _rank(pack: PolicyPack, partner: Partner) -> tuple[bool, int, str, str]:
    criticality = sector_of(pack, partner.sector).criticality
    return not is_small(pack, partner), -criticality, partner.name.casefold(), partner.id


def first_hour(wave: Wave, release: datetime) -> datetime:
    """When a wave begins, counted from the lab's own partner release."""
    return release + timedelta(days=wave.days_after)
