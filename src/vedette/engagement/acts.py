"""The three voluntary acts, each offered, answered and withdrawn on its own.

Rules:
- Only the lab drafts and offers an act; the office accepts or declines it.
- Silence past the answer date makes an offer lapse, a window's with its last hour at the latest; it
  means nothing more than silence.
- The lab withdraws at any time, the office withdraws from what it accepted; neither gives a
  reason unless it likes.
- An act that was declined, withdrawn or has lapsed can be offered again, any number of times.
- No row reads or writes a release date, and no row of one act asks for another act's state.

Source: Executive Order 14409, section 3(b)(i) to (iii).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import partial

from vedette.engagement.table import Actor, Row, Table
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission


class ActKind(StrEnum):
    DETERMINATION_REQUEST = "determination-request"
    ACCESS_WINDOW = "access-window"
    PARTNER_SELECTION = "partner-selection"


class ActState(StrEnum):
    DRAFTED = "drafted"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


S, E = ActState, Event
_lab = partial(Row, Actor.LAB, Permission.ENGAGEMENT_OFFER)
_office = partial(Row, Actor.OFFICE, Permission.ENGAGEMENT_ANSWER)
_clock = partial(Row, Actor.CLOCK, None)

ACTS = Table(
    "act",
    S.DRAFTED,
    (
        _lab("offer", S.DRAFTED, S.OFFERED, E.ENGAGEMENT_ACT_OFFERED, "Offer"),
        _lab("decline", S.DRAFTED, S.DECLINED, E.ENGAGEMENT_ACT_DECIDED, "Do without"),
        _office("accept", S.OFFERED, S.ACCEPTED, E.ENGAGEMENT_ACT_ANSWERED, "Accept"),
        _office("decline", S.OFFERED, S.DECLINED, E.ENGAGEMENT_ACT_ANSWERED, "Decline"),
        _clock("lapse", S.OFFERED, S.LAPSED, E.ENGAGEMENT_ACT_LAPSED, "Lapse unanswered"),
        _lab("withdraw", S.DRAFTED, S.WITHDRAWN, E.ENGAGEMENT_ACT_WITHDRAWN, "Withdraw"),
        _lab("withdraw", S.OFFERED, S.WITHDRAWN, E.ENGAGEMENT_ACT_WITHDRAWN, "Withdraw"),
        _lab("withdraw", S.ACCEPTED, S.WITHDRAWN, E.ENGAGEMENT_ACT_WITHDRAWN, "Withdraw"),
        _office("withdraw", S.ACCEPTED, S.WITHDRAWN, E.ENGAGEMENT_ACT_WITHDRAWN, "Withdraw"),
        _lab("offer", S.DECLINED, S.OFFERED, E.ENGAGEMENT_ACT_OFFERED, "Offer again"),
        _lab("offer", S.WITHDRAWN, S.OFFERED, E.ENGAGEMENT_ACT_OFFERED, "Offer again"),
        _lab("offer", S.LAPSED, S.OFFERED, E.ENGAGEMENT_ACT_OFFERED, "Offer again"),
    ),
)


def has_lapsed(state: ActState, answer_by: datetime | None, now: datetime) -> bool:
    """Tell whether an offer has gone unanswered past its date (no date: never)."""
    return state == ActState.OFFERED and answer_by is not None and now >= answer_by
