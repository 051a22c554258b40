"""Instances a version apart: each takes what it knows and keeps the rest for later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from vedette.exchange.acceptance import (
    Accepted,
    Here,
    KnownPeer,
    MessageRefused,
    Reason,
    accept,
    understand,
)
from vedette.exchange.envelope import Message, seal
from vedette.exchange.fields import Choice, ListOf, Record, Text
from vedette.exchange.messages import BY_NAME
from vedette.exchange.rows import Added, MessageType
from vedette.kernel.canonical import canonical
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.markings import RED
from vedette.kernel.permissions import Profile

LAB, OFFICE = frozenset({Profile.LAB}), frozenset({Profile.OFFICE})
BOTH = LAB | OFFICE
OLD = MessageType(
    "tale.told",
    BOTH,
    BOTH,
    Record(
        {
            "tale": Text(),
            "mood": Choice(("glad", "sad"), required=False),
            "heard": ListOf(Record({"by": Text()}), 10, required=False),
        }
    ),
    "A tale.",
)
NEW = replace(
    OLD,
    version=2,
    body=Record(
        {
            "tale": Text(),
            "mood": Choice(("glad", "sad", "wry"), required=False),
            "heard": ListOf(
                Record({"by": Text(), "where": Text(required=False)}), 10, required=False
            ),
            "teller": Text(),
            "moral": Text(required=False),
        }
    ),
    added={"teller": Added(2, "somebody")},
)
SEQUEL = MessageType("tale.continued", LAB, OFFICE, Record({"tale": Text()}), "More of it.")


@dataclass
class Instance:
    """One side with the table of its version."""

    profile: Profile
    table: Mapping[str, MessageType]
    keys: PrivateKeys

    @classmethod
    def of(cls, profile: Profile, *rows: MessageType) -> Instance:
        return cls(profile, {row.name: row for row in rows}, PrivateKeys.generate())

    def sends(self, to: Instance, type_: str, **body: Any) -> bytes:
        row = self.table[type_]
        row.body.check(body, "body")
        message = Message(
            id="msg-2222222222222222",
            type=type_,
            version=row.version,
            sender=self.keys.public.keyid,
            receiver=to.keys.public.keyid,
            sent_at="2026-12-01T09:00:00Z",
            marking="TLP:AMBER",
            thread="",
            body=body,
        )
        return canonical(seal(message, self.keys))

    @property
    def door(self) -> Here:
        return Here(self.keys.public.keyid, self.profile, RED, self.table)

    def takes(self, data: bytes, sender: Instance) -> Accepted:
        known = KnownPeer(sender.keys.public, sender.profile)
        return accept(data, self.door, {sender.keys.public.keyid: known})

    def upgraded(self, *rows: MessageType) -> Instance:
        return replace(self, table={row.name: row for row in rows})

    def reads_again(self, kept: Accepted, sender: Instance) -> Accepted:
        return understand(kept.message, kept.opened, self.door, sender.profile)


OLDER = Instance.of(Profile.OFFICE, OLD)
NEWER = Instance.of(Profile.LAB, NEW, SEQUEL)


def test_what_the_newer_one_says_is_read_as_far_as_known_and_wholly_later() -> None:
    data = NEWER.sends(
        OLDER, "tale.told", tale="t", teller="Ann", moral="m", heard=[{"by": "Bo", "where": "here"}]
    )
    kept = OLDER.takes(data, NEWER)
    assert kept.body == {"tale": "t", "heard": [{"by": "Bo"}]}
    assert kept.unread == ("body.moral", "body.teller", "body.heard[0].where")
    assert kept.message.body["moral"] == "m", "the rest is kept"
    later = OLDER.upgraded(NEW, SEQUEL).reads_again(kept, NEWER)
    assert later.unread == ()
    assert later.body == kept.message.body


def test_what_the_older_one_says_reads_as_if_it_held_what_came_later() -> None:
    taken = NEWER.takes(OLDER.sends(NEWER, "tale.told", tale="t"), OLDER)
    assert taken.body == {"tale": "t", "teller": "somebody"}
    assert taken.unread == ()
    assert "teller" not in taken.message.body, "the message itself stays as it was signed"


def test_a_word_that_is_new_is_kept_until_it_is_known() -> None:
    kept = OLDER.takes(NEWER.sends(OLDER, "tale.told", tale="t", teller="A", mood="wry"), NEWER)
    assert "mood" in kept.not_yet
    later = OLDER.upgraded(NEW).reads_again(kept, NEWER)
    assert (later.not_yet, later.body["mood"]) == ("", "wry")


def test_a_type_that_is_new_is_kept_until_it_is_known() -> None:
    kept = OLDER.takes(NEWER.sends(OLDER, "tale.continued", tale="t"), NEWER)
    assert "tale.continued is not known" in kept.not_yet
    later = OLDER.upgraded(OLD, SEQUEL).reads_again(kept, NEWER)
    assert (later.not_yet, later.body) == ("", {"tale": "t"})


def test_a_type_that_goes_other_ways_since_is_kept_and_an_own_one_refused() -> None:
    wider = replace(NEW, senders=BOTH, receivers=BOTH)
    narrow = Instance.of(Profile.OFFICE, replace(OLD, senders=OFFICE))
    sender = Instance.of(Profile.LAB, wider)
    kept = narrow.takes(sender.sends(narrow, "tale.told", tale="t", teller="A"), sender)
    assert "does not go from lab to office in this version" in kept.not_yet
    same = Instance.of(Profile.LAB, OLD)
    with pytest.raises(MessageRefused) as refusal:
        narrow.takes(same.sends(narrow, "tale.told", tale="t"), same)
    assert refusal.value.reason == Reason.WRONG_PARTY


def test_the_same_version_takes_nothing_else() -> None:
    peer = Instance.of(Profile.LAB, replace(NEW, version=1))
    with pytest.raises(MessageRefused) as refusal:
        OLDER.takes(peer.sends(OLDER, "tale.told", tale="t", teller="A"), peer)
    assert refusal.value.reason == Reason.BAD_FIELD


def test_required_fields_that_came_later_have_their_reading() -> None:
    """Every row above version 1 says how an older message reads, so that none is refused."""
    for row in [*BY_NAME.values(), NEW]:
        for name, added in row.added.items():
            assert 1 < added.version <= row.version
            row.body.fields[name].check(added.instead, name)
