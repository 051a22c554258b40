"""State tables of the engagement: frozen, typed rows, and the few questions asked of one.

The same rows drive the rules, the buttons on a page, the documentation and the property tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vedette.kernel.errors import Refused
from vedette.kernel.events import Event
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


@dataclass(frozen=True)
class Table:
    """A named set of rows with its first state."""

    name: str
    initial: str
    rows: tuple[Row, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in the order in which the rows name them."""
        named = [self.initial, *(state for row in self.rows for state in (row.source, row.target))]
        return tuple(dict.fromkeys(named))

    def moves(self, state: str, actor: Actor) -> tuple[Row, ...]:
        """Return the moves that `actor` has in `state` (what its page shows as buttons)."""
        return tuple(row for row in self.rows if row.source == state and row.actor == actor)

    def step(self, state: str, trigger: str, actor: Actor) -> Row:
        """Return the row that `actor` takes. Raises Refused, naming the moves there are."""
        moves = self.moves(state, actor)
        for row in moves:
            if row.trigger == trigger:
                return row
        names = ", ".join(row.trigger for row in moves) or "none"
        raise Refused(
            f"the {self.name} is {state}: {trigger[:40]!r} is no move of the {actor} now",
            kept=f"the {self.name} as it was",
            next_step=f"moves of the {actor}: {names}",
        )
