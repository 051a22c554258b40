"""Run a suite on subjects: committed before, metered and verified while, resumable after.

`run_suite` is a plain blocking call. It may be called from any thread, several at once on different
folders; it needs no event loop and leaves the caller's alone (Inspect runs in a process of its
own). Samples and calls are on disk before `progress` hears of them, `progress` is only ever called
in the calling thread, and an exception out of `progress` stops the run, which can then be resumed.
"""

from __future__ import annotations

import dataclasses
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vedette.bench.commitment import Commitment
from vedette.bench.results import MeteredCall, RunResult, Sample
from vedette.bench.suites import Suite
from vedette.bench.transcripts import scan_result
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, OurFault
from vedette.kernel.executor import Executor
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.packs import PolicyPack
from vedette.kernel.sealing import Box
from vedette.kernel.words import counted
from vedette.runner.certify import check_suite
from vedette.runner.executors import LocalPool
from vedette.runner.harness import Harness
from vedette.runner.inspect.process import InspectProcess
from vedette.runner.native import default_cache
from vedette.runner.plans import REFERENCES, SERVED, SubjectSpec, check_kept, plan_of
from vedette.runner.private import scratch_beside
from vedette.runner.reach import unreachable
from vedette.runner.runfolder import RunFolder
from vedette.runner.subjects.job import Job
from vedette.runner.subjects.reference import run_reference
from vedette.runner.subjects.server import served

__all__ = ["REFERENCES", "SERVED", "Progress", "SubjectSpec", "plan_of", "run_suite"]


@dataclass(frozen=True)
class Progress:
    """Where a run stands: samples done of total, and the last thing that happened."""

    subject: str
    item: str
    trial: int
    done: int
    total: int
    event: str


def run_suite(
    suite: Suite,
    subjects: Sequence[SubjectSpec],
    *,
    out_dir: Path,
    seed: int = 0,
    trials: int = 1,
    budget: Mapping[str, int] | None = None,
    progress: Callable[[Progress], None] | None = None,
    cache_dir: Path | None = None,
    executor: Executor | None = None,
    box: Box | None = None,
    pack: PolicyPack | None = None,
    plan: Commitment | None = None,
    signer: PrivateKeys | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    showing: Callable[[str, Sequence[str]], None] | None = None,
) -> RunResult:
    """Run every subject on every item, `trials` times.

    Args:
        out_dir: the run's folder; a run broken off there goes on where it stopped.
        budget: in place of the items' own: tool_calls, executions, tokens, seconds.
        progress: called in this thread after each event and each sample.
        cache_dir: where builds are kept between runs.
        executor: for the reference subjects; a local pool where not given, then ended here.
        box: seals what the folder keeps (see `runfolder`).
        pack: the rules in force, the shipped pack where not given.
        plan: what was committed to (`plan_of`); seed, trials and budget are then its own.
        signer: signs the commitment, into the folder, before the first sample.
        now: tells the time.
        showing: called in this thread with a subject and items before any of them is shown to it;
            not where nobody is at the model's address: the run then stops, and can go on.

    Raises:
        BadInput: no or doubtful subjects, an unknown budget, a folder with another run, models
            that nobody serves; running again goes on.
        Refused: an item of the suite does not certify, this is not what was committed to, or this
            machine isolates less than the pack asks for a suite of its marking.
        MissingPart: bubblewrap or a compiler is not installed.
        OurFault: a subject's samples are missing at the end; running again goes on.
    """
    cache_dir = (cache_dir or default_cache()).resolve()
    if plan is None:
        plan = plan_of(
            suite, subjects, now=now(), seed=seed, trials=trials, budget=budget, pack=pack
        )
    notes = check_kept(plan, suite, subjects)
    check_suite(suite, cache_dir)
    harness = Harness(suite, cache_dir)
    beside = scratch_beside(cache_dir)
    folder = RunFolder(out_dir, plan, box, beside / "logs" if beside else None)
    try:
        if signer is not None:
            folder.sign(signer)
        job = {
            "harness": dataclasses.asdict(harness.ref),
            "items": list(harness.items),
            "budgets": plan.to_json()["budgets"],
            "seed": plan.seed,
            "asks": showing is not None,
        }
        run = Running(folder, subjects, progress or (lambda _: None), job, harness, showing)
        run.notes += notes
        with ExitStack() as stack:
            run.go(stack, executor or stack.enter_context(LocalPool()))
        result = run.result(format_time(now()))
        folder.finish(result)
        return result
    finally:
        folder.close()


class Running:
    """One run under way: starts what is missing, and takes in what comes, in one thread.

    `job` is what the Inspect process is told of the run; `harness` is there for subjects without a
    model.
    """

    def __init__(
        self,
        folder: RunFolder,
        subjects: Sequence[SubjectSpec],
        progress: Callable[[Progress], None],
        job: Mapping[str, Any],
        harness: Harness | None = None,
        showing: Callable[[str, Sequence[str]], None] | None = None,
    ) -> None:
        self.showing = showing or (lambda subject, items: None)
        self.urls: dict[str, str] = {}
        self.process: InspectProcess | None = None
        self.folder, self.subjects, self.job, self.harness = folder, subjects, job, harness
        self.progress = progress
        self.plan = folder.commitment
        self.done = {sample.key for sample in folder.samples}
        self.total = len(subjects) * len(self.plan.budgets) * self.plan.trials
        self.arrived: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.notes: list[str] = []

    def go(self, stack: ExitStack, executor: Executor) -> None:
        """Run what is not done yet, until all of it has ended."""
        open_sources = self._start_inspect(stack) + self._start_references(stack, executor)
        while open_sources:
            kind, value = self.arrived.get()
            if kind == "ended":
                open_sources -= 1
                if value is not None:
                    raise value
            else:
                self._take(kind, value)

    def result(self, finished_at: str) -> RunResult:
        missing = self.total - len(self.done)
        if missing:
            raise OurFault(
                f"{missing} of {self.total} samples did not come: {'; '.join(self.notes)[:300]}",
                kept="the samples that were finished",
                next_step="run the same command again to go on",
            )
        order = {subject.name: index for index, subject in enumerate(self.subjects)}
        samples = sorted(self.folder.samples, key=lambda s: (order[s.subject], s.item, s.trial))
        result = RunResult(
            self.plan, tuple(samples), tuple(self.folder.calls), finished_at, tuple(self.notes)
        )
        found = scan_result(result, [self.harness.suite.canary] if self.harness else [])
        return dataclasses.replace(result, flags=found.to_json())

    def _wanted(self, subject: str) -> Iterator[tuple[str, int]]:
        for item in self.plan.budgets:
            for trial in range(self.plan.trials):
                if (subject, item, trial) not in self.done:
                    yield item, trial

    def _start_references(self, stack: ExitStack, executor: Executor) -> int:
        futures: list[Future[Sample]] = []
        for subject in self.subjects:
            if not subject.single or self.harness is None:
                continue
            wanted = list(self._wanted(subject.name))
            self.showing(subject.name, list(dict.fromkeys(item for item, _ in wanted)))
            for item, trial in wanted:
                budget = self.plan.budgets[item]
                job = Job(
                    subject.name,
                    self.harness.ref,
                    item,
                    trial,
                    self.plan.seed,
                    dict(budget),
                    str(subject.folder or ""),
                    str(self.plan.isolation["level_asked"]),
                )
                futures.append(executor.submit(run_reference, job))
        stack.callback(lambda: [future.cancel() for future in futures])
        for future in futures:
            future.add_done_callback(self._reference_ended)
        return len(futures)

    def _reference_ended(self, future: Future[Sample]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self.arrived.put(("sample", future.result()))
        self.arrived.put(("ended", error))

    def _start_inspect(self, stack: ExitStack) -> int:
        subjects = []
        for subject in self.subjects:
            wanted = list(self._wanted(subject.name))
            if wanted and not subject.single:
                subjects.append({**self._address(subject, stack), "wanted": wanted})
        if not subjects:
            return 0
        self.urls = {subject["name"]: subject["base_url"] for subject in subjects}
        models = [s.name for s in self.subjects if s.kind != "reference"]
        self._check_reachable([url for name, url in self.urls.items() if name in models])
        job = {
            **self.job,
            "subjects": subjects,
            "logs": str(self.folder.logs),
            "at_once": 2 * (os.cpu_count() or 1),
        }
        process = self.process = InspectProcess(job, self.folder.logs)
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        reader.start()
        for step in (process.close, reader.join, process.stop):
            stack.callback(step)
        return 1

    def _check_reachable(self, urls: Sequence[str]) -> None:
        """Raise BadInput where each model is at an address, and nobody at any of them."""
        reasons = {url: unreachable(url) for url in urls if url}
        if not urls or not all(urls) or not all(reasons.values()):
            return
        url, why = next(iter(reasons.items()))
        kept = counted(len(self.done), "finished sample") if self.done else "the commitment"
        raise BadInput(
            f"the model's address {url} can't be reached: {why}",
            kept=kept,
            next_step="see that it is served there, then run it again",
        )

    def _address(self, subject: SubjectSpec, stack: ExitStack) -> dict[str, Any]:
        """Return the subject for the child; a stand-in by name is served here for the run."""
        if subject.kind == "reference":
            server = stack.enter_context(served(subject.name))
            subject = dataclasses.replace(
                subject, kind="endpoint", model=subject.name, base_url=server.url
            )
        value = {f.name: getattr(subject, f.name) for f in dataclasses.fields(subject)}
        return {**value, "headers": dict(subject.headers), "model_args": dict(subject.model_args)}

    def _read(self, process: InspectProcess) -> None:
        error: BaseException | None = None
        try:
            for line in process:
                match line["kind"]:
                    case "sample":
                        self.arrived.put(("sample", Sample.from_json(line["sample"])))
                    case "call":
                        self.arrived.put(("call", MeteredCall.from_json(line["call"])))
                    case kind:
                        self.arrived.put((kind, line))
        except BaseException as failure:
            error = failure
        self.arrived.put(("ended", error))

    def _take(self, kind: str, value: Any) -> None:
        match kind:
            case "sample" if value.key not in self.done:
                self.done.add(value.key)
                self.folder.add_sample(value)
                outcome = "solved" if value.score else "not solved"
                outcome += "" if value.partial is None else f" at {value.partial:g}"
                self._tell(value.subject, value.item, value.trial, f"{outcome} ({value.ended})")
            case "call":
                self.folder.add_call(value)
                if value.odd and not value.status:
                    self._tell(value.subject, value.item, value.trial, value.odd)
            case "event":
                self._tell(value["subject"], value["item"], value["trial"], value["event"])
            case "shows":
                self._show(*value["key"])
            case "failed":
                self.notes.append(value["why"])

    def _show(self, subject: str, item: str, trial: int) -> None:
        """Let the child show an item to a subject, after whoever counts that."""
        self._check_reachable([self.urls[subject]])
        self.showing(subject, [item])
        assert self.process is not None
        self.process.answer([subject, item, trial])

    def _tell(self, subject: str, item: str, trial: int, event: str) -> None:
        self.progress(Progress(subject, item, trial, len(self.done), self.total, event))
