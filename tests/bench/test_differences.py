"""Differences of shares: never without a width, the right way round, and covering what they say."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.bench.differences import best_conventional, correlation, paired, unpaired
from vedette.bench.results import Sample
from vedette.kernel.errors import BadInput

pytestmark = pytest.mark.any_database
SCORES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=24)


def samples(subject: str, scores: list[int], size: int = 3) -> list[Sample]:
    return [
        Sample(subject, f"i{n}", f"f{n // size}", 0, score, None, {})
        for n, score in enumerate(scores)
    ]


def both(pairs: list[tuple[int, int]], size: int = 3) -> tuple[list[Sample], list[Sample]]:
    return samples("a", [a for a, _ in pairs], size), samples("b", [b for _, b in pairs], size)


@settings(max_examples=50)
@given(SCORES)
def test_it_is_the_difference_of_the_shares_and_turns_round_with_them(
    pairs: list[tuple[int, int]],
) -> None:
    a, b = both(pairs)
    one, other = paired(a, b), paired(b, a)
    mean = sum(x - y for x, y in pairs) / len(pairs)
    assert one.estimate == pytest.approx(mean)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert -1 <= one.low <= one.estimate <= one.high <= 1
    assert one.high > one.low, "even where both solved all, or nothing"
    assert one.items == len(pairs)


def test_it_is_newcombes_where_nothing_is_clustered() -> None:
    """The example of his first paper, method 10: 56 of 70 less 48 of 80."""
    a = samples("a", [1] * 56 + [0] * 14, 1)
    b = [Sample("b", f"j{n}", f"g{n}", 0, int(n < 48), None, {}) for n in range(80)]
    found = unpaired(a, b)
    assert found.estimate == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=0.002)


def test_pairs_that_go_together_narrow_it() -> None:
    hard = [0] * 15 + [1] * 15
    together = paired(*both(list(zip(hard, [*hard[1:], 1], strict=True)), 1))
    apart = paired(*both(list(zip(hard, hard[::-1], strict=True)), 1))
    assert together.high - together.low < apart.high - apart.low
    assert correlation([(1, 1), (1, 0)]) == 0


def test_only_items_that_both_tried_are_compared() -> None:
    a, b = both([(1, 0)] * 4)
    assert paired(a, b[:2]).items == 2
    with pytest.raises(BadInput, match="no item in common"):
        paired(a, [])


def test_the_best_conventional_tool_is_none_that_has_no_score_of_its_own() -> None:
    rows = [*samples("mutator", [1, 0]), *samples("libfuzzer", [1, 1]), *samples("oracle", [1, 1])]
    assert best_conventional(rows, ["oracle", "mutator", "libfuzzer"]) == "libfuzzer"
    assert best_conventional(rows, ["oracle", "null"]) == ""


def test_it_covers_what_it_says_where_families_go_together() -> None:
    """Two subjects, 12 families of 4 items; family and item effects that both share."""
    draw = random.Random(7)
    nodes = [(k + 0.5) / 400 for k in range(400)]
    spread = [math.sqrt(2) * _probit(share) for share in nodes]
    truth = sum(_logistic(x + 0.8) - _logistic(x) for x in spread) / len(spread)
    hits = 0
    for _ in range(150):
        pairs = []
        for _ in range(12):
            family = draw.gauss(0, 1)
            for _ in range(4):
                item = family + draw.gauss(0, 1)
                pairs.append(
                    (
                        int(draw.random() < _logistic(item + 0.8)),
                        int(draw.random() < _logistic(item)),
                    )
                )
        found = paired(*both(pairs, 4))
        hits += found.low <= truth <= found.high
    assert hits >= 0.93 * 150


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _probit(share: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(share)
