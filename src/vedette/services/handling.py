"""What became of a message that was taken: handled once, or waiting for what it is about.

A handler is registered for a type with `@handles`. It may raise `NotYet`, when what the message
is about has not arrived.

Rules:
- A waiting message is tried again when something moves that it is about: another message on the
  same thread or with the same ids, or an act of a person here; and by itself, ever more seldom.
- A message that this version can't read is kept, and read after an upgrade (`revisit`).
- Fields that this version left unread are read after an upgrade by the type's `@reads_later`.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from vedette.exchange.acceptance import Accepted, understand
from vedette.exchange.envelope import Message, open_envelope, read_message
from vedette.kernel.errors import Refused, VedetteError
from vedette.kernel.events import Event
from vedette.kernel.permissions import Profile
from vedette.services import attachments
from vedette.services.acting import Doing, act, instance_actor
from vedette.services.here import here
from vedette.store import rows
from vedette.store.models import Awaiting, InMessage, Peer
from vedette.store.tenancy import SYSTEM, scoped

log = logging.getLogger("vedette.inbox")
IDENTIFIER = re.compile(r"[a-z]{2,20}-[2-9a-z]{16}")
LONGEST_WAIT = timedelta(hours=1)
AT_ONCE = 500


class NotYet(Exception):
    """What this message is about has not arrived yet."""


@dataclass(frozen=True)
class Arrival:
    """What a handler gets: the message, its sender, the act under way, and the body as read."""

    message: Message
    peer: Peer
    doing: Doing
    body: Mapping[str, Any]


Handler = Callable[[Arrival], None]
_handlers: dict[str, Handler] = {}
_later: dict[str, Handler] = {}


def handles(type_: str) -> Callable[[Handler], Handler]:
    """Register the one function that handles a message type."""
    return _register(_handlers, type_)


def reads_later(type_: str) -> Callable[[Handler], Handler]:
    """Register the function that takes up fields left unread by the version that handled it."""
    return _register(_later, type_)


def _register(place: dict[str, Handler], type_: str) -> Callable[[Handler], Handler]:
    def register(function: Handler) -> Handler:
        place[type_] = function
        return function

    return register


def handled_types() -> frozenset[str]:
    return frozenset(_handlers)


def subjects(message: Message) -> frozenset[str]:
    """What a message is about: its thread, and the ids in its body."""
    named = (v for v in message.body.values() if isinstance(v, str) and IDENTIFIER.fullmatch(v))
    return frozenset({*named, message.thread} - {""})


def handle(pk: int) -> bool:
    """Handle one waiting message, and then what waited for it; tell whether it is done."""
    return _handle_all([pk]) > 0


def handle_new(row: InMessage, accepted: Accepted, peer: Peer) -> bool:
    """Handle a message that was just kept, as `handle` does, without reading it again."""
    about = _guarded(row.pk, lambda doing: _carry_out(doing, row, accepted, peer))
    if about is None:
        return False
    _handle_all(_awaiting(about))
    return True


def handle_waiting() -> int:
    """Try everything that waits, oldest first; return how many are done."""
    done, last = 0, 0
    while batch := _waiting(Q(pk__gt=last)):
        done += _handle_all(batch)
        last = batch[-1]
    return done


def handle_due() -> int:
    """Try what waits and is due for another try: the worker's part. Return how many are done."""
    return _handle_all(_waiting(Q(try_at=None) | Q(try_at__lte=timezone.now())))


def _waiting(which: Q) -> list[int]:
    with transaction.atomic(), scoped(SYSTEM):
        rows = InMessage.objects.filter(which, state="waiting").order_by("pk")
        return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def _handle_all(pks: Iterable[int]) -> int:
    todo, done = deque(pks), 0
    while todo:
        about = _handle(todo.popleft())
        if about is not None:
            done += 1
            todo.extend(_awaiting(about))
    return done


def _awaiting(about: frozenset[str]) -> list[int]:
    with transaction.atomic(), scoped(SYSTEM):
        rows = Awaiting.objects.filter(subject__in=about, message__state="waiting")
        return list(rows.order_by("message").values_list("message", flat=True).distinct())


def _handle(pk: int) -> frozenset[str] | None:
    """Handle one message in a transaction of its own; what it is about, None while it waits."""

    def work(doing: Doing) -> frozenset[str] | None:
        row = InMessage.objects.select_for_update().filter(pk=pk, state="waiting").first()
        if row is None:
            return None
        found = _read_again(row)
        if found.not_yet:
            row.state, row.reason = "not-understood", found.not_yet[:1000]
            row.save(update_fields=["state", "reason"])
            return None
        return _carry_out(doing, row, found, Peer.objects.get(keyid=row.sender))

    return _guarded(pk, work)


def _carry_out(doing: Doing, row: InMessage, found: Accepted, peer: Peer) -> frozenset[str]:
    _handlers[row.type](Arrival(found.message, peer, doing, found.body))
    row.state, row.handled_at, row.reason = "handled", doing.now, ""
    row.unread = list(found.unread)
    rows.update(row, "state", "handled_at", "reason", "unread")
    if row.tries:
        Awaiting.objects.filter(message=row).delete()
    return subjects(found.message)


def _guarded(pk: int, work: Callable[[Doing], frozenset[str] | None]) -> frozenset[str] | None:
    """Do the work in a transaction; where it fails, the message waits or is set aside."""
    try:
        with act(instance_actor(), None) as doing:
            return work(doing)
    except NotYet as error:
        _wait(pk, f"waits: {error}")
    except VedetteError as error:
        _set_aside(pk, str(error))
    except Exception as error:
        log.exception("message %s", pk)
        _wait(pk, f"our own fault: {type(error).__name__}: {error}")
    return None


def _read_again(row: InMessage) -> Accepted:
    """A kept message by the table of now. Raises MessageRefused, and Refused without its key."""
    if not row.envelope:
        raise Refused("the key of this message's window is gone: it can't be read")
    opened = open_envelope(row.envelope.encode())
    peer = Peer.objects.get(keyid=row.sender)
    return understand(read_message(opened.payload), opened, here().door, Profile(peer.profile))


def _wait(pk: int, reason: str) -> None:
    """Let a message wait, twice as long each time, and note what for."""
    with transaction.atomic(), scoped(SYSTEM):
        row = InMessage.objects.get(pk=pk)
        if row.tries == 0:
            about = subjects(read_message(open_envelope(row.envelope.encode()).payload))
            Awaiting.objects.bulk_create(
                Awaiting(org_id=row.org_id, message=row, subject=subject) for subject in about
            )
        row.tries += 1
        row.try_at = timezone.now() + min(timedelta(seconds=2 ** min(row.tries, 12)), LONGEST_WAIT)
        row.reason = reason[:1000]
        row.save(update_fields=["tries", "try_at", "reason"])
    log.info("message %s: %s", pk, reason)


def _set_aside(pk: int, reason: str) -> None:
    with transaction.atomic(), scoped(SYSTEM):
        InMessage.objects.filter(pk=pk).update(state="set-aside", reason=reason[:1000])
        Awaiting.objects.filter(message=pk).delete()
    log.info("message %s: %s", pk, reason)


def revisit() -> int:
    """After an upgrade: read what an earlier version could not, wholly or in part. Idempotent.

    Returns how many messages, or fields of messages, are understood now.
    """
    return sum(_understood_now(pk) for pk in _unread("not-understood")) + sum(
        _read_now(pk) for pk in _unread("handled")
    )


def _unread(state: str) -> Iterator[int]:
    last = 0
    while True:
        with transaction.atomic(), scoped(SYSTEM):
            rows = InMessage.objects.filter(state=state, pk__gt=last).order_by("pk")
            if state == "handled":
                rows = rows.exclude(unread=[])
            batch = list(rows.values_list("pk", flat=True)[:AT_ONCE])
        if not batch:
            return
        yield from batch
        last = batch[-1]


def _understood_now(pk: int) -> bool:
    with act(instance_actor(), None) as doing:
        row = InMessage.objects.select_for_update().get(pk=pk)
        try:
            found = _read_again(row)
        except VedetteError as error:
            row.state, row.reason = "set-aside", error.what[:1000]
            row.save(update_fields=["state", "reason"])
            return False
        if found.not_yet:
            return False
        row.state, row.reason, row.unread = "waiting", "", list(found.unread)
        row.save(update_fields=["state", "reason", "unread"])
        attachments.expect(doing, found)
        _record_understood(doing, row)
    handle(pk)
    return True


def _read_now(pk: int) -> int:
    """Hand fields that can be read now to the type's later reader."""
    with act(instance_actor(), None) as doing:
        row = InMessage.objects.select_for_update().get(pk=pk)
        try:
            found = _read_again(row)
        except VedetteError:
            return 0
        read = set(row.unread) - set(found.unread)
        if found.not_yet or not read:
            return 0
        reader = _later.get(row.type)
        if reader is not None:
            peer = Peer.objects.get(keyid=row.sender)
            reader(Arrival(found.message, peer, doing, found.body))
        row.unread = list(found.unread)
        row.save(update_fields=["unread"])
        _record_understood(doing, row)
        return len(read)


def _record_understood(doing: Doing, row: InMessage) -> None:
    doing.record(
        Event.MESSAGE_MESSAGE_UNDERSTOOD,
        row.thread or row.message_id,
        {"type": row.type, "digest": row.digest},
        marking=row.marking,
        message_id=row.message_id,
    )
