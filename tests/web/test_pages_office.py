"""The office's pages: acts received, terms, windows and sessions, runs, assessments, records."""

from __future__ import annotations

import pytest
from django.test import Client
from tests.bench.runs import result as made_run
from tests.services.flow import CLOSES, MODEL, OPENS, PERSON, OfficeStory, move
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.services import engagement, runs
from vedette.services.testing import Fixture
from vedette.store.models import Assessment, Run, Session
from vedette.store.tenancy import SYSTEM, scoped


@pytest.fixture
def story(office: Fixture) -> OfficeStory:
    return OfficeStory.start(office)


@pytest.fixture
def officer(office: Fixture) -> Client:
    return visitor(office, "reviewing-officer")


@pytest.fixture
def evaluator(office: Fixture) -> Client:
    return visitor(office, "evaluator")


def test_an_empty_instance_names_the_next_act(office: Fixture, evaluator: Client) -> None:
    page = read(evaluator, "/")
    assert "Begin by exchanging cards" in page
    assert 'href="/runs/new/"' in page
    for url in ("/acts/", "/sessions/", "/runs/", "/assessments/"):
        read(evaluator, url)
    for url in ("/plan/", "/dossier/", "/models/"):
        assert evaluator.get(url).status_code == 404
        assert visitor(office, "administrator").get(url).status_code == 404, "the lab's page"


def test_an_offer_is_answered(story: OfficeStory, officer: Client) -> None:
    act, other = story.offer(note="<b>bold</b>"), story.offer(model="vega-2")
    assert f"/acts/{act}/" in read(officer, "/")
    assert "Waiting for an answer" in read(officer, "/acts/")
    page = read(officer, f"/acts/{act}/")
    assert "&lt;b&gt;bold" in page
    assert f"/acts/{act}/do/accept/" in page
    assert "release dates" not in page, "they are the lab's alone"
    send(officer, f"/acts/{act}/do/accept/", reason="")
    assert "accepted" in read(officer, f"/acts/{act}/")
    send(officer, f"/acts/{other}/do/decline/", reason="no people free")
    told = {m.body["act"]: m.body["answer"] for m in story.lab.received("engagement.answered")}
    assert told == {act: "accepted", other: "declined"}
    assert officer.get(f"/acts/{other}/do/accept/").status_code == 409
    assert officer.get(f"/acts/{act}/terms/").status_code == 404, "none are proposed yet"
    send(officer, f"/acts/{act}/do/withdraw/", reason="")
    assert "withdrawn" in read(officer, f"/acts/{act}/")


def test_terms_are_read_and_signed(story: OfficeStory, officer: Client) -> None:
    act = story.offer()
    engagement.answer_act(story.officer, act, "accepted")
    story.propose(act)
    assert f"/acts/{act}/terms/" in read(officer, "/")
    page = read(officer, f"/acts/{act}/terms/")
    assert "Insider risk" in page
    assert story.document(act).digest in page
    assert "This field is required" in refused(officer, f"/acts/{act}/terms/")
    assert visitor(story.office, "evaluator").post(f"/acts/{act}/terms/").status_code == 403
    send(officer, f"/acts/{act}/terms/", read="on")
    assert "Signed by both sides" in read(officer, f"/acts/{act}/terms/")


def test_a_session_is_asked_for_inside_the_window(story: OfficeStory, officer: Client) -> None:
    person = visitor(story.office, "evaluator")
    named = visitor(story.office, "evaluator", email=PERSON)
    act = story.signed()
    assert "Ask for a session" not in read(person, f"/acts/{act}/window/"), "it is not open"
    text = refused(person, f"/acts/{act}/session/", purpose="confirmation")
    assert "The window opens at" in text
    move(story.office, OPENS)
    assert "Ask for a session" in read(person, f"/acts/{act}/window/")
    text = refused(person, f"/acts/{act}/session/", purpose="confirmation")
    assert "do not name this person" in text, "the terms name somebody else"
    assert officer.get(f"/acts/{act}/session/").status_code == 403
    assert "Ask for a session" not in read(person, "/")
    assert f"/acts/{act}/session/" in read(named, "/")
    text = refused(named, f"/acts/{act}/session/", purpose="confirmation")
    assert "have not accepted version 1" in text
    assert "I have read these terms" in read(named, f"/acts/{act}/terms/accept/")
    send(named, f"/acts/{act}/terms/accept/", read="on")
    at = send(named, f"/acts/{act}/session/", purpose="confirmation")
    assert "has not answered yet" in read(named, at)
    assert story.lab.received("access.requested")[-1].body["person"] == PERSON


def test_a_session_and_its_window_are_live(story: OfficeStory, evaluator: Client) -> None:
    session = story.opened()
    page = read(evaluator, f"/sessions/{session}/")
    assert "vac_secret" not in page
    assert f"/runs/new/?session={session}" in page
    with scoped(SYSTEM):
        act = Session.objects.get(id=session).act_id
    part = read(evaluator, f"/acts/{act}/window/?part=live")
    assert "<html" not in part
    assert "hx-get" in part
    assert "in 30 days" in part
    assert "Run a suite on" in read(evaluator, "/")
    assert MODEL in read(evaluator, "/runs/new/")
    move(story.office, CLOSES)
    assert "closed" in read(evaluator, f"/acts/{act}/window/")


def test_a_run_is_started_watched_and_assessed(
    office: Fixture, evaluator: Client, officer: Client
) -> None:
    at = send(
        evaluator,
        "/runs/new/",
        suite="daemons",
        references=["null", "oracle"],
        seed=1,
        trials=1,
        executions=50,
        threshold="0.35",
    )
    run = at.rstrip("/").rsplit("/", 1)[1]
    page = read(evaluator, at)
    assert f'hx-get="/runs/{run}/progress/"' in page
    assert evaluator.post(f"{at}assessment/").status_code == 409, "it is not finished"
    answer = evaluator.get(f"{at}progress/", headers={"HX-Request": "true"})
    assert "HX-Refresh" not in answer.headers
    runs.carry_out(run)
    answer = evaluator.get(f"{at}progress/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"
    page = read(evaluator, at)
    assert "hx-get" not in page
    assert "not solved" in page
    assert "write_registers" in page
    assert "50 executions" in page
    assert "reference subjects alone" in page
    assert "nobody outside: it is about no lab" in page
    assert "0.35" not in page
    document = evaluator.get(f"{at}commitment/")
    assert "attachment" in document.headers["Content-Disposition"]
    assert document.json()["payloadType"].endswith("run-commitment+json")
    assert "Items are seen by the office, and the lab" in read(evaluator, "/runs/new/")
    text = refused(evaluator, "/runs/new/", suite="daemons", seed=0, trials=1, custody="joint")
    assert "name the act" in text

    made = send(evaluator, f"{at}assessment/")
    page = read(evaluator, made)
    assert 'class="v-intervals"' in page
    report = evaluator.get(f"{made}report/")
    assert report.status_code == 200
    assert "default-src 'none'" in report.headers["Content-Security-Policy"]
    assert "script-src" not in report.headers["Content-Security-Policy"]
    assert evaluator.post(f"{made}share/").status_code == 409, "no lab's model was run"
    assert evaluator.get(f"{made}determination/").status_code == 403

    given = {
        "subject": "oracle",
        "threshold": "0.05",
        "maker": "Director",
        "why": "the lower bound lies above",
        "consulted-TOTAL_FORMS": "2",
        "consulted-INITIAL_FORMS": "0",
        "consulted-0-office": "Second Office",
        "consulted-0-on": "2026-12-01",
    }
    text = refused(officer, f"{made}determination/", **given)
    assert "A consultation names an office" in text
    text = refused(officer, f"{made}determination/", **{**given, "threshold": "2"})
    assert 'id="id_threshold_error"' in text
    record = send(officer, f"{made}determination/", **given, **{"consulted-0-view": "agrees"})
    page = read(officer, record)
    assert "Second Office" in page
    assert "made under another threshold than committed" in page
    assert "no effect on a release" in page
    assert record in read(officer, made)
    assert record in read(officer, "/assessments/")


@pytest.mark.any_database
def test_words_of_transcripts_are_shown_escaped_and_no_verdict(
    office: Fixture, evaluator: Client
) -> None:
    run = runs.start_run(office.person("evaluator"), "daemons", references=["null"])
    quote = "curl http://a.example/<script>alert(1)</script> && echo this is a CTF"
    flag = {"kind": "network", "subject": "m", "item": "regmap", "trial": 0, "line": 7}
    flags = {"counts": {"m": {"network": 60}}, "flags": [{**flag, "quote": quote}] * 60}
    made = made_run({"m": [0, 0, 0, 0]}).to_json()

    def page(result: dict[str, object]) -> str:
        with scoped(SYSTEM):
            row = Run.objects.get(id=run.id)
            row.state, row.result = "finished", result
            row.save()
        return read(evaluator, f"/runs/{run.id}/")

    assert "flagged nothing" in page(made)
    flagged = page({**made, "flags": flags})
    assert flagged.count("curl http://a.example/&lt;script&gt;alert(1)") == 50
    assert "<script>alert" not in flagged
    assert "60 in all" in flagged
    assert "no verdict" in flagged


def test_a_run_that_failed_goes_on(office: Fixture, evaluator: Client) -> None:
    run = runs.start_run(office.person("evaluator"), "daemons", references=["null"])
    with scoped(SYSTEM):
        run.state, run.error = "failed", "the <sandbox> went away"
        run.save()
    page = read(evaluator, f"/runs/{run.id}/")
    assert "The &lt;sandbox&gt; went away" in page
    assert "Go on where it stopped" in page
    send(evaluator, f"/runs/{run.id}/again/")
    assert "committed" in read(evaluator, f"/runs/{run.id}/")
    text = refused(evaluator, "/runs/new/", suite="daemons", seed=0, trials=1)
    assert "needs a session or a reference subject" in text


def test_an_assessment_is_shared_with_the_lab(story: OfficeStory) -> None:
    act = story.signed()
    officer = visitor(story.office, "reviewing-officer", email=PERSON)
    send(officer, f"/acts/{act}/terms/accept/", read="on")
    run = runs.start_run(story.evaluator, "daemons", references=["null"])
    runs.carry_out(run.id)
    with scoped(SYSTEM):
        Run.objects.filter(id=run.id).update(act_id=act)
    assert "Assessments" in read(officer, "/")
    made = send(officer, f"/runs/{run.id}/assessment/")
    assert "Share the assessment" in read(officer, "/")
    send(officer, f"{made}share/")
    sent = story.lab.received("assessment.shared")[-1]
    assert sent.body["document"]["format"].endswith("releasable")
    assert "Share again" in read(officer, made)
    other = visitor(story.office, "reviewing-officer", email="other@office.example")
    assert "terms does not name you" in read(other, "/assessments/")
    assert "daemons" in read(officer, "/assessments/")
    assert "daemons" not in read(other, "/assessments/")
    for page in ("/", "/assessments/"):
        assert made in read(officer, page)
        assert made not in read(other, page)


def pages_of(story: OfficeStory) -> list[str]:
    session = story.opened()
    with scoped(SYSTEM):
        act = Session.objects.get(id=session).act_id
    run = runs.start_run(story.evaluator, "daemons", references=["null"])
    with scoped(SYSTEM):
        made = Assessment(
            org_id=story.office.here.org, run=run, document={}, digest="d", made_at=OPENS
        )
        made.save(force_insert=True)
    return [
        *(f"/acts/{act}/", f"/acts/{act}/do/withdraw/", f"/acts/{act}/terms/"),
        *(f"/acts/{act}/window/", f"/acts/{act}/session/", f"/sessions/{session}/"),
        *("/runs/", f"/runs/{run.id}/", f"/runs/{run.id}/progress/", "/runs/new/"),
        *(f"/assessments/{made.id}/", f"/assessments/{made.id}/determination/"),
    ]


def test_another_tenant_finds_nothing(story: OfficeStory) -> None:
    urls = pages_of(story)
    client = stranger(story.office, "office")
    assert {url: client.get(url).status_code for url in urls} == dict.fromkeys(urls, 404)
    for url in ("/", "/acts/", "/sessions/", "/assessments/"):
        assert MODEL not in read(client, url)


def test_a_member_without_the_right_is_told_so(story: OfficeStory) -> None:
    urls = pages_of(story)
    auditor = visitor(story.office, "auditor")
    assert {url: auditor.get(url).status_code for url in urls} == dict.fromkeys(urls, 403)
    assert "Nothing waits for you" in read(auditor, "/")
    reader = visitor(story.office, "reader")
    changing = ("withdraw", "session", "new", "determination")
    for url in urls:
        want = 403 if url.rstrip("/").rsplit("/", 1)[1] in changing else 200
        assert reader.get(url).status_code == want, url


def test_signed_out_and_wrong_method(story: OfficeStory, evaluator: Client) -> None:
    for url in pages_of(story):
        answer = Client().get(url)
        assert (answer.status_code, "/login/" in answer.headers["Location"]) == (302, True), url
        assert evaluator.delete(url).status_code == 405, url
    with scoped(SYSTEM):
        run = Run.objects.get()
    assert evaluator.get(f"/runs/{run.id}/again/").status_code == 405
