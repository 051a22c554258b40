"""An act's history names the answer and the side; the ledger under it holds neither."""

from __future__ import annotations

import pytest
from tests.services.flow import CLOSES, LabStory, OfficeStory, move
from tests.web.visitors import read, visitor

from vedette.kernel.errors import NotFound
from vedette.services import engagement
from vedette.services.engagement_views import history
from vedette.services.testing import Fixture
from vedette.store.models import LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped


def test_on_the_offices_side(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    story.lab.send("engagement.withdrawn", {"act": act_id}, thread=act_id)
    told = history(story.officer, act_id)
    assert [one.what for one in told] == [
        "Act offered by the lab",
        "Act accepted by the office",
        "Terms signed by the lab",
        "Terms signed by the office",
        "Window agreed",
        "Window ended by the lab",
        "Act withdrawn by the lab",
    ]
    assert [bool(one.role) for one in told] == [False, True, False, True, True, False, False]
    with pytest.raises(NotFound):
        history(office.person("reviewing-officer", office.organisation("B", "office").id), act_id)


def test_on_the_labs_side_where_its_hour_ends_it(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.opened()
    move(lab, CLOSES)
    assert [one.what for one in history(story.lead, act_id)] == [
        "Act offered by the lab",
        "Act accepted by the office",
        "Terms signed by the lab",
        "Terms signed by the office",
        "Window agreed",
        "Terms accepted by the office",
        "Window opened",
        "Window closed",
    ]


@pytest.mark.parametrize("withdrawn", [False, True])
def test_each_answer_is_named_whatever_came_after(office: Fixture, withdrawn: bool) -> None:
    story = OfficeStory.start(office)
    declined, accepted = story.offer(), story.offer()
    engagement.answer_act(story.officer, declined, "declined")
    engagement.answer_act(story.officer, accepted, "accepted")
    if withdrawn:
        for act_id in (declined, accepted):
            story.lab.send("engagement.withdrawn", {"act": act_id}, thread=act_id)
    assert history(story.officer, declined)[1].what == "Act declined by the office"
    assert history(story.officer, accepted)[1].what == "Act accepted by the office"
    ledger = read(visitor(office, "reviewing-officer"), "/ledger/")
    assert "Act declined by the office" in ledger
    assert "Act accepted by the office" in ledger
    unread = read(visitor(office, "auditor"), "/ledger/")
    assert "Act answered" in unread, "who reads no acts is told no answer"
    assert "Act declined" not in unread
    with scoped(SYSTEM):
        assert not LedgerEntry.objects.filter(event__contains="declined").exists()
