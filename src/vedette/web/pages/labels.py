"""How findings, cases, participants, fixes and notices are called and look; files of them."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse

from vedette.clearinghouse.mandates import MandateAct, MandateState
from vedette.clearinghouse.remediation import Remediation
from vedette.clearinghouse.states import (
    CaseState,
    FindingState,
    NoticeState,
    ParticipantState,
)
from vedette.kernel.errors import VedetteError
from vedette.web.cells import Kind, State

KINDS: dict[str, dict[str, Kind]] = {
    "finding": {
        FindingState.RECEIVED: "active",
        FindingState.REPRODUCED: "attention",
        FindingState.NOT_REPRODUCED: "ended",
        FindingState.DUPLICATE: "ended",
        FindingState.IN_CASE: "done",
    },
    "case": {
        CaseState.OPEN: "attention",
        CaseState.VENDOR_NOTIFIED: "active",
        CaseState.FIX_DELIVERED: "active",
        CaseState.FIX_VERIFIED: "attention",
        CaseState.PUBLISHED: "done",
        CaseState.CLOSED: "ended",
    },
    "participant": {
        ParticipantState.INVITED: "idle",
        ParticipantState.SILENT: "urgent",
        ParticipantState.NOT_LOOKED: "attention",
        ParticipantState.ACKNOWLEDGED: "active",
        ParticipantState.WORKING: "active",
        ParticipantState.FIXED: "done",
        ParticipantState.NOT_AFFECTED: "ended",
    },
    "fix": {"delivered": "active", "verified": "done", "failed": "urgent"},
    "notice": {
        NoticeState.UNANSWERED: "attention",
        NoticeState.PATCHED: "active",
        NoticeState.VERIFIED: "done",
        NoticeState.DEFERRED: "idle",
        NoticeState.NOT_AFFECTED: "ended",
        "silent": "urgent",
    },
    "remediation": {
        Remediation.NOT_REMEDIATED: "attention",
        Remediation.IN_PROGRESS: "active",
        Remediation.DONE: "done",
        Remediation.NOT_AFFECTED: "ended",
    },
    "mandate": {
        MandateState.OFFERED: "attention",
        MandateState.ASKED: "attention",
        MandateState.IN_FORCE: "done",
        MandateState.ENDED: "ended",
        MandateState.EXPIRED: "ended",
    },
    "verdict": {"affected": "urgent", "unknown": "attention", "unaffected": "ended"},
}
# Where a state's own name would leave it open whether somebody said so.
SAID: dict[str, dict[str, str]] = {
    "participant": {
        ParticipantState.INVITED: "invited, no answer yet",
        ParticipantState.SILENT: "silent: never answered",
        ParticipantState.NOT_LOOKED: "answered: not looked yet",
        ParticipantState.ACKNOWLEDGED: "answered: acknowledged",
        ParticipantState.WORKING: "answered: working on it",
        ParticipantState.FIXED: "answered: fixed",
        ParticipantState.NOT_AFFECTED: "answered: not affected",
    },
    "mandate-act": {MandateAct.STATE: "state VEX, confirm product names"},
    "fix": {"delivered": "waits for its execution", "verified": "verified by execution"},
    "notice": {
        NoticeState.PATCHED: "patched, not verified",
        NoticeState.VERIFIED: "patched and verified",
        "silent": "silent: no answer",
    },
    "remediation": {
        Remediation.IN_PROGRESS: "remediation in progress",
        Remediation.DONE: "remediation done",
    },
    "mandate": {MandateState.ASKED: "asked for"},
    "verdict": {"unknown": "perhaps affected", "unaffected": "no longer found"},
}


def label(of: str, name: str) -> str:
    """A state's name as people say it."""
    return SAID.get(of, {}).get(name, name.replace("-", " "))


def state(of: str, name: str) -> State:
    """A state of a finding, case, participant, fix, notice or verdict, as a tag."""
    return State(label(of, name), KINDS[of].get(name, "idle"))


def choices(of: str) -> list[tuple[str, str]]:
    """Every state of a kind, for a filter; the empty one first."""
    return [("", "any state"), *((name, label(of, name)) for name in KINDS[of])]


def as_file(name: str, document: Any, content_type: str = "application/json") -> HttpResponse:
    """A JSON document to be kept as a file; the browser shows nothing of it."""
    response = HttpResponse(json.dumps(document, indent=1), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def sentences(error: VedetteError) -> str:
    """An error above a page: what happened, what was kept, what to do next."""
    parts = [error.what, f"kept: {error.kept}" if error.kept else "", error.next_step]
    return " ".join(f"{part[0].upper()}{part[1:].rstrip('.')}." for part in parts if part)
