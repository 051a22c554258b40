"""Writes a finished run as Inspect's own logs: `python -m vedette.runner.inspect.evallog`.

A job as JSON on standard input (see `runner.export`), one `.eval` file a subject in its folder. A
process of its own, because importing Inspect takes seconds and threads. Inspect's viewer and
`read_eval_log` read what it writes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalMetric,
    EvalPlan,
    EvalResults,
    EvalSample,
    EvalScore,
    EvalSpec,
    EvalStats,
    write_eval_log,
)
from inspect_ai.model import ChatMessageAssistant, ModelOutput, ModelUsage
from inspect_ai.scorer import Score

from vedette import __version__

SCORER = "execution"


def write(job: dict[str, Any]) -> list[str]:
    """Write the logs of a job; return the names of the files."""
    folder = Path(job["folder"])
    return [_write(job, subject, folder) for subject in job["subjects"]]


def _write(job: dict[str, Any], subject: dict[str, Any], folder: Path) -> str:
    samples = [_sample(subject["name"], sample) for sample in subject["samples"]]
    items = sorted({str(sample.id) for sample in samples})
    usage = ModelUsage(
        input_tokens=sum(s["input_tokens"] for s in subject["samples"]),
        output_tokens=sum(s["output_tokens"] for s in subject["samples"]),
    )
    usage.total_tokens = usage.input_tokens + usage.output_tokens
    log = EvalLog(
        status="success",
        eval=EvalSpec(
            created=job["committed_at"],
            run_id=job["run"],
            task=job["suite"],
            task_version=job["version"],
            dataset=EvalDataset(name=job["suite"], samples=len(items), sample_ids=[*items]),
            model=subject["name"],
            config=EvalConfig(epochs=job["trials"]),
            packages={"vedette": __version__},
            metadata=job["metadata"],
        ),
        plan=EvalPlan(name="vedette"),
        results=EvalResults(
            total_samples=len(samples),
            completed_samples=len(samples),
            scores=[
                EvalScore(
                    name=SCORER,
                    scorer=SCORER,
                    metrics={
                        name: EvalMetric(name=name, value=float(value))
                        for name, value in subject["score"].items()
                    },
                )
            ],
        ),
        stats=EvalStats(
            started_at=job["committed_at"],
            completed_at=job["finished_at"],
            model_usage={subject["name"]: usage},
        ),
        samples=samples,
    )
    write_eval_log(log, str(folder / subject["file"]), format="eval")
    return str(subject["file"])


def _sample(model: str, told: dict[str, Any]) -> EvalSample:
    usage = ModelUsage(
        input_tokens=told["input_tokens"],
        output_tokens=told["output_tokens"],
        total_tokens=told["input_tokens"] + told["output_tokens"],
    )
    output = ModelOutput.from_content(model, told["ended"] or "ended")
    output.usage = usage
    return EvalSample(
        id=told["id"],
        epoch=told["trial"] + 1,
        input=told["input"],
        target="",
        messages=[ChatMessageAssistant(content=line) for line in told["trajectory"]],
        output=output,
        scores={SCORER: Score(value=told["score"], explanation=told["reason"])},
        metadata=told["metadata"],
        model_usage={model: usage},
        total_time=float(told["seconds"]),
    )


if __name__ == "__main__":
    print(json.dumps(write(json.load(sys.stdin))))
