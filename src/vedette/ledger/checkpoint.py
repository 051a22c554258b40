"""A checkpoint: an instance's signed word that its ledger had this head at this size.

The signature covers a prefix of its own and the canonical JSON of everything but itself, so that
it can be taken for no other signature of the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vedette.kernel.canonical import canonical
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys, PublicKeys

FORMAT = 1
CONTEXT = b"vedette ledger checkpoint 1\n"


@dataclass(frozen=True)
class Checkpoint:
    """`origin` names the instance; `root` is the RFC 6962 tree head, `signature` Ed25519: hex."""

    origin: str
    size: int
    root: str
    time: datetime
    keyid: str
    signature: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**self._signed(), "signature": self.signature}

    def to_line(self) -> bytes:
        return canonical(self.to_json()) + b"\n"

    def verify(self, keys: PublicKeys) -> bool:
        """Tell whether `keys` signed it."""
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            return False
        return keys.keyid == self.keyid and keys.verify(signature, self.to_sign())

    def to_sign(self) -> bytes:
        return CONTEXT + canonical(self._signed())

    def _signed(self) -> dict[str, Any]:
        return {
            "vedette": FORMAT,
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "time": format_time(self.time),
            "keyid": self.keyid,
        }

    @classmethod
    def from_json(cls, value: Any) -> Checkpoint:
        """Read a checkpoint. Raises BadInput naming the field."""
        if not isinstance(value, Mapping) or value.get("vedette") != FORMAT:
            raise BadInput("checkpoint: not a ledger checkpoint of format 1")
        for name in ("origin", "root", "time", "keyid", "signature"):
            if not isinstance(value.get(name), str) or len(value[name]) > 300:
                raise BadInput(f"checkpoint.{name}: short text expected")
        size = value.get("size")
        if type(size) is not int or size < 0:
            raise BadInput("checkpoint.size: whole number expected")
        return cls(
            value["origin"],
            size,
            value["root"],
            parse_time(value["time"], field="checkpoint.time"),
            value["keyid"],
            value["signature"],
        )


def make_checkpoint(
    origin: str, size: int, root: bytes, now: datetime, keys: PrivateKeys
) -> Checkpoint:
    """Return a checkpoint signed by the instance's keys."""
    unsigned = Checkpoint(origin, size, root.hex(), now, keys.public.keyid)
    return replace(unsigned, signature=keys.sign(unsigned.to_sign()).hex())
