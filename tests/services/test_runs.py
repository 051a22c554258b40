"""The office's runs: committed before, resumable, assessed, determined."""

from __future__ import annotations

import hashlib

import pytest

from vedette.bench.determination import Threshold
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.permissions import Profile
from vedette.services import assessment_reports, assessments, custody_views, runs, two_person
from vedette.services.acting import member, reading
from vedette.services.testing import Fixture
from vedette.store.models import LedgerEntry, Run
from vedette.store.tenancy import SYSTEM, scoped


def events(object_id: str) -> list[str]:
    with scoped(SYSTEM):
        rows = LedgerEntry.objects.filter(object_id=object_id).order_by("seq")
        return list(rows.values_list("event", flat=True))


def state(run_id: str) -> str:
    with scoped(SYSTEM):
        return str(Run.objects.get(id=run_id).state)


def test_a_run_is_committed_run_assessed_and_determined(office: Fixture) -> None:
    evaluator, officer = office.person("evaluator"), office.person("reviewing-officer")
    run = runs.start_run(evaluator, "daemons", references=["null", "oracle"], seed=1)
    assert events(run.id) == ["bench:run:committed"]
    with pytest.raises(Refused, match="committed"):
        assessments.make_assessment(evaluator, run.id)
    runs.carry_out(run.id)
    assert state(run.id) == "finished"
    assert events(run.id)[-1] == "bench:run:finished"
    runs.carry_out(run.id)
    assert events(run.id).count("bench:run:finished") == 1, "a repeated job changes nothing"

    made = assessments.make_assessment(evaluator, run.id)
    assert assessments.make_assessment(evaluator, run.id).id == made.id
    scores = {s["name"]: s["score"]["estimate"] for s in made.document["subjects"]}
    assert scores["oracle"].startswith("1")
    assert scores["null"].startswith("0")
    assert b"<svg" in assessment_reports.report(officer, made.id).data

    record = assessments.record_determination(
        officer,
        made.id,
        subject="oracle",
        threshold="0.05",
        maker="Director",
        why="the lower bound is above the threshold",
        consulted=[{"office": "Second Office", "view": "agrees", "on": "2026-12-01"}],
    )
    assert record.made_by == "Director"
    assert record.document["consulted"][0]["office"] == "Second Office"
    asked = custody_views.ask_threshold(officer, record.id, "to check the record")
    second = member(office.here.org, "a colleague", "reviewing-officer", host=True)
    _, opened = two_person.second(second, asked.id)
    assert opened["threshold"] == "0.05"
    again = Threshold.parse(opened["threshold"], opened["nonce"])
    assert again.digest == opened["digest"] == record.document["threshold_digest"]
    said = opened["check"].rpartition(": ")[2]
    by_hand = hashlib.sha256(bytes.fromhex(opened["nonce"]) + said.encode()).hexdigest()
    assert opened["digest"] == f"sha256:{by_hand}", "a third party needs no program of ours"
    with pytest.raises(Forbidden):
        custody_views.ask_threshold(evaluator, record.id, "")
    with pytest.raises(Refused, match="no lab"):
        assessments.share_assessment(officer, made.id)
    found, records = assessments.assessment_view(officer, made.id)
    assert (found.id, [r.id for r in records]) == (made.id, [record.id])


def test_bad_plans_are_named(office: Fixture) -> None:
    evaluator = office.person("evaluator")
    with pytest.raises(BadInput, match="references"):
        runs.start_run(evaluator, "daemons", references=["nobody"])
    with pytest.raises(BadInput, match="suite"):
        runs.start_run(evaluator, "../../etc")
    with pytest.raises(NotFound):
        runs.start_run(evaluator, "daemons", session_id="session-2222222222222222")


def test_who_may(office: Fixture) -> None:
    with pytest.raises(Forbidden):
        runs.start_run(office.person("auditor"), "daemons")
    other = office.organisation("Other Office", "office")
    stranger = office.person("evaluator", other.id)
    with pytest.raises(NotFound):
        runs.start_run(stranger, "daemons")
    with reading(stranger), pytest.raises(NotFound):
        runs.find_run("run-2222222222222222")


def test_a_lab_runs_nothing_here(lab: Fixture) -> None:
    assert lab.here.profile == Profile.LAB
    with pytest.raises(NotFound):
        runs.start_run(lab.person("administrator"), "daemons")
