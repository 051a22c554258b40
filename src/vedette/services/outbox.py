"""Messages on their way out: queued with the act, delivered by a job or by hand.

Rules:
- One delivery at a time goes to a peer, with what is queued for it, oldest first.
- A peer that can't be reached, or that is in trouble, is tried again ever more seldom; after
  `RETRY_AFTER` has run out its messages rest as `given-up`: nothing is lost, and they are queued
  again by hand, when the peer's address changes, or when it takes another message.
- What is no receipt delivers nothing. A receipt settles a message once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q

from vedette.exchange.envelope import Message, seal
from vedette.kernel.canonical import digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, OurFault
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import ledgers, outgoing, posting
from vedette.services.here import here
from vedette.services.jobs import enqueue, job, schedule
from vedette.services.posting import INBOX_PATH, Told, Unreachable
from vedette.store.models import OutMessage, Peer
from vedette.store.rows import insert, update
from vedette.store.tenancy import SYSTEM, scoped

if TYPE_CHECKING:
    import httpx

__all__ = ["INBOX_PATH", "deliver", "find_peer", "queue", "retry", "send_now", "settle"]
log = logging.getLogger("vedette.outbox")
HOUR = 3600
RETRY_AFTER = (5, 30, 120, 600, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, *(24 * HOUR,) * 3)
OPEN = ("queued", "carried", "given-up")
AT_ONCE, BYTES_AT_ONCE = 100, 4 * 1024 * 1024
PATIENCE = 3


@dataclass(frozen=True)
class Waiting:
    """A queued message, as far as a delivery needs it."""

    id: str
    envelope: str


def queue(
    peer: Peer, type_: str, body: Mapping[str, Any], *, thread: str, marking: str, now: datetime
) -> str:
    """Check, sign and queue one message in the open transaction; return its id.

    Raises OurFault where this type or field may not go to that peer: the table is the rule.
    """
    message = compose(peer, type_, body, thread=thread, marking=marking, now=now)
    with scoped(SYSTEM):
        insert(
            OutMessage(
                id=message.id,
                org_id=here().org,
                peer=peer,
                type=type_,
                thread=thread,
                marking=marking,
                digest=digest(message.payload()),
                envelope=json.dumps(seal(message, here().keys)),
                queued_at=now,
            )
        )
    call(peer)
    return message.id


def compose(
    peer: Peer, type_: str, body: Mapping[str, Any], *, thread: str, marking: str, now: datetime
) -> Message:
    """A message that may go to that peer, unsigned. Raises OurFault where the table has none."""
    instance = here()
    row = instance.table.get(type_)
    if row is None:
        raise OurFault(f"message type {type_!r} is not in the table")
    if instance.profile not in row.senders or Profile(peer.profile) not in row.receivers:
        raise OurFault(f"{type_} does not go from {instance.profile} to {peer.profile}")
    content = {name: value for name, value in body.items() if value is not None}
    row.body.check(content, "body")
    return Message(
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


def call(peer: Peer) -> None:
    """Have what is queued for a peer delivered: one job, however many messages there are."""
    with scoped(SYSTEM):
        rows = Peer.objects.filter(keyid=peer.keyid, called=False).exclude(url="")
        if rows.update(called=True):
            enqueue(deliver, peer=peer.keyid)


@job()
def deliver(peer: str) -> None:
    """Deliver what is due to one peer; on a failure set a later try. Idempotent."""
    with transaction.atomic(), scoped(SYSTEM):
        found = Peer.objects.select_for_update().get(keyid=peer)
        # whatever is queued from now on calls for a delivery of its own
        found.called = False
        found.save(update_fields=["called"])
    last = ""
    with outgoing.client(posting.PATIENCE) as client:
        while found.url:
            batch = _due(peer, last)
            if not batch or not _hand_in(client, found, batch):
                break
            last = batch[-1].id


def _due(peer: str, last: str) -> list[Waiting]:
    """The next queued messages, oldest first, within the size of one delivery."""
    found: list[Waiting] = []
    size = 0
    with transaction.atomic(), scoped(SYSTEM):
        rows = _queued(peer).filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=_now()))
        for row in rows.order_by("queued_at", "id")[:AT_ONCE]:
            if not row.envelope:
                _unreadable(row)
                continue
            size += len(row.envelope)
            if found and size > BYTES_AT_ONCE:
                break
            found.append(Waiting(row.id, row.envelope))
    return [] if found and found[-1].id == last else found


def _unreadable(row: OutMessage) -> None:
    """Let rest what was sealed under a key that is gone: it can't be read, nor sent."""
    row.state, row.answer = "given-up", "the key of its window is not here, it can't be read"
    row.save(update_fields=["state", "answer"])


def _queued(peer: str) -> Any:
    return OutMessage.objects.filter(peer_id=peer, state__in=("queued", "carried"))


def _hand_in(client: httpx.Client, peer: Peer, batch: Sequence[Waiting]) -> bool:
    """Hand in a batch; tell whether it is worth going on."""
    try:
        told = posting.post_all(client, peer.url, [each.envelope for each in batch])
    except Unreachable as error:
        _later(peer, str(error))
        return False
    if told is not None:
        settle_all([(each.id, answer) for each, answer in zip(batch, told, strict=True)])
        return True
    return _one_by_one(client, peer, batch)


def _one_by_one(client: httpx.Client, peer: Peer, batch: Sequence[Waiting]) -> bool:
    """Hand in singly, to a peer that takes no batches or stumbles over one of this batch."""
    failures = 0
    for each in batch:
        try:
            answer = posting.post(client, peer.url, each.envelope)
        except Unreachable as error:
            _later(peer, str(error))
            return False
        if answer.settles:
            failures = 0
            settle_all([(each.id, answer)])
            continue
        failures += 1
        if failures == PATIENCE:
            _later(peer, answer.detail)
            return False
        _later(peer, answer.detail, each.id)
    return True


def settle_all(told: Sequence[tuple[str, Told]]) -> None:
    """Record what the receiver said of messages, in one transaction; each is settled once."""
    now = _now()
    with transaction.atomic(), scoped(SYSTEM):
        rows = OutMessage.objects.select_for_update().in_bulk(
            [message_id for message_id, _ in told]
        )
        for message_id, answer in told:
            row = rows.get(message_id)
            if row is not None and row.state in OPEN:
                _settle(row, answer, now)
        revived = {row.peer_id for row in rows.values() if row.state == "delivered"}
        for peer in revived:
            _queue_again(OutMessage.objects.filter(peer_id=peer, state="given-up"))


def settle(message_id: str, answer: Told) -> None:
    """Record what the receiver said of one message."""
    settle_all([(message_id, answer)])


def _settle(row: OutMessage, answer: Told, now: datetime) -> None:
    row.state = "delivered" if answer.taken else "refused"
    row.delivered_at, row.next_attempt_at = now, None
    row.answer = (answer.detail or answer.status)[:500]
    row.attempts += 1
    update(row, "state", "delivered_at", "next_attempt_at", "answer", "attempts")
    event = Event.MESSAGE_MESSAGE_DELIVERED if answer.taken else Event.MESSAGE_MESSAGE_REFUSED
    _record(row, event, now)


def _record(row: OutMessage, event: Event, now: datetime) -> None:
    ledgers.append(
        event=event,
        org=row.org_id,
        role="instance",
        object_id=row.thread or row.id,
        payload={"type": row.type, "answer": row.answer},
        marking=row.marking,
        message_id=row.id,
        now=now,
    )


def _later(peer: Peer, why: str, message_id: str = "") -> None:
    """Set a later try of one message, or of all that are due; give up for now after the last."""
    now = _now()
    with transaction.atomic(), scoped(SYSTEM):
        rows = _queued(peer.keyid).filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=now))
        if message_id:
            rows = rows.filter(id=message_id)
        for attempts in sorted(set(rows.order_by().values_list("attempts", flat=True))):
            _set_back(rows.filter(attempts=attempts), attempts, why, now)
        following = _queued(peer.keyid).exclude(next_attempt_at=None)
        first = following.order_by("next_attempt_at").first()
        if first is not None:
            due = first.next_attempt_at
            schedule(f"deliver to {peer.keyid}", deliver, due, peer=peer.keyid)
    log.info("messages to %s to be tried again: %s", peer.name, why)


def _set_back(rows: Any, attempts: int, why: str, now: datetime) -> None:
    if attempts < len(RETRY_AFTER):
        due = now + timedelta(seconds=RETRY_AFTER[attempts])
        rows.update(attempts=F("attempts") + 1, answer=why[:500], next_attempt_at=due)
        return
    for row in rows.defer("envelope").iterator():
        row.state, row.answer, row.next_attempt_at = "given-up", why[:500], None
        row.save(update_fields=["state", "answer", "next_attempt_at"])
        _record(row, Event.MESSAGE_MESSAGE_GIVEN_UP, now)


def retry(peer: Peer | None = None, message_id: str = "") -> int:
    """Queue again what was given up, or what waits for a later try; return how many.

    For a command or a page: `services.messages.retry` asks for the permission.
    """
    with transaction.atomic(), scoped(SYSTEM):
        rows = OutMessage.objects.filter(state__in=("queued", "given-up"))
        rows = rows.filter(peer=peer) if peer else rows
        rows = rows.filter(id=message_id) if message_id else rows
        peers = list(Peer.objects.filter(keyid__in=rows.values("peer_id").distinct()))
        count = _queue_again(rows)
        for each in peers:
            call(each)
    return count


def _queue_again(rows: Any) -> int:
    return int(rows.update(state="queued", attempts=0, next_attempt_at=None))


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
        peers = list(Peer.objects.exclude(url="").values_list("keyid", flat=True))
        rows = OutMessage.objects.filter(state="queued", peer_id__in=peers)
        rows.update(next_attempt_at=None)
        before = rows.count()
    for peer in peers:
        deliver(peer)
    with transaction.atomic(), scoped(SYSTEM):
        left = OutMessage.objects.filter(state="queued").count()
        still = OutMessage.objects.filter(state="queued", peer_id__in=peers).count()
    return before - still, left


def _now() -> datetime:
    return here().clock.now()
