"""A ledger for tests, as `write_export` takes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vedette.kernel.keys import PrivateKeys
from vedette.ledger.checkpoint import Checkpoint, make_checkpoint
from vedette.ledger.entry import GENESIS, Entry, leaf
from vedette.ledger.export import (
    find_export,
    read_checkpoints,
    read_entries,
    read_keys,
    write_export,
)
from vedette.ledger.merkle import Frontier
from vedette.ledger.verify import Verdict, verify_chain

KEYS = PrivateKeys.generate()
START = datetime(2026, 12, 1, tzinfo=UTC)


def entry(seq: int, prev: str, **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "seq": seq,
        "prev": prev,
        "event": "engagement:act:offered",
        "time": START + timedelta(minutes=seq),
        "simulated": False,
        "org": "org-2222222222222222",
        "role": "release-lead",
        "object_id": "act-2222222222222222",
        "marking": "TLP:AMBER",
        "message_id": None,
        "payload_digest": GENESIS,
        "pack_digest": GENESIS,
    }
    return Entry(**{**fields, **changes})


def chain(
    size: int, every: int = 5, role: str = "release-lead"
) -> tuple[list[tuple[Entry, str]], list[Checkpoint]]:
    """`size` entries, with a checkpoint after each `every` of them."""
    entries: list[tuple[Entry, str]] = []
    points: list[Checkpoint] = []
    frontier, prev = Frontier(), GENESIS
    for seq in range(1, size + 1):
        made = entry(seq, prev, role=role)
        prev = made.hash
        entries.append((made, prev))
        frontier.append(leaf(prev))
        if seq % every == 0:
            points.append(make_checkpoint("lab", seq, frontier.root(), made.time, KEYS))
    return entries, points


def exported(folder: Path, size: int = 23, every: int = 5) -> Path:
    entries, points = chain(size, every)
    write_export(folder, entries, points, [KEYS.public])
    return folder


def verify(folder: Path, kept: list[Checkpoint] | None = None) -> Verdict:
    found = find_export(folder)
    assert found.keys is not None
    own = read_checkpoints(found.checkpoints) if found.checkpoints else []
    return verify_chain(read_entries(found.ledger), own, read_keys(found.keys), kept or [])


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]


def rewrite(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "ledger.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
