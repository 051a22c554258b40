"""Custody on both sides: due by the clock, held by either side, destroyed, certified, told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.services.flow import CLOSES, OPENS, LabStory, OfficeStory, act_of, events, move, run_due

from vedette.engagement import custody as rules
from vedette.exchange.envelope import open_envelope, read_message
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.sealing import destroy
from vedette.services import custody, custody_views, engagement, holds, two_person, vault
from vedette.services.acting import Actor, member
from vedette.services.testing import Fixture
from vedette.store.models import Act, Custody, InMessage, OutMessage, Run, Seconding
from vedette.store.tenancy import SYSTEM, scoped

DUE = CLOSES + timedelta(days=30)


@pytest.fixture
def story(office: Fixture) -> OfficeStory:
    return OfficeStory.start(office)


def colleague(story: OfficeStory) -> Actor:
    return member(story.office.here.org, "a colleague", "reviewing-officer", host=True)


def record(act_id: str) -> Custody:
    with scoped(SYSTEM):
        return Custody.objects.get(act_id=act_id)


def shared(story: OfficeStory, **changes: Any) -> str:
    return story.offer(note="what the lab said", dossier={"model-name": "Orion"}, **changes)


def signed(story: OfficeStory) -> str:
    act_id = story.signed()
    with scoped(SYSTEM):
        Run(
            org_id=story.office.here.org,
            act_id=act_id,
            suite="smoke",
            suite_digest=digest(b""),
            state="finished",
            result={"said": "by the model"},
            committed_at=story.office.clock.now(),
        ).save(force_insert=True)
    return act_id


def closed(story: OfficeStory) -> str:
    act_id = signed(story)
    move(story.office, OPENS)
    move(story.office, CLOSES)
    return act_id


def test_a_window_falls_due_and_is_destroyed_by_the_clock(story: OfficeStory) -> None:
    act_id = closed(story)
    assert record(act_id).due_at == DUE
    move(story.office, DUE - timedelta(seconds=1))
    assert record(act_id).state == "held"
    assert vault.find_key(act_id)
    move(story.office, DUE)
    run_due()
    made = record(act_id)
    assert made.state == "destroyed"
    assert vault.find_key(act_id) is None
    (sent,) = story.lab.received("custody.destroyed")
    keys = story.office.here.keys.public
    assert rules.certified(sent.body["certificate"], sent.body["signature"], keys)
    counts = sent.body["certificate"]["counts"]
    assert counts["message received"] == 2
    assert counts["run result"] == 1
    assert made.certificate == sent.body["certificate"]
    with scoped(SYSTEM):
        assert Run.objects.get(act_id=act_id).result == {}
        assert all(m.envelope == "" for m in InMessage.objects.filter(thread=act_id))
    assert events().count("custody:material:destroyed") == 1
    custody.advance(act_id)
    custody.destroy_key(act_id)
    assert len(story.lab.received("custody.destroyed")) == 1


def test_a_break_between_key_and_certificate_is_gone_on_with(story: OfficeStory) -> None:
    act_id = closed(story)
    story.office.clock.time = DUE
    custody.advance(act_id)
    assert record(act_id).state == "destroying"
    assert custody_views.custody_view(story.officer, act_id)["may_hold"]
    destroy(vault.key_file(act_id))  # and here the power went
    custody.destroy_key(act_id)
    assert record(act_id).state == "destroyed"
    assert not custody_views.custody_view(story.officer, act_id)["may_hold"], "nothing is left"
    assert len(story.lab.received("custody.destroyed")) == 1


def test_the_offices_hold_suspends_until_two_persons_lift_it(story: OfficeStory) -> None:
    act_id = closed(story)
    made = holds.set_hold(story.officer, act_id, "records", "44 U.S.C. 3301", "Records officer")
    (told,) = story.lab.received("custody.hold-set")
    assert told.body["basis"] == "44 U.S.C. 3301"
    move(story.office, DUE + timedelta(days=300))
    assert record(act_id).state == "due"
    assert vault.find_key(act_id)
    with pytest.raises(Refused, match="hold"):
        custody.destroy_material(story.officer, act_id)
    asked = holds.lift_hold(story.officer, made.id, "no longer needed")
    assert isinstance(asked, Seconding)
    with pytest.raises(Forbidden, match="nobody seconds"):
        two_person.second(story.officer, asked.id)
    with pytest.raises(Refused, match="waits"):
        holds.lift_hold(story.officer, made.id)
    assert not story.lab.received("custody.hold-lifted")
    two_person.second(colleague(story), asked.id)
    (lifted,) = story.lab.received("custody.hold-lifted")
    assert "seconded by a colleague" in lifted.body["lifted_by"]
    run_due()
    run_due()
    assert record(act_id).state == "destroyed"


def test_a_hold_with_an_end_ends_by_itself(story: OfficeStory) -> None:
    act_id = closed(story)
    until = DUE + timedelta(days=9)
    holds.set_hold(story.officer, act_id, "legal", "Case 1", "Counsel", until=until)
    move(story.office, DUE)
    assert record(act_id).state == "due"
    move(story.office, until)
    run_due()
    assert record(act_id).state == "destroyed"


def test_the_labs_hold_suspends_too_and_only_the_lab_lifts_it(story: OfficeStory) -> None:
    act_id = closed(story)
    hold = hold_message(act_id, story.office.clock.now())
    assert story.lab.send("custody.hold-set", hold, thread=act_id).status == "accepted"
    move(story.office, DUE)
    assert record(act_id).state == "due"
    with pytest.raises(Refused, match="the other side"):
        holds.lift_hold(story.officer, hold["hold"])
    lifting = {"act": act_id, "hold": hold["hold"], "lifted_by": "Lead"}
    story.lab.send("custody.hold-lifted", lifting, thread=act_id)
    run_due()
    run_due()
    assert record(act_id).state == "destroyed"


def hold_message(act_id: str, now: Any) -> dict[str, Any]:
    return {
        "act": act_id,
        "hold": new_id("hold"),
        "kind": "legal",
        "basis": "Case 2",
        "authority": "Counsel of the lab",
        "set_by": "Lead",
        "begins": format_time(now),
    }


def test_a_lifting_that_comes_first_waits_for_its_hold(story: OfficeStory) -> None:
    act_id = closed(story)
    hold = hold_message(act_id, story.office.clock.now())
    lifting = {"act": act_id, "hold": hold["hold"], "lifted_by": "Lead"}
    story.lab.send("custody.hold-lifted", lifting, thread=act_id)
    story.lab.send("custody.hold-set", hold, thread=act_id)
    with scoped(SYSTEM):
        (found,) = Act.objects.get(id=act_id).holds.all()
    assert found.lifted_at is not None


def test_early_destruction_needs_two(story: OfficeStory) -> None:
    act_id = shared(story)
    engagement.answer_act(story.officer, act_id, "declined")
    asked = custody.destroy_material(story.officer, act_id, "nothing came of it")
    assert isinstance(asked, Seconding)
    assert act_of(act_id).dossier == {"model-name": "Orion"}
    with pytest.raises(Forbidden):
        two_person.second(story.evaluator, asked.id)
    two_person.second(colleague(story), asked.id)
    run_due()
    assert record(act_id).state == "destroyed"
    assert act_of(act_id).dossier == {}
    assert "seconded by" in record(act_id).ordered_by


def test_a_proposal_lapses_or_is_taken_back_without_a_fault(story: OfficeStory) -> None:
    act_id = shared(story)
    asked = custody.destroy_material(story.officer, act_id)
    with pytest.raises(Forbidden):
        two_person.take_back(colleague(story), asked.id)
    assert two_person.take_back(story.officer, asked.id).state == "withdrawn"
    asked = custody.destroy_material(story.officer, act_id)
    move(story.office, story.office.clock.now() + timedelta(hours=72))
    with pytest.raises(Refused, match="lapsed"):
        two_person.second(colleague(story), asked.id)
    again = custody.destroy_material(story.officer, act_id)
    assert again.state == "waiting"
    assert not [name for name in events() if "fault" in name]


def test_the_instance_seconds_nothing_and_strangers_see_nothing(story: OfficeStory) -> None:
    from vedette.services.acting import instance_actor

    act_id = shared(story)
    asked = custody.destroy_material(story.officer, act_id)
    with pytest.raises(Forbidden):
        two_person.second(instance_actor(), asked.id)
    other = story.office.organisation("Elsewhere", "finder").id
    stranger = story.office.person("administrator", other)
    with pytest.raises(NotFound):
        two_person.second(stranger, asked.id)
    with pytest.raises(NotFound):
        custody.destroy_material(stranger, act_id)
    with pytest.raises(NotFound):
        holds.set_hold(stranger, act_id, "legal", "x", "y")
    with pytest.raises(Forbidden):
        custody.destroy_material(story.office.person("reader"), act_id)
    assert two_person.proposals(story.office.person("reader")) == []


def test_what_the_lab_has_still_to_get_survives(story: OfficeStory) -> None:
    act_id = shared(story)
    engagement.answer_act(story.officer, act_id, "declined", "our own words")
    asked = custody.destroy_material(story.officer, act_id)
    two_person.second(colleague(story), asked.id)
    run_due()
    assert vault.find_key(act_id) is None
    (answer,) = story.lab.received("engagement.answered")
    assert answer.body["reason"] == "our own words"


def test_a_delivered_message_reads_no_more(story: OfficeStory) -> None:
    act_id = shared(story)
    engagement.answer_act(story.officer, act_id, "declined")
    with scoped(SYSTEM):
        sent = OutMessage.objects.get(type="engagement.answered")
        assert read_message(open_envelope(sent.envelope.encode()).payload).thread == act_id
        OutMessage.objects.filter(id=sent.id).update(state="delivered")
    asked = custody.destroy_material(story.officer, act_id)
    two_person.second(colleague(story), asked.id)
    run_due()
    with scoped(SYSTEM):
        assert OutMessage.objects.get(id=sent.id).envelope == ""


def test_what_comes_after_destruction_is_held_anew(story: OfficeStory) -> None:
    act_id = shared(story)
    engagement.answer_act(story.officer, act_id, "accepted")
    asked = custody.destroy_material(story.officer, act_id)
    two_person.second(colleague(story), asked.id)
    run_due()
    first = record(act_id).certificate["keys"]
    body = {"act": act_id, "reason": "said after it was over"}
    story.lab.send("engagement.withdrawn", body, thread=act_id)
    assert act_of(act_id).reason == "said after it was over"
    assert vault.find_key(act_id).id not in first  # type: ignore[union-attr]
    move(story.office, story.office.clock.now() + timedelta(days=31))
    run_due()
    made = record(act_id)
    assert made.state == "destroyed"
    assert made.certificate["keys"] != first
    assert act_of(act_id).reason == ""
    assert len(story.lab.received("custody.destroyed")) == 2


def test_a_refused_offers_material_goes_too(story: OfficeStory) -> None:
    stray = new_id("act")
    story.lab.send("engagement.offered", {"act": stray, "note": "x"}, thread=stray)
    assert vault.find_key(stray)
    move(story.office, story.office.clock.now() + timedelta(days=31))
    assert vault.find_key(stray) is None


def test_the_office_lists_what_it_holds(story: OfficeStory) -> None:
    act_id = signed(story)
    custody.list_material(story.officer, act_id)
    (sent,) = story.lab.received("custody.listed")
    assert sent.body["digest"] == digest(canonical(sent.body["list"]))
    with scoped(SYSTEM):
        came = set(InMessage.objects.filter(thread=act_id).values_list("digest", flat=True))
    rows = sent.body["list"]["material"]
    assert {r["digest"] for r in rows if r["kind"] == "message received"} == came


def certificate_for(story: LabStory, act_id: str) -> dict[str, Any]:
    document = rules.certificate(
        story.lab.here.pack,
        act=act_id,
        lab=story.lab.here.keys.public.keyid,
        office=story.office.keys.public.keyid,
        keys=["key-x"],
        material=rules.listed([]),
        ordered_by="the clock",
        method="m",
        now=story.lab.clock.now(),
    )
    return {
        "act": act_id,
        "certificate": document,
        "digest": digest(canonical(document)),
        "signature": rules.sign_certificate(document, story.office.keys),
    }


def test_the_lab_keeps_the_certificate_and_its_hold(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    made = holds.set_hold(story.lead, act_id, "legal", "Case 3", "Counsel")
    assert [m.body["hold"] for m in story.office.received("custody.hold-set")] == [made.id]
    lifted = holds.lift_hold(story.lead, made.id)
    assert lifted.lifted_at is not None
    body = certificate_for(story, act_id)
    forged = {**body, "signature": "ab" * 64}
    story.office.send("custody.destroyed", forged, thread=act_id)
    with scoped(SYSTEM):
        assert InMessage.objects.filter(state="set-aside").count() == 1
        assert Custody.objects.filter(act_id=act_id, state="destroyed").count() == 0
    for _ in range(2):
        story.office.send("custody.destroyed", body, thread=act_id)
    assert record(act_id).state == "destroyed"
    assert record(act_id).digest == body["digest"]
    assert events().count("custody:material:destroyed") == 1


def test_a_lab_destroys_nothing_and_keeps_its_material_open(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered(text="our note")
    with pytest.raises(NotFound):
        custody.destroy_material(lab.person("administrator"), act_id)
    assert vault.find_key(act_id) is None
    move(lab, CLOSES + timedelta(days=400))
    assert act_of(act_id).note == "our note"
