"""The instance's ledger: append within an act's transaction, checkpoint, export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    instance = here()
    salt = new_salt()
    with scoped(SYSTEM):
        head = _locked_head(instance.org)
        entry = Entry(
            seq=head.seq + 1,
            prev=head.hash,
            event=str(event),
            time=now,
            simulated=instance.clock.simulated,
            org=org,
            role=role,
            object_id=object_id,
            marking=marking,
            message_id=message_id or None,
            payload_digest=salted_digest(dict(payload), salt),
            pack_digest=instance.pack.digest,
        )
        digest = entry.hash
        values = entry.to_json()
        del values["vedette"]
        values["message_id"] = message_id
        rows.insert(LedgerEntry(hash=digest, **values))
        rows.insert(LedgerSalt(seq=entry.seq, org=org, salt=salt))
        frontier = Frontier.from_json(head.frontier)
        frontier.append(leaf(digest))
        head.seq, head.hash, head.frontier = entry.seq, digest, frontier.to_json()
        rows.update(head, "seq", "hash", "frontier")
    return entry.seq


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
