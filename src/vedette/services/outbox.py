"""Messages on their way out: queued with the act, delivered by a retried job or by hand."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from django.db import transaction

from vedette.exchange.envelope import Message, seal
from vedette.exchange.messages import BY_NAME
from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, OurFault
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import ledgers
from vedette.services.here import here
from vedette.services.jobs import enqueue, job, schedule
from vedette.store.models import InMessage, OutMessage, Peer
from vedette.store.tenancy import SYSTEM, scoped

log = logging.getLogger("vedette.outbox")
INBOX_PATH = "/exchange/v1/inbox"
RETRY_AFTER = (5, 30, 120, 600, 3600)
# what an inbox answers; anything else comes from something in between, or from a peer in trouble
SETTLING = (200, 202, 413, 422)
ANSWER = Bounds(size=64 * 1024, depth=8, count=1000)
PATIENCE = 30.0


def queue(
    peer: Peer, type_: str, body: Mapping[str, Any], *, thread: str, marking: str, now: datetime
) -> str:
    """Check, sign and queue one message in the open transaction; return its id.

    Raises OurFault where this type or field may not go to that peer: the table is the rule.
    """
    instance = here()
    row = BY_NAME.get(type_)
    if row is None:
        raise OurFault(f"message type {type_!r} is not in the table")
    if instance.profile not in row.senders or Profile(peer.profile) not in row.receivers:
        raise OurFault(f"{type_} does not go from {instance.profile} to {peer.profile}")
    content = {name: value for name, value in body.items() if value is not None}
    row.body.check(content, "body")
    message = Message(
        id=new_id("msg"),
        type=type_,
        version=row.version,
        sender=instance.keys.public.keyid,
        receiver=peer.keyid,
        sent_at=format_time(now),
        marking=marking,
        thread=thread,
        body=content,
    )
    with scoped(SYSTEM):
        OutMessage(
            id=message.id,
            org_id=instance.org,
            peer=peer,
            type=type_,
            thread=thread,
            marking=marking,
            envelope=json.dumps(seal(message, instance.keys)),
            queued_at=now,
        ).save(force_insert=True)
    if peer.url:
        enqueue(deliver, message_id=message.id)
    return message.id


@job()
def deliver(message_id: str) -> None:
    """Deliver one queued message by HTTP; on a failure set a later try. Idempotent."""
    with transaction.atomic(), scoped(SYSTEM):
        row = OutMessage.objects.select_related("peer").filter(id=message_id).first()
        if row is None or row.state != "queued" or not row.peer.url:
            return
        url, envelope = row.peer.url + INBOX_PATH, row.envelope
    if not envelope:
        _later(message_id, "the key of its window is not here, it can't be read")
        return
    try:
        status, answer = _post(url, envelope)
    except (httpx.HTTPError, httpx.InvalidURL, BadInput, ValueError) as error:
        _later(message_id, str(error) or type(error).__name__)
    else:
        settle(message_id, status, answer)


def _post(url: str, envelope: str) -> tuple[int, Mapping[str, Any]]:
    """Hand in one envelope; return the status and what the peer says, both within bounds."""
    end = time.monotonic() + PATIENCE
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    content = b""
    with (
        httpx.Client(timeout=PATIENCE, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", url, content=envelope, headers=headers) as answer,
    ):
        if answer.status_code not in SETTLING:
            return answer.status_code, {}
        # raw: what a peer compresses may unfold without bound
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > ANSWER.size:
                raise BadInput(f"answer: more than {ANSWER.size:,} bytes")
            if time.monotonic() > end:
                raise BadInput(f"answer: not whole after {PATIENCE:g} seconds")
    told = read_json(content, source="answer", bounds=ANSWER) if content else {}
    if not isinstance(told, dict):
        raise BadInput("answer: object expected")
    return answer.status_code, told


def settle(message_id: str, status: int, answer: Mapping[str, Any]) -> None:
    """Record what the receiver said of a message; what is no receipt is tried again."""
    now = here().clock.now()
    if status not in SETTLING:
        _later(message_id, f"HTTP {status}")
        return
    state = "delivered" if status in (200, 202) else "refused"
    with transaction.atomic(), scoped(SYSTEM):
        row = OutMessage.objects.select_for_update().get(id=message_id)
        if row.state != "queued":
            return
        row.state, row.delivered_at = state, now
        row.answer = str(answer.get("detail") or answer.get("status") or status)[:500]
        row.attempts += 1
        row.save()
        ledgers.append(
            event=Event.MESSAGE_MESSAGE_DELIVERED
            if state == "delivered"
            else Event.MESSAGE_MESSAGE_REFUSED,
            org=row.org_id,
            role="instance",
            object_id=row.thread or row.id,
            payload={"type": row.type, "answer": row.answer},
            marking=row.marking,
            message_id=row.id,
            now=now,
        )


def _later(message_id: str, why: str) -> None:
    now = here().clock.now()
    with transaction.atomic(), scoped(SYSTEM):
        row = OutMessage.objects.select_for_update().get(id=message_id)
        row.attempts += 1
        row.answer = why[:500]
        wait = RETRY_AFTER[min(row.attempts, len(RETRY_AFTER)) - 1]
        row.next_attempt_at = now + timedelta(seconds=wait)
        row.save(update_fields=["attempts", "answer", "next_attempt_at"])
        schedule(f"deliver {message_id}", deliver, row.next_attempt_at, message_id=message_id)
    log.info("message %s to be tried again: %s", message_id, why)


def waiting(peer: str = "") -> list[OutMessage]:
    """Messages not yet delivered, oldest first."""
    rows = (
        OutMessage.objects.select_related("peer").filter(state="queued").order_by("queued_at", "id")
    )
    return list(rows.filter(peer__name=peer) if peer else rows)


def find_peer(name_or_key: str) -> Peer:
    """A peer by its name or the beginning of its key id. Raises BadInput."""
    rows = list(Peer.objects.filter(name=name_or_key)) or list(
        Peer.objects.filter(keyid__startswith=name_or_key)
    )
    if len(rows) != 1:
        raise BadInput(
            f"peer {name_or_key[:60]!r}: {len(rows)} fit", next_step="vedette exchange peer list"
        )
    return rows[0]


def send_now() -> tuple[int, int]:
    """Try every queued message that has an address; return (settled, still queued)."""
    with transaction.atomic(), scoped(SYSTEM):
        ids = [row.id for row in waiting() if row.peer.url]
    for message_id in ids:
        deliver(message_id)
    with transaction.atomic(), scoped(SYSTEM):
        left = len(waiting())
        still = OutMessage.objects.filter(id__in=ids, state="queued").count()
    return len(ids) - still, left


def export_waiting(file: Path, peer: str = "") -> int:
    """Write queued messages to `file`, one envelope a line, and count them as handed over."""
    now = here().clock.now()
    with transaction.atomic(), scoped(SYSTEM):
        if peer:
            peer = find_peer(peer).name
        rows = [row for row in waiting(peer) if row.envelope]
        partial = file.with_name(file.name + ".partial")
        partial.write_text("".join(row.envelope + "\n" for row in rows), encoding="utf-8")
        for row in rows:
            row.state, row.delivered_at, row.answer = "delivered", now, f"by file {file.name}"[:500]
            row.save(update_fields=["state", "delivered_at", "answer"])
        partial.replace(file)
    return len(rows)


def status() -> dict[str, Any]:
    """Counts of messages by state on both sides, and the open ones with their reason."""
    with transaction.atomic(), scoped(SYSTEM):
        counts: dict[str, dict[str, int]] = {"out": {}, "in": {}}
        for side, model in (("out", OutMessage), ("in", InMessage)):
            for state in model.objects.values_list("state", flat=True):
                counts[side][state] = counts[side].get(state, 0) + 1
        out = [
            {"id": m.id, "type": m.type, "state": m.state, "why": m.answer}
            for m in OutMessage.objects.exclude(state="delivered").order_by("queued_at")[:200]
        ]
        came = [
            {"id": m.message_id or f"in-{m.pk}", "type": m.type, "state": m.state, "why": m.reason}
            for m in InMessage.objects.exclude(state="handled").order_by("pk")[:200]
        ]
    return {"counts": counts, "open": out + came}
