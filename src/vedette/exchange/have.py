"""Sums over sets of messages, small enough to cross, by which two sides find what is lost.

Rules:
- Each message falls by the digest of its id into one of `n` buckets, about sixteen to each; a
  bucket's sum is the exclusive or of a digest of each message's id and content.
- Equal sums on both sides mean equal messages; where a bucket differs, one side hands all of its
  messages in it over again, which changes nothing where they were taken.
- Either side can count in the other's number of buckets, so that sums can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from vedette.kernel.errors import BadInput

A_BUCKET = 16
FEWEST, MOST = 16, 65_536
DIGITS = 16


def buckets_for(count: int) -> int:
    """A power of two, so that about sixteen messages share a bucket."""
    wanted = max(1, count // A_BUCKET)
    return min(MOST, max(FEWEST, 1 << (wanted - 1).bit_length()))


def bucket_of(message_id: str, buckets: int) -> int:
    return int.from_bytes(sha256(message_id.encode()).digest()[:4]) % buckets


def sums(messages: Iterable[tuple[str, str]], buckets: int) -> dict[str, Any]:
    """The sums of (message id, digest) pairs, as they cross."""
    found, count = [0] * buckets, 0
    for message_id, digest in messages:
        content = sha256(f"{message_id} {digest}".encode()).digest()[:8]
        found[bucket_of(message_id, buckets)] ^= int.from_bytes(content)
        count += 1
    return {"count": count, "buckets": "".join(f"{value:016x}" for value in found)}


def size_of(told: Mapping[str, Any]) -> int:
    """How many buckets the other side counts in. Raises BadInput where that is no such number."""
    buckets = len(told["buckets"]) // DIGITS
    if not FEWEST <= buckets <= MOST or buckets & (buckets - 1):
        raise BadInput(f"buckets: {buckets} is no power of two from {FEWEST} to {MOST:,}")
    return buckets


def differing(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> frozenset[int]:
    """The buckets in which two sums of one size differ."""
    pairs = zip(_split(ours), _split(theirs), strict=True)
    return frozenset(number for number, (a, b) in enumerate(pairs) if a != b)


def _split(told: Mapping[str, Any]) -> list[str]:
    text = told["buckets"]
    return [text[i : i + DIGITS] for i in range(0, len(text), DIGITS)]
