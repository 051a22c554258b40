"""Forecasts of a window: planned by who may know the threshold, sealed, anew each day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.bench.runs import ITEMS, result
from tests.services.flow import CLOSES, MODEL, OPENS, PERSON, OfficeStory, move, session_of
from tests.services.running import run_jobs

from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.services import acceptance, forecasts, runs
from vedette.services.acting import Actor
from vedette.services.testing import Fixture
from vedette.store.models import Forecast, Person
from vedette.store.tenancy import SYSTEM, scoped

DAY = timedelta(days=1)
GIVEN = forecasts.Given(expected=0.9, per_day=10, tokens_each=100, exposures=4)


class Window:
    """An office's open window, and an officer whom its terms name."""

    def __init__(self, office: Fixture, patch: pytest.MonkeyPatch) -> None:
        self.office, self.patch = office, patch
        self.story = OfficeStory.start(office)
        self.session = self.story.opened()
        self.act = str(session_of(self.session).act_id)
        self.eve = office.named(PERSON, "evaluator")
        self.officer = office.named(PERSON, "reviewing-officer")
        acceptance.accept_terms(self.eve, self.act)
        patch.setattr(forecasts, "DRAWS", 20)

    def plan(self, threshold: str = "0.37", **changes: Any) -> forecasts.Planned:
        given = forecasts.Given.from_json({**GIVEN.to_json(), **changes})
        forecasts.plan_window(self.officer, self.act, "daemons", threshold=threshold, given=given)
        return self.read()

    def read(self) -> forecasts.Planned:
        return forecasts.forecasts_of(self.officer, self.act)[0]

    def run(self, scores: list[int], *, broken: int = 0) -> None:
        whole = result({MODEL: scores})
        off = [replace(s, ended="error: nobody answers") for s in whole.samples[:broken]]
        came = replace(whole, samples=(*off, *whole.samples[broken:]))
        self.patch.setattr(runs, "run_suite", lambda *_, **__: came)
        made = runs.start_run(self.eve, "daemons", session_id=self.session, references=())
        runs.carry_out(made.id)


@pytest.fixture
def window(office: Fixture, monkeypatch: pytest.MonkeyPatch) -> Window:
    return Window(office, monkeypatch)


def test_it_is_planned_from_what_is_left(window: Window) -> None:
    planned = window.plan()
    left = planned.curve["left"]
    assert (left["items"], left["exposures"], left["tokens"]) == (4, 4, 1_000_000)
    assert float(left["days"]) == pytest.approx(30, abs=0.1)
    assert [day["at"] for day in planned.days] == [OPENS.date().isoformat()]
    again = window.plan(exposures=1)
    assert again.row.id != planned.row.id
    assert [each.row.id for each in forecasts.forecasts_of(window.officer, window.act)] == [
        again.row.id
    ]
    assert (again.curve["binds"], again.curve["points"][-1]["items"]) == ("exposures", 1)


def test_of_a_sealed_suite_the_exposure_ledger_says_how_many_are_left(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = replace(forecasts.suite_of("daemons", ""), id="suite-2222222222222222")
    monkeypatch.setattr(forecasts, "suite_of", lambda *_: sealed)
    monkeypatch.setattr(forecasts, "row_of", lambda *_: "the suite")
    left = {("the suite", "endpoint"): 3}
    monkeypatch.setattr(forecasts, "remaining_for", lambda *asked: left[asked])
    assert window.plan(exposures=None).curve["left"]["exposures"] == 3
    assert window.plan(exposures=2).curve["left"]["exposures"] == 2


def test_neither_threshold_nor_chance_lies_open(window: Window) -> None:
    window.plan()
    with scoped(SYSTEM):
        row = Forecast.objects.get()
    stored = repr({f.name: getattr(row, f.attname) for f in row._meta.concrete_fields})
    assert "0.37" not in stored
    assert "chance" not in stored
    assert "threshold" not in repr(forecasts.as_json(window.read()))


def test_each_day_counts_what_came_in_and_the_end_ends_it(window: Window) -> None:
    planned = window.plan()
    window.run([1, 1, 0, 1])
    move(window.office, OPENS + DAY)
    run_jobs()
    forecasts.plan_again(planned.row.id)
    now = window.read()
    assert [day["at"] for day in now.days] == [
        (OPENS + n * DAY).date().isoformat() for n in range(2)
    ], "the same day again changes nothing more"
    assert [day["samples_taken"] for day in now.days] == [0, len(ITEMS)]
    assert now.row.given == planned.row.given
    assert float(now.curve["left"]["days"]) < float(planned.curve["left"]["days"])
    move(window.office, CLOSES + DAY)
    run_jobs()
    over = window.read()
    assert over.row.ended_at is not None
    assert [day["at"] for day in over.days] == [day["at"] for day in now.days]
    with pytest.raises(Refused, match="no window"):
        window.plan()


def test_samples_that_broke_off_tell_nothing(window: Window) -> None:
    before = window.plan(exposures=None)
    window.run([0, 0, 0, 0], broken=4)
    now = window.plan(exposures=None)
    assert now.curve["samples_taken"] == 0
    assert now.curve["points"] == before.curve["points"], "as if nothing had been asked"
    window.run([1, 1, 0, 1], broken=1)
    assert window.plan(exposures=None).curve["samples_taken"] == 3


def test_who_may(window: Window) -> None:
    window.plan()

    def plan(actor: Actor, act_id: str = window.act, suite: str = "daemons") -> None:
        forecasts.plan_window(actor, act_id, suite, threshold="0.5", given=GIVEN)

    with pytest.raises(Forbidden):
        plan(window.eve)
    with pytest.raises(Forbidden):
        forecasts.forecasts_of(window.eve, window.act)
    other = window.office.organisation("Other Office", "office")
    stranger = window.office.person("reviewing-officer", other.id)
    with pytest.raises(NotFound):
        plan(stranger)
    with pytest.raises(NotFound):
        forecasts.forecasts_of(stranger, window.act)
    with pytest.raises(BadInput, match="suite"):
        plan(window.officer, suite="../etc")
    with pytest.raises(NotFound):
        plan(window.officer, "act-2222222222222222")


def test_bad_input_changes_nothing(window: Window) -> None:
    kept = window.plan()
    for threshold, changes, field in (
        ("1.5", {}, "threshold"),
        ("0.5", {"expected": 1}, "expected"),
        ("0.5", {"per_day": 0}, "per_day"),
        ("0.5", {"trials": 0}, "trials"),
    ):
        with pytest.raises(BadInput, match=field):
            window.plan(threshold, **changes)
    assert window.read().row.id == kept.row.id


def test_the_page_plans_and_shows_it(window: Window) -> None:
    with scoped(SYSTEM):
        person = Person.objects.get(id=window.officer.person)
    client = Client()
    client.force_login(person)
    at = f"/acts/{window.act}/forecast/"
    assert "Nothing is planned" in client.get(at).content.decode()
    asked = {**GIVEN.to_json(), "suite": "daemons", "threshold": "0.37"}
    bad = client.post(f"{at}new/", {**asked, "expected": "2"})
    assert b"less than or equal to 0.999" in bad.content
    made = client.post(f"{at}new/", asked)
    assert made.status_code == 302
    page = client.get(at).content.decode()
    assert "4 items, 400 tokens" in page
    assert "0.37" not in page
    assert at in client.get(f"/acts/{window.act}/").content.decode()
    assert client.post(at).status_code == 405
