"""The lab's pages: plan, dossier, the three acts, terms, sessions, model, assessments."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.engagement.test_words import offends
from tests.services.flow import CLOSES, MODEL, OPENS, RELEASE, LabStory, move
from tests.web.visitors import read, refused, send, stranger, visitor

import vedette
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.ids import new_id
from vedette.services import access, readiness
from vedette.services.here import here, use
from vedette.services.testing import Fixture

WEB = Path(vedette.__file__).parent / "web"
MINE = ("home_lab", "home_office", "plan", "dossier", "acts", "offers", "terms", "sessions")
MORE = ("runs", "assessments", "forms", "words")
TEMPLATES = re.compile(r"(act|assess|dossier|form|overview_|plan|run|session|terms)")
UTC = "%Y-%m-%dT%H:%M"


@pytest.fixture
def story(lab: Fixture) -> LabStory:
    return LabStory.start(lab)


@pytest.fixture
def lead(lab: Fixture) -> Client:
    return visitor(lab, "release-lead")


def test_an_empty_instance_names_the_next_act(lab: Fixture, lead: Client) -> None:
    assert 'href="/plan/new/"' in read(lead, "/")
    for url in ("/plan/", "/dossier/", "/acts/", "/sessions/", "/models/", "/assessments/"):
        read(lead, url)
    assert "Plan a release first" in read(lead, "/acts/")


def test_a_plan_is_made_changed_logged_and_downloaded(story: LabStory, lead: Client) -> None:
    at = send(
        lead,
        "/plan/new/",
        model=MODEL,
        partner_release=RELEASE.strftime(UTC),
        public_release=(RELEASE + timedelta(days=20)).strftime(UTC),
    )
    page = read(lead, at)
    assert "Offer the access window" in page
    assert "in 40 days" in page
    assert "TLP:RED" in page
    wrong = refused(lead, f"{at}change/", partner_release="2027-03-01", public_release="2027-02-01")
    assert "before the partner release" in wrong
    assert 'aria-invalid="true"' in wrong
    later = (RELEASE + timedelta(days=5)).strftime(UTC)
    send(lead, f"{at}change/", partner_release=later, reason="a week of tests more")
    page = read(lead, at)
    assert "a week of tests more" in page
    assert "public release: " in page
    assert "→ none" in page
    file = lead.get(f"{at}plan.ics")
    assert file["Content-Type"].startswith("text/calendar")
    assert b"BEGIN:VCALENDAR" in file.content
    assert MODEL not in file.content.decode()


def test_a_window_beyond_the_ceiling_is_told_at_its_field(lab: Fixture, lead: Client) -> None:
    text = refused(lead, "/plan/new/", model="m", partner_release="2027-02-01", window_days=31)
    assert 'id="id_window_days_error"' in text
    assert "ceiling of 30 days" in text
    assert read(lead, "/plan/").count("No plan yet") == 1


def test_the_dossier_is_filled_a_section_at_a_time(story: LabStory, lead: Client) -> None:
    plan = story.planned()
    page = read(lead, f"/dossier/{plan}/")
    assert "Protection of the weights" in page
    assert "stays here" in page
    to = send(
        lead, f"/dossier/{plan}/identity/", **{"model-name": "Orion <b>", "weights": "closed"}
    )
    assert to == f"/dossier/{plan}/"
    page = read(lead, to)
    assert "Orion &lt;b&gt;" in page
    text = refused(lead, f"/dossier/{plan}/identity/", **{"version-digest": "abc"})
    assert "64 hex digits" in text
    assert 'aria-invalid="true"' in text
    to = send(lead, f"/dossier/{plan}/acts/", **{"acts-asked": ["access-window"], "on": "on"})
    assert to == f"/dossier/{plan}/access/"
    assert lead.get(f"/dossier/{plan}/nothing/").status_code == 404


def test_each_act_is_decided_apart_and_offered(story: LabStory, lead: Client) -> None:
    plan = story.planned()
    assert read(lead, "/").count("Decide: ") == 3
    page = read(lead, "/acts/")
    assert "silence means free to proceed" in page
    send(lead, f"/acts/decide/{plan}/access-window/", choice="offer", reason="to learn <i>")
    send(lead, f"/acts/decide/{plan}/partner-selection/", choice="decline", conditions="a\nb")
    page = read(lead, f"/acts/?plan={plan}")
    assert "to learn &lt;i&gt;" in page
    assert "do without it" in page
    assert read(lead, "/").count("Decide: ") == 1
    assert f"/acts/offer/{plan}/access-window/" in read(lead, "/")
    story_fields = {"model-name": "Orion", "weight-protection": "a vault"}
    readiness.fill_dossier(story.lead, MODEL, story_fields)
    form = read(lead, f"/acts/offer/{plan}/access-window/")
    assert 'value="model-name"' in form
    assert "weight-protection" not in form, "what stays here can't be chosen"
    given = {
        "peer": "Office",
        "basis": "eo14409-3b2",
        "purpose": "confirmation",
        "opens": OPENS.strftime(UTC),
        "closes": CLOSES.strftime(UTC),
    }
    late = (CLOSES + timedelta(days=1)).strftime(UTC)
    text = refused(lead, f"/acts/offer/{plan}/access-window/", **{**given, "closes": late})
    assert "allows 30" in text
    never = {**given, "declassify": "OADR"}
    assert "OADR" in refused(lead, f"/acts/offer/{plan}/access-window/", **never)
    given["declassify"] = "20510101"
    to = send(lead, f"/acts/offer/{plan}/access-window/", **given, dossier=["model-name"])
    page = read(lead, to)
    assert "Orion" in page
    assert "Propose terms" in page
    offered = story.office.received("engagement.offered")[-1]
    assert offered.body["dossier"] == {"model-name": "Orion"}
    assert offered.body["declassify"] == "20510101"
    assert "20510101" in page
    text = refused(lead, f"/acts/offer/{plan}/partner-selection/", peer="Office", name="P")
    assert "Please look at this again" in text


def test_an_act_is_withdrawn_and_offered_again(story: LabStory, lead: Client) -> None:
    story.planned()
    act = story.offered(declassify="50X1-HUM")
    assert f"/acts/{act}/do/withdraw/" in read(lead, f"/acts/{act}/")
    send(lead, f"/acts/{act}/do/withdraw/", reason="plans changed")
    page = read(lead, f"/acts/{act}/")
    assert "withdrawn" in page
    assert "Offer again" in page
    assert lead.get(f"/acts/{act}/do/withdraw/").status_code == 409
    assert lead.get(f"/acts/{act}/do/accept/").status_code == 409, "the office's move"
    assert lead.get(f"/acts/{act}/do/launch/").status_code == 404
    form = read(lead, f"/acts/{act}/again/")
    assert 'name="declassify" value="50X1-HUM"' in form
    assert OPENS.strftime(UTC) in form
    again = send(
        lead,
        f"/acts/{act}/again/",
        peer="Office",
        basis="eo14409-3b2",
        purpose="robustness",
        opens=OPENS.strftime(UTC),
        closes=CLOSES.strftime(UTC),
    )
    assert again != f"/acts/{act}/"


def test_terms_are_proposed_and_read_with_both_signatures(story: LabStory, lead: Client) -> None:
    act = story.accepted()
    url = f"/acts/{act}/terms/"
    assert "Insider risk" in read(lead, url)
    given = {"purposes": ["confirmation"], "publication": "summary", "calls": 10, "tokens": 1000}
    text = refused(lead, url, people="Eve", **given)
    assert "an address and a name expected" in text
    send(lead, url, people="eve@office.example Eve Example", **given)
    page = read(lead, url)
    assert "The model is reached only through the developer&#x27;s proxy" in page
    assert "Eve Example" in page
    assert "not yet" in page
    story.countersign(act)
    assert "Signed by both sides" in read(lead, url)
    assert lead.post(url, given | {"people": "x@y z"}).status_code == 422, "signed once an act"
    assert "opens by itself" in read(lead, f"/acts/{act}/")


def test_a_release_moved_into_a_live_window_is_told_to_planners_alone(
    story: LabStory, lead: Client
) -> None:
    act_id = story.opened()
    assert "the window ends with it" not in read(lead, f"/acts/{act_id}/")
    sooner = OPENS + timedelta(days=9)
    readiness.make_plan(story.lead, MODEL, sooner, RELEASE + timedelta(days=20))
    told = read(lead, f"/acts/{act_id}/")
    assert "the window ends with it" in told
    assert "TLP:RED" in told, "a plan's date marks the page that shows it"
    other = read(visitor(story.lab, "partner"), f"/acts/{act_id}/")
    assert "the window ends with it" not in other
    move(story.lab, sooner)
    told = read(lead, f"/acts/{act_id}/")
    assert "Window ended by the lab" in told
    assert "the window ends with it" not in told


def test_a_session_is_watched_and_ended_at_once(story: LabStory, lead: Client) -> None:
    act = story.opened()
    text = read(lead, "/")
    assert "/models/" in text
    given = {"base_url": "http://127.0.0.1:1/v1", "build": "b1", "safeguards": "on"}
    given["dialect"] = "openai"
    send(lead, "/models/", model=MODEL, key="sk-hidden", **given)
    page = read(lead, "/models/")
    assert "sk-hidden" not in page
    assert "sealed" in page
    text = refused(lead, "/models/", model=MODEL, **{**given, "base_url": "ftp://x"})
    assert "http or https" in text
    assert access.endpoints(story.lead)[0]["base_url"] == given["base_url"]
    session = story.session(act)
    page = read(lead, f"/acts/{act}/window/")
    assert f"/sessions/{session}/" in page
    assert "closes" in page.lower()
    page = read(lead, f"/sessions/{session}/")
    assert "End it at once" in page
    assert f'hx-get="/sessions/{session}/?part=live"' in page
    assert "<html" not in read(lead, f"/sessions/{session}/?part=live")
    send(lead, f"/sessions/{session}/end/", reason="enough")
    page = read(lead, f"/sessions/{session}/")
    assert "enough" in page
    assert "hx-get" not in page
    assert "ended" in read(lead, "/sessions/")
    send(lead, f"/acts/{act}/do/end/", reason="")
    assert "ended" in read(lead, f"/acts/{act}/window/")


def received(story: LabStory, act: str, document: dict[str, object]) -> str:
    assessment = new_id("assessment")
    body = {
        "assessment": assessment,
        "act": act,
        "document": document,
        "digest": digest(canonical(document)),
    }
    story.office.send("assessment.shared", body, thread=act)
    return assessment


SCORE = {"estimate": "0.50", "low": "0.20", "high": "0.80", "solved": 2, "n": 4}
DOCUMENT: dict[str, object] = {
    "suite": {"name": "daemons", "version": "1"},
    "subjects": [
        {
            "name": "orion <script>",
            "kind": "endpoint",
            "role": "assessed",
            "score": SCORE,
            "families": {"parsers": SCORE},
            "used": {"calls": 1, "input_tokens": 2, "output_tokens": 3, "executions": 4},
            "seconds": "1.0",
        }
    ],
    "limits": ["Few items."],
}


def test_an_assessment_received_is_shown_as_text(story: LabStory, lead: Client) -> None:
    act = story.accepted()
    good = received(story, act, DOCUMENT)
    page = read(lead, f"/assessments/{good}/")
    assert "orion &lt;script&gt;" in page
    assert 'cx="50.0%"' in page
    assert "Nothing in it moves your release dates" in page
    odd = received(story, act, {"subjects": "none", "suite": 3, "limits": {"a": 1}})
    assert "kept and shown as it came" in read(lead, f"/assessments/{odd}/")
    assert good in read(lead, "/assessments/")
    read(lead, "/")
    assert lead.get(f"/assessments/{good}/report/").status_code == 404, "the office's own"
    record = new_id("determination")
    document = {"outcome": "meets", "subject": "orion", "why": "w", "maker": "M", "consulted": 7}
    body = {"determination": record, "act": act, "document": document}
    body["digest"] = digest(canonical(document))
    story.office.send("determination.shared", body, thread=act)
    assert "has no effect on a release" in read(lead, f"/determinations/{record}/")
    assert record in read(lead, f"/assessments/{good}/")


def pages_of(story: LabStory) -> list[str]:
    plan = story.planned()
    act = story.opened()
    access.add_endpoint(story.lead, MODEL, "http://127.0.0.1:1/v1", "", "b1", "on")
    session = story.session(act)
    assessment = received(story, act, DOCUMENT)
    return [
        *("/plan/", f"/plan/{plan}/", f"/plan/{plan}/change/", f"/plan/{plan}/plan.ics"),
        *("/dossier/", f"/dossier/{plan}/", f"/dossier/{plan}/identity/"),
        *(f"/acts/decide/{plan}/access-window/", f"/acts/offer/{plan}/access-window/"),
        *(f"/acts/{act}/", f"/acts/{act}/do/withdraw/", f"/acts/{act}/terms/"),
        *(f"/acts/{act}/window/", f"/acts/{act}/again/", f"/sessions/{session}/"),
        *(f"/sessions/{session}/end/", "/models/", f"/assessments/{assessment}/"),
    ]


def test_another_tenant_finds_nothing(story: LabStory) -> None:
    urls = pages_of(story)
    client = stranger(story.lab, "lab")
    assert {url: client.get(url).status_code for url in urls} == dict.fromkeys(urls, 404)
    for url in ("/", "/acts/", "/sessions/", "/assessments/"):
        page = read(client, url)
        assert MODEL not in page
        assert "eve@office" not in page


def test_a_member_without_the_right_is_told_so(story: LabStory) -> None:
    urls = pages_of(story)
    auditor = visitor(story.lab, "auditor")
    assert {url: auditor.get(url).status_code for url in urls} == dict.fromkeys(urls, 403)
    assert "No release is planned yet" in read(auditor, "/")
    reader = visitor(story.lab, "reader")
    changing = ("change", "identity", "decide", "offer", "withdraw", "again", "end", "models")
    for url in urls:
        want = 403 if any(f"/{word}/" in url for word in changing) else (200, 302)
        got = reader.get(url).status_code
        assert got == want or (isinstance(want, tuple) and got in want), (url, got)
        assert reader.post(url, {}).status_code in (403, 405, 422), url


def test_signed_out_and_wrong_method(story: LabStory, lead: Client) -> None:
    for url in pages_of(story):
        answer = Client().get(url)
        assert (answer.status_code, "/login/" in answer.headers["Location"]) == (302, True), url
        assert lead.delete(url).status_code == 405, url


def test_no_page_speaks_of_leave_to_proceed() -> None:
    found = []
    for path in sorted((WEB / "templates/pages").glob("*.html")):
        if TEMPLATES.match(path.name) and offends(path.read_text("utf-8")):
            found.append(path.name)
    for name in (*MINE, *MORE):
        text = (WEB / f"pages/{name}.py").read_text("utf-8")
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        found += [
            f"{name}: {t.string}" for t in tokens if t.type == tokenize.STRING and offends(t.string)
        ]
    assert found == []


def test_files_go_along_with_an_offer_and_stand_on_its_page(story: LabStory, lead: Client) -> None:
    office, plan = story.office, story.planned()
    path = f"/acts/offer/{plan}/determination-request/"
    assert "multipart/form-data" in read(lead, path)
    content = [b"weights card " * 9, b"evaluations"]
    files = [SimpleUploadedFile(f"part-{n}.txt", data) for n, data in enumerate(content)]
    act = send(lead, path, peer="Office", files=files)
    (told, other) = sorted(
        office.received("attachment.offered"), key=lambda m: str(m.body["attachments"][0]["name"])
    )
    assert told.thread == other.thread == act.split("/")[-2]
    assert told.marking == office.received("engagement.offered")[0].marking
    text = read(lead, act)
    for message, data in zip((told, other), content, strict=True):
        (named,) = message.body["attachments"]
        assert (named["digest"], named["size"]) == (digest(data), len(data))
        assert named["name"] in text
        assert named["digest"] in text
    assert "sending" in text


def test_a_file_that_is_empty_or_too_large_stops_the_offer_at_its_field(
    story: LabStory, lead: Client
) -> None:
    office, plan = story.office, story.planned()
    path = f"/acts/offer/{plan}/determination-request/"
    empty = SimpleUploadedFile("empty.txt", b"")
    assert "submitted file is empty" in refused(lead, path, peer="Office", files=[empty])
    with use(replace(here(), attachment_limit=10)):
        large = SimpleUploadedFile("large.txt", b"x" * 11)
        assert "large.txt has more than 10 bytes" in refused(
            lead, path, peer="Office", files=[large]
        )
    assert office.received() == []
