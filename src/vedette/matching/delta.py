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
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from tempfile import TemporaryFile

import msgspec

from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.errors import BadInput
from vedette.matching import records
from vedette.matching.building import assemble, chunks
from vedette.matching.index import DAMAGE, Index, plain

MAGIC = b"vedette index delta 1\n"
_WHOLE = "fetch the index whole"
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
    flat = io.BytesIO()
    flat.write(records.as_json([index.corrections, int(index.header["keys"])]) + b"\n")
    for block in index.blocks():
        name, rows = _block(block)
        flat.write(_line(name, [row[1:] for row in rows]) + b"\n")
    flat.write(index.record_lines())
    return flat.getvalue()


def _index(flat: bytes) -> bytes:
    out, given = io.BytesIO(), io.BytesIO(flat)
    codes, block_ends, record_ends = array("I"), array("Q"), array("Q")
    # files, so that the index lies in memory once; they end with the answer
    with TemporaryFile() as block_part, TemporaryFile() as record_part:
        try:
            corrections, keys = json.loads(given.readline())
            start = given.tell()
            deque(islice(given, keys), maxlen=0)
            places = {}
            for where, line in enumerate(given):
                places[_RECORD.decode(line).id] = where
                record_part.write(line)
                record_ends.append(record_part.tell())
            given.seek(start)
            for line in islice(given, keys):
                name, rows = _block(line)
                # a row's second field is its advisory's id
                wheres = (b"%d" % places[_TEXT.decode(row[1])] for row in rows)
                whole = [(where, *row) for where, row in zip(wheres, rows, strict=True)]
                block_part.write(_line(name, whole) + b"\n")
                codes.append(zlib.crc32(plain(_TEXT.decode(name))))
                block_ends.append(block_part.tell())
            numbers = (codes, block_ends, record_ends)
            lines = chain(chunks(block_part), chunks(record_part))
            assemble(out, numbers, corrections, lines)
        except DAMAGE:
            raise BadInput("delta: it gives no index", next_step=_WHOLE) from None
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
    # by their hashes, and looked at again: the lines themselves would be the text once more
    places: dict[int, int] = {}
    for start, line in _pieces(earlier):
        places.setdefault(hash(line), start)
    steps: list[list[int]] = []
    new = bytearray()
    for _, line in _pieces(later):
        last, place = steps[-1] if steps else [0], places.get(hash(line), -1)
        end = sum(last) if len(last) == 2 else -1
        if end >= 0 and earlier.startswith(line, end):
            last[1] += len(line)
        elif place >= 0 and earlier.startswith(line, place):
            steps.append([place, len(line)])
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
        raise BadInput("delta: not compressed as it should be", next_step=_WHOLE) from None
    if not content.startswith(MAGIC) or unpacker.unconsumed_tail or not unpacker.eof:
        raise BadInput(
            "delta: no delta of an index, cut short, or larger than the index",
            next_step=_WHOLE,
        )
    table, _, new = content[len(MAGIC) :].partition(b"\n")
    steps = read_json(table, source="delta", bounds=_STEPS)
    made, used = io.BytesIO(), 0
    old, fresh = memoryview(earlier), memoryview(new)
    for step in steps if isinstance(steps, list) else [None]:
        if not isinstance(step, list) or not step or not all(_count(n) for n in step):
            raise BadInput("delta: a step that is none", next_step=_WHOLE)
        if made.tell() + step[-1] > size:
            raise BadInput("delta: more than the index's size", next_step=_WHOLE)
        if len(step) == 2:
            made.write(old[step[0] : step[0] + step[1]])
        else:
            made.write(fresh[used : used + step[0]])
            used += step[0]
    return made.getvalue()


def _count(number: object) -> bool:
    return type(number) is int and number >= 0


def _pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their ends and places; what has none for long is cut."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start, start + LONG_LINE) + 1 or min(len(data), start + LONG_LINE)
        yield start, data[start:end]
        start = end
