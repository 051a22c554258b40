"""The deadline of a vulnerability on a system: four facts, one row of the pack's table.

Source of the default table: CISA Binding Operational Directive 26-04.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from vedette.kernel.errors import BadInput
from vedette.kernel.packs import PolicyPack

IMPACTS = ("partial", "total")


@dataclass(frozen=True)
class Priority:
    """The row that decided, and its deadline; None days and no deadline for the next upgrade."""

    row: str
    deadline_days: int | None
    forensics: bool
    deadline: date | None
    pack: str

    @property
    def next_upgrade(self) -> bool:
        return self.deadline_days is None

    def to_json(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "deadline_days": self.deadline_days,
            "next_upgrade": self.next_upgrade,
            "forensics": self.forensics,
            "deadline": None if self.deadline is None else self.deadline.isoformat(),
            "pack": self.pack,
        }

    @property
    def order(self) -> tuple[int, bool, bool, int]:
        """Sort key: the most urgent first; among equals total impact, then more of the facts."""
        days = 10**9 if self.deadline_days is None else self.deadline_days
        facts = self.row.split("/")
        return (days, not self.forensics, facts[-1] != "total", facts.count("n"))


def decide(
    pack: PolicyPack, kev: bool, exposed: bool, automatable: bool, impact: str, start: date
) -> Priority:
    """Return the priority under `pack`.

    Args:
        kev: in CISA's catalogue of known exploited vulnerabilities.
        exposed: the system is publicly reachable.
        automatable: an attacker can automate exploitation.
        impact: technical impact, `partial` or `total`.
        start: the day that the deadline counts from.
    """
    if impact not in IMPACTS:
        raise BadInput(f"impact: {impact[:40]!r} is neither partial nor total")
    row = "/".join([*("y" if fact else "n" for fact in (kev, exposed, automatable)), impact])
    days = pack.integer_or_none("priority", "rows", row, "deadline_days")
    try:
        deadline = None if days is None else start + timedelta(days=days)
    except OverflowError:
        raise BadInput(f"from: {days} days after {start} is out of range") from None
    forensics = pack.boolean("priority", "rows", row, "forensics")
    return Priority(row, days, forensics, deadline, pack.ref)


def rows_of(pack: PolicyPack) -> Mapping[str, Mapping[str, Any]]:
    """Return the table, for pages and documentation."""
    return pack.mapping("priority", "rows")
