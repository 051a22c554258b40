"""The acts and the window as tables: who moves what, and what nobody can do."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.engagement import (
    access,
    acts,
    invariants,
    negotiation,
    partners,
    publication,
    table,
    terms,
    window,
)
from vedette.engagement.acts import ACTS, ActKind, ActState, has_lapsed
from vedette.engagement.custody import CUSTODY
from vedette.engagement.negotiation import VERSIONS, VersionState
from vedette.engagement.publication import PUBLICATION, PublicationState
from vedette.engagement.table import Actor, Row, Table
from vedette.engagement.window import WINDOW, WindowState
from vedette.kernel.errors import Refused
from vedette.kernel.packs import default_pack

MODULES = [access, acts, invariants, negotiation, partners, publication, table, terms, window]
TABLES = [ACTS, CUSTODY, PUBLICATION, VERSIONS, WINDOW]
# what comes after a destruction is held anew: custody alone begins again
ENDING = [machine for machine in TABLES if machine is not CUSTODY]
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def test_the_acts_are_those_of_the_pack() -> None:
    assert [str(kind) for kind in ActKind] == [
        row["id"] for row in default_pack().records("engagement", "acts")
    ]


@pytest.mark.parametrize("machine", TABLES, ids=lambda machine: machine.name)
def test_each_move_is_named_once_and_has_its_permission(machine: Table) -> None:
    keys = [(row.source, row.trigger, row.actor) for row in machine.rows]
    assert len(set(keys)) == len(keys)
    assert all((row.permission is None) == (row.actor == Actor.CLOCK) for row in machine.rows)
    assert all(row.label for row in machine.rows)


def test_the_states_are_the_enums() -> None:
    assert set(ACTS.states) == set(ActState)
    assert set(PUBLICATION.states) == set(PublicationState)
    assert set(VERSIONS.states) == set(VersionState)
    assert set(WINDOW.states) == set(WindowState)


def test_every_act_can_be_withdrawn_while_it_stands_and_offered_again_after() -> None:
    for state in ActState:
        moves = {row.trigger for row in ACTS.moves(state, Actor.LAB)}
        if state in (ActState.DRAFTED, ActState.OFFERED, ActState.ACCEPTED):
            assert "withdraw" in moves
        if state in (ActState.DECLINED, ActState.WITHDRAWN, ActState.LAPSED):
            assert "offer" in moves
    assert {row.trigger for row in ACTS.moves(ActState.OFFERED, Actor.OFFICE)} == {
        "accept",
        "decline",
    }


def test_no_state_of_an_act_is_a_dead_end_for_the_lab() -> None:
    assert all(ACTS.moves(state, Actor.LAB) for state in ActState)


def test_the_lab_alone_offers_and_the_clock_never_speaks_for_it() -> None:
    offers = [row for row in ACTS.rows if row.target == ActState.OFFERED]
    assert {row.actor for row in offers} == {Actor.LAB}
    clocked = [row for row in ACTS.rows if row.actor == Actor.CLOCK]
    assert {row.target for row in clocked} == {ActState.LAPSED}


def test_the_lab_ends_a_window_from_every_state_that_is_not_over() -> None:
    for state in (WindowState.AGREED, WindowState.OPEN):
        assert WINDOW.step(state, "end", Actor.LAB).target == WindowState.ENDED
    for state in (WindowState.CLOSED, WindowState.ENDED):
        assert not any(row.source == state for row in WINDOW.rows)


@given(st.sampled_from(ENDING), st.lists(st.sampled_from([Actor.OFFICE, Actor.CLOCK])), st.data())
def test_office_and_clock_only_bring_an_engagement_nearer_its_end(
    machine: Table, actors: list[Actor], data: st.DataObject
) -> None:
    """From any state, without the lab, every path is finite and opens nothing twice."""
    state = data.draw(st.sampled_from(machine.states))
    seen = [state]
    for actor in actors:
        moves = machine.moves(state, actor)
        if moves:
            state = data.draw(st.sampled_from(moves)).target
            assert state not in seen
            seen.append(state)


@given(st.sampled_from(TABLES), st.data())
def test_a_move_that_is_not_in_the_table_is_refused_with_those_that_are(
    machine: Table, data: st.DataObject
) -> None:
    state = data.draw(st.sampled_from(machine.states))
    actor = data.draw(st.sampled_from(list(Actor)))
    trigger = data.draw(st.sampled_from([row.trigger for row in machine.rows]) | st.text())
    moves = {row.trigger for row in machine.moves(state, actor)}
    if trigger in moves:
        row = machine.step(state, trigger, actor)
        assert (row.source, row.actor) == (state, actor)
    else:
        with pytest.raises(Refused, match="is no move of the") as caught:
            machine.step(state, trigger, actor)
        assert all(move in caught.value.next_step for move in moves)


@given(st.sampled_from(list(ActState)), st.none() | st.integers(-5, 5))
def test_only_an_unanswered_offer_lapses(state: ActState, days: int | None) -> None:
    answer_by = None if days is None else NOW + timedelta(days=days)
    expected = state == ActState.OFFERED and days is not None and days <= 0
    assert has_lapsed(state, answer_by, NOW) == expected


def classes(module: ModuleType) -> list[type]:
    return [
        value
        for value in vars(module).values()
        if dataclasses.is_dataclass(value) and isinstance(value, type)
    ]


def test_no_record_of_an_engagement_holds_a_release_date() -> None:
    """What is not there cannot be moved."""
    names = {
        f"{record.__name__}.{field.name}"
        for module in MODULES
        for record in classes(module)
        for field in dataclasses.fields(record)
    }
    assert "Terms.closes" in names
    assert not [name for name in names if "release" in name or "partner_date" in name]


def test_rows_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ACTS.rows[0].target = "x"  # type: ignore[misc]
    assert all(isinstance(row, Row) for row in ACTS.rows)
