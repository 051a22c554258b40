"""Messages by file: whatever happens to its lines, nothing is taken twice, nothing is lost."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vedette.exchange.envelope import open_envelope, read_message, seal
from vedette.kernel.canonical import digest
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import carrying, outbox
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import Act, InMessage, LedgerEntry, OutMessage, Peer
from vedette.store.tenancy import SYSTEM, scoped


def offer(lab: FakePeer) -> str:
    act = new_id("act")
    body = {"act": act, "kind": "determination-request", "model": "orion-1"}
    return json.dumps(seal(lab.message("engagement.offered", body, thread=act), lab.keys))


def write(file: Path, lines: list[str]) -> Path:
    file.write_text("".join(line + "\n" for line in lines), "utf-8")
    return file


def imported(file: Path) -> tuple[carrying.Report, list[carrying.Line]]:
    report = carrying.Report(file)
    return report, list(report.run(carrying.import_file(file)))


def queue(lab: Fixture, count: int = 1) -> list[str]:
    with scoped(SYSTEM):
        peer = Peer.objects.get()
        return [
            outbox.queue(
                peer,
                "engagement.withdrawn",
                {"act": new_id("act")},
                thread="",
                marking="TLP:AMBER",
                now=lab.clock.now(),
            )
            for _ in range(count)
        ]


def states() -> dict[str, str]:
    with scoped(SYSTEM):
        return dict(OutMessage.objects.values_list("id", "state"))


DAMAGE = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["keep", "lose", "double", "cut", "garble", "blank", "join"]),
        st.integers(1, 400),
    ),
    min_size=1,
    max_size=12,
)


def damaged(lines: list[str], plan: list[tuple[int, str, int]]) -> list[str]:
    """Lines in the plan's order, each as the plan has it."""
    found: list[str] = []
    for which, how, at in plan:
        line = lines[which]
        kinds = {
            "keep": [line],
            "lose": [],
            "double": [line, line],
            "cut": [line[:at]],
            "garble": [line[:at] + "*" + line[at + 1 :]],
            "blank": ["", "   "],
            "join": [line + line],
        }
        found += kinds[how]
    return found


@pytest.mark.any_database
@pytest.mark.django_db
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=DAMAGE)
def test_any_damage_costs_the_damaged_lines_alone(
    office: Fixture, tmp_path: Path, plan: list[tuple[int, str, int]]
) -> None:
    lab = getattr(office, "lab", None) or office.peer("Lab", Profile.LAB)
    office.lab = lab  # type: ignore[attr-defined]
    lines = [offer(lab) for _ in range(6)]
    ids = [read_message(open_envelope(line.encode()).payload).thread for line in lines]
    file = write(tmp_path / "lines.jsonl", damaged(lines, plan))
    whole = {ids[which] for which, how, _ in plan if how in ("keep", "double")}
    checked = list(carrying.import_file(file, check=True))
    with scoped(SYSTEM):
        assert not Act.objects.filter(id__in=ids).exists(), "checking writes nothing"
    report, found = imported(file)
    assert [each.number for each in checked] == [each.number for each in found]
    with scoped(SYSTEM):
        taken = set(Act.objects.filter(id__in=ids).values_list("id", flat=True))
    assert whole <= taken
    assert report.counts["accepted"] == len(taken)
    refused = [each for each in found if each.receipt.status == "refused"]
    assert report.refused_file.exists() == bool(refused)
    if refused:
        written = [json.loads(line) for line in report.refused_file.read_text().splitlines()]
        assert [each["line"] for each in written] == [each.number for each in refused]
        assert all(each["reason"] for each in written)
    again, _ = imported(file)
    assert again.counts["accepted"] == 0, "repeated, it changes nothing"
    report, _ = imported(write(tmp_path / "whole.jsonl", lines))
    assert report.counts["accepted"] + report.counts["already"] == 6, "nothing is lost for ever"


def test_an_export_is_no_delivery_until_its_receipts_are_back(lab: Fixture, tmp_path: Path) -> None:
    office = lab.peer("Office", Profile.OFFICE)
    arrived, refused, lost = queue(lab, 3)
    file = tmp_path / "to-office.jsonl"
    assert carrying.export_file(file, "Office") == 3
    assert set(states().values()) == {"carried"}
    assert carrying.export_file(tmp_path / "next.jsonl") == 0
    told = [
        {"message": arrived, "digest": sent_digest(arrived), "status": "accepted"},
        {"message": refused, "digest": sent_digest(refused), "status": "refused", "detail": "no"},
        {"message": lost, "digest": digest(b"another"), "status": "accepted"},
    ]
    message = office.message("exchange.receipt", {"receipts": told}, thread="")
    report, _ = imported(
        write(tmp_path / "receipts.jsonl", [json.dumps(seal(message, office.keys))])
    )
    assert report.counts["accepted"] == 1
    assert states() == {arrived: "delivered", refused: "refused", lost: "carried"}
    assert carrying.export_file(tmp_path / "again.jsonl", again=True) == 1


def sent_digest(message_id: str) -> str:
    with scoped(SYSTEM):
        return str(OutMessage.objects.get(pk=message_id).digest)


def test_a_stranger_settles_nothing(lab: Fixture) -> None:
    lab.peer("Office", Profile.OFFICE)
    (message_id,) = queue(lab)
    other = lab.peer("House", Profile.CLEARINGHOUSE)
    told = [{"message": message_id, "digest": sent_digest(message_id), "status": "accepted"}]
    assert other.send("exchange.receipt", {"receipts": told}, thread="").status == "accepted"
    assert states() == {message_id: "queued"}


def test_receipts_tell_the_sender_of_every_line(office: Fixture, tmp_path: Path) -> None:
    lab = office.peer("Lab", Profile.LAB)
    first = lab.message("engagement.withdrawn", {"act": new_id("act")}, thread="")
    high = lab.message("tale.told", {}, thread="", marking="SECRET//TLP:RED")
    lines = [json.dumps(seal(each, lab.keys)) for each in (first, first, high)]
    report, found = imported(write(tmp_path / "in.jsonl", lines))
    assert [each.receipt.status for each in found] == ["accepted", "already", "refused"]
    assert report.states == {"waiting": 1, "pointer": 1}
    (line,) = report.receipts_file.read_bytes().splitlines()
    opened = open_envelope(line)
    assert opened.verify(office.here.keys.public)
    told = read_message(opened.payload).body["receipts"]
    assert [(each["message"], each["status"]) for each in told] == [
        (first.id, "accepted"),
        (first.id, "already"),
        (high.id, "refused"),
    ]


def test_an_interrupted_export_leaves_nothing_half(
    lab: Fixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.peer("Office", Profile.OFFICE)
    queue(lab, 2)
    file = tmp_path / "out.jsonl"

    def broken(carry: str) -> Any:
        yield "half"
        raise OSError("the stick was pulled")

    with monkeypatch.context() as patch:
        patch.setattr(carrying, "_carried", broken)
        with pytest.raises(OSError, match="pulled"):
            carrying.export_file(file)
    assert not file.exists()
    assert set(states().values()) == {"queued"}
    assert carrying.export_file(file) == 2


def test_an_interrupted_import_is_repeated(
    office: Fixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "AT_ONCE", 2)
    lab = office.peer("Lab", Profile.LAB)
    file = write(tmp_path / "in.jsonl", [offer(lab) for _ in range(5)])
    lines = carrying.Report(file).run(carrying.import_file(file))
    assert next(lines).receipt.status == "accepted"
    lines.close()
    report, _ = imported(file)
    assert report.counts == {"accepted": 3, "already": 2, "refused": 0}
    with scoped(SYSTEM):
        entries = LedgerEntry.objects.filter(event="message:message:accepted")
        assert entries.values("message_id").distinct().count() == entries.count() == 5


@pytest.mark.any_database
def test_a_line_of_500_megabytes_is_refused_without_being_read_into_memory(
    office: Fixture, tmp_path: Path
) -> None:
    lab = office.peer("Lab", Profile.LAB)
    file = tmp_path / "dossier.jsonl"
    with file.open("wb") as out:
        out.write(b'{"payload":"')
        out.truncate(500 * 1024 * 1024)
        out.seek(0, 2)
        out.write(b'"}\n' + offer(lab).encode() + b"\n")
    tracemalloc.start()
    _, found = imported(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80 * 1024 * 1024
    assert [(each.number, each.receipt.status) for each in found] == [
        (1, "refused"),
        (2, "accepted"),
    ]
    assert "next: vedette exchange attach FILE" in found[0].receipt.detail
    with scoped(SYSTEM):
        assert InMessage.objects.count() == 1


def test_a_replayed_message_for_another_is_refused(office: Fixture, tmp_path: Path) -> None:
    lab = office.peer("Lab", Profile.LAB)
    message = lab.message("engagement.withdrawn", {"act": new_id("act")}, thread="")
    elsewhere = replace(message, receiver="0" * 64)
    report, found = imported(write(tmp_path / "in.jsonl", [json.dumps(seal(elsewhere, lab.keys))]))
    assert found[0].receipt.reason == "not-addressed-here"
    assert not report.receipts_file.exists()
