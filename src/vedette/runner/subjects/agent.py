"""A subject of one's own: a program in a folder, set on an item in a sandbox without network.

The folder holds an executable `run`. Inside, it lies read-only at /agent and is started in /box,
which it may fill; the item lies at /item as every subject sees it (`program`, sources, `samples/`),
and its task is on standard input. Of an item that is no one program (a plant, a release), `program`
hands each input to the runner (see `hatch`), as often as the budget's executions. What lies in
/box/submission when it ends, or when its seconds are used up, is what it submits: an input, a
session, or the mended source. Its last lines of output are kept.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from vedette.kernel.bounds import MIB
from vedette.kernel.errors import BadInput
from vedette.runner.harness import ENVIRONMENT, Harness
from vedette.runner.leavings import read_out
from vedette.runner.private import scratch_beside
from vedette.runner.sandbox import Limits, Sandbox
from vedette.runner.subjects.hatch import HATCH, TIMED_OUT, Answer, Hatch, client
from vedette.runner.subjects.job import Found, Job

ITEM, AGENT = "/item", "/agent"
RUN, SUBMISSION = "run", "submission"
MOST_SUBMITTED = MIB
LINES, LINE = 20, 200
POLICY_FIRST = "It is a policy, a line ---, and a session. What you submit is the policy alone.\n"
HANDED_IN = "\n/item/program hands its standard input in to be run, at most {} times.\n"


def check_agent(folder: Path) -> None:
    """Raise BadInput unless the folder holds an executable `run`."""
    if not os.access(folder / RUN, os.X_OK) or (folder / RUN).is_dir():
        raise BadInput(
            f"agent {str(folder)[:200]!r}: holds no executable file named {RUN}",
            next_step=f"write one, then chmod +x {RUN}; it is started inside a sandbox",
        )


def agent(harness: Harness, job: Job) -> Found:
    """Let the agent have its seconds, and take what it leaves."""
    item = harness.items[job.item]
    seconds = job.budget["seconds"]
    limits = Limits(
        cpu_seconds=seconds * (os.cpu_count() or 1),
        memory_bytes=2048 * MIB,
        processes=128,
        scratch_bytes=256 * MIB,
    )
    beside = scratch_beside(harness.cache_dir)
    with tempfile.TemporaryDirectory(prefix="vedette-agent-", dir=beside) as folder:
        work = Path(folder) / "box"
        work.mkdir()
        view = harness.lay_out(job.item, Path(folder) / "views")
        hatch = Hatch(partial(_run, harness, job.item), job.budget["executions"])
        shown, task = {ITEM: view, AGENT: Path(job.agent)}, item.prompt
        with ExitStack() as open_while:
            if not item.alone:
                shown[HATCH] = open_while.enter_context(hatch.opened(Path(folder)))
                (view / "program").write_bytes(client())
                (view / "program").chmod(0o755)
                task += HANDED_IN.format(job.budget["executions"])
                task += POLICY_FIRST if item.defence is not None else ""
            outcome = Sandbox(limits).run(
                [f"{AGENT}/{RUN}"],
                workdir=work,
                stdin=task.encode(),
                timeout=seconds,
                readonly=shown,
                env={**ENVIRONMENT, "VEDETTE_SECONDS": str(seconds)},
            )
        left = os.path.lexists(work / SUBMISSION)
        data = read_out(work, SUBMISSION, MOST_SUBMITTED) if left else None
    return Found(data, hatch.runs, _said(outcome.stdout + b"\n" + outcome.stderr))


def _run(harness: Harness, item: str, data: bytes) -> Answer:
    outcome = harness.run(item, data)
    code = TIMED_OUT if outcome.exit_code is None else outcome.exit_code
    return Answer(code, outcome.stdout, outcome.stderr)


def _said(output: bytes) -> tuple[str, ...]:
    lines = output.decode("utf-8", "replace").splitlines()
    kept = [" ".join(line.split())[:LINE] for line in lines if line.strip()][-LINES:]
    return tuple(kept or ["said nothing"])
