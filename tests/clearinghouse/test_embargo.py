"""Everybody's terms are kept word for word; the strictest is what is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.clearinghouse.embargo import CLOCKS, Facts, Terms, embargo_state
from vedette.kernel.errors import BadInput

START = datetime(2026, 10, 1, 9, tzinfo=UTC)
DEFAULTS = {
    "disclosure_days": 90,
    "extension_days": 14,
    "exploited_days": 7,
    "exploited_extension_days": 7,
    "silence_days": 30,
    "hold_days": 45,
}
LAB = Terms("Lab", "We publish after 90 days.", "America/New_York")
VENDOR = Terms("Vendor", "120 days, please.", "Europe/Berlin", {"disclosure_days": 120})


def test_the_strictest_end_is_shown_and_all_words_are_kept() -> None:
    state = embargo_state(START, Facts(START), [VENDOR, LAB], DEFAULTS)
    assert state.ends == START + timedelta(days=90)
    assert state.ends_because == "Lab: 90 days"
    assert [t.words for t in state.terms] == ["120 days, please.", "We publish after 90 days."]
    assert not state.over


def test_the_hour_is_given_in_utc_and_in_each_zone() -> None:
    state = embargo_state(START, Facts(START), [VENDOR, LAB], DEFAULTS)
    assert [(h.zone, h.local) for h in state.hours] == [
        ("UTC", "2026-12-30T09:00:00Z"),
        ("Europe/Berlin", "2026-12-30 10:00 CET"),
        ("America/New_York", "2026-12-30 04:00 EST"),
    ]


def test_an_extension_and_an_exploit_move_the_end() -> None:
    asked = embargo_state(START, Facts(START, extension_asked=True), [], DEFAULTS)
    assert asked.ends == START + timedelta(days=104)
    seen = START + timedelta(days=10)
    exploited = embargo_state(START, Facts(START, exploited_since=seen), [], DEFAULTS)
    assert exploited.ends == START + timedelta(days=17)
    assert exploited.ends_because == "policy pack: 7 days since exploited"
    late = Facts(START, exploited_since=START + timedelta(days=89))
    assert embargo_state(START, late, [], DEFAULTS).ends == START + timedelta(days=90)


def test_silence_escalates_and_a_word_resets_it() -> None:
    now = START + timedelta(days=31)
    assert embargo_state(now, Facts(START), [], DEFAULTS).escalated
    heard = Facts(START, last_vendor_word=START + timedelta(days=20))
    assert not embargo_state(now, heard, [], DEFAULTS).escalated


def test_details_are_held_longest_after_the_patch() -> None:
    facts = Facts(START, patched=START + timedelta(days=5))
    longer = Terms("Utility", "Give us 60 days.", days={"hold_days": 60})
    state = embargo_state(START + timedelta(days=50), facts, [LAB, longer], DEFAULTS)
    assert state.details_from == START + timedelta(days=65)
    assert state.details_held
    assert state.details_because == "Utility: 60 days after the patch"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Terms("X", "", "Mars/Base"),
        lambda: Terms("X", "", "../../etc/passwd"),
        lambda: Terms("X", "", days={"days": 3}),
        lambda: Terms("X", "", days={"hold_days": -1}),
        lambda: embargo_state(START, Facts(START), [], {}),
    ],
)
def test_bad_terms_are_named(make: object) -> None:
    with pytest.raises(BadInput):
        make()  # type: ignore[operator]


_clocks = st.dictionaries(st.sampled_from(CLOCKS), st.integers(0, 400))


@given(st.lists(_clocks, min_size=1, max_size=5), st.booleans(), st.none() | st.integers(0, 200))
def test_no_party_is_bound_longer_than_its_own_terms(
    clocks: list[dict[str, int]], asked: bool, exploited: int | None
) -> None:
    since = None if exploited is None else START + timedelta(days=exploited)
    facts = Facts(START, extension_asked=asked, exploited_since=since)
    parties = [Terms(f"p{n}", "", days=days) for n, days in enumerate(clocks)]
    together = embargo_state(START, facts, parties, DEFAULTS)
    alone = [embargo_state(START, facts, [party], DEFAULTS) for party in parties]
    assert together.ends == min(state.ends for state in alone)
    assert together.escalate == min(state.escalate for state in alone)
    patched = replace(facts, patched=START)
    held = embargo_state(START, patched, parties, DEFAULTS).details_from
    assert held == max(embargo_state(START, patched, [p], DEFAULTS).details_from for p in parties)
