"""The proxy and the terms: who has not accepted the version in force calls nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.services.flow import MODEL, OPENS, PEOPLE, LabStory, events, move, session_of, signature
from tests.web.test_proxy import KEY, Caller, running

from vedette.engagement.terms import Terms as Document
from vedette.kernel.bounds import from_text
from vedette.kernel.permissions import Profile
from vedette.services import access, terms
from vedette.services.testing import Fixture, instance
from vedette.store.models import Terms
from vedette.store.tenancy import SYSTEM, scoped
from vedette.web.proxy import upstream


@pytest.fixture
def caller(db: None, tmp_path: Path) -> Iterator[Caller]:
    """A session under terms that its person has not accepted yet."""
    upstream.pool.cache_clear()
    with instance(Profile.LAB, tmp_path) as lab, running() as model:
        yield opened(lab, model)


def opened(lab: Fixture, model: Any) -> Caller:
    story = LabStory.start(lab)
    base = f"http://127.0.0.1:{model.server_address[1]}/v1"
    access.add_endpoint(story.lead, MODEL, base, KEY)
    act_id = story.signed()
    move(story.lab, OPENS)
    session_id = story.session(act_id)
    (message,) = story.office.received("access.opened")
    secret = story.office.keys.open(from_text(message.body["credential"], field="x")).decode()
    return Caller(story, model, act_id, session_id, secret)


def replace_terms(caller: Caller, **changes: Any) -> None:
    """Another version, proposed by the lab and signed by both."""
    story = caller.story
    made = terms.propose_terms(story.lead, caller.act, **changes)
    body = signature(Document.from_json(made.document), story.office.keys)
    story.office.send("terms.signed", body, thread=caller.act)


def code_of(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def test_a_call_passes_once_the_person_accepted(caller: Caller) -> None:
    answer = caller.post()
    assert (answer.status_code, code_of(answer)) == (403, "terms-not-accepted")
    assert "version 1 of the terms is in force" in answer.json()["error"]["message"]
    assert answer.headers["X-Vedette-Refused"] == "terms-not-accepted"
    caller.post()
    assert caller.model.seen == [], "nothing of it reached the model"
    caller.story.accept(caller.act)
    assert caller.post().status_code == 200
    assert [call.status for call in caller.calls()] == [403, 403, 200], "refused ones count"
    assert session_of(caller.session).refusals == {"terms-not-accepted": 2}
    assert events().count("access:call:refused") == 1, "the first of each reason"
    assert session_of(caller.session).state == "open", "and nothing ends for it"


def test_a_new_version_is_accepted_anew_before_the_next_call(caller: Caller) -> None:
    caller.story.accept(caller.act)
    assert caller.post().status_code == 200
    replace_terms(caller, publication="none")
    refused = caller.post()
    assert code_of(refused) == "terms-not-accepted"
    assert "version 2 " in refused.json()["error"]["message"]
    again_the_first = {
        "act": caller.act,
        "digest": version(caller, 1).digest,
        "person": PEOPLE[0]["id"],
        "accepted": "2026-12-12T09:00:00Z",
    }
    caller.story.office.send("terms.accepted", again_the_first, thread=caller.act)
    assert code_of(caller.post()) == "terms-not-accepted"
    caller.story.accept(caller.act)
    assert caller.post().status_code == 200


def test_another_persons_acceptance_opens_nothing(caller: Caller) -> None:
    bo = {"id": "bo@office.example", "name": "Bo"}
    replace_terms(caller, people=[*PEOPLE, bo])
    caller.story.accept(caller.act, bo["id"])
    assert code_of(caller.post()) == "terms-not-accepted"


def test_an_acceptance_before_its_version_is_signed_counts_from_then_on(caller: Caller) -> None:
    made = terms.propose_terms(caller.story.lead, caller.act, publication="none")
    caller.story.accept(caller.act)
    body = {"act": caller.act, "person": PEOPLE[0]["id"], "accepted": "2026-12-12T09:00:00Z"}
    caller.story.office.send("terms.accepted", {**body, "digest": made.digest}, thread=caller.act)
    assert caller.post().status_code == 200, "version 1 is in force and accepted"
    signed = signature(Document.from_json(made.document), caller.story.office.keys)
    caller.story.office.send("terms.signed", signed, thread=caller.act)
    assert caller.post().status_code == 200, "the acceptance may overtake the signature"


def version(caller: Caller, number: int) -> Terms:
    with scoped(SYSTEM):
        return Terms.objects.get(act_id=caller.act, number=number)
