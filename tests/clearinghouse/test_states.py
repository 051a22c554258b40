"""The state machines hold their rules, whatever order of moves anybody tries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.clearinghouse.invariants import CaseView, Notice, Participant, violations
from vedette.clearinghouse.machine import PERMISSION_OF, Machine, Party
from vedette.clearinghouse.states import (
    CASE,
    FINDING,
    MACHINES,
    NOTICE,
    PARTICIPANT,
    CaseState,
    FindingState,
    NoticeState,
    ParticipantState,
    check_deferral,
)
from vedette.kernel.errors import BadInput, Refused

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_every_state_is_reached_and_no_move_is_ambiguous(machine: Machine) -> None:
    reached, frontier = {machine.initial}, [machine.initial]
    while frontier:
        state = frontier.pop()
        for row in machine.rows:
            if row.source == state and row.target not in reached:
                reached.add(row.target)
                frontier.append(row.target)
    assert reached == set(machine.states)
    moves = [(row.source, row.trigger) for row in machine.rows]
    assert len(moves) == len(set(moves))


def test_the_tables_name_every_declared_state() -> None:
    declared = (FindingState, CaseState, ParticipantState, NoticeState)
    for machine, states in zip(MACHINES, declared, strict=True):
        assert set(machine.states) == set(states)


def test_every_party_is_known_and_machines_hold_no_person_for_clock_or_execution() -> None:
    assert set(PERMISSION_OF) == set(Party)
    assert PERMISSION_OF[Party.CLOCK] is PERMISSION_OF[Party.EXECUTION] is None


def test_only_execution_reproduces_and_verifies() -> None:
    executed = (FindingState.REPRODUCED, CaseState.FIX_VERIFIED, NoticeState.VERIFIED)
    for machine in MACHINES:
        for row in machine.rows:
            if row.target in executed:
                assert row.who == {Party.EXECUTION}


@given(st.lists(st.tuples(st.sampled_from(FINDING.rows), st.sampled_from(Party)), max_size=20))
def test_a_finding_joins_a_case_only_after_it_was_reproduced(moves: list[tuple]) -> None:
    state, seen = FINDING.initial, [FINDING.initial]
    for row, party in moves:
        try:
            state = FINDING.step(state, row.trigger, party).target
        except Refused:
            continue
        seen.append(state)
        if state == FindingState.IN_CASE:
            assert seen[-2] == FindingState.REPRODUCED


def test_a_refused_move_names_the_moves_there_are() -> None:
    with pytest.raises(
        Refused, match="moves of the coordinator: notify vendor, record public fix, publish"
    ):
        CASE.step(CaseState.OPEN, "verify fix", Party.COORDINATOR)


def test_silence_is_neither_not_affected_nor_not_looked() -> None:
    row = PARTICIPANT.step(ParticipantState.INVITED, "stay silent", Party.CLOCK)
    assert row.target == ParticipantState.SILENT
    for trigger, target in (
        ("state not affected", ParticipantState.NOT_AFFECTED),
        ("state not looked", ParticipantState.NOT_LOOKED),
    ):
        assert PARTICIPANT.step(ParticipantState.SILENT, trigger, Party.VENDOR).target == target
    with pytest.raises(Refused):
        PARTICIPANT.step(ParticipantState.INVITED, "state not affected", Party.CLOCK)


def test_a_deferral_expires_into_unanswered() -> None:
    row = NOTICE.step(NoticeState.DEFERRED, "expire", Party.CLOCK)
    assert row.target == NoticeState.UNANSWERED


def test_a_deferral_needs_a_control_and_a_later_date() -> None:
    later = NOW + timedelta(days=30)
    check_deferral("network split", later, NOW)
    for control, expires, named in (
        (" ", later, "control"),
        ("split", None, "expires"),
        ("split", NOW, "expires"),
    ):
        with pytest.raises(BadInput, match=f"^{named}:"):
            check_deferral(control, expires, NOW)


def sound(**fields: object) -> CaseView:
    base = {
        "state": CaseState.VENDOR_NOTIFIED,
        "findings": (("f-1", FindingState.IN_CASE),),
        "participants": (Participant("Acme", ParticipantState.SILENT),),
    }
    return CaseView(**{**base, **fields})  # type: ignore[arg-type]


def test_a_sound_case_violates_nothing() -> None:
    assert violations(sound(), NOW) == ()


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (sound(findings=()), "nothing unreproduced may reach a maintainer"),
        (sound(findings=(("f-1", FindingState.RECEIVED),)), "finding f-1 is received"),
        (sound(findings=(("f-1", FindingState.NOT_REPRODUCED),)), "f-1 is not reproduced"),
        (sound(participants=()), "nobody was invited"),
        (sound(state=CaseState.FIX_VERIFIED), "no execution is recorded"),
        (
            sound(state=CaseState.PUBLISHED, embargo_ends=NOW + timedelta(days=1)),
            "embargo still runs and Acme has not agreed",
        ),
        (
            sound(
                state=CaseState.OPEN,
                participants=(),
                notices=(Notice("op", NoticeState.UNANSWERED),),
            ),
            "operators were notified before the vendor",
        ),
        (
            sound(notices=(Notice("op", NoticeState.DEFERRED, expires=NOW + timedelta(1)),)),
            "op deferred without a compensating control",
        ),
        (
            sound(notices=(Notice("op", NoticeState.DEFERRED, control="split"),)),
            "op deferred without an expiry date",
        ),
        (
            sound(notices=(Notice("op", NoticeState.DEFERRED, "split", NOW),)),
            "deferral has expired",
        ),
        (sound(notices=(Notice("op", NoticeState.VERIFIED),)), "patch counts as verified"),
    ],
)
def test_each_violated_rule_is_a_sentence(case: CaseView, sentence: str) -> None:
    assert any(sentence in found for found in violations(case, NOW))
