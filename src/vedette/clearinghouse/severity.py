"""Severity claims of several parties, kept side by side; none overwrites another's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vedette.kernel.errors import BadInput


class Claimant(StrEnum):
    """Whose judgement it is; in the order in which a single score is chosen where one must be."""

    CLEARINGHOUSE = "clearinghouse"
    VENDOR = "vendor"
    MAINTAINER = "maintainer"
    FINDER = "finder"


_VECTOR = re.compile(r"(?:CVSS:(?:3\.0|3\.1|4\.0)/)?[A-Za-z0-9:/]{1,300}")


@dataclass(frozen=True)
class SeverityClaim:
    """What one party says of the severity: a CVSS vector (2.0, 3.0, 3.1 or 4.0) and its words."""

    claimant: Claimant
    party: str
    vector: str
    made: datetime
    words: str = ""

    def __post_init__(self) -> None:
        if not self.party.strip():
            raise BadInput("severity.party: missing")
        if not _VECTOR.fullmatch(self.vector):
            raise BadInput(
                f"severity.vector: {self.vector[:60]!r} is no CVSS vector",
                next_step="write it like CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            )

    @property
    def version(self) -> str:
        """CVSS version of the vector; a vector without a prefix is 2.0."""
        return self.vector[5:8] if self.vector.startswith("CVSS:") else "2.0"


def side_by_side(claims: Iterable[SeverityClaim]) -> tuple[SeverityClaim, ...]:
    """Return each party's latest claim per CVSS version, in a fixed order."""
    latest: dict[tuple[Claimant, str, str], SeverityClaim] = {}
    for claim in sorted(claims, key=lambda c: (c.made, c.vector)):
        latest[claim.claimant, claim.party, claim.version] = claim
    order = list(Claimant)
    return tuple(
        sorted(latest.values(), key=lambda c: (order.index(c.claimant), c.party, c.version))
    )


def disputed(claims: Iterable[SeverityClaim]) -> bool:
    """Tell whether two parties' latest claims of one CVSS version differ."""
    vectors: dict[str, set[str]] = {}
    for claim in side_by_side(claims):
        vectors.setdefault(claim.version, set()).add(claim.vector)
    return any(len(values) > 1 for values in vectors.values())
