"""The release plan: backwards from the partner release, whatever the calendar does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import PolicyPack, default_pack, read_pack
from vedette.readiness.plan import make_plan

PACK = default_pack()
times = st.datetimes(datetime(1900, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def small_pack(**rules: Any) -> PolicyPack:
    base = {
        "engagement": {"default_basis": "x", "bases": {"x": {"ceiling_days": 10}}},
        "plan": {"steps": []},
    }
    document = {"name": "xx", "version": "1", "rules": {**base, **rules}}
    return read_pack(json.dumps(document).encode())


@given(times, st.none() | st.integers(1, 30), st.none() | st.integers(0, 400))
def test_the_window_ends_with_the_partner_release(
    partner: datetime, days: int | None, gap: int | None
) -> None:
    public = None if gap is None else partner + timedelta(days=gap)
    plan = make_plan(PACK, partner, public, days)
    assert (plan.closes, plan.partner_release, plan.public_release) == (partner, partner, public)
    assert plan.closes - plan.opens == timedelta(hours=24 * (30 if days is None else days))


@given(times, st.integers(0, 400))
def test_steps_come_in_order_with_the_packs_offsets(partner: datetime, gap: int) -> None:
    plan = make_plan(PACK, partner, partner + timedelta(days=gap))
    rows = {row["id"]: row for row in PACK.records("plan", "steps")}
    assert {step.id for step in plan.steps} == set(rows)
    assert list(plan.steps) == sorted(plan.steps, key=lambda s: (s.latest_start, s.due))
    anchors = {"opens": plan.opens, "partner": partner, "public": plan.public_release}
    for step in plan.steps:
        row = rows[step.id]
        anchor = anchors[row["anchor"]]
        assert anchor is not None
        assert step.latest_start == anchor - timedelta(days=row["latest_start_days"])
        assert step.due == anchor - timedelta(days=row["due_days"])
        assert step.latest_start <= step.due


def test_without_a_public_release_its_steps_are_left_out() -> None:
    plan = make_plan(PACK, datetime(2027, 3, 1, tzinfo=UTC))
    assert plan.public_release is None
    assert "public-release" not in {step.id for step in plan.steps}
    assert plan.to_json()["public_release"] is None


@pytest.mark.parametrize(
    ("partner", "opens"),
    [
        ("2028-03-01", "2028-01-31T00:00:00Z"),
        ("2027-03-01", "2027-01-30T00:00:00Z"),
        ("2100-03-01", "2100-01-30T00:00:00Z"),
        ("2000-03-30", "2000-02-29T00:00:00Z"),
        ("2027-11-07T02:30-04:00", "2027-10-08T06:30:00Z"),
        ("2027-03-28T02:30+01:00", "2027-02-26T01:30:00Z"),
    ],
)
def test_leap_days_and_summer_time_move_nothing(partner: str, opens: str) -> None:
    plan = make_plan(PACK, parse_time(partner, field="p"))
    assert format_time(plan.opens) == opens


def test_a_date_in_another_zone_is_the_same_moment() -> None:
    here = datetime(2027, 3, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    there = datetime(2027, 3, 1, tzinfo=UTC)
    assert make_plan(PACK, here).to_json() == make_plan(PACK, there).to_json()


@pytest.mark.parametrize(
    ("days", "words"),
    [(31, "beyond the ceiling of 30"), (0, "no window"), (-3, "no window"), (10**12, "beyond")],
)
def test_a_window_beyond_the_pack_is_bad_input(days: int, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        make_plan(PACK, datetime(2027, 3, 1, tzinfo=UTC), None, days)


def test_the_ceiling_is_the_packs() -> None:
    at = datetime(2027, 3, 1, tzinfo=UTC)
    assert make_plan(small_pack(), at).opens == at - timedelta(days=10)
    with pytest.raises(BadInput, match="ceiling of 10"):
        make_plan(small_pack(), at, None, 11)


def test_a_basis_without_ceiling_takes_any_length_but_defaults_to_none() -> None:
    pack = small_pack(engagement={"default_basis": "x", "bases": {"x": {"ceiling_days": None}}})
    at = datetime(2027, 3, 1, tzinfo=UTC)
    assert make_plan(pack, at, None, 90).opens == at - timedelta(days=90)
    with pytest.raises(BadInput, match="no ceiling to default to"):
        make_plan(pack, at)


def test_a_public_release_before_the_partners_is_bad_input() -> None:
    at = datetime(2027, 3, 1, tzinfo=UTC)
    make_plan(PACK, at, at)
    with pytest.raises(BadInput, match="before the partner release"):
        make_plan(PACK, at, at - timedelta(seconds=1))


def test_dates_at_the_end_of_the_calendar_are_bad_input() -> None:
    with pytest.raises(BadInput, match="out of range"):
        make_plan(PACK, datetime(1, 1, 5, tzinfo=UTC))
    with pytest.raises(BadInput, match="out of range"):
        make_plan(PACK, datetime(9999, 12, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "change", [{"anchor": "moon"}, {"due_days": 9}, {"due_days": "1"}, {"name": None, "anchor": 1}]
)
def test_a_malformed_step_names_pack_and_step(change: dict[str, Any]) -> None:
    row = {"id": "s", "name": "S", "anchor": "opens", "latest_start_days": 5, "due_days": 1}
    pack = small_pack(plan={"steps": [{**row, **change}]})
    with pytest.raises(BadInput, match="policy pack xx@1: plan step s"):
        make_plan(pack, datetime(2027, 3, 1, tzinfo=UTC))
