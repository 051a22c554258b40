"""The pages of custody, of second persons, and of the reading log, on both sides."""

from __future__ import annotations

from datetime import timedelta

from django.apps import apps
from django.test import Client
from tests.services.flow import CLOSES, OPENS, LabStory, OfficeStory, move, run_due
from tests.services.test_custody import certificate_for, hold_message
from tests.services.test_readings import report_body
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.services import material
from vedette.services.testing import Fixture
from vedette.store.models import Custody, Hold, Seconding
from vedette.store.sealing import SealedField
from vedette.store.tenancy import SYSTEM, scoped
from vedette.web.pages.words import material_kind

ONE_WORD = {"act", "consultation", "question", "review", "run"}
HOLD = {"kind": "records", "basis": "44 U.S.C. 3301", "authority": "Records officer"}


def due(story: OfficeStory) -> str:
    act_id = story.signed()
    for hour in (OPENS, CLOSES):
        move(story.office, hour)
    return act_id


def state_of(act_id: str) -> str:
    with scoped(SYSTEM):
        return str(Custody.objects.get(act_id=act_id).state)


def test_an_empty_custody_page_says_when_it_begins(office: Fixture) -> None:
    assert "begins" in read(visitor(office, "reviewing-officer"), "/custody/")


def test_early_destruction_by_two_on_the_pages(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer(note="what the lab said")
    one, two = visitor(office, "reviewing-officer"), visitor(office, "reviewing-officer")
    assert "what the lab said" in read(one, f"/acts/{act_id}/")
    assert "message received" in read(one, f"/custody/{act_id}/")
    where = send(one, f"/custody/{act_id}/destroy/", why="nothing came of it")
    assert where == "/seconds/"
    assert "Its destruction waits for a second person" in read(two, f"/custody/{act_id}/")
    page = read(one, "/seconds/")
    assert "You proposed it" in page
    assert "Second it" not in page
    with scoped(SYSTEM):
        asked = Seconding.objects.get()
    assert one.post(f"/seconds/{asked.id}/do/").status_code == 403
    assert "Second it" in read(two, "/seconds/")
    send(two, f"/seconds/{asked.id}/do/")
    run_due()
    page = read(one, f"/custody/{act_id}/")
    assert "waits for a second" not in page
    assert "No copy of it on the office’s instance can be read" in page
    assert "the ledger" in page
    assert "what the lab said" not in read(one, f"/acts/{act_id}/")
    certificate = read(one, f"/custody/{act_id}/certificate/")
    assert "seconded by" in certificate
    assert "AES-256-GCM" in certificate
    assert one.get(f"/custody/{act_id}/destroy/").status_code == 409


def test_a_hold_is_set_seen_and_lifted(office: Fixture) -> None:
    act_id = due(OfficeStory.start(office))
    one, two = visitor(office, "reviewing-officer"), visitor(office, "reviewing-officer")
    assert "Basis" in refused(one, f"/custody/{act_id}/hold/", **{**HOLD, "basis": ""})
    past = {"until": "2020-01-01T00:00"}
    assert "not after the hold begins" in refused(one, f"/custody/{act_id}/hold/", **HOLD, **past)
    send(one, f"/custody/{act_id}/hold/", **HOLD)
    page = read(one, f"/custody/{act_id}/")
    assert "44 U.S.C. 3301" in page
    assert "A hold suspends its destruction" in page
    move(office, CLOSES + timedelta(days=31))
    assert state_of(act_id) == "due"
    assert "A hold is in force" in refused(one, f"/custody/{act_id}/destroy/", why="")
    with scoped(SYSTEM):
        hold = Hold.objects.get()
    send(one, f"/custody/holds/{hold.id}/", reason="over")
    with scoped(SYSTEM):
        asked = Seconding.objects.get()
    send(one, f"/seconds/{asked.id}/back/")
    send(one, f"/custody/holds/{hold.id}/", reason="over")
    with scoped(SYSTEM):
        asked = Seconding.objects.get(state="waiting")
    send(two, f"/seconds/{asked.id}/do/")
    run_due()
    run_due()
    assert state_of(act_id) == "destroyed"


def test_a_missing_key_stands_on_the_page(office: Fixture) -> None:
    act_id = OfficeStory.start(office).offer(note="x")
    (office.here.folder / "keys" / "windows" / f"{act_id}.key").unlink()
    officer = visitor(office, "reviewing-officer")
    assert "A key is missing" in read(officer, "/custody/")
    assert "missing: nothing of it can be read" in read(officer, f"/custody/{act_id}/")
    read(officer, f"/acts/{act_id}/")


def test_who_gets_in(office: Fixture) -> None:
    act_id = OfficeStory.start(office).offer()
    reader, elsewhere = visitor(office, "reader"), stranger(office, "finder")
    assert reader.get(f"/custody/{act_id}/").status_code == 200
    for page in ("hold", "destroy", "export"):
        at = f"/custody/{act_id}/{page}/"
        assert reader.get(at).status_code == 403
        assert elsewhere.get(at).status_code == 404
        assert Client().get(at).status_code == 302
    assert elsewhere.get(f"/custody/{act_id}/").status_code == 404
    assert elsewhere.get("/readings/").status_code == 404
    assert reader.get("/readings/").status_code == 403
    officer = visitor(office, "reviewing-officer")
    assert officer.get(f"/custody/{act_id}/list/").status_code == 405
    assert officer.get(f"/custody/{act_id}/certificate/").status_code == 404
    send(officer, f"/custody/{act_id}/list/")


def test_material_leaves_as_a_file_for_its_two_alone(office: Fixture) -> None:
    act_id = OfficeStory.start(office).offer(note="what the lab said")
    one, two = visitor(office, "reviewing-officer"), visitor(office, "reviewing-officer")
    send(one, f"/custody/{act_id}/export/", why="for the archive")
    with scoped(SYSTEM):
        asked = Seconding.objects.get()
    assert one.get(f"/seconds/{asked.id}/given/").status_code == 404
    send(two, f"/seconds/{asked.id}/do/")
    for person in (one, two):
        answer = person.get(f"/seconds/{asked.id}/given/")
        assert "attachment" in answer.headers["Content-Disposition"]
        assert "what the lab said" in answer.content.decode()
    third = visitor(office, "reviewing-officer")
    assert third.get(f"/seconds/{asked.id}/given/").status_code == 404
    office.clock.time += timedelta(hours=73)
    assert one.get(f"/seconds/{asked.id}/given/").status_code == 409


def test_the_lab_sees_custody_hold_certificate_and_log(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    lead = visitor(lab, "release-lead")
    assert "First report" in read(lead, "/readings/") or "first report" in read(lead, "/readings/")
    hold = hold_message(act_id, lab.clock.now()) | {"authority": "The office's records officer"}
    story.office.send("custody.hold-set", hold, thread=act_id)
    page = read(lead, f"/custody/{act_id}/")
    assert "The office&#x27;s records officer" in page
    assert "Case 2" in page
    assert "Lift it" not in page
    story.office.send("reading.reported", report_body(act_id), thread=act_id)
    page = read(lead, "/readings/")
    assert "eve@office.example" in page
    assert "data:image/svg+xml" in page
    assert "1 time a reader" in page
    story.office.send("custody.destroyed", certificate_for(story, act_id), thread=act_id)
    assert "destroyed" in read(lead, "/custody/")
    assert "Signature (Ed25519)" in read(lead, f"/custody/{act_id}/certificate/")
    assert lead.get("/seconds/").status_code == 404
    assert lead.get(f"/custody/{act_id}/destroy/").status_code in (403, 404)


def test_the_offices_log_and_alerts(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer(note="a note")
    auditor = visitor(office, "auditor")
    assert "Nothing was read yet" in read(auditor, "/readings/")
    officer = visitor(office, "reviewing-officer", email="olga@office.example")
    read(officer, f"/acts/{act_id}/")
    page = read(auditor, "/readings/")
    assert "olga@office.example" in page
    assert act_id in page
    assert auditor.get("/readings/alerts/alert-2222222222222222/").status_code == 404


def test_every_kind_of_material_has_a_name_that_people_know() -> None:
    sealed = [
        (model._meta.model_name, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, SealedField)
    ]
    assert sealed
    for table, column in sealed:
        listed = material.KINDS.get(table) or material.NAMES.get(f"{table} {column}")
        assert listed or material_kind(f"{table} {column}") != f"{table} {column}", (table, column)
        # a reading's kind is the table's name: one plain word, or a name of its own
        assert table in ONE_WORD or material_kind(table) != table, table
