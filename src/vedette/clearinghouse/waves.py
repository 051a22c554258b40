"""Order of notices to operators, in the order of CISA's BOD 26-04, and the waves they go in.

Rules:
- An earlier deadline goes first; "next upgrade" (no deadline) goes last.
- Within one deadline those that need forensics go first; together these two make a tier.
- Within a tier the more critical goes first, then the operator's id decides; of one operator what
  is surer goes first.
- A wave holds one tier's notices only, at most `size` of them.
- Small operators are not left out: while any wait in a tier, each of its waves keeps them a share
  of the seats (at least one), whatever the criticality of the others.
- Every notice is in exactly one wave, and the result does not depend on the input's order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby

from vedette.kernel.errors import BadInput

SMALL_SHARE = 0.25


@dataclass(frozen=True)
class NoticeRank:
    """What decides a notice's place.

    `deadline` None means next upgrade; a date is that day's first moment in UTC. `criticality`
    grows with the harm a failure of that operator's system would do, `doubt` with how unsure it is
    that the system is affected.
    """

    operator: str
    notice: str
    deadline: date | datetime | None = None
    forensics: bool = False
    criticality: int = 0
    small: bool = False
    doubt: int = 0

    @property
    def tier(self) -> tuple[datetime, bool]:
        return _moment(self.deadline), not self.forensics


def order(notices: Iterable[NoticeRank]) -> tuple[NoticeRank, ...]:
    """Return the notices, most urgent first."""
    return tuple(
        sorted(notices, key=lambda n: (*n.tier, -n.criticality, n.operator, n.doubt, n.notice))
    )


def waves(
    notices: Iterable[NoticeRank], *, size: int = 50, small_share: float = SMALL_SHARE
) -> tuple[tuple[NoticeRank, ...], ...]:
    """Return the notices in waves of at most `size`, first wave first."""
    if size < 1 or not 0 <= small_share <= 1:
        raise BadInput(f"waves: size {size} or small operators' share {small_share} out of range")
    sent: list[tuple[NoticeRank, ...]] = []
    for _, group in groupby(order(notices), key=lambda n: n.tier):
        sent.extend(_tier_waves(list(group), size, small_share))
    return tuple(sent)


def _tier_waves(
    tier: Sequence[NoticeRank], size: int, small_share: float
) -> Iterable[tuple[NoticeRank, ...]]:
    kept = max(1, math.floor(size * small_share))
    waiting = list(tier)
    while waiting:
        reserved = [n for n in waiting if n.small][:kept]
        others = [n for n in waiting if n not in reserved][: size - len(reserved)]
        wave = set(reserved) | set(others)
        yield order(wave)
        waiting = [n for n in waiting if n not in wave]


def _moment(deadline: date | datetime | None) -> datetime:
    if deadline is None:
        return datetime.max.replace(tzinfo=UTC)
    if isinstance(deadline, datetime):
        return deadline.astimezone(UTC)
    return datetime.combine(deadline, time(), UTC)
