"""Ledger: entries made and verified a second, beside SHA-256 alone over the same lines.

Making an entry is canonical JSON, its hash, the Merkle frontier and the line of the export;
verifying reads the export back and checks chain, tree and the checkpoint's signature. The floor
hashes each line together with the hash before it.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.result import Result, in_turns, per_second
from vedette.kernel.keys import PrivateKeys
from vedette.ledger.checkpoint import make_checkpoint
from vedette.ledger.entry import GENESIS, Entry, leaf
from vedette.ledger.export import LEDGER, find_export, read_checkpoints, read_entries, write_export
from vedette.ledger.merkle import Frontier
from vedette.ledger.verify import verify_chain

FLOOR = "SHA-256 alone"
START = datetime(2026, 12, 1, tzinfo=UTC)
KEYS = PrivateKeys.generate()


def make(folder: Path, size: int) -> None:
    """Write an export of `size` entries with a checkpoint at its end."""
    frontier, prev = Frontier(), GENESIS
    made: list[tuple[Entry, str]] = []
    for seq in range(1, size + 1):
        entry = Entry(
            seq=seq,
            prev=prev,
            event="engagement:act:offered",
            time=START + timedelta(seconds=seq),
            simulated=False,
            org="org-2222222222222222",
            role="release-lead",
            object_id="act-2222222222222222",
            marking="TLP:AMBER",
            message_id=None,
            payload_digest=GENESIS,
            pack_digest=GENESIS,
        )
        prev = entry.hash
        made.append((entry, prev))
        frontier.append(leaf(prev))
    point = make_checkpoint("benchmark", size, frontier.root(), START, KEYS)
    write_export(folder, made, [point], [KEYS.public])


def check(folder: Path) -> None:
    export = find_export(folder)
    assert export.checkpoints is not None
    own = read_checkpoints(export.checkpoints)
    verdict = verify_chain(read_entries(export.ledger), own, [KEYS.public])
    assert verdict.intact, verdict.reason


def hash_only(folder: Path) -> None:
    before = b""
    with (folder / LEDGER).open("rb") as file:
        for line in file:
            before = hashlib.sha256(before + line).digest()


def run(quick: bool) -> list[Result]:
    sizes = {200: 1} if quick else {10_000: 5, 100_000: 3}
    return [result for size, rounds in sizes.items() for result in measure(size, rounds)]


def measure(size: int, rounds: int) -> list[Result]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, size)
        works = {
            "made": lambda: make(folder, size),
            "verified": lambda: check(folder),
            "floor": lambda: hash_only(folder),
        }
        rates = {what: per_second(size, work) for what, work in works.items()}
        found = in_turns(rates, rounds)
    return [
        Result(f"{what}, {size:,} entries", "a second", found[what], found["floor"], FLOOR)
        for what in ("made", "verified")
    ]
