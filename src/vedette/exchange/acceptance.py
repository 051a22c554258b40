"""Whether an arriving message is taken, and the reason where it is not.

Rules, in this order:
1. The envelope is DSSE with one signature, within bounds.
2. The signer is a peer that this instance knows, and the signature holds.
3. The message says it comes from that signer, and is addressed to this instance.
4. Its type is in the table, and may go from the sender's profile to this one.
5. Its marking is dominated by this instance's ceiling; what lies above is not written.
6. Its fields are the table's. From a newer version, fields not known here are kept unread;
   from our own or an older version, an unknown field is refused.
7. A message id seen before with the same content is `already`; with other content it is forged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from vedette.exchange.envelope import Message, Opened, open_envelope, read_message
from vedette.exchange.fields import ID
from vedette.exchange.messages import BY_NAME, MessageType
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PublicKeys
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Profile


class Reason(StrEnum):
    """Why a message is refused."""

    MALFORMED = "malformed"
    UNKNOWN_SIGNER = "unknown-signer"
    BAD_SIGNATURE = "bad-signature"
    NOT_ADDRESSED = "not-addressed-here"
    UNKNOWN_TYPE = "unknown-type"
    WRONG_PARTY = "wrong-party"
    OVER_MARKED = "over-marked"
    BAD_FIELD = "bad-field"
    FORGED_ID = "forged-id"


class MessageRefused(BadInput):
    """A message that is not taken; `reason` says which rule, the text says what exactly."""

    def __init__(self, reason: Reason, what: str) -> None:
        super().__init__(f"{reason}: {what}", kept="the envelope's digest and this reason")
        self.reason = reason


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


@dataclass(frozen=True)
class Accepted:
    """A message that passed every rule that needs no memory."""

    message: Message
    row: MessageType
    opened: Opened
    unread: tuple[str, ...]


def accept(data: bytes, here: Here, peers: Mapping[str, KnownPeer]) -> Accepted:
    """Apply rules 1 to 6. `peers` is keyed by key id. Raises MessageRefused."""
    try:
        data.decode("utf-8")
        opened = open_envelope(data)
    except UnicodeDecodeError:
        raise MessageRefused(Reason.MALFORMED, "envelope: not UTF-8") from None
    except BadInput as error:
        raise MessageRefused(Reason.MALFORMED, error.what) from None
    peer = peers.get(opened.keyid)
    if peer is None:
        raise MessageRefused(Reason.UNKNOWN_SIGNER, f"key {opened.keyid[:16]} is no peer")
    if not opened.verify(peer.keys):
        raise MessageRefused(Reason.BAD_SIGNATURE, "the signature does not hold")
    try:
        message = read_message(opened.payload)
        ID.check(message.id, "message.id")
        parse_time(message.sent_at, field="message.sent_at")
        marking = Marking.parse(message.marking)
    except BadInput as error:
        raise MessageRefused(Reason.MALFORMED, error.what) from None
    if message.sender != opened.keyid or message.receiver != here.keyid:
        raise MessageRefused(Reason.NOT_ADDRESSED, "sender or receiver does not fit the envelope")
    row = BY_NAME.get(message.type)
    if row is None:
        raise MessageRefused(Reason.UNKNOWN_TYPE, f"type {message.type[:60]!r} is not in the table")
    if peer.profile not in row.senders or here.profile not in row.receivers:
        raise MessageRefused(
            Reason.WRONG_PARTY, f"{message.type} does not go from {peer.profile} to {here.profile}"
        )
    if not here.ceiling.dominates(marking):
        raise MessageRefused(Reason.OVER_MARKED, f"{marking} lies above this instance's ceiling")
    unread = _check_body(message, row)
    return Accepted(message, row, opened, unread)


def _check_body(message: Message, row: MessageType) -> tuple[str, ...]:
    body = dict(message.body)
    unread: tuple[str, ...] = ()
    if message.version > row.version:
        unread = tuple(sorted(set(body) - set(row.body.fields)))
        body = {name: value for name, value in body.items() if name in row.body.fields}
    try:
        row.body.check(body, "body")
    except BadInput as error:
        raise MessageRefused(Reason.BAD_FIELD, error.what) from None
    return unread
