"""Decisions on the three acts stand apart, and any may follow any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.errors import BadInput
from vedette.kernel.packs import default_pack
from vedette.readiness.decision import Choice, Decision, acts_of, check_decision, standing

PACK = default_pack()
NOW = datetime(2026, 12, 1, tzinfo=UTC)
DECISION = Decision("access-window", Choice.OFFER, NOW, "Release lead")
decisions = st.builds(
    lambda act, choice, day: Decision(act, choice, NOW + timedelta(days=day), "Release lead"),
    st.sampled_from(acts_of(PACK)),
    st.sampled_from(list(Choice)),
    st.integers(0, 50),
)


@given(st.lists(decisions))
def test_the_latest_on_each_act_stands_whatever_the_others_say(made: list[Decision]) -> None:
    now = standing(PACK, made)
    assert list(now) == list(acts_of(PACK))
    for act, decision in now.items():
        own = [each for each in made if each.act == act]
        assert now[act] == standing(PACK, own)[act]
        if decision is None:
            assert own == []
        else:
            assert decision.decided_at == max(each.decided_at for each in own)


def test_no_reason_is_owed() -> None:
    check_decision(PACK, replace(DECISION, choice=Choice.DECLINE, reason=""))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("act", "release"), ("decided_by", " "), ("reason", "x" * 20_001)),
        *(("conditions", ("x",) * 101), ("conditions", ("x" * 1001,))),
    ],
)
def test_a_malformed_decision_names_its_field(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=rf"decision\.{field}"):
        check_decision(PACK, replace(DECISION, **{field: value}))
