"""Statistics: calibration and horizons at size, beside scikit-learn's logistic regressions.

Calibration: 5,000 simulated subjects by 250 items, both parameters of each item and all abilities;
the peer fits one logistic regression an item on abilities that it is given, which is the easier
half of the work, once. Horizon: one subject, 7,000 runs of 250 tasks in 60 families, 1,000 draws of
the hierarchical bootstrap; the peer fits scikit-learn's weighted logistic regression in a loop, to
as many draws of the families alone. Large table: the commands on a CSV file of 10,000 subjects by
10,000 items, adaptive choice for 3,000 of them; the peer is numpy counting the ones in the file's
bytes, which whoever reads it can't do without.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.child import VEDETTE, cost
from benchmarks.result import Result, Spread, in_turns, timed
from vedette.bench.horizon import Run, horizon, weigh
from vedette.bench.irt import abilities, calibrate

SEED = 90_010
PEER = "scikit-learn's logistic regressions"
COUNT_ONES = "import sys, numpy; print((numpy.fromfile(sys.argv[1], numpy.uint8) == 49).sum())"
Floats = NDArray[np.float64]


def run(quick: bool) -> list[Result]:
    return [*_calibration(quick), *_horizon(quick), *_large(quick)]


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


def _large(quick: bool) -> list[Result]:
    size, known = (500, 350) if quick else (10_000, 7_000)
    random = np.random.default_rng(SEED)
    ability, b = random.standard_normal(size), random.normal(0, 1.3, size)
    a = random.lognormal(0, 0.3, size)
    with TemporaryDirectory() as folder:
        table, names = Path(folder) / "responses.csv", Path(folder) / "known.txt"
        names.write_text("\n".join(f"s{number}" for number in range(known)))
        with table.open("wb") as file:
            file.write(("subject," + ",".join(f"i{n}" for n in range(size)) + "\n").encode())
            for number, at in enumerate(ability):
                row = np.full(2 * size, ord(","), dtype=np.uint8)
                row[::2] = ord("0") + (random.random(size) < 1 / (1 + np.exp(-a * (at - b))))
                file.write(f"s{number},".encode() + row[:-1].tobytes() + b"\n")
        responses = ("--responses", str(table), "--json")
        costs = {
            "ability": cost([*VEDETTE, "bench", "ability", *responses]),
            "adaptive": cost(
                [*VEDETTE, "bench", "adaptive", *responses, "--calibrate", str(names)]
            ),
            "peer": cost([sys.executable, "-c", COUNT_ONES, str(table)]),
        }
    peer = costs.pop("peer")
    what = f"on a table of {size:,} x {size:,}"
    return [
        Result(f"bench {name} {what}, {part}", unit, *map(Spread.of, ours), "bytes counted")
        for name, spent in costs.items()
        for part, unit, *ours in (
            ("time", "s", [spent.seconds], [peer.seconds]),
            ("memory", "MiB", [spent.memory], [peer.memory]),
        )
    ]


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
