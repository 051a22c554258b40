"""Silence, lateness and disagreement leave the lab as free as before, and are nobody's fault.

On the lab's instance: an office that never answers, answers late, never signs, or agrees on no
partner. On the office's instance: a lab that falls silent at any point.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from tests.services.flow import (
    CLOSES,
    MODEL,
    OPENS,
    PEOPLE,
    QUOTA,
    LabStory,
    OfficeStory,
    act_of,
    events,
    move,
    run_due,
    session_of,
)

from vedette.kernel.permissions import Profile
from vedette.services import access, engagement, readiness, terms
from vedette.services.testing import START, Fixture
from vedette.store.models import Act, Plan, Session
from vedette.store.tenancy import SYSTEM, scoped

AFTER = CLOSES + timedelta(days=60)
HARSH = ("fault", "fail", "late", "overdue", "breach", "missed", "block", "refused", "silent")


def dates() -> list[tuple[datetime, datetime | None]]:
    with scoped(SYSTEM):
        return list(Plan.objects.values_list("partner_release", "public_release"))


def free(story: LabStory, act_id: str) -> None:
    """The lab moves its dates, takes the act back where it stands, and offers all three anew."""
    now = story.lab.clock.time
    with transaction.atomic():
        for when in (now + timedelta(days=1), now + timedelta(days=200)):
            readiness.make_plan(story.lead, MODEL, when, when)
            assert dates()[0] == (when, when)
        if act_of(act_id).state in ("offered", "accepted"):
            assert engagement.withdraw_act(story.lead, act_id).state == "withdrawn"
        assert story.offered(opens=now + timedelta(days=175), closes=now + timedelta(days=200))
        assert engagement.offer_act(story.lead, "Office", "determination-request", MODEL)
        transaction.set_rollback(True)


def partner(story: LabStory) -> str:
    named = {"name": "Harbour Water", "sector": "water", "criteria": ["can-act-early"]}
    row = engagement.offer_act(story.lead, "Office", "partner-selection", MODEL, partner=named)
    return str(row.id)


def silent(story: LabStory) -> str:
    return story.offered()


def late(story: LabStory) -> str:
    act_id = story.offered()
    move(story.lab, START + timedelta(days=20))
    story.answer(act_id)
    return act_id


def never_signed(story: LabStory) -> str:
    act_id = story.accepted()
    terms.sign_terms(story.lead, act_id, PEOPLE, ("confirmation",), QUOTA)
    return act_id


def never_opened(story: LabStory) -> str:
    return story.accepted()


def never_used(story: LabStory) -> str:
    return story.signed()


def partner_not_agreed(story: LabStory) -> str:
    act_id = partner(story)
    story.answer(act_id, "declined")
    return act_id


def partner_taken_back(story: LabStory) -> str:
    act_id = partner(story)
    story.answer(act_id)
    story.office.send("engagement.withdrawn", {"act": act_id}, thread=act_id)
    return act_id


@pytest.mark.parametrize(
    ("tell", "state"),
    [
        (silent, "lapsed"),
        (late, "lapsed"),
        (never_signed, "accepted"),
        (never_opened, "accepted"),
        (never_used, "accepted"),
        (partner_not_agreed, "declined"),
        (partner_taken_back, "withdrawn"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_office_leaves_the_lab_free(
    lab: Fixture, tell: Callable[[LabStory], str], state: str
) -> None:
    story = LabStory.start(lab)
    lab.peer("House", Profile.CLEARINGHOUSE)
    story.planned()
    planned = dates()
    act_id = tell(story)
    for hour in (lab.clock.time, OPENS, CLOSES, AFTER):
        move(lab, hour)
        assert dates() == planned
        free(story, act_id)
    row = act_of(act_id)
    assert row.state == state
    assert row.window_state in ("", "closed")
    with scoped(SYSTEM):
        assert not Session.objects.filter(state="open").exists()
    own = [event for event in events() if event.startswith(("engagement", "readiness"))]
    assert own
    assert not [event for event in own if any(word in event for word in HARSH)]


def offered(story: OfficeStory) -> str:
    return story.offer()


def accepted(story: OfficeStory) -> str:
    act_id = story.offer()
    engagement.answer_act(story.officer, act_id, "accepted")
    return act_id


def signed(story: OfficeStory) -> str:
    return story.signed()


def asked(story: OfficeStory) -> str:
    return str(session_of(story.requested()).act_id)


def opened(story: OfficeStory) -> str:
    return str(session_of(story.opened()).act_id)


@pytest.mark.parametrize(
    ("tell", "state", "window"),
    [
        (offered, "lapsed", ""),
        (accepted, "accepted", ""),
        (signed, "accepted", "closed"),
        (asked, "accepted", "closed"),
        (opened, "accepted", "closed"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_lab_that_falls_silent_leaves_nothing_open(
    office: Fixture, tell: Callable[[OfficeStory], str], state: str, window: str
) -> None:
    story = OfficeStory.start(office)
    act_id = tell(story)
    move(office, AFTER)
    row = act_of(act_id)
    assert (row.state, row.window_state) == (state, window)
    with scoped(SYSTEM):
        assert not Session.objects.filter(state__in=("open", "requested")).exists()
        assert Act.objects.count() == 1
    # what the office has it keeps, and a new offer finds an open door
    move(office, START)
    assert act_of(story.offer()).state == "offered"


def test_a_withdrawn_offer_that_arrives_after_acceptance_ends_the_window(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    story.lab.send("engagement.withdrawn", {"act": act_id}, thread=act_id)
    row = act_of(act_id)
    assert (row.state, row.window_state) == ("withdrawn", "ended")
    move(office, OPENS)
    assert act_of(act_id).window_state == "ended"
    with pytest.raises(Exception, match="the act is withdrawn"):
        access.request_session(story.evaluator, act_id, "confirmation")


HOURS: list[tuple[str, dict[str, Any], str]] = [
    ("closed already", {"opens": START - timedelta(days=9), "closes": START}, "has passed"),
    ("backwards", {"opens": CLOSES, "closes": OPENS}, "is not after opens"),
    ("over the ceiling", {"opens": OPENS - timedelta(hours=1)}, "allows 30"),
    (
        "over the release",
        {"opens": CLOSES, "closes": CLOSES + timedelta(hours=1)},
        "partner release",
    ),
    ("under an hour", {"closes": OPENS + timedelta(minutes=59)}, "by at least 1 h"),
]


@pytest.mark.parametrize(("name", "hours", "said"), HOURS, ids=[row[0] for row in HOURS])
def test_hours_that_make_no_window_are_said_plainly(
    lab: Fixture, name: str, hours: dict[str, datetime], said: str
) -> None:
    story = LabStory.start(lab)
    story.planned()
    with pytest.raises(Exception, match=said):
        story.offered(**hours)
    with scoped(SYSTEM):
        assert not Act.objects.exists()
    run_due()


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        # the night in which Europe's clocks go forward, and the one in which they go back
        ("2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"),
        ("2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"),
        ("2028-02-29T00:00:00+00:00", "2028-03-30T00:00:00+00:00"),
    ],
)
def test_summer_time_and_leap_days_are_hours_like_others(
    office: Fixture, opens: str, closes: str
) -> None:
    """Two wall clocks that read an hour, or none, apart may be an hour apart: that is a window."""
    story = OfficeStory.start(office)
    act_id = story.offer(opens=opens, closes=closes)
    row = act_of(act_id)
    assert row.opens is not None
    assert row.closes is not None
    assert row.closes - row.opens in (timedelta(hours=1), timedelta(days=30))
    assert row.opens == datetime.fromisoformat(opens)
