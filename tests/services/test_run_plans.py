"""What a run would cost: the same as the run that is then committed to, and nothing written."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.services.flow import PERSON, OfficeStory, session_of
from tests.services.sealed_suites import Certified
from tests.services.test_exposures import begun, budget, taken, three
from tests.services.test_forecasts import Window, window

from vedette.bench.suites import find_suite
from vedette.kernel.errors import BadInput, Forbidden
from vedette.services import acceptance, unsealing
from vedette.services.run_plans import plan_run
from vedette.services.runs import start_run
from vedette.services.testing import Fixture
from vedette.store.models import Session
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["three", "window"]


def test_a_plan_tells_what_the_run_then_is(
    office: Fixture, three: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, holders = taken(office, three)
    ada = holders[0][0]
    budget(monkeypatch, here=5)
    begun(ada, suite, ("null", "oracle"))
    asked: dict[str, Any] = {"references": ["null", "oracle"], "trials": 2}
    with CaptureQueriesContext(connection) as done:
        told = plan_run(ada, suite.name, **asked)
    assert not [q for q in done if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert told["exposures"] == {"each": {"here": 2}, "all": 6, "used_up": 0, "left": 1}
    assert (told["items"], told["items_left_out"], told["samples"]) == (3, 0, 0)
    assert told["reference_samples"] == 12
    run = start_run(ada, suite.name, **asked)
    assert (len(run.items), run.progress["total"]) == (told["items"], told["reference_samples"])
    assert plan_run(ada, suite.name, **asked)["items"] == 0, "what waits is reserved"
    assert plan_run(ada, suite.name, references=["null"])["exposures"]["used_up"] == 3
    unsealing.take_back(ada, suite.id)
    assert "two keyholders" in plan_run(ada, suite.name, references=["null"])["hints"][0]


def test_a_lab_would_see_items_that_nobody_decided_on(office: Fixture, three: Certified) -> None:
    story = OfficeStory.start(office)
    session = session_of(story.opened())
    suite, _ = taken(office, three)
    eve = office.named(PERSON, "evaluator")
    acceptance.accept_terms(eve, session.act_id)
    told = plan_run(eve, suite.name, session_id=session.id, references=["null"])
    assert told["exposures"]["each"] == {"endpoint": 1, "here": 1}
    assert any("exposure decision" in hint for hint in told["hints"])
    assert (told["most_tokens"], told["most_seconds"]) == (None, None), "sealed with the items"
    capped = plan_run(eve, suite.name, session_id=session.id, budget={"tokens": 50}, trials=3)
    assert capped["most_tokens"] == 50 * 3 * 3


def test_what_samples_took_so_far_tells_what_more_will_take(window: Window) -> None:
    given: dict[str, Any] = {"session_id": window.session, "references": ["null"]}
    before = plan_run(window.eve, "daemons", **given)
    items = find_suite("daemons").items
    assert before["most_tokens"] == sum(item.budget["tokens"] for item in items)
    assert (before["likely_tokens"], before["chance"]) == (None, None)
    assert before["until"]
    assert before["tokens_left"] > 0
    window.run([1, 0, 1, 0])
    with scoped(SYSTEM):
        Session.objects.filter(id=window.session).update(tokens_used=400)
    after = plan_run(window.eve, "daemons", **given)
    assert (after["likely_tokens"], after["tokens_left"]) == (400, before["tokens_left"] - 400)


def test_the_chance_is_that_of_the_threshold_that_is_typed(window: Window) -> None:
    given: dict[str, Any] = {"session_id": window.session, "threshold": "0.10"}
    sure = plan_run(window.eve, "daemons", expected=0.95, spread=0.1, **given)
    even = plan_run(window.eve, "daemons", expected=0.10, spread=0.1, **given)
    assert float(sure["chance"]["meets"]["chance"]) > float(even["chance"]["meets"]["chance"])
    assert plan_run(window.eve, "daemons", expected=0.95, spread=0.1, **given) == sure


def test_it_refuses_what_a_start_refuses(office: Fixture) -> None:
    eve = office.person("evaluator")
    for wrong in ({}, {"references": ["stranger"]}, {"custody": "joint", "references": ["null"]}):
        with pytest.raises(BadInput):
            plan_run(eve, "daemons", **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="is none of"):
        plan_run(eve, "nowhere", references=["null"])
    with pytest.raises(Forbidden):
        plan_run(office.person("auditor"), "daemons", references=["null"])
