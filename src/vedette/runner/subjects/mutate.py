"""Deterministic mutation of sample inputs: the craft behind the `mutator` stand-in.

Per input, one or two of these: bit flip; boundary value over a field of one, two or four bytes in
either byte order; truncation; growth; splice of two samples; a dictionary word put in; a slice
repeated. For text also: a word of the input in another's place; a line moved, doubled or left out.
For binary inputs also: another value in what may be a length field; a little added to a number.
The same key gives the same inputs.
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
    sample = rng.choice(samples)
    data = bytearray(sample)
    steps: Sequence[Callable[..., None]] = _TEXT if _is_text(sample) else _BINARY
    for _ in range(rng.choice((1, 1, 1, 2))):
        step = rng.choice(steps)
        step(rng, data, samples, words)
        del data[MAX_INPUT:]
    return bytes(data)


def _is_text(data: bytes) -> bool:
    return all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in data)


def _flip(rng: random.Random, data: bytearray, *_: object) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _boundary(rng: random.Random, data: bytearray, *_: object) -> None:
    width = rng.choice([w for w in _BOUNDARIES if w <= len(data)] or [0])
    if width:
        at = rng.randrange(len(data) - width + 1)
        value = rng.choice(_BOUNDARIES[width])
        data[at : at + width] = value.to_bytes(width, rng.choice(("big", "little")))


def _length(rng: random.Random, data: bytearray, *_: object) -> None:
    """Change a byte that, read as a length, would end inside the input: to its end, or anyhow."""
    places = [at for at, value in enumerate(data) if 2 <= value < min(len(data) - at - 1, 255)]
    if places:
        at = rng.choice(places)
        rest = min(len(data) - at - 1, 255)
        data[at] = rng.choice((rest, rest, rest - 1, 255, rng.randrange(data[at] + 1, rest + 1)))


def _nudge(rng: random.Random, data: bytearray, *_: object) -> None:
    """Add a little to a byte, rather the low one of a small big-endian number than another."""
    places = [at for at in range(1, len(data)) if data[at - 1] == 0 < data[at]]
    places = places or list(range(len(data)))
    if places:
        at = rng.choice(places)
        data[at] = (data[at] + rng.choice((1, 2, 4, 8, 16, -1))) % 256


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


def _swap(rng: random.Random, data: bytearray, *_: object) -> None:
    found = list(re.finditer(rb"[A-Za-z][A-Za-z0-9_-]+", data))
    if len(found) > 1:
        place, word = rng.choice(found), rng.choice(found)[0]
        data[place.start() : place.end()] = word


def _line(rng: random.Random, data: bytearray, *_: object) -> None:
    lines = bytes(data).splitlines(keepends=True)
    if len(lines) > 1:
        line = lines.pop(rng.randrange(len(lines)))
        for _copy in range(rng.choice((0, 1, 2))):
            lines.insert(rng.randrange(len(lines) + 1), line)
        data[:] = b"".join(lines)


def _repeat(rng: random.Random, data: bytearray, *_: object) -> None:
    if data:
        start = rng.randrange(len(data))
        end = rng.randrange(start, min(len(data), start + 64)) + 1
        data[start:start] = bytes(data[start:end]) * rng.choice((1, 2, 8, 64))


_ANY = (_flip, _boundary, _truncate, _grow, _splice, _word, _repeat)
_TEXT = (*_ANY, _swap, _swap, _swap, _line, _line, _line)
_BINARY = (*_ANY, _boundary, _length, _length, _length, _nudge, _nudge, _nudge)
