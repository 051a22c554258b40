"""Verification of a ledger, in one pass and constant memory.

Rules, each entry in turn:
- `seq` follows on, `prev` is the hash of the entry before, the stated hash is the computed one.
- A checkpoint's signature is by a known key, and the tree head at its size is its root.
- A checkpoint larger than the ledger means that entries are missing from its end.
- What is proved reaches as far as the last checkpoint, and no further than the trust in its key;
  a checkpoint that was kept elsewhere proves more than one that came with the ledger.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PublicKeys
from vedette.ledger.checkpoint import Checkpoint
from vedette.ledger.entry import GENESIS, Entry, leaf
from vedette.ledger.merkle import Frontier


@dataclass(frozen=True)
class Verdict:
    """What a verification found.

    `size` entries were read in good order, `head` is the hash of the last; `first_broken` is the
    `seq` of the first entry that can't be relied on, and `reason` says why; `checkpoint` is the
    last one that held; `proves` says in words what the result is worth.
    """

    intact: bool
    size: int
    head: str
    root: str
    first_broken: int | None
    reason: str
    proves: str
    checkpoint: Checkpoint | None
    kept_elsewhere: bool
    simulated: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "intact": self.intact,
            "size": self.size,
            "head": self.head,
            "root": self.root,
            "first_broken": self.first_broken,
            "reason": self.reason,
            "proves": self.proves,
            "checkpoint": None if self.checkpoint is None else self.checkpoint.to_json(),
            "kept_elsewhere": self.kept_elsewhere,
            "simulated_time": self.simulated,
        }


class _Broken(Exception):
    """The first thing that does not hold: at entry `seq`, for `reason`."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(reason)
        self.seq = seq
        self.reason = reason


@dataclass
class _Walk:
    keys: dict[str, PublicKeys]
    frontier: Frontier = field(default_factory=Frontier)
    head: str = GENESIS
    good: Checkpoint | None = None
    kept_elsewhere: bool = False
    simulated: bool = False

    @property
    def size(self) -> int:
        return self.frontier.size

    def take(self, entry: Entry, stated: str) -> None:
        seq = self.size + 1
        if entry.seq != seq:
            raise _Broken(seq, f"entry {entry.seq} stands where entry {seq} belongs")
        if entry.prev != self.head:
            raise _Broken(seq, "it does not name the hash of the entry before")
        if entry.hash != stated:
            raise _Broken(seq, "its content does not have the hash it states")
        self.head = stated
        self.frontier.append(leaf(stated))
        self.simulated = self.simulated or entry.simulated

    def check(self, checkpoint: Checkpoint, kept_elsewhere: bool) -> None:
        after = self.good.size + 1 if self.good else 1
        name = f"the checkpoint at size {checkpoint.size}"
        if checkpoint.size != self.size:
            raise _Broken(after, f"{name} stands out of order")
        key = self.keys.get(checkpoint.keyid)
        if key is None:
            raise _Broken(after, f"{name} is signed by an unknown key, {checkpoint.keyid[:16]}")
        if not checkpoint.verify(key):
            raise _Broken(after, f"{name} has a signature that does not hold")
        if checkpoint.root != self.frontier.root().hex():
            raise _Broken(
                after,
                f"{name} has another root: something in entries {after} to {checkpoint.size} was"
                " changed and the chain written anew",
            )
        self.good = checkpoint
        self.kept_elsewhere = self.kept_elsewhere or kept_elsewhere


def verify_chain(
    entries: Iterable[tuple[Entry, str]],
    checkpoints: Iterable[Checkpoint],
    keys: Iterable[PublicKeys],
    kept: Iterable[Checkpoint] = (),
) -> Verdict:
    """Verify entries, each with its stated hash, against checkpoints in order of size.

    `checkpoints` came with the ledger, `kept` were kept elsewhere. An iterator that raises
    BadInput (a line that can't be read) is broken at that point.
    """
    walk = _Walk({key.keyid: key for key in keys})
    try:
        _run(walk, entries, _merged(checkpoints, kept))
    except _Broken as broken:
        return _verdict(walk, broken)
    return _verdict(walk, None)


Pending = tuple[Checkpoint, bool]


def _merged(own: Iterable[Checkpoint], kept: Iterable[Checkpoint]) -> Iterator[Pending]:
    elsewhere = sorted(kept, key=lambda checkpoint: checkpoint.size)
    return heapq.merge(
        ((checkpoint, False) for checkpoint in own),
        ((checkpoint, True) for checkpoint in elsewhere),
        key=lambda pending: pending[0].size,
    )


def _run(walk: _Walk, entries: Iterable[tuple[Entry, str]], checkpoints: Iterator[Pending]) -> None:
    pending = _next_checkpoint(walk, checkpoints)
    source = iter(entries)
    while True:
        while pending is not None and pending[0].size <= walk.size:
            walk.check(*pending)
            pending = _next_checkpoint(walk, checkpoints)
        try:
            item = next(source, None)
            if item is None:
                break
            walk.take(*item)
        except BadInput as error:
            raise _Broken(walk.size + 1, error.what) from None
    if pending is not None:
        raise _Broken(
            walk.size + 1,
            f"a checkpoint covers {pending[0].size} entries, only {walk.size} are here: the end"
            " is missing",
        )


def _next_checkpoint(walk: _Walk, checkpoints: Iterator[Pending]) -> Pending | None:
    try:
        return next(checkpoints, None)
    except BadInput as error:
        raise _Broken(walk.good.size + 1 if walk.good else 1, error.what) from None


def _verdict(walk: _Walk, broken: _Broken | None) -> Verdict:
    return Verdict(
        intact=broken is None,
        size=walk.size,
        head=walk.head,
        root=walk.frontier.root().hex(),
        first_broken=broken.seq if broken else None,
        reason=broken.reason if broken else "",
        proves=_proves(walk, broken),
        checkpoint=walk.good,
        kept_elsewhere=walk.kept_elsewhere,
        simulated=walk.simulated,
    )


def _proves(walk: _Walk, broken: _Broken | None) -> str:
    good = walk.good
    if good is None:
        if broken:
            return "nothing: no checkpoint holds"
        return (
            f"that the {walk.size} entries hang together by hash; there was no checkpoint, so"
            " whoever held the file could have written it anew"
        )
    text = (
        f"that entries 1 to {good.size} are those that {good.origin} signed for on"
        f" {format_time(good.time)} with key {good.keyid[:16]}"
    )
    if not broken and walk.size > good.size:
        text += f"; the {walk.size - good.size} after them hang on by hash only"
    if walk.kept_elsewhere:
        return text + "; the checkpoint was kept elsewhere"
    return text + (
        "; key and checkpoint came with the ledger, so compare the key with the one you were"
        " given, and keep the checkpoint: only one kept elsewhere shows a cut-off end"
    )
