"""What waits for somebody on the overviews, and the pages of wishes, seconds and bound reviews."""

from __future__ import annotations

from dataclasses import replace

from django.test import Client
from tests.services.flow import PERSON, LabStory, OfficeStory
from tests.services.test_bound_reviews import CYBER, DOSSIER, SECRET
from tests.services.test_publications import MARK, TEXT, shown_to_lab
from tests.services.test_wishes_and_seconds import BO, from_the_lab
from tests.web.visitors import read, send, visitor

from vedette.engagement import terms as rules
from vedette.kernel.ids import new_id
from vedette.services import custody, engagement, publications, reviews, terms
from vedette.services.testing import Fixture


def test_the_offices_overview_says_what_waits(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act = story.signed()
    eve = visitor(office, "reviewing-officer", email=PERSON)
    page = read(eve, "/")
    assert f"/acts/{act}/terms/accept/" in page
    send(eve, f"/acts/{act}/terms/accept/", read="on")
    assert f"/acts/{act}/terms/accept/" not in read(eve, "/")
    digest = from_the_lab(story, act, PERSON, BO["id"])
    assert f"/acts/{act}/terms/versions/{digest}/" in read(eve, "/")
    at = f"/acts/{act}/terms/versions/{digest}/"
    assert send(eve, at, read="on", digest=digest) == "/seconds/"
    assert "Second, or leave" not in read(eve, "/"), "whoever proposed it does not second it"
    ann = visitor(office, "reviewing-officer")
    assert "Second, or leave: name another person" in read(ann, "/")
    made = publications.show_draft(story.officer, act, "summary", "Our summary", TEXT)
    about = {"publication": made.id, "marks": [MARK]}
    story.lab.send("publication.marked", about, thread=act)
    assert "marks in “Our summary”" in read(ann, "/")
    wish = {"act": act, "asked": "2026-12-01T09:00:00Z", "asked_by": "Lee", "note": "Please."}
    story.lab.send("custody.destruction-asked", wish, thread=act)
    assert "asks that what it shared" in read(ann, "/")
    assert "Asked by Lee" in read(ann, f"/custody/{act}/")
    reader = visitor(office, "reader")
    assert "Second, or leave" not in read(reader, "/")


def test_the_labs_overview_says_what_waits(lab: Fixture) -> None:
    story = LabStory.start(lab)
    story.planned()
    act = story.signed()
    lead = visitor(lab, "release-lead")
    assert "Look at the draft" not in read(lead, "/")
    shown_to_lab(story, act)
    question = {"question": new_id("question"), "act": act, "field": "suite", "text": "Which?"}
    story.office.send("question.asked", question, thread=act, marking="TLP:AMBER+STRICT")
    page = read(lead, "/")
    assert "Look at the draft “Summary”" in page
    assert f"/questions/{question['question']}/" in page
    send(lead, f"/questions/{question['question']}/", answer="left", text="")
    assert f"/questions/{question['question']}/" not in read(lead, "/")
    assert "Ask for early destruction" in read(lead, f"/custody/{act}/")
    send(lead, f"/custody/{act}/ask/", reason="We moved on.")
    assert len(story.office.received("custody.destruction-asked")) == 1
    assert visitor(lab, "reader").get(f"/custody/{act}/ask/").status_code == 403
    assert Client().get(f"/custody/{act}/ask/").status_code == 302
    custody.ask_destruction(story.lead, act)


def test_the_labs_overview_says_what_waits_without_a_plan(lab: Fixture) -> None:
    story = LabStory.start(lab)
    lead = visitor(lab, "release-lead")
    assert "What waits for you" not in read(lead, "/"), "nothing is there yet"
    act = story.accepted()
    page = read(lead, "/")
    assert "Begin with the release plan" in page
    assert f"/acts/{act}/terms/" in page
    assert "Decide: " not in page


def test_another_offices_reader_accepts_at_the_review(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act = story.offer(dossier=DOSSIER)
    engagement.answer_act(story.officer, act, "accepted")
    document = replace(story.document(act), people=(rules.Person(CYBER, "Cy"),))
    body = {
        "act": act,
        "terms": document.to_json(),
        "digest": document.digest,
        "signature": rules.sign_terms(document, story.lab.keys),
        "signed_by": "somebody",
    }
    story.lab.send("terms.signed", body, thread=act)
    terms.sign_terms(story.officer, act)
    org = office.organisation("Cyber Director", "office")
    row = reviews.open_review(story.officer, act)
    reviews.invite_office(story.officer, row.id, office=org.id)
    guest = visitor(office, "consulted-officer", org.id, email=CYBER)
    other = visitor(office, "consulted-officer", org.id)
    at = f"/reviews/{row.id}/"
    assert f"{at}terms/" in read(guest, at)
    assert "does not name you" in read(other, at)
    assert other.get(f"{at}terms/").status_code == 404
    assert guest.get(f"{at}worksheet/").status_code == 409
    assert send(guest, f"{at}terms/", read="on") == at
    assert SECRET in read(guest, f"{at}worksheet/")
    assert other.get(f"{at}worksheet/").status_code == 409
    assert guest.get(f"/api/v1{at}worksheet").status_code == 409, "export is off"
    assert Client().get(f"{at}terms/").status_code == 302
