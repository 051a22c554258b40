"""Early access: what a session and a call need, and what they never get."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engagement.parties import OPENS, PACK

from vedette.engagement.access import Allowance, Reason, Refusal, Usage
from vedette.engagement.early_access import Early, check_early, decide, opening
from vedette.engagement.seats import Used, tally
from vedette.kernel.errors import BadInput

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DIGEST = "sha256:" + "a" * 64
EARLY = Early(OPENS, OPENS + 10 * DAY, 8, 100, 1000, ("own-products", "own-systems"), DIGEST)
MOMENTS = st.integers(-48, 480).map(lambda hours: OPENS + hours * HOUR)
USED = st.builds(Usage, st.integers(0, 120), st.integers(0, 1200))


@given(MOMENTS, USED, st.booleans(), st.none() | MOMENTS)
def test_no_session_outlasts_its_hours_or_its_access(now, used, accepted, ended) -> None:  # type: ignore[no-untyped-def]
    early = replace(EARLY, ended=ended)
    found = opening(early, "own-products", DIGEST if accepted else "", used, now)
    if isinstance(found, Refusal):
        return
    assert accepted
    assert now < found <= min(early.until, now + 8 * HOUR)
    assert used.calls < 100
    assert used.tokens < 1000


@given(MOMENTS, MOMENTS, USED, st.sampled_from(["own-products", "own-systems"]), st.integers(0, 50))
def test_a_call_passes_inside_its_session_alone(now, ends, used, purpose, at_most) -> None:  # type: ignore[no-untyped-def]
    found = decide(EARLY, "own-products", ends, purpose, used, now, at_most=at_most)
    inside = now < min(ends, EARLY.until) and purpose == "own-products"
    left = used.calls < 100 and used.tokens + max(1, at_most) <= 1000
    assert isinstance(found, Allowance) == (inside and left)
    if isinstance(found, Allowance):
        assert found.until == min(ends, EARLY.until)


@pytest.mark.parametrize(
    ("changes", "now", "reason"),
    [
        ({}, OPENS - HOUR, Reason.BEFORE),
        ({}, OPENS + 10 * DAY, Reason.AFTER),
        ({"ended": OPENS}, OPENS, Reason.AFTER),
        ({"digest": "sha256:" + "b" * 64}, OPENS, Reason.PERSON),
        ({"purposes": ("own-systems",)}, OPENS, Reason.PURPOSE),
        ({"calls": 0}, OPENS, Reason.QUOTA),
    ],
)
def test_the_plain_reason(changes, now, reason) -> None:  # type: ignore[no-untyped-def]
    found = opening(replace(EARLY, **changes), "own-products", DIGEST, Usage(), now)
    assert isinstance(found, Refusal)
    assert found.reason == reason


def test_the_packs_bounds() -> None:
    check_early(PACK, EARLY, OPENS)
    most = PACK.integer("early_access", "most_days")
    with pytest.raises(BadInput, match="closes"):
        check_early(PACK, replace(EARLY, closes=OPENS + (most + 1) * DAY), OPENS)
    with pytest.raises(BadInput, match="tokens"):
        check_early(PACK, replace(EARLY, tokens=0), OPENS)


ROWS = st.builds(
    Used,
    st.sampled_from(["rural-hospital", "Community banks", "energy", "lighthouses"]),
    *(st.integers(0, 9) for _ in range(5)),
)


@given(st.lists(ROWS, max_size=12))
def test_nothing_is_lost_and_the_absent_are_named(rows: list[Used]) -> None:
    found = tally(PACK, rows)
    for name in ("partners", "small", "sessions", "minutes", "calls"):
        assert sum(getattr(r, name) for r in found) == sum(getattr(r, name) for r in rows)
    assert [r.sector for r in found if r.listed] == [
        *("Community banks", "Local utilities", "Rural hospitals")
    ]
    utilities = next(r for r in found if r.sector == "Local utilities")
    assert utilities.absent
    assert tally(PACK, reversed(rows)) == found
