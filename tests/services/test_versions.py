"""An instance keeps what a newer peer sends, and reads it after its own upgrade."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vedette.exchange.fields import ID, Record, Text
from vedette.exchange.messages import BY_NAME
from vedette.exchange.rows import MessageType
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import handling
from vedette.services.here import use
from vedette.services.testing import Fixture
from vedette.store.models import InMessage, LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped

LAB, OFFICE = frozenset({Profile.LAB}), frozenset({Profile.OFFICE})
TALE = MessageType("tale.told", OFFICE, LAB, Record({"tale": Text()}), "A tale.")
NEWER = replace(
    BY_NAME["engagement.withdrawn"],
    version=2,
    body=Record({"act": ID, "reason": Text(required=False), "mood": Text(required=False)}),
)


def row() -> InMessage:
    with scoped(SYSTEM):
        return InMessage.objects.get()


def events(event: str) -> int:
    with scoped(SYSTEM):
        return int(LedgerEntry.objects.filter(event=event).count())


def test_an_unknown_type_is_kept_and_handled_after_the_upgrade(
    lab: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    message = office.message("tale.told", {"tale": "once"}, thread="")
    receipt = office.hand_in(message)
    assert (receipt.status, receipt.state) == ("accepted", "not-understood")
    assert "not known to this version" in receipt.detail
    assert office.hand_in(message).status == "already"
    assert handling.revisit() == 0, "nothing changed yet"
    assert row().state == "not-understood"
    told: list[Any] = []
    monkeypatch.setitem(handling._handlers, "tale.told", lambda a: told.append(a.body["tale"]))
    with use(replace(lab.here, table={**BY_NAME, TALE.name: TALE})):
        assert handling.revisit() == 1
        assert handling.revisit() == 0, "each is read once"
    assert told == ["once"]
    assert row().state == "handled"
    assert events("message:message:understood") == 1


def test_what_turns_out_wrong_after_the_upgrade_is_set_aside_with_its_reason(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    office.send("tale.told", {"tail": "once"}, thread="")
    with use(replace(lab.here, table={**BY_NAME, TALE.name: TALE})):
        assert handling.revisit() == 0
    assert row().state == "set-aside"
    assert "body.tail" in row().reason


def test_fields_left_unread_are_read_after_the_upgrade(
    lab: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled: list[str] = []
    monkeypatch.setitem(
        handling._handlers, "engagement.withdrawn", lambda a: handled.append("first")
    )
    monkeypatch.setitem(
        handling._later, "engagement.withdrawn", lambda a: handled.append(a.body["mood"])
    )
    office = lab.peer("Office", Profile.OFFICE)
    body = {"act": new_id("act"), "mood": "fine"}
    message = office.message("engagement.withdrawn", body, thread=body["act"])
    assert office.hand_in(replace(message, version=2)).status == "accepted"
    assert (row().state, row().unread) == ("handled", ["body.mood"])
    assert handling.revisit() == 0, "nothing new is understood"
    with use(replace(lab.here, table={**BY_NAME, NEWER.name: NEWER})):
        assert handling.revisit() == 1
        assert handling.revisit() == 0
    assert handled == ["first", "fine"]
    assert row().unread == []
