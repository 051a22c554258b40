"""Buckets of product keys: how an operator asks about embargoed cases without saying what it runs.

Rules:
- A product key is the one that matching joins by; its bucket is the first bits of its SHA-256. A
  case lies in the bucket of each of its keys, an operator asks for the bucket of each of its own.
- So many bits that every bucket is shared by at least LEAST product keys of the published index;
  both sides work it out from that index, so that neither has to believe the other. One bit more
  cuts each bucket in two: nothing asked before says more for it.
- An operator asks for the same number of buckets whatever it runs. Those it does not need are drawn
  by a secret of its own, and stay the same, so that asking again tells nothing new. Those that find
  no room have their turn the next time.
- Every bucket holds the same number of slots, every slot the same number of bytes. A slot is sealed
  under a key derived from the product key and an answer's salt; an empty one is random bytes.
- Who has a product's name opens its slots, and nobody else; but names can be guessed, so whoever
  asks for a bucket can try every name that it knows on it. docs/private-matching.md has the limits.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from vedette.kernel.errors import BadInput
from vedette.matching.index import plain

LEAST = 32
MOST_BITS = 16
ASKED = 64
SLOTS = 8
SLOT = 2_048
SALT = 16
_NONCE, _TAG, _LENGTH = 12, 16, 4
ROOM = SLOT - _NONCE - _TAG - _LENGTH


@dataclass(frozen=True)
class Division:
    """How products fall into 2**bits buckets: each is shared by at least `shared` of `products`."""

    bits: int
    shared: int
    products: int

    @property
    def buckets(self) -> int:
        return 1 << self.bits

    @property
    def asked(self) -> int:
        """How many buckets one question names."""
        return min(ASKED, self.buckets)


def bucket(key: str, bits: int) -> int:
    """The bucket of a product key: 0 to 2**bits - 1."""
    head = sha256(b"vedette product bucket 1\n" + plain(key)).digest()[:4]
    return int.from_bytes(head) >> (32 - bits)


def divide(universe: Iterable[str], least: int = LEAST) -> Division:
    """The finest division in which at least `least` product keys of the universe share a bucket.

    A universe of fewer has one bucket.
    """
    places = [bucket(key, MOST_BITS) for key in frozenset(universe)]
    products = len(places)
    # with more buckets than that, some have fewer than `least` for certain
    bits = min(MOST_BITS, max(1, products // least).bit_length() - 1)
    counts = Counter(each >> (MOST_BITS - bits) for each in places)
    loads = [counts[each] for each in range(1 << bits)]
    while bits and min(loads) < least:
        loads = [one + other for one, other in zip(loads[::2], loads[1::2], strict=True)]
        bits -= 1
    return Division(bits, min(loads), products)


@dataclass(frozen=True)
class Asking:
    """What a run asks: questions of equally many buckets each; `waiting` ones found no room."""

    questions: tuple[tuple[int, ...], ...]
    waiting: int


def ask(
    needed: Collection[int], division: Division, secret: bytes, *, questions: int = 1, turn: int = 0
) -> Asking:
    """Choose the buckets to ask for; their number depends on `division` and `questions` alone.

    Args:
        needed: the buckets of the operator's own product keys.
        secret: the operator's own, 32 bytes, the same each time.
        turn: how many runs there were before.
    """
    room = min(questions * division.asked, division.buckets)
    rank = {
        each: blake2b(each.to_bytes(4), key=secret, digest_size=16).digest()
        for each in range(division.buckets)
    }
    wanted = sorted(set(needed), key=rank.__getitem__)
    if len(wanted) > room:
        start = turn * room % len(wanted)
        chosen = (wanted + wanted)[start : start + room]
    else:
        others = sorted(rank.keys() - set(wanted), key=rank.__getitem__)
        chosen = wanted + others[: room - len(wanted)]
    chosen.sort()
    size = division.asked
    asked = tuple(tuple(chosen[at : at + size]) for at in range(0, room, size))
    return Asking(asked, max(0, len(wanted) - room))


Entry = tuple[str, bytes]


def slots_needed(entries: Iterable[Entry], bits: int) -> int:
    """How many slots every bucket has: SLOTS, doubled until the fullest one fits."""
    fullest = max(Counter(bucket(key, bits) for key, _ in entries).values(), default=0)
    slots = SLOTS
    while slots < fullest:
        slots *= 2
    return slots


def fill(entries: Sequence[Entry], asked: Sequence[int], bits: int, salt: bytes) -> bytes:
    """The asked buckets, one after the other: sealed entries and random bytes, in random order.

    Raises BadInput for a payload of more than ROOM bytes.
    """
    slots = slots_needed(entries, bits)
    shelves: dict[int, list[bytes]] = {each: [] for each in asked}
    for key, payload in entries:
        if (shelf := shelves.get(bucket(key, bits))) is not None:
            shelf.append(seal(key, payload, salt))
    filled = bytearray()
    for each in asked:
        shelf = shelves[each]
        shelf += [os.urandom(SLOT) for _ in range(slots - len(shelf))]
        secrets.SystemRandom().shuffle(shelf)
        filled += b"".join(shelf)
    return bytes(filled)


def opened(
    filled: bytes, asked: Sequence[int], keys: Mapping[int, Collection[str]], salt: bytes
) -> Iterator[tuple[int, str, bytes]]:
    """Yield bucket, product key and payload of each slot that a key of its bucket opens.

    `keys` holds the operator's own product keys by bucket. Raises BadInput on another size.
    """
    size = len(filled) // len(asked) if asked else 0
    if not size or size % SLOT or size * len(asked) != len(filled):
        raise BadInput(f"answer: {len(filled):,} bytes are no {len(asked)} buckets")
    for place, each in enumerate(asked):
        known = [(key, _key(key, salt)) for key in keys.get(each, ())]
        for at in range(place * size, (place + 1) * size, SLOT):
            slot = filled[at : at + SLOT]
            for key, secret in known:
                payload = _open(secret, slot)
                if payload is not None:
                    yield each, key, payload


def seal(key: str, payload: bytes, salt: bytes) -> bytes:
    """One slot, which only who has the product key opens. Raises BadInput where it does not fit."""
    if len(payload) > ROOM:
        raise BadInput(f"entry: {len(payload):,} bytes, at most {ROOM:,}")
    padded = len(payload).to_bytes(_LENGTH) + payload.ljust(ROOM, b"\0")
    nonce = os.urandom(_NONCE)
    return nonce + ChaCha20Poly1305(_key(key, salt)).encrypt(nonce, padded, None)


def _key(key: str, salt: bytes) -> bytes:
    return blake2b(plain(key), digest_size=32, salt=salt, person=b"vedette-private1").digest()


def _open(secret: bytes, slot: bytes) -> bytes | None:
    try:
        padded = ChaCha20Poly1305(secret).decrypt(slot[:_NONCE], slot[_NONCE:], None)
    except InvalidTag:
        return None
    return padded[_LENGTH : _LENGTH + int.from_bytes(padded[:_LENGTH])]
