"""Declassification instructions of suites and offers, and what a derived block makes of them."""

from __future__ import annotations

import dataclasses

import pytest
from tests.services.flow import CLOSES, MODEL, OPENS, LabStory, OfficeStory, act_of

from vedette.bench.suites import find_suite
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.classification import Rules, declassify_on
from vedette.kernel.errors import BadInput
from vedette.kernel.ids import new_id
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Profile
from vedette.services import consultations, document_kinds, engagement
from vedette.services.acting import instance_actor, reading
from vedette.services.testing import START, Fixture
from vedette.store.models import Assessment, Determination, Run

SECRET = Marking.parse("SECRET//TLP:RED")


def test_an_offer_says_when_and_the_office_carries_it_on(office: Fixture) -> None:
    story = OfficeStory.start(office)
    for given, kept in (("20510101", "20510101"), ("Whenever we like", ""), (None, "")):
        act = story.offer(**({"declassify": given} if given else {}))
        with reading(instance_actor()):
            assert document_kinds.act_source(act_of(act)).declassify == kept


def test_a_lab_gives_a_day_or_an_instruction_of_the_pack(lab: Fixture) -> None:
    story = LabStory.start(lab)
    window = {"opens": OPENS, "closes": CLOSES, "purpose": "confirmation"}
    for wrong in ("Whenever we like", "20510231", "OADR"):
        with pytest.raises(BadInput, match="declassify: "):
            engagement.offer_act(
                story.lead, "Office", "access-window", MODEL, declassify=wrong, **window
            )
    story.offered(declassify=" 50X1-HUM ")
    (sent,) = story.office.received("engagement.offered")
    assert sent.body["declassify"] == "50X1-HUM"


@pytest.mark.parametrize(
    ("suite", "act", "whole"),
    [
        ("20400101", "20510101", "20510101"),
        ("20600101", "20510101", "20600101"),
        ("50X1-HUM", "20510101", "50X1-HUM"),
        ("20400101", "", "20511201"),
        ("", "20300101", "20511201"),
        ("20400101", "End of the access window", "20400101 or End of the access window,"),
    ],
)
def test_the_derived_block_takes_the_most_restrictive(
    office: Fixture, monkeypatch: pytest.MonkeyPatch, suite: str, act: str, whole: str
) -> None:
    story = OfficeStory.start(office)
    found = act_of(story.offer(**({"declassify": act} if act else {})))
    shipped = dataclasses.replace(find_suite("daemons"), marking=SECRET, declassify=suite)
    monkeypatch.setattr(document_kinds, "suite_of", lambda *_: shipped)
    with reading(instance_actor()):
        run = Run(suite="smoke", act=found, committed_at=START)
        of_suite = document_kinds._suite_source(run)
        assert of_suite is not None
        sources = [of_suite, dataclasses.replace(document_kinds.act_source(found), marking=SECRET)]
        said = declassify_on(sources, Rules.of(office.here.pack), START.date())
    assert said.startswith(whole)


def test_the_instruction_crosses_with_what_is_derived(office: Fixture) -> None:
    story = OfficeStory.start(office)
    found = act_of(story.offer(declassify="20510101"))
    with reading(instance_actor()):
        row = Assessment(
            org_id=office.here.org, act=found, run=Run(suite="none", act=found, marking=str(SECRET),
            committed_at=START), marking=str(SECRET), made_by="Officer", made_at=START,
        )  # fmt: skip
        # the run says nothing of its own, so that the pack's years count from its day
        assert document_kinds.derived_instruction(row) == "20511201"
        determination = Determination(act=found, assessment=row, marking=str(SECRET), made_at=START)
        (source,) = document_kinds.determination_sources(determination)
        assert source.declassify == "20511201"
        assert document_kinds.derived_instruction(determination) == "20511201"
        row.marking = "TLP:AMBER"
        assert document_kinds.derived_instruction(row) == ""


def test_a_lab_keeps_the_instruction_of_what_it_receives(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.offered()
    document = {"suite": {}, "subjects": []}
    body = {
        "assessment": new_id("assessment"),
        "act": act_id,
        "document": document,
        "digest": digest(canonical(document)),
        "declassify": "50X1-HUM",
    }
    assert story.office.send("assessment.shared", body, thread=act_id).state == "handled"
    with reading(instance_actor()):
        (source,) = document_kinds.sources_of(Assessment.objects.get())
    assert source.declassify == "50X1-HUM"


def test_an_extract_is_cited_with_its_instruction(office: Fixture) -> None:
    lead, name = office.peer("Lead", Profile.OFFICE), new_id("consultation")
    body = {
        "consultation": name,
        "number": 1,
        "kind": "determination-request",
        "model": MODEL,
        "lab": "Lab",
        "extract": {},
        "markings": {},
        "proposal": "",
        "source": "Act act-1, Lead and Lab",
        "declassify": "20510101",
        "pack": "p@1",
        "pack_digest": "sha256:" + "0" * 64,
    }
    lead.send("consultation.asked", body, thread=name, marking="TLP:RED")
    officer = office.person("reviewing-officer")
    source = consultations.consultation_source(officer, name)
    assert (source.cited, source.declassify) == ("Act act-1, Lead and Lab", "20510101")
