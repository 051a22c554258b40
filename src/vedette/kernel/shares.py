"""A key in shares: any two of its holders make it again, one alone has nothing of it.

Rules:
- Shares are points of a random line over the field of 2**521 - 1 that goes through the secret at 0
  (Shamir, "How to share a secret", 1979, with a threshold of two): one point fits every secret
  alike, whatever its owner computes.
- A holder has a pair of age keys. Its private half is sealed under a code of 130 random bits that
  is shown once; the instance keeps the code nowhere.
- A code is typed by people: case, spaces and hyphens do not matter.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

import pyrage

from vedette.kernel.bounds import from_text, to_text
from vedette.kernel.errors import BadInput
from vedette.kernel.ids import ALPHABET
from vedette.kernel.sealing import WindowKey

PRIME = 2**521 - 1
SECRET_BYTES = 32
CODE_LENGTH, GROUP = 27, 9
PLACE = "keyholder"


def split(secret: bytes, count: int) -> list[str]:
    """Cut a secret of 32 bytes into `count` shares (2 to 100), as text `X.HEX`."""
    if len(secret) != SECRET_BYTES or not 2 <= count <= 100:
        raise BadInput("shares: a secret of 32 bytes and 2 to 100 holders expected")
    start, slope = int.from_bytes(secret, "big"), secrets.randbelow(PRIME)
    return [f"{x}.{(start + slope * x) % PRIME:x}" for x in range(1, count + 1)]


def join(first: str, second: str) -> bytes:
    """The secret that two shares of one splitting make. Raises BadInput where they make none."""
    (x1, y1), (x2, y2) = _point(first), _point(second)
    if x1 == x2:
        raise BadInput("shares: two different ones are needed")
    slope = (y2 - y1) * pow(x2 - x1, -1, PRIME)
    start = (y1 - slope * x1) % PRIME
    if start >> (8 * SECRET_BYTES):
        raise BadInput("shares: these two are not of one splitting")
    return start.to_bytes(SECRET_BYTES, "big")


def _point(share: str) -> tuple[int, int]:
    x, _, y = share.partition(".")
    try:
        found = int(x), int(y, 16)
    except ValueError:
        raise BadInput("share: a number, a point and hexadecimal digits expected") from None
    if not 1 <= found[0] <= 100 or not 0 <= found[1] < PRIME:
        raise BadInput("share: out of its field")
    return found


@dataclass(frozen=True)
class Holder:
    """Somebody who can hold shares: their age recipient, and its private half under their code."""

    recipient: str
    sealed: str = field(repr=False)

    @classmethod
    def new(cls) -> tuple[str, Holder]:
        """A new holder and the code, which is kept nowhere."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        identity = pyrage.x25519.Identity.generate()
        sealed = _lock(code, WindowKey.generate().id).seal(str(identity).encode(), PLACE)
        grouped = "-".join(code[i : i + GROUP] for i in range(0, CODE_LENGTH, GROUP))
        return grouped, cls(str(identity.to_public()), sealed)

    def give(self, share: str) -> str:
        """Seal a share so that this holder alone opens it."""
        recipient = pyrage.x25519.Recipient.from_str(self.recipient)
        return to_text(pyrage.encrypt(share.encode(), [recipient]))

    def take(self, given: str, code: str) -> str:
        """Open a share with the holder's code. Raises BadInput where the code is another's."""
        key_id = self.sealed.split(".")[1]
        try:
            opened = _lock(code, key_id).open(self.sealed, PLACE).decode()
        except BadInput:
            raise BadInput(
                "code: this is not your keyholder's code",
                kept="everything as it was",
                next_step="look at what you wrote down when you became a keyholder",
            ) from None
        identity = pyrage.x25519.Identity.from_str(opened)
        try:
            return bytes(pyrage.decrypt(from_text(given, field="share"), [identity])).decode()
        except pyrage.DecryptError:
            raise BadInput(
                "share: it was given before you became a keyholder anew",
                next_step="two other keyholders unseal the suite; then you have a share again",
            ) from None


def _lock(code: str, key_id: str) -> WindowKey:
    plain = code.replace("-", "").replace(" ", "").strip().lower()
    return WindowKey(key_id, hashlib.sha256(b"vedette keyholder 1\n" + plain.encode()).digest())
