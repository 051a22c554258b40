"""Samples through Inspect: our sandbox provider beside Inspect's `local`, in one Inspect process.

A sample writes a file, runs one command on it and reads one file, through Inspect's own interface;
no model is asked. `local` isolates nothing: it is the floor, no alternative. Ours keeps one
sandbox a sample. All samples have one configuration, so each one's sandbox starts while the one
before runs: that takes the machine as much work, and a sample less time while a core is idle. An
evaluation of one sample is the start-up, shown apart; samples a second are those after the first.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.result import Result, Spread, in_turns, timed

LOCAL = "Inspect's local"


def run(quick: bool) -> list[Result]:
    importing = timed(_load)
    from vedette.runner.inspect.provider import NAME

    many, rounds = (4, 1) if quick else (200, 5)
    results = []
    for at_once in (1, 4 * (os.cpu_count() or 1)):
        with tempfile.TemporaryDirectory() as logs:
            starts = in_turns(
                {kind: _evaluation(kind, 1, at_once, logs) for kind in (NAME, "local")}, rounds
            )
            first = {kind: spread.median for kind, spread in starts.items()}
            after = {
                kind: _rate(_evaluation(kind, many, at_once, logs), many, first[kind])
                for kind in (NAME, "local")
            }
            found = in_turns(after, rounds)
        each = {kind: _milliseconds(spread) for kind, spread in found.items()}
        added = each[NAME].median - each["local"].median
        what = f"{at_once} at once"
        note = f"{added:.1f} ms added a sample of three commands"
        results += [
            Result(f"samples, {what}", "a second", found[NAME], found["local"], LOCAL, note),
            Result(f"time a sample, {what}", "ms", each[NAME], each["local"], LOCAL),
            Result(f"start-up of an evaluation, {what}", "s", starts[NAME], starts["local"], LOCAL),
        ]
    return [*results, Result("importing Inspect, once a process", "s", Spread.of([importing]))]


def _load() -> None:
    import inspect_ai.model  # noqa: F401

    import vedette.runner.inspect.provider  # noqa: F401


def _evaluation(kind: str, count: int, at_once: int, logs: str) -> Callable[[], float]:
    """An evaluation of `count` samples in sandboxes of `kind`; returns its seconds."""
    from inspect_ai import Task
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ModelOutput, get_model
    from inspect_ai.solver import Generate, TaskState, solver
    from inspect_ai.util import sandbox

    @solver
    def three_commands() -> Any:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            await sandbox().write_file("in.txt", "hello")
            done = await sandbox().exec(["cp", "in.txt", "out.txt"])
            assert done.success, done.stderr
            assert await sandbox().read_file("out.txt") == "hello"
            state.output = ModelOutput.from_content("none", "done")
            return state

        return solve

    task = Task(
        name=f"{kind}-{count}",
        dataset=MemoryDataset([Sample(id=n, input="go", sandbox=kind) for n in range(count)]),
        solver=three_commands(),
        model=get_model("mockllm/model"),
    )

    def measure() -> float:
        started = time.perf_counter()
        (log,) = inspect_eval(
            task,
            display="none",
            log_dir=logs,
            log_level="error",
            max_samples=at_once,
            score=False,
            score_display=False,
        )
        assert log.status == "success", log.error
        return time.perf_counter() - started

    return measure


def _rate(evaluation: Callable[[], float], count: int, start: float) -> Callable[[], float]:
    return lambda: (count - 1) / max(evaluation() - start, 1e-9)


def _milliseconds(rates: Spread) -> Spread:
    return Spread(
        1000 / rates.median, 1000 / rates.high, 1000 / rates.low, 1000 / rates.low, rates.n
    )
