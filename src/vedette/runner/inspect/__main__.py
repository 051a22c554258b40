"""The child of `process.py`: reads a job, runs Inspect once, writes what happens as JSON lines."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import threading
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import IO, Any

from vedette.runner.harness import Harness, Ref
from vedette.runner.private import scratch_beside


class Asked:
    """Samples that wait for the parent's word before their items are shown."""

    def __init__(self) -> None:
        self._waiting: dict[str, Future[None]] = {}

    async def wait(self, lines: Lines, *key: str | int) -> None:
        future = self._waiting[json.dumps(key)] = Future()
        lines.write("shows", key=key)
        await asyncio.wrap_future(future)

    def answered(self, line: str) -> None:
        self._waiting.pop(line).set_result(None)


class Lines:
    """Writes objects as lines, one at a time."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lock = threading.Lock()

    def write(self, kind: str, **value: Any) -> None:
        with self._lock:
            self._file.write(json.dumps({"kind": kind, **value}) + "\n")
            self._file.flush()


def main() -> None:
    """Run the job on standard input."""
    lines = Lines(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    stdin = os.fdopen(0, "rb", closefd=False)
    job, asked = json.loads(stdin.readline()), Asked()
    beside = scratch_beside(Path(job["harness"]["cache_dir"])) if "harness" in job else None
    with tempfile.TemporaryDirectory(prefix="vedette-run-", dir=beside) as folder:
        tempfile.tempdir = folder
        threading.Thread(target=_end_with_parent, args=(stdin, asked, folder), daemon=True).start()
        if "task" in job:
            _foreign(job, lines)
        else:
            _run(job, lines, asked, Path(folder) / "views")


def _end_with_parent(stdin: IO[bytes], asked: Asked, folder: str) -> None:
    """Take the parent's answers until it is gone or closes the pipe; leave nothing behind."""
    for line in stdin:
        asked.answered(line.decode().rstrip("\n"))
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _run(job: dict[str, Any], lines: Lines, asked: Asked, views: Path) -> None:
    from vedette.runner.inspect.metering import Meter
    from vedette.runner.inspect.models import metered_model
    from vedette.runner.inspect.task import Bench, subject_task

    harness = Harness.of(Ref(**{**job["harness"], "part": tuple(job["harness"]["part"])}))
    places = {item: harness.lay_out(item, views) for item in job["items"]}
    tasks = []
    for subject in job["subjects"]:
        meter = Meter(subject["name"], lambda call: lines.write("call", call=call.to_json()))
        model, on_the_wire = metered_model(subject, meter)
        bench = Bench(
            subject=subject["name"],
            model=model,
            meter=meter,
            wire_metered=on_the_wire,
            harness=harness,
            views=places,
            budgets=job["budgets"],
            seed=job["seed"],
            finish=lambda sample: lines.write("sample", sample=sample.to_json()),
            event=_teller(lines, subject["name"]),
            shows=partial(asked.wait, lines, subject["name"]) if job["asks"] else None,
        )
        tasks.append(subject_task(bench, [(item, trial) for item, trial in subject["wanted"]]))
    _evaluate(job, tasks, lines)


def _foreign(job: dict[str, Any], lines: Lines) -> None:
    """Describe or run a task of another maker's."""
    from vedette.kernel.errors import VedetteError
    from vedette.runner.inspect import foreign
    from vedette.runner.inspect.metering import Meter
    from vedette.runner.inspect.models import metered_model

    if "subjects" not in job:
        try:
            lines.write("described", task=foreign.described(job["task"]))
        except VedetteError as error:
            lines.write("refused", why=error.what, next_step=error.next_step)
        return
    tasks, meters = [], {}
    for subject in job["subjects"]:
        meter = Meter(subject["name"], lambda call: lines.write("call", call=call.to_json()))
        model, on_the_wire = metered_model(subject, meter)
        meters[subject["name"]] = meter, on_the_wire
        wanted = [(item, trial) for item, trial in subject["wanted"]]
        tasks.append(
            foreign.prepared(
                *(job["task"], subject["name"], model, wanted, job["budget"], job["own_sandbox"])
            )
        )
    foreign.telling(
        meters, lambda sample: lines.write("sample", sample=sample.to_json()), job["solved_at"]
    )
    _evaluate(job, tasks, lines)


def _evaluate(job: dict[str, Any], tasks: list[Any], lines: Lines) -> None:
    from inspect_ai import eval as inspect_eval

    logs = inspect_eval(
        tasks,
        model=None,
        display="none",
        log_dir=job["logs"],
        log_level="warning",
        max_tasks=len(tasks),
        max_samples=job["at_once"],
        fail_on_error=False,
        score_display=False,
        log_model_api=False,
    )
    for log in logs:
        if log.status != "success":
            why = log.error.message if log.error else log.status
            lines.write("failed", why=f"{log.eval.task}: {why}"[:500])


def _teller(lines: Lines, subject: str) -> Any:
    def tell(item: str, trial: int, event: str) -> None:
        lines.write("event", subject=subject, item=item, trial=trial, event=event)

    return tell


if __name__ == "__main__":
    main()
