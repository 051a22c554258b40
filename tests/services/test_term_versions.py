"""Negotiation by message: redlines either way, crossings, and terms that change while it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.services.flow import (
    OPENS,
    PEOPLE,
    PERSON,
    QUOTA,
    LabStory,
    OfficeStory,
    act_of,
    events,
    move,
    session_of,
    signature,
)

from vedette.engagement.terms import Person
from vedette.engagement.terms import Terms as Document
from vedette.exchange.envelope import Message
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.keys import PrivateKeys
from vedette.services import acceptance, access, acts, binding, term_views, terms
from vedette.services.acting import instance_actor, reading
from vedette.services.term_versions import in_force
from vedette.services.testing import Fixture
from vedette.store.models import InMessage, Terms
from vedette.store.tenancy import SYSTEM, scoped

BO = Person("bo@office.example", "Bo")
WORDS = "The office tells the developer within 48 hours of any sign of somebody else's access."


def force_of(act_id: str) -> Terms:
    with scoped(SYSTEM):
        found = in_force(act_of(act_id))
    assert found is not None
    return found


def document_of(act_id: str, number: int) -> Document:
    with scoped(SYSTEM):
        return Document.from_json(Terms.objects.get(act_id=act_id, number=number).document)


def states(act_id: str) -> dict[int, str]:
    with scoped(SYSTEM):
        return dict(Terms.objects.filter(act_id=act_id).values_list("number", "state"))


def set_aside() -> list[str]:
    with scoped(SYSTEM):
        return [row.reason for row in InMessage.objects.filter(state="set-aside")]


def proposal(document: Document, keys: PrivateKeys, base: Document) -> dict[str, Any]:
    return {**signature(document, keys), "base": base.digest}


def counter(story: LabStory, act_id: str, base: int = 1, **changes: Any) -> Document:
    """The office's redline of a version, sent to the lab."""
    old = document_of(act_id, base)
    new = replace(old, **{"version": base + 1, **changes})
    body = {**proposal(new, story.office.keys, old), "note": "Better so."}
    story.office.send("terms.proposed", body, thread=act_id)
    return new


def test_the_office_answers_with_a_redline_and_the_lab_signs_it(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer()
    acts_answered(story, act_id)
    story.propose(act_id)
    made = terms.propose_terms(
        story.officer,
        act_id,
        words={"cybersecurity": WORDS},
        people=[*PEOPLE, {"id": " Bo@Office.example", "name": "Bo"}],
        text="Our systems are watched by day.",
    )
    assert (made.number, made.proposed_by, made.state) == (2, "office", "proposed")
    (message,) = story.lab.received("terms.proposed")
    assert message.body["note"] == "Our systems are watched by day."
    assert act_of(act_id).window_state == "", "one signature agrees nothing"
    seen = term_views.version_view(story.officer, act_id, made.digest)
    assert [c["point"] for c in seen["changes"]] == ["people"]
    assert {p["kind"] for p in seen["redlines"][0]["pieces"]} == {"same", "gone", "new"}
    assert seen["library"][0]["title"] == "Cybersecurity"
    body = signature(Document.from_json(made.document), story.lab.keys)
    story.lab.send("terms.signed", body, thread=act_id)
    assert force_of(act_id).number == 2
    assert states(act_id) == {1: "overtaken", 2: "agreed"}
    assert act_of(act_id).window_state == "agreed"
    view = acts.act_view(story.officer, act_id)["terms"]
    assert [c["text"] for c in view["clauses"] if c["changed"]] == [WORDS]


def acts_answered(story: OfficeStory, act_id: str) -> None:
    from vedette.services import engagement

    engagement.answer_act(story.officer, act_id, "accepted")


def test_the_lab_reads_the_offices_redline_and_signs_answers_or_leaves_it(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.accepted()
    terms.sign_terms(story.lead, act_id, PEOPLE, ("confirmation",), QUOTA)
    new = counter(story, act_id, export=True)
    assert states(act_id) == {1: "proposed", 2: "proposed"}, "left as it is, nothing happens"
    assert acts.act_view(story.lead, act_id)["terms"]["open"] == new.digest
    answer = terms.propose_terms(story.lead, act_id, publication="summary")
    assert answer.number == 3
    assert answer.document["export"], "it departs from the newest"
    signed = terms.sign_terms(story.lead, act_id, digest=new.digest)
    assert (signed.state, force_of(act_id).number) == ("agreed", 2)
    assert new.digest in [m.body["digest"] for m in story.office.received("terms.signed")]
    assert states(act_id) == {1: "overtaken", 2: "agreed", 3: "proposed"}


def test_a_version_agreed_while_the_window_runs_holds_from_then_on(lab: Fixture) -> None:
    story = LabStory.start(lab)
    access.add_endpoint(story.lead, "orion-1", "http://127.0.0.1:1/v1", "k")
    act_id = story.opened()
    eves = story.session(act_id)
    made = terms.propose_terms(
        story.lead, act_id, people=[{"id": BO.id, "name": BO.name}], quota={"calls": 5, "tokens": 9}
    )
    assert session_of(eves).state == "open", "a proposal binds nobody"
    story.office.send(
        "terms.signed",
        signature(Document.from_json(made.document), story.office.keys),
        thread=act_id,
    )
    session = session_of(eves)
    assert (session.state, session.reason) == ("ended", "the terms no longer name this person")
    assert states(act_id) == {1: "replaced", 2: "agreed"}
    row = act_of(act_id)
    assert (row.opens, row.window_state) == (OPENS, "open")
    bos = story.session(act_id, person=BO.id)
    assert (session_of(bos).state, session_of(bos).quota_calls) == ("open", 5)
    assert events().count("engagement:window:agreed") == 1
    assert "engagement:terms:replaced" in events()


def test_a_version_with_other_hours_is_set_aside(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.opened()
    old = document_of(act_id, 1)
    counter(story, act_id, closes=old.closes.replace(year=2027, month=6))
    assert "hour" in set_aside()[0]
    assert states(act_id) == {1: "agreed"}


def test_a_named_person_accepts_again_when_the_version_changes(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    eve = office.named(PERSON, "evaluator")
    acceptance.accept_terms(eve, act_id)
    old = document_of(act_id, 1)
    new = replace(old, version=2, export=True)
    story.lab.send("terms.proposed", proposal(new, story.lab.keys, old), thread=act_id)
    with reading(eve):
        assert binding.may_read(eve, act_of(act_id)), "a proposal asks nobody anything"
    terms.sign_terms(story.officer, act_id, digest=new.digest)
    with reading(eve), pytest.raises(Refused, match="not accepted version 2"):
        binding.require_reading(eve, act_of(act_id))
    with reading(eve):
        assert term_views.waits_for(eve, act_of(act_id)) == 2
    acceptance.accept_terms(eve, act_id, new.digest)
    with reading(eve):
        binding.require_export(eve, act_of(act_id))
        assert term_views.waits_for(eve, act_of(act_id)) is None


def test_who_was_taken_off_comes_back_by_a_version_that_both_sign(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.opened()
    acceptance.strike_person(story.lead, act_id, PERSON)
    with reading(story.lead):
        found = binding.binding_of(act_of(act_id))
    assert found is not None
    assert found.people == ()
    new = counter(story, act_id)
    terms.sign_terms(story.lead, act_id, digest=new.digest)
    with reading(story.lead):
        again = binding.binding_of(act_of(act_id))
    assert again is not None
    assert again.people == (PERSON,)


def test_a_proposal_ahead_of_the_one_before_waits_for_it(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer()
    one = story.document(act_id)
    for version in (3, 2):
        body = proposal(replace(one, version=version), story.lab.keys, one)
        story.lab.send("terms.proposed", body, thread=act_id)
    assert states(act_id) == {}
    story.propose(act_id)
    assert states(act_id) == {1: "overtaken", 2: "overtaken", 3: "proposed"}


def test_a_forged_redline_is_set_aside(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    old = document_of(act_id, 1)
    new = replace(old, version=2, export=True)
    body = {**proposal(new, story.office.keys, old), "signature": "00" * 64}
    story.office.send("terms.proposed", body, thread=act_id)
    body = proposal(new, story.office.keys, old)
    body["terms"] = replace(new, watermark=False).to_json()
    story.office.send("terms.proposed", body, thread=act_id)
    stale = old.to_json()
    stale["clauses"][0] |= {"version": "0", "text": "Other words."}
    body = proposal(Document.from_json({**stale, "version": 2}), story.office.keys, old)
    story.office.send("terms.proposed", body, thread=act_id)
    told = set_aside()
    assert ["does not hold" in text for text in told] == [True, True, False]
    assert "confidentiality version 0 has other words" in told[2]
    assert states(act_id) == {1: "agreed"}


def test_who_may_propose(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.accepted()
    with pytest.raises(Refused, match="proposed no terms"):
        terms.propose_terms(story.lead, act_id, export=True)
    terms.sign_terms(story.lead, act_id, PEOPLE, ("confirmation",), QUOTA)
    with pytest.raises(Forbidden):
        terms.propose_terms(lab.person("compliance"), act_id, export=True)
    guest = lab.person("administrator", lab.organisation("Guest", "partner").id)
    with pytest.raises(NotFound):
        terms.propose_terms(guest, act_id, export=True)
    with pytest.raises(BadInput, match="not among the clauses"):
        terms.propose_terms(story.lead, act_id, words={"nonsense": "x"})
    with pytest.raises(BadInput, match="choose one"):
        terms.propose_terms(story.lead, act_id, publication="everywhere")
    with pytest.raises(Refused, match="not here"):
        terms.propose_terms(story.lead, act_id, base="sha256:" + "0" * 64, export=True)
    assert states(act_id) == {1: "proposed"}


def crossing(story: OfficeStory, act_id: str) -> tuple[list[Message], str]:
    """All that a lab says while the office proposes version 2, too; the digest that must stand."""
    one = story.document(act_id)
    mine = replace(one, version=2, export=True)
    later = replace(one, version=3, watermark=False)
    with scoped(SYSTEM):
        theirs = Document.from_json(
            Terms.objects.get(act_id=act_id, number=2, proposed_by="office").document
        )
    lab = story.lab
    said = [
        lab.message("terms.proposed", proposal(mine, lab.keys, one), thread=act_id),
        lab.message("terms.signed", signature(theirs, lab.keys), thread=act_id),
        lab.message("terms.proposed", proposal(later, lab.keys, mine), thread=act_id),
        lab.message("terms.struck", {"act": act_id, "person": PERSON, "through": 2}, thread=act_id),
    ]
    return said, theirs.digest


@pytest.mark.django_db
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_crossing_proposals_end_alike_in_any_order(office: Fixture, data: st.DataObject) -> None:
    story = getattr(office, "story", None) or OfficeStory.start(office)
    office.story = story  # type: ignore[attr-defined]
    act_id = story.offer()
    acts_answered(story, act_id)
    story.propose(act_id)
    terms.propose_terms(story.officer, act_id, quota={"calls": 7, "tokens": 7})
    said, digest = crossing(story, act_id)
    order = data.draw(st.permutations([*said, *data.draw(st.lists(st.sampled_from(said)))]))
    for message in order:
        assert story.lab.hand_in(message).status in ("accepted", "already")
    with scoped(SYSTEM):
        assert not InMessage.objects.filter(state="waiting", thread=act_id).exists()
        found = {(v.number, v.proposed_by): v.state for v in Terms.objects.filter(act_id=act_id)}
        bound = binding.binding_of(act_of(act_id))
    assert force_of(act_id).digest == digest
    assert found == {
        (1, "lab"): "overtaken",
        (2, "lab"): "overtaken",
        (2, "office"): "agreed",
        (3, "lab"): "proposed",
    }
    assert bound is not None
    assert bound.people == ()


def test_both_propose_the_same_and_so_have_agreed(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.accepted()
    terms.sign_terms(story.lead, act_id, PEOPLE, ("confirmation",), QUOTA)
    made = terms.propose_terms(story.lead, act_id, export=True)
    counter(story, act_id, export=True)
    assert force_of(act_id).digest == made.digest
    assert act_of(act_id).window_state == "agreed"


def test_signing_an_older_version_is_refused_with_the_newer(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer()
    acts_answered(story, act_id)
    story.propose(act_id)
    one = document_of(act_id, 1)
    two = replace(one, version=2, export=True)
    story.lab.send("terms.proposed", proposal(two, story.lab.keys, one), thread=act_id)
    with pytest.raises(Refused, match="version 1 is no longer open"):
        terms.sign_terms(story.officer, act_id, digest=one.digest)
    assert terms.sign_terms(story.officer, act_id).number == 2


def test_redlines_of_another_act_are_not_here(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    with pytest.raises(NotFound):
        term_views.version_view(story.lead, act_id, "sha256:" + "0" * 64)
    with pytest.raises(Forbidden):
        term_views.version_view(lab.person("auditor"), act_id, force_of(act_id).digest)
    move(lab, OPENS)
    with reading(instance_actor()):
        assert binding.binding_of(act_of(act_id)) is not None
