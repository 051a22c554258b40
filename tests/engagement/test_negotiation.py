"""Versions of terms: the same signatures make the same terms in force, in whatever order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.engagement.negotiation import (
    VERSIONS,
    Version,
    VersionState,
    in_force,
    next_number,
    open_for,
    standings,
    to_sign,
)
from vedette.engagement.table import Actor
from vedette.engagement.terms import VERSION_LIMIT
from vedette.kernel.errors import BadInput, Refused

SIDES = (Actor.LAB, Actor.OFFICE)


def version(number: int, by: Actor, *signed: Actor) -> Version:
    return Version(f"{number}-{by}", number, by, frozenset({by, *signed}))


def other(side: Actor) -> Actor:
    return Actor.OFFICE if side == Actor.LAB else Actor.LAB


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    """What two sides could have made: distinct versions, each signed by its maker at least."""
    keys = draw(st.sets(st.tuples(st.integers(1, 5), st.sampled_from(SIDES)), max_size=8))
    return [version(n, by, *([other(by)] if draw(st.booleans()) else [])) for n, by in keys]


Fact = tuple[str, Actor]


def after(facts: list[Fact], known: dict[str, Version]) -> list[Version]:
    """What a side holds after these facts: one signature at a time, its maker's first."""
    held: dict[str, frozenset[Actor]] = {}
    for digest, side in facts:
        held[digest] = held.get(digest, frozenset()) | {side, known[digest].by}
    return [replace(known[digest], signed=signed) for digest, signed in held.items()]


@given(histories(), st.randoms())
def test_any_order_of_arrival_ends_with_the_same_terms_in_force(
    made: list[Version], random: object
) -> None:
    known = {v.digest: v for v in made}
    facts = [(v.digest, side) for v in made for side in v.signed]
    one, two = list(facts), list(facts)
    random.shuffle(one)  # type: ignore[attr-defined]
    random.shuffle(two)  # type: ignore[attr-defined]
    left, right = after(one, known), after(two, known)
    assert in_force(left) == in_force(right)
    assert standings(left) == standings(right)


@given(histories(), st.randoms())
def test_every_step_of_a_version_is_a_row_of_the_table(made: list[Version], random: object) -> None:
    """However facts arrive, a version's state moves along one row of the table, or two."""
    rows = {(row.source, row.target) for row in VERSIONS.rows}
    twice = {(a, d) for a, b in rows for c, d in rows if b == c}
    facts = [(v.digest, side) for v in made for side in v.signed]
    random.shuffle(facts)  # type: ignore[attr-defined]
    known = {v.digest: v for v in made}
    before: dict[str, VersionState] = {}
    for count in range(len(facts) + 1):
        now = dict(standings(after(facts[:count], known)))
        for digest, state in now.items():
            was = before.get(digest, VersionState.PROPOSED)
            assert was == state or (was, state) in rows | twice, (was, state)
        before = now


@given(histories())
def test_at_most_one_version_is_in_force_and_the_highest_that_both_signed(
    made: list[Version],
) -> None:
    states = standings(made)
    agreed = [v for v in made if states[v.digest] == VersionState.AGREED]
    both = [v for v in made if v.both]
    assert len(agreed) == (1 if both else 0)
    assert all(v.number <= agreed[0].number for v in both)


@given(histories(), st.sampled_from(SIDES))
def test_what_is_open_for_a_side_it_has_not_signed_and_can_sign(
    made: list[Version], side: Actor
) -> None:
    found = open_for(side, made)
    assert all(side not in v.signed and to_sign(side, made, v.digest) == v for v in found)
    if found:
        assert to_sign(side, made) == found[0]
        signed = [replace(v, signed=v.signed | {side}) if v == found[0] else v for v in made]
        force = in_force(signed)
        assert force is not None
        assert force.digest == found[0].digest, "what is signed as open is in force"
    for rest in made:
        if rest not in found:
            with pytest.raises(Refused):
                to_sign(side, made, rest.digest)


def test_of_two_that_crossed_under_one_number_the_labs_stands() -> None:
    crossed = [version(2, Actor.LAB, Actor.OFFICE), version(2, Actor.OFFICE, Actor.LAB)]
    force = in_force(crossed)
    assert force is not None
    assert force.by == Actor.LAB


def test_a_signature_over_an_older_version_says_which_is_newer() -> None:
    made = [version(1, Actor.LAB), version(2, Actor.LAB)]
    assert standings(made)["1-lab"] == VersionState.OVERTAKEN
    with pytest.raises(Refused, match="version 1 is no longer open") as caught:
        to_sign(Actor.OFFICE, made, "1-lab")
    assert "version 2" in caught.value.next_step
    with pytest.raises(BadInput, match="no version of these terms"):
        to_sign(Actor.OFFICE, made, "3-lab")
    with pytest.raises(Refused, match="proposed no terms yet"):
        to_sign(Actor.OFFICE, [])


def test_a_signature_that_crossed_with_a_newer_proposal_holds() -> None:
    made = [version(1, Actor.LAB, Actor.OFFICE), version(2, Actor.LAB)]
    assert standings(made) == {"1-lab": VersionState.AGREED, "2-lab": VersionState.PROPOSED}


def test_numbers_go_up_to_their_bound() -> None:
    assert next_number([]) == 1
    assert next_number([version(3, Actor.OFFICE), version(1, Actor.LAB)]) == 4
    with pytest.raises(Refused, match="versions already"):
        next_number([version(VERSION_LIMIT, Actor.LAB)])
