"""Exposures: what they spend, and when an item is used up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vedette.bench.exposure import (
    CUSTODIES,
    ENDPOINT,
    HERE,
    NOBODY,
    Seen,
    could_see,
    counted,
    custody_of,
    needed,
    remaining,
)
from vedette.kernel.packs import default_pack

COUNTS = st.dictionaries(st.sampled_from(CUSTODIES), st.integers(0, 12))
BUDGETS = st.fixed_dictionaries({name: st.integers(1, 10) for name in CUSTODIES})
NEEDS = st.dictionaries(st.sampled_from(CUSTODIES), st.integers(1, 4), min_size=1)


def test_the_pack_has_a_budget_for_every_custody() -> None:
    rows = default_pack().records("exposure", "budgets")
    assert sorted(row["id"] for row in rows) == sorted(CUSTODIES)
    assert all(row["most"] >= 1 for row in rows)


@given(COUNTS, BUDGETS)
def test_an_item_is_used_up_exactly_when_nothing_of_one_custody_is_left(
    counts: dict[str, int], budgets: dict[str, int]
) -> None:
    seen = Seen(counts)
    over = any(counts.get(name, 0) >= most for name, most in budgets.items())
    assert bool(seen.spent(budgets)) == over == (seen.left(budgets) == 0)
    assert seen.total == sum(counts.values())


@given(st.lists(NEEDS, max_size=30), BUDGETS)
def test_runs_that_fit_never_pass_a_budget(
    runs: list[dict[str, int]], budgets: dict[str, int]
) -> None:
    spent: Counter[str] = Counter()
    for needs in runs:
        numbers = remaining({1: Seen(dict(spent))}, needs, budgets)
        if numbers:
            spent += Counter(needs)
    assert all(spent[name] <= most for name, most in budgets.items())


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(CUSTODIES)), max_size=60))
def test_every_exposure_is_counted_with_its_item(rows: list[tuple[int, str]]) -> None:
    found = counted(rows, range(1, 7))
    assert set(found) == set(range(1, 7))
    assert sum(seen.total for seen in found.values()) == len(rows)
    for number, seen in found.items():
        assert dict(Counter(c for n, c in rows if n == number)) == dict(seen.counts)


def test_who_could_see_follows_from_the_custody() -> None:
    lab = {"name": "orion-1", "kind": "endpoint"}
    own = {"name": "oracle", "kind": "reference"}
    assert needed([lab, own, own], ENDPOINT) == {ENDPOINT: 1, HERE: 2}
    assert custody_of(own, ENDPOINT) == HERE
    assert could_see(HERE, "Lab") == NOBODY
    told = {could_see(name, "Lab") for name in CUSTODIES if name not in (HERE, "view")}
    assert len(told) == 4
    assert all("Lab" in words for words in told)
