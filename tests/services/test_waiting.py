"""Messages that came too early: woken by what they wait for, and by nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from vedette.exchange.fields import ID, Record
from vedette.exchange.messages import BY_NAME
from vedette.exchange.rows import MessageType
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import handling
from vedette.services.acting import act, instance_actor
from vedette.services.handling import Arrival, NotYet
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import Awaiting, InMessage
from vedette.store.tenancy import SYSTEM, scoped

BOTH = frozenset({Profile.LAB}), frozenset({Profile.OFFICE})


class Tales:
    """Messages `tale.told` wait until their `tale` is in `here`; every try is counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.here: set[str] = set()
        self.tries = 0
        told = MessageType("tale.told", *BOTH, Record({"tale": ID}), "A tale.")
        begun = MessageType("tale.begun", *BOTH, Record({"tale": ID}), "Its beginning.")
        for row in (told, begun):
            monkeypatch.setitem(BY_NAME, row.name, row)
        monkeypatch.setitem(handling._handlers, "tale.told", self.on_told)
        monkeypatch.setitem(handling._handlers, "tale.begun", self.on_begun)

    def on_told(self, arrival: Arrival) -> None:
        self.tries += 1
        if arrival.body["tale"] not in self.here:
            raise NotYet("its beginning has not arrived")

    def on_begun(self, arrival: Arrival) -> None:
        self.here.add(arrival.body["tale"])


@pytest.fixture
def tales(monkeypatch: pytest.MonkeyPatch) -> Tales:
    return Tales(monkeypatch)


@pytest.fixture
def lab_peer(office: Fixture) -> FakePeer:
    return office.peer("Lab", Profile.LAB)


def states() -> dict[str, int]:
    with scoped(SYSTEM):
        found = list(InMessage.objects.values_list("state", flat=True))
    return {state: found.count(state) for state in set(found)}


def tell(lab: FakePeer, tale: str, type_: str = "tale.told", thread: str = "") -> Any:
    return lab.send(type_, {"tale": tale}, thread=thread)


def test_an_arrival_wakes_what_is_about_the_same_and_nothing_else(
    tales: Tales, lab_peer: FakePeer
) -> None:
    ids = [new_id("tale") for _ in range(30)]
    for tale in ids:
        assert tell(lab_peer, tale).state == "waiting"
    assert tales.tries == 30, "each is tried once, whatever else waits"
    tell(lab_peer, ids[7], "tale.begun")
    assert tales.tries == 31
    assert states() == {"waiting": 29, "handled": 2}
    with scoped(SYSTEM):
        assert Awaiting.objects.count() == 29, "what is done awaits nothing"


def test_a_chain_is_woken_link_by_link(
    tales: Tales, lab_peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is woken wakes in its turn, by its thread as by its ids."""
    first, second = new_id("tale"), new_id("tale")

    def chained(arrival: Arrival) -> None:
        tales.on_told(arrival)
        tales.here.add(arrival.message.thread)

    monkeypatch.setitem(handling._handlers, "tale.told", chained)
    tell(lab_peer, second)
    tell(lab_peer, first, thread=second)
    assert states() == {"waiting": 2}
    tell(lab_peer, first, "tale.begun")
    assert states() == {"handled": 3}


def test_an_act_here_makes_what_waits_for_it_due(tales: Tales, lab_peer: FakePeer) -> None:
    tale = new_id("tale")
    tell(lab_peer, tale)
    assert handling.handle_due() == 0
    assert tales.tries == 1, "not before its time"
    tales.here.add(tale)
    with act(instance_actor(), None) as doing:
        doing.record(Event.CASE_NOTE_ADDED, tale, {})
    assert handling.handle_due() == 1


def test_what_waits_is_tried_again_ever_more_seldom(tales: Tales, lab_peer: FakePeer) -> None:
    tell(lab_peer, new_id("tale"))
    waits = []
    for _ in range(15):
        with scoped(SYSTEM):
            row = InMessage.objects.get()
            waits.append(round((row.try_at - timezone.now()).total_seconds()))
            InMessage.objects.update(try_at=timezone.now() - timedelta(seconds=1))
        handling.handle_due()
    assert waits == sorted(waits)
    assert waits[-1] == 3600
    assert tales.tries == 16


def test_everything_that_waits_can_be_tried_at_once(tales: Tales, lab_peer: FakePeer) -> None:
    ids = [new_id("tale") for _ in range(5)]
    for tale in ids:
        tell(lab_peer, tale)
    tales.here |= set(ids)
    assert handling.handle_waiting() == 5
    assert states() == {"handled": 5}
