"""A selection of several partners: each agreed on, declined and taken back by itself."""

from __future__ import annotations

from typing import Any

import pytest
from tests.services.flow import MODEL, LabStory, OfficeStory, events

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import acts, engagement, selection
from vedette.services.partners import partner_view, partners, seats_of, staged
from vedette.services.testing import START, FakePeer, Fixture
from vedette.store.models import InMessage
from vedette.store.tenancy import SYSTEM, scoped


def naming(name: str, sector: str = "energy", **more: Any) -> dict[str, Any]:
    return {"name": name, "sector": sector, "criteria": ["can-act-early"], **more}


THREE = [naming("Harbour Grid"), naming("Hill Clinic", "rural-hospital"), naming("Fen Bank")]


def offered(story: LabStory, *rows: dict[str, Any]) -> str:
    given = {"partners": list(rows)} if len(rows) > 1 else {"partner": rows[0]}
    made = engagement.offer_act(story.lead, "Office", "partner-selection", MODEL, **given)
    return str(made.id)


def ids(actor: Any, act_id: str) -> dict[str, str]:
    return {row["name"]: row["partner"] for row in partners(actor, act_id)}


def says(peer: FakePeer, act_id: str, partner: str, stance: str, number: int = 1) -> None:
    body = {
        "act": act_id,
        "partner": partner,
        "stance": stance,
        "number": number,
        "at": format_time(START),
    }
    peer.send("partner.answered", body, thread=act_id)


def stances(actor: Any, act_id: str) -> dict[str, tuple[str, str, bool]]:
    return {
        row["name"]: (row["lab"]["stance"], row["office"]["stance"], bool(row["agreed"]))
        for row in partners(actor, act_id)
    }


def test_each_partner_of_a_list_goes_its_own_way(lab: Fixture) -> None:
    story = LabStory.start(lab)
    house = lab.peer("House", Profile.CLEARINGHOUSE)
    act_id = offered(story, *THREE)
    (message,) = story.office.received("engagement.offered")
    assert [row["name"] for row in message.body["partners"]] == [row["name"] for row in THREE]
    known = ids(story.lead, act_id)
    says(story.office, act_id, known["Fen Bank"], "declined")
    story.answer(act_id)
    assert stances(story.lead, act_id) == {
        "Harbour Grid": ("agreed", "agreed", True),
        "Hill Clinic": ("agreed", "agreed", True),
        "Fen Bank": ("agreed", "declined", False),
    }
    assert sorted(m.body["name"] for m in house.received("partner.named")) == [
        *("Harbour Grid", "Hill Clinic")
    ]
    selection.answer_partner(story.lead, known["Hill Clinic"], "take back", "no time")
    assert stances(story.lead, act_id)["Hill Clinic"] == ("taken-back", "agreed", False)
    assert stances(story.lead, act_id)["Harbour Grid"][2]
    says(story.office, act_id, known["Fen Bank"], "agreed", 2)
    assert stances(story.lead, act_id)["Fen Bank"] == ("agreed", "agreed", True)


def test_an_agreement_taken_back_is_told_to_the_clearinghouse(lab: Fixture) -> None:
    story = LabStory.start(lab)
    house = lab.peer("House", Profile.CLEARINGHOUSE)
    act_id = offered(story, naming("Harbour Grid"))
    story.answer(act_id)
    (partner,) = ids(story.lead, act_id).values()
    says(story.office, act_id, partner, "taken-back")
    says(story.office, act_id, partner, "agreed", 2)
    engagement.withdraw_act(story.lead, act_id)
    told = [m for m in house.received() if m.type.startswith("partner")]
    told.sort(key=lambda m: m.body["number"])
    assert [m.type for m in told] == ["partner.named", "partner.withdrawn"] * 2
    assert [m.body["number"] for m in told] == [1, 2, 3, 4]
    assert all(m.body["partner"] == partner for m in told)
    assert "engagement:partner:withdrawn" in events()


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2), (2, 0, 3, 1)])
def test_any_order_at_the_clearinghouse(clearinghouse: Fixture, order: tuple[int, ...]) -> None:
    lab = clearinghouse.peer("Lab", Profile.LAB)
    act_id, partner = new_id("act"), new_id("partner")
    ids = {"act": act_id, "partner": partner}
    name = {"name": "Grid", "sector": "energy", "agreed": format_time(START)}
    words = [
        ("partner.named", {**ids, **name, "number": 1}),
        ("partner.withdrawn", {**ids, "number": 2, "at": format_time(START)}),
        ("partner.named", {**ids, **name, "number": 3}),
        ("partner.withdrawn", {**ids, "number": 4, "at": format_time(START)}),
    ]
    for place in order:
        lab.send(*words[place], thread=act_id)
    (row,) = partners(clearinghouse.person("administrator"))
    assert (row["name"], row["agreed"]) == ("Grid", None)
    with scoped(SYSTEM):
        assert not InMessage.objects.exclude(state="handled").exists()


def test_another_lab_takes_no_partner_back(clearinghouse: Fixture) -> None:
    lab, other = (clearinghouse.peer(name, Profile.LAB) for name in ("Lab", "Other"))
    body = {"act": new_id("act"), "name": "N", "sector": "energy", "agreed": format_time(START)}
    lab.send("partner.named", body, thread=body["act"])
    (row,) = partners(clearinghouse.person("administrator"))
    back = {"act": row["act"], "partner": row["partner"], "number": 9, "at": format_time(START)}
    other.send("partner.withdrawn", back, thread=row["act"])
    other.send("partner.named", {**body, "name": "X"}, thread=row["act"])
    (row,) = partners(clearinghouse.person("administrator"))
    assert row["agreed"]
    assert row["name"] == "N"


def test_the_office_answers_one_by_one_and_both_see_ties(office: Fixture) -> None:
    story = OfficeStory.start(office)
    rows = [{"id": new_id("partner"), **row} for row in THREE]
    rows[0]["ties"] = [{"kind": "shares-people", "text": "a founder sits on its board"}]
    act_id = offer_to(story, rows)
    known = ids(story.officer, act_id)
    with pytest.raises(Refused, match="not accepted yet"):
        selection.answer_partner(story.officer, known["Harbour Grid"], "agree")
    selection.answer_partner(
        story.officer,
        known["Harbour Grid"],
        "decline",
        "a conflict",
        [{"kind": "supplies-office", "text": "runs our help desk"}],
    )
    engagement.answer_act(story.officer, act_id, "accepted")
    found = partner_view(story.officer, known["Harbour Grid"])
    assert found["office"]["stance"] == "declined"
    assert [(c["kind"], c["by"]) for c in found["concerns"]] == [
        ("shares-people", "lab"),
        ("supplies-office", "office"),
    ]
    (message,) = story.lab.received("partner.answered")
    assert (message.body["stance"], message.body["number"]) == ("declined", 1)
    assert message.body["ties"] == [{"kind": "supplies-office", "text": "runs our help desk"}]
    says(story.lab, act_id, known["Hill Clinic"], "taken-back")
    assert stances(story.officer, act_id)["Hill Clinic"] == ("taken-back", "agreed", False)


def offer_to(story: OfficeStory, rows: list[dict[str, Any]]) -> str:
    body = {
        "act": new_id("act"),
        "kind": "partner-selection",
        "model": MODEL,
        "partners": rows,
    }
    story.lab.send("engagement.offered", body, thread=body["act"])
    return str(body["act"])


def test_offered_again_it_names_the_same_partners_anew(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = offered(story, *THREE)
    story.answer(act_id, "declined")
    again = engagement.offer_again(story.lead, act_id).id
    assert list(ids(story.lead, again)) == [row["name"] for row in THREE]
    assert not set(ids(story.lead, again).values()) & set(ids(story.lead, act_id).values())
    other = engagement.offer_again(story.lead, act_id, partner=naming("Coast Water", "water")).id
    assert list(ids(story.lead, other)) == ["Coast Water"]


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([naming("A"), naming("a ")], "named twice"),
        ([naming("A"), naming("")], "partner.name"),
        ([naming("A"), naming("B", ties=[{"kind": "no-such"}])], "ties"),
        ([naming(f"P{n}") for n in range(201)], "1 to 200"),
    ],
)
def test_no_selection(lab: Fixture, rows: list[dict[str, Any]], match: str) -> None:
    story = LabStory.start(lab)
    with pytest.raises(BadInput, match=match):
        offered(story, *rows)
    assert acts.acts(story.lead) == []


def test_a_bad_list_from_a_lab_is_kept_with_its_reason(office: Fixture) -> None:
    story = OfficeStory.start(office)
    row = {"id": new_id("partner"), **naming("A")}
    offer_to(story, [row, {**row, "name": "B"}])
    with scoped(SYSTEM):
        (kept,) = InMessage.objects.exclude(state="handled")
    assert "id stands twice" in kept.reason


def test_waves_stay_at_home_and_are_the_labs_own(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = offered(story, *THREE)
    first = staged(story.lead, act_id)[0].partners[0]
    assert first.name == "Hill Clinic", "the small operator goes first"
    selection.set_wave(story.lead, ids(story.lead, act_id)["Hill Clinic"], 3)
    assert [wave.number for wave in staged(story.lead, act_id)] == [1, 3]
    assert not [m for m in story.office.received() if "wave" in str(m.body)]
    absent = {row.sector.id for row in seats_of(story.lead, act_id) if row.absent}
    assert absent == {"community-bank", "local-utility"}


def test_who_may_not(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = offered(story, *THREE)
    partner = ids(story.lead, act_id)["Fen Bank"]
    stranger = lab.person("administrator", lab.organisation("Guest", "partner").id)
    reader = lab.person("reader")
    for act in (
        lambda who: selection.answer_partner(who, partner, "take back"),
        lambda who: selection.set_wave(who, partner, 2),
    ):
        with pytest.raises(NotFound):
            act(stranger)
        with pytest.raises(Forbidden):
            act(reader)
    assert partners(stranger) == []
    with pytest.raises(NotFound):
        partner_view(stranger, partner)
    with pytest.raises(NotFound):
        partners(stranger, act_id)
    assert partner_view(reader, partner)["moves"] == []
    with pytest.raises(Refused):
        selection.answer_partner(story.lead, partner, "decline")
