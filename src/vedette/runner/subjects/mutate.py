"""Deterministic mutation of sample inputs: the craft behind the `mutator` stand-in.

Per input, one to three of these: bit flip, boundary value over a field of one, two or four bytes
in either byte order, truncation, growth, splice of two samples, a dictionary word, and one that
repeats a slice. The same key gives the same inputs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

MAX_INPUT = 4096

_BOUNDARIES = {
    1: (0, 1, 16, 32, 64, 100, 127, 128, 200, 254, 255),
    2: (0, 1, 64, 127, 128, 255, 256, 512, 1024, 4096, 32767, 32768, 65534, 65535),
    4: (0, 1, 128, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 4, 2**32 - 1),
}


def batch(key: bytes, samples: Sequence[bytes], words: Sequence[bytes], count: int) -> list[bytes]:
    """Return `count` mutated inputs, each at most MAX_INPUT bytes."""
    rng = random.Random(key)  # noqa: S311 - repeatable by intent, no secret
    return [_mutate(rng, list(samples) or [b""], words) for _ in range(count)]


def dictionary(texts: Sequence[str], samples: Sequence[bytes]) -> list[bytes]:
    """Return the words worth inserting: quoted text of the source, and runs of letters."""
    words = {
        word.encode()
        for text in texts
        for word in re.findall(r'"([A-Za-z0-9_ /:.=-]{2,24})"', text)
    }
    words |= {run for sample in samples for run in re.findall(rb"[A-Za-z]{3,24}", sample)}
    return sorted(words)[:256]


def _mutate(rng: random.Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    data = bytearray(rng.choice(samples))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        step = rng.choice(_STEPS)
        step(rng, data, samples, words)
        del data[MAX_INPUT:]
    return bytes(data)


def _flip(rng: random.Random, data: bytearray, *_: object) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _boundary(rng: random.Random, data: bytearray, *_: object) -> None:
    width = rng.choice([w for w in _BOUNDARIES if w <= len(data)] or [0])
    if width:
        at = rng.randrange(len(data) - width + 1)
        value = rng.choice(_BOUNDARIES[width])
        data[at : at + width] = value.to_bytes(width, rng.choice(("big", "little")))


def _truncate(rng: random.Random, data: bytearray, *_: object) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _grow(rng: random.Random, data: bytearray, *_: object) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = bytes([rng.choice((0, 0x41, 0xFF))]) * rng.choice((4, 16, 64, 256, 1024))


def _splice(
    rng: random.Random, data: bytearray, samples: Sequence[bytes], _: Sequence[bytes]
) -> None:
    other = rng.choice(samples)
    data[rng.randrange(len(data) + 1) :] = other[rng.randrange(len(other) + 1) :]


def _word(rng: random.Random, data: bytearray, _: Sequence[bytes], words: Sequence[bytes]) -> None:
    if words:
        at = rng.randrange(len(data) + 1)
        data[at:at] = rng.choice(words)


def _repeat(rng: random.Random, data: bytearray, *_: object) -> None:
    if data:
        start = rng.randrange(len(data))
        end = rng.randrange(start, min(len(data), start + 64)) + 1
        data[start:start] = bytes(data[start:end]) * rng.choice((1, 2, 8, 64))


_STEPS: tuple[Callable[..., None], ...] = (
    _flip,
    _boundary,
    _boundary,
    _boundary,
    _truncate,
    _grow,
    _splice,
    _word,
    _repeat,
)
