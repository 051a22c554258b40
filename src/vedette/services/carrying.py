"""Messages carried by hand as a file: JSON Lines, one envelope a line, streamed both ways.

Rules:
- An export marks its messages `carried`, not delivered: that they arrived, only a receipt says.
  Where a peer has an address too, it is still tried.
- An interrupted export leaves no file under its name, or a whole one; either can be repeated.
- An import takes lines in batches, each whole or not at all; repeated, it changes nothing.
- What an import tells of each line goes back signed, as `exchange.receipt` messages in a file:
  the sender imports that file, and knows what arrived.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from django.db import transaction

from vedette.exchange.envelope import BOUNDS, seal
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.services import attachments, outbox, transfers
from vedette.services.acting import act, instance_actor
from vedette.services.handling import Arrival, handles
from vedette.services.here import here
from vedette.services.inbox import TOO_LARGE, Receipt, examine, known_peers, receive_all
from vedette.services.posting import Told
from vedette.store.models import Attachment, OutMessage, Peer
from vedette.store.tenancy import SYSTEM, scoped

LONGEST_LINE = BOUNDS.size + 2
AT_ONCE, BYTES_AT_ONCE = 200, 4 * 1024 * 1024
RECEIPTS_A_MESSAGE = 500


@dataclass(frozen=True)
class Line:
    """What became of one line of a file."""

    number: int
    receipt: Receipt

    def to_json(self) -> dict[str, Any]:
        told = {"line": self.number, **vars(self.receipt)}
        return {name: value for name, value in told.items() if value != ""}


def export_file(file: Path, peer: str = "", *, again: bool = False) -> int:
    """Write what is queued to `file`, one envelope a line; return how many.

    Args:
        peer: only what goes to this peer, by name or the beginning of its key id.
        again: also what an earlier file carried and no receipt has settled.
    """
    states = ("queued", "carried", "given-up") if again else ("queued", "given-up")
    carry = new_id("file")
    with transaction.atomic(), scoped(SYSTEM):
        rows = OutMessage.objects.filter(state__in=states)
        if peer:
            rows = rows.filter(peer=outbox.find_peer(peer))
        rows.update(carry=carry)
        known = Peer.objects.filter(name=outbox.find_peer(peer).name) if peer else Peer.objects
        peers = list(known.values_list("keyid", flat=True))
    with _whole(file) as out:
        count = 0
        for envelope in _carried(carry):
            out.write(envelope + "\n")
            count += 1
    transfers.export_chunks(file, peers)
    with act(instance_actor(), None) as doing:
        rows = OutMessage.objects.filter(carry=carry, state__in=outbox.OPEN)
        rows.update(state="carried", answer=f"in the file {file.name}; no receipt yet"[:500])
        doing.record(Event.MESSAGE_FILE_EXPORTED, carry, {"file": file.name, "count": count})
    return count


def _carried(carry: str) -> Iterator[str]:
    """The envelopes of one export, oldest first, a page at a time."""
    last: tuple[Any, str] | None = None
    while True:
        with transaction.atomic(), scoped(SYSTEM):
            rows = OutMessage.objects.filter(carry=carry).order_by("queued_at", "id")
            if last is not None:
                later = rows.filter(queued_at__gt=last[0])
                rows = later | rows.filter(queued_at=last[0], id__gt=last[1])
            page = list(rows[:AT_ONCE])
            # what was sealed under a key that is gone reads as nothing, and stays here
            envelopes = [row.envelope for row in page if row.envelope]
        if not page:
            return
        yield from envelopes
        last = page[-1].queued_at, page[-1].id


@contextmanager
def _whole(file: Path) -> Iterator[TextIO]:
    """Write a file that stands under its name only when it is whole and on the disk."""
    partial = file.with_name(file.name + ".partial")
    with partial.open("w", encoding="utf-8") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)


def import_file(file: Path, *, check: bool = False) -> Iterator[Line]:
    """Take a file's messages; with `check` nothing is written. Yields each line's fate."""
    for batch in _batches(file):
        taken = iter(_examined(batch) if check else receive_all(d for _, d in batch if d))
        for number, data in batch:
            yield Line(number, next(taken) if data else _too_long())


def _examined(batch: Iterable[tuple[int, bytes]]) -> list[Receipt]:
    with transaction.atomic(), scoped(SYSTEM):
        peers = known_peers()
        return [examine(data, peers) for _, data in batch if data]


def _too_long() -> Receipt:
    return Receipt("refused", "malformed", f"line: {TOO_LARGE}", state="refused")


def _batches(file: Path) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    size = 0
    for number, data in _lines(file):
        batch.append((number, data))
        size += len(data)
        if len(batch) == AT_ONCE or size > BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Numbered lines that hold something; of one too long for any envelope only b""."""
    with file.open("rb") as lines:
        number = 0
        while line := lines.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                while (rest := lines.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                    pass
                yield number, b""
            elif line.strip():
                yield number, line


class Report:
    """An import's account: counts, a file of refusals, and receipts to be carried back.

    `FILE.refused.jsonl` holds one object for each refused line, `FILE.receipts.jsonl` signed
    messages for the senders. Neither holds content. Both stand when the import has ended.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.refused_file = file.with_name(file.name + ".refused.jsonl")
        self.receipts_file = file.with_name(file.name + ".receipts.jsonl")
        self.counts = {"accepted": 0, "already": 0, "refused": 0}
        self.states: dict[str, int] = {}
        self.files: list[dict[str, str]] = []
        self._told: dict[str, list[dict[str, str]]] = {}
        self._files: dict[str, list[dict[str, str]]] = {}

    def run(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Pass lines through, keeping account of them."""
        with _whole(self.refused_file) as refused, _whole(self.receipts_file) as receipts:
            for line in lines:
                self._count(line.receipt)
                if line.receipt.status == "refused":
                    refused.write(json.dumps(line.to_json()) + "\n")
                self._tell(line.receipt, receipts)
                yield line
            for told in transfers.import_chunks(self.file):
                self.files.append(told)
                self._tell_file(told)
            for sender in list(self._told):
                self._seal(sender, receipts)
        if not self.counts["refused"]:
            self.refused_file.unlink()
        if not self.receipts_file.stat().st_size:
            self.receipts_file.unlink()
        with act(instance_actor(), None) as doing:
            counts = {**self.counts, "file": self.file.name}
            doing.record(Event.MESSAGE_FILE_IMPORTED, new_id("file"), counts)

    def passed(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Pass lines through and count them; nothing is written."""
        for line in lines:
            self._count(line.receipt)
            yield line

    def _count(self, receipt: Receipt) -> None:
        self.counts[receipt.status] += 1
        if receipt.state and receipt.status != "already":
            self.states[receipt.state] = self.states.get(receipt.state, 0) + 1

    def _tell(self, receipt: Receipt, out: TextIO) -> None:
        if not receipt.message_id or receipt.type == "exchange.receipt":
            return
        told = self._told.setdefault(receipt.sender, [])
        told.append(
            {
                "message": receipt.message_id,
                "digest": receipt.digest,
                "status": receipt.status,
                "detail": (receipt.detail or receipt.status)[:500],
            }
        )
        if len(told) == RECEIPTS_A_MESSAGE:
            self._seal(receipt.sender, out)

    def _tell_file(self, told: dict[str, str]) -> None:
        """Have the sender of a file told what became of it, once that is settled."""
        if told["state"] not in attachments.TAKEN_STATES:
            return
        with scoped(SYSTEM):
            sender = Attachment.objects.get(pk=told["attachment"]).peer_id
        self._files.setdefault(sender, []).append(told)
        self._told.setdefault(sender, [])

    def _seal(self, sender: str, out: TextIO) -> None:
        told, files = self._told.pop(sender), self._files.pop(sender, None)
        with scoped(SYSTEM):
            peer = Peer.objects.get(keyid=sender)
            message = outbox.compose(
                peer,
                "exchange.receipt",
                {"receipts": told, "attachments": files},
                thread="",
                marking="TLP:AMBER",
                now=here().clock.now(),
            )
        out.write(json.dumps(seal(message, here().keys)) + "\n")


@handles("exchange.receipt")
def on_receipt(arrival: Arrival) -> None:
    """A file that we exported has arrived: what the peer says of its messages settles them."""
    told = {each["message"]: each for each in arrival.body["receipts"]}
    own = OutMessage.objects.filter(id__in=told, peer=arrival.peer)
    digests = dict(own.values_list("id", "digest"))
    outbox.settle_all(
        [
            (message_id, Told(told[message_id]["status"], told[message_id].get("detail", "")))
            for message_id in digests
            if told[message_id]["digest"] == digests[message_id]
        ]
    )
    for each in arrival.body.get("attachments", ()):
        row = Attachment.objects.filter(pk=each["attachment"], peer=arrival.peer).first()
        if row is not None:
            attachments.settle(arrival.doing, row, each["state"], each.get("detail", ""))


@handles("attachment.offered")
def on_offered(arrival: Arrival) -> None:
    """Files were named; `attachments.expect` has noted them with the message itself."""
