"""Custody rules: nothing goes under a hold, nothing says destroyed before the key is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.engagement.custody import (
    CUSTODY,
    CustodyState,
    Hold,
    Material,
    certificate,
    certified,
    check_hold,
    due_at,
    due_move,
    in_force,
    listed,
    sign_certificate,
)
from vedette.engagement.table import Actor
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.packs import default_pack

PACK = default_pack()
START = datetime(2026, 12, 1, tzinfo=UTC)
KEYS, OTHER = PrivateKeys.generate(), PrivateKeys.generate()
hours = st.integers(0, 2_000).map(lambda n: START + timedelta(hours=n))
holds = st.lists(
    st.builds(Hold, st.just("hold-x"), hours, st.none() | hours, st.none() | hours), max_size=4
)


@given(holds=holds, now=hours, due=hours, state=st.sampled_from(list(CustodyState)))
def test_the_clock_destroys_nothing_under_a_hold(
    holds: list[Hold], now: datetime, due: datetime, state: CustodyState
) -> None:
    move = due_move(state, due, holds, now)
    if move is not None:
        assert now >= due
        if move.trigger == "destroy":
            assert state == CustodyState.DUE
            assert not any(in_force(hold, now) for hold in holds)


@given(holds=holds, now=hours)
def test_a_hold_without_end_suspends_for_good(holds: list[Hold], now: datetime) -> None:
    standing = [*holds, Hold("hold-y", START)]
    move = due_move(CustodyState.DUE, START, standing, now)
    assert move is None


def test_nothing_is_destroyed_but_through_its_beginning() -> None:
    into = [row for row in CUSTODY.rows if row.target == CustodyState.DESTROYED]
    assert [(row.source, row.actor) for row in into] == [(CustodyState.DESTROYING, Actor.CLOCK)]
    assert not [row for row in CUSTODY.rows if row.actor == Actor.LAB]


def test_without_an_end_nothing_falls_due() -> None:
    assert due_move(CustodyState.HELD, None, (), START) is None
    assert due_at(PACK, START) == START + timedelta(days=30)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "whim"}, "kind"),
        ({"basis": " "}, "basis"),
        ({"basis": "x" * 301}, "basis"),
        ({"authority": ""}, "authority"),
        ({"until_at": START}, "until"),
        ({"until_at": START - timedelta(days=1)}, "until"),
    ],
)
def test_a_hold_has_kind_basis_and_authority(changes: dict[str, Any], field: str) -> None:
    good: dict[str, Any] = {
        "kind": "legal",
        "basis": "Case 12-345",
        "authority": "General counsel",
        "from_at": START,
        "until_at": None,
    }
    check_hold(PACK, **good)
    with pytest.raises(BadInput, match=f"^{field}:"):
        check_hold(PACK, **{**good, **changes})


def document(**changes: Any) -> dict[str, Any]:
    material = listed([Material("message received", "msg-1", "sha256:" + "0" * 64)])
    given: dict[str, Any] = {
        "act": "act-2222222222222222",
        "lab": OTHER.public.keyid,
        "office": KEYS.public.keyid,
        "keys": ["key-b", "key-a"],
        "material": material,
        "ordered_by": "the clock",
        "method": "m",
        "now": START,
    }
    return certificate(PACK, **{**given, **changes})


def test_a_certificate_holds_for_what_was_signed_alone() -> None:
    made = document()
    signature = sign_certificate(made, KEYS)
    assert certified(made, signature, KEYS.public)
    assert made["counts"] == {"message received": 1}
    assert made["keys"] == ["key-a", "key-b"]
    assert not certified(made, signature, OTHER.public)
    assert not certified({**made, "destroyed_at": "2027-01-01T00:00:00Z"}, signature, KEYS.public)
    assert not certified(made, "zz", KEYS.public)
    assert not certified({}, signature, KEYS.public)
    shorter = {**made, "material": []}
    assert not certified(shorter, sign_certificate(shorter, KEYS), KEYS.public)
    foreign = document(office=OTHER.public.keyid)
    assert not certified(foreign, sign_certificate(foreign, KEYS), KEYS.public)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=6))
def test_a_list_does_not_depend_on_order(pairs: list[tuple[str, str]]) -> None:
    rows = [Material(kind, name, "sha256:" + "1" * 64) for kind, name in pairs]
    assert listed(rows) == listed(reversed(rows))
    assert sum(listed(rows)["counts"].values()) == len(rows)
