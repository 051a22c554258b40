"""Trusted partners are agreed by both sides or by none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.engagement.parties import OPENS, PACK

from vedette.engagement.partners import Partner, agree, check_partner, take_back
from vedette.engagement.table import Actor
from vedette.kernel.errors import BadInput

PARTNER = Partner("org-2222222222222222", "Example Grid", "energy", ("operates-or-defends",))


def test_agreement_takes_both_and_counts_from_the_later() -> None:
    check_partner(PACK, PARTNER)
    one = agree(PARTNER, Actor.LAB, OPENS)
    assert one.agreed is None
    both = agree(one, Actor.OFFICE, OPENS + timedelta(days=1))
    assert both.agreed == OPENS + timedelta(days=1)
    assert agree(both, Actor.LAB, OPENS + timedelta(days=9)) == both


@pytest.mark.parametrize("actor", [Actor.LAB, Actor.OFFICE])
def test_either_side_takes_its_agreement_back(actor: Actor) -> None:
    both = agree(agree(PARTNER, Actor.LAB, OPENS), Actor.OFFICE, OPENS)
    assert take_back(both, actor).agreed is None


def test_the_clock_agrees_to_nothing() -> None:
    with pytest.raises(BadInput):
        agree(PARTNER, Actor.CLOCK, OPENS)
    with pytest.raises(BadInput):
        take_back(PARTNER, Actor.CLOCK)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("name", "x" * 301), ("criteria", ()), ("criteria", ("friend",))],
)
def test_a_malformed_partner_names_its_field(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=rf"partner\.{field}"):
        check_partner(PACK, replace(PARTNER, **{field: value}))
