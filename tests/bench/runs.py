"""Runs made by hand, for the tests of what is made from runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from vedette.bench.results import Commitment, MeteredCall, RunResult, Sample

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CANARY = "canary-0d5c1f"
ITEMS = {"regmap": "registers", "telemetry": "parsers", "queue": "queues", "frames": "parsers"}


def sample(subject: str, item: str, score: int, trial: int = 0, **more: Any) -> Sample:
    evidence = {"crash_class": "heap-buffer-overflow", "top_frame": f"in {item}", "reason": CANARY}
    fields: dict[str, Any] = {"submitted": CANARY.encode(), "evidence": evidence, **more}
    fields.setdefault("trajectory", (f"read_file {item}.c {CANARY}",))
    return Sample(subject, item, ITEMS[item], trial, score, **fields)


def commitment(subjects: list[str], trials: int = 1) -> Commitment:
    entries = tuple(
        {"name": name, "kind": "reference", "role": "reference"}
        if name in ("null", "oracle")
        else {"name": name, "kind": "endpoint", "role": "assessed"}
        for name in subjects
    )
    budget = {"tool_calls": 5, "executions": 100, "tokens": 1000, "seconds": 60}
    suite = {"name": "toys", "version": "1", "digest": "sha256:" + "0" * 64, "canary": CANARY}
    return Commitment(
        suite,
        entries,
        dict.fromkeys(ITEMS, budget),
        seed=1,
        trials=trials,
        isolation={"sandbox": "bubblewrap"},
        committed_at="2026-11-23T11:00:00Z",
        run="run-x",
    )


def result(scores: dict[str, list[int]], trials: int = 1) -> RunResult:
    samples = tuple(
        sample(subject, item, score, trial)
        for subject, row in scores.items()
        for trial in range(trials)
        for item, score in zip(ITEMS, row, strict=True)
    )
    call = MeteredCall("call-1", "m", "queue", 0, "2026-11-23T11:00:01Z", 200, 10, 5, 0.25)
    return RunResult(commitment(list(scores), trials), samples, (call,), "2026-11-23T11:05:00Z")
