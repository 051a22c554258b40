"""Benchmark runs of the office: committed, run by a job, metered, live, resumable.

Rules:
- What is run is committed to before the first sample (`run_commitments`), and nothing else runs.
- A run on a lab's model goes through an open session's proxy; the office counts the same calls.
- The credential is opened in memory when the job starts, and kept nowhere else.
- A run that was broken off goes on where it stopped; nothing paid for is asked for again.
- Of a sealed suite a run is made of the items that have exposures left; they open in memory while
  it runs, and what it records is sealed, under its act's key or its own (see `exposures`). Each is
  counted before it is shown to a subject, and none where the model can't be reached.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from vedette.bench.custody import custody_of
from vedette.bench.results import MeteredCall, RunResult
from vedette.bench.suites import Suite
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, MissingPart, NotFound, OurFault, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.kernel.sealing import key_of
from vedette.runner.runs import REFERENCES, Progress, SubjectSpec, plan_of, run_suite
from vedette.services import access_records, exposures, vault
from vedette.services.acting import Actor, act, instance_actor, reading
from vedette.services.binding import require_export, require_reading
from vedette.services.credentials import open_credential
from vedette.services.here import here
from vedette.services.jobs import job
from vedette.services.metering import Metered, record_calls
from vedette.services.run_commitments import commit, criterion_of, hidden_threshold, plan_in
from vedette.services.run_custody import Reached, reach, spec_of
from vedette.services.sides import only
from vedette.services.suites import Known, opened, row_of, suite_key, suites
from vedette.store.models import Run
from vedette.store.sealing import unreadable
from vedette.store.tenancy import SYSTEM, scoped

COMMITTED, RUNNING, FINISHED, FAILED = "committed", "running", "finished", "failed"
AWAY, DESTROYED = "away", "destroyed"
DEFAULT_REFERENCES = ("null", "random", "oracle", "libfuzzer")
SAVE_SECONDS = 0.5
OWN_BUSINESS = ("url", "told", "bundle")
"""What of a run's custody on record is for this instance alone, and no part of an assessment."""


def start_run(
    actor: Actor,
    suite: str,
    *,
    session_id: str = "",
    references: Sequence[str] = DEFAULT_REFERENCES,
    seed: int = 0,
    trials: int = 1,
    budget: dict[str, int] | None = None,
    custody: str = "",
    act_id: str = "",
    model: str = "",
    base_url: str = "",
    threshold: str = "",
) -> Run:
    """Commit to a run and have a job run it, or where its items leave have them wait for it.

    Args:
        suite: the name of a suite that is shipped or was taken in.
        session_id: an open session on a lab's model; without one only references run.
        references: reference subjects beside it.
        custody: one of `bench.custody`; "" for what the rest makes of it.
        act_id: the act that the model is under, where no session says it.
        model, base_url: the model and where the office itself serves it (weights-here).
        threshold: a share, committed to behind a nonce and sealed here; "" for none.
    """
    only(Profile.OFFICE, actor)
    if not 1 <= trials <= 100:
        raise BadInput("trials: 1 to 100 expected")
    found = find_known(suite)
    with act(actor, Permission.RUN_START) as doing:
        reached = reach(actor, custody, session_id, act_id, model, base_url)
        subjects = subjects_of(reached, references)
        run = Run(
            org_id=actor.org,
            act=reached.act,
            session=reached.session,
            suite=suite,
            suite_digest=found.digest,
            subjects=subjects,
            budget=budget or {},
            seed=seed,
            trials=trials,
            progress={"done": 0, "total": len(subjects) * found.count * trials, "events": []},
            started_by=actor.name,
            committed_at=doing.now,
            custody_record=reached.record,
        )
        if found.sealed:
            row = row_of(found.name, found.digest)
            suite_key(row)
            run.items = exposures.committed(doing, row, subjects, reached.custody, reached.act)
            run.progress["total"] = len(subjects) * len(run.items) * trials
        hidden = hidden_threshold(threshold)
        with opened(found.name, found.digest, run.items) as (items, _):
            plan = plan_of(
                items,
                [spec_of(subject, run) for subject in subjects],
                now=doing.now,
                seed=seed,
                trials=trials,
                budget=run.budget,
                custody=reached.custody,
                criterion=criterion_of(doing.here.pack, hidden),
                pack=doing.here.pack,
                run=run.id,
            )
        away = custody_of(plan.custody).away
        run.state = AWAY if away else COMMITTED
        commit(doing, run, plan, hidden)
        if not away:
            doing.after(carry_out, run_id=run.id)
        return run


def find_known(suite: str) -> Known:
    """The suite of this name that can be run here. Raises BadInput."""
    known = {each.name: each for each in suites()}
    if suite not in known:
        raise BadInput(f"suite: {suite[:40]!r} is none of {', '.join(known)}")
    return known[suite]


def subjects_of(reached: Reached, references: Sequence[str]) -> list[dict[str, str]]:
    """A run's subjects, the model first. Raises BadInput where there is none, or one not known."""
    unknown = sorted(set(references) - set(REFERENCES))
    if unknown:
        raise BadInput(f"references: {unknown[0][:40]!r} is none of {', '.join(REFERENCES)}")
    subjects = [{"name": name, "kind": "reference"} for name in dict.fromkeys(references)]
    if reached.model:
        subjects.insert(0, {"name": reached.model, "kind": "endpoint"})
    if not subjects:
        raise BadInput("a run needs a session or a reference subject")
    return subjects


@job(queue="long")
def carry_out(run_id: str) -> None:
    """Run what was committed. Called again after a break, it goes on where it stopped."""
    run = _begin(run_id)
    if run is None:
        return
    watch = _Watch(run)
    try:
        with opened(run.suite, run.suite_digest, run.items) as (suite, builds):
            result = run_suite(
                suite,
                _specs(run),
                out_dir=run_folder(run_id),
                plan=plan_in(run),
                progress=watch,
                cache_dir=builds,
                box=vault.box_for(run.kept_under, f"run/{run.id}"),
                pack=here().pack,
                now=here().clock.now,
                showing=_counter(run, suite) if run.items else None,
            )
    except (BadInput, Refused, MissingPart, NotFound) as error:
        _end(run_id, FAILED, error=str(error))
        return
    except OurFault as error:
        if run.items:  # its words may be an item's, and the queue keeps them unsealed
            raise OurFault("a run on sealed items broke off", kept=error.kept) from None
        raise
    if run.session_id:
        calls = [c for c in result.calls if c.subject == run.subjects[0]["name"]]
        record_calls(instance_actor(), run.session_id, [_metered(c) for c in calls])
        access_records.settle(run.act_id or "")
    _end(run_id, FINISHED, result=result)


def run_folder(run_id: str) -> Path:
    """Where a run's samples and logs lie on this instance."""
    return here().run_folder(run_id)


def _begin(run_id: str) -> Run | None:
    with act(instance_actor(), None) as doing:
        run = Run.objects.select_for_update().filter(id=run_id).first()
        if run is None or run.state not in (COMMITTED, RUNNING):
            return None
        if run.state == COMMITTED:
            run.state, run.started_at = RUNNING, doing.now
            run.save(update_fields=["state", "started_at"])
            doing.record(Event.BENCH_RUN_STARTED, run.id, run.commitment, marking=run.marking)
        return run


def _counter(run: Run, suite: Suite) -> Callable[[str, Sequence[str]], None]:
    """What counts items of a sealed suite before a subject is shown them."""
    numbers = dict(zip((item.id for item in suite.items), run.items, strict=True))

    def count(subject: str, items: Sequence[str]) -> None:
        with act(instance_actor(), None) as doing:
            exposures.record(doing, run, subject, [numbers[item] for item in items])

    return count


def _specs(run: Run) -> list[SubjectSpec]:
    specs = []
    for subject in run.subjects:
        if subject["kind"] == "reference" or run.session_id is None:
            specs.append(spec_of(subject, run))
            continue
        opened = open_credential(instance_actor(), run.session_id)
        specs.append(
            SubjectSpec(
                subject["name"],
                "endpoint",
                model=opened.model,
                base_url=opened.url,
                api_key=opened.credential,
                headers={"X-Vedette-Purpose": opened.purpose},
                model_args={"stream": True} if opened.dialect == "openai" else {},
                dialect=opened.dialect,
            )
        )
    return specs


class _Watch:
    """Keeps a run's progress in its row, a few times a second at most."""

    def __init__(self, run: Run) -> None:
        self.run_id = run.id
        self.box = vault.box_for(run.kept_under, f"run/{run.id}/events")
        self.events: list[str] = []
        self.saved = 0.0

    def __call__(self, step: Progress) -> None:
        self.events = [*self.events, f"{step.subject} · {step.item}: {step.event}"][-12:]
        now = time.monotonic()
        if now - self.saved < SAVE_SECONDS and step.done < step.total:
            return
        self.saved = now
        value: dict[str, Any] = {"done": step.done, "total": step.total, "events": self.events}
        if self.box is not None:
            value["events"] = []
            value["sealed"] = self.box.seal(json.dumps(self.events).encode()).decode()
        with scoped(SYSTEM):
            Run.objects.filter(id=self.run_id).update(progress=value)


def events_of(run: Run) -> list[str]:
    """The last things that happened in a run, oldest first; none where they no longer open."""
    sealed, key = run.progress.get("sealed"), vault.find_key(run.kept_under)
    if not sealed:
        return list(run.progress.get("events", []))
    if key is None or key.id != key_of(sealed):
        return []
    vault.log_reading(run.kept_under, "run", run.id)
    found: list[str] = json.loads(key.open(sealed, f"run/{run.id}/events"))
    return found


def _metered(call: MeteredCall) -> Metered:
    return Metered(
        call.request_id,
        parse_time(call.started_at, field="started_at"),
        call.status,
        call.input_tokens,
        call.output_tokens,
        round(call.seconds * 1000),
        call.refused,
        call.build,
    )


def _end(run_id: str, state: str, *, result: RunResult | None = None, error: str = "") -> None:
    with act(instance_actor(), None) as doing:
        run = Run.objects.select_for_update().get(id=run_id)
        if run.state == state:
            return
        run.state, run.finished_at, run.error = state, doing.now, error
        if result is not None:
            run.result = result.to_json()
            run.progress = {**run.progress, "done": len(result.samples)}
        run.save()
        payload = {"state": state, "result": result.digest if result else "", "error": error}
        doing.record(Event.BENCH_RUN_FINISHED, run.id, payload, marking=run.marking)


def again(actor: Actor, run_id: str) -> Run:
    """Go on with a run that failed; finished samples are kept."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.RUN_START) as doing:
        run = find_run(run_id)
        if run.state != FAILED:
            raise Refused(f"the run is {run.state}", kept="the run as it was")
        if run.items:
            exposures.check_rest(run)
        run.state, run.error = COMMITTED, ""
        run.save(update_fields=["state", "error"])
        doing.after(carry_out, run_id=run.id)
        return run


def find_run(run_id: str) -> Run:
    """The run of this id, among those in scope. Raises NotFound."""
    run = Run.objects.select_related("act", "act__peer", "session").filter(id=run_id).first()
    if run is None:
        raise NotFound(f"run {run_id[:40]!r} is not here")
    return run


def list_runs(actor: Actor) -> list[Run]:
    """Runs, newest first; without their results."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.RUN_READ):
        return list(
            Run.objects.select_related("act", "session").defer("result").order_by("-committed_at")
        )


def run_view(actor: Actor, run_id: str) -> Run:
    """One run with its result, for whom the terms of its window let read."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.RUN_READ):
        run = find_run(run_id)
        if run.act is not None:
            require_reading(actor, run.act)
        return run


def exported_result(actor: Actor, run_id: str) -> RunResult:
    """A finished run's result as a document of its own, where the terms let it leave the pages."""
    run = run_view(actor, run_id)
    if run.act is not None:
        with reading(actor, Permission.RUN_READ):
            require_export(actor, run.act)
    return result_of(run)


def result_of(run: Run) -> RunResult:
    """The result of a finished run. Raises Refused where it is not finished."""
    if run.state == DESTROYED:
        raise Refused(
            "what this run recorded was destroyed with the key of its window",
            kept="its commitment, its counts and its assessment",
        )
    if run.state != FINISHED:
        raise Refused(f"the run is {run.state}", next_step="wait until it is finished")
    if unreadable(run, "result"):
        raise Refused(
            "the key of this run's window is not here: its result can't be read",
            kept="the run's record and its assessment",
        )
    return RunResult.from_json(run.result)


def as_json(run: Run) -> dict[str, Any]:
    """A run for the API, without its samples."""
    counted = {name: value for name, value in run.progress.items() if name != "sealed"}
    times: dict[str, datetime | None] = {
        "committed_at": run.committed_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }
    return {
        "id": run.id,
        "suite": run.suite,
        "suite_digest": run.suite_digest,
        "custody": run.custody,
        "custody_record": run.custody_record,
        "commitment_digest": digest(canonical(run.commitment)) if run.commitment else "",
        "subjects": [subject["name"] for subject in run.subjects],
        "session": run.session_id,
        "act": run.act_id,
        "state": run.state,
        "progress": {**counted, "events": events_of(run)},
        "error": run.error,
        "marking": run.marking,
        "started_by": run.started_by,
        **{name: format_time(value) if value else None for name, value in times.items()},
    }
