"""No sequence of moves lets a delegate read or answer beyond a mandate in force."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.services.mandated import (
    ALL,
    ANSWER,
    BASIS,
    DAY,
    READ,
    SITES,
    STATE,
    World,
    seen,
    seen_by_the_database,
)
from tests.services.test_vex import openvex

from vedette.kernel.errors import NotFound, Refused
from vedette.services import delegated_vex, delegates, mandates
from vedette.services.acting import Actor
from vedette.services.testing import START, Fixture


@pytest.fixture
def world(clearinghouse: Fixture) -> World:
    return World(clearinghouse)


STEP = st.one_of(
    st.tuples(
        st.just("make"),
        st.integers(0, 1),
        st.integers(0, 1),
        st.sets(st.sampled_from(ALL), min_size=1),
        st.sets(st.sampled_from(SITES), max_size=1),
        st.integers(1, 5),
        st.booleans(),
        st.booleans(),
    ),
    st.tuples(st.sampled_from(["accept", "end"]), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 3)),
    st.tuples(st.just("tick"), st.integers(0, 5)),
)


@settings(max_examples=16, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, min_size=3, max_size=12))
def test_no_sequence_reaches_beyond_a_mandate_in_force(world: World, steps: Any) -> None:
    """After every step each delegate reads, and at last answers, what a model of the rules says."""
    world.at(START)
    with transaction.atomic():
        made: list[dict[str, Any]] = []
        for step in steps:
            _take(world, made, step)
            _compare(world, made)
        _compare(world, made, answering=True)
        transaction.set_rollback(True)


def _take(world: World, made: list[dict[str, Any]], step: tuple[Any, ...]) -> None:
    match step:
        case ("make", op, dele, acts, sites, days, offers, at_once):
            maker, other = world.operators[op], world.delegates[dele]
            if not offers:
                maker, other = other, maker
            ends = world.now + days * DAY
            row = mandates.make_mandate(maker, other.org, acts, BASIS, ends, sites=sites)
            model = {"op": op, "dele": dele, "acts": acts, "sites": sites, "ends": ends}
            made.append({**model, "id": row.id, "offers": offers, "state": "open"})
            if at_once:
                _take(world, made, ("accept", len(made) - 1, not offers))
        case ("accept" | "end", number, by_operator) if made:
            one = made[number % len(made)]
            by = world.operators[one["op"]] if by_operator else world.delegates[one["dele"]]
            if step[0] == "end":
                call, fits = mandates.end_mandate, one["state"] != "over"
            else:
                call, fits = (
                    mandates.accept_mandate,
                    (one["state"] == "open" and one["offers"] != by_operator),
                )
            if fits and world.now < one["ends"]:
                call(by, one["id"])
                one["state"] = "over" if step[0] == "end" else "in force"
            else:
                with pytest.raises(Refused):
                    call(by, one["id"])
        case ("wait", days):
            world.at(world.now + days * DAY)
        case ("tick", number) if made:
            mandates.expire_mandate(made[number % len(made)]["id"])


def _compare(world: World, made: list[dict[str, Any]], *, answering: bool = False) -> None:
    for number, delegate in enumerate(world.delegates):
        live = [
            one
            for one in made
            if one["dele"] == number and one["state"] == "in force" and world.now < one["ends"]
        ]
        readable, answerable = set(), set()
        for index, row in enumerate(world.notices):
            op, site = divmod(index, 2)
            acts = set().union(
                *(
                    one["acts"]
                    for one in live
                    if one["op"] == op and (not one["sites"] or SITES[site] in one["sites"])
                )
            )
            readable |= {row.id} if acts & {READ, ANSWER, STATE} else set()
            answerable |= {row.id} if ANSWER in acts else set()
        assert seen(delegate) == readable
        if connection.vendor == "postgresql":
            assert seen_by_the_database(delegate) == readable
        for row in world.notices if answering else ():
            assert _answers(delegate, row.id) == (row.id in answerable)
        for op, operator in enumerate(world.operators) if answering else ():
            stating = [one for one in live if one["op"] == op and STATE in one["acts"]]
            for site in ("", *SITES):
                covered = any(not one["sites"] or site in one["sites"] for one in stating)
                assert _states(delegate, operator.org, site) == covered


def _answers(delegate: Actor, notice_id: str) -> bool:
    """Whether the delegate can answer; what it answered is taken back."""
    with transaction.atomic():
        try:
            made = delegates.answer_several(delegate, [notice_id], "not-affected")
        except NotFound:
            return False
        transaction.set_rollback(True)
    return bool(made.notices)


def _states(delegate: Actor, operator: str, site: str) -> bool:
    """Whether the delegate can hand in VEX for a site, "" for every one; it is taken back."""
    with transaction.atomic():
        try:
            delegated_vex.take_vex(delegate, operator, "vex", openvex(), site)
        except (NotFound, Refused):
            return False
        assert [row["site"] for row in delegated_vex.vex_documents(delegate)] == [site]
        transaction.set_rollback(True)
    return True
