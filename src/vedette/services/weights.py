"""Weights that a lab hands over under an act: received, kept sealed, open only while served, gone.

Rules:
- A file is sealed block by block under its act's key as it is read; memory does not grow with it,
  and its digest as received is on record. The lab knows that digest.
- It is opened into a private folder in memory for one model server at a time, and put away when the
  server ends. What is opened has the digest that was received, or nothing is served.
- While one is open its act's material is not destroyed. It goes with the act's key: the certificate
  names it by the digest as received.
- What a model server does with weights that it has read is the office's to keep in order: this
  program gives it a path, and takes the path away.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Permission, Profile
from vedette.runner.private import private_folder
from vedette.services import vault
from vedette.services.acting import Actor, act, reading
from vedette.services.binding import require_reading
from vedette.services.here import here
from vedette.services.sides import find_act, only
from vedette.store.models import Weights

BLOCK = 1 << 20


class _Digesting:
    """A file that is read once, and hashed as it is."""

    def __init__(self, path: Path) -> None:
        self.file, self.found, self.size = path.open("rb"), hashlib.sha256(), 0

    def read(self, size: int) -> bytes:
        block = self.file.read(size)
        self.found.update(block)
        self.size += len(block)
        return block

    @property
    def digest(self) -> str:
        return f"sha256:{self.found.hexdigest()}"


def folder_of(act_id: str) -> Path:
    """Where an act's weights lie, sealed."""
    return here().folder / "files" / "weights" / act_id


def receive_weights(actor: Actor, act_id: str, path: Path) -> Weights:
    """Take a file of weights in under an act; the same content again is the same row."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.RUN_START):
        found = find_act(act_id)
        require_reading(actor, found)
    name, folder = path.name[:200], folder_of(act_id)
    row_id = new_id("weights")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sealed = folder / f"{row_id}.sealed"
    try:
        source = _Digesting(path)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    with source.file, sealed.open("xb") as target:
        vault.key_for(act_id).seal_file(source, target, f"weights/{row_id}")  # type: ignore[arg-type]
    with act(actor, Permission.RUN_START) as doing:
        known = Weights.objects.filter(act_id=act_id, digest=source.digest).first()
        if known is not None:
            sealed.unlink()
            return known
        row = Weights(
            id=row_id,
            org_id=actor.org,
            act=find_act(act_id),
            name=name,
            digest=source.digest,
            size=source.size,
            received_by=actor.name,
            received_at=doing.now,
        )
        row.save(force_insert=True)
        said = {"name": name, "digest": row.digest, "size": row.size}
        doing.record(Event.CUSTODY_WEIGHTS_RECEIVED, row.id, said, marking=row.act.marking)
        return row


def state_of(row: Weights) -> str:
    """Whether weights are "open" in memory, "sealed", or "destroyed" with their key."""
    if not _is_kept(row):
        return "destroyed"
    return "sealed" if row.opened_at is None else "open"


def _is_kept(row: Weights) -> bool:
    return vault.find_key(row.act_id) is not None and _sealed(row).is_file()


def _sealed(row: Weights) -> Path:
    return folder_of(row.act_id) / f"{row.id}.sealed"


@contextmanager
def opened_weights(actor: Actor, weights_id: str) -> Iterator[Path]:
    """The weights as a file in memory, for as long as a model server uses them.

    Raises:
        Refused: open already, their key or their content is gone, or memory has no room for them.
    """
    row = _open(actor, weights_id)
    try:
        with private_folder() as folder:
            if shutil.disk_usage(folder).free < row.size:
                raise Refused(
                    f"memory has no room for {row.size:,} bytes of weights",
                    kept="the weights, sealed",
                    next_step="mount a larger tmpfs, and name it in XDG_RUNTIME_DIR",
                )
            path = folder / row.name
            _unseal(row, path)
            yield path
    finally:
        _close(actor, weights_id)


def _open(actor: Actor, weights_id: str) -> Weights:
    only(Profile.OFFICE, actor)
    with act(actor, Permission.RUN_START) as doing:
        row = find_weights(weights_id)
        require_reading(actor, row.act)
        if row.opened_at is not None:
            raise Refused(
                "these weights are open already",
                kept="them as they are",
                next_step="where their server is gone: vedette bench weights close",
            )
        row.opened_at = doing.now
        row.save(update_fields=["opened_at"])
        said = {"digest": row.digest}
        doing.record(Event.CUSTODY_WEIGHTS_OPENED, row.id, said, marking=row.act.marking)
        vault.log_reading(row.act_id, "weights", row.id)
        return row


def _unseal(row: Weights, path: Path) -> None:
    key, sealed = vault.find_key(row.act_id), _sealed(row)
    if key is None or not sealed.is_file():
        raise Refused("these weights are destroyed, or their key is", kept="their digest")
    found = hashlib.sha256()
    with sealed.open("rb") as source, path.open("xb") as target:
        for block in key.open_file(source, f"weights/{row.id}"):
            found.update(block)
            target.write(block)
    if f"sha256:{found.hexdigest()}" != row.digest:
        raise Refused("these weights are not those that were received", kept="them, sealed")


def _close(actor: Actor, weights_id: str) -> None:
    with act(actor, Permission.RUN_START) as doing:
        row = find_weights(weights_id)
        if row.opened_at is None:
            return
        row.opened_at, row.closed_at = None, doing.now
        row.save(update_fields=["opened_at", "closed_at"])
        said = {"digest": row.digest}
        doing.record(Event.CUSTODY_WEIGHTS_CLOSED, row.id, said, marking=row.act.marking)


def close_weights(actor: Actor, weights_id: str) -> None:
    """Say that weights are put away whose server was killed; what it left in memory is swept."""
    from vedette.runner.private import sweep

    only(Profile.OFFICE, actor)
    sweep()
    _close(actor, weights_id)


def list_weights(actor: Actor) -> list[Weights]:
    """Weights received, newest first."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.RUN_READ):
        return list(Weights.objects.select_related("act").order_by("-received_at", "id"))


def find_weights(weights_id: str) -> Weights:
    """The weights of this id, among those in scope. Raises NotFound."""
    row: Weights | None = (
        Weights.objects.select_related("act", "act__peer").filter(id=weights_id).first()
    )
    if row is None:
        raise NotFound(f"weights {weights_id[:40]!r} are not here")
    return row
