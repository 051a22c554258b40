"""The three acts: offered, answered, withdrawn; in order, out of order, twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.services.flow import CLOSES, MODEL, OPENS, LabStory, OfficeStory, act_of, events, move

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import acts, engagement, inbox, readiness
from vedette.services.acting import member
from vedette.services.partners import partners
from vedette.services.testing import START, Fixture
from vedette.store.models import InMessage
from vedette.store.tenancy import SYSTEM, scoped

PARTNER = {"name": "Harbour Grid", "sector": "energy", "criteria": ["can-act-early"]}


def waiting() -> list[str]:
    with scoped(SYSTEM):
        rows = InMessage.objects.exclude(state="handled").order_by("pk")
        return [f"{row.type} {row.state}" for row in rows]


def test_the_lab_offers_and_the_office_answers(lab: Fixture) -> None:
    story = LabStory.start(lab)
    story.planned()
    act_id = story.offered()
    (message,) = story.office.received("engagement.offered")
    assert message.body["opens"] == format_time(OPENS)
    assert message.thread == act_id
    story.answer(act_id)
    assert act_of(act_id).state == "accepted"
    assert events()[-1] == "engagement:act:answered"


def test_the_office_sees_and_answers(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer(note="hello")
    view = acts.act_view(story.officer, act_id)
    assert [row["trigger"] for row in view["moves"]] == ["accept", "decline"]
    engagement.answer_act(story.officer, act_id, "declined", "not this time")
    (message,) = story.lab.received("engagement.answered")
    assert message.body == {"act": act_id, "answer": "declined", "reason": "not this time"}
    with pytest.raises(Refused):
        engagement.answer_act(story.officer, act_id, "accepted")


def test_only_whoever_may_acts(lab: Fixture) -> None:
    story = LabStory.start(lab)
    with pytest.raises(Forbidden):
        engagement.offer_act(lab.person("compliance"), "Office", "determination-request", MODEL)
    guest = lab.organisation("Guest", "partner")
    stranger = lab.person("administrator", guest.id)
    act_id = story.offered()
    with pytest.raises(NotFound):
        acts.act_view(stranger, act_id)
    with pytest.raises(NotFound):
        engagement.withdraw_act(stranger, act_id)
    with pytest.raises(NotFound):
        engagement.offer_act(stranger, "Office", "determination-request", MODEL)
    with pytest.raises(NotFound):
        engagement.answer_act(lab.person("administrator"), act_id, "accepted")


def test_an_offer_names_hours_within_the_ceiling_and_the_release(lab: Fixture) -> None:
    story = LabStory.start(lab)
    story.planned()
    with pytest.raises(BadInput, match="allows 30"):
        story.offered(opens=OPENS - timedelta(days=1), closes=CLOSES)
    with pytest.raises(BadInput, match="after the partner release"):
        story.offered(opens=OPENS + timedelta(days=2), closes=CLOSES + timedelta(days=1))
    with pytest.raises(BadInput, match="hours"):
        story.offered(opens=None)


def test_only_named_fields_of_the_dossier_cross_and_mark_the_message(lab: Fixture) -> None:
    story = LabStory.start(lab)
    readiness.fill_dossier(story.lead, MODEL, {"samples": "a\nb\nc\nd\ne", "model-name": "Orion"})
    act_id = story.offered(dossier=["samples"])
    (message,) = story.office.received("engagement.offered")
    assert list(message.body["dossier"]) == ["samples"]
    assert message.marking == "TLP:RED"
    assert act_of(act_id).dossier == message.body["dossier"]
    with pytest.raises(BadInput, match="stays home"):
        story.offered(dossier=["weight-protection"])


def test_an_unanswered_offer_lapses_and_can_be_offered_again(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered(answer_by=START + timedelta(days=3))
    move(lab, START + timedelta(days=3))
    assert act_of(act_id).state == "lapsed"
    again = engagement.offer_again(story.lead, act_id)
    assert again.id != act_id
    assert (again.opens, again.closes, again.state) == (OPENS, CLOSES, "offered")
    assert len(story.office.received("engagement.offered")) == 2


def test_an_acceptance_after_the_lapse_is_answered_by_a_withdrawal(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered(answer_by=START + timedelta(days=3))
    move(lab, START + timedelta(days=3))
    story.answer(act_id)
    assert act_of(act_id).state == "lapsed"
    assert [m.body["act"] for m in story.office.received("engagement.withdrawn")] == [act_id]
    assert waiting() == []


def test_a_lapsed_offer_can_not_be_answered(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer(answer_by=format_time(START + timedelta(days=3)))
    office.clock.time = START + timedelta(days=3)
    with pytest.raises(Refused, match="lapsed"):
        engagement.answer_act(story.officer, act_id, "accepted")
    move(office, START + timedelta(days=3))
    assert act_of(act_id).state == "lapsed"


def test_a_withdrawal_that_overtakes_its_offer_waits_for_it(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = new_id("act")
    story.lab.send("engagement.withdrawn", {"act": act_id}, thread=act_id)
    assert waiting() == ["engagement.withdrawn waiting"]
    story.offer(act=act_id)
    assert act_of(act_id).state == "withdrawn"
    assert waiting() == []


def test_an_answer_that_crosses_a_withdrawal_changes_nothing(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered()
    engagement.withdraw_act(story.lead, act_id, "later")
    story.answer(act_id)
    assert act_of(act_id).state == "withdrawn"
    assert waiting() == []


def test_the_office_takes_an_acceptance_back_in_any_order(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered()
    story.office.send("engagement.withdrawn", {"act": act_id}, thread=act_id)
    assert act_of(act_id).state == "offered"
    story.answer(act_id)
    assert act_of(act_id).state == "withdrawn"


def test_another_office_can_not_touch_an_act(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered()
    other = lab.peer("Other", Profile.OFFICE)
    other.send("engagement.answered", {"act": act_id, "answer": "declined"}, thread=act_id)
    assert act_of(act_id).state == "offered"


def test_an_offer_beyond_the_ceiling_is_set_aside(office: Fixture) -> None:
    story = OfficeStory.start(office)
    story.offer(opens=format_time(OPENS - timedelta(days=5)))
    assert waiting() == ["engagement.offered set-aside"]


def test_a_partner_is_agreed_and_named_to_the_clearinghouse(lab: Fixture) -> None:
    story = LabStory.start(lab)
    house = lab.peer("House", Profile.CLEARINGHOUSE)
    row = engagement.offer_act(story.lead, "Office", "partner-selection", MODEL, partner=PARTNER)
    assert house.received() == []
    story.answer(row.id)
    (named,) = house.received("partner.named")
    assert named.body["name"] == "Harbour Grid"
    told = {"act", "partner", "number", "name", "sector", "small", "agreed"}
    assert set(named.body) == told
    assert partners(story.lead)[0]["agreed"]
    engagement.withdraw_act(story.lead, row.id)
    assert partners(story.lead)[0]["agreed"] is None


def test_the_clearinghouse_keeps_the_name(clearinghouse: Fixture) -> None:
    lab = clearinghouse.peer("Lab", Profile.LAB)
    body = {"act": new_id("act"), "name": "N", "sector": "energy", "agreed": format_time(START)}
    lab.send("partner.named", body, thread=body["act"])
    assert partners(clearinghouse.person("administrator"))[0]["name"] == "N"


@pytest.mark.parametrize("criteria", [[], ["no-such"]])
def test_a_partner_is_named_under_the_packs_criteria(lab: Fixture, criteria: list[str]) -> None:
    story = LabStory.start(lab)
    with pytest.raises(BadInput, match="criteria"):
        engagement.offer_act(
            story.lead,
            "Office",
            "partner-selection",
            MODEL,
            partner={**PARTNER, "criteria": criteria},
        )


def test_each_act_goes_its_own_way(lab: Fixture) -> None:
    story = LabStory.start(lab)
    first = engagement.offer_act(story.lead, "Office", "determination-request", MODEL)
    second = story.offered()
    story.answer(first.id, "declined")
    assert (act_of(first.id).state, act_of(second).state) == ("declined", "offered")


def test_every_message_type_of_the_engagement_has_its_handler() -> None:
    mine = {
        *("engagement.offered", "engagement.answered", "engagement.withdrawn", "terms.signed"),
        *("access.requested", "access.opened", "access.refused", "access.ended"),
        *("access.metered", "partner.named"),
    }
    assert mine <= inbox.handled_types()


def test_a_reader_acts_on_nothing(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer()
    reader = member(office.here.org, "r", "reader", host=True)
    assert acts.act_view(reader, act_id)["moves"] == []
    with pytest.raises(Forbidden):
        engagement.answer_act(reader, act_id, "accepted")
