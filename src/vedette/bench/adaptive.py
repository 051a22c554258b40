"""Adaptive item choice: fewer items to the same precision, with intervals that keep their word.

Rules:
- The next item is the one that tells most where the ability may lie: Fisher information averaged
  over the posterior, per unit of cost. Among the `spread` best one is drawn by the seed, so that
  no item is shown to everybody.
- Replay stops at the target standard error, after the most items, or when items run out.
- The posterior's own standard error is too small: items fit the model imperfectly, and choosing
  picks those that fit worse than they seem. So it is multiplied by a factor learnt on the
  calibration subjects: each fold is replayed with items calibrated on the others, and the factor
  is the quantile of |plausible ability - estimate| / error that covers LEVEL of them with
  CONFIDENCE; with few subjects (under FEW) their root mean square with the same confidence. It is
  never below 1. Plausible abilities are drawn from the posterior of all answers, with DESIGN times
  its variance: answers to items of one family hang together, which the model does not know.
- The target is for the multiplied error, so the factor is learnt where it is used.

Sources: van der Linden (1998), Psychometrika 63, for the choice; Kingsbury and Zara (1989) for the
draw; Lei et al. (2018), JASA 113, for the factor; Wilks (1941) for its confidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vedette.bench.irt import NODES, Bank, Floats, abilities, calibrate, farthest
from vedette.bench.responses import MISSING
from vedette.kernel.errors import BadInput

LEVEL, CONFIDENCE = 0.95, 0.9
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
TARGET = 0.3
SPREAD = 3
FOLDS, DRAWS, PASSES = 5, 20, 2
FEWEST, FEW = 5, 100
DESIGN = 1.25
# the posteriors that items are ranked for; a narrower one ranks them no differently
MEANS = np.linspace(-5, 5, 101)
DEVIATIONS = 0.7 ** np.arange(8)


@dataclass(frozen=True)
class Rule:
    """When to stop and how to choose; `costs` one an item, `spread` 1 always takes the best."""

    target: float | None = TARGET
    most: int | None = None
    spread: int = SPREAD
    costs: Floats | None = None


@dataclass(frozen=True)
class Outcome:
    """One replayed subject: items in the order shown, ability, its calibrated standard error."""

    items: tuple[int, ...]
    ability: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        return self.ability - Z * self.error, self.ability + Z * self.error


@dataclass(frozen=True)
class Replay:
    """What a replay found: the calibrated bank, the factor on its errors, an outcome a subject."""

    bank: Bank
    factor: float
    outcomes: tuple[Outcome, ...]

    def exposures(self) -> NDArray[np.int64]:
        """How many of the replayed subjects saw each item."""
        shown = np.zeros(len(self.bank.a), dtype=np.int64)
        for outcome in self.outcomes:
            shown[list(outcome.items)] += 1
        return shown


def replay(
    items: Sequence[str],
    known: NDArray[np.int8],
    held_out: NDArray[np.int8],
    rule: Rule,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Replay:
    """Calibrate on `known` and replay the choice for `held_out` (subjects by items, as responses).

    Raises BadInput where `known` has too few subjects to calibrate on.
    """
    known = known[(known != MISSING).any(axis=1)]
    if len(known) < FEWEST:
        raise BadInput(
            f"{len(known)} calibration subjects with an answer: at least {FEWEST} are needed"
        )
    random = np.random.default_rng(seed)
    bank = calibrate(items, known)
    factor = _factor(bank, known, rule, random, progress)
    progress(FOLDS * PASSES, FOLDS * PASSES + 1)
    found = run(bank, held_out, rule, factor, random)
    progress(FOLDS * PASSES + 1, FOLDS * PASSES + 1)
    return Replay(bank, factor, found)


def _factor(
    bank: Bank,
    known: NDArray[np.int8],
    rule: Rule,
    random: np.random.Generator,
    progress: Callable[[int, int], None],
) -> float:
    """How much the posterior's error must grow to cover what it says it covers."""
    folds = np.array_split(random.permutation(len(known)), min(FOLDS, len(known)))
    banks = [calibrate(bank.items, np.delete(known, fold, axis=0), bank) for fold in folds]
    factor = 1.0
    for turn in range(PASSES):
        ratios = []
        for number, (fold, other) in enumerate(zip(folds, banks, strict=True)):
            progress(turn * FOLDS + number, FOLDS * PASSES + 1)
            cells = known[fold]
            mean, error = abilities(other, cells)
            drawn = random.standard_normal((len(fold), DRAWS))
            plausible = mean[:, None] + math.sqrt(DESIGN) * error[:, None] * drawn
            found = run(other, cells, rule, factor, random)
            guess = np.array([[one.ability] for one in found])
            raw = np.array([[one.error / factor] for one in found])
            ratios.append(np.abs(plausible - guess) / raw)
        factor = max(factor, _needed(np.concatenate(ratios)))
    return factor


def _needed(ratios: Floats) -> float:
    """The factor that covers LEVEL of subjects like these with CONFIDENCE; subjects by draws."""
    n = len(ratios)
    if n < FEW:
        total = float((ratios**2).mean(axis=1).sum())
        return float(np.sqrt(total / special.chdtri(n, CONFIDENCE)))
    ranks = np.arange(1, n + 1)
    enough = special.betaincc(ranks, n + 1 - ranks, LEVEL) >= CONFIDENCE
    return float(np.quantile(ratios, ranks[enough][0] / n, method="higher")) / Z


def run(
    bank: Bank, cells: NDArray[np.int8], rule: Rule, factor: float, random: np.random.Generator
) -> tuple[Outcome, ...]:
    """Replay all subjects side by side, one item each a round; errors times `factor`."""
    subjects, count = cells.shape
    nodes = _nodes(bank, rule, factor)
    at = bank.a[:, None] * (nodes - bank.b[:, None])
    right, wrong = -np.logaddexp(0, -at), -np.logaddexp(0, at)
    ranking = _Ranking(bank, rule.costs)
    log = np.tile(-(nodes**2) / 2, (subjects, 1))
    left = cells != MISSING
    remaining = left.sum(axis=1)
    shown: list[list[int]] = [[] for _ in range(subjects)]
    going = np.flatnonzero(remaining)
    mean, error = np.zeros(subjects), np.ones(subjects)
    most = count if rule.most is None else min(rule.most, count)
    for _ in range(most):
        if not len(going):
            break
        drawn = random.random(len(going)) * np.minimum(rule.spread, remaining[going])
        chosen = ranking.choose(mean[going], error[going], left, going, drawn.astype(int))
        left[going, chosen] = False
        remaining[going] -= 1
        solved = cells[going, chosen][:, None] == 1
        log[going] += np.where(solved, right[chosen], wrong[chosen])
        for subject, item in zip(going.tolist(), chosen.tolist(), strict=True):
            shown[subject].append(item)
        mean[going], error[going] = _moments(log[going], nodes)
        open_ = remaining[going] > 0
        if rule.target is not None:
            open_ &= factor * error[going] > rule.target
        going = going[open_]
    return tuple(
        Outcome(tuple(items), float(m), float(e) * factor)
        for items, m, e in zip(shown, mean, error, strict=True)
    )


def _nodes(bank: Bank, rule: Rule, factor: float) -> Floats:
    """Nodes so near to each other that no posterior that is wider than the target falls between."""
    narrowest = 1 / math.sqrt(1 + float(bank.information(NODES).sum(axis=1).max()))
    if rule.target is not None:
        narrowest = max(narrowest, rule.target / factor)
    edge = farthest(bank)
    return np.linspace(-edge, edge, 1 + math.ceil(2 * edge / min(0.25, narrowest / 1.5)))


class _Ranking:
    """The items of a bank by what they tell per cost, for normal posteriors on a grid of both."""

    def __init__(self, bank: Bank, costs: Floats | None) -> None:
        self._worth = bank.information(MEANS) / (1 if costs is None else costs)
        self._orders: dict[int, NDArray[np.int32]] = {}

    def choose(
        self,
        mean: Floats,
        error: Floats,
        left: NDArray[np.bool_],
        going: NDArray[np.int64],
        place: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """For each subject `going` the item at this place, from 0, among those it has `left`."""
        at = np.clip(np.rint((mean - MEANS[0]) / (MEANS[1] - MEANS[0])), 0, len(MEANS) - 1)
        wide = np.abs(np.log(error[:, None] / DEVIATIONS)).argmin(axis=1)
        kinds, kind = np.unique(wide * len(MEANS) + at.astype(int), return_inverse=True)
        orders = self._ordered(kinds)
        chosen = np.empty(len(mean), dtype=np.int64)
        rows, width = np.arange(len(mean)), 16
        while len(rows):
            best = np.stack([order[:width] for order in orders])[kind[rows]]
            there = left[going[rows, None], best].cumsum(axis=1) > place[rows, None]
            found = there[:, -1]
            chosen[rows[found]] = best[found, there[found].argmax(axis=1)]
            rows, width = rows[~found], width * 4
        return chosen

    def _ordered(self, kinds: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        """The orders of items for these kinds of posterior."""
        new = np.array([kind for kind in kinds.tolist() if kind not in self._orders], dtype=int)
        if len(new):
            wide, at = np.divmod(new, len(MEANS))
            far = (MEANS - MEANS[at][:, None]) / DEVIATIONS[wide][:, None]
            order = np.argsort(-(np.exp(-(far**2) / 2) @ self._worth), axis=1, kind="stable")
            self._orders |= zip(new.tolist(), order.astype(np.int32), strict=True)
        return [self._orders[kind] for kind in kinds.tolist()]


def _moments(log: Floats, nodes: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each posterior."""
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    mean = weight @ nodes
    return mean, np.sqrt((weight * (nodes - mean[:, None]) ** 2).sum(axis=1))
