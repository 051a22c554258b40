"""The folder that feeds are kept in: whole files only, and one small file of state.

A file takes its place by being renamed, after it was written elsewhere; what the state says is true
before it is written. So a run that is killed at any moment loses nothing, and the next goes on.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vedette.kernel.errors import BadInput

OWN = ".feeds"
VERSION = 1
MAX_PARTS = 8
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class FeedFolder:
    """`state` holds `sources` (what each gave last) and `parts` (downloads that were begun)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._own = path / OWN
        try:
            self._own.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"{path}: can't be written ({error.strerror})",
                next_step="see to its owner, its rights and the room left",
            ) from None
        self.state = self._read()

    @contextmanager
    def alone(self) -> Iterator[FeedFolder]:
        """Hold the folder against another run. Raises BadInput where one is at it."""
        with (self._own / "lock").open("ab") as file:
            try:
                _lock(file.fileno())
            except OSError:
                raise BadInput(
                    f"{self.path}: another run is bringing it up to date",
                    next_step="wait until it has ended",
                ) from None
            self.state = self._read()
            yield self

    def _read(self) -> dict[str, Any]:
        file = self._own / "state.json"
        if not file.is_file():
            return {"version": VERSION, "sources": {}, "parts": {}}
        try:
            state = json.loads(file.read_bytes())
            if state["version"] != VERSION or not isinstance(state["sources"], dict):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise BadInput(
                f"{file}: not the state of this version",
                kept="every record",
                next_step="delete that file; everything is then compared anew",
            ) from None
        return dict(state)

    def source(self, name: str) -> dict[str, Any]:
        """What is remembered of a source; change it, then `save`."""
        found: dict[str, Any] = self.state["sources"].setdefault(name, {})
        return found

    def save(self) -> None:
        """Write the state."""
        self._replace(self._own / "state.json", json.dumps(self.state, sort_keys=True).encode())

    def part(self, url: str) -> Path:
        """Where a download is collected."""
        return self._own / (hashlib.sha256(url.encode()).hexdigest()[:32] + ".part")

    def forget_part(self, url: str) -> None:
        """A download was used, or is of no use."""
        self.part(url).unlink(missing_ok=True)
        self.state["parts"].pop(url, None)

    def has(self, source: str, name: str, data: bytes) -> bool:
        """Whether the folder holds just this record."""
        file = self.path / slug(source) / safe(name)
        return file.is_file() and file.stat().st_size == len(data) and file.read_bytes() == data

    def put(self, source: str, name: str, data: bytes) -> None:
        """Write one record, whole or not at all."""
        file = self.path / slug(source) / safe(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._replace(file, data)

    def _replace(self, file: Path, data: bytes) -> None:
        draft = self._own / "draft"
        try:
            draft.write_bytes(data)
            draft.replace(file)
        except OSError as error:
            raise BadInput(
                f"{file}: can't be written ({error.strerror})",
                next_step="see to its owner, its rights and the room left",
            ) from None


def _lock(descriptor: int) -> None:
    """Lock a file until it is closed. Raises OSError where another holds it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def slug(source: str) -> str:
    """A folder's name for a source, readable and without a twin."""
    plain = _UNSAFE.sub("-", source.split("://")[-1]).strip("-.")[-60:].strip("-.")
    return f"{plain}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def safe(name: str) -> str:
    """A record's path below its source's folder, harmless on every system and without a twin."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(_plain(part) for part in parts[-MAX_PARTS:] or ["record"])


def _plain(part: str) -> str:
    plain = _UNSAFE.sub("-", part).lstrip(".-")[-120:]
    if plain == part:
        return plain
    return f"{hashlib.sha256(part.encode()).hexdigest()[:8]}-{plain}"
