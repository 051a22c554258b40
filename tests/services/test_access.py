"""Sessions and meters: asked for, opened or refused by rule, ended, counted on both sides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.services.flow import (
    CLOSES,
    MODEL,
    OPENS,
    PERSON,
    LabStory,
    OfficeStory,
    act_of,
    events,
    move,
    session_of,
)

from vedette.kernel.bounds import from_text
from vedette.kernel.canonical import digest
from vedette.kernel.clock import format_time, written
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.services import access, acts, credentials, engagement, metering
from vedette.services.metering import Metered
from vedette.services.testing import START, Fixture
from vedette.store.models import ModelEndpoint
from vedette.store.tenancy import SYSTEM, scoped


def endpoint(story: LabStory) -> None:
    access.add_endpoint(story.lead, MODEL, "http://127.0.0.1:9/v1", "sk-secret", "b1", "on")


def calls(*statuses: int, start: int = 0) -> list[Metered]:
    return [Metered(f"call-{start + n}", START, status, 10, 5) for n, status in enumerate(statuses)]


def test_the_lab_opens_a_session_with_a_sealed_credential(lab: Fixture) -> None:
    story = LabStory.start(lab)
    endpoint(story)
    act_id = story.opened()
    session_id = story.session(act_id)
    (message,) = story.office.received("access.opened")
    credential = story.office.keys.open(from_text(message.body["credential"], field="x"))
    row = session_of(session_id)
    assert row.credential_digest == digest(credential)
    assert row.sealed_credential == ""
    assert message.body["url"] == "http://testserver/proxy/v1"
    assert message.body["expires"] == format_time(CLOSES)
    assert (row.quota_calls, row.build) == (1000, "b1")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"person": "mallory@office.example"}, "person"),
        ({"purpose": "robustness"}, "purpose"),
    ],
)
def test_a_session_outside_the_terms_is_refused_plainly(
    lab: Fixture, changes: dict[str, str], reason: str
) -> None:
    story = LabStory.start(lab)
    endpoint(story)
    session_id = story.session(story.opened(), **changes)
    (message,) = story.office.received("access.refused")
    assert reason in message.body["reason"]
    assert session_of(session_id).state == "refused"


def test_before_and_after_the_window_there_is_no_session(lab: Fixture) -> None:
    story = LabStory.start(lab)
    endpoint(story)
    act_id = story.signed()
    story.session(act_id)
    lab.clock.time = CLOSES
    story.session(act_id)
    early, late = (m.body["reason"] for m in story.office.received("access.refused"))
    assert early == f"the window opens at {written(OPENS)}"
    assert late == f"the window ended at {written(CLOSES)}"


def test_without_an_endpoint_the_reason_says_so(lab: Fixture) -> None:
    story = LabStory.start(lab)
    story.session(story.opened())
    assert "not set up" in story.office.received("access.refused")[0].body["reason"]


def test_a_request_that_overtakes_the_signature_waits_for_it(lab: Fixture) -> None:
    from tests.services.flow import PEOPLE, QUOTA

    from vedette.services import terms

    story = LabStory.start(lab)
    endpoint(story)
    act_id = story.accepted()
    terms.sign_terms(story.lead, act_id, PEOPLE, ("confirmation",), QUOTA)
    lab.clock.time = OPENS
    session_id = story.session(act_id)
    assert story.office.received("access.opened") == []
    story.countersign(act_id)
    assert session_of(session_id).state == "open"


def test_the_key_of_the_model_is_sealed(lab: Fixture) -> None:
    story = LabStory.start(lab)
    endpoint(story)
    with scoped(SYSTEM):
        row = ModelEndpoint.objects.get()
    assert "sk-secret" not in row.sealed_key
    assert lab.here.keys.open(from_text(row.sealed_key, field="x")) == b"sk-secret"
    (shown,) = access.endpoints(story.lead)
    assert shown["has_key"]
    assert "sealed_key" not in shown
    with pytest.raises(BadInput):
        access.add_endpoint(story.lead, MODEL, "file:///etc/passwd", "")
    with pytest.raises(Forbidden):
        access.add_endpoint(lab.person("compliance"), MODEL, "http://127.0.0.1/v1", "")


def test_the_office_opens_its_credential_in_memory(office: Fixture) -> None:
    story = OfficeStory.start(office)
    session_id = story.opened("vac_hello")
    row = session_of(session_id)
    assert "vac_hello" not in row.sealed_credential
    found = credentials.open_credential(story.evaluator, session_id)
    assert found.credential == "vac_hello"
    assert "vac_hello" not in repr(found)
    with pytest.raises(Forbidden):
        credentials.open_credential(story.officer, session_id)
    office.clock.time = CLOSES
    with pytest.raises(Refused):
        credentials.open_credential(story.evaluator, session_id)


def test_the_office_asks_only_for_what_the_terms_name(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    with pytest.raises(Refused, match="opens at"):
        access.request_session(story.evaluator, act_id, "confirmation", PERSON)
    move(office, OPENS)
    with pytest.raises(Refused, match="person"):
        access.request_session(story.evaluator, act_id, "confirmation", "m@office.example")
    with pytest.raises(Refused, match="purpose"):
        access.request_session(story.evaluator, act_id, "robustness", PERSON)
    with pytest.raises(Forbidden):
        access.request_session(story.officer, act_id, "confirmation", PERSON)
    guest = office.person("administrator", office.organisation("Guest", "partner").id)
    with pytest.raises(NotFound):
        access.request_session(guest, act_id, "confirmation", PERSON)


def test_the_office_keeps_a_refusal_with_its_reason(office: Fixture) -> None:
    story = OfficeStory.start(office)
    session_id = story.requested()
    story.lab.send("access.refused", {"session": session_id, "reason": "no"}, thread="")
    story.lab.send("access.opened", story.opening(session_id), thread="")
    row = session_of(session_id)
    assert (row.state, row.reason) == ("refused", "no")


def test_an_end_that_overtakes_the_opening_waits(office: Fixture) -> None:
    story = OfficeStory.start(office)
    session_id = story.requested()
    story.lab.send("access.ended", {"session": session_id, "reason": "over"}, thread="")
    assert session_of(session_id).state == "requested"
    story.lab.send("access.opened", story.opening(session_id), thread="")
    assert session_of(session_id).state == "ended"


def test_the_lab_ends_a_session_at_once_and_only_once(lab: Fixture) -> None:
    story = LabStory.start(lab)
    endpoint(story)
    session_id = story.session(story.opened())
    access.end_session(story.lead, session_id, "enough")
    access.end_session(story.lead, session_id, "again")
    (ended,) = story.office.received("access.ended")
    assert ended.body["reason"] == "enough"
    assert events().count("access:session:ended") == 1


def test_at_the_windows_end_sessions_end_and_meters_cross(lab: Fixture) -> None:
    story = LabStory.start(lab)
    endpoint(story)
    act_id = story.opened()
    session_id = story.session(act_id)
    for call in calls(200, 200, 429):
        assert metering.record_call(session_id, call)
    assert not metering.record_call(session_id, calls(200)[0])
    move(lab, CLOSES)
    assert session_of(session_id).state == "ended"
    (own,) = story.office.received("access.metered")
    assert (own.body["calls"], own.body["failed"], own.body["input_tokens"]) == (3, 1, 30)
    assert acts.session_view(story.lead, session_id)["meters"]["agree"] is None
    story.office.send("access.metered", own.body, thread=act_id)
    assert acts.session_view(story.lead, session_id)["meters"]["agree"] is True
    assert events()[-1] == "access:meters:compared"


def test_a_difference_is_shown_and_settled_by_a_later_count(office: Fixture) -> None:
    story = OfficeStory.start(office)
    session_id = story.opened()
    assert metering.record_calls(story.evaluator, session_id, calls(200, 200)) == 2
    assert metering.record_calls(story.evaluator, session_id, calls(200, 200)) == 0
    move(office, CLOSES)
    first = story.lab.received("access.metered")[-1].body
    full = {**first, "calls": 3}
    story.lab.send("access.metered", full, thread="")
    meters = acts.session_view(story.officer, session_id)["meters"]
    assert meters["agree"] is False
    assert meters["differences"] == {"calls": [3, 2]}
    metering.record_calls(story.evaluator, session_id, calls(200, start=2))
    last = max((m.body for m in story.lab.received("access.metered")), key=lambda b: b["calls"])
    assert last["calls"] == 3
    story.lab.send("access.metered", last, thread="")
    assert acts.session_view(story.officer, session_id)["meters"]["agree"] is True
    story.lab.send("access.metered", first, thread="")
    assert acts.session_view(story.officer, session_id)["meters"]["agree"] is True


def test_counts_come_before_their_session_is_known(lab: Fixture) -> None:
    story = LabStory.start(lab)
    body = {
        "session": "session-2222222222222222",
        **dict.fromkeys(("calls", "failed", "input_tokens", "output_tokens"), 0),
        "requests_digest": digest(b""),
    }
    assert story.office.send("access.metered", body, thread="").status == "accepted"


def test_ending_the_window_ends_its_sessions(lab: Fixture) -> None:
    story = LabStory.start(lab)
    endpoint(story)
    act_id = story.opened()
    session_id = story.session(act_id)
    lab.clock.time += timedelta(days=1)
    engagement.end_window(story.lead, act_id)
    assert session_of(session_id).state == "ended"
    assert act_of(act_id).window_ended == OPENS + timedelta(days=1)
