"""Looking while samples come in: seldom wrong however often one looks, and in the end it tells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.bench.anytime import against, log_wealth
from vedette.bench.determination import Outcome
from vedette.kernel.errors import BadInput

LINE = 0.6


def drawn(
    share: float, seed: int, families: int = 40, each: int = 4
) -> tuple[list[int], list[int]]:
    """Scores of families that differ: their own shares are drawn around `share`."""
    random = np.random.default_rng(seed)
    own = random.beta(8 * share, 8 * (1 - share), families)
    scores = random.random((families, each)) < own[:, None]
    return scores.ravel().astype(int).tolist(), np.repeat(range(families), each).tolist()


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12))
def test_wealth_is_the_mean_over_the_bets(steps: list[float]) -> None:
    plain = np.mean(
        [np.prod([1 + bet * step for step in steps]) for bet in np.linspace(0.02, 0.98, 25)]
    )
    assert np.exp(log_wealth(np.array(steps))[-1]) == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize("wrong", [Outcome.MEETS, Outcome.DOES_NOT_MEET])
def test_at_the_threshold_each_side_is_said_seldom(wrong: Outcome) -> None:
    said = [against(*drawn(LINE, seed), LINE).early is wrong for seed in range(400)]
    assert np.mean(said) <= 0.025


@pytest.mark.parametrize(("share", "right"), [(0.9, Outcome.MEETS), (0.3, Outcome.DOES_NOT_MEET)])
def test_far_from_it_both_tell_and_one_may_stop_before_the_end(
    share: float, right: Outcome
) -> None:
    found = [against(*drawn(share, seed), LINE) for seed in range(20)]
    assert all(one.fixed is right and one.early is right for one in found)
    stops = [one.stopped_at for one in found if one.stopped_at is not None]
    assert max(stops) < 160
    assert all(stop % 4 == 0 for stop in stops), "only after a whole family"


def test_what_comes_after_the_stop_changes_nothing() -> None:
    scores, families = drawn(0.9, 1)
    stop = against(scores, families, LINE).stopped_at
    assert stop is not None
    turned = scores[:stop] + [1 - score for score in scores[stop:]]
    later = against(turned, families, LINE)
    assert (later.early, later.stopped_at) == (Outcome.MEETS, stop)
    assert later.fixed is not Outcome.MEETS


def test_one_family_settles_nothing() -> None:
    found = against([1] * 50, ["f"] * 50, LINE)
    assert (found.fixed, found.early) == (Outcome.INSUFFICIENT_EVIDENCE,) * 2


@pytest.mark.parametrize("threshold", [0, 1, -1, float("nan")])
def test_a_threshold_outside_is_bad_input(threshold: float) -> None:
    with pytest.raises(BadInput, match="threshold"):
        against([1, 0], ["a", "b"], threshold)
