"""Adaptive choice: intervals cover what they say, on models that fit and on some that do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.bench.simulated import table

from vedette.bench.adaptive import Replay, Rule, replay, run
from vedette.bench.irt import Bank, abilities
from vedette.kernel.errors import BadInput

ITEMS = 120
NAMES = [f"i{number}" for number in range(ITEMS)]


def played(cells: NDArray[np.int8], seed: int = 0, **rule: Any) -> Replay:
    half = len(cells) // 2
    return replay(NAMES, cells[:half], cells[half:], Rule(**{"target": 0.3, **rule}), seed)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param({}, id="as modelled"),
        pytest.param({"guess": 0.2}, id="guessing"),
        pytest.param({"cluster": 0.7}, id="clustered"),
        pytest.param({"spread": 0.6}, id="uneven items"),
    ],
)
def test_intervals_cover_held_out_subjects(kind: dict[str, float]) -> None:
    whole, true = [], []
    for seed in (1, 2):
        truth, cells = table(500, ITEMS, seed, **kind)
        found = played(cells, seed)
        full, _ = abilities(found.bank, cells[250:])
        known = truth[:250]
        aligned = (truth[250:] - known.mean()) / known.std()
        low, high = np.array([one.interval for one in found.outcomes]).T
        whole.append((low <= full) & (full <= high))
        true.append((low <= aligned) & (aligned <= high))
    assert np.mean(whole) >= 0.95
    assert np.mean(true) >= 0.95


def test_it_stops_at_its_target_and_shows_no_item_twice() -> None:
    _, cells = table(200, ITEMS, 4)
    cells[100, 5:] = -1
    found = played(cells, target=0.35)
    for number, one in enumerate(found.outcomes):
        assert len(set(one.items)) == len(one.items)
        assert all(cells[100 + number, item] != -1 for item in one.items)
        short = len(one.items) == (cells[100 + number] != -1).sum()
        assert one.error <= 0.37 or short
    assert len(found.outcomes[0].items) == 5
    assert found.factor >= 1


def test_a_small_target_is_not_met_too_early() -> None:
    """The nodes of the posterior lie nearer to each other than it is wide."""
    cells = table(4, 2000, 3)[1]
    random = np.random.default_rng(1)
    bank = Bank(tuple(map(str, range(2000))), np.ones(2000), random.standard_normal(2000))
    found = run(bank, cells, Rule(target=0.07, spread=1), 1.0, random)
    for row, one in zip(cells, found, strict=True):
        seen = np.full((1, 2000), -1, dtype=np.int8)
        chosen = list(one.items)
        seen[0, chosen] = row[chosen]
        assert abilities(bank, seen)[1] == pytest.approx(one.error, rel=1e-6)
        assert one.error <= 0.07 or len(chosen) == 2000
        assert one.error > 0.069


def test_so_many_items_and_no_more() -> None:
    _, cells = table(60, ITEMS, 5)
    found = played(cells, target=None, most=7)
    assert {len(one.items) for one in found.outcomes} == {7}


def test_the_seed_decides_and_spreads_exposure() -> None:
    _, cells = table(200, ITEMS, 6)
    once, again, other = (played(cells, seed, most=10) for seed in (1, 1, 2))
    assert once.outcomes == again.outcomes
    assert once.outcomes != other.outcomes
    best = played(cells, most=10, spread=1)
    first = {one.items[0] for one in best.outcomes}
    assert len(first) == 1
    assert best.exposures().max() == 100 > once.exposures()[first.pop()]


def test_it_needs_fewer_items_than_chance() -> None:
    _, cells = table(500, ITEMS, 7)
    found = played(cells, target=None, most=20, spread=1)
    full, _ = abilities(found.bank, cells[250:])
    random = np.random.default_rng(0)
    some = np.full_like(cells[250:], -1)
    for row, source in zip(some, cells[250:], strict=True):
        drawn = random.choice(ITEMS, 20, replace=False)
        row[drawn] = source[drawn]
    chance, _ = abilities(found.bank, some)
    chosen = np.array([one.ability for one in found.outcomes])
    assert np.mean((chosen - full) ** 2) < 0.6 * np.mean((chance - full) ** 2)


def test_costs_turn_the_choice() -> None:
    _, cells = table(200, ITEMS, 8)
    costs = np.ones(ITEMS)
    dear = int(np.argmax(played(cells, target=None, most=5, spread=1).exposures()))
    costs[dear] = 1000
    found = played(cells, target=None, most=5, spread=1, costs=costs)
    assert found.exposures()[dear] == 0


def test_too_few_to_calibrate_on() -> None:
    _, cells = table(8, ITEMS, 9)
    with pytest.raises(BadInput, match="4 calibration subjects"):
        played(cells)
