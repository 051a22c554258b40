"""What terms in force bind: named people, after they accepted, up to a marking, on pages alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.services.flow import (
    OPENS,
    PEOPLE,
    PERSON,
    LabStory,
    OfficeStory,
    act_of,
    events,
    move,
    session_of,
)

from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.markings import AMBER_STRICT
from vedette.services import acceptance, binding
from vedette.services.acting import Actor, instance_actor, reading
from vedette.services.testing import Fixture
from vedette.store.models import InMessage, TermsAcceptance


def asked(actor: Actor, act_id: str, **given: Any) -> binding.Binding | None:
    with reading(actor):
        return binding.require_reading(actor, act_of(act_id), **given)


def readable(actor: Actor, act_id: str, marking: str = "") -> bool:
    with reading(actor):
        return binding.may_read(actor, act_of(act_id), marking)


def test_nothing_binds_before_both_sides_signed(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer()
    eve = office.named(PERSON, "evaluator")
    story.propose(act_id)
    assert asked(eve, act_id) is None
    assert readable(eve, act_id)
    with pytest.raises(Refused, match="no terms"):
        acceptance.accept_terms(eve, act_id)


def test_a_named_person_reads_once_they_accepted(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    eve = office.named(PERSON, "evaluator")
    with pytest.raises(Refused, match="not accepted version 1") as caught:
        asked(eve, act_id)
    assert f"/acts/{act_id}/terms/accept/" in caught.value.next_step
    made = acceptance.accept_terms(eve, act_id)
    assert acceptance.accept_terms(eve, act_id).pk == made.pk, "twice is once"
    found = asked(eve, act_id)
    assert found is not None
    assert (found.people, found.purposes) == ((PERSON,), ("confirmation",))
    assert (found.marking, found.export, found.watermark) == (AMBER_STRICT, False, True)
    assert (found.version, found.digest) == (1, made.digest)
    (message,) = story.lab.received("terms.accepted")
    assert message.body["person"] == PERSON
    assert events().count("engagement:terms:accepted") == 1


def test_nobody_else_reads_and_nobody_else_accepts(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    bo = office.named("bo@office.example", "reviewing-officer")
    with pytest.raises(Refused, match="does not name you"):
        asked(bo, act_id)
    with pytest.raises(Forbidden, match="does not name you"):
        acceptance.accept_terms(bo, act_id)
    guest = office.person("administrator", office.organisation("Guest", "partner").id)
    with pytest.raises(NotFound):
        acceptance.accept_terms(guest, act_id)
    with pytest.raises(Forbidden):
        acceptance.accept_terms(office.named("aud@office.example", "auditor"), act_id)


def test_above_the_marking_of_the_terms_nothing_is_read(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    eve = office.named(PERSON, "evaluator")
    acceptance.accept_terms(eve, act_id)
    assert readable(eve, act_id, "TLP:AMBER+STRICT")
    assert not readable(eve, act_id, "TLP:RED")
    with pytest.raises(Refused, match=r"marked SECRET//TLP:GREEN.*up to TLP:AMBER\+STRICT"):
        asked(eve, act_id, marking="SECRET//TLP:GREEN")


def test_without_export_nothing_leaves_the_pages_and_the_clause_is_named(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    eve = office.named(PERSON, "evaluator")
    acceptance.accept_terms(eve, act_id)
    with reading(eve), pytest.raises(Refused, match="clause confidentiality: no export"):
        binding.require_export(eve, act_of(act_id))
    with reading(instance_actor()):
        binding.require_export(instance_actor(), act_of(act_id))


def test_a_digest_of_another_version_is_not_accepted(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    eve = office.named(PERSON, "evaluator")
    with pytest.raises(Refused, match="another than you read"):
        acceptance.accept_terms(eve, act_id, "sha256:" + "0" * 64)
    with reading(eve):
        assert not TermsAcceptance.objects.filter(act_id=act_id).exists()


def test_a_labs_own_people_are_not_bound_and_it_sees_who_accepted(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    lead = lab.named("lead@lab.example", "release-lead")
    assert readable(lead, act_id, "TLP:RED")
    found = asked(lead, act_id)
    assert found is not None
    body = {"act": act_id, "person": PERSON, "digest": found.digest}
    body["accepted"] = "2026-12-02T09:00:00Z"
    story.office.send("terms.accepted", body, thread=act_id)
    story.office.send("terms.accepted", body, thread=act_id)
    with reading(lead):
        (row,) = TermsAcceptance.objects.filter(act_id=act_id)
    assert (row.person, row.number) == (PERSON, 1)
    with pytest.raises(NotFound):
        acceptance.accept_terms(lead, act_id)


def test_an_acceptance_of_a_version_that_is_not_here_waits(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    body = {"act": act_id, "person": PERSON, "digest": "sha256:" + "1" * 64}
    body["accepted"] = "2026-12-02T09:00:00Z"
    story.office.send("terms.accepted", body, thread=act_id)
    with reading(instance_actor()):
        assert "has not arrived" in InMessage.objects.get(state="waiting").reason


def test_the_lab_takes_a_person_off_and_their_session_ends_at_once(lab: Fixture) -> None:
    story = LabStory.start(lab)
    from vedette.services import access

    access.add_endpoint(story.lead, "orion-1", "http://127.0.0.1:1/v1", "k")
    act_id = story.opened()
    session_id = story.session(act_id)
    assert session_of(session_id).state == "open"
    acceptance.strike_person(story.lead, act_id, PERSON)
    session = session_of(session_id)
    assert (session.state, session.reason) == ("ended", "the terms no longer name this person")
    assert story.office.received("access.ended")
    assert story.office.received("terms.struck")[0].body["through"] == 1
    again = story.session(act_id)
    assert session_of(again).state == "refused"
    assert act_of(act_id).window_state == "open", "no one else's access ends"
    with pytest.raises(BadInput, match="no version"):
        acceptance.strike_person(story.lead, act_id, "nobody@office.example")


def test_the_office_learns_that_a_person_is_off_the_list(office: Fixture) -> None:
    story = OfficeStory.start(office)
    session_id = story.opened()
    act_id = session_of(session_id).act_id
    eve = office.named(PERSON, "evaluator")
    acceptance.accept_terms(eve, act_id)
    assert readable(eve, act_id)
    body = {"act": act_id, "person": PERSON, "through": 1}
    story.lab.send("terms.struck", body, thread=act_id)
    story.lab.send("terms.struck", body, thread=act_id)
    assert session_of(session_id).state == "ended"
    assert not readable(eve, act_id)
    assert events().count("engagement:person:struck") == 1


def test_a_reader_takes_nobody_off(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    with pytest.raises(Forbidden):
        acceptance.strike_person(lab.person("reader"), act_id, PEOPLE[0]["id"])
    guest = lab.person("administrator", lab.organisation("Guest", "partner").id)
    with pytest.raises(NotFound):
        acceptance.strike_person(guest, act_id, PERSON)
    move(lab, OPENS)
