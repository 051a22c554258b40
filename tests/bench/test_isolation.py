"""Levels of isolation: ordered, and never taken for more than what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.bench.isolation import LIMITED, NAMESPACES, Isolation, Level, asked, require
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.markings import TLP, Marking
from vedette.kernel.packs import default_pack

pytestmark = pytest.mark.any_database

FULL = Isolation(
    "bubblewrap 1", frozenset(NAMESPACES), True, False, frozenset(LIMITED), "cgroup v2", True
)
some = st.builds(
    Isolation,
    by=st.just("bubblewrap 1"),
    namespaces=st.frozensets(st.sampled_from([*NAMESPACES, "uts"])),
    confined=st.booleans(),
    nested=st.booleans(),
    limited=st.frozensets(st.sampled_from(LIMITED)),
    limits=st.just("cgroup v2"),
    filtered=st.booleans(),
)


@given(some, st.sampled_from(Level))
def test_less_than_asked_is_refused_and_only_that(found: Isolation, least: Level) -> None:
    if found.level >= least:
        require(found, least)
        return
    with pytest.raises(Refused, match=f"has level {found.level.label}.*asks for {least.label}"):
        require(found, least)


@given(some, st.sampled_from(["confined", "filtered", "unnested", *NAMESPACES, *LIMITED]))
def test_having_more_is_never_a_lower_level(found: Isolation, gain: str) -> None:
    more = {
        "confined": {"confined": True},
        "filtered": {"filtered": True},
        "unnested": {"nested": False},
    }.get(gain, {"namespaces": frozenset(found.namespaces) | {gain}})
    if gain in LIMITED:
        more = {"limited": frozenset(found.limited) | {gain}}
    assert replace(found, **more).level >= found.level


@pytest.mark.parametrize("name", NAMESPACES)
def test_one_namespace_missing_is_no_isolation(name: str) -> None:
    weak = replace(FULL, namespaces=frozenset(NAMESPACES) - {name})
    assert weak.level is Level.NONE
    with pytest.raises(Refused, match=f"missing: own {name} namespace"):
        require(weak, Level.NAMESPACES)


def test_levels_in_words() -> None:
    assert FULL.level is Level.FILTER
    assert replace(FULL, filtered=False).level is Level.LIMITS
    assert replace(FULL, limited=frozenset({"pids"})).level is Level.NAMESPACES
    assert "no nested user namespaces" in FULL.words
    assert "seccomp filter" in FULL.words
    assert Isolation("bubblewrap: broken").words == "bubblewrap: broken"
    with pytest.raises(BadInput, match="one of none, namespaces, limits, filter"):
        Level.parse("strong")


def test_the_shipped_pack_asks_no_less_for_a_higher_marking() -> None:
    pack = default_pack()
    for classified in (0, 3):
        levels = [asked(pack, Marking(tlp, classified)) for tlp in TLP]
        assert levels == sorted(levels)
        assert levels[0] >= Level.NAMESPACES
    assert asked(pack, Marking(TLP.CLEAR, 3)) is Level.FILTER
    assert asked(pack, Marking(TLP.CLEAR, 0, frozenset({"ALPHA"}))) is Level.FILTER
