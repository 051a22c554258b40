"""Who moves a machine of the clearinghouse, and what a row of its tables says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vedette.kernel import machine as kernel
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission


class Party(StrEnum):
    """Who moves a machine. CLOCK and EXECUTION are no person: a deadline, a sandbox's result."""

    CLOCK = "clock"
    COORDINATOR = "coordinator"
    DELEGATE = "delegate"
    EXECUTION = "execution"
    FINDER = "finder"
    OPERATOR = "operator"
    VENDOR = "vendor"


# What a person needs to act as that party; None: no person can.
PERMISSION_OF: dict[Party, Permission | None] = {
    Party.CLOCK: None,
    Party.COORDINATOR: Permission.CASE_COORDINATE,
    Party.DELEGATE: Permission.MANDATE_USE,
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

    def taken_by(self, party: Party) -> bool:
        return party in self.who


Machine = kernel.Machine[Row]
