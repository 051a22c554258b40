"""Early access of a trusted partner: time-boxed by the lab, one session at a time of its own.

Rules:
- The lab opens it, for hours and with a quota within the pack's bounds, and ends it at once at any
  time. Whether the office agreed on the partner is not asked.
- A person has a session after accepting the terms in force, by their digest; other words need
  another acceptance.
- A session is for one purpose of the access, lasts as many hours as the lab gave and never beyond
  its end, and nothing lengthens it.
- A call goes through inside the session, for its purpose, while calls and tokens of the whole
  access are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from vedette.engagement.access import Allowance, Reason, Refusal, Usage
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import PolicyPack

QUOTA_LIMIT = 10**12


@dataclass(frozen=True)
class Early:
    """One partner's access; times in UTC, `ended` where the lab ended it before its hour."""

    opens: datetime
    closes: datetime
    session_hours: int
    calls: int
    tokens: int
    purposes: tuple[str, ...]
    digest: str
    ended: datetime | None = None

    @property
    def until(self) -> datetime:
        return self.closes if self.ended is None else min(self.closes, self.ended)


def check_early(pack: PolicyPack, early: Early, now: datetime) -> None:
    """Raise BadInput naming the field where the access is none under the pack."""
    if early.closes <= early.opens:
        raise BadInput("closes: it is not after the opening")
    if early.closes <= now:
        raise BadInput(f"closes: {format_time(early.closes)} has passed")
    most = pack.integer("early_access", "most_days")
    if early.closes - early.opens > timedelta(days=most):
        raise BadInput(
            f"closes: at most {most} days after the opening",
            next_step="open it again when it is over",
        )
    hours = pack.integer("early_access", "session_hours")
    if not 1 <= early.session_hours <= hours:
        raise BadInput(f"session_hours: 1 to {hours}")
    for name in ("calls", "tokens"):
        if not 1 <= getattr(early, name) <= QUOTA_LIMIT:
            raise BadInput(f"{name}: a whole number from 1 to {QUOTA_LIMIT:,}")
    known = [row["id"] for row in pack.records("early_access", "purposes")]
    if not early.purposes or not set(early.purposes) <= set(known):
        raise BadInput(f"purposes: choose among {', '.join(known)}")


def opening(
    early: Early, purpose: str, accepted: str, used: Usage, now: datetime
) -> datetime | Refusal:
    """When a session that opens now ends, or why there is none. `accepted` is a digest or ""."""
    if now < early.opens < early.until:
        return Refusal(Reason.BEFORE, f"early access opens at {format_time(early.opens)}")
    if now >= early.until:
        return Refusal(Reason.AFTER, f"early access ended at {format_time(early.until)}")
    if accepted != early.digest:
        return Refusal(Reason.PERSON, "this person has not accepted the terms in force")
    if purpose not in early.purposes:
        return Refusal(Reason.PURPOSE, "the access is for other purposes")
    if used.calls >= early.calls or used.tokens >= early.tokens:
        return Refusal(Reason.QUOTA, "the quota of the access is used")
    return min(early.until, now + timedelta(hours=early.session_hours))


def decide(
    early: Early,
    session_purpose: str,
    session_ends: datetime,
    purpose: str,
    used: Usage,
    now: datetime,
    *,
    at_most: int = 0,
) -> Allowance | Refusal:
    """Decide on one call of a session; `at_most` is what it may use itself."""
    until = min(early.until, session_ends)
    if now >= until:
        return Refusal(Reason.SESSION, f"the session ended at {format_time(until)}")
    if purpose != session_purpose:
        return Refusal(Reason.PURPOSE, "the session is for another purpose")
    calls, tokens = early.calls - used.calls, early.tokens - used.tokens
    if calls < 1:
        return Refusal(Reason.QUOTA, "all calls of the quota are used")
    if tokens < max(1, at_most):
        return Refusal(Reason.QUOTA, "the tokens of the quota do not reach for this call")
    return Allowance(calls, tokens, until)
