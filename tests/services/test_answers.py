"""What a clearinghouse hears of its advisories, and what silence means."""

from __future__ import annotations

import pytest
from tests.services.advisories import CORRECTION, PUBLIC, publish_correction
from tests.services.operators import OLD, answers_of, build, events, hosted, house, take

from vedette.kernel.errors import Refused
from vedette.kernel.permissions import Profile
from vedette.services import answers, notices
from vedette.services.testing import Fixture

__all__ = ["house"]


def test_silence_is_told_apart_from_not_affected(house: Fixture) -> None:
    publish_correction(house)
    build(house)
    people = {name: hosted(house, name) for name in ("A", "B", "C")}
    home = house.peer("D", Profile.OPERATOR)
    for actor in people.values():
        take(actor, OLD)
    (first,), (second,) = notices.notices(people["A"]), notices.notices(people["B"])
    notices.answer_notice(people["A"], first["id"], "not-affected")
    notices.answer_notice(people["B"], second["id"], "patched")
    assert answers_of(house) == {
        "A": "not-affected",
        "B": "patched",
        "C": "silent",
        "D": "silent",
    }
    body = {
        "notice": "notice-2222222222222222",
        "advisory": PUBLIC,
        "state": "verified",
        "answered": "2026-12-01T09:00:00Z",
    }
    assert home.send("notice.answered", body, thread=body["notice"]).status == "accepted"
    view = answers.answers_for(house.person("coordinator"), CORRECTION)
    assert view["counts"] == {"not-affected": 1, "patched": 1, "silent": 1, "verified": 1}
    assert view["over_time"][-1] == {"at": "2026-12-01T09:00:00Z", "deployed": 2, "concerned": 3}


def test_an_answer_can_be_taken_back(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house)
    build(house)
    take(actor, OLD)
    (notice,) = notices.notices(actor)
    notices.answer_notice(actor, notice["id"], "not-affected")
    notices.answer_notice(actor, notice["id"], "not-affected")
    notices.answer_notice(actor, notice["id"], "unanswered")
    assert answers_of(house) == {"Utility": "silent"}
    assert events(notice["id"]).count("operator:notice:answered") == 2
    with pytest.raises(Refused, match="no answer to it now"):
        notices.answer_notice(actor, notice["id"], "verified")
