"""The fingerprint's error rates at the shipped settings, on simulated windows; seeded, untimed."""

from __future__ import annotations

import pytest
from benchmarks.fingerprint import Build
from scipy.stats import binom

from benchmarks import fingerprint

LONGEST = 0.05


def test_a_windows_false_alarms_stay_below_five_percent_by_the_packs_own_numbers() -> None:
    pack, rule = fingerprint.pack(), fingerprint.rule()
    days = pack.integer("engagement", "bases", "eo14409-3b2", "ceiling_days")
    every = pack.integer("access", "probes", "every_hours")
    comparisons = days * 24 // every
    # each is an exact test, so that the sum bounds the window's rate, whatever the model
    assert comparisons * rule.alpha < LONGEST
    assert (rule.exchanges + 1) * rule.alpha >= 1, "so many exchanges can find something"


@pytest.mark.parametrize("days", [8, pytest.param(30, marks=pytest.mark.long)])
def test_the_same_build_raises_alarms_no_more_often_than_promised(days: int) -> None:
    heats = (0.3, 1.0)
    ps = [p for seed, heat in enumerate(heats) for p in fingerprint.p_values(seed, heat, days)]
    count = 2 * days
    assert len(ps) == count

    def unlikely(below: float) -> float:
        """So many at or below have a chance of less than 0.002."""
        return float(binom.ppf(0.998, count, below)) + 1

    assert sum(p <= fingerprint.rule().alpha for p in ps) < unlikely(fingerprint.rule().alpha)
    assert sum(p <= 0.1 for p in ps) < unlikely(0.1)
    assert sum(p > 0.9 for p in ps) < unlikely(0.1), "nor so seldom that the test says nothing"


def test_a_large_change_is_found_at_once_and_none_is_not() -> None:
    assert [fingerprint.found_after(Build(1.0), seed) for seed in range(2)] == [1] * 2
    assert fingerprint.found_after(Build(), 0) == 0


def test_a_moderate_change_shows_in_several_rounds_together() -> None:
    assert 1 < fingerprint.found_after(Build(0.35), 0) <= 8


def test_intervals_are_clopper_and_pearsons() -> None:
    low, high = fingerprint.interval(0, 30)
    assert low == 0
    assert round(high, 4) == 0.1157  # 1 - 0.025 ** (1 / 30)
    low, high = fingerprint.interval(3, 20)
    assert (round(low, 4), round(high, 4)) == (0.0321, 0.3789)
