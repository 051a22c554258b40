"""State machines as data: a frozen table of typed rows, and the few questions asked of one.

The same table drives the rules, the buttons on a page, the documentation and the property tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vedette.kernel.errors import Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission


class Party(StrEnum):
    """Who moves a machine. CLOCK and EXECUTION are no person: a deadline, a sandbox's result."""

    CLOCK = "clock"
    COORDINATOR = "coordinator"
    EXECUTION = "execution"
    FINDER = "finder"
    OPERATOR = "operator"
    VENDOR = "vendor"


# What a person needs to act as that party; None: no person can.
PERMISSION_OF: dict[Party, Permission | None] = {
    Party.CLOCK: None,
    Party.COORDINATOR: Permission.CASE_COORDINATE,
    Party.EXECUTION: None,
    Party.FINDER: Permission.FINDING_REPORT,
    Party.OPERATOR: Permission.ANSWER_GIVE,
    Party.VENDOR: Permission.CASE_RESPOND,
}


@dataclass(frozen=True)
class Row:
    """One move: on `trigger`, by one of `who`, from `source` to `target`, recorded as `event`."""

    trigger: str
    source: str
    target: str
    who: frozenset[Party]
    event: Event


@dataclass(frozen=True)
class Machine:
    """A named table of rows with its first state."""

    name: str
    initial: str
    rows: tuple[Row, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in the order in which the table names them."""
        named = [self.initial, *(s for row in self.rows for s in (row.source, row.target))]
        return tuple(dict.fromkeys(named))

    def offered(self, state: str, party: Party) -> tuple[Row, ...]:
        """Return the moves that `party` has in `state` (what its page shows as buttons)."""
        return tuple(row for row in self.rows if row.source == state and party in row.who)

    def step(self, state: str, trigger: str, party: Party) -> Row:
        """Return the row that `party` takes. Raises Refused, naming the moves there are."""
        for row in self.offered(state, party):
            if row.trigger == trigger:
                return row
        moves = ", ".join(row.trigger for row in self.offered(state, party)) or "none"
        raise Refused(
            f"{self.name} is {state}: {trigger!r} is no move of a {party}",
            kept=f"the {self.name} as it was",
            next_step=f"moves now: {moves}",
        )
