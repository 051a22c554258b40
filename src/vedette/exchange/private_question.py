"""A private question of an operator to a clearinghouse, and the sealed answer.

The question is signed (DSSE) by the operator's instance, and names a key of its own, made for it
alone. The answer is sealed to that key and signed by the clearinghouse, over the question's digest:
who listens reads nothing of it, and who repeats the question gets nothing that it can open.

Rules:
- A question names the receiver and its time; it is taken once, and within SKEW of that time.
- It asks for buckets (`matching.private`), for an intersection (`matching.intersection`), or for
  the ranges of products whose names it reveals, sealed to the clearinghouse.
- The lengths of question and answer depend on how many buckets are asked, and on how many slots a
  bucket has; on nothing of what is held or under embargo.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vedette.exchange.envelope import open_envelope, sign_payload
from vedette.exchange.fields import ID, Choice, ListOf, Record, Text, Time, Whole
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.dsse import Opened
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.keys import PrivateKeys, PublicKeys

PRIVATE_TYPE = "application/vnd.vedette.private-question+json"
PRIVATE_PATH = "/exchange/v1/private"
MAX_QUESTION = MIB
MAX_ANSWER = 64 * MIB
SKEW = timedelta(minutes=10)
HEAD = 512
MOST_NAMES, NAMES = 32, 8 * 1024
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
        "kind": Choice(("buckets", "intersection", "ranges")),
        "bits": Whole(0, 4 * _DIGITS, required=False),
        "buckets": Text(_DIGITS * 4_096, f"([0-9a-f]{{{_DIGITS}}})+", required=False),
        "content": Text(MAX_QUESTION // 2, "[A-Za-z0-9+/=]+", required=False),
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
    """What crosses of a question: `buckets` out of 2**bits, `key` is X25519's public one as hex.

    One of another `kind` has `content` instead of buckets.
    """

    id: str
    asker: str
    to: str
    asked_at: datetime
    key: str
    bits: int
    buckets: tuple[int, ...]
    digest: str
    kind: str = "buckets"
    content: bytes = b""


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
    text = "".join(f"{each:0{_DIGITS}x}" for each in buckets)
    return _put({"kind": "buckets", "bits": bits, "buckets": text}, keys, to, now)


def put_content(
    kind: str, content: bytes, keys: PrivateKeys, to: PublicKeys, now: datetime
) -> Asked:
    """Sign a question of another kind."""
    return _put({"kind": kind, "content": b64encode(content).decode()}, keys, to, now)


def _put(asked: Mapping[str, Any], keys: PrivateKeys, to: PublicKeys, now: datetime) -> Asked:
    key = X25519PrivateKey.generate()
    payload = canonical(
        {
            "vedette": 1,
            "id": new_id("question"),
            "asker": keys.public.keyid,
            "to": to.keyid,
            "asked_at": format_time(now),
            "key": key.public_key().public_bytes_raw().hex(),
            **asked,
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
    kind, wanted = given["kind"], {"buckets": ("bits", "buckets")}
    if {"bits", "buckets", "content"} & given.keys() != {*wanted.get(kind, ("content",))}:
        raise BadInput(f"question: other fields than one of kind {kind} has")
    text, bits = given.get("buckets", ""), given.get("bits", 0)
    try:
        content = b64decode(given.get("content", ""), validate=True)
    except ValueError:
        raise BadInput("question.content: no base64") from None
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
        kind,
        content,
    )


def write_names(keys: Collection[str]) -> bytes:
    """The product keys that an asker reveals, at one size. Raises BadInput for too many."""
    text = canonical(sorted(keys))
    if len(keys) > MOST_NAMES or len(text) > NAMES:
        raise BadInput(f"{len(keys)} products revealed: at most {MOST_NAMES}, in {NAMES:,} bytes")
    return text.ljust(NAMES)


def read_names(data: bytes) -> frozenset[str]:
    """What `write_names` wrote. Raises BadInput."""
    bounds = Bounds(size=NAMES, depth=2, count=MOST_NAMES + 1)
    names = read_json(data, source="question.content", bounds=bounds)
    ListOf(Text(NAMES), MOST_NAMES).check(names, "question.content")
    return frozenset(names)


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
