"""Builds, fingerprints, release statements and access records, on both sides of each message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.services.flow import (
    CLOSES,
    MODEL,
    OPENS,
    LabStory,
    OfficeStory,
    act_of,
    events,
    move,
    session_of,
)

from vedette.kernel.bounds import to_text
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.kernel.ids import new_id
from vedette.runner.subjects.server import served
from vedette.runner.subjects.talker import Talker
from vedette.services import access, access_records, builds, fingerprints, metering, probing
from vedette.services.metering import Metered
from vedette.services.testing import Fixture
from vedette.store.models import Call, ProbeRound
from vedette.store.tenancy import SYSTEM, scoped

HOUR = timedelta(hours=1)


def endpoint(story: LabStory, build: str, **stated: str) -> None:
    access.add_endpoint(story.lead, MODEL, "http://127.0.0.1:9/v1", "sk-x", build, "on", **stated)


def test_a_build_is_told_with_the_session_and_a_change_when_it_happens(lab: Fixture) -> None:
    story = LabStory.start(lab)
    endpoint(story, "r6")
    endpoint(story, "r7", system_prompt="You are helpful.", sampling="temperature 1")
    act_id = story.opened()
    assert story.office.received("build.served") == []
    story.session(act_id)
    story.session(act_id)
    (told,) = story.office.received("build.served")
    assert told.body["name"] == "r7"
    assert told.body["system_prompt"].startswith("sha256:")
    assert "helpful" not in str(told.body)
    endpoint(story, "r7", system_prompt="You are helpful.", sampling="temperature 1")
    assert len(story.office.received("build.served")) == 1
    lab.clock.time += HOUR
    access.add_endpoint(story.lead, MODEL, "http://127.0.0.1:9/v1", "sk-x", "r7", "off")
    assert [m.body["safeguards"] for m in story.office.received("build.served")] == ["on", "off"]
    first, second = builds.builds_view(story.lead, act_id)["builds"]
    assert (first["label"], second["label"]) == ("r7", "r7 (2)")
    assert set(second["changed"]) == {"safeguards", "system_prompt", "sampling"}
    assert events().count("access:build:served") == 2
    with pytest.raises(BadInput, match="checkpoint"):
        endpoint(story, "r8", checkpoint="not a digest")


def told(act_id: str, build: str, at: Any, **changes: str) -> dict[str, Any]:
    body = {"act": act_id, "build": build, "model": MODEL, "name": "r7", "since": format_time(at)}
    return {**body, **changes}


def test_the_office_keeps_builds_in_any_order_and_refuses_a_restated_one(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    one, two = new_id("build"), new_id("build")
    late = told(act_id, two, OPENS + HOUR, name="r8")
    assert story.lab.send("build.served", late, thread=act_id).status == "accepted"
    story.lab.send("build.served", told(act_id, one, OPENS), thread=act_id)
    story.lab.send("build.served", told(act_id, one, OPENS), thread=act_id)
    found = builds.builds_view(story.officer, act_id)["builds"]
    assert [b["name"] for b in found] == ["r7", "r8"]
    story.lab.send("build.served", told(act_id, one, OPENS, name="other"), thread=act_id)
    assert [b["name"] for b in builds.builds_view(story.officer, act_id)["builds"]] == ["r7", "r8"]
    guest = office.person("reader", office.organisation("Guest", "partner").id)
    with pytest.raises(NotFound):
        builds.builds_view(guest, act_id)


@pytest.mark.parametrize(("said", "why"), [("same", ""), ("differs", "safeguards retrained")])
def test_at_release_the_lab_may_say_how_the_released_build_stands(
    lab: Fixture, said: str, why: str
) -> None:
    story = LabStory.start(lab)
    act_id = story.opened()
    assert builds.builds_view(story.lead, act_id)["released"]["said"] == "not-stated"
    before = act_of(act_id)
    builds.state_release(story.lead, act_id, said, build="r7", differences=why)
    (message,) = story.office.received("release.stated")
    assert (message.body["said"], message.body.get("differences", "")) == (said, why)
    after = act_of(act_id)
    assert (after.opens, after.closes, after.state) == (before.opens, before.closes, before.state)
    lab.clock.time += HOUR
    builds.state_release(story.lead, act_id, "not-stated")
    assert builds.builds_view(story.lead, act_id)["released"]["said"] == "not-stated"
    with pytest.raises(BadInput, match="differs"):
        builds.state_release(story.lead, act_id, "differs")
    with pytest.raises(BadInput):
        builds.state_release(story.lead, act_id, "approved")
    with pytest.raises(Forbidden):
        builds.state_release(lab.person("compliance"), act_id, "same")
    guest = lab.person("reader", lab.organisation("Guest", "partner").id)
    with pytest.raises((Forbidden, NotFound)):
        builds.state_release(guest, act_id, "same")


def test_the_office_hears_of_the_released_build_or_of_nothing(office: Fixture) -> None:
    story = OfficeStory.start(office)
    act_id = story.signed()
    assert builds.builds_view(story.officer, act_id)["released"]["said"] == "not-stated"
    body = {
        "statement": new_id("statement"),
        "act": act_id,
        "said": "differs",
        "differences": "smaller",
        "stated": format_time(OPENS),
    }
    story.lab.send("release.stated", body, thread=act_id)
    story.lab.send("release.stated", body, thread=act_id)
    found = builds.builds_view(story.officer, act_id)["released"]
    assert (found["said"], found["differences"]) == ("differs", "smaller")


def session(story: OfficeStory, url: str, key: str, name: str) -> str:
    """An open session whose proxy is a stand-in itself: the office's half of the matter."""
    session_id = story.requested()
    opening = {**story.opening(session_id, key), "url": url, "model": name}
    with scoped(SYSTEM):
        story.lab.send("access.opened", opening, thread="")
    return session_id


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer exchanges: what is tested is who is told what, not the last digit."""
    original = fingerprints.rules.compare

    def compare(*args: Any, **options: Any) -> Any:
        return original(*args, **{**options, "exchanges": 1200})

    monkeypatch.setattr(fingerprints.rules, "compare", compare)


def test_the_probes_find_a_changed_build_and_both_sides_hear(office: Fixture, brief: None) -> None:
    story = OfficeStory.start(office)
    with served("talker", key="vac_secret", talker=Talker().seeded(1)) as server:
        session_id = session(story, server.url, "vac_secret", "talker")
        act_id = str(session_of(session_id).act_id)
        move(office, OPENS + HOUR)
        move(office, OPENS + timedelta(days=1, hours=1))
        server.talker = Talker("b2", 1.0).seeded(2)
        move(office, OPENS + timedelta(days=2, hours=1))
    assert [(r.occasion, r.verdict, r.era) for r in rounds()] == [
        ("start", "first", 0),
        ("day 1", "same", 0),
        ("day 2", "changed", 1),
    ]
    sent = story.lab.received("build.fingerprinted")
    assert [m.body["verdict"] for m in sent] == ["first", "same", "changed"]
    assert "answers" not in str([m.body for m in sent])
    with scoped(SYSTEM):
        calls = list(Call.objects.all())
    assert len(calls) == 3 * 12 * 8
    assert all(call.probe and call.status == 200 and call.output_tokens for call in calls)
    between = Call(request_id="c", build="", at=OPENS + timedelta(days=1, hours=9))
    with scoped(SYSTEM):
        labels = builds.labels(act_of(act_id), [*calls, between])
    assert labels.pop("c") == "no build named, fingerprint 1 or 2"
    assert set(labels.values()) == {
        "no build named, fingerprint 1",
        "no build named, fingerprint 2",
    }


def rounds() -> list[ProbeRound]:
    with scoped(SYSTEM):
        return list(ProbeRound.objects.order_by("at", "pk"))


def test_a_round_that_gets_no_answer_is_missed_and_says_why(office: Fixture) -> None:
    story = OfficeStory.start(office)
    session_id = story.opened()
    move(office, OPENS)
    (made,) = rounds()
    assert made.state == "missed"
    assert "no answer" in made.reason
    fingerprints.take(made.act_id, "start")
    assert len(rounds()) == 1
    (message,) = story.lab.received("build.fingerprinted")
    assert message.body["state"] == "missed"
    story.lab.send("access.ended", {"session": session_id, "reason": "over"}, thread="")
    move(office, OPENS + timedelta(days=1))
    assert rounds()[-1].reason == "no session was open"


def test_the_lab_keeps_what_the_probes_found(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = story.opened()
    body = {
        "round": new_id("round"),
        "act": act_id,
        "occasion": "day 2",
        "state": "taken",
        "verdict": "changed",
        "era": 1,
        "p": "0.000500",
        "statistic": "0.031000",
        "bar": "0.012000",
        "taken": format_time(OPENS),
    }
    for _ in range(2):
        story.office.send("build.fingerprinted", body, thread=act_id)
    (row,) = fingerprints.rounds_view(story.lead, act_id)
    assert (row["verdict"], row["p"]) == ("changed", "0.000500")


def test_both_records_are_made_sent_and_compared(lab: Fixture) -> None:
    story = LabStory.start(lab)
    endpoint(story, "r7")
    act_id = story.opened()
    session_id = story.session(act_id)
    at = OPENS + HOUR
    metering.record_call(session_id, Metered("c-1", at, 200, 5, 5))
    metering.record_call(session_id, Metered("c-2", at, 429))
    metering.record_call(session_id, Metered("c-3", at, 403, refused="purpose: other"))
    move(lab, CLOSES + HOUR)
    (sent,) = story.office.received("access.recorded")
    record = sent.body["record"]
    assert (record["calls"], record["rate_limited"], record["refusals"]) == (3, 1, {"purpose": 1})
    assert record["promised_seconds"] == 30 * 86400
    other = {**record, "rate_limited": 0}
    story.office.send("access.recorded", {"act": act_id, "record": other}, thread=act_id)
    found = access_records.record_view(story.lead, act_id)
    assert found["differences"] == {"rate_limited": [1, 0]}
    bad = {"act": act_id, "record": {"calls": "many"}}
    story.office.send("access.recorded", bad, thread=act_id)
    assert access_records.record_view(story.lead, act_id)["office"] == other
    access_records.settle(act_id)
    assert len(story.office.received("access.recorded")) == 1


def test_the_heartbeat_notes_spans_not_beats(lab: Fixture) -> None:
    story = LabStory.start(lab)
    with served("null") as server:
        access.add_endpoint(story.lead, MODEL, server.url, "", "r7", "on")
        act_id = story.opened()
        story.session(act_id)
        for minutes in range(0, 60, 15):
            move(lab, OPENS + timedelta(minutes=minutes))
    for minutes in range(60, 120, 15):
        move(lab, OPENS + timedelta(minutes=minutes))
    with scoped(SYSTEM):
        spans = [(b.up, b.beats) for b in act_of(act_id).beats.order_by("since")]
    assert spans == [(True, 4), (False, 4)]
    found = access_records.record_view(story.lead, act_id)["lab"]
    assert found["down_seconds"] == 45 * 60


def test_text_of_answers() -> None:
    assert probing.text_of({"choices": [{"message": {"content": "a"}}]}) == "a"
    assert probing.text_of({"content": [{"type": "text", "text": "a"}, {"type": "x"}]}) == "a"
    for bad in (None, [], {}, {"choices": [[]]}, {"choices": [{"message": None}]}):
        assert probing.text_of(bad) is None
    assert to_text(b"") == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": {"message": "no model\n'Orion' here"}}, "no model 'Orion' here"),
        ({"error": "down"}, "down"),
        ({"error": {"message": 5}}, ""),
        ([], ""),
        (None, ""),
        ({"error": {"message": "x" * 500}}, "x" * 120),
    ],
)
def test_a_missed_round_says_what_the_model_s_side_said(answer: object, said: str) -> None:
    assert probing.error_of(answer) == said
