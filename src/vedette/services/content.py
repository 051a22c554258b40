"""The content of attachments on disk: chunks by their number, under the whole's digest.

Rules:
- A chunk is written beside its place, brought to the disk, and moved there: one that stands is
  whole and has the digest that the message signed. So an interruption costs one chunk at most.
- What belongs to an act lies sealed under that act's key where this instance seals (see `vault`).
- Memory holds one chunk.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from vedette.exchange.fields import CHUNK
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.sealing import sync_folder
from vedette.services import vault
from vedette.services.here import here
from vedette.store.models import Attachment

SEALED = ".sealed"


def folder_of(row: Attachment) -> Path:
    """Where the chunks lie: the same content about the same act lies once."""
    name = row.digest.removeprefix("sha256:") + (f"-{row.about_act}" if row.about_act else "")
    return here().folder / "files" / "attachments" / name


def cut(source: IO[bytes]) -> Iterator[bytes]:
    """The chunks of a stream."""
    while chunk := source.read(CHUNK):
        yield chunk


def missing(row: Attachment) -> list[int]:
    """The numbers of the chunks that are not here."""
    folder = folder_of(row)
    there = set(os.listdir(folder)) if folder.is_dir() else set()
    return [n for n in range(len(row.chunks)) if not {_name(n), _name(n) + SEALED} & there]


def write_chunk(row: Attachment, number: int, data: bytes) -> None:
    """Keep one chunk. Raises BadInput unless it is the one that the message signed."""
    if not 0 <= number < len(row.chunks):
        raise BadInput(f"chunk {number}: there are {len(row.chunks)}")
    if digest(data) != row.chunks[number]:
        raise BadInput(f"chunk {number}: its bytes do not have the digest that was signed")
    folder = folder_of(row)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    box = vault.box_for(row.about_act or None, _place(row, number))
    path = folder / (_name(number) + (SEALED if box else ""))
    partial = folder / f"{path.name}.{os.getpid()}.partial"
    with partial.open("wb") as file:
        if box:
            box.key.seal_file(BytesIO(data), file, box.place)
        else:
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_chunk(row: Attachment, number: int) -> bytes:
    """One chunk. Raises Refused where it can't be read any more."""
    path = folder_of(row) / _name(number)
    try:
        if path.exists():
            return path.read_bytes()
        key = vault.find_key(row.about_act)
        if key is None:
            raise Refused("the key of this file's window is gone: it can't be read")
        with path.with_name(path.name + SEALED).open("rb") as file:
            return b"".join(key.open_file(file, _place(row, number)))
    except FileNotFoundError:
        raise Refused(f"chunk {number} of this file is not here") from None


def stream(row: Attachment) -> Iterator[bytes]:
    """The whole content, chunk by chunk."""
    for number in range(len(row.chunks)):
        yield read_chunk(row, number)


def holds(row: Attachment) -> bool:
    """Whether the chunks together have the size and digest that the message signed."""
    found, size = hashlib.sha256(), 0
    for number in range(len(row.chunks)):
        data = read_chunk(row, number)
        found.update(data)
        size += len(data)
    folder = folder_of(row)
    sync_folder(folder)
    return size == row.size and f"sha256:{found.hexdigest()}" == row.digest


def discard(row: Attachment) -> None:
    """Remove the chunks, unless another attachment has the same content."""
    others = Attachment.objects.filter(digest=row.digest, about=row.about).exclude(pk=row.pk)
    if not others.exclude(state__in=("refused", "pointer")).exists():
        shutil.rmtree(folder_of(row), ignore_errors=True)


def _name(number: int) -> str:
    return f"{number:06d}"


def _place(row: Attachment, number: int) -> str:
    return f"attachment/{row.digest}/{number}"
