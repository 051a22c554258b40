"""Two subjects on the same items: the paired difference, its error, and two kinds of verdict.

Rules:
- Trials are averaged within an item first; only items that both tried are compared. The difference
  is a minus b.
- The standard error is clustered (by item, or by the group given), with Student's t for as many
  degrees of freedom as there are clusters less one. Where all clusters differ alike that error is
  nought and says nothing of the clusters not seen; the interval and p then are those of what G
  equal clusters leave possible: at most a share 1 - 0.025^(1/G) of all clusters differs otherwise,
  by as much as scores can. (For differences of 1 that is the sign test.)
- The fixed-n verdict is for a number of items chosen beforehand. Who looks while items come in
  reads the anytime-valid one: a test martingale that bets on the mean difference of the clusters in
  the order of the file, and that exceeds 1/0.05 with a chance of at most 0.05 however long one
  looks. Its two sides are averaged, so that it needs no side chosen beforehand.
- pass@k (at least one of k trials) and pass^k (all of k) are the unbiased estimates from n trials,
  averaged over the items that have at least k.

Sources: Miller (2024), "Adding error bars to evals"; Chen et al. (2021), "Evaluating large language
models trained on code", for pass@k; the martingale is in `anytime`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vedette.bench.anytime import log_wealth
from vedette.bench.intervals import ErrorParts, error_parts, trial_noise
from vedette.bench.responses import Score
from vedette.kernel.errors import BadInput

LEVEL, SAME = 0.95, 1e-12
SOLVED = 1.0
A, B, NEITHER = "a", "b", "neither"


@dataclass(frozen=True)
class Comparison:
    """Shares are from 0 to 1. A verdict is `a`, `b` (which one is better) or `neither` (not shown).

    `error`, `interval` and `p` are None with fewer than two clusters; `stopped_at` is the number of
    items after which the anytime-valid verdict fell, None where it did not. `parts` splits the
    error over single items, None with fewer than two.
    """

    a: str
    b: str
    items: int
    mean_a: float
    mean_b: float
    error: float | None
    interval: tuple[float, float] | None
    p: float | None
    verdict_fixed: str
    verdict_anytime: str
    stopped_at: int | None
    parts: ErrorParts | None
    pass_at: Mapping[str, Mapping[int, float]]
    pass_hat: Mapping[str, Mapping[int, float]]

    @property
    def difference(self) -> float:
        return self.mean_a - self.mean_b

    def to_json(self) -> dict[str, Any]:
        return {
            "a": self.a,
            "b": self.b,
            "items": self.items,
            "mean_a": self.mean_a,
            "mean_b": self.mean_b,
            "difference": self.difference,
            "se": self.error,
            "ci95": list(self.interval) if self.interval else None,
            "p": self.p,
            "verdict_fixed": self.verdict_fixed,
            "verdict_anytime": self.verdict_anytime,
            "stopped_at": self.stopped_at,
            "pass_at_k": _by_k(self.pass_at),
            "pass_hat_k": _by_k(self.pass_hat),
        }


def _by_k(found: Mapping[str, Mapping[int, float]]) -> dict[str, dict[str, float]]:
    return {side: {str(k): share for k, share in rows.items()} for side, rows in found.items()}


def compare(
    scores: Iterable[Score], a: str, b: str, clusters: Mapping[str, str] | None = None
) -> Comparison:
    """Compare subject `a` with `b`; `clusters` maps each item to its group. Raises BadInput."""
    trials: dict[str, dict[str, list[float]]] = {a: {}, b: {}}
    names: dict[str, None] = {}
    for score in scores:
        names.setdefault(score.subject)
        if score.subject in trials:
            trials[score.subject].setdefault(score.item, []).append(score.score)
    for subject in (a, b):
        if not trials[subject]:
            known = ", ".join(list(names)[:8])
            raise BadInput(f"subject {subject[:60]!r} has no score", next_step=f"there: {known}")
    if a == b:
        raise BadInput("a and b are the same subject")
    items = [item for item in trials[a] if item in trials[b]]
    if not items:
        raise BadInput("the two subjects have no item in common")
    means = {
        side: np.array([np.mean(trials[subject][item]) for item in items])
        for side, subject in ((A, a), (B, b))
    }
    difference = means[A] - means[B]
    groups = _groups(items, clusters)
    error, interval, p = _fixed(difference, groups)
    anytime, stopped = _anytime(difference, groups)
    return Comparison(
        a=a,
        b=b,
        items=len(items),
        mean_a=float(means[A].mean()),
        mean_b=float(means[B].mean()),
        error=error,
        interval=interval,
        p=p,
        verdict_fixed=_verdict(interval),
        verdict_anytime=anytime,
        stopped_at=stopped,
        parts=error_parts(difference.tolist(), _noise(trials[a], trials[b], items)),
        pass_at={s: _passes(trials[n], items, all_of=False) for s, n in ((A, a), (B, b))},
        pass_hat={s: _passes(trials[n], items, all_of=True) for s, n in ((A, a), (B, b))},
    )


def _noise(
    a: Mapping[str, Sequence[float]], b: Mapping[str, Sequence[float]], items: Sequence[str]
) -> list[float] | None:
    """Variance of each item's difference by the trials of both."""
    first, second = (trial_noise([side[item] for item in items]) for side in (a, b))
    if first is None or second is None:
        return None
    return [x + y for x, y in zip(first, second, strict=True)]


def _groups(items: Sequence[str], clusters: Mapping[str, str] | None) -> NDArray[np.int64]:
    """The cluster of each item as a number, in order of first appearance."""
    if clusters is None:
        return np.arange(len(items))
    numbers: dict[str, int] = {}
    for item in items:
        if item not in clusters:
            raise BadInput(
                f"item {item[:60]!r} has no cluster", next_step="a line item,cluster for each item"
            )
        numbers.setdefault(clusters[item], len(numbers))
    return np.array([numbers[clusters[item]] for item in items])


def _fixed(
    difference: NDArray[np.float64], groups: NDArray[np.int64]
) -> tuple[float | None, tuple[float, float] | None, float | None]:
    count = int(groups.max()) + 1
    if count < 2:
        return None, None, None
    mean = float(difference.mean())
    sums = np.bincount(groups, difference - mean)
    error = math.sqrt(float(sums @ sums) * count / (count - 1)) / len(difference)
    if np.ptp(sums / np.bincount(groups)) < SAME:
        return 0.0, *_alike(mean, count)
    half = float(special.stdtrit(count - 1, (1 + LEVEL) / 2)) * error
    p = 2 * float(special.stdtr(count - 1, -abs(mean) / error))
    return error, (max(-1.0, mean - half), min(1.0, mean + half)), p


def _alike(mean: float, count: int) -> tuple[tuple[float, float], float]:
    """Interval and p where `count` clusters all show the same difference."""
    other = 1 - ((1 - LEVEL) / 2) ** (1 / count)
    p = min(1.0, 2 / (1 + abs(mean)) ** count)
    return (mean - other * (mean + 1), mean + other * (1 - mean)), p


def _verdict(interval: tuple[float, float] | None) -> str:
    if interval is None or interval[0] <= 0 <= interval[1]:
        return NEITHER
    return A if interval[0] > 0 else B


def _anytime(difference: NDArray[np.float64], groups: NDArray[np.int64]) -> tuple[str, int | None]:
    """Bet on each cluster's sum, scaled into [-1, 1] by the largest cluster."""
    sizes = np.bincount(groups)
    steps = np.bincount(groups, difference) / sizes.max()
    seen = np.cumsum(sizes)
    sides = np.stack([log_wealth(steps), log_wealth(-steps)])
    wealth = np.logaddexp(*sides) - math.log(2)
    hits = np.flatnonzero(wealth >= -math.log(1 - LEVEL))
    if not len(hits):
        return NEITHER, None
    first = int(hits[0])
    return (A if sides[0, first] > sides[1, first] else B), int(seen[first])


def _passes(
    trials: Mapping[str, Sequence[float]], items: Sequence[str], *, all_of: bool
) -> dict[int, float]:
    """pass@k, or pass^k with `all_of`, for each k that some item has trials for.

    A trial is solved at score 1. Of n trials, s of one kind, k drawn are all of that kind with a
    chance of s/n, times (s-1)/(n-1), and so on.
    """
    kinds = Counter(
        (len(trials[item]), sum(score >= SOLVED for score in trials[item])) for item in items
    )
    most = max(n for n, _ in kinds)
    total, count = np.zeros(most), np.zeros(most)
    for (n, solved), times in kinds.items():
        drawn = np.arange(n)
        alike = np.cumprod(np.maximum((solved if all_of else n - solved) - drawn, 0) / (n - drawn))
        total[:n] += times * (alike if all_of else 1 - alike)
        count[:n] += times
    return {k: float(share) for k, share in enumerate(total / count, 1)}
