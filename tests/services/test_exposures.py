"""Exposures of sealed items: counted for every run and reader, budgeted, decided and signed."""

from __future__ import annotations

import dataclasses
import json
import shutil
import socket
from base64 import b64decode
from collections import Counter
from typing import Any

import pytest
from tests.services.flow import OfficeStory, session_of
from tests.services.sealed_suites import Certified, Holders, two_holders, unseal

from vedette.bench import assessment
from vedette.bench.disclosed import digest_of
from vedette.bench.suites import load_suite
from vedette.kernel import dsse
from vedette.kernel.bounds import Bounds
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.permissions import Profile
from vedette.services import (
    acceptance,
    assessments,
    exposure_views,
    exposures,
    releasable,
    reproduction,
    run_crashes,
    runs,
    two_person,
)
from vedette.services.acting import Actor, act, instance_actor, member
from vedette.services.releasable import check_releasable
from vedette.services.suites import row_of, take_suite
from vedette.services.testing import Fixture
from vedette.store.models import Exposure, ExposureDecision, LedgerEntry, Run, TakenSuite
from vedette.store.tenancy import SYSTEM, scoped

NAMES = ("example", "second", "third")
WIDE = dict.fromkeys(("endpoint", "here", "items-there", "joint", "view", "weights-here"), 100)


@pytest.fixture(scope="module")
def three(certified: Certified, tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """A suite of three items that are alike, and certificates as if each was tried."""
    suite, (one,) = certified
    root = tmp_path_factory.mktemp("three") / "suite"
    shutil.copytree(suite.root, root)
    for name in NAMES[1:]:
        shutil.copytree(root / NAMES[0], root / name)
        manifest = root / name / "item.toml"
        manifest.write_text(manifest.read_text().replace(f'"{NAMES[0]}"', f'"{name}"', 1))
    listed = root / "suite.toml"
    listed.write_text(listed.read_text().replace('["example"]', json.dumps(NAMES)))
    return load_suite(root), [dataclasses.replace(one, item=name) for name in NAMES]


def taken(office: Fixture, three: Certified) -> tuple[TakenSuite, Holders]:
    suite, made = three
    holders = two_holders(office)
    row = take_suite(holders[0][0], suite, made, seed=0)
    unseal(row, holders)
    return row_of(suite.name, suite.digest), holders


def begun(actor: Actor, suite: TakenSuite, references: tuple[str, ...] = ("null",)) -> Run:
    """A run that has begun and executes nothing here."""
    run = runs.start_run(actor, suite.name, references=references)
    found = runs._begin(run.id)
    assert found is not None
    shown(found)
    return found


def shown(run: Run) -> None:
    """All of a run's items are shown to all of its subjects."""
    with act(instance_actor(), None) as doing:
        exposures.record(doing, run)


def budget(monkeypatch: pytest.MonkeyPatch, **most: int) -> None:
    given = {**WIDE, **most}
    monkeypatch.setattr(exposures, "budgets", lambda: given)


def ledger(actor: Actor, suite: TakenSuite, **wanted: str) -> list[dict[str, Any]]:
    return exposure_views.ledger(actor, suite.id, **wanted)


def test_every_item_run_and_subject_is_counted_once(office: Fixture, three: Certified) -> None:
    suite, holders = taken(office, three)
    ada = holders[0][0]
    run = begun(ada, suite, ("null", "oracle"))
    assert runs._begin(run.id) is not None, "taken up again after a kill"
    with scoped(SYSTEM):
        run.state = "failed"
        run.save(update_fields=["state"])
    assert runs.again(ada, run.id).state == "committed"
    assert runs._begin(run.id) is not None, "begun again after a failure"
    shown(run)
    other = begun(ada, suite)
    rows = ledger(ada, suite)
    assert Counter((r["item"], r["run"], r["subject"]) for r in rows) == Counter(
        [(n, run.id, name) for n in (1, 2, 3) for name in ("null", "oracle")]
        + [(n, other.id, "null") for n in (1, 2, 3)]
    )
    assert {(r["custody"], r["could_see"].partition(":")[0]) for r in rows} == {("here", "nobody")}
    assert len(ledger(ada, suite, item="2")) == 3
    assert len(ledger(ada, suite, run=other.id)) == 3
    assert not ledger(ada, suite, custody="endpoint")
    with scoped(SYSTEM):
        events = LedgerEntry.objects.filter(object_id=run.id).values_list("event", flat=True)
        assert list(events).count("bench:items:exposed") == 1


def test_an_item_at_its_budget_is_in_no_further_run(
    office: Fixture, three: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, holders = taken(office, three)
    ada = holders[0][0]
    budget(monkeypatch, here=3)
    first = begun(ada, suite, ("null", "oracle"))
    assert first.items == [1, 2, 3]
    with pytest.raises(Refused, match="no item has exposures left"):
        runs.start_run(ada, suite.name, references=["null", "oracle"])
    with scoped(SYSTEM):
        Exposure.objects.filter(item__number=2).delete()
        Run.objects.filter(id=first.id).update(state="finished")
    second = begun(ada, suite)
    assert second.items == [1, 2, 3]
    third = begun(ada, suite, ("oracle",))
    assert third.items == [2], "the others have had three"
    plan = runs.plan_in(third)
    assert (list(plan.budgets), plan.suite["items"]) == (["second"], "2")
    assert plan.suite["digest"] == suite.digest
    seen = exposure_views.one(ada, suite.id)
    assert [item["left"] for item in seen["items_seen"]] == [0, 1, 0]
    assert (seen["retired"], seen["left"], seen["state"]) == (2, 1, "unsealed")
    with scoped(SYSTEM):
        assert exposures.remaining_for(suite, "here") == 1
        events = LedgerEntry.objects.filter(event="bench:item:retired").count()
    assert events == 2
    begun(ada, suite)
    with pytest.raises(Refused, match="no item has exposures left"):
        runs.start_run(ada, suite.name, references=["null"])
    assert exposure_views.one(ada, suite.id)["state"] == "used up"


def test_a_run_that_waits_has_its_exposures_reserved(
    office: Fixture, three: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, holders = taken(office, three)
    ada = holders[0][0]
    budget(monkeypatch, here=2)
    runs.start_run(ada, suite.name, references=["null"])
    with pytest.raises(Refused, match="no item has exposures left"):
        runs.start_run(ada, suite.name, references=["null", "oracle"])
    assert runs.start_run(ada, suite.name, references=["oracle"]).items == [1, 2, 3]
    with pytest.raises(Refused, match="no item has exposures left"):
        runs.start_run(ada, suite.name, references=["null"])
    assert exposure_views.one(ada, suite.id)["retired"] == 0, "nothing was exposed yet"


@pytest.mark.long
def test_a_run_that_reaches_nobody_spends_nothing(office: Fixture, three: Certified) -> None:
    suite, holders = taken(office, three)
    ada = holders[0][0]
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    run = runs.start_run(ada, suite.name, model="m", base_url=url, references=["null"])
    runs.carry_out(run.id)
    with scoped(SYSTEM):
        run = Run.objects.get(id=run.id)
    assert (run.state, ledger(ada, suite)) == ("failed", [])
    assert "can't be reached" in run.error


def test_items_are_counted_as_they_are_shown_and_the_rest_stays_reserved(
    office: Fixture, three: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, holders = taken(office, three)
    ada = holders[0][0]
    budget(monkeypatch, here=2)

    def part(opened: Any, *_: Any, showing: Any, **__: Any) -> Any:
        showing("null", [opened.items[0].id])
        showing("null", [opened.items[0].id])
        with pytest.raises(Refused, match="no item has exposures left"):
            runs.start_run(ada, suite.name, references=["null"])
        raise Refused("the sandbox is gone")

    monkeypatch.setattr(runs, "run_suite", part)
    first = runs.start_run(ada, suite.name, references=["null", "oracle"])
    runs.carry_out(first.id)
    assert [(r["item"], r["subject"]) for r in ledger(ada, suite)] == [(1, "null")]
    other = runs.start_run(ada, suite.name, references=["null"])
    assert other.items == [1, 2, 3], "one that failed holds nothing back"
    with pytest.raises(Refused, match="item 1 has no exposures left for this run"):
        runs.again(ada, first.id)
    with scoped(SYSTEM):
        Run.objects.filter(id=other.id).update(state="failed")
    assert runs.again(ada, first.id).state == "committed"


def test_who_opens_a_log_is_counted_once_a_person(office: Fixture, three: Certified) -> None:
    suite, holders = taken(office, three)
    ada = holders[0][0]
    run = begun(ada, suite)
    with scoped(SYSTEM):
        found = Run.objects.get(id=run.id)
        found.error = "what was seen of an item"
        found.save()
    readers = [office.person("evaluator"), member(office.here.org, "Dee", "evaluator", host=True)]
    for reader in [*readers, readers[0]]:
        with runs.reading(reader):
            assert runs.find_run(run.id).error
    views = ledger(ada, suite, custody="view")
    assert Counter((v["item"], v["could_see"]) for v in views) == Counter(
        (n, name) for n in (1, 2, 3) for name in ("a evaluator", "Dee")
    )
    assert exposure_views.one(ada, suite.id)["exposures"] == 9


def test_a_lab_sees_sealed_items_only_after_a_signed_decision(
    office: Fixture, three: Certified
) -> None:
    story = OfficeStory.start(office)
    session = session_of(story.opened())
    suite, _ = taken(office, three)
    officer, eve = story.officer, office.named("eve@office.example", "evaluator")
    acceptance.accept_terms(eve, session.act_id)
    start: dict[str, Any] = {"session_id": session.id, "references": ["null"]}
    with pytest.raises(Refused, match="open to the lab"):
        runs.start_run(eve, suite.name, **start)
    with pytest.raises(Refused, match="has a reason"):
        exposures.decide_sending(officer, suite.id, session.act_id, " ")
    with pytest.raises(Forbidden):
        exposures.decide_sending(eve, suite.id, session.act_id, "to measure")
    asked = exposures.decide_sending(officer, suite.id, session.act_id, "to measure")
    with pytest.raises(Refused):
        runs.start_run(eve, suite.name, **start)
    colleague = member(office.here.org, "a colleague", "reviewing-officer", host=True)
    two_person.second(colleague, asked.id)
    with pytest.raises(Refused, match="decided already"):
        exposures.decide_sending(officer, suite.id, session.act_id, "to measure")
    with scoped(SYSTEM):
        made = ExposureDecision.objects.get()
        entry = LedgerEntry.objects.filter(object_id=made.id).get()
    assert entry.event == "bench:exposure:decided"
    raw = json.dumps(made.envelope).encode()
    opened = dsse.open_envelope(raw, exposures.PAYLOAD_TYPE, source="it", bounds=Bounds())
    assert opened.verify(office.here.keys.public)
    told = json.loads(opened.payload)
    assert (told["why"], told["act"], told["suite"]["digest"]) == (
        "to measure",
        session.act_id,
        suite.digest,
    )
    assert "seconded by a colleague" in told["by"]
    run = runs.start_run(eve, suite.name, **start)
    shown(run)
    rows = ledger(officer, suite, custody="endpoint")
    assert [row["item"] for row in rows] == [3, 2, 1]
    assert {row["could_see"] for row in rows} == {"Lab, which operates the endpoint"}


@pytest.mark.any_database
def test_a_crash_goes_out_only_after_its_items_decision(
    office: Fixture, three: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = office.peer("Clearing", Profile.CLEARINGHOUSE)
    suite, holders = taken(office, three)
    (ada, _), officer = holders[0], office.person("reviewing-officer")
    run = runs.start_run(ada, suite.name, references=["oracle"])
    runs.carry_out(run.id)
    with scoped(SYSTEM):
        run.refresh_from_db()
        run.subjects = [{"name": "oracle", "kind": "endpoint"}]
        run.save(update_fields=["subjects"])
    with pytest.raises(Refused, match="items are not public"):
        run_crashes.report_crashes(ada, run.id)
    with pytest.raises(NotFound):
        exposures.decide_disclosing(officer, run.id, "fourth", "it is found elsewhere")
    with pytest.raises(Forbidden):
        exposures.decide_disclosing(ada, run.id, "second", "it is found elsewhere")
    asked = exposures.decide_disclosing(officer, run.id, "second", "it is found elsewhere")
    with pytest.raises(Refused, match="items are not public"):
        run_crashes.report_crashes(ada, run.id)
    assert house.received() == []
    two_person.second(member(office.here.org, "B", "reviewing-officer", host=True), asked.id)
    found = run_crashes.report_crashes(ada, run.id)
    assert [finding.recipe["item"] for finding in found] == ["second"]
    (sent,) = house.received("finding.reported")
    with scoped(SYSTEM):
        signed = exposures.signed(ExposureDecision.objects.get(kind="disclose"))
    recipe, build = sent.body["recipe"], sent.body["build"]
    assert signed["build"] == recipe["build"] == digest_of(build)
    item = three[0].items[0]
    told = json.dumps([sent.body, *map(b64decode, build["files"].values())], default=repr)
    for text in (item.title, item.summary, item.prompt[:40], three[0].canary):
        assert text not in told
    assert reproduction.execute(recipe, build)["reproduced"], "enough to reproduce it elsewhere"
    with pytest.raises(BadInput, match="not the build that it names"):
        reproduction.execute(recipe, {**build, "more": ""})
    with pytest.raises(BadInput, match="did not come with the finding"):
        reproduction.execute(recipe)
    seen = exposure_views.one(ada, suite.id)["items_seen"]
    assert [item["why"] for item in seen] == ["", "disclosed", ""]
    assert begun(ada, suite).items == [1, 3]
    limits = [three[0].items[0].prompt[:200]]
    with pytest.raises(Refused, match="words of an item"):
        assessments.make_assessment(officer, run.id, limits)
    with scoped(SYSTEM):
        noted = {**run.result, "notes": [f"error: {limits[0]}"]}
        run.result = noted
        run.save(update_fields=["result"])
    made = assessments.make_assessment(officer, run.id, ["Few items."])
    with scoped(SYSTEM):
        check_releasable(run, made.document)
        check_releasable(run, assessments.assessed_again(made).releasable())
    assert "Few items." in made.document["limits"]
    assert releasable.LEFT_OUT in made.document["notes"]
    assert made.document["flags"]["flags"] == []
    monkeypatch.setattr(assessment, "_limits", lambda *_: ["Said otherwise by a later version."])
    with scoped(SYSTEM):
        assert assessments.assessed_again(made).digest == made.digest


def test_what_leaves_is_looked_through_and_fails_closed(office: Fixture, three: Certified) -> None:
    suite, holders = taken(office, three)
    run = begun(holders[0][0], suite)
    check_releasable(run, {"limits": ["A sentence of one's own."]})
    for text in (three[0].canary, "it is second", three[0].items[0].summary):
        with pytest.raises(Refused, match="nothing was sent"):
            check_releasable(run, {"limits": [f"and {text}"]})
    with scoped(SYSTEM):
        suite.guard = ""
        suite.save()
    with pytest.raises(BadInput):
        check_releasable(run, {})


def test_who_may_look(office: Fixture, three: Certified) -> None:
    suite, _ = taken(office, three)
    other = office.person("evaluator", office.organisation("Other Office", "office").id)
    for look in (
        lambda who: exposure_views.overview(who),
        lambda who: exposure_views.one(who, suite.id),
        lambda who: exposure_views.ledger(who, suite.id),
    ):
        with pytest.raises(Forbidden):
            look(office.person("auditor"))
        with pytest.raises(NotFound):
            look(other)
    with pytest.raises(NotFound):
        exposure_views.one(office.person("evaluator"), "suite-2222222222222222")
