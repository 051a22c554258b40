"""Conflicts of interest are shown with their reasons, and decide nothing."""

from __future__ import annotations

import pytest
from tests.engagement.parties import PACK

from vedette.engagement.conflicts import Known, akin, concerns
from vedette.engagement.partners import Partner

KNOWN = Known(
    lab="Example Labs",
    office="Office of Review",
    labs=frozenset({"Orion Models"}),
    people=frozenset({"eve@office.example"}),
    domains=frozenset({"office.example"}),
)


def partner(name: str = "Harbour Grid", **changes: object) -> Partner:
    return Partner("partner-2", name, "energy", ("can-act-early",), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Example Labs", "EXAMPLE LABS, Inc.", True),
        ("Example Labs", "Example Labs Europe GmbH", True),
        ("Example Labs", "Sample Labs", False),
        ("Example Labs", "Labs of Example", False),
        ("Inc.", "Ltd", False),
        ("", "Example", False),
    ],
)
def test_names_are_compared_without_their_legal_form(one: str, other: str, same: bool) -> None:
    assert akin(one, other) is akin(other, one) is same


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Example Labs Ventures", "same-party"),
        ("Office of Review", "same-party"),
        ("Orion Models Ltd", "competing-model"),
    ],
)
def test_a_conflict_is_advice_with_its_reason(name: str, kind: str) -> None:
    (found,) = concerns(PACK, partner(name), KNOWN)
    assert (found.kind, found.by) == (kind, "rule")
    assert name.split()[0] in found.text


def test_what_either_side_declares_is_shown_with_who_said_it() -> None:
    found = concerns(
        PACK,
        partner(
            lab_ties=(("shares-people", "a founder sits on its board"),),
            office_ties=(("supplies-office", ""),),
        ),
        KNOWN,
    )
    assert [(c.kind, c.by) for c in found] == [
        ("shares-people", "lab"),
        ("supplies-office", "office"),
    ]
    assert found[1].text, "a tie without words has the pack's"


def test_people_in_common_are_noticed() -> None:
    found = concerns(PACK, partner(), KNOWN, frozenset({"Eve@Office.example"}))
    assert [c.kind for c in found] == ["shares-people", "shares-people"]
    assert concerns(PACK, partner(), KNOWN, frozenset({"a@grid.example"})) == ()
    assert concerns(PACK, partner(), KNOWN) == ()
