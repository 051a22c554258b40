"""Run an Inspect task of another maker's by name: committed before, metered, resumable after.

The task is loaded twice, in Inspect processes of their own: to be described, so that a commitment
can name its items and their digest, and to be run. Its sandbox is the one that it asks for, or ours
where that is wished; one that isolates less than the pack asks is refused, and so is one that is
not to be had here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vedette.bench.assessment import solved_at as at_least
from vedette.bench.commitment import Commitment
from vedette.bench.custody import choose
from vedette.bench.isolation import Isolation, Level, asked, require
from vedette.bench.results import RunResult
from vedette.kernel.canonical import new_salt
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, MissingPart, OurFault
from vedette.kernel.ids import new_id
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.packs import PolicyPack, default_pack
from vedette.runner.executors import LocalPool
from vedette.runner.inspect.process import InspectProcess
from vedette.runner.isolation import measured
from vedette.runner.plans import SubjectSpec, check_plan
from vedette.runner.runfolder import RunFolder
from vedette.runner.runs import Progress, Running

PREFIX = "inspect:"
OURS = "vedette-bubblewrap"
BUDGET = ("tokens", "seconds")
# isolation that their makers state and nobody measured here
STATED = {"docker": Level.NAMESPACES, "k8s": Level.NAMESPACES}


def run_task(
    name: str,
    subjects: Sequence[SubjectSpec],
    *,
    out_dir: Path,
    marking: Marking = AMBER,
    own_sandbox: bool = False,
    trials: int = 1,
    budget: Mapping[str, int] | None = None,
    custody: str = "",
    solved_at: float = 1.0,
    progress: Callable[[Progress], None] | None = None,
    pack: PolicyPack | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> RunResult:
    """Run every subject on every sample of a task, `trials` times.

    Args:
        name: `PACKAGE/TASK` of an installed package, or `FILE.py@TASK`.
        marking: of the task's items, and so of the run.
        own_sandbox: run in bubblewrap whatever sandbox the task asks for, without its images.
        budget: tokens and seconds of a sample, in place of the task's own limits.
        custody: one of `bench.custody`; "" for what the subjects make of it.
        solved_at: from which score on a sample counts as solved, above 0 and at most 1; committed.

    Raises:
        BadInput: no such task, no or doubtful subjects, a budget that Inspect has no limit for, a
            score to count from that is none.
        Refused: what the task's sandbox isolates is less than the pack asks.
        MissingPart: the sandbox that the task asks for is not to be had here.
        OurFault: a subject's samples are missing at the end; running again goes on.
    """
    given = dict(budget or {})
    _check(subjects, trials, given, solved_at)
    task = _describe(name)
    isolation = _isolation(name, task, own_sandbox, asked(pack or default_pack(), marking), marking)
    plan = Commitment(
        suite={
            "name": f"{PREFIX}{name}",
            "version": task["version"],
            "title": task["title"],
            "digest": task["digest"],
            "marking": str(marking),
            "solved_at": f"{solved_at:g}",
        },
        subjects=tuple(subject.committed() for subject in subjects),
        budgets={item: dict(given) for item in task["items"]},
        seed=0,
        trials=trials,
        isolation=isolation,
        committed_at=format_time(now()),
        run=new_id("run"),
        custody=choose(custody, [subject.kind for subject in subjects]).name,
        nonce=new_salt(),
    )
    folder = RunFolder(out_dir, plan)
    try:
        job = {"task": name, "budget": given, "own_sandbox": own_sandbox, "solved_at": solved_at}
        run = Running(folder, subjects, progress or (lambda _: None), job)
        run.notes += _notes(task, plan.suite)
        with ExitStack() as stack:
            run.go(stack, stack.enter_context(LocalPool()))
        result = run.result(format_time(now()))
        folder.finish(result)
        return result
    finally:
        folder.close()


def _check(
    subjects: Sequence[SubjectSpec], trials: int, budget: Mapping[str, int], solved_at: float
) -> None:
    check_plan(subjects, trials, budget)
    if not 0 < solved_at <= 1:
        raise BadInput(f"solved at: {solved_at:g} is not above 0 and at most 1")
    for subject in subjects:
        if subject.single:
            raise BadInput(
                f"subject {subject.name[:60]!r}: knows our own items alone",
                next_step="for a task of Inspect name a model, or serve one at --subject-url",
            )
    for field in budget:
        if field not in BUDGET:
            raise BadInput(
                f"budget: {field}: Inspect has no such limit for a task of its own",
                next_step=f"of {', '.join(BUDGET)}",
            )


def _describe(name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="vedette-task-") as logs:
        process = InspectProcess({"task": name}, Path(logs))
        try:
            lines = list(process)
        finally:
            process.stop()
            process.close()
    for line in lines:
        if line["kind"] == "described":
            found: dict[str, Any] = line["task"]
            return found
        if line["kind"] == "refused":
            raise BadInput(line["why"], next_step=line["next_step"])
    raise OurFault(f"{PREFIX}{name}: the Inspect process said nothing of it")


def _isolation(
    name: str, task: Mapping[str, Any], own: bool, least: Level, marking: Marking
) -> dict[str, Any]:
    """What isolates the run, or why it can't be run: Refused, MissingPart."""
    kinds: list[str] = task["sandboxes"]
    if own and kinds:
        kinds = [OURS]
    elif task["absent"]:
        raise MissingPart(
            f"{PREFIX}{name}: asks for the sandbox {task['absent']}",
            kept="nothing was run",
            next_step=f"install it, or run it with --sandbox {OURS}, without the task's own images",
        )
    found = [_of(kind) for kind in kinds]
    why = f"the policy pack for a suite marked {marking}"
    for each, level in found:
        require(each, least, why=why, stated=level)
    levels = [max(each.level, level) for each, level in found]
    return {
        "level": min(levels).label if levels else Level.NONE.label,
        "level_asked": least.label,
        "sandbox": "; ".join(each.words for each, _ in found)
        or "none: the task asks for no sandbox and runs nothing in one",
        "network": "none" if kinds in ([], [OURS]) else "as the task's sandbox has it",
        "verification": "by the task's own scorer, in its own way",
    }


def _of(kind: str) -> tuple[Isolation, Level]:
    if kind == OURS:
        return measured(), Level.NONE
    stated = STATED.get(kind, Level.NONE)
    said = "as its maker states, not measured" if stated else "isolates nothing"
    return Isolation(f"sandbox {kind}, {said}"), stated


def _notes(task: Mapping[str, Any], suite: Mapping[str, Any]) -> list[str]:
    """What the figures of such a run don't show."""
    absent = len(task["items"]) - task["minutes_stated"]
    notes = [
        f"Items count as solved at {at_least(suite)} of the task's own scorer; nothing was executed"
        " again. Each sample keeps its score."
    ]
    if absent:
        notes.append(f"No human time is stated for {absent} of {len(task['items'])} items.")
    return notes
