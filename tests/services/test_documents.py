"""Documents leave a screen marked, stamped with their reader, and logged; or not at all."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader
from tests.services.flow import PERSON, LabStory, OfficeStory, events, signature

from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.markings import TLP, Marking
from vedette.services import documents, engagement, terms
from vedette.services.acceptance import accept_terms
from vedette.services.acting import Actor
from vedette.services.here import use
from vedette.services.testing import START, Fixture
from vedette.store.models import Act, Assessment, DocumentCopy, Person
from vedette.store.tenancy import SYSTEM, scoped

SECRET = Marking(TLP.RED, 3)
ASSESSED = {
    "format": "vedette-assessment/1/releasable",
    "run": "run-1",
    "suite": {"name": "parsers", "version": "2", "digest": "sha256:" + "a" * 64, "items": 3},
    "subjects": [
        {
            "name": "orion-1",
            "role": "assessed",
            "kind": "endpoint",
            "score": {"n": 3, "solved": 1, "estimate": "0.33", "low": "0.10", "high": "0.80"},
            "families": {},
            "used": {"calls": 4, "input_tokens": 9, "output_tokens": 9, "executions": 1},
            "seconds": "1.5",
        }
    ],
    "isolation": {"network": "none"},
    "trials": 1,
    "limits": ["Few items."],
    "commitment_digest": "sha256:" + "b" * 64,
    "result_digest": "sha256:" + "c" * 64,
    "made_at": "2026-12-01T09:00:00Z",
}


def person(fixture: Fixture, role: str, email: str = PERSON, clearance: str = "TLP:RED") -> Actor:
    """Somebody who really is on this instance."""
    with scoped(SYSTEM):
        known = Person.objects.filter(email=email).first()
        found: Any = known or Person.objects.create_user(email, "Eve", None)
    return replace(fixture.person(role), name="Eve", person=found.pk, clearance=clearance)


def assessed(fixture: Fixture, act: str | None, marking: str, document: Any = ASSESSED) -> str:
    with scoped(SYSTEM):
        row = Assessment(
            org_id=fixture.here.org,
            act=Act.objects.get(id=act) if act else None,
            document=document,
            digest=digest(canonical(document)),
            marking=marking,
            made_by="Office",
            made_at=START,
        )
        row.save(force_insert=True)
    return str(row.id)


def words(data: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def test_a_copy_names_its_reader_and_is_logged(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act = story.signed()
    reader = person(lab, "release-lead", "lee@lab.example")
    made = documents.take_copy(reader, "act", act)
    said = words(made.data)
    for word in (
        made.row.id,
        "lee@lab.example",
        format_time(lab.clock.now()),
        act,
        "Confidentiality",
    ):
        assert word.replace(" ", "") in said.replace(" ", "").replace("\n", "")
    assert "document:copy:taken" in events()
    assert documents.whose_copy(reader, made.row.id.upper()).address == "lee@lab.example"
    assert documents.whose_file(reader, made.data).id == made.row.id
    changed = made.data + b"\n% changed on the way"
    assert documents.whose_file(reader, changed).id == made.row.id, "by the code it says"
    assert documents.whose_copy(reader, made.row.digest).id == made.row.id
    for unknown in (new_id("copy"), "", "x"):
        with pytest.raises(NotFound, match="no copy"):
            documents.whose_copy(reader, unknown)


def test_two_renderings_have_two_codes(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act = story.offered()
    first, second = (documents.take_copy(story.lead, "act", act, "json") for _ in range(2))
    assert first.row.id != second.row.id
    assert first.row.edition_digest == second.row.edition_digest
    assert len(documents.copies(story.lead, act)) == 2
    assert documents.copies(story.lead, "act-other") == []


def test_a_copy_signs_for_where_it_comes_from(lab: Fixture) -> None:
    story = LabStory.start(lab)
    made = documents.take_copy(story.lead, "act", story.offered(), "json")
    whole = json.loads(made.data)
    said = dict(whole["statement"])
    signature = bytes.fromhex(said.pop("signature"))
    keys = lab.here.keys.public
    assert keys.verify(signature, documents.CONTEXT + canonical(said))
    assert not keys.verify(
        signature, documents.CONTEXT + canonical({**said, "marking": "TLP:CLEAR"})
    )
    assert said["edition"] == digest(canonical(whole["document"]))
    assert said["copy"] == made.row.id


def test_what_the_reader_may_not_read_is_left_out(lab: Fixture) -> None:
    story = LabStory.start(lab)
    found = assessed(lab, story.offered(), "TLP:AMBER")
    low = replace(story.lead, clearance="TLP:GREEN")
    edition, _ = documents.read_document(low, "assessment", found)
    assert edition.left_out
    assert "orion-1" not in json.dumps(edition.to_json())
    assert edition.made_from == ""
    whole, _ = documents.read_document(story.lead, "assessment", found)
    assert "orion-1" in json.dumps(whole.to_json())
    assert str(whole.marking) == "TLP:AMBER"


def test_a_form_that_nobody_knows_stands_as_it_came(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act = story.offered()
    for odd in ({"subjects": 7}, {}, {"subjects": [{"role": "x", "name": 1, "score": None}]}):
        found = assessed(lab, act, "TLP:AMBER", odd)
        edition, _ = documents.read_document(story.lead, "assessment", found)
        assert edition.title == "Assessment"


@pytest.mark.parametrize("export", [False, True])
def test_terms_say_whether_a_copy_may_be_taken(office: Fixture, export: bool) -> None:
    story = OfficeStory.start(office)
    act = story.offer()
    engagement.answer_act(story.officer, act, "accepted")
    terms_of = replace(story.document(act), export=export)
    story.lab.send("terms.signed", signature(terms_of, story.lab.keys), thread=act)
    terms.sign_terms(story.officer, act)
    found = assessed(office, act, "TLP:AMBER")
    eve = person(office, "evaluator")
    with pytest.raises(Refused, match="not accepted"):
        documents.read_document(eve, "assessment", found)
    accept_terms(eve, act)
    _, stamp = documents.read_document(eve, "assessment", found)
    assert stamp is not None
    assert PERSON in stamp.line
    if export:
        assert documents.take_copy(eve, "assessment", found).data.startswith(b"%PDF")
    else:
        for kind, object_id in (("assessment", found), ("act", act)):
            with pytest.raises(Refused, match="export"):
                documents.take_copy(eve, kind, object_id)
        assert "document:copy:taken" not in events()
    mal = person(office, "evaluator", "mal@office.example")
    with pytest.raises(Refused, match="does not name you"):
        documents.read_document(mal, "assessment", found)
    with pytest.raises(Refused, match="does not name you"):
        documents.take_copy(mal, "assessment", found)


def test_terms_without_watermark_leave_the_pages_plain(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act = story.offer()
    engagement.answer_act(story.officer, act, "accepted")
    plain = replace(story.document(act), export=True, watermark=False)
    story.lab.send("terms.signed", signature(plain, story.lab.keys), thread=act)
    eve = person(office, "evaluator")
    assert documents.read_document(eve, "act", act)[1] is not None, "until terms say otherwise"
    terms.sign_terms(story.officer, act)
    assert documents.read_document(eve, "act", act)[1] is None
    made = documents.take_copy(eve, "act", act)
    first = PdfReader(io.BytesIO(made.data)).pages[0].extract_text()
    assert PERSON not in first.splitlines()[0]
    assert made.row.id in words(made.data), "its code stands at its end all the same"


def test_a_classified_document_names_its_authority_or_is_not_made(office: Fixture) -> None:
    found = assessed(office, None, str(SECRET))
    officer = replace(office.person("reviewing-officer"), clearance=str(SECRET))
    raised = replace(office.here, ceiling=SECRET)
    with use(raised), pytest.raises(Refused, match="classified_by"):
        documents.read_document(officer, "assessment", found)
    with use(replace(raised, classified_by="A. Officer, Chief")):
        edition, _ = documents.read_document(officer, "assessment", found)
        assert edition.banner == "SECRET//TLP:RED"
        assert edition.block is not None
        lines = dict(edition.block.lines)
        assert lines["Classified By"] == "A. Officer, Chief, test office"
        assert lines["Derived From"] == f"Assessment {found}, Office, dated 2026-12-01"
        assert lines["Declassify On"] == "20511201"
        said = words(documents.take_copy(officer, "assessment", found).data)
        assert "SECRET//TLP:RED" in said
        assert "20511201" in said


@pytest.mark.parametrize("kind", ["act", "assessment", "determination"])
def test_who_may_not_read_it_takes_no_copy(office: Fixture, kind: str) -> None:
    for call in (documents.read_document, documents.take_copy):
        with pytest.raises(NotFound):
            call(office.person("reader"), kind, new_id(kind))
        with pytest.raises(Forbidden):
            call(office.person("auditor"), kind, new_id(kind))
    with pytest.raises(Forbidden):
        documents.whose_copy(office.person("evaluator"), new_id("copy"))
    with pytest.raises(BadInput, match="none of"):
        documents.take_copy(office.person("reader"), kind, new_id(kind), "docx")
    with pytest.raises(NotFound):
        documents.read_document(office.person("reader"), "plan", "plan-1")
    with scoped(SYSTEM):
        assert not DocumentCopy.objects.exists()


def test_another_organisation_sees_neither_document_nor_copy(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act = story.offered()
    made = documents.take_copy(story.lead, "act", act, "json")
    other = lab.person("administrator", lab.organisation("Elsewhere", "finder").id)
    with pytest.raises(NotFound):
        documents.read_document(other, "act", act)
    with pytest.raises(NotFound):
        documents.whose_copy(other, made.row.id)


def test_the_check_names_a_missing_authority(office: Fixture) -> None:
    from vedette.site.checking import _marking

    assert _marking() == []
    raised = replace(office.here, ceiling=SECRET)
    with use(raised):
        assert "classified_by" in _marking()[0].next_step
    with use(replace(raised, classified_by="A. Officer, Chief")):
        assert _marking() == []
