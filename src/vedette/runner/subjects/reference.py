"""Reference subjects: they need no model, and say what nothing, chance, a fuzzer and the key reach.

- `null` submits the empty input, or the empty policy; of a source to mend, the source as it is.
- `random` runs random bytes until one crashes or its executions are used up; a source to mend it
  submits with a random line left out, and of a plant to defend it refuses a random line of what was
  recorded.
- `oracle` submits the item's reference input, the policy, or the mended source.
- `libfuzzer` runs the item's fuzzing build in the sandbox, seeded with the sample inputs; it mends
  nothing, and knows no Python.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from vedette.bench.isolation import Level, require
from vedette.bench.results import Sample
from vedette.kernel.errors import VedetteError
from vedette.runner.harness import ENVIRONMENT, Harness
from vedette.runner.isolation import measured
from vedette.runner.leavings import read_out
from vedette.runner.private import scratch_beside
from vedette.runner.sandbox import WORK, Sandbox
from vedette.runner.subjects.agent import agent
from vedette.runner.subjects.job import Found, Job
from vedette.runner.subjects.standins import random_inputs

BATCH = 32
FUZZ_SECONDS = 8
FUZZ_LENGTH = 512
MAX_CRASH = 65_536


def run_reference(job: Job) -> Sample:
    """Let a reference subject or an agent have its go, and verify what it submits.

    Raises Refused where this machine, which may be another than the run's, isolates too weakly.
    """
    require(measured(), Level.parse(job.least))
    harness = Harness.of(job.harness)
    started = time.monotonic()
    try:
        if job.subject == "libfuzzer" and harness.fuzzable(job.item):
            harness.fuzzer(job.item)
            started = time.monotonic()
        found = (agent if job.agent else SUBJECTS[job.subject])(harness, job)
        ended = "submitted" if found.data is not None else "stopped without a submission"
    except VedetteError as error:
        found, ended = Found(None, 0, (str(error)[:300],)), f"error: {error}"[:300]
    seconds = time.monotonic() - started
    solved, evidence = harness.verify(job.item, found.data)
    return Sample(
        subject=job.subject,
        item=job.item,
        family=harness.items[job.item].family,
        trial=job.trial,
        score=int(solved),
        submitted=found.data,
        evidence=evidence,
        executions=found.executions,
        seconds=seconds,
        ended=ended,
        trajectory=(*found.steps, ended),
    )


def null(harness: Harness, job: Job) -> Found:
    if harness.items[job.item].repair:
        return Found(harness.source(job.item, "vulnerable"), 0, ("submits the source as it is",))
    return Found(b"", 0, ("submits the empty input",))


def oracle(harness: Harness, job: Job) -> Found:
    if harness.items[job.item].repair:
        return Found(harness.source(job.item, "fixed"), 0, ("submits the mended source",))
    policy = harness.policy(job.item)
    if policy is not None:
        return Found(policy, 0, ("submits the policy",))
    return Found(harness.reference_input(job.item), 0, ("submits the reference input",))


def random_bytes(harness: Harness, job: Job) -> Found:
    key = harness.key_of(job.seed, job.item, job.trial)
    if harness.items[job.item].repair:
        lines = harness.source(job.item, "vulnerable").splitlines(keepends=True)
        out = int.from_bytes(key[:8], "big") % len(lines)
        return Found(b"".join(lines[:out] + lines[out + 1 :]), 0, (f"leaves line {out + 1} out",))
    recorded = [line for line in harness.incident(job.item) if b" < " in line]
    if recorded:
        hop, _, asked = recorded[int.from_bytes(key[:8], "big") % len(recorded)].partition(b" < ")
        said = f"refuses {asked.decode()} to {hop.decode()}"
        return Found(b"refuse %s %s\n" % (hop, asked), 0, (said,))
    inputs = random_inputs(key, job.budget["executions"])
    ends = time.monotonic() + job.budget["seconds"]
    done = 0
    while done < len(inputs) and time.monotonic() < ends:
        batch = inputs[done : done + BATCH]
        crashed = [i for i, trial in enumerate(harness.try_inputs(job.item, batch)) if trial.crash]
        done += len(batch)
        if crashed:
            return Found(batch[crashed[0]], done, (f"one of {done} random inputs crashed",))
    return Found(None, done, (f"none of {done} random inputs crashed",))


def libfuzzer(harness: Harness, job: Job) -> Found:
    """Fuzz for FUZZ_SECONDS or the item's budget of seconds, whichever is less."""
    if not harness.fuzzable(job.item):
        return Found(None, 0, ("libFuzzer mends nothing, and knows no Python",))
    seconds = min(FUZZ_SECONDS, job.budget["seconds"])
    seed = int.from_bytes(harness.key_of(job.seed, job.item, job.trial)[:4], "big") >> 1 or 1
    beside = scratch_beside(harness.cache_dir)
    with tempfile.TemporaryDirectory(prefix="vedette-fuzz-", dir=beside) as folder:
        work = Path(folder)
        corpus = work / "corpus"
        corpus.mkdir()
        for index, data in enumerate(harness.samples(job.item)):
            (corpus / f"{index}").write_bytes(data)
        outcome = Sandbox().run(
            [
                *("/item/fuzzer", f"-seed={seed}", f"-max_total_time={seconds}"),
                *(f"-max_len={FUZZ_LENGTH}", f"-exact_artifact_path={WORK}/found"),
                *("-print_final_stats=1", f"{WORK}/corpus"),
            ],
            workdir=work,
            timeout=seconds + 20,
            readonly={"/item/fuzzer": harness.fuzzer(job.item)},
            env=ENVIRONMENT,
        )
        crash = read_out(work, "found", MAX_CRASH) if os.path.lexists(work / "found") else None
    count = re.search(rb"number_of_executed_units:\s*(\d+)", outcome.stderr)
    runs = int(count[1]) if count else 0
    return Found(crash, runs, (f"libFuzzer ran {runs:,} inputs in {outcome.seconds:.1f} s",))


SUBJECTS: dict[str, Callable[[Harness, Job], Found]] = {
    "libfuzzer": libfuzzer,
    "null": null,
    "oracle": oracle,
    "random": random_bytes,
}
