"""Keys of their own for what one access window brought: without the key nothing of it reads.

Rules:
- One key an act. Each text or file is sealed with AES-256-GCM, a random nonce, and its place as
  associated data, so that a sealed part moved to another place does not open.
- A key is a file of its own. It is destroyed by overwriting and removing that file; no copy of
  what was sealed, however old, opens after that.
- A file is sealed in blocks under a key derived for it alone, numbered, the last one marked, so
  that memory does not grow with it and a truncated or reordered one does not open.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vedette.kernel.errors import BadInput
from vedette.kernel.ids import new_id

FOLDER = "keys/windows"
PREFIX = "vw1."
FILE_MAGIC = b"vedette sealed 1\n"
BLOCK = 64 * 1024
_NONCE, _TAG, _SALT = 12, 16, 32
_TOKEN = re.compile(r"vw1\.(key-[2-9a-z]{16})\.([A-Za-z0-9_-]+)")
METHOD = (
    "AES-256-GCM under one key for the act; the file of that key was overwritten with random"
    " bytes, written through to the disk, and removed"
)


@dataclass(frozen=True)
class WindowKey:
    """The key of what came under one act; `id` names it and tells nothing."""

    id: str
    raw: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> WindowKey:
        return cls(new_id("key"), os.urandom(32))

    @classmethod
    def load(cls, path: Path) -> WindowKey:
        """Read a key's file. Raises FileNotFoundError, and BadInput on anything else in it."""
        try:
            kind, key_id, raw = path.read_text("ascii").split()
            key = cls(key_id, bytes.fromhex(raw))
        except ValueError:
            raise BadInput(f"{path}: no key of a window", kept="the file as it is") from None
        if kind != "window-key-1" or len(key.raw) != 32:
            raise BadInput(f"{path}: no key of a window", kept="the file as it is")
        return key

    def save(self, path: Path) -> None:
        """Write a new file that only its owner reads, whole or not at all.

        Its name lasts once the folder is synced, too (`sync_folder`). Raises FileExistsError where
        there is one already.
        """
        part = path.with_name(f"{path.name}.{self.id}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"window-key-1 {self.id} {self.raw.hex()}\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(part, path)
        finally:
            part.unlink()

    def seal(self, data: bytes, place: str) -> str:
        """Seal `data` for `place`, as a text without spaces that names the key."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(self.raw).encrypt(nonce, data, place.encode())
        return f"{PREFIX}{self.id}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def open(self, token: str, place: str) -> bytes:
        """Open what was sealed for `place`. Raises BadInput where it was not, or by another key."""
        found = _TOKEN.fullmatch(token)
        if not found or found[1] != self.id:
            raise BadInput(f"sealed part: not sealed under {self.id}")
        text = found[2]
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        try:
            return AESGCM(self.raw).decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
        except (InvalidTag, ValueError):
            raise BadInput("sealed part: changed, or moved from its place") from None

    def seal_file(self, source: IO[bytes], target: IO[bytes], place: str) -> None:
        """Seal a file block by block."""
        salt = os.urandom(_SALT)
        target.write(FILE_MAGIC + salt)
        cipher, number = self._derived(salt, place), 0
        block = source.read(BLOCK)
        while True:
            following = source.read(BLOCK)
            target.write(cipher.encrypt(_number(number, not following), block, None))
            if not following:
                return
            block, number = following, number + 1

    def open_file(self, source: IO[bytes], place: str) -> Iterator[bytes]:
        """Open a sealed file block by block. Raises BadInput at the first that does not hold."""
        if source.read(len(FILE_MAGIC)) != FILE_MAGIC:
            raise BadInput("sealed file: it does not begin as one")
        cipher, number = self._derived(source.read(_SALT), place), 0
        block = source.read(BLOCK + _TAG)
        while True:
            following = source.read(BLOCK + _TAG)
            try:
                yield cipher.decrypt(_number(number, not following), block, None)
            except (InvalidTag, ValueError):
                raise BadInput("sealed file: changed, cut off, or moved from its place") from None
            if not following:
                return
            block, number = following, number + 1

    def _derived(self, salt: bytes, place: str) -> AESGCM:
        kdf = HKDF(SHA256(), 32, salt, b"vedette sealed file 1\n" + place.encode())
        return AESGCM(kdf.derive(self.raw))


@dataclass(frozen=True)
class Box:
    """A key bound to one place: what a run's folder needs to keep its lines sealed."""

    key: WindowKey
    place: str

    def seal(self, data: bytes) -> bytes:
        return self.key.seal(data, self.place).encode("ascii")

    def open(self, data: bytes) -> bytes:
        return self.key.open(data.decode("ascii", "replace").strip(), self.place)


def key_of(token: str) -> str:
    """The id of the key that a sealed text names, "" where it is none."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else ""


def destroy(path: Path) -> None:
    """Overwrite a key's file, write that through, remove it; a file that is gone stays gone."""
    try:
        with path.open("r+b", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            file.write(os.urandom(size))
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the folder's own entries on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _number(number: int, last: bool) -> bytes:
    return number.to_bytes(_NONCE - 1, "big") + bytes([last])
