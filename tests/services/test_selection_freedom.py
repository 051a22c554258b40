"""Nothing an office says of a partner changes what the lab may do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.flow import MODEL, RELEASE, LabStory
from tests.services.test_selection import THREE, ids, offered, says

from vedette.engagement.stances import STANCES, Stance
from vedette.engagement.table import Actor as Side
from vedette.kernel.permissions import Profile
from vedette.services import engagement, readiness, selection
from vedette.services.partners import partners, staged
from vedette.services.testing import instance
from vedette.store.models import Plan
from vedette.store.tenancy import SYSTEM, scoped

WORDS = st.lists(
    st.tuples(
        st.sampled_from(["accepted", "declined", "withdraw", "say"]),
        st.integers(0, 2),
        st.sampled_from(["agreed", "declined", "taken-back"]),
        st.integers(1, 5),
    ),
    max_size=8,
)


def lab_can(story: LabStory, act_id: str) -> None:
    """Everything that the lab could do before the office said a word; undone afterwards."""
    with transaction.atomic():
        readiness.make_plan(story.lead, MODEL, RELEASE.replace(month=12))
        for row in partners(story.lead, act_id):
            selection.set_wave(story.lead, row["partner"], 2)
            selection.answer_partner(story.lead, row["partner"], "take back")
        again = offered(story, *THREE)
        assert len(staged(story.lead, again)) == 1
        engagement.withdraw_act(story.lead, again)
        transaction.set_rollback(True)


def test_nothing_an_office_says_of_a_partner_binds_the_lab(db: None, tmp_path: Path) -> None:
    with instance(Profile.LAB, tmp_path) as lab:
        story = LabStory.start(lab)
        story.planned()
        act_id = offered(story, *THREE)
        known = list(ids(story.lead, act_id).values())
        dates = read()

        @settings(max_examples=12)
        @given(WORDS)
        def says_anything(words: list[tuple[str, int, str, int]]) -> None:
            with transaction.atomic():
                for what, which, stance, number in words:
                    if what == "say":
                        says(story.office, act_id, known[which], stance, number)
                    elif what == "withdraw":
                        story.office.send("engagement.withdrawn", {"act": act_id}, thread=act_id)
                    else:
                        story.answer(act_id, what)
                    assert read() == dates
                lab_can(story, act_id)
                transaction.set_rollback(True)

        says_anything()


def read() -> list[tuple[Any, ...]]:
    with scoped(SYSTEM):
        return list(Plan.objects.values_list("partner_release", "public_release", "window_days"))


def test_each_side_moves_its_own_stance_and_no_other() -> None:
    assert set(STANCES.states) == set(Stance)
    assert {row.actor for row in STANCES.rows} == {Side.LAB, Side.OFFICE}
    for stance in Stance:
        lab = {row.trigger for row in STANCES.moves(stance, Side.LAB)}
        office = {row.trigger for row in STANCES.moves(stance, Side.OFFICE)}
        assert lab or stance == Stance.DECLINED, "no stance that the lab has holds it"
        assert office, "the office may always say something else"


@pytest.mark.parametrize("side", [Side.LAB, Side.OFFICE])
def test_every_agreement_can_be_taken_back_and_given_again(side: Side) -> None:
    back = STANCES.step(Stance.AGREED, "take back", side)
    assert STANCES.step(back.target, "agree", side).target == Stance.AGREED
