"""Plan, dossier and decisions: the lab's own people write them, nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.services.flow import CLOSES, MODEL, OPENS, RELEASE, LabStory, act_of, move

from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.kernel.permissions import ROLES, Permission
from vedette.services import readiness
from vedette.services.acting import instance_actor
from vedette.services.testing import START, Fixture


def test_a_plan_and_the_log_of_its_changes(lab: Fixture) -> None:
    lead = lab.person("release-lead")
    made = readiness.make_plan(lead, MODEL, RELEASE, reason="first")
    again = readiness.make_plan(lead, MODEL, RELEASE + timedelta(days=7), reason="more tests")
    assert again.id == made.id
    view = readiness.plan(lead, made.id)
    assert [change["reason"] for change in view["changes"]] == ["first", "more tests"]
    assert view["changes"][1]["before"]["partner_release"] == "2027-01-10T09:00:00Z"
    assert view["changes"][1]["by"] == "a release-lead"
    assert view["window"]["closes"] == view["partner_release"]
    readiness.make_plan(lead, MODEL, RELEASE + timedelta(days=7), reason="the same")
    assert len(readiness.plan(lead, made.id)["changes"]) == 2


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"administrator", "release-lead"}))
def test_other_roles_do_not_plan(lab: Fixture, role: str) -> None:
    with pytest.raises(Forbidden):
        readiness.make_plan(lab.person(role), MODEL, RELEASE)


def test_not_even_the_instance_itself_plans(lab: Fixture) -> None:
    assert instance_actor().may(Permission.PLAN_EDIT)
    with pytest.raises(Forbidden):
        readiness.make_plan(instance_actor(), MODEL, RELEASE)


def test_a_guest_of_the_instance_finds_no_plan(lab: Fixture) -> None:
    made = readiness.make_plan(lab.person("release-lead"), MODEL, RELEASE)
    guest = lab.person("administrator", lab.organisation("Guest", "partner").id)
    for call in (
        lambda: readiness.plan(guest, made.id),
        lambda: readiness.plans(guest),
        lambda: readiness.make_plan(guest, MODEL, RELEASE),
        lambda: readiness.decide(guest, made.id, "access-window", "offer"),
        lambda: readiness.dossier(guest, MODEL),
    ):
        with pytest.raises(NotFound):
            call()


def test_an_office_has_no_plan(office: Fixture) -> None:
    with pytest.raises(NotFound):
        readiness.make_plan(office.person("administrator"), MODEL, RELEASE)


def test_each_act_is_decided_apart_and_the_latest_counts(lab: Fixture) -> None:
    lead = lab.person("release-lead")
    made = readiness.make_plan(lead, MODEL, RELEASE)
    readiness.decide(lead, made.id, "access-window", "not-now")
    readiness.decide(lead, made.id, "access-window", "offer", "ready", ("a new build",))
    rows = {row["act"]: row for row in readiness.plan(lead, made.id)["decisions"]}
    assert list(rows) == ["determination-request", "access-window", "partner-selection"]
    assert rows["access-window"]["standing"]["choice"] == "offer"
    assert [row["choice"] for row in rows["access-window"]["earlier"]] == ["not-now"]
    assert rows["partner-selection"]["standing"] is None
    with pytest.raises(BadInput):
        readiness.decide(lead, made.id, "access-window", "perhaps")


def test_the_dossier_keeps_what_is_filled(lab: Fixture) -> None:
    lead = lab.person("release-lead")
    readiness.fill_dossier(lead, MODEL, {"model-name": "Orion"})
    readiness.fill_dossier(lead, MODEL, {"model-version": "1"})
    view = readiness.dossier(lead, MODEL)
    assert view["filled"] == 2
    with pytest.raises(BadInput, match="no such field"):
        readiness.fill_dossier(lead, MODEL, {"favourite-colour": "blue"})
    assert readiness.dossier(lead, MODEL)["filled"] == 2


def test_an_earlier_release_cuts_the_window_and_a_later_one_lengthens_nothing(
    lab: Fixture,
) -> None:
    story = LabStory.start(lab)
    story.planned()
    act_id = story.opened()
    readiness.make_plan(story.lead, MODEL, RELEASE + timedelta(days=30))
    assert act_of(act_id).closes == CLOSES
    readiness.make_plan(story.lead, MODEL, OPENS + timedelta(days=5), reason="earlier")
    move(lab, OPENS + timedelta(days=4))
    assert act_of(act_id).window_state == "open"
    move(lab, OPENS + timedelta(days=5))
    row = act_of(act_id)
    assert (row.state, row.window_state) == ("withdrawn", "ended")
    assert row.window_ended == OPENS + timedelta(days=5)
    assert story.office.received("engagement.withdrawn")[0].body["act"] == act_id


def test_a_release_moved_back_again_cuts_nothing(lab: Fixture) -> None:
    story = LabStory.start(lab)
    story.planned()
    act_id = story.opened()
    readiness.make_plan(story.lead, MODEL, OPENS + timedelta(days=5))
    readiness.make_plan(story.lead, MODEL, RELEASE)
    move(lab, OPENS + timedelta(days=5))
    assert act_of(act_id).window_state == "open"


def test_dates_are_checked(lab: Fixture) -> None:
    with pytest.raises(BadInput, match="public release"):
        readiness.make_plan(lab.person("release-lead"), MODEL, RELEASE, START)
