"""Power and budget: the chance that what is left of a window brings a determination, by simulation.

Rules:
- A future is drawn sample by sample and judged by the determination's own code: the clustered
  interval as an assessment rounds it, against the threshold. Nothing here has a rule of its own.
- A subject's log odds on a typical item are normal around what is expected; families and items
  differ from it by normal effects. Samples that are taken stay as they are, and narrow the rest.
- An item costs one exposure when it is shown, each trial of it its tokens and its share of a day.
  What runs out first says how many items are left; the families take turns.
- Chances are shares of the drawn futures, with Wilson's interval for the drawing. The same seed
  gives the same figures.
- It says what a budget may bring, never what a model is, and bears on no release.

Sources: Lachin (1981), Controlled Clinical Trials 2, for power by the analysis itself; McElreath
(2020), Statistical Rethinking, ch. 2, for the posterior on a grid.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist
from typing import Any

from vedette.bench.assessment import decimal
from vedette.bench.determination import Outcome, Threshold, suggest
from vedette.bench.intervals import clustered, wilson
from vedette.kernel.errors import BadInput

DRAWS = 400
POINTS = 8
MOST_SAMPLES, MOST_DRAWS, MOST_WORK = 20_000, 10_000, 20_000_000
MOST_DAYS, MOST_AMOUNT = 3650, 10**12
GRID, NODES = 41, 9
# how a normal spread of log odds flattens a logistic curve: (16 sqrt(3) / (15 pi))^2
FLATTER = 0.3458
NOTHING_LEFT = "nothing is left to spend"


@dataclass(frozen=True)
class Expectation:
    """The share of items a subject is expected to solve, and how far one is from sure (log odds).

    `families` and `items` are how far these differ, as standard deviations of log odds.
    """

    share: float
    spread: float = 1.0
    families: float = 0.7
    items: float = 1.0


@dataclass(frozen=True)
class Left:
    """What is left: items not yet shown, in `families`, `trials` each; None where it is no limit.

    `tokens_each` and `per_day` are for one sample.
    """

    items: int
    families: int
    trials: int = 1
    days: float | None = None
    per_day: float | None = None
    tokens: int | None = None
    tokens_each: int = 0
    exposures: int | None = None


@dataclass(frozen=True)
class Taken:
    """One sample that is taken already: its score and its family."""

    score: int
    family: str


@dataclass(frozen=True)
class Point:
    """The chances after so many more items."""

    items: int
    samples: int
    tokens: int
    days: float | None
    counts: dict[str, int]
    draws: int

    def chance(self, *outcomes: Outcome) -> dict[str, str]:
        """The share of futures with one of these outcomes, with Wilson's interval."""
        hits = sum(self.counts.get(outcome.value, 0) for outcome in outcomes)
        low, high = wilson(hits, self.draws)
        return {"chance": decimal(hits / self.draws), "low": decimal(low), "high": decimal(high)}

    def to_json(self) -> dict[str, Any]:
        return {
            "items": self.items,
            "samples": self.samples,
            "exposures": self.items,
            "tokens": self.tokens,
            "days": None if self.days is None else f"{self.days:.2f}",
            "determination": self.chance(Outcome.MEETS, Outcome.DOES_NOT_MEET),
            "meets": self.chance(Outcome.MEETS),
            "does_not_meet": self.chance(Outcome.DOES_NOT_MEET),
            "insufficient": self.chance(Outcome.INSUFFICIENT_EVIDENCE),
        }


@dataclass(frozen=True)
class Forecast:
    """The chances against what is spent; the first point is now, the last all that is left."""

    points: tuple[Point, ...]
    binds: str
    expected: float
    taken: int
    seed: int
    draws: int

    def to_json(self) -> dict[str, Any]:
        return {
            "points": [point.to_json() for point in self.points],
            "binds": self.binds,
            "expected_share": decimal(self.expected),
            "samples_taken": self.taken,
            "seed": self.seed,
            "draws": self.draws,
        }


def forecast(
    left: Left,
    expectation: Expectation,
    threshold: Threshold,
    *,
    taken: Sequence[Taken] = (),
    seed: int = 0,
    draws: int = DRAWS,
) -> Forecast:
    """Simulate what is left. Raises BadInput naming the field."""
    _check(left, expectation, taken, draws)
    items, binds = affordable(left)
    places = sorted({round(k * items / POINTS) for k in range(POINTS + 1)})
    work = draws * sum(place * left.trials + len(taken) for place in places)
    if len(taken) + items * left.trials > MOST_SAMPLES or work > MOST_WORK:
        raise BadInput(
            f"items: {items:,} items, {left.trials} trial(s), {draws:,} draws are too many to draw",
            next_step="fewer draws, items or trials",
        )
    names = _families(left.families, taken)
    belief = _Belief(expectation, names, taken)
    dice = random.Random(seed)  # noqa: S311 - repeatable by intent
    counts = {place: Counter[str]() for place in places}
    for _ in range(draws):
        scores, families = [t.score for t in taken], [t.family for t in taken]
        mean, effects = belief.draw(dice)
        done = 0
        for place in places:
            for item in range(done, place):
                family = names[item % len(names)]
                odds = mean + effects[family] + dice.gauss(0, expectation.items)
                scores += [int(dice.random() < _logistic(odds)) for _ in range(left.trials)]
                families += [family] * left.trials
            done = place
            counts[place][_outcome(scores, families, threshold)] += 1
    points = tuple(
        Point(
            place,
            place * left.trials,
            place * left.trials * left.tokens_each,
            place * left.trials / left.per_day if left.per_day else None,
            dict(counts[place]),
            draws,
        )
        for place in places
    )
    return Forecast(points, binds, belief.expected, len(taken), seed, draws)


def affordable(left: Left) -> tuple[int, str]:
    """How many more items can be shown, and what runs out first."""
    limits = {"items": left.items}
    if left.exposures is not None:
        limits["exposures"] = left.exposures
    if left.tokens is not None and left.tokens_each:
        limits["tokens"] = left.tokens // (left.tokens_each * left.trials)
    if left.days is not None and left.per_day is not None:
        limits["days"] = math.floor(left.days * left.per_day / left.trials + 1e-9)
    name = min(limits, key=lambda key: limits[key])
    return limits[name], name


def _outcome(scores: Sequence[int], families: Sequence[str], threshold: Threshold) -> str:
    if not scores:
        return Outcome.INSUFFICIENT_EVIDENCE.value
    interval = clustered(scores, families)
    low, high = Decimal(decimal(interval.low)), Decimal(decimal(interval.high))
    return suggest(low, high, threshold).value


class _Belief:
    """What is believed of the subject after what is taken: a mean on a grid, family effects."""

    def __init__(
        self, expectation: Expectation, names: Sequence[str], taken: Sequence[Taken]
    ) -> None:
        self.of = expectation
        normal = NormalDist()
        steps = [8 * k / (GRID - 1) - 4 for k in range(GRID)]
        prior = [normal.pdf(step) for step in steps]
        self.flat = math.sqrt(1 + FLATTER * (expectation.families**2 + expectation.items**2))
        middle = self._middle(steps, prior)
        self.grid = [middle + expectation.spread * step for step in steps]
        self.nodes = [
            expectation.families * normal.inv_cdf((k + 0.5) / NODES) for k in range(NODES)
        ]
        self.seen = {
            name: (
                sum(t.family == name for t in taken),
                sum(t.score for t in taken if t.family == name),
            )
            for name in names
        }
        logs = [
            math.log(share) + self._log_likelihood(mean)
            for share, mean in zip(prior, self.grid, strict=True)
        ]
        top = max(logs)
        self.weights = [math.exp(value - top) for value in logs]
        self.expected = self._mean(self.weights, self.grid)

    def _mean(self, weights: Sequence[float], grid: Sequence[float]) -> float:
        """The share that is expected under these weights."""
        shares = (_logistic(mean / self.flat) for mean in grid)
        return sum(w * s for w, s in zip(weights, shares, strict=True)) / sum(weights)

    def _middle(self, steps: Sequence[float], prior: Sequence[float]) -> float:
        """Where the grid's middle lies for the share expected to be the one given."""
        low, high = -60.0, 60.0
        for _ in range(60):
            middle = (low + high) / 2
            grid = [middle + self.of.spread * step for step in steps]
            if self._mean(prior, grid) < self.of.share:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    def draw(self, dice: random.Random) -> tuple[float, dict[str, float]]:
        """One subject: its log odds on a typical item, and the effect of each family."""
        mean = dice.choices(self.grid, self.weights)[0]
        effects = {}
        for name, (n, solved) in self.seen.items():
            if not n or not self.of.families:
                effects[name] = dice.gauss(0, self.of.families)
                continue
            logs = [self._log_family(mean + node, n, solved) for node in self.nodes]
            top = max(logs)
            effects[name] = dice.choices(self.nodes, [math.exp(v - top) for v in logs])[0]
        return mean, effects

    def _log_likelihood(self, mean: float) -> float:
        found = 0.0
        for n, solved in self.seen.values():
            if n:
                logs = [self._log_family(mean + node, n, solved) for node in self.nodes]
                top = max(logs)
                found += top + math.log(sum(math.exp(v - top) for v in logs) / NODES)
        return found

    def _log_family(self, odds: float, n: int, solved: int) -> float:
        chance = _logistic(odds / math.sqrt(1 + FLATTER * self.of.items**2))
        chance = min(max(chance, 1e-12), 1 - 1e-12)
        return solved * math.log(chance) + (n - solved) * math.log(1 - chance)


def _families(count: int, taken: Sequence[Taken]) -> list[str]:
    """Names of the families that the items left are of: those met first, then new ones."""
    known = sorted({sample.family for sample in taken})[:count]
    return known + [f"family {n}" for n in range(len(known) + 1, count + 1)]


def _logistic(x: float) -> float:
    return 0.5 * (1 + math.tanh(x / 2))


def _check(left: Left, expectation: Expectation, taken: Sequence[Taken], draws: int) -> None:
    _between("items", left.items, 0, MOST_SAMPLES)
    _between("families", left.families, 1, max(1, left.items) + len(taken))
    _between("trials", left.trials, 1, 100)
    _between("days", left.days, 0, MOST_DAYS)
    _between("per_day", left.per_day, 1e-6, MOST_AMOUNT)
    _between("tokens", left.tokens, 0, MOST_AMOUNT)
    _between("tokens_each", left.tokens_each, 0, MOST_AMOUNT)
    _between("exposures", left.exposures, 0, MOST_AMOUNT)
    _between("expected", expectation.share, 0.001, 0.999)
    _between("spread", expectation.spread, 0.01, 5)
    _between("draws", draws, 20, MOST_DRAWS)
    if left.tokens is not None and not left.tokens_each:
        raise BadInput("tokens_each: what a sample takes must be known where tokens are a limit")
    if left.days is not None and left.per_day is None:
        raise BadInput("per_day: samples a day must be known where days are a limit")
    if any(sample.score not in (0, 1) for sample in taken):
        raise BadInput("taken: a score is 0 or 1")


def _between(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not (math.isfinite(value) and low <= value <= high):
        raise BadInput(f"{name}: between {low:,g} and {high:,g} expected, not {value:g}")
