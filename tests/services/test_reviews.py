"""Offices at work on one act: the lead, organisations that it invites, what each reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.services.flow import MODEL, OfficeStory, act_of, events

from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Profile
from vedette.services import engagement, review_views, reviews, worksheets
from vedette.services.acting import Actor
from vedette.services.testing import Fixture
from vedette.store.models import Organisation

DOSSIER = {"legal-entity": "Orion Labs", "model-version": "7.1", "samples": "one\ntwo"}


@dataclass
class House:
    """A lead office with a review of a determination request, and two offices invited."""

    story: OfficeStory
    act: str
    review: str
    cyber: Actor
    treasury: Actor

    @property
    def lead(self) -> Actor:
        return self.story.officer

    def view(self, actor: Actor) -> dict[str, object]:
        return review_views.review_view(actor, self.review)


def consulted(office: Fixture, name: str, clearance: str = "TLP:RED") -> Actor:
    org = office.organisation(name, "office")
    return replace(office.person("consulted-officer", org.id), clearance=clearance)


@pytest.fixture
def house(office: Fixture) -> House:
    story = OfficeStory.start(office)
    act = new_id("act")
    body = {"act": act, "kind": "determination-request", "model": MODEL, "dossier": DOSSIER}
    story.lab.send("engagement.offered", body, thread=act, marking="TLP:RED")
    engagement.answer_act(story.officer, act, "accepted")
    made = reviews.open_review(story.officer, act)
    cyber, treasury = consulted(office, "Cyber Director"), consulted(office, "Treasury")
    for actor in (cyber, treasury):
        reviews.invite_office(story.officer, made.id, office=actor.org)
    return House(story, act, made.id, cyber, treasury)


def set_ceiling(house: House, text: str) -> None:
    object.__setattr__(house.story.office.here, "ceiling", Marking.parse(text))


def test_a_determination_request_needs_no_window_and_no_released_model(house: House) -> None:
    row = act_of(house.act)
    assert (row.opens, row.closes, row.window_state) == (None, None, "")
    assert house.view(house.lead)["kind"] == "determination-request"


def test_offices_work_side_by_side_and_nothing_waits(house: House) -> None:
    reviews.move_place(house.cyber, house.review, "take-part")
    seen = house.view(house.cyber)
    mine = [task for task in seen["tasks"] if task["mine"]]
    assert len(mine) == 2
    assert all(task["due"] > "2026-12-01" for task in mine)
    reviews.move_task(house.cyber, house.review, mine[0]["id"], "begin")
    reviews.move_task(house.cyber, house.review, mine[1]["id"], "finish")
    own = reviews.set_task(house.lead, house.review, "Write the text", person="Ada")
    reviews.move_task(house.lead, house.review, own.id, "finish")
    reviews.move_task(house.lead, house.review, mine[0]["id"], "drop")
    house.story.office.clock.time += timedelta(days=30)
    late = [t for t in house.view(house.lead)["tasks"] if t["past_day"]]
    assert {t["office"] for t in late} == {"Treasury"}
    reviews.propose(house.lead, house.review, "It does not meet the designation.")
    assert reviews.move_review(house.lead, house.review, "conclude").state == "concluded"
    with pytest.raises(Refused, match="concluded"):
        reviews.comment(house.cyber, house.review, "too late")
    reviews.move_review(house.lead, house.review, "reopen")
    reviews.comment(house.cyber, house.review, "not too late")


def test_disagreement_stands_beside_the_conclusion(house: House) -> None:
    reviews.propose(house.lead, house.review, "It meets the designation.")
    reviews.give_view(house.cyber, house.review, "agrees")
    reviews.give_view(house.treasury, house.review, "disagrees", "The interval is wide.")
    reviews.move_review(house.lead, house.review, "conclude")
    seen = house.view(house.lead)
    assert [v["office"] for v in seen["disagreement"]] == ["Treasury"]
    assert seen["disagreement"][0]["reasons"] == "The interval is wide."
    assert {v["office"]: v["stand"] for v in seen["standing"]} == {
        "Cyber Director": "agrees",
        "Treasury": "disagrees",
    }
    reviews.move_review(house.lead, house.review, "reopen")
    reviews.propose(house.lead, house.review, "The evidence is insufficient.")
    assert all(v["earlier"] for v in house.view(house.lead)["standing"])
    reviews.give_view(house.treasury, house.review, "agrees")
    seen = house.view(house.lead)
    assert not seen["disagreement"]
    assert [v["stand"] for v in seen["views"]] == ["agrees", "disagrees", "agrees"], "all stay"


def test_a_page_shows_the_portions_that_its_reader_may_read(house: House) -> None:
    say = reviews.comment
    set_ceiling(house, "SECRET//ALPHA//TLP:RED")
    say(house.lead, house.review, "for all", marking="TLP:AMBER+STRICT")
    say(house.lead, house.review, "red", marking="TLP:RED")
    high = replace(house.lead, clearance="SECRET//ALPHA//TLP:RED")
    say(high, house.review, "secret", marking="SECRET//ALPHA//TLP:RED")
    say(house.lead, house.review, "ours", lead_only=True)
    say(house.treasury, house.review, "from the treasury")
    low = replace(house.cyber, clearance="TLP:AMBER+STRICT")
    seen = house.view(low)
    assert [c["text"] for c in seen["comments"]] == ["from the treasury", "for all"]
    assert seen["more"] == 1, "the red one may be counted, the compartment's may not"
    assert seen["whole_marking"] == "", "it names the compartment"
    assert seen["shown_marking"] == "TLP:AMBER+STRICT"
    assert house.view(high)["whole_marking"] == "SECRET//ALPHA//TLP:RED", "computed, never typed"
    with pytest.raises(BadInput, match="above what you may read"):
        say(low, house.review, "x", marking="TLP:RED")
    with pytest.raises(NotFound):
        house.view(replace(house.cyber, clearance="TLP:AMBER"))


def test_nothing_above_the_ceiling_is_written(house: House) -> None:
    set_ceiling(house, "TLP:AMBER+STRICT")
    with pytest.raises(Refused, match="ceiling"):
        reviews.comment(house.lead, house.review, "x", marking="TLP:RED")
    assert house.view(house.lead)["comments"] == []


def test_a_comment_is_marked_at_least_as_its_field(house: House) -> None:
    made = reviews.comment(house.lead, house.review, "x", field="samples", marking="TLP:GREEN")
    assert made.marking == "TLP:RED"


def test_an_office_reads_what_is_shared_with_it(house: House) -> None:
    reviews.share_fields(house.lead, house.review, house.cyber.org, ["legal-entity"])
    sheet = worksheets.worksheet_view(house.cyber, house.review)
    assert [f["id"] for s in sheet["sections"] for f in s["fields"]] == ["legal-entity"]
    reviews.comment(house.lead, house.review, "of the samples", field="samples")
    assert house.view(house.cyber)["comments"] == []
    with pytest.raises(NotFound):
        reviews.comment(house.cyber, house.review, "x", field="samples")
    with pytest.raises(NotFound):
        worksheets.check_fields(house.cyber, house.review, {"samples": "seen"})
    reviews.invite_office(
        house.lead, _again(house, house.treasury), office=house.treasury.org, hears_others=False
    )
    reviews.comment(house.cyber, house.review, "from cyber")
    assert not [c for c in house.view(house.treasury)["comments"] if c["text"] == "from cyber"]
    assert {o["name"] for o in house.view(house.treasury)["offices"]} == {"Treasury"}


def _again(house: House, actor: Actor) -> str:
    reviews.move_place(house.lead, house.review, "end", actor.org)
    return house.review


def test_an_ended_place_reads_nothing(house: House) -> None:
    reviews.move_place(house.lead, house.review, "end", house.cyber.org)
    with pytest.raises(NotFound):
        house.view(house.cyber)
    reviews.move_place(house.treasury, house.review, "decline")
    with pytest.raises(NotFound):
        house.view(house.treasury)
    reviews.invite_office(house.lead, house.review, office=house.cyber.org)
    assert house.view(house.cyber)["state"] == "open"


def test_who_may(house: House, office: Fixture) -> None:
    stranger = consulted(office, "Elsewhere")
    with pytest.raises(NotFound):
        house.view(stranger)
    with pytest.raises(NotFound):
        reviews.comment(stranger, house.review, "x")
    with pytest.raises(Forbidden):
        reviews.propose(house.cyber, house.review, "x")
    with pytest.raises(Forbidden):
        reviews.move_review(office.person("administrator", house.cyber.org), house.review, "end")
    with pytest.raises(Forbidden):
        reviews.comment(office.person("reader"), house.review, "x")
    with pytest.raises(NotFound):
        reviews.open_review(office.person("administrator", house.cyber.org), house.act)
    with pytest.raises(Refused, match="has a review"):
        reviews.open_review(house.lead, house.act)


def test_the_packs_offices_are_at_hand(house: House) -> None:
    place = reviews.invite_office(house.lead, house.review, office="cisa")
    assert place.org.name == "Cybersecurity and Infrastructure Security Agency"
    with pytest.raises(NotFound, match="add its organisation"):
        reviews.invite_office(house.lead, house.review, office="Nobody")
    vendor: Organisation = house.story.office.organisation("Vendor", "vendor")
    with pytest.raises(BadInput, match="no other office"):
        reviews.invite_office(house.lead, house.review, office=vendor.id)


def test_the_worksheet_mirrors_the_form(house: House) -> None:
    sheet = worksheets.worksheet_view(house.lead, house.review)
    assert sheet["total"] == 41
    by_id = {f["id"]: f for s in sheet["sections"] for f in s["fields"]}
    assert by_id["legal-entity"]["value"] == "Orion Labs"
    assert by_id["scores"]["status"] == "not given"
    assert by_id["decision"]["status"] == "stays at the lab"
    assert worksheets.check_fields(house.lead, house.review, {"scores": "question"}) == 1
    assert worksheets.check_fields(house.lead, house.review, {"scores": "question"}) == 0
    assert worksheets.check_fields(house.lead, house.review, {"legal-entity": "seen"}) == 1
    house.story.lab.send(
        "dossier.updated",
        {
            "act": house.act,
            "number": 1,
            "dossier": {**DOSSIER, "legal-entity": "Orion Ltd", "new-field": "kept"},
            "withheld": {"scores": "still being made"},
            "pack": "other@2",
            "pack_digest": "sha256:" + "0" * 64,
        },
        thread=house.act,
    )
    sheet = worksheets.worksheet_view(house.lead, house.review)
    by_id = {f["id"]: f for s in sheet["sections"] for f in s["fields"]}
    assert by_id["legal-entity"]["earlier"]
    assert (by_id["legal-entity"]["value"], by_id["legal-entity"]["before"]) == (
        "Orion Ltd",
        "Orion Labs",
    )
    assert (by_id["scores"]["status"], by_id["scores"]["reason"]) == (
        "withheld",
        "still being made",
    )
    assert by_id["new-field"]["section"] == "other"
    assert (sheet["looked_at"], sheet["total"], sheet["changed"]) == (0, 42, 3)
    assert "engagement:dossier:updated" in events()


def test_no_review_on_another_profile(lab: Fixture) -> None:
    assert lab.here.profile == Profile.LAB
    with pytest.raises(NotFound):
        review_views.reviews(lab.person("administrator"))
