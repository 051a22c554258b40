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

from vedette.bench.irt import BLOCK, NODES, PRIOR, Bank, Floats, abilities, calibrate
from vedette.bench.responses import MISSING
from vedette.kernel.errors import BadInput

LEVEL, CONFIDENCE = 0.95, 0.9
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
TARGET = 0.3
SPREAD = 3
FOLDS, DRAWS, PASSES = 5, 20, 2
FEWEST, FEW = 5, 100
DESIGN = 1.25


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
    if len(known) < FEWEST:
        raise BadInput(f"{len(known)} calibration subjects: at least {FEWEST} are needed")
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
    chances = bank.chances(NODES)
    right, wrong = np.log(chances), np.log1p(-chances)
    worth = bank.information(NODES)
    if rule.costs is not None:
        worth = worth / rule.costs
    log = np.tile(np.log(PRIOR), (subjects, 1))
    left = cells != MISSING
    shown: list[list[int]] = [[] for _ in range(subjects)]
    going = np.flatnonzero(left.any(axis=1))
    most = count if rule.most is None else min(rule.most, count)
    for _ in range(most):
        if not len(going):
            break
        parts = np.array_split(going, 1 + len(going) * count // BLOCK)
        chosen = np.concatenate(
            [
                _choose(
                    np.where(left[part], _weights(log[part]) @ worth, -np.inf), rule.spread, random
                )
                for part in parts
            ]
        )
        left[going, chosen] = False
        solved = cells[going, chosen][:, None] == 1
        log[going] += np.where(solved, right[:, chosen].T, wrong[:, chosen].T)
        for subject, item in zip(going, chosen, strict=True):
            shown[subject].append(int(item))
        open_ = left[going].any(axis=1)
        if rule.target is not None:
            open_ &= factor * _spread_of(log[going]) > rule.target
        going = going[open_]
    mask = np.full_like(cells, MISSING)
    for row, items in enumerate(shown):
        mask[row, items] = cells[row, items]
    mean, error = abilities(bank, mask)
    return tuple(
        Outcome(tuple(items), float(m), float(e) * factor)
        for items, m, e in zip(shown, mean, error, strict=True)
    )


def _choose(value: Floats, spread: int, random: np.random.Generator) -> NDArray[np.int64]:
    """One of the `spread` best items of each row that is still there."""
    spread = min(spread, value.shape[1])
    best = np.argpartition(-value, spread - 1, axis=1)[:, :spread]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(value, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    there = np.isfinite(np.take_along_axis(value, best, axis=1)).sum(axis=1)
    drawn = np.floor(random.random(len(value)) * there).astype(int)
    found: NDArray[np.int64] = best[np.arange(len(value)), drawn]
    return found


def _weights(log: Floats) -> Floats:
    weight: Floats = np.exp(log - log.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return weight


def _spread_of(log: Floats) -> Floats:
    weight = _weights(log)
    mean = weight @ NODES
    found: Floats = np.sqrt(np.maximum(weight @ NODES**2 - mean**2, 0))
    return found
