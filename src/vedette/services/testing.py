"""Shipped fakes: an instance in the test's own database, and peers that sign messages to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vedette.exchange.card import Card
from vedette.exchange.envelope import Message, open_envelope, read_message, seal
from vedette.kernel.clock import FixedClock, format_time
from vedette.kernel.ids import new_id
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.markings import RED, Marking
from vedette.kernel.packs import default_pack
from vedette.kernel.permissions import Profile
from vedette.services import accounts, catalogue, inbox, peers
from vedette.services.acting import Actor, instance_actor, member
from vedette.services.here import Here, use
from vedette.store.models import Organisation, OutMessage
from vedette.store.tenancy import SYSTEM, scoped

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
HANDLERS = catalogue.__all__


@dataclass
class FakePeer:
    """Another instance that exists only as keys: signs messages to us, reads ours to it."""

    name: str
    profile: Profile
    here: Here
    keys: PrivateKeys = field(default_factory=PrivateKeys.generate)

    @property
    def card(self) -> Card:
        return Card(self.name, self.profile, "", self.keys.public)

    def message(
        self, type_: str, body: Mapping[str, Any], *, thread: str, marking: str = "TLP:AMBER"
    ) -> Message:
        return Message(
            id=new_id("msg"),
            type=type_,
            version=1,
            sender=self.keys.public.keyid,
            receiver=self.here.keys.public.keyid,
            sent_at=format_time(self.here.clock.now()),
            marking=marking,
            thread=thread,
            body=dict(body),
        )

    def send(
        self, type_: str, body: Mapping[str, Any], *, thread: str, marking: str = "TLP:AMBER"
    ) -> inbox.Receipt:
        """Sign a message and hand it in at our door."""
        return self.hand_in(self.message(type_, body, thread=thread, marking=marking))

    def hand_in(self, message: Message) -> inbox.Receipt:
        return inbox.receive(json.dumps(seal(message, self.keys)).encode())

    def received(self, type_: str = "") -> list[Message]:
        """What we queued for this peer, oldest first."""
        with scoped(SYSTEM):
            rows = OutMessage.objects.filter(peer_id=self.keys.public.keyid).order_by(
                "queued_at", "pk"
            )
            messages = [read_message(open_envelope(r.envelope.encode()).payload) for r in rows]
        return [m for m in messages if not type_ or m.type == type_]


@dataclass
class Fixture:
    """An instance under test: its clock can be moved, its people act, its peers send."""

    here: Here
    clock: FixedClock

    def person(self, role: str, org: str = "") -> Actor:
        """An actor with `role`, in the host organisation unless another id is given."""
        return member(org or self.here.org, f"a {role}", role, host=org in ("", self.here.org))

    def named(self, email: str, role: str) -> Actor:
        """Somebody with an address who joined the host organisation, as terms name people."""
        code = accounts.invite(instance_actor(), email, role, "")
        found = accounts.actor_of(accounts.join(code, role, "correct horse battery"))
        assert found is not None
        return found

    def organisation(self, name: str, kind: str) -> Organisation:
        return accounts.add_organisation(instance_actor(), name, kind)

    def peer(self, name: str, profile: Profile) -> FakePeer:
        found = FakePeer(name, profile, self.here)
        peers.add_peer(instance_actor(), found.card)
        return found


@contextmanager
def instance(
    profile: Profile, folder: Path, *, ceiling: Marking = RED, start: datetime = START
) -> Iterator[Fixture]:
    """Found an instance of `profile` in the test's database and work for it."""
    clock = FixedClock(start)
    made = Here(
        org=new_id("org"),
        name=f"test {profile}",
        profile=profile,
        url="http://testserver",
        ceiling=ceiling,
        folder=folder,
        keys=PrivateKeys.generate(),
        clock=clock,
        pack=default_pack(),
        demo=True,
    )
    with use(made):
        accounts.found("admin@test.example")
        yield Fixture(made, clock)
