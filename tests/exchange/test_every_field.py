"""Every field of every message type at the door, generated from the table itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.exchange.bodies import GONE, one, over, paths, put

from vedette.exchange.acceptance import (
    Accepted,
    Here,
    KnownPeer,
    MessageRefused,
    Reason,
    accept,
)
from vedette.exchange.envelope import Message, seal
from vedette.exchange.fields import Document, Mark, TextMap
from vedette.exchange.messages import TABLE
from vedette.exchange.rows import MessageType
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.markings import RED, Marking
from vedette.kernel.permissions import Profile

OURS, THEIRS = PrivateKeys.generate(), PrivateKeys.generate()
each_type = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
FIELDS = [
    pytest.param(row, way, field, id=f"{row.name}.{'.'.join(map(str, way))}")
    for row in TABLE
    for way, field in paths(row.body)
]
each_field = pytest.mark.parametrize(("row", "way", "field"), FIELDS)


def at_the_door(row: MessageType, body: Any, **changes: Any) -> Accepted:
    """Hand a body in where its type may go; `sender`, `receiver` and `ceiling` may differ."""
    sender = changes.get("sender") or min(row.senders)
    receiver = changes.get("receiver") or min(row.receivers)
    message = Message(
        id="msg-2222222222222222",
        type=row.name,
        version=row.version,
        sender=THEIRS.public.keyid,
        receiver=OURS.public.keyid,
        sent_at="2026-12-01T09:00:00Z",
        marking=changes.get("marking", "TLP:AMBER"),
        thread="act-2222222222222222",
        body=body,
    )
    door = Here(OURS.public.keyid, receiver, changes.get("ceiling", RED))
    peers = {THEIRS.public.keyid: KnownPeer(THEIRS.public, sender)}
    return accept(json.dumps(seal(message, THEIRS)).encode(), door, peers)


def reason(row: MessageType, body: Any, **changes: Any) -> tuple[Reason, str]:
    with pytest.raises(MessageRefused) as refusal:
        at_the_door(row, body, **changes)
    return refusal.value.reason, refusal.value.what


def path(way: tuple[Any, ...]) -> str:
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way)
    return f"body{words}"


@each_type
def test_a_whole_message_is_taken(row: MessageType) -> None:
    assert at_the_door(row, one(row.body)).unread == ()


@each_type
def test_no_other_field_is_taken(row: MessageType) -> None:
    why, what = reason(row, {**one(row.body), "unheard_of": 1})
    assert why == Reason.BAD_FIELD
    assert "body.unheard_of" in what


@each_type
def test_no_other_party_sends_or_gets_it(row: MessageType) -> None:
    for other in set(Profile) - row.senders:
        assert reason(row, one(row.body), sender=other)[0] == Reason.WRONG_PARTY
    for other in set(Profile) - row.receivers:
        assert reason(row, one(row.body), receiver=other)[0] == Reason.WRONG_PARTY


@each_type
def test_above_the_ceiling_none_is_taken(row: MessageType) -> None:
    for marking in ("SECRET//TLP:RED", "UNCLASSIFIED//ALPHA//TLP:RED"):
        assert reason(row, one(row.body), marking=marking)[0] == Reason.OVER_MARKED
    low = Marking.parse("TLP:GREEN")
    assert reason(row, one(row.body), ceiling=low)[0] == Reason.OVER_MARKED


@each_field
def test_a_field_that_is_owed_is_missed(row: MessageType, way: Any, field: Any) -> None:
    body = put(one(row.body), way, GONE)
    if not field.required:
        at_the_door(row, body)
        return
    why, what = reason(row, body)
    assert (why, what.endswith(f"{path(way)}: missing")) == (Reason.BAD_FIELD, True)


@each_field
def test_a_value_of_another_kind_is_named(row: MessageType, way: Any, field: Any) -> None:
    for wrong in (None, [[]], 7, {"a": {"b": []}}, "\x07"):
        try:
            field.check(wrong, "")
        except BadInput:
            why, what = reason(row, put(one(row.body), way, wrong))
            assert why == Reason.BAD_FIELD, wrong
            assert path(way) in what, wrong


@each_field
def test_a_value_beyond_its_limit_is_named(row: MessageType, way: Any, field: Any) -> None:
    why, what = reason(row, put(one(row.body), way, over(field)))
    assert why in (Reason.BAD_FIELD, Reason.MALFORMED)
    assert why == Reason.MALFORMED or path(way) in what
    if why == Reason.MALFORMED:
        assert "more than the 16,777,216 allowed" in what, "too large for any envelope"


@each_field
def test_a_portion_above_the_ceiling_keeps_the_whole_out(
    row: MessageType, way: Any, field: Any
) -> None:
    if "attachments" in way:
        # a file above it is kept out alone, and has a pointer of its own
        return
    if isinstance(field, Mark):
        body = put(one(row.body), way, "SECRET//TLP:RED")
    elif isinstance(field, Document) and not isinstance(field, TextMap):
        body = put(one(row.body), way, {"parts": [{"text": "x", "marking": "SECRET//TLP:RED"}]})
    else:
        return
    why, what = reason(row, body)
    assert why == Reason.OVER_MARKED
    assert "body" in what
