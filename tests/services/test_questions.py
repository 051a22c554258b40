"""Questions on a field and consultations: both sides, any order, and nothing depends on them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.services.flow import MODEL, LabStory, act_of, events
from tests.services.test_reviews import House, house  # noqa: F401 - a fixture

import vedette
from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import consultations, questions, readiness, reviews
from vedette.services.testing import Fixture
from vedette.store.models import Question, ReviewOffice
from vedette.store.tenancy import SYSTEM, scoped

SOURCE = Path(vedette.__file__).parent


def row(question_id: str) -> Question:
    with scoped(SYSTEM):
        return Question.objects.get(id=question_id)


def test_an_office_asks_and_answers_come_in_any_order(house: House) -> None:  # noqa: F811
    made = questions.ask(house.lead, house.act, "scores", "Which elicitation?")
    sent = house.story.lab.received("question.asked")[-1].body
    assert (sent["question"], sent["field"]) == (made.id, "scores")
    lab = house.story.lab
    later = {"question": made.id, "number": 2, "answer": "answered", "text": "Full effort."}
    lab.send("question.answered", later, thread=house.act)
    lab.send(
        "question.answered",
        {"question": made.id, "number": 1, "answer": "left"},
        thread=house.act,
    )
    found = row(made.id)
    assert (found.state, found.answer) == ("answered", "Full effort.")
    again = questions.ask(house.lead, house.act, "scores", "And the seeds?", follows=made.id)
    assert row(again.id).follows == made.id
    with pytest.raises(BadInput, match="no field"):
        questions.ask(house.lead, house.act, "no-such-field", "x")
    with pytest.raises(NotFound):
        questions.ask(house.cyber, house.act, "scores", "x")
    assert act_of(house.act).state == "accepted"


def test_the_lab_answers_declines_or_leaves_and_its_plan_is_untouched(lab: Fixture) -> None:
    story = LabStory.start(lab)
    plan = story.planned()
    before = readiness.plan(story.lead, plan)
    act, asked = story.offered(), [new_id("question") for _ in range(3)]
    for question in asked:
        body = {"question": question, "act": act, "field": "scores", "text": "Which?"}
        body["wished_for"] = "2026-12-02T09:00:00Z"
        story.office.send("question.asked", body, thread=act)
    questions.answer(story.lead, asked[0], "answered", "These.")
    questions.answer(story.lead, asked[1], "declined")
    questions.answer(story.lead, asked[2], "left")
    questions.answer(story.lead, asked[1], "answered", "After all.")
    said = [m.body for m in story.office.received("question.answered")]
    assert {(b["question"], b["answer"]) for b in said} >= {
        (asked[1], "declined"),
        (asked[1], "answered"),
        (asked[2], "left"),
    }
    assert readiness.plan(story.lead, plan) == before
    assert act_of(act).state == "offered"
    with pytest.raises(Forbidden):
        questions.answer(lab.person("compliance"), asked[2], "left")
    with pytest.raises(NotFound):
        questions.answer(story.lead, "question-2222222222222222", "left")


def test_nothing_in_act_window_or_plan_reads_a_question() -> None:
    """No module of the acts imports what keeps questions, and none of them schedules a job."""
    keeping = SOURCE / "services" / "questions.py"
    assert "schedule" not in keeping.read_text("utf-8")
    assert "wished_for <" not in keeping.read_text("utf-8")
    for name in ("engagement", "windows", "terms", "access", "readiness", "acts", "offers"):
        path = SOURCE / "services" / f"{name}.py"
        names = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert not names & {"questions", "Question", "reviews", "Review"}, name


def test_an_office_with_an_instance_of_its_own(house: House) -> None:  # noqa: F811
    other = house.story.office.peer("Other Office", Profile.OFFICE)
    reviews.invite_office(
        house.lead, house.review, peer="Other Office", fields=["legal-entity", "scores"]
    )
    reviews.propose(house.lead, house.review, "It meets it.")
    asked = {m.body["number"]: m for m in other.received("consultation.asked")}
    assert sorted(asked) == [1, 2], "asked anew with the text"
    assert set(asked[2].body["extract"]) == {"legal-entity"}, "what is shared and came"
    assert set(asked[2].body["markings"]) == {"legal-entity"}
    body = {
        "consultation": asked[1].body["consultation"],
        "number": 2,
        "answer": "disagrees",
        "reasons": "No.",
        "answered": "2026-12-02T09:00:00Z",
    }
    other.send("consultation.answered", body, thread="", marking="TLP:AMBER+STRICT")
    other.send("consultation.answered", {**body, "number": 1, "answer": "agrees"}, thread="")
    seen = house.view(house.lead)
    assert [(v["office"], v["earlier"]) for v in seen["disagreement"]] == [
        (v["office"], True) for v in seen["standing"]
    ]
    with scoped(SYSTEM):
        place = ReviewOffice.objects.exclude(peer=None).get()
    assert (place.state, place.answered) == ("taking part", 2)
    assert "engagement:consultation:asked" in events()


def test_the_office_asked_sees_its_portions(office: Fixture) -> None:
    lead, name = office.peer("Lead", Profile.OFFICE), new_id("consultation")
    body = {
        "consultation": name,
        "number": 2,
        "kind": "determination-request",
        "model": MODEL,
        "lab": "Lab",
        "extract": {"samples": "red one"},
        "markings": {"samples": "TLP:RED"},
        "proposal": "It meets it.",
        "pack": "p@1",
        "pack_digest": "sha256:" + "0" * 64,
    }
    lead.send("consultation.asked", body, thread=name, marking="TLP:RED")
    lead.send(
        "consultation.asked", {**body, "number": 1, "proposal": "old"}, thread=name,
        marking="TLP:RED",
    )  # fmt: skip
    officer = office.person("reviewing-officer")
    assert consultations.consultation_view(officer, name)["proposal"] == "It meets it."
    from dataclasses import replace

    low = replace(officer, clearance="TLP:AMBER+STRICT")
    assert consultations.consultation_view(low, name)["portions"] == []
    consultations.answer(officer, name, "no view")
    consultations.answer(officer, name, "agrees", marking="TLP:AMBER")
    assert {m.body["number"] for m in lead.received("consultation.answered")} == {1, 2}
    wrong = {**body, "consultation": new_id("consultation"), "markings": {}}
    lead.send("consultation.asked", wrong, thread="", marking="TLP:RED")
    with pytest.raises(NotFound):
        consultations.consultation_view(officer, wrong["consultation"])
