"""Who moves a state of the engagement, and what a row of its tables says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vedette.kernel.events import Event
from vedette.kernel.machine import Machine
from vedette.kernel.permissions import Permission


class Actor(StrEnum):
    """Who moves a state. CLOCK is no person: an hour that has come."""

    CLOCK = "clock"
    LAB = "lab"
    OFFICE = "office"


@dataclass(frozen=True)
class Row:
    """One move: on `trigger` by `actor`, from `source` to `target`, recorded as `event`.

    `permission` is what a person of that side needs; None for the clock.
    """

    actor: Actor
    permission: Permission | None
    trigger: str
    source: str
    target: str
    event: Event
    label: str

    def taken_by(self, party: Actor) -> bool:
        return party == self.actor


Table = Machine[Row]
