"""Time horizon: how long a task, in human minutes, a subject solves half (or 80%) of the time.

Rules:
- The chance of solving is logistic in log2 of the human minutes, fitted by maximum likelihood.
- Without weights of their own, runs weigh as METR's do: a run 1/(runs of its task), a task
  1/sqrt(tasks of its family), scaled to a sum of 1 a subject.
- A subject that solved everything, or nothing, has no horizon on these tasks (runs of weight 0
  don't count), and one that does better on longer tasks, or has tasks of one length only, has none
  that means anything: all are None, with the reason.
- Where some length parts all solved from all unsolved, the likelihood has no maximum; what its
  best fits tend to is taken: the middle, in log2, between the longest solved and the shortest not.
- The interval is a hierarchical bootstrap: families, then their tasks, then the tasks' runs, each
  drawn with replacement. A draw without a horizon counts as beyond every bound on its side; a bound
  that falls there is None.
- The trend is least squares of log2 of the 50% horizon on the date; its interval is Student's.

Source: Kwa et al. (2025), "Measuring AI ability to complete long tasks".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vedette.kernel.errors import BadInput

Floats = NDArray[np.float64]
DRAWS = 1000
SHARES = (0.5, 0.8)
STEEPEST = 1e3
ALL, NONE = "solved everything", "solved nothing"
UPHILL = "solves longer tasks no less often"
ONE_LENGTH = "all tasks take the same human time"
# less growth than this over all dates, in doublings, is rounding
FLAT = 1e-9


@dataclass(frozen=True)
class Run:
    """One run: `minutes` a human takes, `score` from 0 to 1; `weight` None for METR's."""

    subject: str
    task: str
    family: str
    minutes: float
    score: float
    weight: float | None = None


@dataclass(frozen=True)
class Horizon:
    """One subject's horizons in minutes with 95% intervals; None where there is none, and why."""

    subject: str
    n: int
    p50: float | None
    p50_interval: tuple[float | None, float | None] | None
    p80: float | None
    p80_interval: tuple[float | None, float | None] | None
    reason: str = ""


@dataclass(frozen=True)
class _Cells:
    """Runs summed by task: log2 minutes, weight and weighted score of each, and their nesting."""

    length: Floats
    families: NDArray[np.int64]
    runs: list[tuple[Floats, Floats]]


def horizon(runs: Sequence[Run], seed: int, draws: int = DRAWS, *, equal: bool = False) -> Horizon:
    """The horizons of one subject from its runs. `equal` weighs every run alike."""
    # so that no draw depends on the order of the file
    runs = sorted(runs, key=lambda run: (run.family, run.task, run.score, run.weight or 0))
    weights = weigh(runs, equal=equal)
    scores = np.array([run.score for run in runs])
    cells = _cells(runs, weights)
    weight = np.array([[w.sum() for w, _ in cells.runs]])
    solved = np.array([[(w * s).sum() for w, s in cells.runs]])
    reason = _reason(scores[weights > 0], cells.length[weight[0] > 0])
    first, second = (float(x) for x in _fit(cells.length, weight, solved)[0])
    if not reason and math.isinf(first):
        reason = UPHILL
    name = runs[0].subject
    if reason:
        return Horizon(name, len(runs), None, None, None, None, reason)
    drawn = _bootstrap(cells, draws, np.random.default_rng(seed))
    return Horizon(
        name,
        len(runs),
        _minutes(first),
        _interval(drawn[:, 0]),
        _minutes(second),
        _interval(drawn[:, 1]),
    )


def _reason(scores: Floats, length: Floats) -> str:
    if scores.min() >= 1:
        return ALL
    if scores.max() <= 0:
        return NONE
    return ONE_LENGTH if np.ptp(length) == 0 else ""


def weigh(runs: Sequence[Run], *, equal: bool = False) -> Floats:
    """Weights that sum to 1: as given, METR's, or equal. Raises BadInput."""
    given = [run.weight for run in runs]
    if equal:
        found = np.ones(len(runs))
    elif all(weight is not None for weight in given):
        found = np.array(given, dtype=float)
    else:
        of_task: dict[tuple[str, str], int] = {}
        for run in runs:
            of_task[run.family, run.task] = of_task.get((run.family, run.task), 0) + 1
        tasks: dict[str, int] = {}
        for family, _ in of_task:
            tasks[family] = tasks.get(family, 0) + 1
        found = np.array([1 / of_task[r.family, r.task] / math.sqrt(tasks[r.family]) for r in runs])
    if (found < 0).any() or found.max() <= 0:
        raise BadInput(
            f"subject {runs[0].subject[:60]!r}, weight: not negative, and not all nought, expected"
        )
    # first by the largest: a sum of huge weights would be infinite
    found = found / found.max()
    total: Floats = found / found.sum()
    return total


def _cells(runs: Sequence[Run], weights: Floats) -> _Cells:
    where: dict[tuple[str, str], int] = {}
    rows: list[list[int]] = []
    for index, run in enumerate(runs):
        if (run.family, run.task) not in where:
            where[run.family, run.task] = len(rows)
            rows.append([])
        rows[where[run.family, run.task]].append(index)
    numbers: dict[str, int] = {}
    scores = np.array([run.score for run in runs])
    for family, _ in where:
        numbers.setdefault(family, len(numbers))
    return _Cells(
        np.log2([runs[row[0]].minutes for row in rows]),
        np.array([numbers[family] for family, _ in where]),
        [(weights[row], scores[row]) for row in rows],
    )


def _fit(length: Floats, weight: Floats, solved: Floats) -> Floats:
    """Fit many weightings at once: rows of (log2 p50, log2 p80), infinite where there is none.

    `weight` and `solved` are draws by tasks. All solved gives +inf, none solved or a rising chance
    -inf.
    """
    draws = len(weight)
    total, right = weight.sum(axis=1), solved.sum(axis=1)
    centre = (weight @ length) / total
    spread = np.sqrt(np.maximum((weight * (length - centre[:, None]) ** 2).sum(axis=1) / total, 0))
    spread = np.where(spread > 0, spread, 1.0)
    at = (length - centre[:, None]) / spread[:, None]
    share = np.clip(right / total, 1e-9, 1 - 1e-9)
    level, slope = np.log(share / (1 - share)), np.zeros(draws)
    for _ in range(100):
        chance = 0.5 * (1 + np.tanh((level[:, None] + slope[:, None] * at) / 2))
        rest = solved - weight * chance
        curve = weight * chance * (1 - chance)
        g0, g1 = rest.sum(axis=1), (rest * at).sum(axis=1)
        h00 = curve.sum(axis=1) + 1e-12
        h01 = (curve * at).sum(axis=1)
        h11 = (curve * at**2).sum(axis=1) + 1e-12
        determinant = np.maximum(h00 * h11 - h01**2, 1e-24)
        step0 = (h11 * g0 - h01 * g1) / determinant
        step1 = (h00 * g1 - h01 * g0) / determinant
        scale = np.minimum(1, 5 / np.maximum(np.maximum(np.abs(step0), np.abs(step1)), 1e-300))
        level += scale * step0
        slope += scale * step1
        if (np.abs(scale * step0) < 1e-10).all() and (np.abs(scale * step1) < 1e-10).all():
            break
        np.clip(slope, -STEEPEST, STEEPEST, out=slope)
        np.clip(level, -STEEPEST * 10, STEEPEST * 10, out=level)
    return _read_off(length, weight, solved, (level, slope, centre, spread))


def _read_off(
    length: Floats, weight: Floats, solved: Floats, fit: tuple[Floats, Floats, Floats, Floats]
) -> Floats:
    level, slope, centre, spread = fit
    found = np.empty((len(weight), len(SHARES)))
    with np.errstate(divide="ignore", invalid="ignore"):
        for column, share in enumerate(SHARES):
            odds = math.log(share / (1 - share))
            found[:, column] = centre + spread * (odds - level) / slope
    found[slope >= 0] = -np.inf
    there = weight > 0
    longest = np.where(there & (solved > 0), length, -np.inf).max(axis=1)
    shortest = np.where(there & (solved < weight * (1 - 1e-12)), length, np.inf).min(axis=1)
    parted = longest < shortest
    found[parted] = ((longest + shortest) / 2)[parted][:, None]
    found[~np.isfinite(shortest)] = np.inf
    found[~np.isfinite(longest)] = -np.inf
    return found


def _bootstrap(cells: _Cells, draws: int, random: np.random.Generator) -> Floats:
    """Families, tasks and runs drawn with replacement; returns draws by SHARES."""
    tasks = len(cells.length)
    members = [np.flatnonzero(cells.families == f) for f in range(int(cells.families.max()) + 1)]
    times = np.zeros((draws, tasks), dtype=np.int64)
    chosen = random.multinomial(len(members), np.full(len(members), 1 / len(members)), draws)
    for family, rows in enumerate(members):
        # a family drawn twice has its tasks drawn twice, each time anew
        times[:, rows] = random.multinomial(
            chosen[:, family] * len(rows), np.full(len(rows), 1 / len(rows))
        )
    weight, solved = np.zeros((draws, tasks)), np.zeros((draws, tasks))
    for task, (weights, scores) in enumerate(cells.runs):
        n = len(weights)
        if n == 1:
            weight[:, task] = times[:, task] * weights[0]
            solved[:, task] = weight[:, task] * scores[0]
            continue
        counts = random.multinomial(times[:, task] * n, np.full(n, 1 / n))
        weight[:, task] = counts @ weights
        solved[:, task] = counts @ (weights * scores)
    return _fit(cells.length, weight, solved)


def _interval(drawn: Floats) -> tuple[float | None, float | None]:
    low, high = np.quantile(drawn, [0.025, 0.975], method="closest_observation")
    return _minutes(float(low)), _minutes(float(high))


def _minutes(log2: float) -> float | None:
    return 2.0**log2 if abs(log2) < 1000 else None


@dataclass(frozen=True)
class Trend:
    """Days in which the 50% horizon doubles; a bound is None where the trend may not rise."""

    doubling: float | None
    interval: tuple[float | None, float | None] | None
    n: int
    reason: str = ""


def trend(points: Sequence[tuple[date, float]]) -> Trend:
    """Fit log2 of the horizon (minutes) on the date. Raises BadInput with fewer than two dates."""
    days = np.array([day.toordinal() for day, _ in points], dtype=float)
    logs = np.log2([minutes for _, minutes in points])
    n = len(points)
    if len(set(days)) < 2:
        raise BadInput(f"{len(set(days))} release date: a trend needs at least two")
    centred = days - days.mean()
    slope = float(centred @ logs / (centred @ centred))
    interval = _slopes(centred, logs, slope)
    if slope * np.ptp(days) < FLAT:
        return Trend(None, None, n, "the horizon does not grow with the date")
    if interval is None:
        return Trend(1 / slope, None, n, "two points have no interval")
    low, high = interval
    return Trend(1 / slope, (1 / high, 1 / low if low > 0 else None), n)


def _slopes(centred: Floats, logs: Floats, slope: float) -> tuple[float, float] | None:
    n = len(logs)
    if n < 3:
        return None
    rest = logs - logs.mean() - slope * centred
    error = math.sqrt(float(rest @ rest) / (n - 2) / float(centred @ centred))
    half = float(special.stdtrit(n - 2, 0.975)) * error
    return slope - half, slope + half
