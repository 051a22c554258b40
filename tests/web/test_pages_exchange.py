"""Pages and doors of the exchange: messages, pointers, files; who may, and what is refused."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.services.flow import LabStory
from tests.web.visitors import visitor

from vedette.exchange.envelope import seal
from vedette.exchange.fields import CHUNK
from vedette.kernel.canonical import digest
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import outbox
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import OutMessage, Peer
from vedette.store.tenancy import SYSTEM, scoped

DATA = os.urandom(CHUNK + 5)
PARTS = [DATA[:CHUNK], DATA[CHUNK:]]


@pytest.fixture
def office(lab: Fixture) -> FakePeer:
    return lab.peer("Office", Profile.OFFICE)


@pytest.fixture
def lead(lab: Fixture) -> Client:
    return visitor(lab, "release-lead")


def named(office: FakePeer, **changes: object) -> str:
    """Have the office name a file; return its id."""
    file = {
        "id": new_id("att"),
        "name": "report.pdf",
        "media_type": "application/pdf",
        "size": len(DATA),
        "digest": digest(DATA),
        "marking": "TLP:AMBER",
        "chunks": [digest(part) for part in PARTS],
        **changes,
    }
    assert (
        office.send("attachment.offered", {"attachments": [file]}, thread="").status == "accepted"
    )
    return str(file["id"])


def put(client: Client, name: str, number: int, data: bytes) -> int:
    path = f"/exchange/v1/attachments/{name}/{number}"
    return client.put(path, data, content_type="application/octet-stream").status_code


def test_a_file_is_handed_in_at_the_door_and_downloaded(office: FakePeer, lead: Client) -> None:
    door, name = Client(), named(office)
    address = f"/exchange/v1/attachments/{name}"
    assert door.get(address).json() == {"state": "expected", "reason": "", "missing": [0, 1]}
    assert put(door, name, 1, PARTS[1]) == 200
    assert "on its way, 50%" in lead.get("/attachments/").content.decode()
    assert lead.get(f"/attachments/{name}/content/").status_code == 409
    assert put(door, name, 0, PARTS[1]) == 400
    assert put(door, name, 0, PARTS[0]) == 200
    answer = lead.get(f"/attachments/{name}/content/")
    assert b"".join(answer.streaming_content) == DATA  # type: ignore[attr-defined]
    assert answer["Content-Disposition"] == "attachment; filename*=UTF-8''report.pdf"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_door_keeps_to_its_bounds(office: FakePeer) -> None:
    door, name = Client(), named(office)
    assert put(door, "att-2222222222222222", 0, PARTS[0]) == 404
    assert door.get("/exchange/v1/attachments/att-2222222222222222").status_code == 404
    assert put(door, name, 0, b"x" * (CHUNK + 128 * 1024)) == 413
    assert door.post(f"/exchange/v1/attachments/{name}/0").status_code == 405
    refused = named(office, marking="SECRET//TLP:RED")
    assert put(door, refused, 0, PARTS[0]) == 409


def test_a_500_megabyte_dossier_is_told_to_be_attached(lab: Fixture) -> None:
    for path in ("inbox", "batch"):
        answer = Client().post(
            f"/exchange/v1/{path}",
            b"{}",
            content_type="application/json",
            headers={"content-length": str(500 * 1024 * 1024)},
        )
        assert answer.status_code == 413
        assert "next: vedette exchange attach FILE" in answer.json()["detail"]


def test_a_batch_has_a_receipt_for_each_line(office: FakePeer) -> None:
    message = office.message("engagement.withdrawn", {"act": new_id("act")}, thread="")
    line = json.dumps(seal(message, office.keys))
    body = "\n".join([line, "", "nonsense", line])
    answer = Client().post("/exchange/v1/batch", body, content_type="application/x-ndjson")
    told = [each["status"] for each in answer.json()["receipts"]]
    assert told == ["accepted", "refused", "already"]
    many = Client().post("/exchange/v1/batch", "x\n" * 1001, content_type="application/x-ndjson")
    assert many.status_code == 413


def test_a_person_sends_a_file(office: FakePeer, lead: Client) -> None:
    assert "Send a file" in lead.get("/attachments/send/").content.decode()
    file = SimpleUploadedFile("dossier.bin", DATA)
    values = {"peer": "Office", "file": file, "marking": "TLP:AMBER", "note": "as promised"}
    assert lead.post("/attachments/send/", values).status_code == 302
    (message,) = office.received("attachment.offered")
    assert message.body["attachments"][0]["digest"] == digest(DATA)
    assert "dossier.bin" in lead.get("/attachments/").content.decode()
    wrong = {**values, "file": SimpleUploadedFile("a", b"x"), "marking": "nonsense"}
    assert lead.post("/attachments/send/", wrong).status_code == 422


def test_what_a_file_belongs_to_is_chosen_from_what_its_sender_reads(
    office: FakePeer, lead: Client, lab: Fixture
) -> None:
    story = LabStory(lab, office, lab.person("release-lead"))
    act_id = story.offered()
    page = lead.get(f"/attachments/send/?about={act_id}").content.decode()
    assert f'<option value="{act_id}" selected>' in page
    values = {"peer": "Office", "marking": "TLP:AMBER"}
    file = SimpleUploadedFile("more.bin", DATA)
    assert (
        lead.post("/attachments/send/", {**values, "file": file, "about": act_id}).status_code
        == 302
    )
    assert [sent.thread for sent in office.received("attachment.offered")] == [act_id]
    wrong = {**values, "file": SimpleUploadedFile("a", b"x"), "about": "act-2222222222222222"}
    assert lead.post("/attachments/send/", wrong).status_code == 422


def test_a_pointer_has_a_page_without_content(office: FakePeer, lead: Client) -> None:
    body = {"act": new_id("act"), "reason": "hidden-words"}
    message = office.message("engagement.withdrawn", body, thread="", marking="SECRET//TLP:RED")
    office.hand_in(message)
    listed = lead.get("/messages/").content.decode()
    shown = lead.get(f"/messages/{message.id}/").content.decode()
    for text in (listed, shown):
        assert "above the ceiling" in text
        assert "hidden-words" not in text
    assert "ask Office" in shown


def test_what_is_not_understood_yet_has_a_page(office: FakePeer, lead: Client) -> None:
    message = office.message("tale.told", {"tale": "once"}, thread="")
    office.hand_in(message)
    shown = lead.get(f"/messages/{message.id}/").content.decode()
    assert "not understood here yet" in shown
    assert "Not known to this version" in shown


def test_what_was_given_up_is_tried_again_from_the_page(
    lab: Fixture, office: FakePeer, lead: Client
) -> None:
    with scoped(SYSTEM):
        message_id = outbox.queue(
            Peer.objects.get(),
            "engagement.withdrawn",
            {"act": new_id("act")},
            thread="",
            marking="TLP:AMBER",
            now=lab.clock.now(),
        )
        OutMessage.objects.update(state="given-up", answer="HTTP 404")
    assert "Given up for now" in lead.get("/messages/").content.decode()
    assert "Try again now" in lead.get(f"/messages/{message_id}/").content.decode()
    auditor = visitor(lab, "auditor")
    assert "Try all again" not in auditor.get("/messages/").content.decode()
    for path in ("/messages/retry/", f"/messages/{message_id}/retry/"):
        assert Client().post(path).status_code == 302, "to the sign-in"
        assert auditor.post(path).status_code == 403
        assert lead.get(path).status_code == 405
    assert lead.post(f"/messages/{message_id}/retry/").status_code == 302
    assert lead.post("/messages/msg-2222222222222222/retry/").status_code == 404
    with scoped(SYSTEM):
        assert OutMessage.objects.get().state == "queued"


def test_who_sees_files(lab: Fixture, office: FakePeer) -> None:
    name = named(office)
    for path in ("/attachments/", "/attachments/send/", f"/attachments/{name}/content/"):
        assert Client().get(path).status_code == 302
        assert visitor(lab, "auditor").get(path).status_code == 403
    assert visitor(lab, "reader").get("/attachments/").status_code == 200
    assert visitor(lab, "reader").get("/attachments/send/").status_code == 403
    lead = visitor(lab, "release-lead")
    assert lead.post("/attachments/").status_code == 405
    assert lead.get("/attachments/att-2222222222222222/content/").status_code == 404
    (listed,) = lead.get("/api/v1/attachments").json()
    assert (listed["id"], listed["state"]) == (name, "expected")
    forger = replace(office, keys=type(office.keys).generate())
    assert forger.send("attachment.offered", {"attachments": []}, thread="").status == "refused"


def test_files_go_along_with_a_report_to_the_clearinghouse(lab: Fixture, lead: Client) -> None:
    house = lab.peer("House", Profile.CLEARINGHOUSE)
    assert "multipart/form-data" in lead.get("/findings/report/").content.decode()
    given = {"title": "Overflow", "product": "daemon", "marking": "TLP:AMBER"}
    trace = SimpleUploadedFile("trace.bin", DATA)
    answer = lead.post("/findings/report/", {**given, "files": [trace]})
    assert answer.status_code == 302
    (told,) = house.received("attachment.offered")
    (reported,) = house.received("finding.reported")
    assert (told.thread, told.marking) == (reported.thread, reported.marking)
    (named,) = told.body["attachments"]
    text = lead.get(answer.headers["Location"]).content.decode()
    assert named["digest"] == digest(DATA)
    assert named["digest"] in text
    assert "trace.bin" in text
    assert "sending" in text
