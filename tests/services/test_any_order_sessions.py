"""What crosses about sessions may come in any order and twice: no order leaves a session open, an
act as it was, or a message waiting for ever.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

from tests.services.flow import (
    MODEL,
    OPENS,
    PEOPLE,
    PERSON,
    QUOTA,
    LabStory,
    OfficeStory,
    act_of,
    move,
    session_of,
    signature,
)

from vedette.engagement.terms import Terms as Document
from vedette.kernel.ids import new_id
from vedette.services import access, terms
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import InMessage, LedgerEntry, Terms
from vedette.store.tenancy import SYSTEM, scoped

COUNT: dict[str, Any] = {
    "calls": 0,
    "failed": 0,
    "input_tokens": 0,
    "output_tokens": 0,
    "requests_digest": "sha256:" + "0" * 64,
}


def play(peer: FakePeer, order: tuple[tuple[str, dict[str, Any]], ...], thread: str) -> None:
    """Hand each message in twice."""
    messages = [peer.message(type_, body, thread=thread) for type_, body in order]
    for message in messages:
        assert peer.hand_in(message).status == "accepted"
        assert peer.hand_in(message).status == "already"


def waiting() -> list[tuple[str, str]]:
    """What waits, and for what; terms of an act that was withdrawn before are set aside."""
    with scoped(SYSTEM):
        return list(InMessage.objects.filter(state="waiting").values_list("type", "reason"))


def happened(event: str, about: str) -> int:
    with scoped(SYSTEM):
        return LedgerEntry.objects.filter(event=event, object_id=about).count()


def test_the_office_hears_of_a_session_in_any_order(office: Fixture) -> None:
    story = OfficeStory.start(office)
    for order in permutations(range(4)):
        office.clock.time = OPENS
        act_id = story.signed()
        move(office, OPENS)
        session = access.request_session(story.evaluator, act_id, "confirmation", PERSON).id
        stream = (
            ("access.opened", story.opening(session)),
            ("access.metered", {"session": session, **COUNT}),
            ("access.ended", {"session": session, "reason": "withdrawn"}),
            ("engagement.withdrawn", {"act": act_id, "reason": "another time"}),
        )
        play(story.lab, tuple(stream[i] for i in order), act_id)
        assert act_of(act_id).state == "withdrawn", order
        assert session_of(session).state == "ended", (order, session_of(session).state)
        assert waiting() == [], order


def test_the_lab_hears_of_a_session_in_any_order(lab: Fixture) -> None:
    story = LabStory.start(lab)
    access.add_endpoint(story.lead, MODEL, "http://127.0.0.1:9/v1", "")
    for order in permutations(range(4)):
        lab.clock.time = OPENS
        act_id = story.accepted()
        terms.sign_terms(story.lead, act_id, PEOPLE, ("confirmation",), QUOTA, "summary")
        with scoped(SYSTEM):
            document = Document.from_json(Terms.objects.get(act_id=act_id).document)
        session = new_id("session")
        asked = {"session": session, "act": act_id, "person": PERSON, "purpose": "confirmation"}
        stream = (
            ("terms.signed", signature(document, story.office.keys)),
            ("access.requested", asked),
            ("access.metered", {"session": session, **COUNT}),
            ("engagement.withdrawn", {"act": act_id, "reason": "another time"}),
        )
        play(story.office, tuple(stream[i] for i in order), act_id)
        assert act_of(act_id).state == "withdrawn", order
        assert session_of(session).state in ("ended", "refused"), order
        assert happened("access:session:opened", session) <= 1
        assert waiting() == [], order
