"""What turns one index into a later one: copies out of the earlier, and what is new.

Both are compared flat: their lines without what can be reckoned from the rest (codes and places of
lines, numbers of advisories), so that a new advisory changes the lines about it and no other.
Layout, all of it compressed with zlib: line 1 the magic; line 2 JSON, a list of `[start, length]`
for a copy and `[length]` for new bytes, in order; then the new bytes.
"""

from __future__ import annotations

import io
import json
import zlib
from array import array
from collections.abc import Iterable, Sequence

import msgspec

from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.errors import BadInput
from vedette.matching import records
from vedette.matching.building import assemble
from vedette.matching.index import DAMAGE, Index, plain

MAGIC = b"vedette index delta 1\n"
LONG_LINE = 64 * 1024
_STEPS = Bounds(size=1 << 28, depth=3, count=1 << 24)


def make(earlier: bytes, later: bytes) -> bytes:
    """Return the delta from one index to another. Raises BadInput where one is none."""
    return difference(_flat(earlier), _flat(later))


def apply(earlier: bytes, delta: bytes, size: int) -> bytes:
    """Return the later index, of at most `size` bytes. Raises BadInput where it is none.

    Whoever applies one compares the result's digest with the one that the maker signed.
    """
    return _index(applied(_flat(earlier), delta, size))


def _flat(data: bytes) -> bytes:
    index = Index(data, "index")
    lines = [records.as_json([index.corrections, int(index.header["keys"])])]
    for block in index.blocks():
        name, rows = _block(block)
        lines.append(_line(name, [row[1:] for row in rows]))
    return b"\n".join([*lines, index.record_lines()])


def _index(flat: bytes) -> bytes:
    try:
        head, *lines = flat.split(b"\n")
        corrections, keys = json.loads(head)
        blocks, rest = lines[:keys], lines[keys:-1]
        places = {_RECORD.decode(line).id: where for where, line in enumerate(rest)}
        codes, block_ends, record_ends = array("I"), array("Q"), array("Q")
        block_part, record_part = io.BytesIO(), io.BytesIO()
        for line in blocks:
            name, rows = _block(line)
            # a row's second field is its advisory's id
            wheres = (b"%d" % places[_TEXT.decode(row[1])] for row in rows)
            whole = [(where, *row) for where, row in zip(wheres, rows, strict=True)]
            block_part.write(_line(name, whole) + b"\n")
            codes.append(zlib.crc32(plain(_TEXT.decode(name))))
            block_ends.append(block_part.tell())
        for line in rest:
            record_part.write(line + b"\n")
            record_ends.append(record_part.tell())
        out = io.BytesIO()
        numbers = (codes, block_ends, record_ends)
        assemble(out, numbers, corrections, (block_part, record_part))
    except DAMAGE:
        raise BadInput("delta: it gives no index", next_step="fetch the index whole") from None
    return out.getvalue()


class _Record(msgspec.Struct):
    id: str


_RECORD = msgspec.json.Decoder(_Record)
_TEXT = msgspec.json.Decoder(str)
# a key and its rows; no field is parsed, for all are written again as they are
_block = msgspec.json.Decoder(tuple[msgspec.Raw, list[list[msgspec.Raw]]]).decode
_Fields = Sequence[msgspec.Raw | bytes]


def _line(name: msgspec.Raw, rows: Iterable[_Fields]) -> bytes:
    return b"[%b,[%b]]" % (name, b",".join([b"[%b]" % b",".join(row) for row in rows]))


def difference(earlier: bytes, later: bytes) -> bytes:
    """Return what turns one text into another, of whatever lines."""
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


def applied(earlier: bytes, delta: bytes, size: int) -> bytes:
    """Return the later text, of at most `size` bytes. Raises BadInput."""
    unpacker = zlib.decompressobj()
    most = 2 * size + (1 << 20)
    try:
        content = unpacker.decompress(delta, most)
    except zlib.error:
        raise BadInput(
            "delta: not compressed as it should be", next_step="fetch the index whole"
        ) from None
    if not content.startswith(MAGIC) or unpacker.unconsumed_tail or not unpacker.eof:
        raise BadInput(
            "delta: no delta of an index, cut short, or larger than the index",
            next_step="fetch the index whole",
        )
    table, _, new = content[len(MAGIC) :].partition(b"\n")
    steps = read_json(table, source="delta", bounds=_STEPS)
    made, used = bytearray(), 0
    for step in steps if isinstance(steps, list) else [None]:
        if not isinstance(step, list) or not step or not all(_count(n) for n in step):
            raise BadInput("delta: a step that is none", next_step="fetch the index whole")
        if len(made) + step[-1] > size:
            raise BadInput("delta: more than the index's size", next_step="fetch the index whole")
        if len(step) == 2:
            made += earlier[step[0] : step[0] + step[1]]
        else:
            made += new[used : used + step[0]]
            used += step[0]
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
