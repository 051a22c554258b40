"""Differences of two shares of solved items, with intervals that never collapse.

Rules:
- The interval is Newcombe's: the two shares' own intervals (Wilson's, clustered by family), squared
  and added. It has a width even where both subjects solved all or nothing.
- Paired scores (the same items) take their correlation into account, with Newcombe's correction of
  it towards nought; samples of different items are independent.
- Uplift is the assessed subject less the best of the conventional tools that ran beside it, on the
  same items. Which was best is chosen after the fact, and so the uplift is, if anything, too low.

Sources: Newcombe (1998), Statistics in Medicine 17, methods 10 of both papers; Zou and Donner
(2008), Statistics in Medicine 27, for squaring and adding any two intervals.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vedette.bench.intervals import Interval, clustered
from vedette.bench.results import Sample
from vedette.kernel.errors import BadInput

CONVENTIONAL = ("libfuzzer", "afl", "aflplusplus", "mutator")
METHOD = "Newcombe, clustered by family"


@dataclass(frozen=True)
class Difference:
    """`a` less `b`, from -1 to 1, with its interval; `items` are those it rests on."""

    estimate: float
    low: float
    high: float
    level: float
    items: int
    method: str

    def to_json(self) -> dict[str, Any]:
        return {
            "estimate": f"{self.estimate:.4f}",
            "low": f"{self.low:.4f}",
            "high": f"{self.high:.4f}",
            "level": f"{self.level:.2f}",
            "items": self.items,
            "method": self.method,
        }


def paired(a: Sequence[Sample], b: Sequence[Sample]) -> Difference:
    """`a` less `b` on the items that both tried. Raises BadInput where there is none."""
    shared = {sample.item for sample in a} & {sample.item for sample in b}
    if not shared:
        raise BadInput("the two subjects have no item in common")
    mine = [sample for sample in a if sample.item in shared]
    theirs = [sample for sample in b if sample.item in shared]
    means = [_means(mine), _means(theirs)]
    pairs = [(means[0][item], means[1][item]) for item in sorted(shared)]
    added = _added(share_of(mine), share_of(theirs), correlation(pairs))
    return Difference(*added, items=len(shared), method=f"{METHOD}, paired by item")


def unpaired(a: Sequence[Sample], b: Sequence[Sample]) -> Difference:
    """`a` less `b`, which are of different items. Raises BadInput where one is empty."""
    items = {sample.item for sample in (*a, *b)}
    return Difference(*_added(share_of(a), share_of(b), 0.0), items=len(items), method=METHOD)


def best_conventional(samples: Sequence[Sample], references: Sequence[str]) -> str:
    """The conventional tool among `references` that solved the largest share; "" without one."""
    known = [name for name in CONVENTIONAL if name in references]
    shares = {name: share_of([s for s in samples if s.subject == name]).estimate for name in known}
    return max(known, key=lambda name: shares[name], default="")


def share_of(samples: Sequence[Sample]) -> Interval:
    """The share of samples solved, its interval clustered by family. Raises BadInput."""
    return clustered([sample.score for sample in samples], [sample.family for sample in samples])


def correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Newcombe's corrected correlation of scores between 0 and 1; 0 where one never varies."""
    n = len(pairs)
    a, b = sum(x for x, _ in pairs), sum(y for _, y in pairs)
    product = n * sum(x * y for x, y in pairs) - a * b
    spread = (n * sum(x * x for x, _ in pairs) - a * a) * (n * sum(y * y for _, y in pairs) - b * b)
    if spread <= 0:
        return 0.0
    if product > 0:
        product = max(0.0, product - n / 2)
    return max(-1.0, min(1.0, product / math.sqrt(spread)))


def _means(samples: Sequence[Sample]) -> Mapping[str, float]:
    scores: dict[str, list[int]] = defaultdict(list)
    for sample in samples:
        scores[sample.item].append(sample.score)
    return {item: sum(row) / len(row) for item, row in scores.items()}


def _added(a: Interval, b: Interval, related: float) -> tuple[float, float, float, float]:
    """Difference, its bounds, and their level."""

    def reach(left: float, right: float) -> float:
        return math.sqrt(max(0.0, left * left - 2 * related * left * right + right * right))

    difference = a.estimate - b.estimate
    low = difference - reach(a.estimate - a.low, b.high - b.estimate)
    high = difference + reach(a.high - a.estimate, b.estimate - b.low)
    return difference, max(-1.0, low), min(1.0, high), a.level
