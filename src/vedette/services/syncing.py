"""After a loss, two peers find out what is missing, and both have it again.

A lost file, or a database brought back from a backup, leaves one side without messages that the
other holds. Each tells the other sums over what it has sent and taken (`exchange.have`).

Rules:
- What we sent and the peer has not taken, we queue again.
- What the peer sent and no longer knows of, we give back as it signed it (`exchange.returned`);
  it enters that side's outbox as delivered, and its ledger.
- Refused messages, and those of this very exchange, count on neither side.
- Messages on their way make sums differ for a while; handing them in twice changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vedette.exchange.envelope import open_envelope, read_message
from vedette.exchange.have import bucket_of, buckets_for, differing, size_of, sums
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking, join
from vedette.kernel.permissions import Permission
from vedette.services import outbox
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.handling import Arrival, handles
from vedette.store.models import InMessage, OutMessage, Peer

OWN = ("exchange.have", "exchange.receipt", "exchange.returned")
UNTAKEN = ("refused", "pointer")
MARKING = "TLP:AMBER"
RETURNED_BYTES, RETURNED_COUNT = 8 * 1024 * 1024, 500
AT_ONCE = 500
Rows = Iterator[tuple[str, str]]


def compare(actor: Actor, peer: str = "") -> list[str]:
    """Tell one peer, or all, what we have of each other's messages; return their names."""
    with act(actor, Permission.MESSAGE_SEND) as doing:
        peers = [outbox.find_peer(peer)] if peer else list(Peer.objects.order_by("name"))
        for each in peers:
            _tell(doing, each, answer=True)
        return [each.name for each in peers]


def _tell(doing: Doing, peer: Peer, *, answer: bool) -> None:
    largest = max(_sent(peer).count(), _taken(peer).count())
    buckets = buckets_for(largest)
    body = {
        "sent": sums(_pairs(_sent(peer), "id"), buckets),
        "taken": sums(_pairs(_taken(peer), "message_id"), buckets),
        "answer": answer,
    }
    doing.send(peer, "exchange.have", body, thread="", marking=MARKING)


def _sent(peer: Peer) -> Any:
    rows = OutMessage.objects.filter(peer=peer).exclude(state="refused").exclude(type__in=OWN)
    return rows.order_by()


def _taken(peer: Peer) -> Any:
    rows = InMessage.objects.filter(sender=peer.keyid).exclude(state__in=UNTAKEN)
    return rows.exclude(type__in=OWN).order_by()


def _pairs(rows: Any, key: str) -> Rows:
    yield from rows.values_list(key, "digest").iterator(5000)


@handles("exchange.have")
def on_have(arrival: Arrival) -> None:
    """Hand over again what the peer lacks, give back what it lost, and say so."""
    doing, peer, body = arrival.doing, arrival.peer, arrival.body
    lacking = _differing(_sent(peer), "id", body["taken"])
    lost = _differing(_taken(peer), "message_id", body["sent"])
    found = {
        "agree": not lacking and not lost,
        "sent": _sent(peer).count(),
        "taken_there": body["taken"]["count"],
        "taken": _taken(peer).count(),
        "sent_there": body["sent"]["count"],
        "queued_again": _queue_again(peer, lacking, body["taken"]),
        "given_back": _give_back(doing, peer, lost, body["sent"]),
    }
    peer.compared, peer.compared_at = found, doing.now
    peer.save(update_fields=["compared", "compared_at"])
    doing.record(
        Event.MESSAGE_PEERS_COMPARED, peer.keyid[:16], found, message_id=arrival.message.id
    )
    if body["answer"]:
        _tell(doing, peer, answer=False)


def _differing(rows: Any, key: str, told: Mapping[str, Any]) -> frozenset[int]:
    return differing(sums(_pairs(rows, key), size_of(told)), told)


def _within(rows: Any, key: str, buckets: frozenset[int], told: Mapping[str, Any]) -> list[str]:
    size = size_of(told)
    return [each for each, _ in _pairs(rows, key) if bucket_of(each, size) in buckets]


def _queue_again(peer: Peer, buckets: frozenset[int], told: Mapping[str, Any]) -> int:
    """Queue again what the peer says it has not taken; what is on its way goes on its way."""
    rows = _sent(peer).filter(state="delivered")
    ids = _within(rows, "id", buckets, told) if buckets else []
    for start in range(0, len(ids), AT_ONCE):
        part = OutMessage.objects.filter(id__in=ids[start : start + AT_ONCE])
        part.update(state="queued", attempts=0, next_attempt_at=None, delivered_at=None)
    if ids:
        outbox.call(peer)
    return len(ids)


def _give_back(doing: Doing, peer: Peer, buckets: frozenset[int], told: Mapping[str, Any]) -> int:
    """Give envelopes back to their sender, who may have lost them."""
    ids = _within(_taken(peer), "message_id", buckets, told) if buckets else []
    batch: list[Any] = []
    size = 0
    for message_id in ids:
        row = InMessage.objects.exclude(state__in=UNTAKEN).get(
            message_id=message_id, sender=peer.keyid
        )
        if not row.envelope:
            continue
        if batch and (size + len(row.envelope) > RETURNED_BYTES or len(batch) == RETURNED_COUNT):
            _return(doing, peer, batch)
            batch, size = [], 0
        batch.append(row)
        size += len(row.envelope)
    if batch:
        _return(doing, peer, batch)
    return len(ids)


def _return(doing: Doing, peer: Peer, rows: list[Any]) -> None:
    marking = str(join(Marking.parse(row.marking) for row in rows))
    body = {"envelopes": [json.loads(row.envelope) for row in rows]}
    doing.send(peer, "exchange.returned", body, thread="", marking=marking)


@handles("exchange.returned")
def on_returned(arrival: Arrival) -> None:
    """Take back messages of our own that were lost here; each must bear our signature."""
    doing = arrival.doing
    own = doing.here.keys.public
    for envelope in arrival.body["envelopes"]:
        data = json.dumps(envelope)
        opened = open_envelope(data.encode())
        if not opened.verify(own):
            raise BadInput("envelopes: one does not bear this instance's signature")
        message = read_message(opened.payload)
        if message.receiver != arrival.peer.keyid:
            raise BadInput("envelopes: one was not addressed to its returner")
        if OutMessage.objects.filter(id=message.id).exists():
            continue
        OutMessage(
            id=message.id,
            org_id=doing.here.org,
            peer=arrival.peer,
            type=message.type,
            thread=message.thread,
            marking=message.marking,
            digest=opened.digest,
            envelope=data,
            state="delivered",
            answer=f"lost here, and given back by {arrival.peer.name}"[:500],
            queued_at=parse_time(message.sent_at, field="sent_at"),
            delivered_at=doing.now,
        ).save(force_insert=True)
        doing.record(
            Event.MESSAGE_MESSAGE_RETURNED,
            message.thread or message.id,
            {"type": message.type, "digest": opened.digest},
            marking=message.marking,
            message_id=message.id,
        )


def account(actor: Actor, peer: str) -> dict[str, Any]:
    """What we have of one peer, and what its last account said: `{"peer", "sent", ...}`."""
    with reading(actor, Permission.LEDGER_READ):
        found = outbox.find_peer(peer)
        states = ("queued", "carried", "given-up")
        return {
            "peer": found.name,
            "sent": _sent(found).count(),
            "not_acknowledged": _sent(found).filter(state__in=states).count(),
            "taken": _taken(found).count(),
            "compared_at": format_time(found.compared_at) if found.compared_at else None,
            "compared": found.compared,
        }
