"""What a run commits to: signed, told to the lab, kept to, and what departs from it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.bench.runs import ITEMS, sample
from tests.services.flow import MODEL, PERSON, LabStory, OfficeStory, session_of

from vedette.bench.commitment import Commitment, open_signed
from vedette.bench.custody import BY_NAME
from vedette.bench.results import RunResult
from vedette.exchange.access_rows import CUSTODIES
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.services import acceptance, assessments, run_commitments, runs
from vedette.services.testing import Fixture
from vedette.store.models import Act, LedgerEntry, Run, ToldCommitment
from vedette.store.tenancy import SYSTEM, scoped


def row_of(run_id: str) -> Run:
    with scoped(SYSTEM):
        return Run.objects.select_related("act", "act__peer").get(id=run_id)


@pytest.fixture
def window(office: Fixture) -> tuple[OfficeStory, str, Any]:
    story = OfficeStory.start(office)
    session = story.opened()
    person = office.named(PERSON, "evaluator")
    acceptance.accept_terms(person, str(session_of(session).act_id))
    return story, session, person


def test_a_run_on_a_labs_model_is_committed_to_and_the_lab_is_told_its_digest(
    window: tuple[OfficeStory, str, Any],
) -> None:
    story, session, person = window
    run = runs.start_run(
        person, "daemons", session_id=session, references=["null"], seed=7, threshold="0.35"
    )
    row = row_of(run.id)
    plan = run_commitments.plan_in(row)
    assert (plan.run, plan.custody, row.custody) == (run.id, "endpoint", "endpoint")
    assert [subject["name"] for subject in plan.subjects] == [MODEL, "null"]
    keys = story.office.here.keys.public
    document = open_signed(json.dumps(row.signed_commitment).encode(), source="c", signer=keys)
    assert Commitment.from_json(json.loads(document)) == plan

    (sent,) = story.lab.received("run.committed")
    assert sent.body["commitment"] == plan.digest
    assert sent.body["session"] == session
    assert sent.body["threshold_digest"] == plan.criterion.threshold_digest
    told = json.dumps(sent.body)
    assert "0.35" not in told
    assert not any(item in told for item in plan.budgets), "no item is named to the lab"
    assert str(plan.suite["digest"]) not in told
    with scoped(SYSTEM):
        entry = LedgerEntry.objects.get(object_id=run.id, event="bench:run:committed")
    assert entry.message_id == sent.id
    hidden = run_commitments.committed_threshold(row)
    assert hidden is not None
    assert (str(hidden.value), hidden.digest) == ("0.35", plan.criterion.threshold_digest)
    assert "0.35" not in json.dumps([row.commitment, row.sealed_threshold, row.custody_record])


def test_a_run_that_is_no_longer_what_was_committed_to_does_not_begin(office: Fixture) -> None:
    evaluator = office.person("evaluator")
    run = runs.start_run(evaluator, "daemons", references=["null"])
    with scoped(SYSTEM):
        changed = {**run.commitment, "subjects": [*run.commitment["subjects"], {"name": "oracle"}]}
        run.commitment = changed
        run.save(update_fields=["commitment"])
    runs.carry_out(run.id)
    found = row_of(run.id)
    assert found.state == "failed"
    assert "not the run that was committed to: subject dropped: oracle" in found.error


def as_committed(suite: Any, subjects: Any, *, plan: Commitment, **_: Any) -> RunResult:
    """A run as it was committed to, in which the oracle solves everything."""
    solved = {"oracle": 1}
    samples = [
        sample(subject.name, item, solved.get(subject.name, 0))
        for subject in subjects
        for item in ITEMS
    ]
    return RunResult(plan, tuple(samples), (), "2026-12-01T10:00:00Z")


def determined(office: Fixture, assessment: str, threshold: str) -> dict[str, Any]:
    officer = office.person("reviewing-officer")
    said = {"maker": "Director", "why": "it says so"}
    record = assessments.record_determination(
        officer, assessment, subject="oracle", threshold=threshold, **said
    )
    return dict(record.document)


def test_a_determination_names_what_was_committed_and_where_it_departs(
    office: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "run_suite", as_committed)
    evaluator = office.person("evaluator")
    run = runs.start_run(evaluator, "daemons", references=["null", "oracle"], threshold="0.40")
    runs.carry_out(run.id)
    made = assessments.make_assessment(evaluator, run.id)
    plan = run_commitments.plan_in(row_of(run.id))
    assert made.document["commitment_digest"] == plan.digest
    assert made.document["criterion"] == plan.criterion.to_json()
    assert made.document["custody"]["name"] == "here"
    for same in ("", "0.4", "0.40"):
        document = determined(office, made.id, same)
        assert document["departs"] == []
        assert document["threshold_digest"] == plan.criterion.threshold_digest
        assert document["committed"]["commitment_digest"] == plan.digest
    document = determined(office, made.id, "0.41")
    assert document["departs"] == ["made under another threshold than committed"]
    assert document["threshold_digest"] != document["committed"]["threshold_digest"]

    bare = runs.start_run(evaluator, "daemons", references=["null", "oracle"])
    runs.carry_out(bare.id)
    later = assessments.make_assessment(evaluator, bare.id)
    assert determined(office, later.id, "0.4")["departs"] == [
        "no threshold was committed to before the run"
    ]
    with pytest.raises(BadInput, match="threshold: must be given"):
        determined(office, later.id, "")
    kept = run_commitments.commitment_view(evaluator, run.id)
    assert kept["payloadType"] == "application/vnd.vedette.run-commitment+json"
    with pytest.raises(NotFound):
        run_commitments.commitment_view(evaluator, "run-2222222222222222")
    with pytest.raises(Forbidden):
        run_commitments.commitment_view(office.person("finder"), run.id)


def test_the_lab_keeps_what_it_was_told(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act = story.accepted()
    digest = "sha256:" + "a" * 64
    body = {
        "run": new_id("run"),
        "act": act,
        "commitment": digest,
        "custody": "items-there",
        "rule": "rule-1",
        "items": 4,
        "trials": 1,
        "committed": "2026-12-01T09:00:00Z",
    }
    for _ in range(2):
        story.office.send("run.committed", body, thread=act)
    with scoped(SYSTEM):
        (row,) = ToldCommitment.objects.all()
        assert (row.digest, row.act_id, row.document["items"]) == (digest, act, 4)
        assert list(Act.objects.get(id=act).commitments.all()) == [row]
    lead = lab.person("release-lead")
    same = {"run": body["run"], "commitment_digest": digest}
    assert run_commitments.told_before(lead, same).startswith("The same that the office told on")
    other = {**same, "commitment_digest": "sha256:" + "b" * 64}
    assert run_commitments.told_before(lead, other).startswith("Another than the office told on")
    assert "no commitment" in run_commitments.told_before(lead, {**same, "run": "run-x"})


@pytest.mark.any_database
def test_custody_takes_what_fits_and_names_what_is_missing(
    office: Fixture, window: tuple[OfficeStory, str, Any]
) -> None:
    _, session, person = window
    act = str(session_of(session).act_id)
    here = "http://127.0.0.1:8000/v1"
    cases: dict[str, dict[str, str]] = {
        "session: a run through": {"custody": "endpoint"},
        "session: a run with custody joint": {"custody": "joint", "session_id": session},
        "base_url: a run with custody joint": {"custody": "joint", "base_url": here},
        "act: a run with custody items-there": {"custody": "items-there", "model": "m"},
        "custody: a model was named": {"model": "m"},
        "custody: 'moon' is none of": {"custody": "moon"},
        "model: must be given": {"custody": "weights-here", "base_url": here},
        "is no http or https": {"custody": "weights-here", "base_url": "ftp://x", "model": "m"},
        "lies outside the office": {"base_url": "https://192.0.33.8/v1", "model": "m"},
        "threshold: must be a decimal": {"threshold": "half"},
    }
    for words, given in cases.items():
        with pytest.raises(BadInput, match=words):
            runs.start_run(person, "daemons", references=["null"], **given)
    with scoped(SYSTEM):
        assert not Run.objects.exists()
    away = runs.start_run(person, "daemons", references=[], custody="items-there", act_id=act)
    assert (away.state, away.subjects[0]["name"]) == ("away", MODEL)
    runs.carry_out(away.id)
    assert row_of(away.id).state == "away", "its items leave; nothing of it runs here"
    with pytest.raises(Refused):
        runs.again(person, away.id)
    assert set(CUSTODIES) == set(BY_NAME) - {"here"}
