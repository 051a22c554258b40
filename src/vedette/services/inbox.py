"""Messages arriving: taken or refused at the door, then handled in order, each exactly once.

Rules:
- What arrives together is taken in one transaction, and its sender is told after the commit; a
  message that was not acknowledged comes again, and is taken once.
- What is refused is kept with its reason, unless it may be above the ceiling: then only its digest.
- What a known peer marked above the ceiling leaves a pointer: which message, from whom, of what
  type, and where to ask; no content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass

from django.db import transaction

from vedette.exchange.acceptance import (
    AboveCeiling,
    Accepted,
    Here,
    KnownPeer,
    MessageRefused,
    Reason,
    accept,
)
from vedette.exchange.envelope import BOUNDS, open_envelope, read_message
from vedette.exchange.pointers import may_be_kept
from vedette.kernel.bounds import MIB
from vedette.kernel.canonical import digest
from vedette.kernel.errors import VedetteError
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.kernel.permissions import Profile
from vedette.services import attachments, vault
from vedette.services.acting import act, instance_actor
from vedette.services.handling import (
    Arrival,
    NotYet,
    handle_new,
    handle_waiting,
    handled_types,
    handles,
    reads_later,
)
from vedette.services.here import here
from vedette.store import rows
from vedette.store.models import InMessage, Peer
from vedette.store.tenancy import SYSTEM, scoped

__all__ = [
    "Arrival",
    "NotYet",
    "Receipt",
    "handle_waiting",
    "handled_types",
    "handles",
    "reads_later",
    "receive",
    "receive_all",
]
KEEP_REFUSED = MIB
ABOUT_AN_ACT = re.compile(r"act-[2-9a-z]{16}")
TOO_LARGE = (
    f"more than {BOUNDS.size // MIB} MiB; a message names large content instead of holding it;"
    " next: vedette exchange attach FILE"
)


@dataclass(frozen=True)
class Receipt:
    """What the sender is told: `accepted`, `already` or `refused` with its reason.

    `state` is what became of it here, as far as it is known: handled, waiting, set-aside,
    not-understood, pointer or refused.
    """

    status: str
    reason: str = ""
    detail: str = ""
    message_id: str = ""
    sender: str = ""
    digest: str = ""
    state: str = ""
    type: str = ""


def receive(data: bytes) -> Receipt:
    """Take one envelope; bad input does not raise: what can't be taken is kept with the reason."""
    return receive_all([data])[0]


def receive_all(envelopes: Iterable[bytes]) -> list[Receipt]:
    """Take envelopes in their order, in one transaction; what is told holds after the commit."""
    with transaction.atomic(), scoped(SYSTEM), vault.keys_together():
        door = _Door.open()
        return [_take(data, door) for data in envelopes]


@dataclass(frozen=True)
class _Door:
    """What does not change while a batch is taken: this instance, and its peers by key id."""

    here: Here
    known: Mapping[str, KnownPeer]
    peers: Mapping[str, Peer]

    @classmethod
    def open(cls) -> _Door:
        peers = {peer.keyid: peer for peer in Peer.objects.all()}
        return cls(here().door, _known(peers.values()), peers)


def examine(data: bytes, peers: Mapping[str, KnownPeer]) -> Receipt:
    """What would be told of an envelope; nothing is written. Under the instance's scope."""
    try:
        accepted = accept(data, here().door, peers)
        row = _earlier(accepted)
    except MessageRefused as error:
        return Receipt("refused", str(error.reason), error.what)
    taken = row if row is not None and row.state != "pointer" else None
    return _receipt(accepted, "already" if taken else "accepted", taken)


def known_peers() -> dict[str, KnownPeer]:
    """Whose messages are taken, by key id; under the instance's scope."""
    return _known(Peer.objects.all())


def _known(peers: Iterable[Peer]) -> dict[str, KnownPeer]:
    return {
        peer.keyid: KnownPeer(PublicKeys(peer.ed25519, peer.age), Profile(peer.profile))
        for peer in peers
    }


def _take(data: bytes, door: _Door) -> Receipt:
    try:
        accepted = accept(data, door.here, door.known)
        earlier = _earlier(accepted)
    except AboveCeiling as error:
        return _point(error)
    except MessageRefused as error:
        _keep_refused(data, error)
        return Receipt("refused", str(error.reason), error.what, digest=digest(data))
    if earlier is not None and earlier.state != "pointer":
        return _receipt(accepted, "already", earlier)
    if earlier is not None:
        # a pointer gives way, once the ceiling takes what it stood for
        earlier.delete()
    row = _keep(accepted, data)
    if row.state == "waiting":
        # a copy: what a handler that fails did to it is nobody else's
        peer = copy(door.peers[row.sender])
        if not handle_new(row, accepted, peer):
            row.refresh_from_db(fields=["state", "reason"])
    return _receipt(accepted, "accepted", row)


def _receipt(accepted: Accepted, status: str, row: InMessage | None) -> Receipt:
    message, detail = accepted.message, ""
    if row is not None and status == "already":
        detail = f"taken {row.received_at:%Y-%m-%dT%H:%M:%SZ}"
    elif accepted.not_yet:
        detail = f"kept; {accepted.not_yet}"
    state = row.state if row else "not-understood" if accepted.not_yet else ""
    told = (message.id, message.sender, accepted.opened.digest, state, message.type)
    return Receipt(status, "", detail, *told)


def _earlier(accepted: Accepted) -> InMessage | None:
    """What stands here under its id: the message itself, or a pointer to it."""
    message = accepted.message
    named = InMessage.objects.filter(message_id=message.id, sender=message.sender)
    row = named.exclude(state="refused").defer("envelope").first()
    if row is not None and row.state != "pointer" and row.digest != accepted.opened.digest:
        raise MessageRefused(
            Reason.FORGED_ID, f"{accepted.message.id} was taken before with other content"
        )
    return row


def _keep(accepted: Accepted, data: bytes) -> InMessage:
    message, instance = accepted.message, here()
    row = InMessage(
        org_id=instance.org,
        message_id=message.id,
        sender=message.sender,
        type=message.type,
        version=message.version,
        thread=message.thread,
        marking=message.marking,
        digest=accepted.opened.digest,
        envelope=data.decode("utf-8"),
        state="not-understood" if accepted.not_yet else "waiting",
        reason=accepted.not_yet[:1000],
        unread=list(accepted.unread),
        received_at=instance.clock.now(),
    )
    rows.insert(row)
    with act(instance_actor(), None) as doing:
        attachments.expect(doing, accepted)
        doing.record(
            Event.MESSAGE_MESSAGE_ACCEPTED,
            message.thread or message.id,
            {"type": message.type, "digest": row.digest},
            marking=message.marking,
            message_id=message.id,
        )
    return row


def _keep_refused(data: bytes, error: MessageRefused) -> None:
    kept = len(data) <= KEEP_REFUSED and may_be_kept(data, here().ceiling)
    with act(instance_actor(), None) as doing:
        row = InMessage(
            org_id=here().org,
            message_id="",
            sender="",
            digest=digest(data),
            thread=_claimed_thread(data) if kept else "",
            envelope=data.decode("utf-8", "replace").replace("\x00", "") if kept else "",
            state="refused",
            reason=error.what[:1000],
            received_at=doing.now,
        )
        row.save()
        doing.record(
            Event.MESSAGE_MESSAGE_REFUSED,
            f"in-{row.pk}",
            {"reason": str(error.reason), "digest": row.digest},
        )


def _claimed_thread(data: bytes) -> str:
    """The act that a refused message says it is about, so that it is sealed with it; else ""."""
    try:
        thread = read_message(open_envelope(data).payload).thread
    except VedetteError:
        return ""
    return thread if ABOUT_AN_ACT.fullmatch(thread) else ""


def _point(error: AboveCeiling) -> Receipt:
    """Put a pointer where a message above the ceiling would stand; once, however often it comes."""
    message, ceiling = error.message, here().ceiling
    told = "a pointer stands in its place, and nothing of it was written"
    receipt = Receipt(
        "refused",
        str(Reason.OVER_MARKED),
        f"{error.what}; {told}",
        message.id,
        message.sender,
        error.digest,
        "pointer",
    )
    if InMessage.objects.filter(message_id=message.id, sender=message.sender).exists():
        return receipt
    peer = Peer.objects.get(keyid=message.sender)
    where = f"{peer.name}, {peer.url}" if peer.url else peer.name
    with act(instance_actor(), None) as doing:
        InMessage(
            org_id=here().org,
            message_id=message.id,
            sender=message.sender,
            type=message.type,
            thread=message.thread,
            marking=str(ceiling),
            digest=error.digest,
            state="pointer",
            reason=f"marked {error.named}, {error.what.partition(': ')[2]}; ask {where}"[:1000],
            received_at=doing.now,
        ).save()
        doing.record(
            Event.MESSAGE_POINTER_MADE,
            message.thread or message.id,
            {"type": message.type, "digest": error.digest},
            message_id=message.id,
        )
    return receipt
