"""State machines as data: a frozen table of typed rows, and the few questions asked of one.

The same rows drive the rules, the buttons on a page, the documentation and the property tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from vedette.kernel.errors import Refused
from vedette.kernel.events import Event


class Move(Protocol):
    """One row: on `trigger`, from `source` to `target`, recorded as `event`."""

    @property
    def trigger(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def event(self) -> Event: ...

    def taken_by(self, party: Any) -> bool:
        """Tell whether `party` takes this move."""
        ...


R = TypeVar("R", bound=Move)


@dataclass(frozen=True)
class Machine(Generic[R]):
    """A named table of rows with its first state."""

    name: str
    initial: str
    rows: tuple[R, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in the order in which the rows name them."""
        named = [self.initial, *(state for row in self.rows for state in (row.source, row.target))]
        return tuple(dict.fromkeys(named))

    def moves(self, state: str, party: Any) -> tuple[R, ...]:
        """Return the moves that `party` has in `state` (what its page shows as buttons)."""
        return tuple(row for row in self.rows if row.source == state and row.taken_by(party))

    def step(self, state: str, trigger: str, party: Any) -> R:
        """Return the row that `party` takes. Raises Refused, naming the moves there are."""
        moves = self.moves(state, party)
        for row in moves:
            if row.trigger == trigger:
                return row
        names = ", ".join(row.trigger for row in moves) or "none"
        raise Refused(
            f"the {self.name} is {state}: {trigger[:40]!r} is no move of the {party} now",
            kept=f"the {self.name} as it was",
            next_step=f"moves of the {party}: {names}",
        )
