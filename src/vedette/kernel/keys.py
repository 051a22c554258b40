"""An instance's keys: Ed25519 to sign, X25519 (age) to seal what only the receiver may open."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vedette.kernel.errors import BadInput


@dataclass(frozen=True)
class PublicKeys:
    """What others know of an instance: raw Ed25519 key as hex, age recipient."""

    ed25519: str
    age: str

    @classmethod
    def from_json(cls, value: Any, source: str) -> PublicKeys:
        """Read keys out of a card, or of a file that holds them alone. Raises BadInput."""
        found = cls(*(str(value.get(name, "")) for name in ("ed25519", "age")))
        if not found.usable():
            raise BadInput(
                f"{source}: neither a card nor public keys",
                next_step="export a card: vedette exchange card; or make keys: vedette bench keys",
            )
        return found

    @property
    def keyid(self) -> str:
        """SHA-256 of the raw signing key, as hex."""
        return hashlib.sha256(bytes.fromhex(self.ed25519)).hexdigest()

    def usable(self) -> bool:
        """Whether both keys can be read."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.ed25519))
            pyrage.x25519.Recipient.from_str(self.age)
        except (ValueError, pyrage.RecipientError):
            return False
        return True

    def verify(self, signature: bytes, data: bytes) -> bool:
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.ed25519))
            key.verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True

    def seal(self, data: bytes) -> bytes:
        """Encrypt `data` so that only the holder of the private keys opens it."""
        sealed: bytes = pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(self.age)])
        return sealed


class PrivateKeys:
    """The private half; never leaves its instance."""

    def __init__(self, signing: Ed25519PrivateKey, age: pyrage.x25519.Identity) -> None:
        self._signing = signing
        self._age = age

    @classmethod
    def generate(cls) -> PrivateKeys:
        return cls(Ed25519PrivateKey.generate(), pyrage.x25519.Identity.generate())

    @property
    def public(self) -> PublicKeys:
        return PublicKeys(
            self._signing.public_key().public_bytes_raw().hex(), str(self._age.to_public())
        )

    def sign(self, data: bytes) -> bytes:
        return self._signing.sign(data)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt what was sealed for these keys. Raises BadInput when it was not."""
        try:
            opened: bytes = pyrage.decrypt(sealed, [self._age])
        except pyrage.DecryptError as error:
            raise BadInput(
                f"sealed part does not open with this instance's key ({error})"
            ) from None
        return opened

    def save(self, path: Path) -> None:
        """Write the keys to a new file that only its owner may read."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"ed25519 {self._signing.private_bytes_raw().hex()}\nage {self._age}\n")

    @classmethod
    def load(cls, path: Path) -> PrivateKeys:
        try:
            fields = dict(line.split(" ", 1) for line in path.read_text("ascii").splitlines())
            signing = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(fields["ed25519"]))
            return cls(signing, pyrage.x25519.Identity.from_str(fields["age"]))
        except (OSError, ValueError, KeyError, pyrage.IdentityError) as error:
            raise BadInput(
                f"{path}: no usable instance keys ({error})",
                next_step="restore the file from a backup, or found the instance anew",
            ) from None
