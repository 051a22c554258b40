"""What operators tell the clearinghouse of an advisory, and what it knows from that.

Rules:
- Only the answer crosses: the notice's id, the advisory, the state, and the control and expiry of a
  deferral. No inventory and no match does.
- An answer once given is kept true: its verification, failure or taking back follows it.
- Silence is told apart from not affected; a deferral past its expiry is silence again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vedette.clearinghouse.states import NoticeState
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, reading
from vedette.services.here import here
from vedette.services.inbox import Arrival, handles
from vedette.services.sides import only
from vedette.store.models import Advisory, Mandate, Notice, OperatorAnswer, Organisation, Peer
from vedette.store.tenancy import SYSTEM, scoped

SILENT = "silent"
DEPLOYED = (NoticeState.PATCHED, NoticeState.VERIFIED)
# The state that counts for an operator with several systems: its least advanced one.
_WORST_FIRST = (
    NoticeState.UNANSWERED,
    NoticeState.DEFERRED,
    NoticeState.PATCHED,
    NoticeState.VERIFIED,
    NoticeState.NOT_AFFECTED,
)


def tell(doing: Doing, notice: Notice) -> None:
    """Tell the clearinghouse the notice's state, within the act that changed it."""
    if doing.here.profile == Profile.CLEARINGHOUSE:
        with scoped(SYSTEM):  # a delegate's eyes do not reach what the operator is told of it
            name = Organisation.objects.get(id=notice.org_id).name
            through = Mandate.objects.filter(id=notice.mandate).values_list("delegate_name")
            body = {**_body(doing, notice), "delegate": next((n for (n,) in through), "")}
            _keep(notice.org_id, None, name, notice.id, body, doing.now)
        return
    with scoped(SYSTEM):
        peers = list(Peer.objects.filter(profile=Profile.CLEARINGHOUSE).order_by("name"))
    for peer in peers:
        body = {"notice": notice.id, **_body(doing, notice)}
        doing.send(peer, "notice.answered", body, thread=notice.id, marking=notice.marking)


def _body(doing: Doing, notice: Notice) -> dict[str, Any]:
    deferred = notice.state == NoticeState.DEFERRED
    return {
        "advisory": notice.advisory,
        "state": notice.state,
        "control": notice.control if deferred else "",
        "expires": format_time(notice.expires_at) if deferred and notice.expires_at else None,
        "answered": format_time(doing.now),
    }


@handles("notice.answered")
def on_answer(arrival: Arrival) -> None:
    """Keep what an operator's own instance says."""
    doing, peer = arrival.doing, arrival.peer
    _keep(here().org, peer, peer.name, arrival.body["notice"], arrival.body, doing.now)
    doing.record(
        Event.OPERATOR_NOTICE_ANSWERED,
        arrival.body["notice"],
        {"advisory": arrival.body["advisory"], "state": arrival.body["state"]},
        marking=arrival.message.marking,
        message_id=arrival.message.id,
    )


def _keep(
    org: str, peer: Peer | None, operator: str, notice: str, body: Any, now: datetime
) -> None:
    expires = body.get("expires")
    OperatorAnswer(
        org_id=org,
        peer=peer,
        operator=operator,
        notice=notice,
        advisory=body["advisory"],
        state=body["state"],
        control=body.get("control") or "",
        expires_at=parse_time(expires, field="expires") if expires else None,
        delegate=body.get("delegate", ""),
        answered_at=parse_time(body["answered"], field="answered"),
        received_at=now,
    ).save(force_insert=True)


def answers_for(actor: Actor, advisory: str) -> dict[str, Any]:
    """What every operator that this clearinghouse knows says of an advisory, silence included.

    Returns {"advisory", "names", "operators": [{"operator", "state", "control", "expires_at",
    "answered_at", "systems", "through": [delegates]}], "counts": {state: n},
    "over_time": [{"at", "deployed", "concerned"}]}; `concerned` are all operators but those who say
    that they are not affected, `through` names the delegates that answered for the operator.
    """
    only(Profile.CLEARINGHOUSE, actor)
    with reading(actor, Permission.NOTICE_SEND) as instance:
        names = _names(advisory)
        rows = list(OperatorAnswer.objects.filter(advisory__in=names).order_by("answered_at", "pk"))
        known = _operators()
        now = instance.clock.now()
    latest = {(row.org_id, row.operator, row.notice): row for row in rows}
    by_operator: dict[str, list[OperatorAnswer]] = {name: [] for name in known}
    for row in latest.values():
        by_operator.setdefault(row.operator, []).append(row)
    operators = [_operator(name, own, now) for name, own in sorted(by_operator.items())]
    states = [each["state"] for each in operators]
    return {
        "advisory": advisory,
        "names": names,
        "operators": operators,
        "counts": {state: states.count(state) for state in sorted(set(states))},
        "over_time": _over_time(rows, sorted(by_operator)),
    }


def _names(advisory: str) -> list[str]:
    """The advisory's id with the records that it corrects and its aliases."""
    row = Advisory.objects.filter(tracking_id=advisory).first()
    if row is None:
        return [advisory]
    return list(dict.fromkeys([advisory, *row.corrects, *row.osv.get("aliases", [])]))


def _operators() -> list[str]:
    peers = Peer.objects.filter(profile=Profile.OPERATOR).values_list("name", flat=True)
    hosted = Organisation.objects.filter(kind="operator", host=False)
    return sorted({*peers, *hosted.values_list("name", flat=True)})


def state_of(rows: Iterable[OperatorAnswer], now: datetime) -> str:
    """An operator's state over its systems at `now`; "silent" where it says nothing that holds."""
    states = {_standing(row, now) for row in rows}
    worst = next((state for state in _WORST_FIRST if state in states), NoticeState.UNANSWERED)
    return SILENT if worst == NoticeState.UNANSWERED else str(worst)


def _standing(row: OperatorAnswer, now: datetime) -> str:
    expired = row.expires_at is not None and row.expires_at <= now
    return NoticeState.UNANSWERED if expired else row.state


def _operator(name: str, rows: list[OperatorAnswer], now: datetime) -> dict[str, Any]:
    state = state_of(rows, now)
    last = max(rows, key=lambda row: row.answered_at, default=None)
    deferred = [row for row in rows if _standing(row, now) == NoticeState.DEFERRED]
    expiries = [row.expires_at for row in deferred if row.expires_at]
    return {
        "operator": name,
        "state": state,
        "control": "; ".join(dict.fromkeys(row.control for row in deferred)),
        "expires_at": format_time(min(expiries)) if expiries else None,
        "answered_at": format_time(last.answered_at) if last else None,
        "systems": len(rows),
        "through": sorted({row.delegate for row in rows} - {""}),
    }


def _over_time(rows: list[OperatorAnswer], operators: list[str]) -> list[dict[str, Any]]:
    """After each moment of an answer: how many operators have the fix, of how many concerned."""
    points: dict[str, dict[str, Any]] = {}
    latest: dict[str, dict[str, OperatorAnswer]] = {name: {} for name in operators}
    for row in rows:
        latest.setdefault(row.operator, {})[row.notice] = row
        states = [state_of(own.values(), row.answered_at) for own in latest.values()]
        at = format_time(row.answered_at)
        points[at] = {
            "at": at,
            "deployed": sum(state in DEPLOYED for state in states),
            "concerned": sum(state != NoticeState.NOT_AFFECTED for state in states),
        }
    return list(points.values())
