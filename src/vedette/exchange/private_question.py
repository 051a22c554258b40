"""A private question of an operator to a clearinghouse, and the sealed answer.

The question is signed (DSSE) by the operator's instance, and names a key of its own, made for it
alone. The answer is sealed to that key and signed by the clearinghouse, over the question's digest:
who listens reads nothing of it, and who repeats the question gets nothing that it can open.

Rules:
- A question names the receiver and its time; it is taken once, and within SKEW of that time.
- The lengths of question and answer depend on how many buckets are asked, and on how many slots a
  bucket has; on nothing of what is held or under embargo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vedette.exchange.envelope import open_envelope, sign_payload
from vedette.exchange.fields import ID, Record, Text, Time, Whole
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.dsse import Opened
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.keys import PrivateKeys, PublicKeys

PRIVATE_TYPE = "application/vnd.vedette.private-question+json"
PRIVATE_PATH = "/exchange/v1/private"
MAX_QUESTION = 64 * 1024
MAX_ANSWER = 64 * MIB
SKEW = timedelta(minutes=10)
HEAD = 512
_CONTEXT = b"vedette private answer 1\n"
_KEY, _SIGNATURE, _NONCE = 32, 64, bytes(12)
_DIGITS = 4
_FIELDS = Record(
    {
        "vedette": Whole(1, 1),
        "id": ID,
        "asker": Text(64, "[0-9a-f]{64}"),
        "to": Text(64, "[0-9a-f]{64}"),
        "asked_at": Time(),
        "key": Text(64, "[0-9a-f]{64}"),
        "bits": Whole(0, 4 * _DIGITS),
        "buckets": Text(_DIGITS * 4_096, f"([0-9a-f]{{{_DIGITS}}})+"),
    }
)
# what an answer says before its buckets, in HEAD bytes
_HEAD = Record(
    {
        "bits": Whole(0, 4 * _DIGITS),
        "shared": Whole(),
        "products": Whole(),
        "salt": Text(32, "[0-9a-f]{32}"),
        "limit": Whole(),
        "left": Whole(),
    }
)


@dataclass(frozen=True)
class Question:
    """What crosses of a question: `buckets` out of 2**bits, `key` is X25519's public one as hex."""

    id: str
    asker: str
    to: str
    asked_at: datetime
    key: str
    bits: int
    buckets: tuple[int, ...]
    digest: str


@dataclass(frozen=True)
class Asked:
    """A question as it is sent, with the private key that opens its answer."""

    envelope: Mapping[str, Any]
    digest: str
    key: X25519PrivateKey


def put(
    buckets: Sequence[int], bits: int, keys: PrivateKeys, to: PublicKeys, now: datetime
) -> Asked:
    """Sign a question for `buckets` out of 2**bits."""
    key = X25519PrivateKey.generate()
    payload = canonical(
        {
            "vedette": 1,
            "id": new_id("question"),
            "asker": keys.public.keyid,
            "to": to.keyid,
            "asked_at": format_time(now),
            "key": key.public_key().public_bytes_raw().hex(),
            "bits": bits,
            "buckets": "".join(f"{each:0{_DIGITS}x}" for each in buckets),
        }
    )
    return Asked(sign_payload(payload, PRIVATE_TYPE, keys), digest(payload), key)


def opened_question(data: bytes) -> Opened:
    """A question's envelope, before anything in it is believed. Raises BadInput."""
    if len(data) > MAX_QUESTION:
        raise BadInput(f"question: {len(data):,} bytes, at most {MAX_QUESTION:,}")
    return open_envelope(data, PRIVATE_TYPE)


def read_question(envelope: Opened) -> Question:
    """The fields of a question whose signature was checked. Raises BadInput naming the field."""
    bounds = Bounds(size=MAX_QUESTION, depth=4, count=100)
    given = read_json(envelope.payload, source="question", bounds=bounds)
    _FIELDS.check(given, "question")
    text, bits = given["buckets"], given["bits"]
    buckets = tuple(int(text[at : at + _DIGITS], 16) for at in range(0, len(text), _DIGITS))
    if any(each >> bits for each in buckets) or list(buckets) != sorted(set(buckets)):
        raise BadInput(f"question.buckets: each once, in order, below 2**{bits}")
    return Question(
        given["id"],
        given["asker"],
        given["to"],
        parse_time(given["asked_at"], field="question.asked_at"),
        given["key"],
        bits,
        buckets,
        envelope.digest,
    )


def seal_answer(
    question: Question, head: Mapping[str, Any], content: bytes, keys: PrivateKeys
) -> bytes:
    """Seal an answer to the question's key, and sign it."""
    own = X25519PrivateKey.generate()
    shared = own.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(question.key)))
    plain = canonical(dict(head)).ljust(HEAD) + content
    box = _cipher(shared, question.digest).encrypt(_NONCE, plain, None)
    public = own.public_key().public_bytes_raw()
    return public + keys.sign(_signed(question.digest, public, box)) + box


def open_answer(asked: Asked, answer: bytes, maker: PublicKeys) -> tuple[dict[str, Any], bytes]:
    """An answer's head and content. Raises Refused where it is not the maker's to this question."""
    public = answer[:_KEY]
    signature, box = answer[_KEY : _KEY + _SIGNATURE], answer[_KEY + _SIGNATURE :]
    try:
        if not maker.verify(signature, _signed(asked.digest, public, box)):
            raise ValueError
        shared = asked.key.exchange(X25519PublicKey.from_public_bytes(public))
        plain = _cipher(shared, asked.digest).decrypt(_NONCE, box, None)
    except (InvalidTag, ValueError):
        raise Refused(
            "private answer: it does not bear the clearinghouse's signature on this question",
            next_step="compare fingerprints with the clearinghouse by voice",
        ) from None
    bounds = Bounds(size=HEAD, depth=2, count=20)
    head = read_json(plain[:HEAD], source="private answer", bounds=bounds)
    _HEAD.check(head, "private answer")
    return head, plain[HEAD:]


def _signed(question: str, public: bytes, box: bytes) -> bytes:
    return _CONTEXT + question.encode() + public + box


def _cipher(shared: bytes, question: str) -> ChaCha20Poly1305:
    # the key serves one answer: its nonce may stay the same
    derived = HKDF(SHA256(), 32, salt=None, info=_CONTEXT + question.encode()).derive(shared)
    return ChaCha20Poly1305(derived)
