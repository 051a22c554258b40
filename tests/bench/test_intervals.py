"""Intervals: known values, coverage order, and what clustering must do."""

from __future__ import annotations

from random import Random
from statistics import stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.bench.intervals import (
    clopper_pearson,
    clustered,
    clustered_error,
    clustered_mean,
    effective_size,
    error_parts,
    t_quantile,
    trial_noise,
    wilson,
)
from vedette.kernel.errors import BadInput


def test_wilson_and_exact_agree_with_published_values() -> None:
    # Newcombe (1998), 15 of 148: Wilson 0.0624 to 0.1605, exact 0.0578 to 0.1617
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert clopper_pearson(15, 148) == pytest.approx((0.0578, 0.1617), abs=5e-5)


def test_t_quantiles_agree_with_the_tables() -> None:
    assert t_quantile(0.975, 1) == pytest.approx(12.706, abs=1e-3)
    assert t_quantile(0.975, 2) == pytest.approx(4.3027, abs=1e-4)
    assert t_quantile(0.975, 30) == pytest.approx(2.0423, abs=1e-4)


def test_exact_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for successes, n in [(0, 5), (1, 7), (40, 100), (999, 1000), (3, 3)]:
        expected = stats.binomtest(successes, n).proportion_ci(method="exact")
        assert clopper_pearson(successes, n) == pytest.approx(
            (expected.low, expected.high), abs=1e-9
        )


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_both_hold_the_estimate_inside_the_unit_range(case: tuple[int, int]) -> None:
    successes, n = case
    for low, high in (wilson(successes, n), clopper_pearson(successes, n)):
        assert 0 <= low <= successes / n <= high <= 1
        assert low < high


scores_and_families = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 1), min_size=n, max_size=n),
        st.lists(st.integers(0, 5), min_size=n, max_size=n),
    )
)


@given(scores_and_families)
def test_clustering_never_narrows(case: tuple[list[int], list[int]]) -> None:
    scores, families = case
    interval = clustered(scores, families)
    low, high = wilson(sum(scores), len(scores))
    assert 1 <= effective_size(scores, families) <= len(scores)
    assert interval.high - interval.low >= high - low - 1e-12
    assert interval.low <= interval.estimate <= interval.high


@settings(max_examples=25)
@given(scores_and_families, st.floats(0, 1))
def test_scores_in_between_have_an_interval_around_their_mean(
    case: tuple[list[int], list[int]], share: float
) -> None:
    scores, families = case
    assert clustered_mean(scores, families) == clustered(scores, families)
    between = [score * share for score in scores]
    interval = clustered_mean(between, families)
    assert interval.estimate == pytest.approx(sum(between) / len(between))
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    low, high = wilson(sum(between), len(between))
    assert interval.high - interval.low >= high - low - 1e-12
    with pytest.raises(BadInput, match="from 0 to 1"):
        clustered_mean([*between, 1.5], [*families, 0])


@given(scores_and_families, st.randoms())
def test_order_does_not_matter(case: tuple[list[int], list[int]], random: object) -> None:
    pairs = list(zip(*case, strict=True))
    random.shuffle(pairs)  # type: ignore[attr-defined]
    shuffled = clustered([score for score, _ in pairs], [family for _, family in pairs])
    assert shuffled.low == pytest.approx(clustered(*case).low)


def test_repeated_trials_of_one_family_are_worth_one_sample() -> None:
    assert effective_size([1] * 50, ["a"] * 50) == 1
    perfectly_alike = effective_size(
        [1] * 25 + [0] * 25 + [1] * 25, ["a"] * 25 + ["b"] * 25 + ["c"] * 25
    )
    assert perfectly_alike < 3


def test_clustered_error_by_hand() -> None:
    # residual sums 0.5 and -0.5 over n = 4, two groups: sqrt(0.5 / 16 * 2)
    assert clustered_error([1, 1, 1, 0], ["a", "a", "b", "b"]) == pytest.approx(0.25)


@given(st.lists(st.lists(st.integers(0, 1), min_size=2, max_size=5), min_size=2, max_size=12))
def test_the_parts_of_an_error_add_up(trials: list[list[int]]) -> None:
    means = [sum(each) / len(each) for each in trials]
    parts = error_parts(means, trial_noise(trials))
    whole = stdev(means) / len(means) ** 0.5
    assert parts is not None
    assert parts.trials is not None
    assert parts.items**2 + parts.trials**2 >= whole**2 - 1e-12
    if parts.items > 0:
        assert parts.items**2 + parts.trials**2 == pytest.approx(whole**2)


def test_each_part_finds_its_own_spread() -> None:
    """Items of shares 0.2 and 0.8: an item spread of 0.3; coins that all fall alike: none."""
    random = Random(1)
    mixed, even = (
        [[float(random.random() < share) for _ in range(50)] for share in [low, 1 - low] * 60]
        for low in (0.2, 0.5)
    )
    for trials, expected in ((mixed, 0.3), (even, 0.0)):
        parts = error_parts([sum(each) / 50 for each in trials], trial_noise(trials))
        assert parts is not None
        assert parts.items * 120**0.5 == pytest.approx(expected, abs=0.03)
    assert trial_noise([[1], [0]]) is None
    assert error_parts([1.0], None) is None
    assert trial_noise([[1, 0], [1]]) == pytest.approx([0.25, 0.5])


@pytest.mark.parametrize(("scores", "families"), [([], []), ([2], ["a"]), ([1], ["a", "b"])])
def test_bad_input_names_the_field(scores: list[int], families: list[str]) -> None:
    with pytest.raises(BadInput, match=r"n:|scores:|clusters:"):
        clustered(scores, families)


def test_levels_outside_the_unit_range_are_bad_input() -> None:
    with pytest.raises(BadInput, match="level"):
        wilson(1, 2, 1.0)
