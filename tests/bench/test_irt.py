"""Calibration and ability: truth recovered from simulation, and posteriors integrated right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bench.simulated import table

from vedette.bench.irt import Bank, abilities, calibrate, link
from vedette.kernel.errors import BadInput


def names(count: int) -> list[str]:
    return [f"i{number}" for number in range(count)]


def test_truth_is_recovered() -> None:
    truth, cells = table(1500, 120, 1)
    bank = calibrate(names(120), cells)
    mean, error = abilities(bank, cells)
    aligned = (truth - truth.mean()) / truth.std()
    assert np.corrcoef(mean, truth)[0, 1] > 0.97
    covered = np.abs(mean - aligned) < 1.96 * error
    assert 0.93 < covered.mean() < 0.97
    assert 2.3 < bank.unit_odds_ratio < 3.1


def test_a_narrow_posterior_is_not_lost_between_the_nodes() -> None:
    truth, cells = table(300, 1500, 2)
    mean, error = abilities(calibrate(names(1500), cells), cells)
    aligned = (truth - truth.mean()) / truth.std()
    assert np.sqrt(np.mean((mean - aligned) ** 2)) < 1.3 * error.mean()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_a_posterior_agrees_with_plain_integration(seed: int, items: int) -> None:
    random = np.random.default_rng(seed)
    bank = Bank(
        tuple(names(items)), np.exp(random.normal(0, 0.4, items)), random.normal(0, 1, items)
    )
    cells = random.integers(-1, 2, (3, items)).astype(np.int8)
    mean, error = abilities(bank, cells)
    grid = np.linspace(-8, 8, 4001)
    chance = bank.chances(grid)
    for row, m, e in zip(cells, mean, error, strict=True):
        log = -(grid**2) / 2
        log = log + np.log(chance[:, row == 1]).sum(axis=1)
        log = log + np.log1p(-chance[:, row == 0]).sum(axis=1)
        weight = np.exp(log - log.max())
        weight /= weight.sum()
        expected = weight @ grid
        assert m == pytest.approx(expected, abs=1e-4)
        assert e == pytest.approx(np.sqrt(weight @ (grid - expected) ** 2), abs=1e-3)


def test_with_few_subjects_all_items_share_one_discrimination() -> None:
    """Then the order of abilities is that of the number solved, as in the one-parameter model."""
    _, cells = table(12, 30, 3)
    bank = calibrate(names(30), cells)
    assert np.log(bank.a).std() < 0.15
    mean, _ = abilities(bank, cells)
    solved = cells.sum(axis=1)
    for i in range(12):
        assert all(mean[i] > mean[j] for j in range(12) if solved[i] > solved[j] + 2)


def test_all_or_nothing_stays_finite() -> None:
    _, cells = table(40, 20, 4)
    cells[0], cells[1] = 1, 0
    cells[:, 0], cells[:, 1] = 1, 0
    bank = calibrate(names(20), cells)
    mean, error = abilities(bank, cells)
    assert np.isfinite([*mean, *error, *bank.a, *bank.b]).all()
    assert mean[0] == mean.max()
    assert mean[1] == mean.min()


def test_what_was_not_tried_counts_neither_way() -> None:
    _, cells = table(400, 60, 5)
    bank = calibrate(names(60), cells)
    less = cells.copy()
    less[:, 30:] = -1
    mean, _ = abilities(bank, less)
    again, _ = abilities(Bank(bank.items[:30], bank.a[:30], bank.b[:30]), cells[:, :30])
    assert mean == pytest.approx(again, abs=1e-9)
    nothing, whole = abilities(bank, np.full((1, 60), -1, dtype=np.int8))
    assert (nothing[0], whole[0]) == pytest.approx((0, 1), abs=1e-9)


def test_one_subject_makes_no_scale() -> None:
    with pytest.raises(BadInput, match="at least two"):
        calibrate(names(3), np.array([[1, 0, 1], [-1, -1, -1]], dtype=np.int8))


def test_the_same_bytes_give_the_same_numbers() -> None:
    _, cells = table(60, 40, 6)
    first, second = calibrate(names(40), cells), calibrate(names(40), cells)
    assert (first.a == second.a).all()
    assert (first.b == second.b).all()


def test_a_link_finds_the_other_scale() -> None:
    random = np.random.default_rng(7)
    onto = Bank(tuple(names(30)), np.exp(random.normal(0, 0.3, 30)), random.normal(0, 1, 30))
    # abilities there are 0.5 + 1.4 times those here
    own = Bank(onto.items[5:], onto.a[5:] * 1.4, (onto.b[5:] - 0.5) / 1.4)
    assert link(own, onto) == pytest.approx((1.4, 0.5), abs=1e-3)
    with pytest.raises(BadInput, match="2 items in common"):
        link(Bank(("i0", "i1", "x"), own.a[:3], own.b[:3]), onto)
