"""What each side says of one partner: a stance of its own, moved by that side alone.

Rules:
- The lab agrees by naming a partner; the office agrees or declines, or says nothing.
- Either side takes its own agreement back at any time, and may agree again.
- A stance is that side's word about the partner. Neither side moves the other's, and none of them
  bears on a date, a window or on whom the lab shares its model with.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial

from vedette.engagement.table import Actor, Row, Table
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission


class Stance(StrEnum):
    UNANSWERED = "unanswered"
    AGREED = "agreed"
    DECLINED = "declined"
    TAKEN_BACK = "taken-back"


S, E = Stance, Event
_lab = partial(Row, Actor.LAB, Permission.ENGAGEMENT_OFFER)
_office = partial(Row, Actor.OFFICE, Permission.ENGAGEMENT_ANSWER)

STANCES = Table(
    "partner",
    S.UNANSWERED,
    (
        _lab("agree", S.UNANSWERED, S.AGREED, E.ENGAGEMENT_PARTNER_AGREED, "Name"),
        _lab("take back", S.AGREED, S.TAKEN_BACK, E.ENGAGEMENT_PARTNER_WITHDRAWN, "Take back"),
        _lab("agree", S.TAKEN_BACK, S.AGREED, E.ENGAGEMENT_PARTNER_AGREED, "Name again"),
        _office("agree", S.UNANSWERED, S.AGREED, E.ENGAGEMENT_PARTNER_AGREED, "Agree"),
        _office("decline", S.UNANSWERED, S.DECLINED, E.ENGAGEMENT_PARTNER_DECLINED, "Decline"),
        _office("agree", S.DECLINED, S.AGREED, E.ENGAGEMENT_PARTNER_AGREED, "Agree after all"),
        _office("take back", S.AGREED, S.TAKEN_BACK, E.ENGAGEMENT_PARTNER_WITHDRAWN, "Take back"),
        _office("agree", S.TAKEN_BACK, S.AGREED, E.ENGAGEMENT_PARTNER_AGREED, "Agree again"),
    ),
)
