"""The instance's ledger: append within an act's transaction, checkpoint, export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from vedette.kernel.canonical import new_salt, salted_digest
from vedette.kernel.clock import parse_time
from vedette.kernel.events import Event
from vedette.ledger.checkpoint import Checkpoint as SignedHead
from vedette.ledger.checkpoint import make_checkpoint
from vedette.ledger.entry import GENESIS, Entry, leaf
from vedette.ledger.export import write_export
from vedette.ledger.merkle import Frontier
from vedette.services.here import here
from vedette.store import rows
from vedette.store.models import Checkpoint, LedgerEntry, LedgerHead, LedgerSalt
from vedette.store.tenancy import SYSTEM, scoped


@dataclass(frozen=True)
class Happened:
    """What one entry tells: its event, the object and its marking, and what is digested."""

    event: Event
    object_id: str
    payload: Mapping[str, Any]
    marking: str
    message_id: str = ""


def append(
    *,
    event: Event,
    org: str,
    role: str,
    object_id: str,
    payload: Mapping[str, Any],
    marking: str,
    message_id: str,
    now: datetime,
) -> int:
    """Append one entry in the open transaction, and return its number."""
    one = Happened(event, object_id, payload, marking, message_id)
    return append_each([one], org=org, role=role, now=now)


def append_each(happened: Sequence[Happened], *, org: str, role: str, now: datetime) -> int:
    """Append entries in the open transaction, in this order; return the last one's number."""
    instance = here()
    with scoped(SYSTEM):
        head = _locked_head(instance.org)
        frontier = Frontier.from_json(head.frontier)
        written: list[LedgerEntry] = []
        salts: list[LedgerSalt] = []
        for one in happened:
            salt = new_salt()
            entry = Entry(
                seq=head.seq + 1,
                prev=head.hash,
                event=str(one.event),
                time=now,
                simulated=instance.clock.simulated,
                org=org,
                role=role,
                object_id=one.object_id,
                marking=one.marking,
                message_id=one.message_id or None,
                payload_digest=salted_digest(dict(one.payload), salt),
                pack_digest=instance.pack.digest,
            )
            values = entry.to_json()
            del values["vedette"]
            values["message_id"] = one.message_id
            head.seq, head.hash = entry.seq, entry.hash
            written.append(LedgerEntry(hash=head.hash, **values))
            salts.append(LedgerSalt(seq=entry.seq, org=org, salt=salt))
            frontier.append(leaf(head.hash))
        rows.insert_many(written)
        rows.insert_many(salts)
        head.frontier = frontier.to_json()
        rows.update(head, "seq", "hash", "frontier")
    return head.seq


def _locked_head(org: str) -> LedgerHead:
    head = rows.locked(LedgerHead, "org", org)
    if head is None:
        head = LedgerHead(org_id=org, seq=0, hash=GENESIS, frontier=Frontier().to_json())
        head.save(force_insert=True)
    return head


def checkpoint() -> dict[str, Any] | None:
    """Sign the ledger's present head; None when it is empty. The same head is signed once."""
    instance = here()
    with transaction.atomic(), scoped(SYSTEM):
        head = LedgerHead.objects.select_for_update().filter(org_id=instance.org).first()
        if head is None or head.seq == 0:
            return None
        row = Checkpoint.objects.filter(size=head.seq).first()
        if row is None:
            signed = make_checkpoint(
                instance.name,
                head.seq,
                Frontier.from_json(head.frontier).root(),
                instance.clock.now(),
                instance.keys,
            )
            row = Checkpoint(org_id=instance.org, size=head.seq, document=signed.to_json())
            row.save(force_insert=True)
        document: dict[str, Any] = row.document
        return document


def entries() -> Iterator[tuple[Entry, str]]:
    """Every entry in order with its stored hash, streamed; under the instance's scope."""
    fields = list(Entry.__dataclass_fields__)
    for values in LedgerEntry.objects.order_by("seq").values(*fields, "hash").iterator(2000):
        stated = values.pop("hash")
        values["message_id"] = values["message_id"] or None
        values["time"] = parse_time(values["time"], field="time")
        yield Entry(**values), stated


def export_ledger(folder: Path) -> int:
    """Write ledger.jsonl, checkpoints.jsonl and keys.json to `folder`; return the entry count."""
    checkpoint()
    with transaction.atomic(), scoped(SYSTEM):
        signed = [SignedHead.from_json(row.document) for row in Checkpoint.objects.order_by("size")]
        return write_export(folder, entries(), signed, [here().keys.public])


def since(seq: int, limit: int = 500) -> list[dict[str, Any]]:
    """The entries after `seq` as JSON, for pages and the API; under the reader's scope."""
    found = LedgerEntry.objects.filter(seq__gt=seq).order_by("seq")[:limit]
    names = ("seq", "hash", "event", "time", "simulated", "org", "role", "object_id")
    more = ("marking", "message_id", "payload_digest", "pack_digest", "prev")
    return [{name: getattr(row, name) for name in (*names, *more)} for row in found]


def browse(about: str = "") -> tuple[QuerySet[LedgerEntry], dict[str, Any] | None]:
    """The reader's entries, newest first, and the newest checkpoint (the host's to see).

    `about` narrows them to one object's or one message's.
    """
    found = LedgerEntry.objects.order_by("-seq")
    if about:
        found = found.filter(Q(object_id=about) | Q(message_id=about))
    last = Checkpoint.objects.order_by("-size").first()
    return found, last.document if last else None
