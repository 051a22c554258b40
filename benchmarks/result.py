"""A figure beside its peer's, and how it is measured."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median


class Skipped(Exception):
    """A benchmark that can't run here; the text says why."""


@dataclass(frozen=True)
class Spread:
    """Repeated measurements of one thing."""

    median: float
    low: float
    high: float
    p95: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        ordered = sorted(values)
        p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
        return cls(median(ordered), ordered[0], ordered[-1], p95, len(ordered))


@dataclass(frozen=True)
class Result:
    """One line of the account. `ratio` is ours divided by the peer's, whatever the unit."""

    name: str
    unit: str
    ours: Spread
    peer: Spread | None = None
    peer_name: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours.median / self.peer.median if self.peer and self.peer.median else None

    @property
    def n(self) -> int:
        return self.ours.n

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio, "n": self.n}


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def per_second(count: int, work: Callable[[], object]) -> Callable[[], float]:
    """How many a second, when `work` does `count` of them."""
    return lambda: count / timed(work)


def in_turns(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Spread]:
    """Let each in turn measure itself, `rounds` times, after one turn that does not count."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            value = work()
            if turn:
                found[name].append(value)
    return {name: Spread.of(values) for name, values in found.items()}


def tell(line: str) -> None:
    """Progress, for whoever waits."""
    print(line, file=sys.stderr, flush=True)
