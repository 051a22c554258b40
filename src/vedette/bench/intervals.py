"""Intervals for shares of solved items: an estimate never stands without its uncertainty.

Rules:
- The plain interval is Wilson's score interval; Clopper and Pearson's exact one is beside it.
- Trials of an item, and items of a family, are not independent. `clustered` therefore shrinks n
  to an effective sample size: n divided by the design effect (the clustered variance over the
  binomial one, never below 1), times (t(n-1)/t(G-1))^2 for the G clusters' few degrees of freedom.
- The error of a mean over items has two parts: which items were drawn, and how each item's trials
  fell. More trials shrink the second only, more items both.
- Where every score is the same, or there is one cluster only, the design effect can't be
  estimated; the number of clusters stands as the effective sample size, the most cautious choice.

Sources: Miller (2024), "Adding error bars to evals", for the two parts; Wilson (1927); Clopper and
Pearson (1934); Korn and Graubard (1998), "Confidence intervals for proportions with small expected
number of positive counts"; Cameron and Miller (2015) for the clustered variance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from vedette.kernel.errors import BadInput

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A share with its interval; all in [0, 1]. `n_effective` is what made the interval."""

    estimate: float
    low: float
    high: float
    n: int
    n_effective: float
    method: str
    level: float = LEVEL


def wilson(successes: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's interval; `n` may be an effective (fractional) size. Raises BadInput."""
    _check(successes, n, level)
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def clopper_pearson(successes: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact interval of a binomial share. Raises BadInput."""
    _check(successes, n, level)
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else _beta_quantile(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else _beta_quantile(1 - tail, successes + 1, n - successes)
    return low, high


def clustered(
    scores: Sequence[int], clusters: Sequence[Hashable], level: float = LEVEL, *, by: str = "family"
) -> Interval:
    """Return the mean of 0/1 `scores` with Wilson's interval at the effective sample size.

    Args:
        scores: one score a sample, 0 or 1.
        clusters: the cluster (item family) of each sample.
        by: what the clusters are, for the method's name.
        level: coverage, between 0 and 1.
    """
    if any(score not in (0, 1) for score in scores):
        raise BadInput("scores: each must be 0 or 1")
    return clustered_mean(scores, clusters, level, by=by)


def clustered_mean(
    scores: Sequence[float],
    clusters: Sequence[Hashable],
    level: float = LEVEL,
    *,
    by: str = "family",
) -> Interval:
    """As `clustered`, of scores from 0 to 1: these vary no more than yes and no with the same mean
    do, so that the interval is rather too wide than too narrow."""
    n = len(scores)
    if n != len(clusters):
        raise BadInput(f"clusters: {len(clusters)} for {n} scores")
    if any(not 0 <= score <= 1 for score in scores):
        raise BadInput("scores: each must be from 0 to 1")
    solved = sum(scores)
    _check(solved, n, level)
    size = effective_size(scores, clusters, level)
    mean = solved / n
    low, high = wilson(mean * size, size, level)
    low, high = min(low, mean), max(high, mean)  # of a tiny mean, rounding
    return Interval(mean, low, high, n, size, f"Wilson, clustered by {by}", level)


def clustered_error(scores: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Return the cluster-robust standard error of the mean (G/(G-1) corrected; 0 for G < 2)."""
    n = len(scores)
    mean = sum(scores) / n
    residuals: dict[Hashable, float] = defaultdict(float)
    for score, cluster in zip(scores, clusters, strict=True):
        residuals[cluster] += score - mean
    groups = len(residuals)
    if groups < 2:
        return 0.0
    variance = sum(value * value for value in residuals.values()) / (n * n)
    return math.sqrt(variance * groups / (groups - 1))


@dataclass(frozen=True)
class ErrorParts:
    """Standard errors of a mean over items, squares adding up: of the items, and of their trials.

    `trials` is None where no item has two, and `items` then holds both.
    """

    items: float
    trials: float | None


def error_parts(means: Sequence[float], noise: Sequence[float] | None) -> ErrorParts | None:
    """Split the error of the mean of `means`, one an item; `noise` is their `trial_noise`.

    None with fewer than two items.
    """
    n = len(means)
    if n < 2:
        return None
    mean = sum(means) / n
    whole = sum((value - mean) ** 2 for value in means) / (n - 1) / n
    if noise is None:
        return ErrorParts(math.sqrt(whole), None)
    trials = sum(noise) / n**2
    return ErrorParts(math.sqrt(max(0.0, whole - trials)), math.sqrt(trials))


def trial_noise(trials: Sequence[Sequence[float]]) -> list[float] | None:
    """The variance of each item's mean by its trials; the pooled one where an item has one trial.

    None where no item has two.
    """
    squares = [_squares(each) for each in trials]
    freedom = sum(len(each) - 1 for each in trials)
    if not freedom:
        return None
    pooled = sum(squares) / freedom
    return [
        (square / (len(each) - 1) if len(each) > 1 else pooled) / len(each)
        for square, each in zip(squares, trials, strict=True)
    ]


def _squares(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)


def effective_size(
    scores: Sequence[float], clusters: Sequence[Hashable], level: float = LEVEL
) -> float:
    """Return how many independent samples these are worth: between 1 and n."""
    n, groups = len(scores), len(set(clusters))
    mean = sum(scores) / n
    plain = mean * (1 - mean) / max(1, n - 1)
    if groups < 2 or plain == 0:  # which it is, too, where a mean is next to nothing
        return float(groups)
    design = max(1.0, clustered_error(scores, clusters) ** 2 / plain)
    few = (t_quantile((1 + level) / 2, n - 1) / t_quantile((1 + level) / 2, groups - 1)) ** 2
    return max(1.0, n / design * few)


@lru_cache(maxsize=4096)
def t_quantile(share: float, freedom: int) -> float:
    """Return Student's t at `share` (above one half) for `freedom` degrees of freedom."""
    tail = _beta_quantile(2 * (1 - share), freedom / 2, 0.5)
    return math.sqrt(freedom * (1 - tail) / tail)


def _check(successes: float, n: float, level: float) -> None:
    if not n > 0:
        raise BadInput("n: an interval needs at least one sample")
    if not 0 <= successes <= n:
        raise BadInput(f"successes: {successes} is not between 0 and n = {n}")
    if not 0 < level < 1:
        raise BadInput(f"level: {level} is not between 0 and 1")


def _beta_quantile(share: float, a: float, b: float) -> float:
    return _bisect(lambda x: _beta_cdf(x, a, b) - share)


def _bisect(function: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function by its continued fraction (Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _fraction(1 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1), tiny)
    result = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away(1 + term * d, tiny)
            c = _away(1 + term / c, tiny)
            result *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return result


def _away(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
