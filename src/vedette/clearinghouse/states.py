"""The clearinghouse's state machines: finding, case, participant, notice.

Vocabulary after coordinated vulnerability disclosure practice (CERT/CC's CVD guide and the Vultron
protocol's states).

Rules:
- A finding is reproduced by execution only; nobody declares it so.
- A finding that was not reproduced never joins a case, so it reaches no maintainer.
- A silent participant stays told apart from one who is not affected and one who has not looked.
- A fix is verified by execution only; one that fails sends the case back to the vendor.
- A deferral expires by the clock into unanswered; it needs a compensating control and an expiry.
- Every answer can be taken back, and a closed case can be opened again.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from vedette.clearinghouse.machine import Machine, Party, Row
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event


class State(StrEnum):
    """A state by its name in messages and tables; `label` is for people."""

    @property
    def label(self) -> str:
        return self.value.replace("-", " ")


class FindingState(State):
    RECEIVED = "received"
    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not-reproduced"
    DUPLICATE = "duplicate"
    IN_CASE = "in-case"


class CaseState(State):
    OPEN = "open"
    VENDOR_NOTIFIED = "vendor-notified"
    FIX_DELIVERED = "fix-delivered"
    FIX_VERIFIED = "fix-verified"
    PUBLISHED = "published"
    CLOSED = "closed"


class ParticipantState(State):
    INVITED = "invited"
    SILENT = "silent"
    ACKNOWLEDGED = "acknowledged"
    WORKING = "working"
    FIXED = "fixed"
    NOT_AFFECTED = "not-affected"
    NOT_LOOKED = "not-looked"


class NoticeState(State):
    UNANSWERED = "unanswered"
    PATCHED = "patched"
    VERIFIED = "verified"
    DEFERRED = "deferred"
    NOT_AFFECTED = "not-affected"


_CLOCK = frozenset({Party.CLOCK})
_COORDINATOR = frozenset({Party.COORDINATOR})
_EXECUTION = frozenset({Party.EXECUTION})
_OPERATOR = frozenset({Party.OPERATOR})
_VENDOR = frozenset({Party.VENDOR})

_F, _C, _P, _N = FindingState, CaseState, ParticipantState, NoticeState

FINDING = Machine(
    "finding",
    _F.RECEIVED,
    (
        Row("reproduce", _F.RECEIVED, _F.REPRODUCED, _EXECUTION, Event.FINDING_FINDING_REPRODUCED),
        Row(
            "fail to reproduce",
            _F.RECEIVED,
            _F.NOT_REPRODUCED,
            _EXECUTION,
            Event.FINDING_FINDING_NOT_REPRODUCED,
        ),
        Row(
            "reproduce",
            _F.NOT_REPRODUCED,
            _F.REPRODUCED,
            _EXECUTION,
            Event.FINDING_FINDING_REPRODUCED,
        ),
        *(
            Row(
                "mark duplicate",
                source,
                _F.DUPLICATE,
                _COORDINATOR | _EXECUTION,
                Event.FINDING_FINDING_DUPLICATE,
            )
            for source in (_F.RECEIVED, _F.REPRODUCED, _F.NOT_REPRODUCED)
        ),
        Row(
            "tell apart", _F.DUPLICATE, _F.RECEIVED, _COORDINATOR, Event.FINDING_FINDING_TOLD_APART
        ),
        Row("add to case", _F.REPRODUCED, _F.IN_CASE, _COORDINATOR, Event.FINDING_FINDING_ADDED),
    ),
)

CASE = Machine(
    "case",
    _C.OPEN,
    (
        Row(
            "notify vendor",
            _C.OPEN,
            _C.VENDOR_NOTIFIED,
            _COORDINATOR,
            Event.CASE_PARTICIPANT_INVITED,
        ),
        Row("record public fix", _C.OPEN, _C.FIX_DELIVERED, _COORDINATOR, Event.CASE_FIX_DELIVERED),
        Row(
            "deliver fix",
            _C.VENDOR_NOTIFIED,
            _C.FIX_DELIVERED,
            _VENDOR | _COORDINATOR,
            Event.CASE_FIX_DELIVERED,
        ),
        Row("verify fix", _C.FIX_DELIVERED, _C.FIX_VERIFIED, _EXECUTION, Event.CASE_FIX_VERIFIED),
        Row(
            "find fix failing",
            _C.FIX_DELIVERED,
            _C.VENDOR_NOTIFIED,
            _EXECUTION,
            Event.CASE_FIX_FAILED,
        ),
        *(
            Row("publish", source, _C.PUBLISHED, _COORDINATOR, Event.CASE_ADVISORY_PUBLISHED)
            for source in (_C.OPEN, _C.VENDOR_NOTIFIED, _C.FIX_DELIVERED, _C.FIX_VERIFIED)
        ),
        *(
            Row("close", source, _C.CLOSED, _COORDINATOR, Event.CASE_CASE_CLOSED)
            for source in (_C.OPEN, _C.VENDOR_NOTIFIED, _C.FIX_VERIFIED, _C.PUBLISHED)
        ),
        Row("open again", _C.CLOSED, _C.OPEN, _COORDINATOR, Event.CASE_CASE_OPENED),
    ),
)

_HEARD = (_P.ACKNOWLEDGED, _P.WORKING, _P.FIXED, _P.NOT_AFFECTED, _P.NOT_LOOKED)
_SAID: dict[ParticipantState, str] = {
    _P.ACKNOWLEDGED: "acknowledge",
    _P.WORKING: "start work",
    _P.FIXED: "state fixed",
    _P.NOT_AFFECTED: "state not affected",
    _P.NOT_LOOKED: "state not looked",
}

PARTICIPANT = Machine(
    "participant",
    _P.INVITED,
    (
        Row("stay silent", _P.INVITED, _P.SILENT, _CLOCK, Event.CASE_PARTICIPANT_SILENT),
        *(
            Row(_SAID[target], source, target, _VENDOR, Event.CASE_PARTICIPANT_RESPONDED)
            for source in (_P.INVITED, _P.SILENT, *_HEARD)
            for target in _HEARD
            if source != target
        ),
    ),
)

_ANSWERS: dict[NoticeState, str] = {
    _N.PATCHED: "answer patched",
    _N.DEFERRED: "defer",
    _N.NOT_AFFECTED: "answer not affected",
    _N.UNANSWERED: "take answer back",
}

NOTICE = Machine(
    "notice",
    _N.UNANSWERED,
    (
        *(
            Row(_ANSWERS[target], source, target, _OPERATOR, Event.OPERATOR_NOTICE_ANSWERED)
            for source in (_N.UNANSWERED, _N.DEFERRED, _N.NOT_AFFECTED, _N.PATCHED)
            for target in _ANSWERS
            if source != target
        ),
        Row("verify", _N.PATCHED, _N.VERIFIED, _EXECUTION, Event.OPERATOR_PATCH_VERIFIED),
        Row("find unpatched", _N.PATCHED, _N.UNANSWERED, _EXECUTION, Event.OPERATOR_PATCH_FAILED),
        Row("find unpatched", _N.VERIFIED, _N.UNANSWERED, _EXECUTION, Event.OPERATOR_PATCH_FAILED),
        Row("expire", _N.DEFERRED, _N.UNANSWERED, _CLOCK, Event.OPERATOR_DEFERRAL_EXPIRED),
    ),
)

MACHINES = (FINDING, CASE, PARTICIPANT, NOTICE)


def check_deferral(control: str, expires: datetime | None, now: datetime) -> None:
    """Raise BadInput unless a deferral names its compensating control and a later expiry date."""
    if not control.strip():
        raise BadInput(
            "control: a deferral needs a compensating control",
            kept="the notice as it was",
            next_step="say what shields the system until it is patched",
        )
    if expires is None:
        raise BadInput(
            "expires: a deferral needs an expiry date",
            kept="the notice as it was",
            next_step="give the date on which it is looked at again",
        )
    if expires <= now:
        raise BadInput(
            f"expires: {format_time(expires)} is not in the future",
            kept="the notice as it was",
            next_step="give a later date",
        )
