"""The access record of a window, made on each side from its own evidence, and compared.

Rules:
- A light heartbeat looks whether the model is there: the office asks the proxy under its session
  (no call, counted nowhere), the lab's instance connects to its own endpoint and says nothing.
- With the window's end each side sends its record, and again when its evidence changes; the newest
  of both are compared on both sides, and a difference is a fact, not a fault.
- What the lab withheld is what it wrote in the dossier fields that came with the offer.
"""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from vedette.engagement import record as rules
from vedette.engagement.acts import ActKind
from vedette.engagement.record import CallSeen, Evidence
from vedette.engagement.table import Actor as Side
from vedette.engagement.targets import Reach
from vedette.engagement.window import is_open
from vedette.kernel.errors import VedetteError
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.services import outgoing, reaching, windows
from vedette.services.acting import Actor, Doing, act, instance_actor, reading
from vedette.services.credentials import open_credential
from vedette.services.here import here
from vedette.services.inbox import Arrival, handles
from vedette.services.jobs import job, schedule
from vedette.services.metering import OPEN
from vedette.services.sides import arrived_act, find_act, own_side, stamp
from vedette.store.models import AccessRecord, Act, Call, ModelEndpoint, Reachable

WITHHELD = ("access-level", "withheld", "withheld-reasons", "safeguards")
BEAT_SECONDS = 10.0
SETTLES_AFTER = timedelta(minutes=10)


def begin(doing: Doing, row: Act) -> None:
    """Have the heartbeat begin, and the record made at the window's end."""
    assert row.closes is not None
    schedule(f"beat {row.id}", beat, doing.now, act_id=row.id)
    schedule(f"record {row.id}", settle, row.closes + SETTLES_AFTER, act_id=row.id)


@job()
def beat(act_id: str) -> None:
    """Look once whether the model is there, and set the next look. Idempotent enough."""
    with reading(instance_actor()):
        row = Act.objects.select_related("peer").filter(id=act_id).first()
        now = here().clock.now()
        if row is None:
            return
        over, side = not is_open(windows.window_of(row), now), own_side()
    if over:
        settle(act_id)
        return
    up = _lab_sees(row) if side == Side.LAB else _office_sees(row)
    every = timedelta(minutes=here().pack.integer("access", "heartbeat_minutes"))
    with act(instance_actor(), None) as doing:
        if up is not None:
            _note(doing, row, up, every)
        schedule(f"beat {row.id}", beat, doing.now + every, act_id=row.id)


def _note(doing: Doing, row: Act, up: bool, every: timedelta) -> None:
    last = row.beats.order_by("-until", "-pk").first()
    if last is not None and last.up == up and doing.now - last.until <= 2 * every:
        last.until, last.beats = doing.now, last.beats + 1
        last.save(update_fields=["until", "beats"])
        return
    Reachable(org_id=row.org_id, act=row, up=up, since=doing.now, until=doing.now, beats=1).save(
        force_insert=True
    )


def _lab_sees(row: Act) -> bool | None:
    """Whether the endpoint takes a connection; nothing is sent."""
    with reading(instance_actor()):
        endpoint = ModelEndpoint.objects.filter(model=row.model).first()
    if endpoint is None:
        return None
    parts = urlsplit(endpoint.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        for address in reaching.accepted(Reach(endpoint.reach), parts.hostname or "", port):
            with socket.create_connection((address, port), BEAT_SECONDS):
                return True
    except OSError:
        pass
    return False


def _office_sees(row: Act) -> bool | None:
    """Whether the proxy says that the session stands and the model is there."""
    with reading(instance_actor()):
        session = row.sessions.filter(state=OPEN).order_by("opened_at", "id").first()
    if session is None:
        return None
    try:
        opened = open_credential(instance_actor(), session.id)
    except VedetteError:
        return None
    headers = {"Authorization": f"Bearer {opened.credential}", "Accept-Encoding": "identity"}
    try:
        with (
            outgoing.client(BEAT_SECONDS) as client,
            client.stream("GET", f"{opened.url}/alive", headers=headers) as answer,
        ):
            data = next(answer.iter_raw(4096), b"")
            return answer.status_code == 200 and b'"model": false' not in data
    except httpx.HTTPError:
        return False


def evidence_of(row: Act) -> tuple[list[CallSeen], list[Evidence]]:
    """What this side saw of a window's model."""
    names = ("at", "status", "refused", "ended", "odd", "probe")
    calls = Call.objects.filter(session__act=row).order_by("at").values(*names)
    seen = [CallSeen(**call) for call in calls.iterator()]
    beats = []
    for span in row.beats.order_by("since"):
        step = (span.until - span.since) / max(1, span.beats - 1)
        beats += [Evidence(span.since + k * step, span.up) for k in range(span.beats)]
    return seen, beats


def record_of(row: Act) -> dict[str, Any]:
    """This side's record as of now."""
    instance = here()
    every = timedelta(minutes=instance.pack.integer("access", "heartbeat_minutes"))
    calls, beats = evidence_of(row)
    now = instance.clock.now()
    made = rules.make_record(windows.window_of(row), now, calls, beats, 2 * every)
    return made.to_json()


@job()
def settle(act_id: str) -> None:
    """Send this side's record of a window that is over, where it changed since. Idempotent."""
    with act(instance_actor(), None) as doing:
        row = Act.objects.select_related("peer").filter(id=act_id).first()
        if row is None or row.kind != ActKind.ACCESS_WINDOW or row.opens is None:
            return
        if doing.now >= windows.window_of(row).until:
            share(doing, row)


def share(doing: Doing, row: Act) -> None:
    """Send this side's record of a window, unless it was sent as it is now."""
    own, side = record_of(row), str(own_side())
    last = newest(row, side)
    if last == own:
        return
    message_id = doing.send(
        row.peer,
        "access.recorded",
        {"act": row.id, "record": own},
        thread=row.id,
        marking=row.marking,
    )
    _keep(doing, row, side, own)
    doing.record(Event.ACCESS_RECORD_MADE, row.id, own, marking=row.marking, message_id=message_id)


def _keep(doing: Doing, row: Act, side: str, document: Any) -> None:
    AccessRecord(org_id=row.org_id, act=row, side=side, document=document, at=doing.now).save(
        force_insert=True
    )


def newest(row: Act, side: str) -> dict[str, Any] | None:
    """The record that counts of one side: the one with the most calls in it, then the latest."""
    rows = [made.document for made in row.records.filter(side=side).order_by("at", "pk")]
    return max(rows, key=lambda d: (d["open_seconds"], d["calls"], -d["failed"]), default=None)


@handles("access.recorded")
def on_recorded(arrival: Arrival) -> None:
    """The other side's record arrives."""
    row, side = arrived_act(arrival), Side.OFFICE if own_side() == Side.LAB else Side.LAB
    document = rules.read(arrival.body["record"])
    _keep(arrival.doing, row, str(side), document)
    arrival.doing.record(
        Event.ACCESS_RECORD_RECEIVED,
        row.id,
        document,
        marking=row.marking,
        message_id=arrival.message.id,
    )


def record_view(actor: Actor, act_id: str) -> dict[str, Any]:
    """Both sides' records of a window, what they differ in, and what was withheld."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        row = find_act(act_id)
        side = own_side()
        own = record_of(row)
        other_side = Side.OFFICE if side == Side.LAB else Side.LAB
        other = newest(row, str(other_side))
        pair = (own, other) if side == Side.LAB else (other, own)
        return {
            "lab": pair[0],
            "office": pair[1],
            "own": str(side),
            "differences": rules.differences(*pair) if pair[0] and pair[1] else {},
            "withheld": {k: v for k, v in (row.dossier or {}).items() if k in WITHHELD},
            "limits": rules.limits(own, other) if side == Side.OFFICE else [],
            "as_of": stamp(here().clock.now()),
        }


def limits_of(row: Act) -> list[str]:
    """What the access limits, for an assessment: by the office's record and the dossier's word."""
    said = rules.limits(record_of(row), newest(row, str(Side.LAB)))
    withheld = (row.dossier or {}).get("withheld", "").strip()
    if withheld:
        said.append(
            f"By the lab's word, withheld from the access: {' '.join(withheld.split())[:500]}."
        )
    level = (row.dossier or {}).get("access-level", "")
    if level:
        said.append(f"The access was at level {level[:20]}.")
    return said
