"""The fingerprint's error rates at the shipped settings, on simulated windows; seeded, untimed."""

from __future__ import annotations

from benchmarks.fingerprint import Build

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


def test_the_same_build_raises_alarms_no_more_often_than_promised() -> None:
    heats = (0.3, 1.0)
    ps = [p for seed, heat in enumerate(heats) for p in fingerprint.p_values(seed, heat)]
    assert len(ps) == 60
    # binomial(60, 0.001): 2 or more has a chance of 0.002; (60, 0.1): 14 or more of 0.001
    assert sum(p <= fingerprint.rule().alpha for p in ps) < 2
    assert sum(p <= 0.1 for p in ps) < 14
    assert sum(p <= 0.9 for p in ps) > 44, "nor so seldom that the test says nothing"


def test_a_large_change_is_found_at_once_and_none_is_not() -> None:
    assert [fingerprint.found_after(Build(1.0), seed) for seed in range(4)] == [1] * 4
    assert [fingerprint.found_after(Build(), seed) for seed in range(4)] == [0] * 4


def test_intervals_are_clopper_and_pearsons() -> None:
    low, high = fingerprint.interval(0, 30)
    assert low == 0
    assert round(high, 4) == 0.1157  # 1 - 0.025 ** (1 / 30)
    low, high = fingerprint.interval(3, 20)
    assert (round(low, 4), round(high, 4)) == (0.0321, 0.3789)
