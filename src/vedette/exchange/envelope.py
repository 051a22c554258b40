"""A message in its signed envelope.

The envelope is DSSE (Dead Simple Signing Envelope 1.0): the signature covers
`DSSEv1 <type> <payload>`, so the payload need not be canonical, and nothing unsigned is read
except the key id.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError
from securesystemslib.signer._signature import Signature

from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys, PublicKeys

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


def sign_payload(payload: bytes, payload_type: str, keys: PrivateKeys) -> dict[str, Any]:
    """Wrap any payload in a DSSE envelope with one signature."""
    envelope = Envelope(payload, payload_type, {})
    signature = keys.sign(envelope.pae())
    keyid = keys.public.keyid
    envelope.signatures[keyid] = Signature(keyid, signature.hex())
    result: dict[str, Any] = envelope.to_dict()
    return result


@dataclass(frozen=True)
class Opened:
    """An envelope's payload, before anything in it is believed."""

    payload: bytes
    keyid: str
    signature: bytes
    pae: bytes

    @property
    def digest(self) -> str:
        return digest(self.payload)

    def verify(self, keys: PublicKeys) -> bool:
        return keys.keyid == self.keyid and keys.verify(self.signature, self.pae)


def open_envelope(data: bytes, payload_type: str = PAYLOAD_TYPE) -> Opened:
    """Read a DSSE envelope of one signature, without judging it. Raises BadInput."""
    document = read_json(data, source="envelope", bounds=BOUNDS)
    try:
        envelope = Envelope.from_dict(document)
        (signature,) = envelope.signatures.values()
        raw = bytes.fromhex(signature.signature)
    except (
        FormatError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise BadInput(f"envelope: not DSSE with one signature ({error})") from None
    if envelope.payload_type != payload_type:
        raise BadInput(f"envelope: payload type {str(envelope.payload_type)[:60]!r} unknown")
    return Opened(envelope.payload, signature.keyid, raw, envelope.pae())


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


def to_text(data: bytes) -> str:
    """Bytes as base64 text for a message field."""
    return base64.b64encode(data).decode("ascii")


def from_text(text: str, *, field: str) -> bytes:
    """Read base64 text. Raises BadInput naming `field`."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadInput(f"{field}: not base64") from None
