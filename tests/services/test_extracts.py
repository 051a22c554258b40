"""An extract on another office's instance goes when what it came from goes, and is certified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from tests.services.flow import LabStory, run_due
from tests.services.test_bound_reviews import LEAD, Bound, begin
from tests.web.visitors import read, visitor

from vedette.engagement import custody as rules
from vedette.exchange.envelope import Message, open_envelope, read_message
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.kernel.sealing import METHOD, PREFIX
from vedette.services import consultations, custody, custody_views, engagement, reviews, vault
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import Consultation, Custody, InMessage, OutMessage, ReviewOffice
from vedette.store.tenancy import SYSTEM, scoped

SECRET = "only the lead and its guest read this"


def sent_to(peer: FakePeer, type_: str) -> list[Message]:
    """What was queued for a peer of one type; other types may be unreadable by now."""
    with scoped(SYSTEM):
        rows = OutMessage.objects.filter(peer_id=peer.keys.public.keyid, type=type_)
        envelopes = [row.envelope for row in rows.order_by("queued_at", "pk")]
    return [read_message(open_envelope(envelope.encode()).payload) for envelope in envelopes]


def lead_destroys(office: Fixture) -> tuple[Bound, FakePeer, str]:
    """A lead shared an extract with another office's instance, and destroys what it came from."""
    house = begin(office, LEAD, export=True)
    other = office.peer("Other Office", Profile.OFFICE)
    reviews.invite_office(house.story.officer, house.review, peer="Other Office")
    (asked,) = sent_to(other, "consultation.asked")
    engagement.withdraw_act(house.story.officer, house.act)
    with scoped(SYSTEM):
        Custody.objects.filter(act_id=house.act).update(due_at=office.clock.now())
    custody.advance(house.act)
    run_due()
    return house, other, asked.body["consultation"]


def certificate(house: Bound, other: FakePeer, name: str, **changes: Any) -> dict[str, Any]:
    document = rules.certificate(
        house.story.office.here.pack,
        act=house.act,
        office=other.keys.public.keyid,
        shared_by=house.story.office.here.keys.public.keyid,
        keys=["key-1"],
        material=rules.listed([rules.Material("extract", name, digest(b"x"))]),
        ordered_by="the lead",
        method=METHOD,
        now=house.story.office.clock.now(),
    )
    return {
        "consultation": name,
        "number": 1,
        "certificate": document,
        "digest": digest(canonical(document)),
        "signature": rules.sign_certificate(document, other.keys),
        **changes,
    }


def test_the_lead_asks_and_shows_both_sides_who_has_not_certified(office: Fixture) -> None:
    house, other, name = lead_destroys(office)
    (asked,) = sent_to(other, "consultation.destruction-asked")
    assert (asked.body["consultation"], asked.body["number"]) == (name, 1)
    (told,) = house.story.lab.received("custody.copies-told")
    now = format_time(office.clock.now())
    assert told.body["copies"] == [{"office": "Other Office", "asked": now}]
    seen = custody_views.custody_view(house.story.officer, house.act)
    assert seen["copies"] == told.body["copies"]
    page = read(visitor(office, "reviewing-officer"), f"/custody/{house.act}/")
    assert "not certified" in page

    receipt = other.send("consultation.destroyed", certificate(house, other, name), thread="")
    assert receipt.state == "handled"
    assert other.send("consultation.destroyed", certificate(house, other, name), thread="").state, (
        "once more changes nothing"
    )
    told = max(
        house.story.lab.received("custody.copies-told"), key=lambda sent: sent.body["number"]
    )
    assert told.body["number"] == 2
    (copy,) = told.body["copies"]
    assert copy["destroyed"] == now
    assert copy["digest"] == certificate(house, other, name)["digest"]
    with scoped(SYSTEM):
        assert ReviewOffice.objects.get(consultation=name).certificate["act"] == house.act


@pytest.mark.parametrize("fault", ["signature", "digest", "act", "stranger"])
def test_a_certificate_that_does_not_hold_counts_for_nothing(office: Fixture, fault: str) -> None:
    house, other, name = lead_destroys(office)
    sender, body = other, certificate(house, other, name)
    if fault == "signature":
        body["signature"] = "0" * 128
    elif fault == "digest":
        body["digest"] = digest(b"another")
    elif fault == "act":
        body["certificate"] = {**body["certificate"], "act": new_id("act")}
        body["digest"] = digest(canonical(body["certificate"]))
    else:
        sender = office.peer("Third Office", Profile.OFFICE)
    assert sender.send("consultation.destroyed", body, thread="").state != "handled"
    seen = custody_views.custody_view(house.story.officer, house.act)
    assert "destroyed" not in seen["copies"][0]


@dataclass
class Guest:
    """An office that was asked for its view, and holds an extract."""

    office: Fixture
    lead: FakePeer
    name: str
    act: str

    def ask(self, number: int, **changes: Any) -> Any:
        body = {
            "consultation": self.name,
            "number": number,
            "kind": "determination-request",
            "model": "Orion",
            "lab": "Lab",
            "extract": {"samples": SECRET},
            "markings": {"samples": "TLP:RED"},
            "proposal": SECRET,
            "note": SECRET,
            "pack": "p@1",
            "pack_digest": "sha256:" + "0" * 64,
            **changes,
        }
        return self.lead.send("consultation.asked", body, thread=self.act, marking="TLP:RED")

    def destroy(self, number: int = 1, name: str = "") -> Any:
        body = {
            "consultation": name or self.name,
            "number": number,
            "asked": format_time(self.office.clock.now()),
        }
        receipt = self.lead.send("consultation.destruction-asked", body, thread=self.act)
        run_due()
        return receipt

    @property
    def row(self) -> Consultation:
        with scoped(SYSTEM):
            found: Consultation = Consultation.objects.get(id=self.name)
            return found


@pytest.fixture
def guest(office: Fixture) -> Guest:
    lead = office.peer("Lead", Profile.OFFICE)
    made = Guest(office, lead, new_id("consultation"), new_id("act"))
    made.ask(1)
    return made


def held() -> str:
    with connection.cursor() as cursor, scoped(SYSTEM):
        cursor.execute("SELECT extract, proposal, note, reasons FROM store_consultation")
        return str(cursor.fetchall())


def test_an_extract_is_sealed_here_and_goes_with_its_key(guest: Guest) -> None:
    officer = guest.office.person("reviewing-officer")
    consultations.answer(officer, guest.name, "no view", SECRET)
    assert SECRET not in held()
    assert held().count(PREFIX) == 4
    assert SECRET in str(consultations.consultation_view(officer, guest.name))
    assert guest.destroy().state == "handled"
    assert vault.find_key(guest.act) is None
    seen = consultations.consultation_view(officer, guest.name)
    assert SECRET not in str(seen)
    assert PREFIX not in held()
    assert seen["destroyed_at"]
    page = read(visitor(guest.office, "reviewing-officer"), f"/consultations/{guest.name}/")
    assert "The extract was destroyed here" in page
    assert "No portion that you may read" not in page
    with scoped(SYSTEM):
        asked = InMessage.objects.get(type="consultation.asked")
    assert asked.envelope == "", "nor can the message be read that brought it"
    (sent,) = sent_to(guest.lead, "consultation.destroyed")
    keys = guest.office.here.keys.public
    assert rules.certified(sent.body["certificate"], sent.body["signature"], keys)
    assert sent.body["certificate"]["shared_by"] == guest.lead.keys.public.keyid
    assert {row["kind"] for row in sent.body["certificate"]["material"]} >= {
        "message received",
        "consultation extract",
    }
    (answer,) = sent_to(guest.lead, "consultation.answered")
    assert answer.body["reasons"] == SECRET, "what the lead has still to get arrives"
    with pytest.raises(Refused, match="destroyed"):
        consultations.answer(officer, guest.name, "agrees")


def test_again_late_and_anew(guest: Guest) -> None:
    guest.destroy(number=2)
    assert guest.row.destroyed_at, "what is not here yet is meant, too"
    guest.destroy(number=2)
    assert len(sent_to(guest.lead, "consultation.destroyed")) == 1
    guest.ask(2)
    assert guest.row.extract == {}, "what comes late stays away"
    guest.ask(3)
    assert guest.row.extract == {"samples": SECRET}, "what is shared anew is another extract"
    guest.destroy(number=2)
    assert guest.row.extract == {"samples": SECRET}
    guest.destroy(number=3)
    assert guest.row.extract == {}
    assert len(sent_to(guest.lead, "consultation.destroyed")) == 2


def test_before_the_extract_itself_it_waits(office: Fixture) -> None:
    lead = office.peer("Lead", Profile.OFFICE)
    made = Guest(office, lead, new_id("consultation"), new_id("act"))
    assert made.destroy().state == "waiting"
    made.ask(1)
    run_due()
    assert made.row.destroyed_at


def test_nobody_has_anothers_material_destroyed(guest: Guest) -> None:
    stranger = guest.office.peer("Stranger", Profile.OFFICE)
    other = Guest(guest.office, stranger, new_id("consultation"), guest.act)
    assert other.ask(1).state == "set-aside", "the thread is another office's"
    other.name = guest.name
    assert other.destroy().state == "set-aside"
    assert guest.row.destruction_asked_at is None
    assert vault.find_key(guest.act)


def test_an_extract_is_kept_until_its_office_asks(guest: Guest) -> None:
    custody.advance(guest.act)
    assert guest.row.extract == {"samples": SECRET}
    with pytest.raises(NotFound):
        custody_views.custody_view(guest.office.person("reviewing-officer"), guest.act)


def test_the_lab_keeps_the_newest_list(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered()
    for number, destroyed in ((2, {"destroyed": "2027-01-01T00:00:00Z"}), (1, {})):
        copies = [{"office": "Other Office", "asked": "2026-12-31T00:00:00Z", **destroyed}]
        body = {"act": act_id, "number": number, "copies": copies}
        story.office.send("custody.copies-told", body, thread=act_id)
    (copy,) = custody_views.custody_view(story.lead, act_id)["copies"]
    assert copy["destroyed"] == "2027-01-01T00:00:00Z"
