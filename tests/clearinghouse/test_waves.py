"""Notices go in BOD 26-04 order, and small operators are not left to the end."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.clearinghouse.waves import NoticeRank, order, waves
from vedette.kernel.errors import BadInput


def test_deadline_then_forensics_then_criticality_then_id() -> None:
    notices = [
        NoticeRank("next-upgrade", "n6"),
        NoticeRank("late", "n5", date(2026, 12, 15)),
        NoticeRank("b", "n4", date(2026, 12, 4)),
        NoticeRank("a", "n3", date(2026, 12, 4)),
        NoticeRank("critical", "n2", date(2026, 12, 4), criticality=9),
        NoticeRank("forensics", "n1", datetime(2026, 12, 4, tzinfo=UTC), forensics=True),
    ]
    assert [n.notice for n in order(notices)] == ["n1", "n2", "n3", "n4", "n5", "n6"]


def test_a_small_operator_is_in_the_first_wave_of_its_deadline() -> None:
    day = date(2026, 12, 4)
    big = [NoticeRank(f"big-{n:02}", f"n{n}", day, criticality=9) for n in range(10)]
    small = NoticeRank("rural-hospital", "n99", day, small=True)
    first, *_ = waves([*big, small], size=4)
    assert small in first
    assert len(first) == 4


def test_a_wave_needs_a_size() -> None:
    with pytest.raises(BadInput):
        waves([], size=0)


_notices = st.lists(
    st.builds(
        NoticeRank,
        operator=st.sampled_from(("a", "b", "c", "d")),
        notice=st.uuids().map(str),
        deadline=st.none() | st.dates(date(2026, 12, 1), date(2026, 12, 4)),
        forensics=st.booleans(),
        criticality=st.integers(0, 3),
        small=st.booleans(),
        doubt=st.integers(0, 5),
    ),
    max_size=40,
)


@given(_notices, st.integers(1, 7), st.randoms())
def test_every_notice_once_urgent_first_whatever_the_order(
    notices: list[NoticeRank], size: int, rng: random.Random
) -> None:
    sent = waves(notices, size=size)
    flat = [notice for wave in sent for notice in wave]
    assert sorted(n.notice for n in flat) == sorted(n.notice for n in notices)
    assert all(0 < len(wave) <= size for wave in sent)
    for one, next_ in itertools.pairwise(sent[0] if sent else ()):
        if (one.criticality, one.operator) == (next_.criticality, next_.operator):
            assert one.tier != next_.tier or one.doubt <= next_.doubt
    tiers = [n.tier for n in flat]
    assert tiers == sorted(tiers)
    for wave, later in itertools.pairwise(sent):
        waiting = any(n.small and n.tier == wave[0].tier for n in later)
        assert not waiting or any(n.small for n in wave)
    shuffled = list(notices)
    rng.shuffle(shuffled)
    assert waves(shuffled, size=size) == sent
