"""After a loss: both sides find what is missing, by sums, and have it again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.exchange.envelope import seal
from vedette.exchange.have import bucket_of, buckets_for, differing, size_of, sums
from vedette.kernel.errors import BadInput, Forbidden
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import outbox, syncing
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import LedgerEntry, OutMessage, Peer
from vedette.store.tenancy import SYSTEM, scoped

IDS = st.sets(st.text("23456789abc", min_size=4, max_size=6), max_size=60)


@given(IDS, IDS, st.sampled_from([16, 64, 1024]))
def test_sums_differ_in_the_buckets_of_what_differs(a: set[str], b: set[str], size: int) -> None:
    ours, theirs = (sums(((each, "d") for each in sorted(side)), size) for side in (a, b))
    assert size_of(ours) == size
    assert differing(ours, theirs) == {bucket_of(each, size) for each in a ^ b}


@given(st.integers(0, 2_000_000))
def test_the_number_of_buckets_is_one_that_is_taken(count: int) -> None:
    buckets = buckets_for(count)
    assert size_of({"buckets": "0" * 16 * buckets}) == buckets
    assert buckets == 16 or count / buckets <= 32 or buckets == 65_536


def test_the_same_id_with_other_content_differs() -> None:
    assert differing(sums([("a", "x")], 16), sums([("a", "y")], 16))


@pytest.mark.parametrize("buckets", [1, 15, 17, 131_072])
def test_other_numbers_of_buckets_are_refused(buckets: int) -> None:
    with pytest.raises(BadInput, match="buckets"):
        size_of({"buckets": "0" * 16 * buckets})


def send(lab: Fixture, count: int) -> dict[str, str]:
    """Messages that the office took; their ids with their digests."""
    with scoped(SYSTEM):
        peer = Peer.objects.get()
        for _ in range(count):
            body = {"act": new_id("act")}
            outbox.queue(
                *(peer, "engagement.withdrawn", body),
                thread="",
                marking="TLP:AMBER",
                now=lab.clock.now(),
            )
        OutMessage.objects.update(state="delivered")
        return dict(OutMessage.objects.values_list("id", "digest"))


def have(office: FakePeer, taken: dict[str, str], sent: dict[str, str], *, answer: bool) -> None:
    """The office's word on what it has."""
    body = {
        "sent": sums(sent.items(), 16),
        "taken": sums(taken.items(), 64),
        "answer": answer,
    }
    assert office.send("exchange.have", body, thread="").state == "handled"


def account(lab: Fixture) -> dict[str, Any]:
    return syncing.account(lab.person("release-lead"), "Office")


def test_what_the_other_side_lost_goes_out_again(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    sent = send(lab, 20)
    have(office, sent, {}, answer=False)
    assert account(lab)["compared"]["agree"]
    lost = sorted(sent)[7]
    have(office, {k: v for k, v in sent.items() if k != lost}, {}, answer=False)
    with scoped(SYSTEM):
        queued = set(OutMessage.objects.filter(state="queued").values_list("id", flat=True))
    assert lost in queued
    assert len(queued) < 5, "no more than its bucket"
    assert not account(lab)["compared"]["agree"]


def test_what_its_sender_lost_is_given_back_as_it_was_signed(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    message = office.message("engagement.withdrawn", {"act": new_id("act")}, thread="")
    office.hand_in(message)
    have(office, {}, {}, answer=True)
    (returned,) = office.received("exchange.returned")
    assert returned.body["envelopes"] == [seal(message, office.keys)]
    (told,) = office.received("exchange.have")
    assert told.body["taken"]["count"] == 1
    assert not told.body["answer"]


def test_our_own_lost_messages_are_taken_back_once(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    sent = send(lab, 3)
    with scoped(SYSTEM):
        envelopes = [json.loads(row.envelope) for row in OutMessage.objects.all()]
        OutMessage.objects.all().delete()
    for _ in range(2):
        office.send("exchange.returned", {"envelopes": envelopes}, thread="")
    with scoped(SYSTEM):
        assert dict(OutMessage.objects.values_list("id", "digest")) == sent
        assert set(OutMessage.objects.values_list("state", flat=True)) == {"delivered"}
        entries = LedgerEntry.objects.filter(event="message:message:returned")
        assert set(entries.values_list("message_id", flat=True)) == set(sent)
        assert entries.count() == 3
    have(office, sent, {}, answer=False)
    assert account(lab)["compared"]["agree"]


def test_what_we_never_signed_is_not_taken_back(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    forged = seal(
        office.message("engagement.withdrawn", {"act": new_id("act")}, thread=""), office.keys
    )
    assert office.send("exchange.returned", {"envelopes": [forged]}, thread="").state == "set-aside"
    with scoped(SYSTEM):
        assert not OutMessage.objects.exists()


def test_comparing_is_asked_for_by_who_may_send(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    with pytest.raises(Forbidden):
        syncing.compare(lab.person("reader"))
    assert syncing.compare(lab.person("release-lead"), "Office") == ["Office"]
    (told,) = office.received("exchange.have")
    assert told.body["answer"]
