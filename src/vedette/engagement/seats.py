"""Seats and hours of early access by sector, so that small operators are present or visibly absent.

Rules:
- A seat is a partner with early access; its hours are those in which its sessions stood open.
- Every sector that the order lists has its row, with or without a partner; of others only those
  with one. Nothing but numbers is in a row.
- What several labs share adds up by sector.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vedette.engagement.sectors import sector_of, sectors
from vedette.kernel.packs import PolicyPack


@dataclass(frozen=True)
class Used:
    """One sector's seats and what they used; `listed`: the order names the sector."""

    sector: str
    partners: int = 0
    small: int = 0
    sessions: int = 0
    minutes: int = 0
    calls: int = 0
    listed: bool = False

    @property
    def absent(self) -> bool:
        return self.listed and not self.partners

    def plus(self, other: Used) -> Used:
        return Used(
            self.sector,
            self.partners + other.partners,
            self.small + other.small,
            self.sessions + other.sessions,
            self.minutes + other.minutes,
            self.calls + other.calls,
            self.listed,
        )


def tally(pack: PolicyPack, rows: Iterable[Used]) -> tuple[Used, ...]:
    """Add rows up by sector: the order's sectors first, then the others by title."""
    found = {s.title: Used(s.title, listed=True) for s in sectors(pack) if s.listed}
    for row in rows:
        title = sector_of(pack, row.sector).title
        found[title] = found.get(title, Used(title)).plus(row)
    return tuple(sorted(found.values(), key=lambda row: (not row.listed, row.sector)))
