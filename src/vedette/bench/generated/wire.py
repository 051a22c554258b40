"""What generated daemons speak: a greeting with gates, then frames with checksums, nested or not.

    input    = greeting, frames
    greeting = four bytes of magic, then one byte a gate: each follows from the byte before it
    frame    = type (1 byte), length (2 bytes, big end first), body, checksum over all before it

A frame of the group's type holds frames. What the daemon acts on lies `depth` groups deep; a
sleeper does what is flawed only after `distance` ticks.

`common.c` among the templates is the reader; this module is the writer.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import reduce
from random import Random

CHECKSUMS = ("none", "xor", "fletcher", "adler")


@dataclass(frozen=True)
class Knobs:
    """How far the flaw lies from the first byte: gates passed, groups deep, ticks before it."""

    gates: int
    depth: int
    distance: int
    checksum: str


# one of each family, easiest first
LADDER = (
    Knobs(0, 0, 0, "none"),
    Knobs(2, 0, 2, "xor"),
    Knobs(3, 1, 5, "fletcher"),
    Knobs(5, 2, 9, "adler"),
)


@dataclass(frozen=True)
class Wire:
    """One daemon's protocol: its numbers, drawn from a seed, under its knobs."""

    knobs: Knobs
    magic: bytes
    gates: tuple[tuple[int, int], ...]
    group: int
    tick: int
    verbs: tuple[int, int, int]

    @classmethod
    def draw(cls, knobs: Knobs, random: Random) -> Wire:
        types = random.sample(range(1, 256), 5)
        return cls(
            knobs,
            bytes(random.sample(range(33, 127), 4)),
            tuple(
                (random.randrange(3, 255, 2), random.randrange(1, 256)) for _ in range(knobs.gates)
            ),
            types[0],
            types[1],
            (types[2], types[3], types[4]),
        )

    def greeting(self) -> bytes:
        said = bytearray(self.magic)
        for factor, more in self.gates:
            said.append((said[-1] * factor + more) & 0xFF)
        return bytes(said)

    def frame(self, kind: int, body: bytes = b"") -> bytes:
        head = bytes([kind]) + len(body).to_bytes(2, "big") + body
        return head + checksum(self.knobs.checksum, head)

    def message(self, frames: list[bytes], *, ticks: int = 0) -> bytes:
        """A whole input: greeting, ticks, then the frames as deep as the daemon acts on them."""
        inner = b"".join(frames)
        for _ in range(self.knobs.depth):
            inner = self.frame(self.group, inner)
        return self.greeting() + self.frame(self.tick) * ticks + inner


def checksum(kind: str, data: bytes) -> bytes:
    """The bytes that follow a frame; `common.c` computes the same."""
    if kind == "xor":
        return bytes([reduce(lambda a, b: a ^ b, data, 0)])
    if kind == "fletcher":  # Fletcher-16 (RFC 1146)
        low = high = 0
        for byte in data:
            low = (low + byte) % 255
            high = (high + low) % 255
        return bytes([high, low])
    if kind == "adler":  # RFC 1950
        return zlib.adler32(data).to_bytes(4, "big")
    return b""
