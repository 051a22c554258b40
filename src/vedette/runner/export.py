"""A finished run as Inspect's logs, for whoever reads those; Inspect runs in a process of its own.

Rules:
- One `.eval` file a subject. The score is the verifier's: 1 where an input was reproduced, else 0.
- An edition for others than the office tells no item: a sample has a number in the order of a
  shuffle by the commitment's digest, and neither trajectory nor evidence.
"""

from __future__ import annotations

import importlib.util
import json
import random
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vedette.bench.results import RunResult, Sample
from vedette.kernel.errors import MissingPart, OurFault

SECONDS = 600


def export_eval(
    run: RunResult, report: Mapping[str, Any], folder: Path, *, open_items: bool
) -> list[Path]:
    """Write one `.eval` a subject into `folder`.

    Args:
        report: the run's report, whose scores and facts the logs carry.
        open_items: whether ids, steps and evidence of items may be in them.

    Raises:
        MissingPart: the extra [bench] is not installed.
        OurFault: Inspect could not write them.
    """
    if importlib.util.find_spec("inspect_ai") is None:
        raise MissingPart(
            "Inspect's logs are written by inspect_ai, which is not installed",
            next_step="pip install 'vedette[bench]'",
        )
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "vedette.runner.inspect.evallog"]
    job = json.dumps(_job(run, report, folder, open_items=open_items))
    done = subprocess.run(command, input=job, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise OurFault(f"Inspect's logs could not be written: {' '.join(last)[:300]}")
    return [folder / name for name in json.loads(done.stdout.strip().splitlines()[-1])]


def _job(
    run: RunResult, report: Mapping[str, Any], folder: Path, *, open_items: bool
) -> dict[str, Any]:
    told = report["measured"]
    scores = {subject["name"]: subject["score"] for subject in report["subjects"]}
    named = [str(entry["name"]) for entry in run.commitment.subjects]
    numbers = _numbers(run)
    return {
        "folder": str(folder),
        "run": told["run"],
        "suite": told["suite"].get("name", ""),
        "version": told["suite"].get("version", ""),
        "trials": told["trials"],
        "committed_at": told["committed_at"],
        "finished_at": told["finished_at"],
        "metadata": {
            "marking": report["marking"],
            "audience": report["audience"],
            "isolation": report["isolation"],
            "measured": told,
            "limits": report["limits"],
        },
        "subjects": [
            {
                "name": name,
                "file": f"{place:02}-{re.sub(r'[^A-Za-z0-9.@-]+', '-', name)[:60]}.eval",
                "score": _metrics(scores.get(name)),
                "samples": [
                    _sample(s, numbers, open_items=open_items)
                    for s in run.samples
                    if s.subject == name
                ],
            }
            for place, name in enumerate(named, 1)
        ],
    }


def _numbers(run: RunResult) -> dict[str, str]:
    items = sorted(run.commitment.budgets)
    random.Random(run.commitment.digest).shuffle(items)  # noqa: S311 - repeatable by intent
    return {item: f"item-{number:04}" for number, item in enumerate(items, 1)}


def _metrics(score: Mapping[str, Any] | None) -> dict[str, str]:
    """The share with its bounds, where the subject has one score of the whole."""
    if score is None:
        return {}
    return {"accuracy": score["estimate"], "ci95_low": score["low"], "ci95_high": score["high"]}


def _sample(sample: Sample, numbers: Mapping[str, str], *, open_items: bool) -> dict[str, Any]:
    trajectory: Sequence[str] = sample.trajectory if open_items else ()
    item = sample.item if open_items else numbers[sample.item]
    return {
        "id": item,
        "trial": sample.trial,
        "input": f"{item} of the family {sample.family}" if open_items else item,
        "score": sample.score,
        **({} if sample.partial is None else {"partial": f"{sample.partial:.4f}"}),
        "reason": str(sample.evidence.get("reason", "")) if open_items else "",
        "ended": sample.ended if open_items else "",
        "trajectory": list(trajectory),
        "input_tokens": sample.input_tokens,
        "output_tokens": sample.output_tokens,
        "seconds": f"{sample.seconds:.3f}",
        "metadata": {
            "executions": sample.executions,
            "tool_calls": sample.tool_calls,
            "calls": sample.calls,
            **({"family": sample.family, "evidence": dict(sample.evidence)} if open_items else {}),
        },
    }
