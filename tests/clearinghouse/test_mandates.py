"""A mandate begins with both sides, ends with either, and covers no more than its bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.mandates import (
    MANDATE,
    STANDING,
    MandateAct,
    MandateState,
    bounds,
    check_basis,
)
from vedette.kernel.errors import BadInput, Refused

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ACTS = st.sets(st.sampled_from([str(act) for act in MandateAct]), min_size=1)
SITES = st.lists(st.sampled_from(["plant", "office", " plant "]), max_size=3)


def test_the_table_reaches_every_state_and_no_move_is_ambiguous() -> None:
    assert set(MANDATE.states) == set(MandateState)
    moves = [(row.source, row.trigger) for row in MANDATE.rows]
    assert len(moves) == len(set(moves))


@pytest.mark.parametrize("state", STANDING)
@pytest.mark.parametrize("party", [Party.OPERATOR, Party.DELEGATE])
def test_either_side_ends_it_alone_at_any_time(state: str, party: Party) -> None:
    assert MANDATE.step(state, "end", party).target == MandateState.ENDED
    assert MANDATE.step(state, "expire", Party.CLOCK).target == MandateState.EXPIRED


def test_nobody_accepts_what_it_asked_for_itself() -> None:
    for state, own in ((_M.OFFERED, Party.OPERATOR), (_M.ASKED, Party.DELEGATE)):
        with pytest.raises(Refused):
            MANDATE.step(state, "accept", own)


_M = MandateState


@pytest.mark.parametrize("state", [_M.ENDED, _M.EXPIRED])
def test_what_is_over_stays_over(state: str) -> None:
    assert not [row for row in MANDATE.rows if row.source == state]


@given(ACTS, SITES, st.integers(-3, 3), st.integers(1, 9), st.integers(-5, 15))
def test_bounds_cover_acts_sites_and_hours_and_nothing_else(
    acts: set[str], sites: list[str], start: int, days: int, at: int
) -> None:
    starts, moment = NOW + start * DAY, NOW + at * DAY
    ends = max(starts, NOW) + days * DAY
    made = bounds(acts, starts, ends, sites, NOW)
    for act in MandateAct:
        for site in ("plant", "office"):
            inside = starts <= moment < ends
            reads = act == MandateAct.READ and {MandateAct.ANSWER, MandateAct.STATE} & acts
            meant = str(act) in acts or bool(reads)
            placed = not sites or site in {name.strip() for name in sites}
            assert made.covers(act, site, moment) == (inside and meant and placed)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"acts": []}, "acts"),
        ({"acts": ["everything"]}, "acts"),
        ({"ends": NOW}, "ends"),
        ({"starts": NOW - 9 * DAY, "ends": NOW - DAY}, "ends"),
        ({"ends": NOW + 2_000 * DAY}, "ends"),
        ({"sites": ["x" * 201]}, "sites"),
        ({"sites": ["a\nb"]}, "sites"),
    ],
)
def test_what_is_no_mandate_is_told(wrong: dict[str, object], field: str) -> None:
    given = {"acts": ["read-notices"], "starts": NOW, "ends": NOW + DAY, "sites": [], "now": NOW}
    with pytest.raises(BadInput, match=f"^{field}: "):
        bounds(**{**given, **wrong})  # type: ignore[arg-type]


def test_the_basis_is_kept_as_it_is() -> None:
    text = "  Member agreement\n§4 of 3 May 2026 "
    assert check_basis(text) == text
    for wrong in ("", "  \n", "x" * 20_001, "a\0b"):
        with pytest.raises(BadInput, match=r"^basis: "):
            check_basis(wrong)
