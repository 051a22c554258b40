"""Markings: TLP 2.0 beside a classification order with compartments; together a lattice.

Rules:
- A reader's clearance dominates a marking when it is at least as high in both orders and holds
  every compartment.
- A derived document's marking is the join of its parts': computed, never typed.
- An instance has a ceiling; what its ceiling does not dominate is refused at the door.

Written as text: `TLP:AMBER`, `TLP:AMBER+STRICT`, `SECRET//ALPHA/BRAVO//TLP:RED`.
Source: FIRST, Traffic Light Protocol 2.0 (2022).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from vedette.kernel.errors import BadInput


class TLP(IntEnum):
    """TLP 2.0 labels, lowest first."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4

    @property
    def label(self) -> str:
        return "TLP:" + self.name.replace("_", "+")


LEVELS = ("UNCLASSIFIED", "CUI", "CONFIDENTIAL", "SECRET", "TOP SECRET")


@dataclass(frozen=True)
class Marking:
    """One point of the lattice: TLP label, index into LEVELS, compartments."""

    tlp: TLP = TLP.RED
    level: int = 0
    compartments: frozenset[str] = frozenset()

    def dominates(self, other: Marking) -> bool:
        return (
            self.tlp >= other.tlp
            and self.level >= other.level
            and self.compartments >= other.compartments
        )

    def join(self, other: Marking) -> Marking:
        return Marking(
            max(self.tlp, other.tlp),
            max(self.level, other.level),
            self.compartments | other.compartments,
        )

    def __str__(self) -> str:
        parts = []
        if self.level or self.compartments:
            parts.append(LEVELS[self.level])
        if self.compartments:
            parts.append("/".join(sorted(self.compartments)))
        return "//".join([*parts, self.tlp.label])

    @classmethod
    def parse(cls, text: str) -> Marking:
        """Read the written form. Raises BadInput: a marking that can't be read is never guessed."""
        *head, tlp = text.split("//")
        labels = {label.label: label for label in TLP}
        if tlp not in labels or len(head) > 2:
            raise BadInput(
                f"marking {text[:60]!r} can't be read", next_step="write it like TLP:AMBER"
            )
        level, compartments = 0, frozenset[str]()
        if head:
            if head[0] not in LEVELS:
                raise BadInput(f"marking {text[:60]!r}: level unknown, levels are {LEVELS}")
            level = LEVELS.index(head[0])
            if len(head) == 2:
                compartments = frozenset(head[1].split("/"))
                if "" in compartments:
                    raise BadInput(f"marking {text[:60]!r}: a compartment has no name")
        return cls(labels[tlp], level, compartments)


CLEAR = Marking(TLP.CLEAR)
GREEN = Marking(TLP.GREEN)
AMBER = Marking(TLP.AMBER)
AMBER_STRICT = Marking(TLP.AMBER_STRICT)
RED = Marking(TLP.RED)


def join(markings: Iterable[Marking]) -> Marking:
    """Return the marking of a document made from parts so marked (of nothing: TLP:CLEAR)."""
    result = CLEAR
    for marking in markings:
        result = result.join(marking)
    return result
