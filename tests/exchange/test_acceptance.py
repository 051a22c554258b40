"""The door: whatever arrives is taken or refused with a reason, and nothing else happens."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exchange.bodies import WORDS

from vedette.exchange.acceptance import Accepted, Here, KnownPeer, MessageRefused, accept
from vedette.exchange.envelope import Message, seal
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.markings import RED
from vedette.kernel.permissions import Profile

OURS, THEIRS = PrivateKeys.generate(), PrivateKeys.generate()
DOOR = Here(OURS.public.keyid, Profile.LAB, RED)
PEERS = {THEIRS.public.keyid: KnownPeer(THEIRS.public, Profile.OFFICE)}
MESSAGE = Message(
    id="msg-2222222222222222",
    type="engagement.withdrawn",
    version=1,
    sender=THEIRS.public.keyid,
    receiver=OURS.public.keyid,
    sent_at="2026-12-01T09:00:00Z",
    marking="TLP:AMBER",
    thread="act-2222222222222222",
    body={"act": "act-2222222222222222", "reason": "because"},
)
VALID = json.dumps(seal(MESSAGE, THEIRS)).encode()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def taken(data: bytes) -> bool:
    """Whether `data` is taken; any error but MessageRefused comes through."""
    try:
        return isinstance(accept(data, DOOR, PEERS), Accepted)
    except MessageRefused:
        return False


def test_a_valid_message_is_taken() -> None:
    assert accept(VALID, DOOR, PEERS).message == MESSAGE


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert not taken(data)


@settings(max_examples=200)
@given(st.integers(0, len(VALID) - 1), st.binary(max_size=6), st.integers(0, 6))
def test_a_changed_envelope_is_never_another_message(at: int, new: bytes, cut: int) -> None:
    data = VALID[:at] + new + VALID[at + cut :]
    if taken(data):
        assert accept(data, DOOR, PEERS).message == MESSAGE


@given(st.sampled_from(["payload", "payloadType", "signatures"]), JSON)
def test_an_envelope_with_any_other_part_is_refused(part: str, value: Any) -> None:
    assert not taken(json.dumps({**json.loads(VALID), part: value}).encode())


@given(
    st.sampled_from(["id", "type", "sender", "receiver", "sent_at", "marking", "thread"]),
    WORDS,
)
def test_a_signer_who_writes_anything_is_taken_or_refused(name: str, value: str) -> None:
    message = replace(MESSAGE, **{name: value})
    taken(json.dumps(seal(message, THEIRS)).encode())


@given(JSON.filter(lambda value: isinstance(value, dict)))
def test_a_signed_body_outside_the_table_is_refused(body: dict[str, Any]) -> None:
    assert not taken(json.dumps(seal(replace(MESSAGE, body=body), THEIRS)).encode())


@pytest.mark.parametrize("wrong", [None, [], {}, 7, "text"])
def test_a_signature_must_be_one(wrong: object) -> None:
    assert not taken(json.dumps({**json.loads(VALID), "signatures": [wrong]}).encode())
