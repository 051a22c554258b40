"""Terms: proposed by the lab, signed by both, each side checking the other's signature."""

from __future__ import annotations

import pytest
from tests.services.flow import (
    CLOSES,
    OPENS,
    PEOPLE,
    QUOTA,
    LabStory,
    OfficeStory,
    act_of,
    events,
    move,
    session_of,
)

from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.keys import PrivateKeys
from vedette.services import acts, engagement, terms
from vedette.services.testing import Fixture
from vedette.store.models import InMessage, Terms
from vedette.store.tenancy import SYSTEM, scoped


def terms_of(act_id: str) -> Terms | None:
    with scoped(SYSTEM):
        return Terms.objects.filter(act_id=act_id).first()


def set_aside() -> list[str]:
    with scoped(SYSTEM):
        return [row.reason for row in InMessage.objects.filter(state="set-aside")]


def test_both_sign_and_the_window_is_agreed_and_opens_and_closes_by_itself(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    assert act_of(act_id).window_state == "agreed"
    move(lab, OPENS)
    assert act_of(act_id).window_state == "open"
    move(lab, CLOSES)
    assert act_of(act_id).window_state == "closed"
    windows = [e.rsplit(":", 1)[-1] for e in events() if e.startswith("engagement:window")]
    assert windows == ["agreed", "opened", "closed"]
    view = acts.act_view(story.lead, act_id)["terms"]
    assert view["agreed_at"]
    assert view["clauses"][0]["text"]


def test_the_office_signs_what_the_lab_proposed(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer()
    with pytest.raises(Refused, match="act is offered"):
        terms.sign_terms(story.officer, act_id)
    engagement.answer_act(story.officer, act_id, "accepted")
    with pytest.raises(Refused, match="proposed no terms"):
        terms.sign_terms(story.officer, act_id)
    story.propose(act_id)
    made = terms.sign_terms(story.officer, act_id)
    (message,) = story.lab.received("terms.signed")
    assert message.body["digest"] == made.digest
    assert act_of(act_id).window_state == "agreed"
    assert terms.sign_terms(story.officer, act_id).digest == made.digest
    assert len(story.lab.received("terms.signed")) == 1


def test_an_instance_that_slept_closes_the_window_at_once(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    move(office, CLOSES)
    assert act_of(act_id).window_state == "closed"


def test_a_signature_of_another_key_is_set_aside(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.accepted()
    terms.sign_terms(story.lead, act_id, PEOPLE, ("confirmation",), QUOTA)
    story.countersign(act_id, signature=PrivateKeys.generate().sign(b"x").hex())
    assert "does not hold" in set_aside()[0]
    assert act_of(act_id).window_state == ""
    story.countersign(act_id)
    assert act_of(act_id).window_state == "agreed"


def test_other_terms_than_those_proposed_are_set_aside(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.accepted()
    terms.sign_terms(story.lead, act_id, PEOPLE, ("confirmation",), QUOTA)
    with scoped(SYSTEM):
        other = dict(Terms.objects.get(act_id=act_id).document)
    from tests.services.flow import signature

    from vedette.engagement.terms import Terms as Document

    other["quota"] = {"calls": 10**9, "tokens": 10**9}
    body = signature(Document.from_json(other), story.office.keys)
    story.office.send("terms.signed", body, thread=act_id)
    assert "not proposed here" in set_aside()[0]


def test_terms_before_the_offer_wait_for_it(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = "act-2222222222222222"
    story.propose(act_id)
    assert terms_of(act_id) is None
    story.offer(act=act_id)
    assert terms_of(act_id) is not None


def test_a_signature_before_the_answer_waits_for_it(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered()
    terms.sign_terms(story.lead, act_id, PEOPLE, ("confirmation",), QUOTA)
    story.countersign(act_id)
    assert act_of(act_id).window_state == ""
    story.answer(act_id)
    assert act_of(act_id).window_state == "agreed"


def test_terms_for_other_hours_are_set_aside(office: Fixture) -> None:
    from dataclasses import replace
    from datetime import timedelta

    from tests.services.flow import signature

    story = OfficeStory.start(office)
    act_id = story.offer()
    later = replace(story.document(act_id), closes=CLOSES + timedelta(days=1))
    story.lab.send("terms.signed", signature(later, story.lab.keys), thread=act_id)
    assert "hour" in set_aside()[0]


def test_an_act_has_one_set_of_terms(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    with pytest.raises(Refused, match="already"):
        terms.sign_terms(story.lead, act_id, PEOPLE, ("robustness",), QUOTA)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"people": ()}, "people"),
        ({"purposes": ("world-peace",)}, "purposes"),
        ({"quota": {"calls": 0, "tokens": 1}}, "quota"),
        ({"quota": {"calls": 1}}, "tokens"),
        ({"publication": "everywhere"}, "publication"),
        ({"clauses": ("use",)}, "clauses"),
    ],
)
def test_terms_are_checked_under_the_pack(
    lab: Fixture, changes: dict[str, object], field: str
) -> None:
    story = LabStory.start(lab)
    act_id = story.accepted()
    given = {"people": PEOPLE, "purposes": ("confirmation",), "quota": QUOTA, **changes}
    with pytest.raises(BadInput, match=field):
        terms.sign_terms(story.lead, act_id, **given)
    assert terms_of(act_id) is None


def test_either_side_ends_the_window_at_once(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.opened()
    engagement.end_window(story.lead, act_id, "enough")
    row = act_of(act_id)
    assert (row.state, row.window_state) == ("withdrawn", "ended")
    assert story.office.received("engagement.withdrawn")[0].body["reason"] == "enough"
    with pytest.raises(Refused):
        engagement.end_window(story.lead, act_id)


def test_the_office_gives_the_window_up(office: Fixture) -> None:
    story = OfficeStory.start(office)
    session_id = story.opened()
    act_id = session_of(session_id).act_id
    engagement.end_window(story.officer, act_id)
    assert act_of(act_id).window_state == "ended"
    assert session_of(session_id).state == "ended"
    assert story.lab.received("engagement.withdrawn")
    assert story.lab.received("access.metered")


def test_the_other_side_ends_the_window(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.opened()
    story.office.send("engagement.withdrawn", {"act": act_id}, thread=act_id)
    assert act_of(act_id).window_state == "ended"


def test_a_guest_finds_no_act_to_sign(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.accepted()
    guest = lab.person("administrator", lab.organisation("Guest", "partner").id)
    with pytest.raises(NotFound):
        terms.sign_terms(guest, act_id, PEOPLE, ("confirmation",), QUOTA)
