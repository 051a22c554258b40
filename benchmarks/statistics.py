"""Statistics: calibration and horizons at size, beside scikit-learn's logistic regressions.

Calibration: 5,000 simulated subjects by 250 items, both parameters of each item and all abilities;
the peer fits one logistic regression an item on abilities that it is given, which is the easier
half of the work, once. Horizon: one subject, 7,000 runs of 250 tasks in 60 families, 1,000 draws of
the hierarchical bootstrap; the peer fits scikit-learn's weighted logistic regression in a loop, to
as many draws of the families alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.result import Result, in_turns, timed
from vedette.bench.horizon import Run, horizon, weigh
from vedette.bench.irt import abilities, calibrate

SEED = 90_010
PEER = "scikit-learn's logistic regressions"
Floats = NDArray[np.float64]


def run(quick: bool) -> list[Result]:
    return [*_calibration(quick), *_horizon(quick)]


def _calibration(quick: bool) -> list[Result]:
    subjects, items = (500, 40) if quick else (5000, 250)
    random = np.random.default_rng(SEED)
    ability, b = random.standard_normal(subjects), random.standard_normal(items)
    a = random.lognormal(0, 0.3, items)
    chance = 1 / (1 + np.exp(-a * (ability[:, None] - b)))
    cells = (random.random((subjects, items)) < chance).astype(np.int8)
    names = [str(number) for number in range(items)]

    def ours() -> None:
        abilities(calibrate(names, cells), cells)

    def peer() -> None:
        for column in cells.T:
            _logistic(ability, column.astype(float), np.ones(subjects))

    found = in_turns({"ours": lambda: timed(ours), "peer": lambda: timed(peer)}, 1 if quick else 3)
    what = f"calibration, {subjects:,} subjects by {items} items"
    return [Result(what, "s", found["ours"], found["peer"], f"{PEER}, abilities given")]


def _horizon(quick: bool) -> list[Result]:
    count, draws = (400, 100) if quick else (7000, 1000)
    random = np.random.default_rng(SEED)
    runs = []
    for number in range(count):
        task = number % 250
        length = 12 * ((task * 89) % 250) / 250
        solved = random.random() < 1 / (1 + np.exp(0.7 * (length - 6)))
        runs.append(Run("s", str(task), str(task % 60), 2.0**length, float(solved)))
    weights = weigh(runs)
    lengths = np.array([np.log2(run.minutes) for run in runs])
    scores = np.array([run.score for run in runs])
    families = np.array([int(run.family) for run in runs])

    def peer() -> None:
        for _ in range(draws):
            times = np.bincount(random.integers(0, 60, 60), minlength=60)[families]
            _logistic(lengths, scores, weights * times)

    found = in_turns(
        {"ours": lambda: timed(lambda: horizon(runs, SEED, draws)), "peer": lambda: timed(peer)},
        1,
    )
    what = f"horizon, {count:,} runs, {draws:,} draws"
    return [Result(what, "s", found["ours"], found["peer"], f"{PEER} in a loop")]


def _logistic(at: Floats, scores: Floats, weights: Floats) -> float:
    """The point of even odds, by scikit-learn without a penalty."""
    from sklearn.linear_model import LogisticRegression

    there = weights > 0
    fit = LogisticRegression(C=np.inf).fit(
        at[there, None], scores[there], sample_weight=weights[there] * len(at)
    )
    return float(-fit.intercept_[0] / fit.coef_[0, 0])
