"""Looking while samples come in: a test that stays valid however often one looks.

Rules:
- A test martingale bets on the mean of steps that come one after another. Under the null (each
  step's mean, given those before, is at most nought) its wealth exceeds 1/alpha with a chance of at
  most alpha, at whatever step one stops (Ville).
- It holds many fixed bets in equal parts, so that none is chosen by what was seen.
- The steps are those of whole clusters (items, families): what hangs together is one step.
- Against a threshold each side is a test of its own, of half the error.

Source: Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting",
JRSS B 86.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from vedette.bench.determination import Outcome, Threshold, suggest
from vedette.bench.intervals import ErrorParts, clustered, error_parts, trial_noise
from vedette.kernel.errors import BadInput

LEVEL = 0.95
BETS = np.linspace(0.02, 0.98, 25)

Floats = NDArray[np.float64]


def log_wealth(steps: Floats) -> Floats:
    """Log of the wealth after each step; a step is at least -1, its mean by the null at most 0."""
    logs = np.log1p(np.outer(steps, BETS)).cumsum(axis=0)
    high = logs.max(axis=1, keepdims=True)
    found: Floats = np.log(np.exp(logs - high).mean(axis=1)) + high[:, 0]
    return found


@dataclass(frozen=True)
class Standing:
    """Where a share stands to a threshold: by the interval, and by who looks while items come in.

    `stopped_at` is the number of samples after which `early` fell; None where it did not. `parts`
    splits the error of the mean over clusters.
    """

    share: float
    interval: tuple[float, float]
    fixed: Outcome
    early: Outcome
    stopped_at: int | None
    parts: ErrorParts | None


def against(scores: Sequence[int], clusters: Sequence[Hashable], threshold: float) -> Standing:
    """How 0/1 `scores` stand to `threshold` (0 to 1); `clusters` in the order they came in.

    The interval is for a number of samples chosen beforehand. Raises BadInput.
    """
    if not 0 < threshold < 1:
        raise BadInput(f"threshold: {threshold} is not between 0 and 1")
    found = clustered(scores, clusters, LEVEL, by="cluster")
    numbers: dict[Hashable, int] = {}
    for cluster in clusters:
        numbers.setdefault(cluster, len(numbers))
    index = np.array([numbers[cluster] for cluster in clusters])
    sizes = np.bincount(index)
    above = np.bincount(index, np.asarray(scores, dtype=float) - threshold) / sizes.max()
    early, stopped = Outcome.INSUFFICIENT_EVIDENCE, None
    sides = (
        (Outcome.MEETS, log_wealth(above / threshold)),
        (Outcome.DOES_NOT_MEET, log_wealth(-above / (1 - threshold))),
    )
    for outcome, wealth in sides:
        hits = np.flatnonzero(wealth >= -math.log((1 - LEVEL) / 2))
        seen = int(sizes.cumsum()[hits[0]]) if len(hits) else None
        if seen is not None and (stopped is None or seen < stopped):
            early, stopped = outcome, seen
    line = Threshold(Decimal(threshold), "")
    fixed = suggest(Decimal(found.low), Decimal(found.high), line)
    trials: list[list[float]] = [[] for _ in numbers]
    for score, cluster in zip(scores, clusters, strict=True):
        trials[numbers[cluster]].append(float(score))
    parts = error_parts([sum(t) / len(t) for t in trials], trial_noise(trials))
    return Standing(found.estimate, (found.low, found.high), fixed, early, stopped, parts)
