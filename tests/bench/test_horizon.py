"""Horizons: the maximum of the likelihood, METR's weights, honest ends, an interval that covers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import optimize, stats

from vedette.bench.horizon import ALL, NONE, ONE_LENGTH, UPHILL, Run, horizon, trend, weigh
from vedette.kernel.errors import BadInput


def runs_of(seed: int, families: int = 25, runs: int = 4, middle: float = 60.0) -> list[Run]:
    random = np.random.default_rng(seed)
    found = []
    for family in range(families):
        for task in range(int(random.integers(1, 6))):
            minutes = 2 ** random.uniform(0, 12)
            chance = 1 / (1 + np.exp(-0.8 * (np.log2(middle) - np.log2(minutes))))
            name = f"{family}-{task}"
            found += [
                Run("s", name, str(family), minutes, float(random.random() < chance))
                for _ in range(runs)
            ]
    return found


@pytest.mark.parametrize("equal", [False, True])
def test_it_is_the_maximum_of_the_weighted_likelihood(equal: bool) -> None:
    runs = runs_of(1)
    weights = weigh(runs, equal=equal)
    at = np.log2([run.minutes for run in runs])
    scores = np.array([run.score for run in runs])

    def loss(guess: np.ndarray) -> float:
        x = guess[0] + guess[1] * at
        return float(weights @ (np.logaddexp(0, x) - scores * x))

    level, slope = optimize.minimize(loss, [0.0, -0.1], method="BFGS", tol=1e-12).x
    found = horizon(runs, 1, 40, equal=equal)
    assert found.p50 == pytest.approx(2 ** (-level / slope), rel=1e-3)
    assert found.p80 == pytest.approx(2 ** ((np.log(4) - level) / slope), rel=1e-3)


def test_the_weights_are_metrs() -> None:
    runs = [
        *[Run("s", "t1", "f", 1, 1)] * 2,
        Run("s", "t2", "f", 2, 0),
        Run("s", "t3", "g", 4, 0),
    ]
    raw = np.array([0.5 / 2**0.5, 0.5 / 2**0.5, 1 / 2**0.5, 1])
    assert weigh(runs) == pytest.approx(raw / raw.sum())
    given = [Run("s", "t1", "f", 1, 1, 3.0), Run("s", "t2", "f", 2, 0, 1.0)]
    assert weigh(given) == pytest.approx([0.75, 0.25])
    with pytest.raises(BadInput, match="weight"):
        weigh([Run("s", "t", "f", 1, 1, 0.0)])


@pytest.mark.parametrize(
    ("scores", "reason"), [((1, 1, 1), ALL), ((0, 0, 0), NONE), ((0, 0, 1), UPHILL)]
)
def test_where_there_is_no_horizon_the_reason_stands(
    scores: tuple[float, ...], reason: str
) -> None:
    found = horizon([Run("s", f"t{n}", f"f{n}", 2**n, s) for n, s in enumerate(scores)], 0, 40)
    assert (found.p50, found.p80, found.reason) == (None, None, reason)


def test_what_weighs_nothing_and_what_has_one_length_is_said() -> None:
    runs = [Run("s", "t1", "f", 1, 1, 0.0), Run("s", "t2", "f", 2, 0, 1.0)]
    assert horizon(runs, 0, 40).reason == NONE
    alike = [Run("s", "t1", "f", 5, 1), Run("s", "t2", "f", 5, 0)]
    assert horizon(alike, 0, 40).reason == ONE_LENGTH


def test_parted_runs_have_the_middle() -> None:
    runs = [Run("s", f"t{n}", f"f{n}", 2.0**n, float(n < 4)) for n in range(8)]
    found = horizon(runs, 0, 200)
    assert found.p50 == pytest.approx(2**3.5)
    assert found.p80 == pytest.approx(2**3.5)
    assert found.p50_interval is not None


def test_the_interval_covers_and_the_seed_decides() -> None:
    covered = []
    for seed in range(60):
        found = horizon(runs_of(seed, families=40), 3, 300)
        assert found.p50_interval is not None
        low, high = found.p50_interval
        covered.append(low is not None and high is not None and low <= 60 <= high)
    assert np.mean(covered) > 0.85
    assert horizon(runs_of(5), 3, 100) == horizon(runs_of(5), 3, 100)


def test_the_trend_is_least_squares() -> None:
    random = np.random.default_rng(4)
    days = [date(2024, 1, 1) + timedelta(days=int(d)) for d in random.integers(0, 900, 12)]
    minutes = [2 ** ((d.toordinal() - 738000) / 200 + random.normal(0, 0.5)) for d in days]
    found = trend(list(zip(days, minutes, strict=True)))
    line = stats.linregress([d.toordinal() for d in days], np.log2(minutes))
    half = stats.t.ppf(0.975, 10) * line.stderr
    assert found.doubling == pytest.approx(1 / line.slope)
    assert found.interval == pytest.approx((1 / (line.slope + half), 1 / (line.slope - half)))
    assert found.n == 12


def test_a_trend_that_may_not_rise_says_so() -> None:
    day = date(2025, 1, 1)
    points = [(day + timedelta(days=n), 2.0**-n) for n in range(4)]
    assert trend(points).doubling is None
    level = [(day + timedelta(days=n * n), 2.1) for n in range(5)]
    assert trend(level).doubling is None
    up = [(day, 1.0), (day + timedelta(days=10), 9.0), (day + timedelta(days=20), 2.0)]
    found = trend(up)
    assert found.interval is not None
    assert found.interval[1] is None
    with pytest.raises(BadInput, match="at least two"):
        trend([(day, 1.0), (day, 2.0)])


def test_the_order_of_runs_and_the_size_of_weights_change_nothing() -> None:
    random = np.random.default_rng(3)
    runs = [
        Run("s", f"t{n % 30}", f"f{n % 7}", 2.0 ** (n % 30 / 3), float(random.random() < 0.5), 1e-3)
        for n in range(90)
    ]
    turned = [runs[n] for n in random.permutation(90)]
    huge = [replace(run, weight=1e308) for run in runs]
    found = horizon(runs, 1, 50)
    assert horizon(turned, 1, 50) == found
    assert horizon(huge, 1, 50).p50_interval == pytest.approx(found.p50_interval)


def test_runs_of_no_weight_give_no_length() -> None:
    runs = [Run("s", "t", "f", 5.0, 1.0, 1.0), Run("s", "t", "f", 5.0, 0.0, 1.0)]
    found = horizon([*runs, Run("s", "u", "f", 50.0, 0.0, 0.0)], 0, 40)
    assert found.reason == "all tasks take the same human time"
