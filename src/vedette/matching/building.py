"""Building an index of any number of advisories: what is known of each goes to a scratch file."""

from __future__ import annotations

import hashlib
import io
import sys
import tempfile
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice
from typing import IO, NamedTuple

import msgspec

from vedette.matching import records, rows
from vedette.matching.index import MAGIC, VERSION, last_line, plain, reading
from vedette.matching.model import Advisory, moment
from vedette.matching.rows import Correction

_IN_MEMORY = 16 * 1024 * 1024
_CHUNK = 1 << 20
_AHEAD = 20
ROWS_A_LINE = 1000
_USUAL = b',0,0,"exact","",0]'  # how most rows end; left out, as a reader takes it for granted


Read = Callable[[int, int], bytes]
Said = tuple[str, str, bool, tuple[str, ...], str, str, int]


class Head(msgspec.Struct, gc=False):
    """What building asks of an advisory.

    Args:
        size: of its record's line.
        number, at: its place among all, and where its record lies in the scratch file.
    """

    id: str
    modified: str
    withdrawn: bool
    corrects: tuple[str, ...]
    evidence: str
    origin: str
    size: int
    number: int
    at: int


class Prepared(NamedTuple):
    """Some advisories, ready for the index; made anywhere, also in another process.

    Args:
        heads: the first fields of a `Head`, one an advisory.
        keys: one a row.
        numbers: of each row that of its head, and its size.
        lines: the lines of the records, then those of the rows, from their bounds on.
    """

    heads: list[Said]
    keys: list[bytes]
    numbers: array[int]
    lines: bytes


def prepare(advisories: Iterable[Advisory]) -> Prepared:
    """Prepare advisories for the index."""
    heads: list[Said] = []
    keys: list[bytes] = []
    numbers = array("I")
    lines: list[bytes] = []
    row_lines: list[bytes] = []
    for number, one in enumerate(_ahead(advisories)):
        record = records.dump(one) + b"\n"
        said = (one.id, one.modified, one.withdrawn, one.corrects, one.evidence, one.origin)
        heads.append((*said, len(record)))
        lines.append(record)
        for key, row in rows.of_advisory(one, 0, 0):
            line = records.encode(row)[len(b"[0,") :]
            if line.endswith(_USUAL):
                line = line[: -len(_USUAL)] + b"]"
            keys.append(plain(key))
            numbers.extend((number, len(line)))
            row_lines.append(line)
    return Prepared(heads, keys, numbers, b"".join(lines + row_lines))


def _ahead(advisories: Iterable[Advisory]) -> Iterator[Advisory]:
    """Yield the same, some read ahead: reading and preparing in turns take a fifth more time."""
    each = iter(advisories)
    while some := list(islice(each, _AHEAD)):
        yield from some


def build(advisories: Iterable[Advisory]) -> bytes:
    """Return the index of `advisories`; of two with one id and origin the newer counts."""
    out = io.BytesIO()
    write([prepare(advisories)], out)
    return out.getvalue()


class Made(NamedTuple):
    """An index that was written: advisories, bytes, and the digest of the whole file."""

    advisories: int
    size: int
    digest: str


def write(parts: Iterable[Prepared], out: IO[bytes]) -> Made:
    """Write the index of `parts` to `out`, with memory for their ids and keys only."""
    with (
        tempfile.TemporaryFile(buffering=0) as scratch,
        tempfile.SpooledTemporaryFile(_IN_MEMORY) as block_part,
    ):
        by_key: dict[bytes, array[int]] = {}
        read = reading(scratch)
        kept, total = _collect(parts, by_key, scratch)
        corrections = _corrections(kept, read)
        places = array("I", bytes(4 * total))  # by number, counted from 1; 0 is not kept
        for place, one in enumerate(kept, 1):
            places[one.number] = place
        asked = {name for c in corrections for name in (c.id, *c.supersedes)}
        silent = frozenset(place for place, one in enumerate(kept, 1) if one.id in asked)
        codes, block_ends = array("I"), array("Q")
        end = 0
        for code, key in sorted((zlib.crc32(key), key) for key in by_key):
            for line in _blocks(key, by_key.pop(key), places, silent, read):
                end += block_part.write(line)
                codes.append(code)
                block_ends.append(end)
        record_lines = (read(size, at) for at, size in _runs(kept))
        numbers = (codes, block_ends, array("Q", accumulate(one.size for one in kept)))
        return assemble(out, numbers, corrections, chain(chunks(block_part), record_lines))


def _corrections(kept: Sequence[Head], read: Read) -> list[Correction]:
    found = sorted(
        (one for one in kept if one.corrects), key=lambda one: (moment(one.modified), one.id)
    )
    others = (one for one in kept if not one.corrects)
    named = ((one.id, records.names(read(one.size, one.at))) for one in others)
    return rows.superseding([(one.id, one.corrects, one.evidence) for one in found], named)


def _blocks(
    key: bytes,
    known: array[int],
    places: array[int],
    silent: frozenset[int],
    read: Read,
) -> Iterator[bytes]:
    """Yield the lines of one key; rows of a `silent` advisory have no bounds, so that it is asked.

    `known`: of each row the number of its advisory, where it lies in the scratch file, its size.
    """
    name, each = records.encode(key.decode()), iter(known)
    found = zip(each, each, each, strict=True)
    held = sorted([(places[n], at, size) for n, at, size in found if places[n]])
    for start in range(0, len(held), ROWS_A_LINE):
        block = []
        for place, at, size in held[start : start + ROWS_A_LINE]:
            row = read(size, at)
            if place in silent and row.startswith(b"["):
                row = b"null" + row[row.index(b"]") + 1 :]
            block.append(b"[%d,%b" % (place - 1, row))
        yield b"[%b,[%b]]\n" % (name, b",".join(block))


def _collect(
    parts: Iterable[Prepared], by_key: dict[bytes, array[int]], scratch: IO[bytes]
) -> tuple[list[Head], int]:
    """Put the lines into the scratch file, the places of the rows into `by_key`.

    Returns the newest heads by id, none withdrawn, and how many there were at all. Of several
    records with one id that all count, a merged one is put there, too.
    """
    newest: dict[str, Head] = {}
    tied: dict[str, list[Head]] = {}
    read = reading(scratch)
    end = first = 0
    for part in parts:
        for head in _put(part, first, end, by_key, scratch):
            name = f"{head.id}\0{head.origin}" if head.origin else head.id
            known = newest.setdefault(name, head)
            if known is not head:
                _settle(name, head, known, newest, tied, scratch)
        end += len(part.lines)
        first += len(part.heads)
    kept: dict[str, Head] = {}
    several: dict[str, list[Head]] = {}
    for name, head in newest.items():
        for one in (head, *tied.get(name, ())):
            if not one.withdrawn and (known := kept.setdefault(one.id, one)) is not one:
                several.setdefault(one.id, [known]).append(one)
    for identifier, heads in several.items():
        same = [records.load(read(one.size, one.at)) for one in heads]
        scratch.seek(0, io.SEEK_END)
        part = prepare([records.merged(same)])
        (kept[identifier],) = _put(part, first, end, by_key, scratch)
        end += len(part.lines)
        first += 1
    return [kept[name] for name in sorted(kept)], first


def _put(
    part: Prepared, first: int, end: int, by_key: dict[bytes, array[int]], scratch: IO[bytes]
) -> list[Head]:
    """Put one part behind the end of the scratch file; return its heads, numbered from `first`."""
    scratch.write(part.lines)
    heads, at = [], end
    for number, said in enumerate(part.heads, first):
        head = Head(*said, number, at)
        heads.append(head)
        at += head.size
    numbers = iter(part.numbers)
    for key, number, size in zip(part.keys, numbers, numbers, strict=True):
        where = first + number, at, size
        if key in by_key:
            by_key[key].extend(where)
        else:
            by_key[key] = array("Q", where)
        at += size
    return heads


def _settle(
    name: str,
    head: Head,
    known: Head,
    newest: dict[str, Head],
    tied: dict[str, list[Head]],
    scratch: IO[bytes],
) -> None:
    """Of two with one id and origin keep the newer; equally new ones both, where they differ."""
    if head.modified != known.modified:
        new, old = moment(head.modified), moment(known.modified)
        if new > old:
            newest[name] = head
            tied.pop(name, None)
        if new != old:
            return
    read = reading(scratch)
    record = read(head.size, head.at)
    same = (known, *tied.get(name, ()))
    if all(read(one.size, one.at) != record for one in same):
        tied.setdefault(name, []).append(head)
    scratch.seek(0, io.SEEK_END)


def _runs(kept: Iterable[Head]) -> Iterator[tuple[int, int]]:
    """Where the records lie (start, size), neighbours together up to a chunk."""
    start = size = 0
    for one in kept:
        if one.at != start + size or size > _CHUNK:
            yield start, size
            start, size = one.at, 0
        size += one.size
    yield start, size


def assemble(
    out: IO[bytes],
    numbers: tuple[array[int], array[int], array[int]],
    corrections: Sequence[Correction],
    lines: Iterable[bytes],
) -> Made:
    """Write the index of the `lines` of its parts 2 and 3, in pieces of any size.

    `numbers`: the keys' codes, the ends of their lines, those of the advisories' lines.
    """
    codes, *ends = numbers
    advisories = len(ends[1])
    header = {
        "advisories": advisories,
        "block_bytes": ends[0][-1] if ends[0] else 0,
        "corrections": corrections,
        "keys": len(codes),
        "record_bytes": ends[1][-1] if ends[1] else 0,
    }
    if sys.byteorder == "big":
        for one in numbers:
            one.byteswap()
    head = (MAGIC, VERSION, b"\n", records.as_json(header), b"\n", *map(array.tobytes, numbers))
    whole, size = hashlib.sha256(), 0
    for chunk in chain(head, lines):
        whole.update(chunk)
        size += out.write(chunk)
    end = last_line(whole.hexdigest())
    whole.update(end)
    return Made(advisories, size + out.write(end), "sha256:" + whole.hexdigest())


def chunks(part: IO[bytes]) -> Iterator[bytes]:
    """Yield a file from its start."""
    part.seek(0)
    return iter(lambda: part.read(_CHUNK), b"")
