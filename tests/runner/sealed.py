"""A run's folder filled with two samples and a log, sealed where a box is given."""

from __future__ import annotations

from pathlib import Path

from vedette.bench.results import Commitment, Sample
from vedette.kernel.sealing import Box
from vedette.runner.runfolder import RunFolder

PLAN = Commitment(
    suite={"name": "smoke", "items": []},
    subjects=({"name": "orion-1", "kind": "endpoint", "role": "assessed", "model": "orion-1"},),
    budgets={},
    seed=0,
    trials=1,
    isolation={},
    committed_at="2026-12-01T09:00:00Z",
    run="run-2222222222222222",
)


def sample(item: str, said: str) -> Sample:
    return Sample(
        subject="orion-1",
        item=item,
        family="f",
        trial=0,
        score=0,
        submitted=said.encode(),
        evidence={},
        ended="gave up",
        trajectory=(said,),
    )


def filled(folder: Path, box: Box | None, said: str) -> None:
    """Fill the folder as a run does, and close it."""
    run = RunFolder(folder, PLAN, box)
    run.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    (run.logs / "task.json").write_text(f'{{"log": "{said}"}}')
    run.add_sample(sample("one", said))
    run.add_sample(sample("two", said))
    run.close()
