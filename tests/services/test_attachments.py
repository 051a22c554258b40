"""Files that messages name: taken chunk by chunk, whole or not at all, within ceiling and quota."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from vedette.exchange.fields import CHUNK
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import attachment_views, attachments, content, inbox
from vedette.services.here import use
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import Attachment, LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped

DATA = os.urandom(2 * CHUNK + 12_345)
CHUNKS = list(content.cut(BytesIO(DATA)))


def told(**changes: Any) -> dict[str, Any]:
    return {
        "id": new_id("att"),
        "name": "weights.bin",
        "media_type": "application/octet-stream",
        "size": len(DATA),
        "digest": digest(DATA),
        "marking": "TLP:AMBER",
        "chunks": [digest(chunk) for chunk in CHUNKS],
        **changes,
    }


def offer(lab: FakePeer, thread: str = "", **changes: Any) -> tuple[str, inbox.Receipt]:
    """Have the lab name a file; return its id and the message's receipt."""
    file = told(**changes)
    return file["id"], lab.send("attachment.offered", {"attachments": [file]}, thread=thread)


def row_of(attachment: str) -> Attachment:
    with scoped(SYSTEM):
        return Attachment.objects.select_related("peer").get(pk=attachment)


def events() -> list[str]:
    with scoped(SYSTEM):
        rows = LedgerEntry.objects.filter(event__startswith="message:attachment")
        return list(rows.values_list("event", flat=True))


@pytest.fixture
def lab_peer(office: Fixture) -> FakePeer:
    return office.peer("Lab", Profile.LAB)


def test_chunks_in_any_order_and_twice_make_the_file(office: Fixture, lab_peer: FakePeer) -> None:
    name, receipt = offer(lab_peer)
    assert receipt.status == "accepted"
    assert attachments.state_of(name)["missing"] == [0, 1, 2]
    for number in (2, 0, 2, 0):
        attachments.take_chunk(name, number, CHUNKS[number], sealed=False)
    assert attachments.state_of(name)["missing"] == [1]
    with pytest.raises(Refused, match="not whole yet"):
        attachment_views.open_attachment(office.person("evaluator"), name)
    own = office.here.keys.public
    attachments.take_chunk(name, 1, own.seal(CHUNKS[1]), sealed=True)
    described, stream = attachment_views.open_attachment(office.person("evaluator"), name)
    assert (described["state"], b"".join(stream)) == ("here", DATA)
    attachments.take_chunk(name, 1, b"anything", sealed=False)
    assert events() == ["message:attachment:taken"], "once"


@pytest.mark.parametrize("number", [0, 3, 99_999])
def test_other_bytes_than_signed_are_not_kept(lab_peer: FakePeer, number: int) -> None:
    name, _ = offer(lab_peer)
    with pytest.raises(BadInput, match=f"chunk {number}"):
        attachments.take_chunk(name, number, CHUNKS[1], sealed=False)
    assert not content.folder_of(row_of(name)).exists()
    with pytest.raises(BadInput, match="does not open"):
        attachments.take_chunk(name, 0, b"no age file", sealed=True)


def test_nobody_hands_in_what_no_message_named(office: Fixture, lab_peer: FakePeer) -> None:
    for call in (
        lambda: attachments.state_of("att-2222222222222222"),
        lambda: attachments.take_chunk("att-2222222222222222", 0, b"x", sealed=False),
    ):
        with pytest.raises(NotFound):
            call()


def test_chunks_that_do_not_make_the_stated_whole_are_refused(lab_peer: FakePeer) -> None:
    name, _ = offer(lab_peer, digest=digest(b"another"))
    for number, chunk in enumerate(CHUNKS):
        attachments.take_chunk(name, number, chunk, sealed=False)
    assert attachments.state_of(name)["state"] == "refused"
    assert not content.folder_of(row_of(name)).exists()
    assert events() == ["message:attachment:refused"]


@pytest.mark.parametrize(
    ("changes", "limits", "reason"),
    [
        ({"size": 3 * CHUNK + 1}, {}, "do not fit"),
        ({}, {"attachment_limit": len(DATA) - 1}, "one file may have"),
        ({}, {"attachment_quota": len(DATA) - 1}, "used up"),
    ],
)
def test_before_the_first_byte_it_is_refused(
    office: Fixture,
    lab_peer: FakePeer,
    changes: dict[str, Any],
    limits: dict[str, int],
    reason: str,
) -> None:
    with use(replace(office.here, **limits)):
        name, receipt = offer(lab_peer, **changes)
        assert receipt.status == "accepted", "the message itself is fine"
        state = attachments.state_of(name)
        assert (state["state"], state["missing"]) == ("refused", [])
        assert reason in state["reason"]
        with pytest.raises(Refused):
            attachments.take_chunk(name, 0, CHUNKS[0], sealed=False)
    assert not (office.here.folder / "files" / "attachments").exists()


def test_above_the_ceiling_a_pointer_stands_in_its_place(
    office: Fixture, lab_peer: FakePeer
) -> None:
    name, receipt = offer(lab_peer, marking="SECRET//ALPHA//TLP:RED", name="the-secret.bin")
    assert receipt.status == "accepted"
    row = row_of(name)
    assert (row.state, row.chunks) == ("pointer", [])
    assert row.reason == "marked TLP:RED and more, above this instance's ceiling; ask Lab"
    with pytest.raises(Refused):
        attachments.take_chunk(name, 0, CHUNKS[0], sealed=False)
    listed = attachment_views.list_attachments(office.person("evaluator"))
    assert [each["state"] for each in listed] == ["pointer"]


def test_what_belongs_to_an_act_lies_sealed(office: Fixture, lab_peer: FakePeer) -> None:
    act = new_id("act")
    name, _ = offer(lab_peer, thread=act)
    for number, chunk in enumerate(CHUNKS):
        attachments.take_chunk(name, number, chunk, sealed=False)
    row = row_of(name)
    files = list(content.folder_of(row).iterdir())
    assert len(files) == 3
    assert all(CHUNKS[0][:64] not in file.read_bytes() for file in files)
    _, stream = attachment_views.open_attachment(office.person("evaluator"), name)
    assert hashlib.sha256(b"".join(stream)).hexdigest() in row.digest
    (office.here.folder / "keys" / "windows" / f"{act}.key").unlink()
    with pytest.raises(Refused, match="key of this file's window is gone"):
        attachment_views.open_attachment(office.person("evaluator"), name)


def test_who_may(office: Fixture, lab_peer: FakePeer) -> None:
    name, _ = offer(lab_peer, marking="TLP:RED")
    low = replace(office.person("evaluator"), clearance="TLP:AMBER")
    assert attachment_views.list_attachments(low) == []
    with pytest.raises(NotFound):
        attachment_views.open_attachment(low, name)
    with pytest.raises(Forbidden):
        attachment_views.list_attachments(office.person("auditor"))
    stranger = office.person("evaluator", org="org-2222222222222222")
    with pytest.raises(NotFound):
        attachment_views.open_attachment(stranger, name)
    with pytest.raises(Forbidden):
        attachments.attach(office.person("evaluator"), "Lab", BytesIO(b"x"), "x.txt")


def test_a_file_of_our_own_is_copied_and_stated(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    lead = lab.person("release-lead")
    row = attachments.attach(lead, "Office", BytesIO(DATA), "../a/we\x07ights.bin")
    message = office.received("attachment.offered")[0]
    stated = message.body["attachments"][0]
    assert stated["name"] == "we_ights.bin"
    assert stated["chunks"] == told()["chunks"]
    _, stream = attachment_views.open_attachment(lead, row.id)
    assert b"".join(stream) == DATA
    with pytest.raises(BadInput, match="empty"):
        attachments.attach(lead, "Office", BytesIO(b""), "x")
