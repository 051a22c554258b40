"""Ability on one scale: the two-parameter logistic model by marginal likelihood.

P(subject solves item) = 1 / (1 + exp(-a (ability - b))): `b` is where the odds are even, `a` how
sharply the item tells subjects apart.

Rules:
- Abilities of the calibrated group have mean 0 and standard deviation 1 (Bock and Aitkin, 1981).
- Item parameters are posterior modes. The prior of log a is normal, its mean and spread learnt from
  the items themselves: with little data all items share one discrimination (the one-parameter
  model), with much each has its own.
- An ability is the posterior mean, its standard error the posterior standard deviation; both are
  finite for who solved everything or nothing.
- One unit of ability multiplies the odds of solving a typical item by `unit_odds_ratio`.
- Of a table over LARGE cells the items are calibrated on an even share of the subjects that fits.
- A second suite comes onto the first one's scale through items that both hold (Stocking and Lord,
  1983).

Sources: Bock and Aitkin (1981), Psychometrika 46; Mislevy (1986), Psychometrika 51; Stocking and
Lord (1983), Applied Psychological Measurement 7.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from vedette.bench.responses import MISSING
from vedette.kernel.errors import BadInput

Floats = NDArray[np.float64]
NODES = np.linspace(-5, 5, 41)
PRIOR = np.exp(-(NODES**2) / 2) / np.exp(-(NODES**2) / 2).sum()
# the nodes must lie closer than a posterior is wide; this many are enough for so many items
ENOUGH = 300
SPREAD, SPREAD_WEIGHT = 0.3, 4.0
LOCATION_SPREAD = 2.5
ROUNDS, TOLERANCE = 300, 2e-4
FIRST, LARGE = 1000, 20_000_000
# abilities are summed over at nodes so many deviations apart, a deviation being the least there is;
# where they lie is seen at nodes COARSE apart, with what is beyond exp(-FAINT) of the most
STEP, COARSE, FAINT = 0.6, 0.5, 35.0
REACH = 8.0
BLOCK = 4_000_000


@dataclass(frozen=True)
class Bank:
    """Calibrated items: `a` discrimination, `b` difficulty, one value an item."""

    items: tuple[str, ...]
    a: Floats
    b: Floats

    @property
    def unit_odds_ratio(self) -> float:
        return float(np.exp(np.exp(np.log(self.a).mean())))

    def chances(self, ability: Floats) -> Floats:
        """Chance of solving, abilities by items."""
        return _logistic(self.a * (ability[:, None] - self.b))

    def information(self, ability: Floats) -> Floats:
        """Fisher information, abilities by items."""
        chance = self.chances(ability)
        found: Floats = self.a**2 * chance * (1 - chance)
        return found


def _logistic(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)), dtype=float)


def calibrate(items: Sequence[str], cells: NDArray[np.int8], start: Bank | None = None) -> Bank:
    """Fit the items to `cells` (subjects by items: 1, 0, -1 for not tried).

    `start` is an earlier fit of the same items to begin from. Raises BadInput where there are
    fewer than two subjects with an answer.
    """
    answered = np.flatnonzero(cells.max(axis=1, initial=MISSING) > MISSING)
    if len(answered) < 2:
        raise BadInput(
            f"{len(answered)} subject with an answer: a scale needs at least two",
            next_step="read the accuracy with its interval; it needs no scale",
        )
    few = cells[_share(answered, FIRST)]
    if start is None:
        a, b = np.ones(cells.shape[1]), _first_difficulty(few)
        if len(answered) > 2 * FIRST:
            a, b = _climb(few, a, b)
    else:
        a, b = start.a.copy(), start.b.copy()
    a, b = _climb(cells[_share(answered, max(FIRST, LARGE // len(a)))], a, b)
    return Bank(tuple(items), a, b)


def _share(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of the subjects, evenly chosen."""
    chosen: NDArray[np.int64] = rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(int))]
    return chosen


def _first_difficulty(cells: NDArray[np.int8]) -> Floats:
    tried = (cells != MISSING).sum(axis=0)
    share = ((cells == 1).sum(axis=0) + 0.5) / (tried + 1)
    found: Floats = -np.log(share / (1 - share))
    return found


def _climb(cells: NDArray[np.int8], a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """EM: expected counts at the nodes, then Fisher-scoring steps of every item.

    Of who solved what two sums suffice: each subject's over a, each item's over expected abilities.
    """
    solved = (cells == 1).astype(np.float32)
    tried = (cells != MISSING).astype(np.float32) if (cells == MISSING).any() else None
    total = solved.sum(axis=0, dtype=float)
    middle, spread = float(np.log(a).mean()), SPREAD
    slope, level = np.log(a), -a * b
    nodes = NODES
    if len(slope) > ENOUGH:
        nodes = np.linspace(-5, 5, int(len(NODES) * math.sqrt(len(slope) / ENOUGH)))
    for _ in range(ROUNDS):
        a = np.exp(slope)
        misses = np.logaddexp(0, np.outer(a, nodes) + level[:, None])
        log = np.outer(solved @ a.astype(np.float32), nodes)
        log -= misses.sum(axis=0) if tried is None else tried @ misses.astype(np.float32)
        weights = _normalised(log - nodes**2 / 2)
        expected = (solved.T @ (weights @ nodes).astype(np.float32)).astype(float)
        count = weights.sum(axis=0)[None]
        if tried is not None:
            count = (tried.T @ weights.astype(np.float32)).astype(float)
        before = np.concatenate([slope, level])
        variance = _step(total, expected, count, slope, level, middle, spread, nodes)
        middle = float(slope.mean())
        learnt = float(((slope - middle) ** 2 + variance).sum())
        spread = math.sqrt((learnt + SPREAD_WEIGHT * SPREAD**2) / (len(slope) + SPREAD_WEIGHT))
        moved = np.concatenate([slope, level]) - before
        if math.sqrt(float(moved @ moved) / len(moved)) < TOLERANCE:
            break
    return np.exp(slope), -level / np.exp(slope)


def _normalised(log: Floats) -> Floats:
    """Weights that sum to 1 in each row, from their logarithms."""
    weight: Floats = np.exp(log - log.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return weight


def _step(
    total: Floats,
    expected: Floats,
    count: Floats,
    slope: Floats,
    level: Floats,
    middle: float,
    spread: float,
    nodes: Floats,
) -> Floats:
    """Move `slope` (log a) and `level` (-a b) in place; return the variance of log a."""
    variance = np.zeros_like(slope)
    for _ in range(2):
        a = np.exp(slope)
        chance = _logistic(np.outer(a, nodes) + level[:, None])
        solved = count * chance
        weight = solved * (1 - chance)
        gradient_slope = a * (expected - solved @ nodes) - (slope - middle) / spread**2
        gradient_level = total - solved.sum(axis=1) - level / LOCATION_SPREAD**2
        h11 = a**2 * (weight @ nodes**2) + 1 / spread**2
        h12 = a * (weight @ nodes)
        h22 = weight.sum(axis=1) + 1 / LOCATION_SPREAD**2
        determinant = h11 * h22 - h12**2
        slope += np.clip((h22 * gradient_slope - h12 * gradient_level) / determinant, -1, 1)
        level += np.clip((h11 * gradient_level - h12 * gradient_slope) / determinant, -2, 2)
        np.clip(slope, -4, 3, out=slope)
        variance = h22 / determinant
    return variance


def abilities(bank: Bank, cells: NDArray[np.int8]) -> tuple[Floats, Floats]:
    """Posterior mean and standard deviation of each subject's ability (prior: mean 0, sd 1)."""
    mean, error = np.zeros(len(cells)), np.ones(len(cells))
    if not len(cells):
        return mean, error
    nodes = _nodes(bank, cells)
    for rows, log in _log_posteriors(bank, cells, nodes):
        weight = _normalised(log)
        mean[rows] = at = weight @ nodes
        error[rows] = np.sqrt((weight * (nodes - at[:, None]) ** 2).sum(axis=1))
    return mean, error


def _nodes(bank: Bank, cells: NDArray[np.int8]) -> Floats:
    """Nodes where these subjects' posteriors lie, so near that sums are all but integrals.

    However narrow a posterior or steep an item is. Where they lie shows on nodes far apart.
    """
    edge = farthest(bank)
    far = np.arange(-edge, edge + COARSE, COARSE)
    there = np.zeros(len(far), dtype=bool)
    for _, log in _log_posteriors(bank, cells, far):
        there |= (log > log.max(axis=1, keepdims=True) - FAINT).any(axis=0)
    around = far[there | np.append(there[1:], False) | np.append(False, there[:-1])]
    information = float(bank.information(around).sum(axis=1).max())
    steepest = float(bank.a.max()) ** 2
    step = STEP / math.sqrt(1 + steepest + information)
    return np.arange(around[0], around[-1] + step, step)


def farthest(bank: Bank) -> float:
    """How far from 0 a posterior may reach: of who solved all or nothing, and REACH beyond."""
    edge = REACH
    while _pull(bank, edge) > edge - REACH:
        edge += 1
    return edge


def _pull(bank: Bank, ability: float) -> float:
    """How hard the answers of who solved all, or nothing, pull so far out from 0 still."""
    high, low = bank.chances(np.array([ability, -ability]))
    return max(float(bank.a @ (1 - high)), float(bank.a @ low))


def _log_posteriors(
    bank: Bank, cells: NDArray[np.int8], nodes: Floats
) -> Iterator[tuple[slice, Floats]]:
    """Log posteriors over the nodes, but for a constant, of some subjects after the other."""
    misses = np.logaddexp(0, np.outer(bank.a, nodes) - (bank.a * bank.b)[:, None])
    whole = misses.sum(axis=0)
    size = max(1, BLOCK // max(cells.shape[1], len(nodes)))
    for first in range(0, len(cells), size):
        part = cells[first : first + size]
        missed = part == MISSING
        log = np.outer((part == 1) @ bank.a, nodes) - nodes**2 / 2
        log -= (~missed).astype(float) @ misses if missed.any() else whole
        yield slice(first, first + size), log


def link(own: Bank, onto: Bank) -> tuple[float, float]:
    """Return (factor, shift): `factor * ability + shift` is an ability on `onto`'s scale.

    Raises BadInput where the two share fewer than three items.
    """
    shared = [item for item in own.items if item in set(onto.items)]
    if len(shared) < 3:
        raise BadInput(f"{len(shared)} items in common: a link needs at least three")
    mine = [own.items.index(item) for item in shared]
    theirs = [onto.items.index(item) for item in shared]
    target = Bank(tuple(shared), onto.a[theirs], onto.b[theirs]).chances(NODES).sum(axis=1)

    def miss(guess: Floats) -> float:
        factor = math.exp(guess[0])
        moved = Bank(tuple(shared), own.a[mine] / factor, factor * own.b[mine] + guess[1])
        return float(PRIOR @ (moved.chances(NODES).sum(axis=1) - target) ** 2)

    found = minimize(
        miss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}
    )
    return math.exp(float(found.x[0])), float(found.x[1])
