"""An assessment is split where the model changed in the middle of its run: stated or found."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.bench.runs import ITEMS, result
from tests.services.flow import MODEL, OPENS, PERSON, OfficeStory, act_of, move, session_of

from vedette.bench.results import MeteredCall
from vedette.engagement.terms import Terms as Document
from vedette.kernel.clock import format_time
from vedette.kernel.ids import new_id
from vedette.services import acceptance, assessment_reports, assessments, runs
from vedette.services.testing import Fixture
from vedette.store.models import Assessment, Person, ProbeRound
from vedette.store.tenancy import SYSTEM, scoped

HOUR = timedelta(hours=1)
BUILDS = ("build-2222222222222222", "build-3333333333333333")
BEFORE, AFTER = list(ITEMS)[:2], list(ITEMS)[2:]


class Exporting(OfficeStory):
    """Under terms that let a report leave the pages."""

    def document(self, act_id: str) -> Document:
        return replace(super().document(act_id), export=True)


class Window:
    """An office's open session, a run on it, and what of its items is called when."""

    def __init__(self, office: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
        self.office, self._patch = office, monkeypatch
        self.story = Exporting.start(office)
        self.session = self.story.opened()
        self.act = str(session_of(self.session).act_id)
        self.eve = office.named(PERSON, "evaluator")
        acceptance.accept_terms(self.eve, self.act)

    def serve(self, build: str, name: str, since: datetime) -> None:
        """The lab says that it serves a build from now on."""
        told = {"act": self.act, "build": build, "model": MODEL, "name": name}
        body = {**told, "safeguards": "on", "since": format_time(since)}
        self.story.lab.send("build.served", body, thread=self.act)

    def probed(self, at: datetime, verdict: str, era: int) -> None:
        """The office's probes were answered, and fitted or not."""
        with scoped(SYSTEM):
            row = act_of(self.act)
            ProbeRound(
                id=new_id("round"),
                org_id=row.org_id,
                act=row,
                occasion=f"asked {at.hour}",
                at=at,
                until=at,
                state="taken",
                verdict=verdict,
                era=era,
            ).save(force_insert=True)

    def assessed(self, calls: dict[str, list[tuple[datetime, str]]]) -> Assessment:
        """The run's assessment, its items called when and as which build; the first half solved."""
        scores = [int(item in BEFORE) for item in ITEMS]
        made = replace(result({MODEL: scores}), calls=tuple(_calls(calls)))
        self._patch.setattr(runs, "run_suite", lambda *_, **__: made)
        run = runs.start_run(self.eve, "daemons", session_id=self.session, references=())
        move(self.office, OPENS + 8 * HOUR)
        runs.carry_out(run.id)
        return assessments.make_assessment(self.eve, run.id)


def _calls(calls: dict[str, list[tuple[datetime, str]]]) -> list[MeteredCall]:
    return [
        MeteredCall(new_id("call"), MODEL, item, 0, format_time(at), 200, 5, 3, 0.1, build)
        for item, moments in calls.items()
        for at, build in moments
    ]


def halves(first: tuple[datetime, str], second: tuple[datetime, str]) -> dict[str, Any]:
    return {**{item: [first] for item in BEFORE}, **{item: [second] for item in AFTER}}


def scores_of(made: Assessment) -> dict[str, tuple[int, str]]:
    return {s["name"]: (s["score"]["n"], s["score"]["estimate"]) for s in made.document["subjects"]}


@pytest.fixture
def window(office: Fixture, monkeypatch: pytest.MonkeyPatch) -> Window:
    return Window(office, monkeypatch)


def expect_apart(window: Window, made: Assessment, one: str, two: str) -> None:
    """Each half has its own score, in the document, on the report, on the page and at the lab."""
    names = [f"{MODEL} ({one})", f"{MODEL} ({two})"]
    found = scores_of(made)
    assert sorted(found) == sorted(names)
    assert found[names[0]] == (len(BEFORE), "1.0000"), "all solved before"
    assert found[names[1]] == (len(AFTER), "0.0000"), "and none since"
    report = assessment_reports.report(window.eve, made.id).data.decode()
    page = reader().get(f"/assessments/{made.id}/").content.decode()
    for name in names:
        assert name in report
        assert name in page
    assessments.share_assessment(window.story.officer, made.id)
    (message,) = window.story.lab.received("assessment.shared")
    assert sorted(s["name"] for s in message.body["document"]["subjects"]) == sorted(names)


def reader() -> Client:
    """Who accepted the terms, signed in."""
    client = Client()
    with scoped(SYSTEM):
        client.force_login(Person.objects.get(email=PERSON))
    return client


def test_by_the_builds_that_the_lab_states(window: Window) -> None:
    window.serve(BUILDS[0], "r7", OPENS)
    window.serve(BUILDS[1], "r8", OPENS + 2 * HOUR)
    calls = halves((OPENS + HOUR, BUILDS[0]), (OPENS + 3 * HOUR, BUILDS[1]))
    made = window.assessed(calls)
    expect_apart(window, made, "r7", "r8")
    assert any("The lab served 2 builds" in limit for limit in made.document["limits"])


def test_by_a_fingerprint_that_changed_though_the_lab_states_one_build(window: Window) -> None:
    window.serve(BUILDS[0], "r7", OPENS)
    for hours, verdict, era in ((0, "first", 0), (2, "same", 0), (4, "changed", 1)):
        window.probed(OPENS + hours * HOUR, verdict, era)
    calls = halves((OPENS + HOUR, BUILDS[0]), (OPENS + 5 * HOUR, BUILDS[0]))
    made = window.assessed(calls)
    expect_apart(window, made, "r7, fingerprint 1", "r7, fingerprint 2")
    assert any("fingerprint of the model changed 1 time" in x for x in made.document["limits"])


def test_what_lies_between_or_across_is_counted_with_neither(window: Window) -> None:
    window.serve(BUILDS[0], "r7", OPENS)
    window.serve(BUILDS[1], "r8", OPENS + 6 * HOUR)
    for hours, verdict, era in ((0, "first", 0), (4, "changed", 1)):
        window.probed(OPENS + hours * HOUR, verdict, era)
    doubtful, sure = (OPENS + 2 * HOUR, BUILDS[0]), (OPENS + 5 * HOUR, BUILDS[0])
    calls = halves(doubtful, sure)
    calls[AFTER[-1]] = [sure, (OPENS + 7 * HOUR, BUILDS[1])]
    assert set(scores_of(window.assessed(calls))) == {
        f"{MODEL} (r7, fingerprint 1 or 2)",
        f"{MODEL} (r7, fingerprint 2)",
        f"{MODEL} (more than one build)",
    }


def test_one_build_throughout_is_one_result(window: Window) -> None:
    window.serve(BUILDS[0], "r7", OPENS)
    window.probed(OPENS, "first", 0)
    window.probed(OPENS + 4 * HOUR, "same", 0)
    calls = halves((OPENS + HOUR, BUILDS[0]), (OPENS + 5 * HOUR, BUILDS[0]))
    assert set(scores_of(window.assessed(calls))) == {MODEL}
