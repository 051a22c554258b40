"""Messages may come late, twice and in any order: the office ends where the ordered stream ends."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.services.flow import CLOSES, MODEL, OPENS, OfficeStory, signature

from vedette.exchange.envelope import Message
from vedette.kernel.clock import format_time
from vedette.kernel.ids import new_id
from vedette.services.testing import Fixture
from vedette.store.models import Act, InMessage
from vedette.store.tenancy import SYSTEM, scoped


def stream(story: OfficeStory) -> tuple[str, str, list[Message]]:
    """What a lab sends of two acts: a window with its terms, withdrawn; and a determination."""
    window, asked = new_id("act"), new_id("act")
    offer = {
        "act": window,
        "kind": "access-window",
        "model": MODEL,
        "basis": "eo14409-3b2",
        "purpose": "confirmation",
        "opens": format_time(OPENS),
        "closes": format_time(CLOSES),
    }
    terms = signature(story.document(window), story.lab.keys)
    bodies = [
        ("engagement.offered", offer, window),
        ("terms.signed", terms, window),
        ("engagement.withdrawn", {"act": window, "reason": "another time"}, window),
        (
            "engagement.offered",
            {"act": asked, "kind": "determination-request", "model": MODEL},
            asked,
        ),
    ]
    return window, asked, [story.lab.message(t, body, thread=at) for t, body, at in bodies]


@pytest.mark.django_db
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_order_with_doubles_ends_the_same(office: Fixture, data: st.DataObject) -> None:
    known = getattr(office, "story", None)
    story = known or OfficeStory.start(office)
    office.story = story  # type: ignore[attr-defined]
    window, asked, messages = stream(story)
    order = data.draw(st.permutations([*messages, *data.draw(st.lists(st.sampled_from(messages)))]))
    for message in order:
        assert story.lab.hand_in(message).status in ("accepted", "already")
    with scoped(SYSTEM):
        states = {act.id: act.state for act in Act.objects.filter(id__in=[window, asked])}
        taken = InMessage.objects.filter(message_id__in=[m.id for m in messages])
        assert states == {window: "withdrawn", asked: "offered"}
        assert taken.count() == len(messages), "each is taken once, however often it comes"
        assert not taken.filter(state="waiting").exists(), "nothing waits that could be done"
