"""A ledger entry: what happened, when, by whom, about what; never the content itself.

Rules:
- An entry names its predecessor's hash, so no earlier entry can change unseen.
- Its hash is SHA-256 over its canonical JSON, `prev` among it, `hash` not.
- `seq` counts from 1 without a gap; entry n is leaf n-1 of the Merkle tree.
- The payload stays in the instance; the entry keeps its salted digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput
from vedette.ledger.merkle import leaf_hash

GENESIS = "sha256:" + 64 * "0"
FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One entry. Hashes and digests are `sha256:` and 64 hex digits; `time` is UTC, in seconds.

    `org`, `role` and `object_id` are random ids and role names; `message_id` is set where a
    message crossed, and joins the timelines of two ledgers.
    """

    seq: int
    prev: str
    event: str
    time: datetime
    simulated: bool
    org: str
    role: str
    object_id: str
    marking: str
    message_id: str | None
    payload_digest: str
    pack_digest: str

    def to_json(self) -> dict[str, Any]:
        """Return what the hash covers."""
        return {
            "vedette": FORMAT,
            "seq": self.seq,
            "prev": self.prev,
            "event": self.event,
            "time": format_time(self.time),
            "simulated": self.simulated,
            "org": self.org,
            "role": self.role,
            "object_id": self.object_id,
            "marking": self.marking,
            "message_id": self.message_id,
            "payload_digest": self.payload_digest,
            "pack_digest": self.pack_digest,
        }

    @property
    def hash(self) -> str:
        return digest(canonical(self.to_json()))

    def to_line(self, stated: str = "") -> bytes:
        """Return the entry as one line of an export: canonical JSON with its hash.

        `stated` is the hash as it was stored, so that an export shows what a change of the table
        left behind; without it the hash is computed.
        """
        return canonical({**self.to_json(), "hash": stated or self.hash}) + b"\n"

    @classmethod
    def from_json(cls, value: Any) -> Entry:
        """Read an entry; `hash` is left to the verifier. Raises BadInput naming the field."""
        if not isinstance(value, Mapping) or value.get("vedette") != FORMAT:
            raise BadInput("not a ledger entry of format 1")
        fields = {name: value[name] for name in _KINDS if name in value}
        for name, kinds in _KINDS.items():
            if name not in fields:
                raise BadInput(f"{name}: missing")
            if type(fields[name]) not in kinds:
                raise BadInput(f"{name}: {type(fields[name]).__name__} is not what it holds")
        extra = set(value) - set(_KINDS) - {"vedette", "hash"}
        if extra:
            raise BadInput(f"{min(extra)[:40]}: not a field of an entry")
        written = fields["time"]
        fields["time"] = parse_time(written, field="time")
        if format_time(fields["time"]) != written:
            raise BadInput("time: not written as UTC to the second, such as 2026-12-01T09:00:00Z")
        return cls(**fields)


_KINDS: dict[str, tuple[type, ...]] = {
    "seq": (int,),
    "prev": (str,),
    "event": (str,),
    "time": (str,),
    "simulated": (bool,),
    "org": (str,),
    "role": (str,),
    "object_id": (str,),
    "marking": (str,),
    "message_id": (str, type(None)),
    "payload_digest": (str,),
    "pack_digest": (str,),
}


def leaf(entry_hash: str) -> bytes:
    """Return the Merkle leaf hash of an entry; the leaf's data are the 32 bytes of its hash."""
    return leaf_hash(bytes.fromhex(entry_hash.removeprefix("sha256:")))
