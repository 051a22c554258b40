"""Determinations on a review and a build: who holds what, what is sealed, re-tested, overtaken."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from tests.services.test_reviews import DOSSIER, House, house, set_ceiling  # noqa: F401 - a fixture
from tests.web.visitors import read, send, visitor

from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.services import assessments, reviews, runs
from vedette.services.determination_bases import basis_view
from vedette.services.testing import Fixture
from vedette.store.models import Assessment, Determination
from vedette.store.tenancy import SYSTEM, scoped

WORDS = {"maker": "Director", "why": "Read beside the dossier."}


def on_review(house: House, **more: str) -> str:  # noqa: F811
    given = {"outcome": "insufficient evidence", "review": house.review, **WORDS, **more}
    return str(
        assessments.record_determination(
            house.lead, "", subject="", threshold="", consulted=(), **given
        ).id
    )


def test_one_without_a_window_or_a_run(house: House) -> None:  # noqa: F811
    reviews.propose(house.lead, house.review, "The evidence is insufficient.")
    reviews.give_view(house.cyber, house.review, "agrees")
    reviews.give_view(house.treasury, house.review, "disagrees", "Reasons of our own.")
    with pytest.raises(BadInput, match="outcome"):
        on_review(house, outcome="")
    with pytest.raises(BadInput, match="review"):
        on_review(house, review="")
    made = on_review(house, build="checkpoint 7")
    sent = house.story.lab.received("determination.shared")[-1]
    document = sent.body["document"]
    assert {c["office"]: c["view"] for c in document["consulted"]} == {
        "Cyber Director": "agrees",
        "Treasury": "disagrees",
    }
    assert (document["maker"], document["build"]) == ("Director", "checkpoint 7")
    assert "Reasons of our own" not in json.dumps(document), "what an office gave as reasons stays"
    assert "review" not in document
    assert basis_view(house.lead, made)["earlier_state"] == []
    assert house.view(house.lead)["act_state"] == "accepted", "the request has a life of its own"


def test_it_says_when_its_state_is_an_earlier_one(house: House) -> None:  # noqa: F811
    reviews.propose(house.lead, house.review, "It does not meet it.")
    made = on_review(house)
    reviews.give_view(house.cyber, house.review, "disagrees")
    assert basis_view(house.lead, made)["earlier_state"] == [
        "The review that it rests on has gone on."
    ]
    again = on_review(house, earlier=made, build="checkpoint 8")
    seen = basis_view(house.lead, again)
    assert (seen["earlier"], seen["earlier_state"]) == (made, [])
    assert seen["comparison"] == {"why": "one of the two rests on no run"}
    assert basis_view(house.lead, made)["retests"] == [again], "the earlier one stays"
    sent = {m.body["determination"]: m for m in house.story.lab.received("determination.shared")}
    told = sent[again].body["document"]
    assert told["earlier"] == made
    assert told["changed"] == ["another build: checkpoint 8", "another state of the review"]


def test_a_view_marked_above_the_record_stays_out_of_it(house: House) -> None:  # noqa: F811
    set_ceiling(house, "SECRET//TLP:RED")
    reviews.propose(house.lead, house.review, "It meets it.")
    high = replace(house.cyber, clearance="SECRET//TLP:RED")
    reviews.give_view(high, house.review, "disagrees", "A secret reason.", "SECRET//TLP:RED")
    on_review(house)
    document = house.story.lab.received("determination.shared")[-1].body["document"]
    assert document["consulted"][0]["office"] == "Cyber Director"
    assert "disagrees" not in json.dumps(document)
    with scoped(SYSTEM):
        assert "A secret reason" not in json.dumps(Determination.objects.get().document)


def test_a_dossier_sent_anew_shows_too(house: House) -> None:  # noqa: F811
    made = on_review(house)
    body = {
        "act": house.act,
        "number": 1,
        "dossier": {**DOSSIER, "legal-entity": "Orion Ltd"},
        "withheld": {},
        "pack": "p@1",
        "pack_digest": "sha256:" + "0" * 64,
    }
    house.story.lab.send("dossier.updated", body, thread=house.act, marking="TLP:RED")
    assert basis_view(house.lead, made)["earlier_state"]


def test_who_may(house: House) -> None:  # noqa: F811
    made = on_review(house)
    with pytest.raises(Forbidden):
        basis_view(house.cyber, made)
    with pytest.raises(NotFound):
        basis_view(house.story.office.person("administrator", house.cyber.org), made)
    with pytest.raises(NotFound):
        on_review(house, earlier="determination-2222222222222222")


def assessed(office: Fixture, seed: int, references: list[str]) -> Assessment:
    evaluator = office.person("evaluator")
    run = runs.start_run(evaluator, "daemons", references=references, seed=seed)
    runs.carry_out(run.id)
    return assessments.make_assessment(evaluator, run.id)


@pytest.mark.any_database
def test_margins_are_sealed_and_a_retest_compares_in_pairs(office: Fixture) -> None:
    officer = office.person("reviewing-officer")
    first, second = (assessed(office, seed, ["null", "oracle"]) for seed in (1, 2))
    made = assessments.record_determination(
        officer, first.id, subject="oracle", threshold="0.05", build="b1", **WORDS
    )
    low, high = assessments.open_margins(officer, made.id)
    assert low not in json.dumps(made.document)
    assert high not in json.dumps(made.document)
    assert made.document["uncertainty"]["n"] > 1
    assert "threshold" in made.document["margin"]
    with pytest.raises(Forbidden):
        assessments.open_margins(office.person("evaluator"), made.id)

    client, colleague = (visitor(office, "reviewing-officer") for _ in range(2))
    at = f"/determinations/{made.id}/"
    assert "Open the sealed threshold" in read(client, at)
    assert "Open the sealed threshold" not in read(visitor(office, "evaluator"), at)
    assert send(client, f"{at}threshold/", why="an inspector asks") == "/seconds/"
    (found,) = re.findall(r"/seconds/(second-\w+)/do/", read(colleague, "/seconds/"))
    send(colleague, f"/seconds/{found}/do/")
    opened = json.loads(read(client, f"/seconds/{found}/given/"))
    assert opened["threshold"] == "0.05"
    assert opened["digest"] == made.document["threshold_digest"]

    again = assessments.record_determination(
        officer,
        second.id,
        subject="null",
        threshold="0.05",
        build="b2",
        earlier=made.id,
        outcome="does not meet",
        **WORDS,
    )
    seen = basis_view(officer, again.id)["comparison"]
    assert (seen["before"], seen["items"]) == ("1.0000", made.document["uncertainty"]["n"])
    assert again.document["changed"] == ["another assessment", "another build: b2"]
