"""The signed statement of a clearinghouse's newest index of advisories (DSSE)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vedette.exchange.envelope import open_envelope, sign_payload
from vedette.exchange.fields import DIGEST, Record, Text, Time, Whole
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.keys import PrivateKeys, PublicKeys

INDEX_TYPE = "application/vnd.vedette.index+json"
INDEX_PATH = "/index/v1/"
MAX_INDEX = 512 * MIB
MAX_STATEMENT = 64 * 1024
KEPT = "the index here"
_FIELDS = Record(
    {
        "vedette": Whole(1, 1),
        "index": Text(40),
        "digest": DIGEST,
        "size": Whole(1, MAX_INDEX),
        "advisories": Whole(),
        "built_at": Time(),
        "issuer": Text(64, "[0-9a-f]{64}"),
    }
)


class RefusedIndex(Refused):
    """An index that is not what its maker signed."""


@dataclass(frozen=True)
class Statement:
    """What a maker signs of its newest index: digest and size in bytes, when it was built."""

    index: str
    digest: str
    size: int
    advisories: int
    built_at: datetime

    def sign(self, keys: PrivateKeys) -> dict[str, Any]:
        """The statement in its DSSE envelope."""
        fields = {
            "vedette": 1,
            "index": self.index,
            "digest": self.digest,
            "size": self.size,
            "advisories": self.advisories,
            "built_at": format_time(self.built_at),
            "issuer": keys.public.keyid,
        }
        return sign_payload(canonical(fields), INDEX_TYPE, keys)

    def holds_for(self, data: bytes) -> bool:
        """Whether these are the bytes that it speaks of."""
        return len(data) == self.size and digest(data) == self.digest


def read_statement(envelope: bytes, keys: PublicKeys, maker: str) -> Statement:
    """Read a statement that bears the maker's signature. Raises RefusedIndex."""
    try:
        opened = open_envelope(envelope, INDEX_TYPE)
        if not opened.verify(keys):
            raise RefusedIndex(
                f"index: its statement does not bear the signature of {maker}",
                kept=KEPT,
                next_step="compare fingerprints with the clearinghouse by voice",
            )
        bounds = Bounds(size=MAX_STATEMENT, depth=4, count=100)
        fields = read_json(opened.payload, source="statement", bounds=bounds)
        _FIELDS.check(fields, "statement")
    except BadInput as error:
        raise RefusedIndex(f"index: {error.what}", kept=KEPT) from None
    return Statement(
        fields["index"],
        fields["digest"],
        fields["size"],
        fields["advisories"],
        parse_time(fields["built_at"], field="built_at"),
    )
