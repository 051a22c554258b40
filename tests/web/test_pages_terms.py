"""The pages of terms: redlines, other versions, acceptance, the list, the library, the file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from django.test import Client
from tests.services.flow import PEOPLE, PERSON, QUOTA, LabStory, OfficeStory, signature
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.engagement.signed_terms import verify
from vedette.services import engagement, terms
from vedette.services.testing import Fixture


def proposed(story: LabStory) -> str:
    act = story.accepted()
    terms.sign_terms(story.lead, act, PEOPLE, ("confirmation",), QUOTA)
    return act


def form_of(page: str) -> dict[str, Any]:
    """What a browser sends of a form that nobody touched."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.values: dict[str, Any] = {}
            self.area = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            name, kind = given.get("name") or "", given.get("type")
            if tag == "textarea":
                self.area = name
                self.values[name] = ""
            if tag != "input" or not name or name == "csrfmiddlewaretoken":
                return
            if kind in ("checkbox", "radio") and "checked" not in given:
                return
            self.values.setdefault(name, []).append(given.get("value") or "on")

        def handle_endtag(self, tag: str) -> None:
            if tag == "textarea":
                self.area = ""

        def handle_data(self, data: str) -> None:
            if self.area:
                self.values[self.area] += data

    reader = Reader()
    reader.feed(page)
    return {k: v.lstrip("\n") if isinstance(v, str) else v for k, v in reader.values.items()}


def test_a_redline_is_proposed_on_a_page_and_read_as_one(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act, lead = proposed(story), visitor(lab, "release-lead")
    assert "Propose another version" in read(lead, f"/acts/{act}/terms/")
    at = f"/acts/{act}/terms/versions/"
    values = form_of(read(lead, at))
    values["words-cybersecurity"] = values["words-cybersecurity"].replace("24 hours", "48 hours")
    values |= {"people": f"{PERSON} Eve\nbo@office.example Bo <b>", "note": "As spoken."}
    assert send(lead, at, **values) == f"/acts/{act}/terms/"
    (message,) = story.office.received("terms.proposed")
    changed = [c for c in message.body["terms"]["clauses"] if "text" in c]
    assert [c["id"] for c in changed] == ["cybersecurity"], "untouched clauses stay the library's"
    page = read(lead, f"{at}{message.body['digest']}/")
    assert '<del><span class="usa-sr-only">taken out: </span>24 ' in page
    assert '<ins><span class="usa-sr-only">put in: </span>48 ' in page
    assert "<ins>Bo &lt;b&gt; &lt;bo@office.example&gt;</ins>" in page
    assert "As spoken." in page
    assert "Sign version" not in page, "it is signed by this side already"
    values["quota"] = "x"
    values["publication"] = "everywhere"
    assert "Please look at this again" in refused(lead, at, **values)


def test_the_office_reads_what_changes_and_signs_it(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act = story.signed()
    officer = visitor(office, "reviewing-officer", email=PERSON)
    old = story.document(act)
    quota = replace(old.quota, tokens=5_000_000)
    new = replace(old, version=2, export=True, quota=quota, publication="none")
    body = {**signature(new, story.lab.keys), "base": old.digest}
    story.lab.send("terms.proposed", body, thread=act)
    page = read(officer, f"/acts/{act}/terms/")
    assert "Another version waits for your side" in page
    assert "You are to accept these terms" in page
    at = f"/acts/{act}/terms/versions/{new.digest}/"
    page = read(officer, at)
    assert "<del>no</del>" in page
    assert "<ins>yes</ins>" in page
    assert "<ins>5,000,000</ins>" in page
    assert "<ins>Nothing is published</ins>" in page
    assert officer.post(at, {}).status_code == 422
    send(officer, at, read="on")
    assert "version 2" in read(officer, f"/acts/{act}/terms/")
    send(officer, f"/acts/{act}/terms/accept/", read="on", digest=new.digest)
    assert "accepted 1 Dec 2026" in read(officer, f"/acts/{act}/terms/")


def test_the_dossier_is_shown_to_whom_the_terms_name_once_they_accepted(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act = story.offer(dossier={"model-name": "Orion the great"})
    engagement.answer_act(story.officer, act, "accepted")
    story.propose(act)
    terms.sign_terms(story.officer, act)
    eve, other = visitor(office, "evaluator", email=PERSON), visitor(office, "evaluator")
    page = read(eve, f"/acts/{act}/")
    assert "Orion the great" not in page
    assert f"/acts/{act}/terms/accept/" in page
    send(eve, f"/acts/{act}/terms/accept/", read="on")
    assert "Orion the great" in read(eve, f"/acts/{act}/")
    page = read(other, f"/acts/{act}/")
    assert "Orion the great" not in page
    assert "does not name you" in page


def test_a_person_is_taken_off_on_a_page(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act, lead = story.signed(), visitor(lab, "release-lead")
    at = f"/acts/{act}/terms/strike/"
    assert "Eve" in read(lead, at)
    assert "This field is required" in refused(lead, at)
    send(lead, at, person=PERSON)
    assert "taken off the list" in read(lead, f"/acts/{act}/terms/")
    assert visitor(lab, "compliance").get(at).status_code == 403


def test_signed_terms_are_a_file_that_checks_alone(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act, lead = story.signed(), visitor(lab, "release-lead")
    page = read(lead, f"/acts/{act}/terms/")
    (at,) = set(re.findall(r"/acts/[^\"]+/signed/", page))
    answer = lead.get(at)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    keys = [lab.here.keys.public.keyid, story.office.keys.public.keyid]
    _terms, checks = verify(json.loads(answer.content), keys)
    assert all(check.holds for check in checks)


def test_the_library_shows_every_clause_and_who_uses_it(lab: Fixture) -> None:
    story = LabStory.start(lab)
    lead = visitor(lab, "release-lead")
    page = read(lead, "/clauses/")
    assert page.count("None yet.") == len(lab.here.pack.records("terms", "clauses"))
    act = proposed(story)
    page = read(lead, "/clauses/")
    assert "Insider risk" in page
    assert f"/acts/{act}/terms/versions/" in page
    assert visitor(lab, "auditor").get("/clauses/").status_code == 403


def test_strangers_and_readers_do_nothing_here(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act = proposed(story)
    reader, other = visitor(lab, "reader"), stranger(lab, "partner")
    digest = story.office.received("terms.signed")[0].body["digest"]
    pages = {
        f"/acts/{act}/terms/versions/{digest}/": 200,
        f"/acts/{act}/terms/versions/{digest}/signed/": 200,
        f"/acts/{act}/terms/versions/": 403,
        f"/acts/{act}/terms/strike/": 403,
    }
    for url, status in pages.items():
        assert reader.get(url).status_code == status, url
        assert other.get(url).status_code == 404, url
        assert Client().get(url).status_code == 302, url
    assert reader.post(f"/acts/{act}/terms/versions/{digest}/", {"read": "on"}).status_code == 403
    assert reader.post(f"/acts/{act}/terms/versions/{digest}/signed/").status_code == 405
