"""Changed inputs, without end: bytes set, flipped, inserted, removed and copied."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random


def mutations(seeds: list[bytes], random: Random) -> Iterator[bytes]:
    """Yield inputs, each one of `seeds` changed in one to four places."""
    while True:
        data = bytearray(random.choice(seeds))
        for _ in range(random.randint(1, 4)):
            _mutate(data, random)
        yield bytes(data)


def _mutate(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data) + 1)
    act = random.randrange(5)
    if act == 0 and at < len(data):
        data[at] = random.randrange(256)
    elif act == 1 and at < len(data):
        data[at] ^= 1 << random.randrange(8)
    elif act == 2:
        data[at:at] = random.randbytes(random.randint(1, 4))
    elif act == 3:
        del data[at : at + random.randint(1, 8)]
    else:
        start = random.randrange(len(data) + 1)
        data[at:at] = data[start : start + random.randint(1, 16)]
