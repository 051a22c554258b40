"""A consulted office holds what it has back from destruction, on a ground of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.services.flow import LabStory, move, run_due
from tests.services.test_bound_reviews import LEAD, begin
from tests.services.test_extracts import SECRET, Guest, guest, lead_destroys, sent_to
from tests.web.visitors import read, send, visitor

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.permissions import Profile
from vedette.services import (
    accounts,
    consultations,
    custody,
    custody_views,
    hold_views,
    holds,
    two_person,
)
from vedette.services.acting import Actor, instance_actor
from vedette.services.testing import Fixture
from vedette.store.models import Custody, LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["guest"]

GROUND = ("records", "44 U.S.C. 3301", "Records officer")
HOLD = {
    "hold": "hold-2222222222222222",
    "kind": "legal",
    "basis": "Case 7",
    "authority": "Counsel",
    "set_by": "Oona",
    "begins": "2026-06-01T00:00:00Z",
}


def colleague(office: Fixture, org: str = "", role: str = "reviewing-officer") -> Actor:
    code = accounts.invite(instance_actor(), f"{role}{org}@x.example", role, org)
    found = accounts.actor_of(accounts.join(code, "Colleague", "correct horse battery"))
    assert found is not None
    return found


def test_a_hold_keeps_the_extract_until_two_persons_lift_it(guest: Guest) -> None:
    officer = guest.office.person("reviewing-officer")
    made = holds.set_extract_hold(officer, guest.name, *GROUND, text="for the archive")
    (told,) = sent_to(guest.lead, "consultation.holds-told")
    assert told.body["number"] == 1
    (one,) = told.body["holds"]
    assert (one["basis"], one["authority"]) == GROUND[1:]
    guest.destroy()
    assert guest.row.extract == {"samples": SECRET}, "what its office asks waits for the hold"
    seen = consultations.consultation_view(officer, guest.name)
    assert seen["held"]
    assert seen["portions"], "what is kept can be read"
    assert not seen["moves"], "and is answered no more"
    page = read(visitor(guest.office, "reviewing-officer"), f"/consultations/{guest.name}/")
    assert "Kept under a hold" in page
    assert SECRET in page
    assert "44 U.S.C. 3301" in page

    proposal = holds.lift_hold(officer, made.id, "the archive has it")
    assert guest.row.destroyed_at is None
    two_person.second(colleague(guest.office), proposal.id)
    run_due()
    assert guest.row.extract == {}
    assert guest.row.destroyed_at
    told = max(sent_to(guest.lead, "consultation.holds-told"), key=lambda m: m.body["number"])
    (one,) = told.body["holds"]
    assert one["lifted"] == format_time(guest.office.clock.now())
    assert one["reason"] == "the archive has it"
    with scoped(SYSTEM):
        rows = LedgerEntry.objects.filter(object_id=guest.name)
        events = set(rows.values_list("event", flat=True))
    assert {"custody:hold:set", "custody:hold:lifted", "custody:material:destroyed"} <= events


def test_a_hold_with_an_end_ends_by_itself_and_another_goes_on(guest: Guest) -> None:
    officer, now = guest.office.person("reviewing-officer"), guest.office.clock.now()
    for days in (10, 20):
        holds.set_extract_hold(officer, guest.name, *GROUND, until=now + timedelta(days=days))
    guest.destroy()
    move(guest.office, now + timedelta(days=11))
    assert guest.row.destroyed_at is None
    move(guest.office, now + timedelta(days=21))
    assert guest.row.destroyed_at


def test_a_hold_alone_asks_for_nothing(guest: Guest) -> None:
    officer, now = guest.office.person("reviewing-officer"), guest.office.clock.now()
    holds.set_extract_hold(officer, guest.name, *GROUND, until=now + timedelta(days=1))
    move(guest.office, now + timedelta(days=2))
    assert guest.row.extract == {"samples": SECRET}, "nobody asked that it goes"


def test_what_is_gone_is_not_held_and_a_ground_is_needed(guest: Guest) -> None:
    officer = guest.office.person("reviewing-officer")
    with pytest.raises(BadInput, match="basis"):
        holds.set_extract_hold(officer, guest.name, "records", " ", "Records officer")
    with pytest.raises(Forbidden):
        holds.set_extract_hold(guest.office.person("reader"), guest.name, *GROUND)
    with pytest.raises(NotFound):
        holds.set_extract_hold(officer, "consultation-2222222222222222", *GROUND)
    org = guest.office.organisation("Elsewhere", "office")
    with pytest.raises(NotFound):
        holds.set_extract_hold(guest.office.person("administrator", org.id), guest.name, *GROUND)
    guest.destroy()
    with pytest.raises(Refused, match="destroyed"):
        holds.set_extract_hold(officer, guest.name, *GROUND)


def test_the_lead_and_the_lab_see_who_holds_it_back_and_why(office: Fixture) -> None:
    house, other, name = lead_destroys(office)
    body = {"consultation": name, "number": 2, "holds": [HOLD]}
    assert other.send("consultation.holds-told", body, thread="").state == "handled"
    late = {"consultation": name, "number": 1, "holds": []}
    other.send("consultation.holds-told", late, thread="")
    stranger = office.peer("Third Office", Profile.OFFICE)
    assert stranger.send("consultation.holds-told", body, thread="").state == "waiting"
    told = max(house.story.lab.received("custody.copies-told"), key=lambda m: m.body["number"])
    (copy,) = told.body["copies"]
    assert copy["holds"] == [HOLD]
    page = read(visitor(office, "reviewing-officer"), f"/custody/{house.act}/")
    assert "Legal hold: Case 7 (Counsel; set by Oona), until it is lifted" in page
    with scoped(SYSTEM):
        assert LedgerEntry.objects.filter(object_id=name, event="custody:hold:set").count() == 1


def test_the_lab_shows_them_too(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered()
    ended = {**HOLD, "lifted": "2026-12-01T00:00:00Z", "lifted_by": "Oona"}
    body = {"act": act_id, "number": 1, "copies": [{"office": "Other Office", "holds": [ended]}]}
    story.office.send("custody.copies-told", body, thread=act_id)
    page = read(visitor(lab, "release-lead"), f"/custody/{act_id}/")
    assert "Case 7 (Counsel; set by Oona), lifted 2026-12-01T00:00:00Z" in page
    assert "not certified" not in page, "nobody has asked for it yet"


def test_a_guest_of_the_lead_holds_what_the_lead_keeps(office: Fixture) -> None:
    house = begin(office, LEAD)
    made = holds.set_guest_hold(house.treasury, house.review, *GROUND)
    (told,) = house.story.lab.received("custody.hold-set")
    assert (told.body["behalf"], told.body["basis"]) == ("Treasury", GROUND[1])
    seen = custody_views.custody_view(house.story.officer, house.act)
    (hold,) = seen["holds"]
    assert (hold["behalf"], hold["own"]) == ("Treasury", False)
    with pytest.raises(Refused, match="another office"):
        holds.lift_hold(house.story.officer, made.id)
    with pytest.raises(NotFound):
        holds.lift_hold(house.cyber, made.id)
    with pytest.raises(Refused, match="on the act"):
        holds.set_guest_hold(house.story.officer, house.review, *GROUND)
    with scoped(SYSTEM):
        Custody.objects.update_or_create(
            act_id=house.act, defaults={"org_id": office.here.org, "due_at": office.clock.now()}
        )
    custody.advance(house.act)
    assert custody_views.custody_view(house.story.officer, house.act)["state"] == "due"

    proposal = holds.lift_hold(house.treasury, made.id)
    assert two_person.proposals(house.story.officer) == [], "it is the other office's own affair"
    with pytest.raises(NotFound):
        two_person.second(house.story.officer, proposal.id)
    with pytest.raises(Forbidden, match="nobody seconds"):
        two_person.second(house.treasury, proposal.id)
    second = colleague(office, house.treasury.org, "consulted-officer")
    assert [p["may_second"] for p in two_person.proposals(second)] == [True]
    two_person.second(second, proposal.id)
    run_due()
    run_due()
    assert custody_views.custody_view(house.story.officer, house.act)["state"] == "destroyed"
    (lifted,) = house.story.lab.received("custody.hold-lifted")
    assert lifted.body["hold"] == made.id
    assert [h["state"] for h in hold_views.guest_holds(house.treasury)] == ["lifted"]
    assert hold_views.guest_holds(house.cyber) == []


def test_a_guests_pages(office: Fixture) -> None:
    house = begin(office, LEAD)
    client = visitor(office, "consulted-officer", house.treasury.org)
    words = {"kind": "records", "basis": "A records law", "authority": "Archivist"}
    assert "Set a hold" in read(client, f"/reviews/{house.review}/")
    assert send(client, f"/reviews/{house.review}/hold/", **words) == f"/reviews/{house.review}/"
    assert "A records law" in read(client, f"/reviews/{house.review}/")
    listed = read(client, "/reviews/")
    assert "Our holds" in listed
    (found,) = hold_views.guest_holds(house.treasury)
    assert send(client, f"/custody/holds/{found['id']}/", reason="done") == "/seconds/"
    assert "Take it back" in read(client, "/seconds/")
    other = visitor(office, "consulted-officer", house.cyber.org)
    assert other.get(f"/custody/holds/{found['id']}/").status_code == 404
    assert "A records law" not in read(other, "/reviews/")
    assert "Take it back" not in read(other, "/seconds/")
    reader = visitor(office, "reader", house.treasury.org)
    assert reader.get(f"/reviews/{house.review}/hold/").status_code == 403
