"""Whether an arriving message is taken, and the reason where it is not.

Rules, in this order:
1. The envelope is DSSE with one signature, within bounds.
2. The signer is a peer that this instance knows, and the signature holds.
3. The message says it comes from that signer, and is addressed to this instance.
4. Its marking, and that of every portion in it, is dominated by this instance's ceiling; what lies
   above is not written (see `pointers`).
5. Its type is in the table, and may go from the sender's profile to this one. A type that is not
   in the table is kept, and understood after an upgrade.
6. Its fields are the table's, or those of a version behind or ahead (see `versions`).
7. A message id seen before with the same content is `already`; with other content it is forged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vedette.exchange.envelope import Message, Opened, open_envelope, read_message
from vedette.exchange.fields import ID
from vedette.exchange.messages import BY_NAME
from vedette.exchange.pointers import above, as_far_as
from vedette.exchange.rows import MessageType
from vedette.exchange.versions import NotUnderstood, read_body
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PublicKeys
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Profile

TYPE = re.compile(r"[a-z][a-z-]{1,30}\.[a-z][a-z-]{1,28}")
NEWEST = 9_999


class Reason(StrEnum):
    """Why a message is refused."""

    MALFORMED = "malformed"
    UNKNOWN_SIGNER = "unknown-signer"
    BAD_SIGNATURE = "bad-signature"
    NOT_ADDRESSED = "not-addressed-here"
    WRONG_PARTY = "wrong-party"
    OVER_MARKED = "over-marked"
    BAD_FIELD = "bad-field"
    FORGED_ID = "forged-id"


class MessageRefused(BadInput):
    """A message that is not taken; `reason` says which rule, the text says what exactly."""

    def __init__(self, reason: Reason, what: str) -> None:
        super().__init__(f"{reason}: {what}", kept="the envelope's digest and this reason")
        self.reason = reason


class AboveCeiling(MessageRefused):
    """A message marked above the ceiling, by a known peer: a pointer stands in its place."""

    def __init__(self, message: Message, digest: str, portion: str, ceiling: Marking) -> None:
        self.message, self.digest = message, digest
        self.named = as_far_as(message.marking, ceiling)
        where = "it" if portion == "message" else portion
        super().__init__(Reason.OVER_MARKED, f"{where} is marked above this instance's ceiling")


@dataclass(frozen=True)
class KnownPeer:
    """What this instance knows of a peer."""

    keys: PublicKeys
    profile: Profile


@dataclass(frozen=True)
class Here:
    """This instance, as far as the rules need it."""

    keyid: str
    profile: Profile
    ceiling: Marking
    table: Mapping[str, MessageType] = field(default_factory=lambda: BY_NAME)


@dataclass(frozen=True)
class Accepted:
    """A message that passed every rule that needs no memory.

    `body` is what this version reads of it; `not_yet` says what it cannot read at all.
    """

    message: Message
    opened: Opened
    body: Mapping[str, Any]
    unread: tuple[str, ...] = ()
    not_yet: str = ""


def accept(data: bytes, here: Here, peers: Mapping[str, KnownPeer]) -> Accepted:
    """Apply rules 1 to 6. `peers` is keyed by key id. Raises MessageRefused."""
    opened = _opened(data)
    peer = peers.get(opened.keyid)
    if opened.keyid == here.keyid:
        raise MessageRefused(Reason.UNKNOWN_SIGNER, "it is this instance's own: for its receiver")
    if peer is None:
        raise MessageRefused(Reason.UNKNOWN_SIGNER, f"key {opened.keyid[:16]} is no peer")
    if not opened.verify(peer.keys):
        raise MessageRefused(Reason.BAD_SIGNATURE, "the signature does not hold")
    message = _message(opened)
    if message.sender != opened.keyid or message.receiver != here.keyid:
        raise MessageRefused(Reason.NOT_ADDRESSED, "sender or receiver does not fit the envelope")
    portion = above(message.marking, message.body, here.ceiling)
    if portion:
        raise AboveCeiling(message, opened.digest, portion, here.ceiling)
    return understand(message, opened, here, peer.profile)


def understand(message: Message, opened: Opened, here: Here, sender: Profile) -> Accepted:
    """Apply rules 5 and 6, at arrival and again after an upgrade. Raises MessageRefused."""
    row = here.table.get(message.type)
    if row is None:
        not_yet = f"type {message.type} is not known to this version"
        return Accepted(message, opened, {}, not_yet=not_yet)
    if sender not in row.senders or here.profile not in row.receivers:
        what = f"{message.type} does not go from {sender} to {here.profile}"
        if message.version > row.version:
            return Accepted(message, opened, {}, not_yet=f"{what} in this version")
        raise MessageRefused(Reason.WRONG_PARTY, what)
    try:
        read = read_body(message, row)
    except NotUnderstood as error:
        return Accepted(message, opened, {}, not_yet=f"of a newer version: {error}")
    except BadInput as error:
        raise MessageRefused(Reason.BAD_FIELD, error.what) from None
    return Accepted(message, opened, read.body, read.unread)


def _opened(data: bytes) -> Opened:
    try:
        data.decode("utf-8")
        return open_envelope(data)
    except UnicodeDecodeError:
        raise MessageRefused(Reason.MALFORMED, "envelope: not UTF-8") from None
    except BadInput as error:
        raise MessageRefused(Reason.MALFORMED, error.what) from None


def _message(opened: Opened) -> Message:
    try:
        message = read_message(opened.payload)
        ID.check(message.id, "message.id")
        parse_time(message.sent_at, field="message.sent_at")
        Marking.parse(message.marking)
    except BadInput as error:
        raise MessageRefused(Reason.MALFORMED, error.what) from None
    counted = not isinstance(message.version, bool) and 1 <= message.version <= NEWEST
    if not TYPE.fullmatch(message.type) or not counted:
        raise MessageRefused(Reason.MALFORMED, "message.type, message.version: not of their form")
    if len(message.thread) > 40:
        raise MessageRefused(Reason.MALFORMED, "message.thread: more than 40 characters")
    return message
