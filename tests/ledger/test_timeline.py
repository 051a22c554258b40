"""Several ledgers woven into one story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vedette.formats.timeline_page import render
from vedette.kernel.events import Event
from vedette.ledger.entry import GENESIS, Entry
from vedette.ledger.timeline import Story, title, weave

START = datetime(2026, 12, 1, tzinfo=UTC)


def entry(seq: int, minute: int, event: Event, message: str | None = None) -> Entry:
    return Entry(
        seq=seq,
        prev=GENESIS,
        event=str(event),
        time=START + timedelta(minutes=minute),
        simulated=True,
        org="org",
        role="role",
        object_id="act-1",
        marking="TLP:AMBER",
        message_id=message,
        payload_digest=GENESIS,
        pack_digest=GENESIS,
    )


def test_a_message_is_one_arrow_from_sending_to_acceptance() -> None:
    story = weave(
        {
            "a-office": [entry(1, 5, Event.MESSAGE_MESSAGE_ACCEPTED, "m1")],
            "lab": [
                entry(1, 5, Event.ENGAGEMENT_ACT_OFFERED),
                entry(2, 5, Event.MESSAGE_MESSAGE_SENT, "m1"),
                entry(3, 6, Event.MESSAGE_MESSAGE_SENT, "lost"),
            ],
        },
        {"act-1": "the offer"},
    )
    (crossing,) = story.crossings
    assert crossing.sent < crossing.accepted, "at the same second a message is sent first"
    assert story.moments[crossing.sent].ledger == "lab"
    assert story.to_json()["messages"][0]["to"] == "a-office"
    page = render(story, "T <b>", ["lab", "a-office"])
    assert "T &lt;b&gt;" in page
    assert page.count("marker-end") == 1
    assert "http://" not in page


def test_what_a_message_brought_about_says_whose_it_was() -> None:
    story = weave(
        {
            "lab": [
                entry(1, 5, Event.MESSAGE_MESSAGE_SENT, "m1"),
                entry(2, 5, Event.ENGAGEMENT_TERMS_SIGNED, "m1"),
            ],
            "office": [
                entry(1, 6, Event.MESSAGE_MESSAGE_ACCEPTED, "m1"),
                entry(2, 6, Event.ENGAGEMENT_TERMS_SIGNED, "m1"),
                entry(3, 7, Event.ENGAGEMENT_WINDOW_OPENED),
            ],
        },
        {},
    )
    said = [m.title for m in story.moments if m.entry.event.startswith("engagement:")]
    assert said == ["Terms signed", "Terms signed by lab", "Window opened"]


@given(
    st.lists(st.lists(st.integers(0, 30), max_size=12).map(sorted), min_size=1, max_size=4),
)
def test_every_ledger_keeps_its_order_and_time_never_falls(minutes: list[list[int]]) -> None:
    ledgers = {
        f"l{i}": [entry(n + 1, m, Event.MESSAGE_MESSAGE_DELIVERED) for n, m in enumerate(row)]
        for i, row in enumerate(minutes)
    }
    story: Story = weave(ledgers, {})
    assert len(story.moments) == sum(map(len, minutes))
    times = [m.entry.time for m in story.moments]
    assert times == sorted(times)
    for name in ledgers:
        seqs = [m.entry.seq for m in story.moments if m.ledger == name]
        assert seqs == sorted(seqs)


def test_titles_are_words() -> None:
    assert title(Event.ENGAGEMENT_WINDOW_OPENED) == "Window opened"
    for event in Event:
        assert title(event)[0].isupper()
