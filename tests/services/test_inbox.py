"""Messages at the door: taken once, refused with a reason, kept either way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from vedette.exchange.envelope import seal
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import inbox, vault
from vedette.services.testing import Fixture
from vedette.store.models import InMessage, LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped


def body() -> dict[str, object]:
    return {"act": new_id("act"), "reason": "because"}


def states() -> list[str]:
    with scoped(SYSTEM):
        return list(InMessage.objects.order_by("pk").values_list("state", flat=True))


def test_unknown_signer_is_refused_and_kept(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    stranger = replace(office, keys=type(office.keys).generate())
    receipt = stranger.send("engagement.withdrawn", body(), thread="act-2222222222222222")
    assert (receipt.status, receipt.reason) == ("refused", "unknown-signer")
    assert states() == ["refused"]


def test_a_file_carried_to_its_own_sender_says_so(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    sent = office.message("attachment.offered", {"attachments": []}, thread="")
    own = replace(sent, sender=sent.receiver, receiver=sent.sender)
    receipt = inbox.receive(json.dumps(seal(own, lab.here.keys)).encode())
    assert receipt.reason == "unknown-signer"
    assert "this instance's own" in receipt.detail


def test_a_message_is_taken_once_and_forging_its_id_is_refused(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    message = office.message("engagement.withdrawn", body(), thread="act-2222222222222222")
    assert office.hand_in(message).status == "accepted"
    assert office.hand_in(message).status == "already"
    forged = replace(message, body={**message.body, "reason": "another"})
    assert office.hand_in(forged).reason == "forged-id"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "Release stopped"}, "malformed"),
        ({"type": "engagement.offered"}, "wrong-party"),
        ({"marking": "nonsense"}, "malformed"),
        ({"receiver": "0" * 64}, "not-addressed-here"),
        ({"body": {"act": "act-2222222222222222", "partner_release": "2027-01-01"}}, "bad-field"),
        ({"id": "../../etc"}, "malformed"),
    ],
)
def test_refusals_name_their_rule(lab: Fixture, change: dict[str, object], reason: str) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    message = office.message("engagement.withdrawn", body(), thread="act-2222222222222222")
    receipt = office.hand_in(replace(message, **change))
    assert (receipt.status, receipt.reason) == ("refused", reason)
    with scoped(SYSTEM):
        kept = InMessage.objects.get()
        assert kept.state == "refused"
        assert kept.reason
        assert bool(kept.envelope) == ("marking" not in change), "a marking is never guessed"
        assert LedgerEntry.objects.filter(event="message:message:refused").count() == 1


def test_a_changed_byte_breaks_the_signature(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    message = office.message("engagement.withdrawn", body(), thread="act-2222222222222222")
    envelope = seal(message, office.keys)
    signature = envelope["signatures"][0]["sig"]
    envelope["signatures"][0]["sig"] = ("0" if signature[0] != "0" else "1") + signature[1:]
    assert inbox.receive(json.dumps(envelope).encode()).reason == "bad-signature"


def test_a_newer_version_is_understood_as_far_as_known(lab: Fixture) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    message = office.message("engagement.withdrawn", body(), thread="act-2222222222222222")
    newer = replace(message, version=2, body={**message.body, "mood": "fine"})
    assert office.hand_in(newer).status == "accepted"
    with scoped(SYSTEM):
        assert "mood" in InMessage.objects.get().envelope or InMessage.objects.get().envelope


def steps(work: Callable[[], object]) -> int:
    """How much SQLite does for `work`, in hundreds of its machine's instructions."""
    counted: list[None] = []
    connection.connection.set_progress_handler(lambda: counted.append(None), 100)
    try:
        work()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return len(counted)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's own instructions")
def test_the_work_for_a_message_does_not_grow_with_what_came_before(office: Fixture) -> None:
    lab = office.peer("Lab", Profile.LAB)

    def offer() -> None:
        act = new_id("act")
        told = {"act": act, "kind": "determination-request", "model": "orion-1"}
        assert lab.send("engagement.offered", told, thread=act).state == "handled"

    for _ in range(10):
        offer()
    early = steps(lambda: [offer() for _ in range(5)])
    for _ in range(100):
        offer()
    assert steps(lambda: [offer() for _ in range(5)]) < early * 1.5


def test_names_of_new_keys_are_on_the_disk_once_and_before_the_commit(
    office: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, synced = office.peer("Lab", Profile.LAB), []
    before = len(connection.savepoint_ids)

    def sync(folder: Path) -> None:
        assert len(connection.savepoint_ids) > before, "the transaction has not ended"
        synced.append((folder, len(list(folder.iterdir()))))

    monkeypatch.setattr(vault, "sync_folder", sync)
    acts = [new_id("act") for _ in range(3)]
    offers = [
        lab.message(
            "engagement.offered",
            {"act": act, "kind": "determination-request", "model": "orion-1"},
            thread=act,
        )
        for act in acts
    ]
    inbox.receive_all(json.dumps(seal(offer, lab.keys)).encode() for offer in offers)
    assert synced == [(vault.key_file(acts[0]).parent, 3)]
