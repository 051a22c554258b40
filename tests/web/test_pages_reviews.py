"""The pages on which offices work together, and the lab's answers to them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from django.test import Client
from tests.services.flow import MODEL, PERSON, LabStory, OfficeStory
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.kernel.ids import new_id
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Profile
from vedette.services import engagement, readiness
from vedette.services.here import use
from vedette.services.testing import Fixture
from vedette.store.models import Membership
from vedette.store.tenancy import SYSTEM, scoped


def requested(office: Fixture) -> tuple[OfficeStory, str]:
    story, act = OfficeStory.start(office), new_id("act")
    body = {
        "act": act,
        "kind": "determination-request",
        "model": MODEL,
        "dossier": {"legal-entity": "Orion <b>Labs</b>", "samples": "one"},
    }
    story.lab.send("engagement.offered", body, thread=act, marking="TLP:RED")
    engagement.answer_act(story.officer, act, "accepted")
    return story, act


def opened(office: Fixture, act: str, client: Client) -> str:
    assert "Open a review" in read(client, f"/acts/{act}/")
    return send(client, f"/acts/{act}/review/")


def test_a_review_from_open_to_concluded(office: Fixture) -> None:
    _, act = requested(office)
    officer = visitor(office, "reviewing-officer")
    assert "No review is open" in read(officer, "/reviews/")
    at = opened(office, act, officer)
    assert at in read(officer, f"/acts/{act}/")
    assert "No office has given a view that you may read" in read(officer, at)

    cyber = office.organisation("Cyber Director", "office")
    assert "National Cyber Director" in read(officer, f"{at}do/invite/")
    send(
        officer,
        f"{at}do/invite/",
        office="here:Cyber Director",
        fields_shared=["legal-entity", "scores"],
        hears_others="on",
        tasks="on",
    )
    guest = visitor(office, "consulted-officer", cyber.id)
    assert at in read(guest, "/")
    send(guest, f"{at}move/place/own/take-part/")
    sheet = read(guest, f"{at}worksheet/")
    assert "Orion &lt;b&gt;Labs" in sheet
    assert "Random samples" not in sheet, "it is not shared"
    assert guest.get(f"{at}fields/samples/").status_code == 404
    send(guest, f"{at}worksheet/check/", **{"look-legal-entity": "seen", "section": "identity"})
    send(guest, f"{at}fields/legal-entity/", text="Which country?", marking="TLP:AMBER+STRICT")

    send(officer, f"{at}do/propose/", text="It does not meet it.", marking="TLP:AMBER+STRICT")
    assert "It does not meet it." in read(guest, f"{at}do/view/")
    text = refused(guest, f"{at}do/view/", stand="disagrees", reasons="", marking="loud")
    assert "can&#x27;t be read" in text
    send(guest, f"{at}do/view/", stand="disagrees", reasons="Too thin.", marking="TLP:AMBER+STRICT")
    page = read(officer, at)
    assert "Offices disagree" in page
    assert "Too thin." in page
    assert "Which country?" in page
    assert ">Legal entity</a>" in page, "the field has its name, not its id"
    assert "Either ends the review" in page
    advises = read(visitor(office, "evaluator"), at)
    for path in ("do/propose/", "do/invite/", "do/task/", "share/"):
        assert f"{at}{path}" in page, "the lead's own"
        assert f"{at}{path}" not in advises, "no link to what is not open to them"
    send(officer, f"{at}do/task/", title="Write it up", due="2026-11-01")
    assert "past its day" in read(officer, at)
    page = read(officer, at)
    drop = re.search(r'href="([^"]*move/task/[^"]*/drop/)"', page)
    assert drop, "what ends something asks first"
    assert "Write it up" in read(officer, drop[1])
    assert f'href="{at}move/review/own/conclude/"' in page
    assert f'action="{at}move/review/own/conclude/"' not in page
    assert "as it stands, for all offices" in read(officer, f"{at}move/review/own/conclude/")
    assert guest.get(f"{at}move/review/own/conclude/").status_code == 404
    assert guest.get(f"{at}move/task/nothing/drop/").status_code == 404
    send(officer, f"{at}move/review/own/conclude/")
    assert "Too thin." in read(officer, at), "it stands beside the conclusion"
    assert officer.post(f"{at}move/review/own/conclude/").status_code == 409

    for path in ("do/propose/", "do/invite/", "do/task/"):
        assert guest.get(f"{at}{path}").status_code == 404
    assert guest.get(f"/acts/{act}/").status_code in (403, 404)
    assert guest.get(f"{at}share/{cyber.id}/").status_code == 403
    assert stranger(office, "office").get(at).status_code == 404
    assert visitor(office, "auditor").get(at).status_code == 403
    assert visitor(office, "reader").post(f"{at}move/review/own/reopen/").status_code == 403
    assert officer.get(f"{at}move/review/own/reopen/").status_code == 405
    assert Client().get(at).status_code == 302
    send(officer, f"{at}move/review/own/reopen/")
    send(officer, f"{at}share/{cyber.id}/", fields_shared=["samples"])
    assert "Legal entity" not in read(guest, f"{at}worksheet/")
    send(officer, f"{at}move/place/{cyber.id}/end/")
    assert guest.get(at).status_code == 404


def test_the_worksheet_has_the_whole_form(office: Fixture) -> None:
    _, act = requested(office)
    officer = visitor(office, "reviewing-officer")
    at = opened(office, act, officer)
    page = read(officer, f"{at}worksheet/")
    assert page.count('id="look-') == 41
    assert "stays at the lab" in page
    page = read(officer, f"{at}fields/scores/")
    assert "The lab has not sent this field" in page
    to = send(officer, f"{at}fields/scores/ask/", text="Which scores?", behalf="Cyber Director")
    assert "Which scores?" in read(officer, to)
    assert "Scores" in read(officer, "/questions/")
    assert "This field is required" in refused(officer, f"{at}fields/scores/ask/", text="")


def test_under_terms_the_lead_reads_the_worksheet_once_they_are_accepted(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act = story.signed()
    named = visitor(office, "reviewing-officer", email=PERSON)
    other = visitor(office, "reviewing-officer")
    at = opened(office, act, named)
    for page in (f"{at}worksheet/", f"{at}fields/scores/"):
        assert "not accepted version 1" in refused_page(named, page)
        assert "does not name you" in refused_page(other, page)
    assert api(named, at).status_code == 409
    send(named, f"/acts/{act}/terms/accept/", read="on")
    assert "Worksheet" in read(named, f"{at}worksheet/")
    assert api(named, at).status_code == 409, "export is off: a program takes nothing"
    assert "does not name you" in refused_page(other, f"{at}worksheet/")


def refused_page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 409, (url, answer.status_code)
    return answer.content.decode()


def api(client: Client, at: str) -> Any:
    return client.get(f"/api/v1{at}worksheet")


def test_the_lab_answers_beside_its_form(lab: Fixture) -> None:
    story = LabStory.start(lab)
    plan = story.planned()
    readiness.fill_dossier(story.lead, MODEL, {"legal-entity": "Orion Labs", "suite": "daemons"})
    act = story.offered(dossier=["legal-entity"])
    asked = [new_id("question") for _ in range(2)]
    for question in asked:
        body = {"question": question, "act": act, "field": "suite", "text": "Which <i>suite</i>?"}
        story.office.send("question.asked", body, thread=act, marking="TLP:AMBER+STRICT")
    lead = visitor(lab, "release-lead")
    assert "Evaluation suite" in read(lead, "/questions/")
    assert "/questions/" in read(lead, f"/dossier/{plan}/")
    page = read(lead, f"/questions/{asked[0]}/")
    assert "Which &lt;i&gt;suite" in page
    assert "daemons" in page
    assert "Missing" in refused(lead, f"/questions/{asked[0]}/", answer="answered", text="")
    send(lead, f"/questions/{asked[0]}/", answer="answered", text="daemons 2.0")
    send(lead, f"/questions/{asked[1]}/", answer="left", text="")
    told = {m.body["question"]: m.body for m in story.office.received("question.answered")}
    assert told[asked[0]]["text"] == "daemons 2.0"
    assert told[asked[1]]["answer"] == "left"
    assert visitor(lab, "compliance").post(f"/questions/{asked[1]}/").status_code == 403
    assert stranger(lab, "partner").get(f"/questions/{asked[0]}/").status_code == 404

    page = read(lead, f"/acts/{act}/dossier/")
    assert "Evaluation suite" in page
    given = {"goes-legal-entity": "on", "goes-suite": "on", "why-scores": "not ready"}
    send(lead, f"/acts/{act}/dossier/", **given)
    sent = story.office.received("dossier.updated")[-1].body
    assert sent["dossier"] == {"legal-entity": "Orion Labs", "suite": "daemons"}
    assert sent["withheld"] == {"scores": "not ready"}
    assert visitor(lab, "compliance").get(f"/acts/{act}/dossier/").status_code == 403


def test_an_office_is_asked_by_message(office: Fixture) -> None:
    other = office.peer("Lead Office", Profile.OFFICE)
    body = {
        "consultation": new_id("consultation"),
        "number": 1,
        "kind": "determination-request",
        "model": MODEL,
        "lab": "Lab",
        "extract": {"legal-entity": "Orion <b>Labs", "samples": "one"},
        "markings": {"legal-entity": "TLP:AMBER", "samples": "TLP:RED"},
        "proposal": "It meets it.",
        "pack": "p@1",
        "pack_digest": "sha256:" + "0" * 64,
    }
    other.send("consultation.asked", body, thread=body["consultation"], marking="TLP:RED")
    at = f"/consultations/{body['consultation']}/"
    officer = visitor(office, "reviewing-officer")
    assert at in read(officer, "/reviews/")
    page = read(officer, at)
    assert "Orion &lt;b&gt;Labs" in page
    send(officer, at, said="disagrees", reasons="No.", marking="TLP:AMBER+STRICT")
    assert other.received("consultation.answered")[-1].body["answer"] == "disagrees"
    assert visitor(office, "auditor").get(at).status_code == 403
    assert stranger(office, "office").get(at).status_code == 404


def test_what_lies_above_the_ceiling_is_pointed_to_where_it_would_stand(office: Fixture) -> None:
    story, act = requested(office)
    officer = visitor(office, "reviewing-officer")
    assert "above this instance" not in read(officer, f"/acts/{act}/")
    body = {"act": act, "number": 1, "dossier": {"samples": "high"}, "withheld": {}}
    body |= {"pack": "p@1", "pack_digest": "sha256:" + "0" * 64}
    story.lab.send("dossier.updated", body, thread=act, marking="SECRET//TLP:RED")
    page = read(officer, f"/acts/{act}/")
    assert "above this instance" in page
    (pointer,) = re.findall(r"/messages/(msg-[2-9a-z]+)/", page)
    assert "above the ceiling" in read(officer, f"/messages/{pointer}/")
    assert "/messages/msg-" not in read(visitor(office, "reader"), f"/acts/{act}/")


def test_a_classified_review_is_derived_from_the_words_that_it_shows(office: Fixture) -> None:
    _, act = requested(office)
    officer = visitor(office, "reviewing-officer", email="high@office.example")
    low = visitor(office, "reviewing-officer")
    at = opened(office, act, officer)
    with scoped(SYSTEM):
        rows = Membership.objects.filter(person__email="high@office.example")
        rows.update(marking="SECRET//TLP:RED")
    with use(replace(office.here, ceiling=Marking.parse("SECRET//TLP:RED"))):
        send(officer, f"{at}do/propose/", text="High words", marking="SECRET//TLP:RED")
        page, other = read(officer, at), read(low, at)
    assert "Derived From" in page
    assert "Proposed conclusion, A reviewing-officer, dated" in page
    assert "Nothing is proposed that you may read" in other
    assert "High words" not in other
    assert "Derived From" not in other
