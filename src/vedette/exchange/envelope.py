"""A message, and its signed envelope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vedette.kernel import dsse
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import canonical
from vedette.kernel.dsse import Opened
from vedette.kernel.dsse import sign as sign_payload
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys

__all__ = [
    "Message",
    "Opened",
    "open_envelope",
    "read_message",
    "seal",
    "sign_payload",
]

PAYLOAD_TYPE = "application/vnd.vedette.message+json"
BOUNDS = Bounds(size=16 * MIB, depth=40, count=500_000)
FORMAT = 1


@dataclass(frozen=True)
class Message:
    """One message: `sender` and `receiver` are key ids, `sent_at` RFC 3339, `body` JSON."""

    id: str
    type: str
    version: int
    sender: str
    receiver: str
    sent_at: str
    marking: str
    thread: str
    body: Mapping[str, Any]

    def payload(self) -> bytes:
        return canonical({"vedette": FORMAT, **asdict(self)})


def seal(message: Message, keys: PrivateKeys) -> dict[str, Any]:
    """Return the signed envelope as JSON."""
    return sign_payload(message.payload(), PAYLOAD_TYPE, keys)


def open_envelope(data: bytes, payload_type: str = PAYLOAD_TYPE) -> Opened:
    """Read an envelope without judging it. Raises BadInput."""
    return dsse.open_envelope(data, payload_type, source="envelope", bounds=BOUNDS)


def read_message(payload: bytes) -> Message:
    """Read the payload's own fields, without the body's. Raises BadInput naming the field."""
    value = read_json(payload, source="message", bounds=BOUNDS)
    if not isinstance(value, dict):
        raise BadInput("message: object expected")
    value = dict(value)
    if value.pop("vedette", None) != FORMAT:
        raise BadInput(f"message.vedette: format {FORMAT} expected")
    if not isinstance(value.get("version"), int) or not isinstance(value.get("body"), dict):
        raise BadInput("message: version and body expected")
    for name in ("id", "type", "sender", "receiver", "sent_at", "marking", "thread"):
        if not isinstance(value.get(name), str) or len(value[name]) > 200:
            raise BadInput(f"message.{name}: short text expected")
    known = {name: value[name] for name in Message.__dataclass_fields__}
    return Message(**known)
