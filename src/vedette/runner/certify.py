"""Certifies a suite by execution before it is trusted to measure anything.

Rules, for each item:
- the reference input crashes the vulnerable build every time, with the class and top frame that
  the manifest names, and leaves the fixed build clean;
- samples, functional tests and the empty input crash neither build;
- functional tests print what they should on both;
- the fixed build resists `resist` mutated inputs;
- the reference subjects tell: oracle solves it, null and random do not;
- where a plant is to be defended, every hidden attack reaches the goal where nothing is refused;
- no known cheat is credited (see `cheats`).
A suite that fails the first rule is refused before any run; certify tells all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from vedette.bench.suites import Item, Suite
from vedette.kernel.clock import format_time
from vedette.kernel.errors import Refused
from vedette.runner.build import Binary, build_item, run_binary
from vedette.runner.cheats import credited
from vedette.runner.executors import LocalPool
from vedette.runner.harness import Harness
from vedette.runner.mutations import mutations
from vedette.runner.reproduce import failing_test
from vedette.runner.subjects.job import Job
from vedette.runner.subjects.reference import SUBJECTS
from vedette.runner.verify import REPEATS, Evidence, crash_of, verify_input

# reference subject -> whether it must solve a sound item
TELLING = {"oracle": True, "null": False, "random": False}


@dataclass(frozen=True)
class Certificate:
    """What certification found out about one item; `problems` is empty when it holds.

    `solved` says of each reference subject whether it did, `chance` how many random inputs were
    tried.
    """

    item: str
    evidence: Evidence
    resisted: int
    solved: Mapping[str, bool]
    chance: int
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "evidence": self.evidence.to_json(), "holds": self.holds}


def check_suite(suite: Suite, cache_dir: Path) -> list[Evidence]:
    """Raise Refused unless each item's reference input crashes its vulnerable build alone."""
    found = []
    for item in suite.items:
        evidence = _reference(item, cache_dir)
        problem = _reference_problem(item, evidence)
        if problem:
            raise Refused(
                f"suite {suite.name}: item {item.id}: {problem}",
                kept="nothing was run with this suite",
                next_step="mend the item, then certify the suite",
            )
        found.append(evidence)
    return found


def certify(
    suite: Suite,
    *,
    cache_dir: Path,
    resist: int = 200,
    chance: int | None = None,
    seed: int = 0,
    progress: Callable[[Certificate], None] = lambda _: None,
) -> list[Certificate]:
    """Certify each item, several at once.

    Args:
        resist: mutated inputs to try on each fixed build.
        chance: executions that the random subject has of each item; the item's budget by default.
        progress: called in this thread with each item's certificate, in the suite's order.
    """
    harness = Harness(suite, cache_dir)
    made = []
    with LocalPool() as pool:
        jobs = [
            pool.submit(lambda item: _certify_item(harness, item, resist, chance, seed), item)
            for item in suite.items
        ]
        for job in jobs:
            made.append(job.result())
            progress(made[-1])
    return made


def document_of(
    suite: Suite, certificates: list[Certificate], *, seed: int, now: datetime
) -> dict[str, Any]:
    """What is kept of a certification: of which suite, by digest, what was tried and shown."""
    return {
        "suite": {"name": suite.name, "version": suite.version, "digest": suite.digest},
        "at": format_time(now),
        "seed": seed,
        "items": [certificate.to_json() for certificate in certificates],
    }


def _certify_item(
    harness: Harness, item: Item, resist: int, chance: int | None, seed: int
) -> Certificate:
    cache_dir = harness.cache_dir
    evidence = _reference(item, cache_dir)
    problems = [_reference_problem(item, evidence)]
    builds = {
        "vulnerable": build_item(item, "vulnerable", cache_dir),
        "fixed": build_item(item, "fixed", cache_dir),
    }
    for name, build in builds.items():
        failed = failing_test(build, item)
        problems.append(f"functional test on the {name} build: {failed}" if failed else "")
        problems.append(_harm_of_harmless(item, name, build))
    resisted, broken = _resist(item, builds["fixed"], resist, seed)
    problems.append(broken)
    budget = dict(item.budget) | ({"executions": chance} if chance is not None else {})
    solved = {
        name: _solves(harness, Job(name, harness.ref, item.id, 0, seed, budget)) for name in TELLING
    }
    problems += [
        f"the subject {name} {'solves' if solved[name] else 'does not solve'} it"
        for name, must in TELLING.items()
        if solved[name] != must
    ]
    problems += _idle(item, builds["vulnerable"]) if item.defence else []
    problems += credited(harness, item)
    return Certificate(
        item.id,
        evidence,
        resisted,
        solved,
        budget["executions"],
        tuple(filter(None, problems)),
    )


def _idle(item: Item, vulnerable: Binary) -> list[str]:
    return [
        f"the attack {path.name} does not reach the goal"
        for path in item.hidden
        if crash_of(run_binary(vulnerable, path.read_bytes())) is None
    ]


def _solves(harness: Harness, job: Job) -> bool:
    found = SUBJECTS[job.subject](harness, job)
    return harness.verify(job.item, found.data)[0]


def _reference(item: Item, cache_dir: Path) -> Evidence:
    data = item.reference_input.read_bytes()
    return verify_input(item, data, cache_dir=cache_dir, repeats=REPEATS)


def _reference_problem(item: Item, evidence: Evidence) -> str:
    if not evidence.reproduced:
        return f"reference input: {evidence.reason}"
    for field in ("crash_class", "top_frame"):
        said, shown = getattr(item, field), getattr(evidence, field)
        if said != shown:
            return f"reference input: {field} is {shown!r}, the manifest says {said!r}"
    return ""


def _harm_of_harmless(item: Item, name: str, build: Binary) -> str:
    inputs = {path.name: path.read_bytes() for path in item.sample_inputs}
    for said, data in {"the empty input": b"", **inputs}.items():
        outcome = run_binary(build, data)
        if crash_of(outcome) is not None or outcome.timed_out:
            return f"{said} does harm to the {name} build"
    return ""


def _resist(item: Item, fixed: Binary, count: int, seed: int) -> tuple[int, str]:
    seeds = [path.read_bytes() for path in (item.reference_input, *item.sample_inputs)]
    tried = mutations(seeds, Random(f"{item.id}:{seed}"))  # noqa: S311
    for done in range(count):
        crash = crash_of(run_binary(fixed, next(tried)))
        if crash is not None:
            return done, f"mutated input {done} crashes the fixed build: {crash.summary}"
    return count, ""
