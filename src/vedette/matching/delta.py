"""What turns one index into a later one: copies out of the earlier, and the bytes that are new.

An index is sorted lines (see `index`), so most of a later one stands in the earlier. Layout, all of
it compressed with zlib: line 1 the magic; line 2 JSON, a list of `[start, length]` for a copy and
`[length]` for new bytes, in order; then the new bytes.
"""

from __future__ import annotations

import json
import zlib

from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.errors import BadInput

MAGIC = b"vedette index delta 1\n"
LONG_LINE = 64 * 1024
_STEPS = Bounds(size=1 << 28, depth=3, count=1 << 24)


def make(earlier: bytes, later: bytes) -> bytes:
    """Return the delta from `earlier` to `later`."""
    places: dict[bytes, int] = {}
    for start, line in _pieces(earlier):
        places.setdefault(line, start)
    steps: list[list[int]] = []
    new = bytearray()
    for _, line in _pieces(later):
        last = steps[-1] if steps else [0]
        end = sum(last) if len(last) == 2 else -1
        if end >= 0 and earlier.startswith(line, end):
            last[1] += len(line)
        elif line in places:
            steps.append([places[line], len(line)])
        else:
            if not steps or len(last) == 2:
                steps.append([0])
            steps[-1][0] += len(line)
            new += line
    return zlib.compress(MAGIC + json.dumps(steps).encode() + b"\n" + new, 6)


def apply(earlier: bytes, delta: bytes, size: int) -> bytes:
    """Return the later index, of `size` bytes. Raises BadInput where it comes out otherwise.

    Whoever applies one compares the result's digest with the one that the maker signed.
    """
    unpacker = zlib.decompressobj()
    most = 2 * size + (1 << 20)
    try:
        content = unpacker.decompress(delta, most)
    except zlib.error:
        raise BadInput("delta: not compressed as it should be") from None
    if not content.startswith(MAGIC) or unpacker.unconsumed_tail or not unpacker.eof:
        raise BadInput("delta: no delta of an index, cut short, or larger than the index")
    table, _, new = content[len(MAGIC) :].partition(b"\n")
    steps = read_json(table, source="delta", bounds=_STEPS)
    made, used = bytearray(), 0
    for step in steps if isinstance(steps, list) else [None]:
        if not isinstance(step, list) or not step or not all(_count(n) for n in step):
            raise BadInput("delta: a step that is none")
        if len(made) + step[-1] > size:
            raise BadInput("delta: more than the index's size")
        if len(step) == 2:
            made += earlier[step[0] : step[0] + step[1]]
        else:
            made += new[used : used + step[0]]
            used += step[0]
    if len(made) != size:
        raise BadInput("delta: it does not give an index of that size")
    return bytes(made)


def _count(number: object) -> bool:
    return type(number) is int and number >= 0


def _pieces(data: bytes) -> list[tuple[int, bytes]]:
    """The lines with their ends and places; what has none for long is cut."""
    found, start = [], 0
    while start < len(data):
        end = data.find(b"\n", start, start + LONG_LINE) + 1 or min(len(data), start + LONG_LINE)
        found.append((start, data[start:end]))
        start = end
    return found
