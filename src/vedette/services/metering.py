"""Counting a session's calls, on both sides, and comparing the two counts.

Rules:
- A call is one HTTP attempt with a request id, refused and failed ones too; the same id counts
  once. A call without an answer, or with a status of 400 or more, counts as failed.
- With the session's end each side sends its count; calls that are recorded later have it sent
  anew. The furthest counts of both sides are compared on both sides.
- The ledger gets one entry with the count and its digest when a session ends, and one whenever a
  later count differs: never one a call, so that a burst of calls does not swamp it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum

from vedette.engagement.table import Actor as Side
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, act, instance_actor
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.sides import only, own_side
from vedette.store.models import Act, Call, MeterReport, Session

REQUESTED, OPEN, ENDED, REFUSED = "requested", "open", "ended", "refused"
COUNTS = ("calls", "failed", "input_tokens", "output_tokens", "requests_digest")
MAX_CALLS = 100_000
LARGEST = 10**12


@dataclass(frozen=True)
class Metered:
    """One attempt; status 0 means that no answer came. `refused` is the proxy's reason, if any."""

    request_id: str
    at: datetime
    status: int
    input_tokens: int = 0
    output_tokens: int = 0
    milliseconds: int = 0
    refused: str = ""
    build: str = ""
    probe: bool = False


def end_all(doing: Doing, row: Act, reason: str) -> None:
    """End every session of an act that is not over."""
    for session in row.sessions.filter(state__in=(REQUESTED, OPEN)).order_by("requested_at", "id"):
        end(doing, session, reason)


def end(doing: Doing, session: Session, reason: str, message_id: str = "") -> None:
    """End one session, tell the office, and count; ending it twice changes nothing."""
    if session.state not in (REQUESTED, OPEN):
        return
    opened = session.state == OPEN
    session.state, session.ended_at, session.reason = ENDED, doing.now, reason[:500]
    session.save(update_fields=["state", "ended_at", "reason"])
    if own_side() == Side.LAB:
        message_id = _send(doing, session, "access.ended", {"reason": reason[:300]})
    doing.record(
        Event.ACCESS_SESSION_ENDED,
        session.id,
        {"reason": reason, "refusals": session.refusals},
        marking=session.act.marking,
        message_id=message_id,
    )
    if opened:
        report(doing, session)


def _send(doing: Doing, session: Session, type_: str, body: Mapping[str, Any]) -> str:
    if session.early_id:  # a partner's session is no matter of the office's
        return ""
    return doing.send(
        session.act.peer,
        type_,
        {"session": session.id, **body},
        thread=session.act_id,
        marking=session.act.marking,
    )


def record_call(session_id: str, call: Metered) -> bool:
    """Count one attempt; False where its request id is counted already."""
    with act(instance_actor(), None) as doing:
        session = _locked(session_id)
        return record(doing, session, [call]) == 1


def record_calls(actor: Actor, session_id: str, calls: Iterable[Metered]) -> int:
    """Count the attempts that the office's run made; return how many are new."""
    with act(actor, Permission.RUN_START) as doing:
        only(Profile.OFFICE, actor)
        return record(doing, _locked(session_id), list(calls))


def _locked(session_id: str) -> Session:
    rows = Session.objects.select_related("act", "act__peer").select_for_update(of=("self",))
    session = rows.filter(id=session_id).first()
    if session is None:
        raise NotFound(f"session {session_id[:40]!r} is not here")
    return session


def record(doing: Doing, session: Session, calls: list[Metered], *, tell: bool = True) -> int:
    """Count attempts; where the session is over, `tell` sends its count anew."""
    if len(calls) > MAX_CALLS:
        raise BadInput(f"calls: {len(calls):,}, at most {MAX_CALLS:,} at once")
    known = set(session.calls.values_list("request_id", flat=True)) if len(calls) > 1 else set()
    if len(calls) == 1:
        known = set(
            session.calls.filter(request_id=calls[0].request_id).values_list(
                "request_id", flat=True
            )
        )
    new = {call.request_id: call for call in calls if call.request_id not in known}
    Call.objects.bulk_create([_row(session, call) for call in new.values()], batch_size=500)
    session.calls_used += len(new)
    session.tokens_used += sum(c.input_tokens + c.output_tokens for c in new.values())
    session.save(update_fields=["calls_used", "tokens_used"])
    if new and tell and session.state == ENDED:
        report(doing, session)
    return len(new)


def _row(session: Session, call: Metered) -> Call:
    if not call.request_id or len(call.request_id) > 64:
        raise BadInput("request_id: 1 to 64 characters expected")
    if not (0 <= call.input_tokens <= LARGEST and 0 <= call.output_tokens <= LARGEST):
        raise BadInput("tokens: a whole number of at least 0 expected")
    return Call(
        org_id=session.org_id,
        session=session,
        request_id=call.request_id,
        at=call.at,
        status=call.status,
        refused=call.refused[:200],
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        milliseconds=max(0, min(call.milliseconds, 2**31 - 1)),
        build=call.build[:40],
        probe=call.probe,
    )


def counts(session: Session) -> dict[str, Any]:
    """This side's count of a session, as it crosses."""
    rows = session.calls
    sums = rows.aggregate(
        calls=Count("pk"),
        failed=Count("pk", filter=Q(status=0) | Q(status__gte=400)),
        input_tokens=Sum("input_tokens"),
        output_tokens=Sum("output_tokens"),
    )
    found = hashlib.sha256()
    for request_id in rows.order_by("request_id").values_list("request_id", flat=True).iterator():
        found.update(request_id.encode() + b"\n")
    return {
        **{name: value or 0 for name, value in sums.items()},
        "requests_digest": f"sha256:{found.hexdigest()}",
    }


def report(doing: Doing, session: Session) -> None:
    """Send this side's count where it differs from the last one sent, and compare."""
    own, side = counts(session), str(own_side())
    last = _newest(session, side)
    if last == own:
        return
    _keep(doing, session, side, own)
    message_id = _send(doing, session, "access.metered", own)
    doing.record(
        Event.ACCESS_CALL_METERED,
        session.id,
        own,
        marking=session.act.marking,
        message_id=message_id,
    )
    _compare(doing, session, message_id)


def _newest(session: Session, side: str) -> dict[str, Any] | None:
    found = session.reports.filter(side=side).values_list("counts", flat=True)
    return max(found, key=_progress, default=None)


def _progress(found: Mapping[str, Any]) -> tuple[int, int, int]:
    """Counts only grow, and a call under way counts as failed: so later counts are told apart
    from earlier ones whatever the order in which they arrive."""
    return found["calls"], found["input_tokens"] + found["output_tokens"], -found["failed"]


def _keep(doing: Doing, session: Session, side: str, found: Mapping[str, Any]) -> None:
    row = MeterReport(
        org_id=session.org_id, session=session, side=side, counts=dict(found), at=doing.now
    )
    row.save(force_insert=True)


@handles("access.metered")
def on_metered(arrival: Arrival) -> None:
    """The other side's count arrives."""
    session = arrived_session(arrival)
    side = Side.OFFICE if own_side() == Side.LAB else Side.LAB
    found = {name: arrival.body[name] for name in COUNTS}
    _keep(arrival.doing, session, str(side), found)
    _compare(arrival.doing, session, arrival.message.id)


def arrived_session(arrival: Arrival) -> Session:
    """The session that a message is about, if it is one with that sender. Raises NotYet."""
    rows = Session.objects.select_related("act", "act__peer").select_for_update(of=("self",))
    found = rows.filter(id=arrival.body["session"], act__peer_id=arrival.peer.keyid).first()
    if found is None:
        raise NotYet(f"session {arrival.body['session']} has not arrived")
    return found


def _compare(doing: Doing, session: Session, message_id: str) -> None:
    found = compare_meters(session)
    if found["agree"] is None:
        return
    doing.record(
        Event.ACCESS_METERS_COMPARED,
        session.id,
        found,
        marking=session.act.marking,
        message_id=message_id,
    )


def compare_meters(session: Session) -> dict[str, Any]:
    """Both sides' furthest counts: `{"lab", "office", "agree", "differences"}`.

    `agree` is None while one side's count is missing; `differences` has name: [lab's, office's].
    """
    lab, office = _newest(session, str(Side.LAB)), _newest(session, str(Side.OFFICE))
    if lab is None or office is None:
        return {"lab": lab, "office": office, "agree": None, "differences": {}}
    differences = {n: [lab[n], office[n]] for n in COUNTS if lab[n] != office[n]}
    return {"lab": lab, "office": office, "agree": not differences, "differences": differences}
