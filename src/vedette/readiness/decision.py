"""The lab's own record of what it decided on each of the three acts, apart.

Rules:
- The acts are the pack's. Each has its own decisions; none of them follows from another.
- Any decision may follow any other, at any time; the latest counts, the earlier ones stay.
- Undecided is a state like the others; no reason is owed.
- The record stays at home.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vedette.kernel.errors import BadInput
from vedette.kernel.packs import PolicyPack


class Choice(StrEnum):
    OFFER = "offer"
    NOT_NOW = "not-now"
    DECLINE = "decline"


@dataclass(frozen=True)
class Decision:
    """One decision on one act; `conditions` are those that would void it."""

    act: str
    choice: Choice
    decided_at: datetime
    decided_by: str
    reason: str = ""
    conditions: tuple[str, ...] = ()


def acts_of(pack: PolicyPack) -> tuple[str, ...]:
    """Return the ids of the acts, in the order's own order."""
    return tuple(row["id"] for row in pack.records("engagement", "acts"))


def check_decision(pack: PolicyPack, decision: Decision) -> None:
    """Raise BadInput naming the field that is wrong."""
    if decision.act not in acts_of(pack):
        raise BadInput(
            f"decision.act: {decision.act[:40]!r} unknown",
            next_step=f"acts: {', '.join(acts_of(pack))}",
        )
    if not decision.decided_by.strip() or len(decision.decided_by) > 300:
        raise BadInput("decision.decided_by: 1 to 300 characters expected")
    if len(decision.reason) > 20_000:
        raise BadInput("decision.reason: at most 20,000 characters")
    if len(decision.conditions) > 100 or any(len(text) > 1_000 for text in decision.conditions):
        raise BadInput("decision.conditions: at most 100 of 1,000 characters each")


def standing(pack: PolicyPack, decisions: Iterable[Decision]) -> dict[str, Decision | None]:
    """Return the latest decision on each act, None where there is none (in given order on ties)."""
    latest: dict[str, Decision | None] = dict.fromkeys(acts_of(pack))
    for decision in decisions:
        check_decision(pack, decision)
        before = latest[decision.act]
        if before is None or decision.decided_at >= before.decided_at:
            latest[decision.act] = decision
    return latest
