"""The planner: judged by the determination's own rule, repeatable, and right where it is exact."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.bench.assessment import decimal
from vedette.bench.determination import Outcome, Threshold, suggest
from vedette.bench.intervals import clustered
from vedette.bench.planner import Expectation, Left, Taken, affordable, forecast
from vedette.kernel.errors import BadInput

pytestmark = pytest.mark.any_database
LIMIT = Threshold.parse("0.5", "0" * 64)
SURE = Expectation(0.7, spread=0.01, families=0.0, items=0.0)
OUTCOMES = ("meets", "does_not_meet", "insufficient")


def chance(point: dict[str, Any], outcome: str) -> float:
    return float(point[outcome]["chance"])


def test_it_is_the_binomial_where_nothing_but_chance_differs() -> None:
    """Every item a family of its own: the exact chance is a sum over how many are solved."""
    n = 40
    found = forecast(Left(n, n), SURE, LIMIT, seed=3, draws=2000).to_json()["points"][-1]
    exact = dict.fromkeys(Outcome, 0.0)
    for solved in range(n + 1):
        interval = clustered([1] * solved + [0] * (n - solved), range(n))
        bounds = (Decimal(decimal(interval.low)), Decimal(decimal(interval.high)))
        mass = math.comb(n, solved) * 0.7**solved * 0.3 ** (n - solved)
        exact[suggest(*bounds, LIMIT)] += mass
    assert float(found["meets"]["low"]) <= exact[Outcome.MEETS] <= float(found["meets"]["high"])
    assert chance(found, "does_not_meet") == pytest.approx(exact[Outcome.DOES_NOT_MEET], abs=0.01)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 30),
    st.integers(1, 6),
    st.integers(1, 3),
    st.floats(0.01, 0.99),
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from("abc")), max_size=10),
)
def test_chances_are_whole_and_the_same_again(
    items: int, families: int, trials: int, share: float, rows: list[tuple[int, str]]
) -> None:
    left = Left(items, min(families, max(1, items)), trials, tokens=9000, tokens_each=300)
    taken = [Taken(*row) for row in rows]
    found = forecast(left, Expectation(share), LIMIT, taken=taken, seed=5, draws=20)
    assert found == forecast(left, Expectation(share), LIMIT, taken=taken, seed=5, draws=20)
    told = found.to_json()
    for point in told["points"]:
        assert sum(chance(point, outcome) for outcome in OUTCOMES) == pytest.approx(1, abs=2e-4)
        assert point["tokens"] <= 9000
    steps = [point["items"] for point in told["points"]]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, affordable(left)[0])


def test_what_is_taken_stays_and_alone_gives_the_rules_own_answer() -> None:
    taken = [Taken(1, f"f{n}") for n in range(20)]
    done = forecast(Left(0, 1), Expectation(0.3), LIMIT, taken=taken, draws=20)
    assert len(done.points) == 1
    assert chance(done.to_json()["points"][0], "meets") == 1
    none = forecast(Left(0, 1), Expectation(0.3), LIMIT, draws=20).to_json()
    assert chance(none["points"][0], "insufficient") == 1


def test_what_is_taken_moves_what_is_expected() -> None:
    def expected(*scores: int) -> float:
        rows = [Taken(score, f"f{n % 5}") for n, score in enumerate(scores)]
        return forecast(Left(5, 5), Expectation(0.5), LIMIT, taken=rows, draws=20).expected

    assert expected() == pytest.approx(0.5, abs=1e-3)
    assert expected(*[1] * 15) > 0.75
    assert expected(*[0] * 15) < 0.25
    assert expected(1, 0) == pytest.approx(0.5, abs=1e-3)


def test_more_items_bring_a_determination_more_often() -> None:
    found = forecast(Left(60, 12), Expectation(0.8, 0.5), LIMIT, seed=1).to_json()["points"]
    assert chance(found[-1], "determination") > chance(found[2], "determination") + 0.1


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 10**4), st.floats(0, 30))
def test_what_runs_out_first_binds(items: int, exposures: int, tokens: int, days: float) -> None:
    left = Left(items, 1, 2, days, 7.0, tokens, 50, exposures)
    count, name = affordable(left)
    assert 0 <= count <= min(items, exposures)
    assert count * 2 * 50 <= tokens
    assert count * 2 <= days * 7 + 1e-6
    more = {
        "items": replace(left, items=items + 1),
        "exposures": replace(left, exposures=exposures + 1),
        "tokens": replace(left, tokens=tokens + 100),
        "days": replace(left, days=days + 1),
    }[name]
    assert affordable(more)[0] >= count


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("items", {"items": -1}),
        ("items", {"items": 20_000, "families": 5, "trials": 3}),
        ("families", {"families": 0}),
        ("families", {"families": 99}),
        ("trials", {"trials": 0}),
        ("days", {"days": math.nan, "per_day": 1}),
        ("per_day", {"days": 3}),
        ("tokens", {"tokens": -5, "tokens_each": 1}),
        ("tokens_each", {"tokens": 5}),
        ("exposures", {"exposures": -1}),
    ],
)
def test_bad_input_names_the_field(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=field):
        forecast(replace(Left(10, 5), **change), Expectation(0.5), LIMIT, draws=20)


@pytest.mark.parametrize("share", [0.0, 1.0, math.inf])
def test_a_certainty_is_no_expectation(share: float) -> None:
    with pytest.raises(BadInput, match="expected"):
        forecast(Left(10, 5), Expectation(share), LIMIT)
