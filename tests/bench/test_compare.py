"""Paired comparison: agrees with scipy, with plain enumeration, and with its own error rate."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vedette.bench.compare import compare
from vedette.bench.responses import Score
from vedette.kernel.errors import BadInput

shares = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=40)


def scores_of(pairs: list[tuple[float, float]]) -> list[Score]:
    return [
        Score(subject, f"i{number}", "", pair[side])
        for number, pair in enumerate(pairs)
        for side, subject in enumerate(("x", "y"))
    ]


@given(shares)
def test_without_clusters_it_is_the_paired_t_test(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array(pairs).T
    found = compare(scores_of(pairs), "x", "y")
    assert found.difference == pytest.approx((a - b).mean(), abs=1e-12)
    if np.std(a - b) < 1e-6:
        return
    expected = stats.ttest_rel(a, b)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    low, high = expected.confidence_interval(0.95)
    assert found.interval == pytest.approx((max(-1, low), min(1, high)))
    assert (found.verdict_fixed == "neither") == (low <= 0 <= high)


def test_clusters_that_move_together_widen_the_error() -> None:
    random = np.random.default_rng(1)
    shift = np.repeat(random.normal(0, 0.2, 10), 6)
    pairs = [(float(np.clip(0.5 + s, 0, 1)), 0.5) for s in shift]
    clusters = {f"i{number}": f"g{number // 6}" for number in range(60)}
    alone, together = (compare(scores_of(pairs), "x", "y", c) for c in (None, clusters))
    means = np.array([p[0] - p[1] for p in pairs]).reshape(10, 6).mean(axis=1)
    assert together.error == pytest.approx(means.std(ddof=1) / np.sqrt(10))
    assert alone.error is not None
    assert together.error is not None
    assert together.error > 2 * alone.error


@pytest.mark.parametrize("count", [1, 3, 8, 40])
def test_differences_that_are_all_alike_leave_others_possible(count: int) -> None:
    found = compare(scores_of([(1.0, 0.0)] * (count + 1)), "x", "y")
    sign = stats.binomtest(count + 1, count + 1, 0.5)
    assert (found.error, found.p) == (0, pytest.approx(sign.pvalue))
    low, high = sign.proportion_ci(0.95, method="exact")
    assert found.interval == pytest.approx((2 * low - 1, 2 * high - 1))
    even = compare(scores_of([(1.0, 1.0)] * (count + 1)), "x", "y")
    assert even.p == 1
    assert even.interval is not None
    assert even.interval[0] == pytest.approx(-even.interval[1])
    assert even.interval[1] > 0


def test_seldom_differences_are_covered() -> None:
    """One subject solves an item in twenty more: most draws of twenty items show no difference."""
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        more = (random.random(20) < 0.05).astype(float)
        low, high = compare(scores_of([(m, 0.0) for m in more]), "x", "y").interval or (0, 0)
        covered += low <= 0.05 <= high
    assert covered / 400 >= 0.95


def test_swapping_the_two_mirrors_everything() -> None:
    pairs = [(0.9, 0.2), (0.4, 0.5), (1.0, 0.1), (0.8, 0.0)] * 8
    one, other = compare(scores_of(pairs), "x", "y"), compare(scores_of(pairs), "y", "x")
    assert one.difference == -other.difference
    assert (one.verdict_fixed, other.verdict_fixed) == ("a", "b")
    assert (one.verdict_anytime, other.verdict_anytime) == ("a", "b")
    assert one.stopped_at == other.stopped_at is not None


def test_who_looks_after_every_item_errs_seldom_enough() -> None:
    random = np.random.default_rng(2)
    hits = fixed = 0
    for _ in range(600):
        drawn = (random.random((150, 2)) < 0.5).astype(float)
        hits += compare(scores_of([tuple(r) for r in drawn]), "x", "y").stopped_at is not None
        steps = np.cumsum(drawn[:, 0] - drawn[:, 1]) / np.sqrt(np.arange(1, 151) / 2)
        fixed += bool((np.abs(steps[20:]) > 1.96).any())
    assert hits / 600 <= 0.05
    assert fixed / 600 > 0.15


@pytest.mark.parametrize(("n", "solved"), [(1, 0), (4, 1), (5, 3), (6, 6)])
def test_pass_at_k_and_pass_hat_k_count_all_draws(n: int, solved: int) -> None:
    trials = [1.0] * solved + [0.0] * (n - solved)
    scores = [Score(s, "i", str(t), score) for s in "xy" for t, score in enumerate(trials)]
    found = compare(scores, "x", "y")
    for k in range(1, n + 1):
        draws = list(combinations(trials, k))
        assert found.pass_at["a"][k] == pytest.approx(sum(any(d) for d in draws) / len(draws))
        assert found.pass_hat["a"][k] == pytest.approx(sum(all(d) for d in draws) / len(draws))


def test_only_items_that_both_tried_are_compared() -> None:
    scores = [Score("x", "p", "", 1), Score("y", "p", "", 0), Score("x", "q", "", 1)]
    found = compare(scores, "x", "y")
    assert (found.items, found.error, found.verdict_fixed) == (1, None, "neither")


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [("x", "z", "'z' has no score"), ("x", "x", "same subject"), ("x", "w", "no item in common")],
)
def test_what_can_not_be_compared_is_said(a: str, b: str, said: str) -> None:
    scores = [Score("x", "p", "", 1), Score("y", "p", "", 0), Score("w", "q", "", 0)]
    with pytest.raises(BadInput, match=said):
        compare(scores, a, b)
