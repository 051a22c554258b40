"""The access window: bounded by its basis, half open, and only ever shorter."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.engagement.table import Actor
from vedette.engagement.window import (
    WINDOW,
    Window,
    WindowState,
    check_window,
    due,
    end,
    is_open,
    state_of,
)
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import default_pack, read_pack

PACK = default_pack()
BASIS = "eo14409-3b2"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
times = st.datetimes(
    datetime(2026, 11, 1), datetime(2027, 2, 1), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip
windows = st.builds(
    lambda opens, hours: Window(BASIS, opens, opens + timedelta(hours=hours)),
    times,
    st.integers(1, 720),
)


@given(times, st.integers(-1000, 1000))
def test_the_ceiling_and_the_order_of_hours_hold(opens: datetime, hours: int) -> None:
    closes = opens + timedelta(hours=hours)
    if 1 <= hours <= 720 and closes > NOW:
        assert check_window(PACK, BASIS, opens, closes, NOW) == Window(BASIS, opens, closes)
    else:
        with pytest.raises(BadInput):
            check_window(PACK, BASIS, opens, closes, NOW)


def test_a_second_over_the_ceiling_is_over() -> None:
    closes = NOW + timedelta(days=30)
    check_window(PACK, BASIS, NOW, closes, NOW)
    with pytest.raises(BadInput, match=r"30 days 1 h .* allows 30; next: open it at 2026-12-01"):
        check_window(PACK, BASIS, NOW, closes + timedelta(seconds=1), NOW)


def test_a_separate_agreement_takes_what_was_agreed() -> None:
    closes = NOW + timedelta(days=90)
    assert check_window(PACK, "separate-agreement", NOW, closes, NOW).closes == closes


def test_an_unknown_basis_names_those_there_are() -> None:
    with pytest.raises(BadInput, match="separate-agreement"):
        check_window(PACK, "custom", NOW, NOW + timedelta(days=1), NOW)


def test_the_ceiling_is_the_packs() -> None:
    rules: dict[str, Any] = {
        "engagement": {"bases": {"x": {"ceiling_days": 2}}},
        "window": {"minimum_hours": 1},
    }
    pack = read_pack(json.dumps({"name": "xx", "version": "1", "rules": rules}).encode())
    check_window(pack, "x", NOW, NOW + timedelta(days=2), NOW)
    with pytest.raises(BadInput, match="allows 2"):
        check_window(pack, "x", NOW, NOW + timedelta(days=3), NOW)


def test_on_the_labs_instance_the_partner_release_bounds_it() -> None:
    release = NOW + timedelta(days=30)
    check_window(PACK, BASIS, NOW, release, NOW, partner_release=release)
    with pytest.raises(BadInput, match="ends the window"):
        check_window(PACK, BASIS, NOW + timedelta(days=1), release + timedelta(hours=1), NOW,
                     partner_release=release)  # fmt: skip
    with pytest.raises(BadInput, match="31 days before the partner release"):
        check_window(PACK, BASIS, NOW - timedelta(days=1), NOW + timedelta(days=20), NOW,
                     partner_release=release)  # fmt: skip


@given(windows, times)
def test_it_is_open_from_its_first_moment_to_before_its_last(window: Window, now: datetime) -> None:
    assert is_open(window, now) == (window.opens <= now < window.closes)
    assert is_open(window, window.opens)
    assert not is_open(window, window.closes)
    assert (state_of(window, now) == WindowState.OPEN) == is_open(window, now)


@given(windows, times, times)
def test_ending_is_at_once_and_only_shortens(window: Window, now: datetime, at: datetime) -> None:
    ended = end(window, now)
    assert ended.until <= window.until
    assert (ended.opens, ended.closes) == (window.opens, window.closes)
    assert end(ended, now + timedelta(days=1)) == ended
    if at >= now:
        assert not is_open(ended, at)
    if is_open(ended, at):
        assert is_open(window, at)


@given(windows, st.lists(times, max_size=6), st.none() | times)
def test_the_clock_brings_it_through_its_states_by_itself(
    window: Window, ticks: list[datetime], ended: datetime | None
) -> None:
    state = WindowState.AGREED
    for now in sorted(ticks):
        if ended is not None and now >= ended and state in (WindowState.AGREED, WindowState.OPEN):
            if window.until > now:
                state = WindowState(WINDOW.step(state, "end", Actor.LAB).target)
            window = end(window, now)
        row = due(window, state, now)
        while row is not None:
            assert row.actor == Actor.CLOCK
            state = WindowState(row.target)
            row = due(window, state, now)
        assert state == state_of(window, now)
