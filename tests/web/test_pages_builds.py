"""Which model was that: the page, its acts and its API calls, on both sides."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from tests.services.flow import CLOSES, MODEL, OPENS, LabStory, OfficeStory, move, run_due
from tests.web.visitors import visitor

from vedette.kernel.clock import format_time
from vedette.kernel.ids import new_id
from vedette.services import access, builds, fingerprints
from vedette.services.testing import Fixture
from vedette.web.pages.builds import runs


@pytest.fixture
def window(lab: Fixture) -> tuple[LabStory, str]:
    story = LabStory.start(lab)
    access.add_endpoint(story.lead, MODEL, "http://127.0.0.1:9/v1", "sk", "r7", "on")
    act_id = story.opened()
    story.session(act_id)
    access.add_endpoint(story.lead, MODEL, "http://127.0.0.1:9/v1", "sk", "r8", "off")
    body = {
        "round": new_id("round"),
        "act": act_id,
        "occasion": "day 1",
        "state": "taken",
        "verdict": "changed",
        "era": 1,
        "p": "0.000500",
        "statistic": "0.031000",
        "bar": "0.012000",
        "taken": format_time(OPENS),
    }
    story.office.send("build.fingerprinted", body, thread=act_id)
    return story, act_id


def test_the_page_shows_builds_rounds_record_and_silence(
    lab: Fixture, window: tuple[LabStory, str]
) -> None:
    _, act_id = window
    page = visitor(lab, "release-lead").get(f"/acts/{act_id}/model/")
    text = page.content.decode()
    for words in (
        "The build changed in this window",
        "The fingerprint changed",
        "r8",
        "safeguards",
    ):
        assert words in text
    assert "behind an endpoint" in text
    assert "not stated" in text
    assert "v-intervals__dot" in text
    assert visitor(lab, "reader").get(f"/acts/{act_id}/model/").status_code == 200


def test_the_lab_says_what_is_released_and_nobody_else(
    lab: Fixture, window: tuple[LabStory, str]
) -> None:
    _, act_id = window
    url = f"/acts/{act_id}/released/"
    lead = visitor(lab, "release-lead")
    assert lead.post(url, {"said": "differs"}).status_code == 422
    answer = lead.post(url, {"said": "differs", "differences": "smaller context"})
    assert answer.status_code == 302
    assert "smaller context" in lead.get(f"/acts/{act_id}/model/").content.decode()
    assert visitor(lab, "compliance").get(url).status_code == 403
    assert lead.get("/acts/act-2222222222222222/model/").status_code == 404
    assert lead.put(url).status_code == 405
    assert Client().get(url).status_code == 302


def test_a_window_before_its_first_session_says_what_comes(lab: Fixture) -> None:
    act_id = LabStory.start(lab).signed()
    text = visitor(lab, "release-lead").get(f"/acts/{act_id}/model/").content.decode()
    assert "The lab tells the build when the first session opens." in text
    assert "The first round is taken when the first session opens." in text


def test_the_office_asks_the_probes_itself(office: Fixture) -> None:
    story = OfficeStory.start(office)
    story.opened()
    with_session = visitor(office, "evaluator")
    from tests.services.test_builds import rounds

    run_due()
    act_id = rounds()[0].act_id
    answer = with_session.post(f"/acts/{act_id}/probe/")
    assert answer.status_code == 302
    run_due()
    found = fingerprints.rounds_view(office.person("evaluator"), act_id)
    assert [row["occasion"] for row in found] == ["start", "asked 1"]
    assert with_session.get(f"/acts/{act_id}/probe/").status_code == 405
    assert visitor(office, "reviewing-officer").post(f"/acts/{act_id}/probe/").status_code == 403
    assert visitor(office, "evaluator").get(f"/acts/{act_id}/released/").status_code in (403, 404)
    move(office, CLOSES)


def test_rounds_missed_for_one_reason_are_one_line() -> None:
    shut, gone = "no session was open", "the endpoint did not answer"
    taken = [("start", "taken", "")]
    missed = [(f"day {n}", "missed", shut) for n in (1, 2, 3)]
    rows = [*taken, *missed, ("day 4", "missed", gone), ("end", "taken", "")]
    told = runs([{"occasion": o, "state": s, "reason": r} for o, s, r in rows])
    assert [row["occasion"] for row in told] == ["start", "day 1 to day 3", "day 4", "end"]


def test_the_api_has_all_of_it(lab: Fixture, window: tuple[LabStory, str]) -> None:
    story, act_id = window
    client = visitor(lab, "release-lead")
    found: Any = client.get(f"/api/v1/acts/{act_id}/builds").json()
    assert [row["name"] for row in found["builds"]] == ["r7", "r8"]
    assert found["released"]["said"] == "not-stated"
    assert client.get(f"/api/v1/acts/{act_id}/fingerprints").json()[0]["verdict"] == "changed"
    assert client.get(f"/api/v1/acts/{act_id}/record").json()["own"] == "lab"
    builds.state_release(story.lead, act_id, "same")
    assert client.get(f"/api/v1/acts/{act_id}/builds").json()["released"]["said"] == "same"
    assert client.get("/api/v1/acts/act-2222222222222222/record").status_code == 404
