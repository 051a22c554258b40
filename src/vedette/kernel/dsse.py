"""Signed envelopes: DSSE (Dead Simple Signing Envelope 1.0).

The signature covers `DSSEv1 <type> <payload>`, so the payload need not be canonical, and nothing
unsigned is believed; a key id in an envelope is only a hint.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys, PublicKeys

MAX_SIGNATURES = 16


@dataclass(frozen=True)
class Signature:
    keyid: str
    signature: bytes


@dataclass(frozen=True)
class Opened:
    """An envelope's payload, before anything in it is believed."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    @property
    def keyid(self) -> str:
        """The key that the first signature names."""
        return self.signatures[0].keyid

    @property
    def digest(self) -> str:
        return digest(self.payload)

    def verify(self, keys: PublicKeys) -> bool:
        """Tell whether `keys` signed it."""
        signed = encode(self.payload, self.payload_type)
        return any(keys.verify(each.signature, signed) for each in self.signatures)

    def verify_any(self, trusted: Iterable[PublicKeys]) -> bool:
        return any(self.verify(keys) for keys in trusted)


def encode(payload: bytes, payload_type: str) -> bytes:
    """DSSE's pre-authentication encoding: what is signed."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, payload_type: str, keys: PrivateKeys) -> dict[str, Any]:
    """Wrap a payload in an envelope with one signature."""
    signature = keys.sign(encode(payload, payload_type))
    return {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": payload_type,
        "signatures": [
            {"keyid": keys.public.keyid, "sig": base64.b64encode(signature).decode("ascii")}
        ],
    }


def open_envelope(data: bytes, payload_type: str, *, source: str, bounds: Bounds) -> Opened:
    """Read an envelope without judging it. Raises BadInput."""
    document = read_json(data, source=source, bounds=bounds)
    try:
        found = document["payloadType"]
        payload = base64.b64decode(document["payload"], validate=True)
        signatures = tuple(
            Signature(str(each["keyid"]), base64.b64decode(each["sig"], validate=True))
            for each in document["signatures"][:MAX_SIGNATURES]
        )
    except (KeyError, TypeError, ValueError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise BadInput(f"{source}: is not signed (no DSSE envelope: {why})"[:200]) from None
    if found != payload_type:
        raise BadInput(f"{source}: payload type {str(found)[:60]!r} unknown")
    if not signatures:
        raise BadInput(f"{source}: no signature")
    return Opened(payload, payload_type, signatures)
