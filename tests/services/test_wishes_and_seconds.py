"""Two persons name another; a lab asks for destruction; the order of a finding and its scan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations, product
from typing import Any

import pytest
from tests.services.flow import LabStory, OfficeStory, act_of, events, run_due, signature
from tests.services.test_scans import body as scan_body

from vedette.engagement import terms as rules
from vedette.engagement.terms import Terms as Document
from vedette.kernel.errors import Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import custody, custody_views, holds, terms, two_person
from vedette.services.testing import Fixture
from vedette.store.models import Custody, Finding, ScanFinding, Seconding, Terms
from vedette.store.tenancy import SYSTEM, scoped

BO = {"id": "bo@office.example", "name": "Bo"}


def in_force(act_id: str) -> list[str]:
    with scoped(SYSTEM):
        made = Terms.objects.filter(act_id=act_id, state="agreed").get()
        return [person["id"] for person in made.document["people"]]


def waiting() -> list[Seconding]:
    with scoped(SYSTEM):
        return list(Seconding.objects.filter(state="waiting"))


def from_the_lab(story: OfficeStory, act_id: str, *people: str) -> str:
    """The lab proposes version 2 with these people; its digest."""
    with scoped(SYSTEM):
        old = Document.from_json(Terms.objects.get(act_id=act_id, number=1).document)
    new = replace(old, version=2, people=tuple(rules.Person(p, "A name") for p in people))
    sent = {**signature(new, story.lab.keys), "base": old.digest}
    story.lab.send("terms.proposed", sent, thread=act_id)
    return new.digest


@pytest.mark.parametrize(
    ("adds", "chosen", "by_lab"), list(product((False, True), (False, True), (False, True)))
)
def test_a_second_person_is_needed_exactly_to_name_another(
    office: Fixture, monkeypatch: pytest.MonkeyPatch, adds: bool, chosen: bool, by_lab: bool
) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    if not chosen:
        monkeypatch.setattr(two_person, "chosen", dict)
    people = [*in_force(act_id), *([BO["id"]] if adds else [])]
    if by_lab:
        digest = from_the_lab(story, act_id, *people)
        made: Any = terms.sign_terms(story.officer, act_id, digest=digest)
    else:
        named = [{"id": p, "name": "A name"} for p in people]
        made = terms.propose_terms(story.officer, act_id, people=named, publication="none")
    assert custody_views.waits(made) == (adds and chosen)
    assert len(waiting()) == int(adds and chosen)
    sent = story.lab.received("terms.signed" if by_lab else "terms.proposed")
    assert len(sent) == (1 if by_lab else 0) + int(not (adds and chosen)), "nothing crosses before"


def test_whoever_seconds_is_another_and_both_stand_in_the_signature(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    digest = from_the_lab(story, act_id, *in_force(act_id), BO["id"])
    asked = terms.sign_terms(story.officer, act_id, digest=digest)
    assert BO["id"] in asked.why
    with pytest.raises(Forbidden, match="nobody seconds what they proposed"):
        two_person.second(story.officer, asked.id)
    with pytest.raises(Forbidden):
        two_person.second(story.evaluator, asked.id)
    assert BO["id"] not in in_force(act_id)
    other = office.named("ann@office.example", "reviewing-officer")
    _, made = two_person.second(other, asked.id)
    assert "seconded by ann@office.example" in made.office_signed_by
    assert BO["id"] in in_force(act_id)


def test_the_first_version_and_a_labs_own_hand_need_no_second(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    made = terms.propose_terms(story.lead, act_id, people=[BO])
    assert not custody_views.waits(made)


def test_a_lab_asks_and_the_office_follows_or_leaves_it(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.offer(note="what the lab said", dossier={"model-name": "Orion"})
    now = office.clock.now()
    wish = {"act": act_id, "asked": now.isoformat(), "asked_by": "Lee", "note": "We moved on."}
    older = {**wish, "asked": (now - timedelta(hours=1)).isoformat(), "note": "An older one."}
    for sent in (wish, older, wish):
        story.lab.send("custody.destruction-asked", sent, thread=act_id)
    seen = custody_views.custody_view(story.officer, act_id)
    assert (seen["asked_by"], seen["asked_note"]) == ("Lee", "We moved on."), "the latest counts"
    assert seen["state"] == "held", "nothing follows by itself"
    assert act_of(act_id).dossier == {"model-name": "Orion"}
    assert events().count("custody:destruction:asked") == 1
    held = holds.set_hold(story.officer, act_id, "records", "A law", "Counsel")
    with pytest.raises(Refused, match="a hold is in force"):
        custody.destroy_material(story.officer, act_id)
    other = office.named("ann@office.example", "reviewing-officer")
    two_person.second(other, holds.lift_hold(story.officer, held.id).id)
    asked = custody.destroy_material(story.officer, act_id, "the lab asks")
    two_person.second(other, asked.id)
    run_due()
    assert custody_views.custody_view(story.officer, act_id)["state"] == "destroyed"


def test_who_asks_for_destruction(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.signed()
    custody.ask_destruction(story.lead, act_id, "We moved on.")
    (sent,) = story.office.received("custody.destruction-asked")
    assert sent.body["note"] == "We moved on."
    assert custody_views.custody_view(story.lead, act_id)["may_ask"]
    with pytest.raises(Forbidden):
        custody.ask_destruction(lab.person("reader"), act_id)
    stranger = lab.person("administrator", lab.organisation("Elsewhere", "partner").id)
    with pytest.raises(NotFound):
        custody.ask_destruction(stranger, act_id)
    with scoped(SYSTEM):
        Custody.objects.filter(act_id=act_id).update(destroyed_at=lab.clock.now())
    with pytest.raises(Refused, match="destroyed already"):
        custody.ask_destruction(story.lead, act_id)


STEPS = ("scan", "finding", "other finding", "scan again")


@pytest.mark.parametrize("order", list(permutations(STEPS)))
def test_a_finding_keeps_its_scan_in_any_order(clearinghouse: Fixture, order: Any) -> None:
    lab = clearinghouse.peer("Lab", Profile.LAB)
    stranger = clearinghouse.peer("Stranger", Profile.LAB)
    declared = scan_body()
    found = {
        "finding": new_id("finding"),
        "title": "A flaw",
        "description": "What it is.",
        "product": "RegMap Gateway",
        "scan": declared["scan"],
    }
    steps = {
        "scan": lambda: lab.send("scan.declared", declared, thread=declared["scan"]),
        "scan again": lambda: lab.send("scan.declared", declared, thread=declared["scan"]),
        "finding": lambda: lab.send("finding.reported", found, thread=found["finding"]),
        "other finding": lambda: stranger.send(
            "finding.reported", {**found, "finding": new_id("finding")}, thread=""
        ),
    }
    for step in order:
        assert steps[step]().status == "accepted", step
    with scoped(SYSTEM):
        assert Finding.objects.count() == 2
        (link,) = ScanFinding.objects.select_related("finding")
        assert link.intent_id == declared["scan"]
        assert link.finding.peer_id == lab.keys.public.keyid, "another party's names it in vain"
