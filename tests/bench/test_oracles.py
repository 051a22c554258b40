"""The statistics beside others' programs: catsim for items, scikit-learn for weighted logistics."""

from __future__ import annotations

import numpy as np
import pytest
from tests.bench.simulated import table

from vedette.bench.adaptive import Rule, replay
from vedette.bench.horizon import Run, horizon, weigh
from vedette.bench.irt import Bank, abilities, calibrate

NAMES = [str(number) for number in range(80)]


def test_chances_and_information_are_catsims() -> None:
    irt = pytest.importorskip("catsim.irt")
    random = np.random.default_rng(1)
    bank = Bank(tuple(NAMES), random.lognormal(0, 0.4, 80), random.normal(0, 1.5, 80))
    items = np.column_stack([bank.a, bank.b, np.zeros(80), np.ones(80)])
    at = np.linspace(-3, 3, 7)
    chances, information = bank.chances(at), bank.information(at)
    for row, ability in enumerate(at):
        assert chances[row] == pytest.approx(irt.icc_hpc(ability, items))
        assert information[row] == pytest.approx(irt.inf_hpc(ability, items))


def test_an_ability_is_catsims_maximum_drawn_towards_the_mean() -> None:
    """With a normal prior the mode lies between the maximum of the likelihood and 0."""
    pytest.importorskip("catsim")
    from catsim.estimation import NumericalSearchEstimator
    from catsim.item_bank import ItemBank

    _, cells = table(150, 80, 2)
    bank = calibrate(NAMES, cells)
    mean, error = abilities(bank, cells)
    theirs = ItemBank(np.column_stack([bank.a, bank.b, np.zeros(80), np.ones(80)]))
    for row, ours, spread in list(zip(cells, mean, error, strict=True))[:12]:
        likeliest = NumericalSearchEstimator().estimate(
            item_bank=theirs,
            administered_items=list(range(80)),
            response_vector=[bool(cell) for cell in row],
            est_theta=0.0,
        )
        # the weight of the data in the posterior is 1 - spread^2
        assert ours == pytest.approx(likeliest * (1 - spread**2), abs=0.1)


def test_the_next_item_is_catsims_most_informative_where_the_ability_is_known_well() -> None:
    pytest.importorskip("catsim")
    from catsim.item_bank import ItemBank
    from catsim.selection import MaxInfoSelector

    _, cells = table(72, 80, 3)
    cells, known = cells[:12], cells[12:]
    found = replay(NAMES, known, cells, Rule(None, 40, spread=1), 0)
    bank = found.bank
    theirs = ItemBank(np.column_stack([bank.a, bank.b, np.zeros(80), np.ones(80)]))
    told = best = 0.0
    for row, one in zip(cells, found.outcomes, strict=True):
        shown = list(one.items[:39])
        seen = np.full_like(row, -1)[None]
        seen[0, shown] = row[shown]
        where, _ = abilities(bank, seen)
        item = MaxInfoSelector().select(
            item_bank=theirs, administered_items=shown, est_theta=float(where[0])
        )
        information = bank.information(where)[0]
        told += information[one.items[39]]
        best += information[item]
    assert 0.98 * best <= told <= best + 1e-9


def test_a_horizon_is_scikit_learns_weighted_logistic() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    random = np.random.default_rng(4)
    runs = []
    for number in range(400):
        length = (number * 37 % 90) / 8
        solved = random.random() < 1 / (1 + np.exp(0.8 * (length - 6)))
        runs.append(Run("s", str(number % 90), str(number % 11), 2.0**length, float(solved)))
    at = np.log2([[run.minutes] for run in runs])
    scores = [run.score for run in runs]
    fit = linear.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    fit.fit(at, scores, sample_weight=weigh(runs) * len(runs))
    level, slope = fit.intercept_[0], fit.coef_[0, 0]
    found = horizon(runs, 0, 40)
    assert found.p50 == pytest.approx(2 ** (-level / slope), rel=1e-4)
    assert found.p80 == pytest.approx(2 ** ((np.log(4) - level) / slope), rel=1e-4)
