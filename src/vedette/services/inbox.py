"""Messages arriving: taken or refused at the door, then handled in order, each exactly once.

A handler is registered for a type with `@handles`. It may raise `NotYet`, when what the message
is about has not arrived; the message then waits and is tried again after the next arrivals.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from vedette.exchange.acceptance import (
    Accepted,
    KnownPeer,
    MessageRefused,
    Reason,
    accept,
)
from vedette.exchange.envelope import Message, open_envelope, read_message
from vedette.kernel.bounds import MIB
from vedette.kernel.canonical import digest
from vedette.kernel.errors import VedetteError
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.kernel.permissions import Profile
from vedette.services.acting import Doing, act, instance_actor
from vedette.services.here import here
from vedette.store.models import InMessage, Peer
from vedette.store.tenancy import SYSTEM, scoped

log = logging.getLogger("vedette.inbox")
KEEP_REFUSED = MIB
ABOUT_AN_ACT = re.compile(r"act-[2-9a-z]{16}")


class NotYet(Exception):
    """What this message is about has not arrived yet."""


@dataclass(frozen=True)
class Arrival:
    """What a handler gets: the message, its sender, and the act under way."""

    message: Message
    peer: Peer
    doing: Doing

    @property
    def body(self) -> Mapping[str, Any]:
        return self.message.body


Handler = Callable[[Arrival], None]
_handlers: dict[str, Handler] = {}


def handles(type_: str) -> Callable[[Handler], Handler]:
    """Register the one function that handles a message type."""

    def register(function: Handler) -> Handler:
        _handlers[type_] = function
        return function

    return register


@dataclass(frozen=True)
class Receipt:
    """What the sender is told: `accepted`, `already` or `refused` with its reason."""

    status: str
    reason: str = ""
    detail: str = ""


def receive(data: bytes) -> Receipt:
    """Take one envelope; bad input does not raise: what can't be taken is kept with the reason."""
    with transaction.atomic(), scoped(SYSTEM):
        peers = {
            peer.keyid: KnownPeer(PublicKeys(peer.ed25519, peer.age), Profile(peer.profile))
            for peer in Peer.objects.all()
        }
        try:
            accepted = accept(data, here().door, peers)
            earlier = _earlier(accepted)
            if earlier is not None:
                return Receipt("already", detail=f"taken {earlier.received_at:%Y-%m-%dT%H:%M:%SZ}")
        except MessageRefused as error:
            _keep_refused(data, error)
            return Receipt("refused", str(error.reason), error.what)
        row = _keep(accepted, data)
    _handle(row.pk)
    handle_waiting()
    return Receipt("accepted")


def _earlier(accepted: Accepted) -> InMessage | None:
    rows = InMessage.objects.filter(message_id=accepted.message.id, sender=accepted.message.sender)
    row = rows.exclude(state="refused").first()
    if row is not None and row.digest != accepted.opened.digest:
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
        thread=message.thread,
        marking=message.marking,
        digest=accepted.opened.digest,
        envelope=data.decode("utf-8"),
        state="waiting",
        reason=f"fields kept unread: {', '.join(accepted.unread)}"[:1000]
        if accepted.unread
        else "",
        received_at=instance.clock.now(),
    )
    row.save()
    with act(instance_actor(), None) as doing:
        doing.record(
            Event.MESSAGE_MESSAGE_ACCEPTED,
            message.thread or message.id,
            {"type": message.type, "digest": row.digest},
            marking=message.marking,
            message_id=message.id,
        )
    return row


def _keep_refused(data: bytes, error: MessageRefused) -> None:
    above = error.reason == Reason.OVER_MARKED
    small = len(data) <= KEEP_REFUSED and not above
    with act(instance_actor(), None) as doing:
        row = InMessage(
            org_id=here().org,
            message_id="",
            sender="",
            digest=digest(data),
            thread=_claimed_thread(data) if small else "",
            envelope=data.decode("utf-8", "replace").replace("\x00", "") if small else "",
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


def _handle(pk: int) -> bool:
    """Handle one waiting message in a transaction of its own; tell whether it is done."""
    try:
        with act(instance_actor(), None) as doing:
            row = InMessage.objects.select_for_update().filter(pk=pk, state="waiting").first()
            if row is None:
                return False
            message = read_message(open_envelope(row.envelope.encode()).payload)
            peer = Peer.objects.get(keyid=row.sender)
            _handlers[row.type](Arrival(message, peer, doing))
            row.state, row.handled_at = "handled", doing.now
            row.save(update_fields=["state", "handled_at"])
            return True
    except NotYet as error:
        _note(pk, "waiting", f"waits: {error}")
    except VedetteError as error:
        _note(pk, "set-aside", str(error))
    except Exception as error:
        log.exception("message %s", pk)
        _note(pk, "waiting", f"our own fault: {type(error).__name__}: {error}")
    return False


def _note(pk: int, state: str, reason: str) -> None:
    with transaction.atomic(), scoped(SYSTEM):
        InMessage.objects.filter(pk=pk).update(state=state, reason=reason[:1000])
    log.info("message %s: %s", pk, reason)


def handle_waiting() -> None:
    """Try what waits, oldest first, again as long as something moves."""
    moved = True
    while moved:
        with transaction.atomic(), scoped(SYSTEM):
            rows = list(
                InMessage.objects.filter(state="waiting")
                .order_by("pk")
                .values_list("pk", flat=True)
            )
        moved = sum(_handle(pk) for pk in rows) > 0


def handled_types() -> frozenset[str]:
    return frozenset(_handlers)
