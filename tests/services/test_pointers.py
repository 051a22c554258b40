"""What is marked above the ceiling is never written; a pointer stands in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.apps import apps
from django.core import serializers

from vedette.exchange.envelope import seal
from vedette.kernel.ids import new_id
from vedette.kernel.markings import RED, Marking
from vedette.kernel.permissions import Profile
from vedette.services import inbox, messages
from vedette.services.here import use
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import InMessage, LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped

SECRET = "the-words-that-may-not-be-here"
HIGH = "TOP SECRET//ALPHA//TLP:RED"


def everything_written(folder: Path) -> Iterator[str]:
    """All rows of all tables, and all files of the instance."""
    with scoped(SYSTEM):
        for model in apps.get_models():
            yield serializers.serialize("json", model._default_manager.all())
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes().decode("utf-8", "replace")


def written(fixture: Fixture, word: str) -> bool:
    return any(word in text for text in everything_written(fixture.here.folder))


def withdrawn(office: FakePeer, **changes: str) -> inbox.Receipt:
    body = {"act": "act-2222222222222222", "reason": SECRET}
    message = office.message("engagement.withdrawn", body, thread=body["act"], marking=HIGH)
    return office.hand_in(replace(message, **changes))


def test_a_pointer_stands_in_its_place_and_the_sender_is_told(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    receipt = withdrawn(office, id="msg-2222222222222222")
    assert (receipt.status, receipt.reason) == ("refused", "over-marked")
    assert "a pointer stands in its place" in receipt.detail
    assert withdrawn(office, id="msg-2222222222222222").status == "refused"
    with scoped(SYSTEM):
        row = InMessage.objects.get()
        entry = LedgerEntry.objects.get(event="message:pointer:made")
    assert (row.state, row.message_id, row.envelope) == ("pointer", "msg-2222222222222222", "")
    assert (row.type, row.sender) == ("engagement.withdrawn", office.keys.public.keyid)
    assert row.reason == "marked TLP:RED and more, it is marked above this instance's" + (
        " ceiling; ask Office"
    )
    assert entry.message_id == row.message_id
    for word in (SECRET, "ALPHA", "TOP SECRET"):
        assert not written(lab, word), word
    reader = lab.person("release-lead")
    assert [m.state for m in messages.list_messages(reader)] == ["pointer"]
    assert messages.message_view(reader, row.message_id)["pointer"].pk == row.pk


def test_a_portion_above_the_ceiling_keeps_the_message_out(clearinghouse: Fixture) -> None:
    lab = clearinghouse.peer("Lab", Profile.LAB)
    body = {
        "finding": new_id("finding"),
        "title": "t",
        "description": "d",
        "product": "p",
        "evidence": {"parts": [{"text": SECRET, "marking": HIGH}]},
    }
    receipt = lab.send("finding.reported", body, thread=body["finding"])
    assert receipt.reason == "over-marked"
    assert "body.evidence.parts[0] is marked above" in receipt.detail
    assert not written(clearinghouse, SECRET)


@pytest.mark.parametrize(
    "change",
    [
        {"receiver": "0" * 64},
        {"id": "../../etc"},
        {"marking": "SECRET/ALPHA"},
        {"type": "no type"},
        {"sent_at": "yesterday"},
    ],
)
def test_no_other_fault_brings_the_content_in(lab: Fixture, change: dict[str, str]) -> None:
    assert withdrawn(lab.peer("Office", Profile.OFFICE), **change).status == "refused"
    assert not written(lab, SECRET)


def test_a_strangers_word_is_not_written_either(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    stranger = replace(office, keys=type(office.keys).generate())
    assert withdrawn(stranger).reason == "unknown-signer"
    data = json.dumps(
        seal(office.message("x.y", {"a": SECRET}, thread="", marking=HIGH), office.keys)
    )
    for cut in (len(data) // 2, len(data) - 2):
        assert inbox.receive(data[:cut].encode()).status == "refused"
    assert not written(lab, SECRET)
    with scoped(SYSTEM):
        assert not InMessage.objects.exclude(envelope="").exists()


def test_where_the_ceiling_rises_the_message_takes_the_pointers_place(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    message = office.message("tale.told", {"a": SECRET}, thread="", marking="SECRET//TLP:RED")
    assert office.hand_in(message).status == "refused"
    with use(replace(lab.here, ceiling=Marking(RED.tlp, 3))):
        assert office.hand_in(message).status == "accepted"
    with scoped(SYSTEM):
        assert InMessage.objects.get().state == "not-understood"
