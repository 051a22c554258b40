"""One subject that needs no model on one item, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vedette.bench.isolation import Level
from vedette.runner.harness import Ref


@dataclass(frozen=True)
class Job:
    """One subject without a model on one item; picklable, for an executor. `agent` is the folder of
    a subject of one's own, `least` the isolation that the machine it runs on must have."""

    subject: str
    harness: Ref
    item: str
    trial: int
    seed: int
    budget: Mapping[str, int]
    agent: str = ""
    least: str = Level.NONE.label


@dataclass(frozen=True)
class Found:
    """What a reference subject came to; `data` is None when it has nothing to submit."""

    data: bytes | None
    executions: int
    steps: tuple[str, ...]
