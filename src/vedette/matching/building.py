"""Building an index of any number of advisories: what is known of each goes to a scratch file."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tempfile
import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import IO, NamedTuple

from vedette.matching import records, rows
from vedette.matching.index import MAGIC, VERSION, plain
from vedette.matching.model import Advisory
from vedette.matching.rows import Correction

_IN_MEMORY = 16 * 1024 * 1024
_CHUNK = 1 << 20
ROWS_A_LINE = 1000


class Entry(NamedTuple):
    """One advisory, ready for the index; made anywhere, also in another process.

    `lines`: its aliases, its record, then a line a row: key, bounds, and the rest of the row.
    """

    id: str
    modified: str
    withdrawn: bool
    corrects: tuple[str, ...]
    evidence: str
    lines: bytes


def entry(advisory: Advisory) -> Entry:
    """Prepare one advisory for the index."""
    lines = [records.as_json(advisory.aliases), records.dump(advisory)]
    for key, row in rows.of_advisory(advisory, 0, 0):
        rest = records.as_json(row[2:])[1:-1]
        lines.append(b"\t".join((plain(key), records.as_json(row.bounds), rest)))
    head = (advisory.id, advisory.modified, advisory.withdrawn)
    return Entry(*head, advisory.corrects, advisory.evidence, b"\n".join(lines))


def build(advisories: Iterable[Advisory]) -> bytes:
    """Return the index of `advisories`; of two with one id the newer counts."""
    out = io.BytesIO()
    write(map(entry, advisories), out)
    return out.getvalue()


class Made(NamedTuple):
    """An index that was written: advisories, bytes, and the digest of the whole file."""

    advisories: int
    size: int
    digest: str


class _Kept(NamedTuple):
    """An entry with its lines in the scratch file."""

    entry: Entry
    at: int
    size: int


def write(entries: Iterable[Entry], out: IO[bytes]) -> Made:
    """Write the index of `entries` to `out`, with memory for their ids and keys only."""
    with (
        tempfile.SpooledTemporaryFile(_IN_MEMORY) as scratch,
        tempfile.SpooledTemporaryFile(_IN_MEMORY) as record_part,
        tempfile.SpooledTemporaryFile(_IN_MEMORY) as block_part,
    ):
        kept = _collect(entries, scratch)
        corrections = _corrections(kept, scratch)
        by_key: dict[bytes, list[tuple[int, int, int]]] = {}
        record_ends = array("Q")
        for where, one in enumerate(kept):
            scratch.seek(one.at)
            _, record, *lines = scratch.read(one.size).split(b"\n")
            record_part.write(record + b"\n")
            record_ends.append(record_part.tell())
            at = one.at + one.size
            for line in reversed(lines):
                at -= len(line)
                by_key.setdefault(line.partition(b"\t")[0], []).append((where, at, len(line)))
                at -= 1
        asked = {name for c in corrections for name in (c.id, *c.supersedes)}
        codes, block_ends = array("I"), array("Q")
        for code, key in sorted((zlib.crc32(key), key) for key in by_key):
            name, places = records.as_json(key.decode()), sorted(by_key[key])
            for start in range(0, len(places), ROWS_A_LINE):
                block = []
                for where, at, size in places[start : start + ROWS_A_LINE]:
                    scratch.seek(at)
                    _, bounds, rest = scratch.read(size).split(b"\t", 2)
                    bounds = b"null" if kept[where].entry.id in asked else bounds
                    block.append(b"[%d,%b,%b]" % (where, bounds, rest))
                block_part.write(b"[%b,[%b]]\n" % (name, b",".join(block)))
                codes.append(code)
                block_ends.append(block_part.tell())
        return assemble(
            out, (codes, block_ends, record_ends), corrections, (block_part, record_part)
        )


def _collect(entries: Iterable[Entry], scratch: IO[bytes]) -> list[_Kept]:
    """Put the lines into the scratch file; return the newest entries by id, none withdrawn."""
    newest: dict[str, _Kept] = {}
    end = 0
    for one in entries:
        known = newest.get(one.id)
        if known is not None:
            if one.modified < known.entry.modified:
                continue
            if one.modified == known.entry.modified:
                scratch.seek(known.at)
                if one.lines <= scratch.read(known.size):
                    continue
        scratch.seek(end)
        scratch.write(one.lines)
        newest[one.id] = _Kept(one._replace(lines=b""), end, len(one.lines))
        end += len(one.lines)
    return [newest[name] for name in sorted(newest) if not newest[name].entry.withdrawn]


def _corrections(kept: Iterable[_Kept], scratch: IO[bytes]) -> list[Correction]:
    found = sorted(
        (one.entry for one in kept if one.entry.corrects), key=lambda e: (e.modified, e.id)
    )

    def names(one: _Kept) -> list[str]:
        scratch.seek(one.at)
        aliases: list[str] = json.loads(scratch.readline())
        return [one.entry.id, *aliases]

    named = ((one.entry.id, names(one)) for one in kept if not one.entry.corrects)
    return rows.superseding([(c.id, c.corrects, c.evidence) for c in found], named)


def assemble(
    out: IO[bytes],
    numbers: tuple[array[int], array[int], array[int]],
    corrections: Sequence[Correction],
    parts: tuple[IO[bytes], IO[bytes]],
) -> Made:
    """Write the index of its parts 2 and 3, with the keys' codes and the ends of their lines."""
    codes, _, record_ends = numbers
    if sys.byteorder == "big":
        for one in numbers:
            one.byteswap()
    directory = b"".join(one.tobytes() for one in numbers)
    content = hashlib.sha256(directory)
    for part in parts:
        part.seek(0)
        while chunk := part.read(_CHUNK):
            content.update(chunk)
    header = {
        "advisories": len(record_ends),
        "block_bytes": parts[0].tell(),
        "corrections": corrections,
        "digest": "sha256:" + content.hexdigest(),
        "keys": len(codes),
        "record_bytes": parts[1].tell(),
    }
    head = b"".join((MAGIC, VERSION, b"\n", records.as_json(header), b"\n", directory))
    whole, size = hashlib.sha256(head), out.write(head)
    for part in parts:
        part.seek(0)
        while chunk := part.read(_CHUNK):
            whole.update(chunk)
            size += out.write(chunk)
    return Made(len(record_ends), size, "sha256:" + whole.hexdigest())
