"""Rules that hold across the state machines of one case; each violation is a sentence.

Rules:
- Nothing unreproduced may reach a maintainer: no participant is in a case, and no vendor is
  notified, before one of its findings was reproduced; nor does a case hold any other finding.
- A notified case has a participant.
- A fix counts as verified only with the record of an execution.
- A published case keeps no embargo; an embargo that still runs is named unless everybody agreed.
- Operators hear of a case only once its vendor does, or once it is published.
- A deferral names its compensating control and an expiry date.
- A patch counts as verified only with the record of an execution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from vedette.clearinghouse.states import CaseState, FindingState, NoticeState, ParticipantState


@dataclass(frozen=True)
class Participant:
    party: str
    state: ParticipantState
    agreed_to_publish: bool = False


@dataclass(frozen=True)
class Notice:
    operator: str
    state: NoticeState
    control: str = ""
    expires: datetime | None = None
    verified_by_run: str = ""


@dataclass(frozen=True)
class CaseView:
    """One case as its machines stand: what the rules are checked against."""

    state: CaseState
    findings: tuple[tuple[str, FindingState], ...] = ()
    participants: tuple[Participant, ...] = ()
    notices: tuple[Notice, ...] = ()
    fix_verified_by_run: str = ""
    embargo_ends: datetime | None = None


_NOTIFIED = (CaseState.VENDOR_NOTIFIED, CaseState.FIX_DELIVERED, CaseState.FIX_VERIFIED)


def violations(case: CaseView, now: datetime) -> tuple[str, ...]:
    """Return every violated rule as a sentence; empty when the case is sound."""
    return tuple(sentence for rule in _RULES for sentence in rule(case, now))


def _only_reproduced(case: CaseView, now: datetime) -> list[str]:
    return [
        f"finding {name} is {state.label}: nothing unreproduced may reach a maintainer"
        for name, state in case.findings
        if state != FindingState.IN_CASE and state != FindingState.DUPLICATE
    ]


def _rests_on_a_finding(case: CaseView, now: datetime) -> list[str]:
    reproduced = any(state == FindingState.IN_CASE for _, state in case.findings)
    if reproduced or not (case.participants or case.state in _NOTIFIED):
        return []
    return [
        "no finding of the case was reproduced, yet a vendor or maintainer is in it:"
        " nothing unreproduced may reach a maintainer"
    ]


def _notified_somebody(case: CaseView, now: datetime) -> list[str]:
    if case.state == CaseState.VENDOR_NOTIFIED and not case.participants:
        return ["the case says vendor notified, but nobody was invited"]
    return []


def _fix_was_run(case: CaseView, now: datetime) -> list[str]:
    if case.state == CaseState.FIX_VERIFIED and not case.fix_verified_by_run:
        return ["the fix counts as verified, but no execution is recorded"]
    return []


def _embargo_over(case: CaseView, now: datetime) -> list[str]:
    if case.state != CaseState.PUBLISHED or case.embargo_ends is None or case.embargo_ends <= now:
        return []
    return [
        f"the case is published while the embargo still runs and {participant.party} has not agreed"
        for participant in case.participants
        if not participant.agreed_to_publish
    ]


def _vendor_first(case: CaseView, now: datetime) -> list[str]:
    if case.notices and case.state == CaseState.OPEN:
        return ["operators were notified before the vendor"]
    return []


def _deferral_complete(case: CaseView, now: datetime) -> list[str]:
    found = []
    for notice in case.notices:
        if notice.state != NoticeState.DEFERRED:
            continue
        if not notice.control.strip():
            found.append(f"{notice.operator} deferred without a compensating control")
        if notice.expires is None:
            found.append(f"{notice.operator} deferred without an expiry date")
        elif notice.expires <= now:
            found.append(f"{notice.operator}'s deferral has expired, but still counts")
    return found


def _patch_was_run(case: CaseView, now: datetime) -> list[str]:
    return [
        f"{notice.operator}'s patch counts as verified, but no execution is recorded"
        for notice in case.notices
        if notice.state == NoticeState.VERIFIED and not notice.verified_by_run
    ]


_RULES: tuple[Callable[[CaseView, datetime], list[str]], ...] = (
    _only_reproduced,
    _rests_on_a_finding,
    _notified_somebody,
    _fix_was_run,
    _embargo_over,
    _vendor_first,
    _deferral_complete,
    _patch_was_run,
)
