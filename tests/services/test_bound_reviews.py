"""Terms bind every reader of a lab's material, whichever office they are from; so do its seals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from django.db import connection
from tests.services.flow import OfficeStory, run_due, signature

from vedette.engagement import terms as rules
from vedette.kernel.canonical import digest
from vedette.kernel.errors import Forbidden, NotFound, Refused
from vedette.kernel.permissions import Profile
from vedette.kernel.sealing import PREFIX
from vedette.services import (
    acceptance,
    accounts,
    assessment_reports,
    assessments,
    attachment_views,
    consultations,
    custody,
    engagement,
    messages,
    questions,
    review_views,
    reviews,
    term_views,
    terms,
    worksheets,
)
from vedette.services.acting import Actor, instance_actor
from vedette.services.testing import Fixture
from vedette.store.models import Assessment, Attachment, Consultation, Custody, InMessage
from vedette.store.tenancy import SYSTEM, scoped

SECRET = "what the lab alone knows"
DOSSIER = {"legal-entity": SECRET, "model-version": "7.1"}
LEAD, CYBER, TREASURY = "lee@office.example", "cy@cyber.example", "tess@treasury.example"


@dataclass
class Bound:
    """A review of a window whose terms are signed: the lead's officer, and two other offices'."""

    story: OfficeStory
    act: str
    review: str
    lead: Actor
    cyber: Actor
    treasury: Actor

    def accept(self, actor: Actor) -> None:
        if actor.host:
            acceptance.accept_terms(actor, self.act)
        else:
            acceptance.accept_for_review(actor, self.review)


def of_office(office: Fixture, name: str, email: str) -> Actor:
    org = office.organisation(name, "office")
    code = accounts.invite(instance_actor(), email, "consulted-officer", org.id)
    found = accounts.actor_of(accounts.join(code, name, "correct horse battery"))
    assert found is not None
    return found


def begin(office: Fixture, *people: str, export: bool = False) -> Bound:
    story = OfficeStory.start(office)
    act = story.offer(dossier=DOSSIER)
    engagement.answer_act(story.officer, act, "accepted")
    document = replace(
        story.document(act), people=tuple(rules.Person(p, "A name") for p in people), export=export
    )
    story.lab.send("terms.signed", signature(document, story.lab.keys), thread=act)
    terms.sign_terms(story.officer, act)
    made = reviews.open_review(story.officer, act)
    cyber, treasury = (
        of_office(office, "Cyber Director", CYBER),
        of_office(office, "Treasury", TREASURY),
    )
    for actor in (cyber, treasury):
        reviews.invite_office(story.officer, made.id, office=actor.org)
    lead = office.named(LEAD, "reviewing-officer")
    return Bound(story, act, made.id, lead, cyber, treasury)


def reads(house: Bound, actor: Actor, *, on_page: bool = True) -> set[bool]:
    """Whether each way to the material shows it; they are of one mind, or the test fails."""
    ways: tuple[Callable[[], Any], ...] = (
        lambda: worksheets.worksheet_view(actor, house.review, on_page=on_page),
        lambda: review_views.field_view(actor, house.review, "legal-entity", on_page=on_page),
    )
    found = set()
    for way in ways:
        try:
            found.add(SECRET in str(way()))
        except Refused:
            found.add(False)
    seen = review_views.review_view(actor, house.review, on_page=on_page)
    found.add(any(c["text"] == "a comment" for c in seen["comments"]))
    found.add(bool(seen["proposal"]))
    found.add(not seen["withheld"])
    return found


CASES = list(product(("lead", "cyber"), (False, True), (False, True), (False, True)))


@pytest.mark.parametrize(("who", "named", "accepts", "struck"), CASES)
def test_one_reads_exactly_when_named_and_having_accepted(
    office: Fixture, who: str, named: bool, accepts: bool, struck: bool
) -> None:
    address = {"lead": LEAD, "cyber": CYBER}[who]
    house = begin(office, TREASURY, *([address] if named else []))
    actor: Actor = getattr(house, who)
    reviews.propose(house.story.officer, house.review, "a text")
    reviews.comment(house.story.officer, house.review, "a comment")
    if accepts and named:
        house.accept(actor)
    elif accepts:
        with pytest.raises(Forbidden, match="does not name you"):
            house.accept(actor)
    if struck and named:
        acceptance.strike_person(house.story.officer, house.act, address)
    assert reads(house, actor) == {named and accepts and not struck}
    assert reads(house, actor, on_page=False) == {False}, "export is off: a program takes nothing"


def test_who_is_not_bound_in_writes_nothing_and_still_moves(office: Fixture) -> None:
    house = begin(office, CYBER)
    with pytest.raises(Refused, match=f"/reviews/{house.review}/terms/"):
        pytest.fail(str(worksheets.worksheet_view(house.cyber, house.review, on_page=True)))
    for act in (
        lambda: reviews.comment(house.cyber, house.review, "x"),
        lambda: reviews.give_view(house.cyber, house.review, "agrees"),
        lambda: worksheets.check_fields(house.cyber, house.review, {"legal-entity": "seen"}),
        lambda: reviews.propose(house.lead, house.review, "x"),
    ):
        with pytest.raises(Refused, match=r"not accepted|does not name"):
            act()
    seen = review_views.review_view(house.cyber, house.review, on_page=True)
    assert (seen["works"], seen["waits_for_you"]) == (False, 1)
    assert reviews.move_place(house.cyber, house.review, "take-part").state == "taking part"
    assert reviews.move_place(house.treasury, house.review, "decline").state == "declined"


def test_acceptance_from_another_office_reaches_the_lab(office: Fixture) -> None:
    house = begin(office, CYBER, export=True)
    shown = term_views.terms_for_review(house.cyber, house.review)
    made = acceptance.accept_for_review(house.cyber, house.review, shown["digest"])
    assert acceptance.accept_for_review(house.cyber, house.review).pk == made.pk, "twice is once"
    (told,) = house.story.lab.received("terms.accepted")
    assert told.body["person"] == CYBER
    assert told.thread == house.act
    reviews.comment(house.cyber, house.review, "a comment")
    reviews.propose(house.story.officer, house.review, "a text")
    assert reads(house, house.cyber, on_page=False) == {True}
    with pytest.raises(NotFound):
        term_views.terms_for_review(house.treasury, house.review)
    stranger = office.person("consulted-officer", office.organisation("Elsewhere", "office").id)
    with pytest.raises(NotFound):
        acceptance.accept_for_review(stranger, house.review)
    with pytest.raises(Refused, match="another than you read"):
        acceptance.accept_for_review(house.cyber, house.review, digest(b"another"))


def test_questions_show_their_words_to_whom_the_terms_name(office: Fixture) -> None:
    house = begin(office, LEAD)
    asked = questions.ask(house.story.officer, house.act, "legal-entity", f"Is it {SECRET}?")
    body = {"question": asked.id, "number": 1, "answer": "answered", "text": SECRET}
    house.story.lab.send("question.answered", body, thread=house.act)
    before = questions.question_view(house.lead, asked.id, on_page=True)
    assert SECRET not in str(before)
    assert "not accepted" in before["withheld"]
    house.accept(house.lead)
    assert questions.question_view(house.lead, asked.id, on_page=True)["answer"] == SECRET
    assert SECRET not in str(questions.question_view(house.lead, asked.id)), "export is off"


def test_export_off_keeps_reports_files_and_programs_out(office: Fixture) -> None:
    house = begin(office, LEAD)
    house.accept(house.lead)
    now = office.clock.now()
    with scoped(SYSTEM):
        made = Assessment(
            org_id=office.here.org, act_id=house.act, document={"said": SECRET},
            digest=digest(b""), made_at=now,
        )  # fmt: skip
        made.save(force_insert=True)
        file = Attachment(
            org_id=office.here.org, peer_id=house.story.lab.keys.public.keyid, outgoing=False,
            about=house.act, name="x", size=1, digest=digest(b"x"), chunks=[digest(b"x")],
            state="here", made_at=now, marking="TLP:AMBER",
        )  # fmt: skip
        file.save(force_insert=True)
    with pytest.raises(Refused, match="no export"):
        assessment_reports.report(house.lead, made.id)
    with pytest.raises(Refused, match="no export"):
        attachment_views.open_attachment(house.lead, file.id)
    row, _ = assessments.assessment_view(house.lead, made.id)
    assert not assessments.leaves_pages(house.lead, row)
    for_programs = assessments.for_programs(house.lead, row)
    assert for_programs["document"] == {}
    assert "no export" in for_programs["withheld"]


def test_messages_of_the_act_are_read_under_its_terms(office: Fixture) -> None:
    house = begin(office, LEAD)
    with scoped(SYSTEM):
        rows = InMessage.objects.filter(thread=house.act)
        named = {row.type: row.message_id for row in rows}
    with pytest.raises(Refused, match="not accepted"):
        messages.message_view(house.lead, named["engagement.offered"])
    messages.message_view(house.lead, named["terms.signed"])
    house.accept(house.lead)
    found = messages.message_view(house.lead, named["engagement.offered"])
    assert found["message"].body["dossier"] == DOSSIER


def columns() -> list[str]:
    """What the database itself holds in the columns that people write in a review."""
    names = {
        "store_review": "proposals",
        "store_reviewcomment": "text",
        "store_reviewview": "reasons",
        "store_question": "text",
    }
    found = []
    with scoped(SYSTEM), connection.cursor() as cursor:
        for table, column in names.items():
            cursor.execute(f"SELECT {column} FROM {table}")
            found += [str(row[0]) for row in cursor.fetchall()]
    return found


def test_what_reviewers_write_is_sealed_and_goes_with_the_key(office: Fixture) -> None:
    house = begin(office, LEAD, CYBER)
    house.accept(house.cyber)
    reviews.propose(house.story.officer, house.review, f"1 {SECRET}", "TLP:RED")
    reviews.comment(house.cyber, house.review, f"2 {SECRET}", field="legal-entity")
    reviews.give_view(house.cyber, house.review, "disagrees", f"3 {SECRET}")
    questions.ask(house.story.officer, house.act, "legal-entity", f"4 {SECRET}")
    held = columns()
    assert len(held) == 4
    assert all(text.startswith(PREFIX) for text in held)
    seen = review_views.review_view(house.cyber, house.review, on_page=True)
    assert str(seen).count(SECRET) >= 3
    assert seen["disagreement"], "the view is on the text that stands"
    house.accept(house.lead)
    custody_row = custody.list_material(house.story.officer, house.act)
    kinds = set(custody_row.returned["counts"])
    assert {"reviewcomment text", "reviewview reasons", "review proposals"} <= kinds
    engagement.withdraw_act(house.story.officer, house.act)
    with scoped(SYSTEM):
        Custody.objects.filter(act_id=house.act).update(due_at=office.clock.now())
    custody.advance(house.act)
    run_due()
    gone = review_views.review_view(house.story.officer, house.review, on_page=True)
    assert SECRET not in str(gone)
    assert (gone["proposal"], gone["marking"]) == (None, "TLP:AMBER+STRICT")
    assert gone["whole_marking"] == "TLP:RED", "what it was marked stays"
    assert [c["text"] for c in gone["comments"]] == [""], "that somebody commented stays"
    assert [v["stand"] for v in gone["views"]] == ["disagrees"]


def test_an_extract_leaves_with_its_readers_or_not_at_all(office: Fixture) -> None:
    house = begin(office, LEAD, "ann@other.example", export=True)
    other = office.peer("Other Office", Profile.OFFICE)
    house.accept(house.lead)
    reviews.invite_office(house.story.officer, house.review, peer="Other Office")
    (asked,) = other.received("consultation.asked")
    assert asked.body["extract"]["legal-entity"] == SECRET
    assert asked.body["readers"] == [LEAD], "named, and having accepted"
    assert asked.thread == house.act, "so that it is sealed under the act's key"


def test_with_export_off_a_peer_is_asked_without_the_fields(office: Fixture) -> None:
    house = begin(office, LEAD)
    other = office.peer("Other Office", Profile.OFFICE)
    reviews.invite_office(house.story.officer, house.review, peer="Other Office", text="Hello")
    (asked,) = other.received("consultation.asked")
    assert asked.body["extract"] == {}
    assert asked.body["note"] == "Hello"


def test_the_office_asked_shows_an_extract_to_its_readers_alone(office: Fixture) -> None:
    house = begin(office, LEAD, export=True)
    house.accept(house.lead)
    other = office.peer("Other Office", Profile.OFFICE)
    reviews.invite_office(house.story.officer, house.review, peer="Other Office")
    (asked,) = other.received("consultation.asked")
    name = asked.body["consultation"]
    with scoped(SYSTEM):
        Consultation(
            id=name, org_id=office.here.org, peer_id=other.keys.public.keyid, state="asked",
            kind="access-window", model="m", extract=asked.body["extract"],
            markings=asked.body["markings"], readers=asked.body["readers"],
            marking="TLP:RED", asked_at=office.clock.now(),
        ).save(force_insert=True)  # fmt: skip
    assert SECRET in str(consultations.consultation_view(house.lead, name))
    bo = office.named("bo@office.example", "reviewing-officer")
    seen = consultations.consultation_view(bo, name)
    assert SECRET not in str(seen)
    assert "do not name you" in seen["withheld"]
