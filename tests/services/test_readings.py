"""The reading log: written by opening, watched, told to the lab without names that terms lack."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.services.flow import OPENS, PERSON, LabStory, OfficeStory, move
from tests.web.visitors import visitor

from vedette.kernel.errors import Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.services import acts, readings
from vedette.services.accounts import actor_of
from vedette.services.acting import Actor, instance_actor, reading
from vedette.services.testing import Fixture
from vedette.store.models import Act, Person, Reading, ReadingAlert, ReadingReport
from vedette.store.tenancy import SYSTEM, scoped


@pytest.fixture
def story(office: Fixture) -> OfficeStory:
    return OfficeStory.start(office)


def somebody(story: OfficeStory, email: str, role: str = "reviewing-officer") -> Actor:
    visitor(story.office, role, email=email)
    found = actor_of(Person.objects.get(email=email))
    assert found is not None
    return found


def logged() -> list[tuple[str, str, str]]:
    with scoped(SYSTEM):
        return [(r.person, r.kind, r.object_id) for r in Reading.objects.order_by("pk")]


def test_opening_is_logged_once_a_view_and_a_list_is_not(story: OfficeStory) -> None:
    act_id = story.offer(note="a note", dossier={"model-name": "Orion"})
    assert logged() == []
    acts.acts(story.officer)
    assert logged() == []
    acts.act_view(story.officer, act_id)
    assert logged() == [("a reviewing-officer", "act", act_id)]
    eve = somebody(story, PERSON, "evaluator")
    acts.act_view(eve, act_id)
    assert logged()[1:] == [(PERSON, "act", act_id)]
    with reading(instance_actor()):
        assert Act.objects.get(id=act_id).note == "a note"
    assert len(logged()) == 2


def test_a_lab_logs_nothing_of_its_own(lab: Fixture) -> None:
    story = LabStory.start(lab)
    acts.act_view(story.lead, story.offered(text="ours"))
    assert logged() == []


def seen(story: OfficeStory, about: str, person: str, at: Any, count: int) -> None:
    with scoped(SYSTEM):
        Reading.objects.bulk_create(
            Reading(
                org_id=story.office.here.org,
                about=about,
                person=person,
                at=at + timedelta(seconds=n),
                kind="act",
                object_id=f"o{n}",
            )
            for n in range(count)
        )


def test_the_lab_is_told_by_person_and_day(story: OfficeStory) -> None:
    act_id = story.signed()
    move(story.office, OPENS)
    before = len(story.lab.received("reading.reported"))
    seen(story, act_id, PERSON, story.office.clock.now(), 3)
    seen(story, act_id, "mallory@office.example", story.office.clock.now(), 2)
    move(story.office, OPENS + timedelta(hours=25))
    sent = story.lab.received("reading.reported")[before:]
    (body,) = [m.body for m in sent]
    rows = {(r["person"], r["day"]): r["views"] for r in body["rows"]}
    day = OPENS.date().isoformat()
    assert rows[PERSON, day] == 3
    assert rows[readings.OTHERS, day] == 2
    assert "mallory" not in str(body)
    move(story.office, OPENS + timedelta(hours=50))
    assert len(story.lab.received("reading.reported")) == before + 1


def test_unusual_reading_raises_one_alert_that_a_colleague_looks_at(story: OfficeStory) -> None:
    act_id = story.signed()
    move(story.office, OPENS)
    for back in range(2, 40):
        for n in range(4):
            at = OPENS + timedelta(days=20 - back, hours=1)
            seen(story, act_id, f"r{n}@office.example", at, 8 + (back + n) % 5)
    mallory = somebody(story, "r0@office.example", "administrator")
    story.office.clock.time = OPENS + timedelta(days=20, hours=8)
    seen(story, act_id, "r0@office.example", story.office.clock.now() - timedelta(hours=1), 400)
    readings.watch()
    readings.watch()
    found = readings.alerts(story.office.person("auditor"))
    assert {a.person for a in found} == {"r0@office.example"}
    assert len(found) == len({a.rule for a in found})
    with pytest.raises(Refused, match="your own"):
        readings.look_at(mallory, found[0].id)
    looked = readings.look_at(story.office.person("administrator"), found[0].id, "a handover")
    assert looked.looked_by == "a administrator"
    story.office.clock.time += timedelta(minutes=1)
    readings.report()
    told = story.lab.received("reading.reported")[-1].body
    assert told["alerts"] == len(found)


def test_who_may_see_the_log(story: OfficeStory) -> None:
    act_id = story.offer(note="a note")
    acts.act_view(story.officer, act_id)
    assert [r.about for r in readings.log(story.office.person("auditor"))] == [act_id]
    for role in ("reviewing-officer", "evaluator", "reader"):
        with pytest.raises(Forbidden):
            readings.log(story.office.person(role))
    other = story.office.organisation("Elsewhere", "finder").id
    with pytest.raises(NotFound):
        readings.log(story.office.person("administrator", other))
    with pytest.raises(NotFound):
        readings.look_at(story.office.person("administrator"), new_id("alert"))


def report_body(act_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "report": new_id("readings"),
        "act": act_id,
        "begins": "2026-12-01T09:00:00Z",
        "until": "2026-12-02T09:00:00Z",
        "rows": [{"person": PERSON, "day": "2026-12-01", "kind": "act", "views": 4}],
        "alerts": 1,
        **changes,
    }


def test_the_lab_keeps_the_reports_as_they_came(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    body = report_body(act_id)
    story.office.send("reading.reported", body, thread=act_id)
    story.office.send("reading.reported", body, thread=act_id)
    (found,) = readings.reports(story.lead)
    assert (found.id, found.rows, found.alerts) == (body["report"], body["rows"], 1)
    with pytest.raises(Forbidden):
        readings.reports(lab.person("reader"))
    with pytest.raises(NotFound):
        readings.log(lab.person("administrator"))


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": [{"person": PERSON, "day": "yesterday", "kind": "act", "views": 1}]},
        {"rows": [{"person": PERSON, "day": "2026-12-01", "kind": "act", "views": -1}]},
        {"rows": [{"person": PERSON, "day": "2026-12-01", "kind": "act", "text": "x"}]},
        {"alerts": "many"},
        {"release": "2027-01-01T00:00:00Z"},
    ],
)
def test_reports_in_no_form_are_refused(lab: Fixture, changes: dict[str, Any]) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    said = story.office.send("reading.reported", report_body(act_id, **changes), thread=act_id)
    assert said.status == "refused" or said.reason
    with scoped(SYSTEM):
        assert ReadingReport.objects.count() == 0
        assert ReadingAlert.objects.count() == 0
