"""The advisory index: one file that many matches reuse, the same bytes for the same advisories.

Layout, uncompressed (so no library's version changes a byte):
  line 1   `vedette advisory index 5`
  line 2   JSON: numbers of advisories and keys, corrections, sizes of the parts
  part 1   little-endian: for each line of part 2 the CRC-32 of its key, ascending (4 bytes each),
           then where it ends, then where each line of part 3 ends (8 bytes each)
  part 2   a line a key, by the CRC-32: JSON, the key and its rows (see `rows`); a key of many rows
           has several lines, so that a million of them never lie in memory at once
  part 3   a line an advisory, as JSON (see `records`), sorted by id
  last     `sha256:` and the digest of all before this line
"""

from __future__ import annotations

import json
import os
import sys
import weakref
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import msgspec

from vedette.kernel.errors import BadInput
from vedette.matching import records
from vedette.matching.model import Advisory, Affected
from vedette.matching.rows import AGAIN, Correction, Row

MAGIC = b"vedette advisory index "
VERSION = b"5"
MAX_HEADER = 16 * 1024 * 1024
_CHUNK = 1 << 18
_NEAR = 32
_PREAD = hasattr(os, "pread")
DAMAGE = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError),
    msgspec.MsgspecError,
)
_UNSAFE = str.maketrans(dict.fromkeys(range(32), " "))


def plain(key: str) -> bytes:
    """Return a key as the index writes it: UTF-8 without control characters."""
    if key.isprintable():
        return key.encode()
    return key.encode("utf-8", "replace").decode().translate(_UNSAFE).encode()


def reading(file: IO[bytes]) -> Callable[[int, int], bytes]:
    """What reads so many bytes of an open unbuffered file from a place on; its position may move.

    It raises OSError.
    """
    if _PREAD:
        return partial(os.pread, file.fileno())

    def read(size: int, start: int) -> bytes:
        file.seek(start)
        return file.read(size)

    return read


def last_line(digest: str) -> bytes:
    """The last line of an index, with the SHA-256 of all before it in hexadecimal."""
    return f"sha256:{digest}\n".encode("ascii")


_LAST = len(last_line("0" * 64))


class Memory:
    """Bytes in memory, read like those of a file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, start: int, end: int) -> bytes:
        return self._data[start:end]


class File:
    """An open file, read by position, so that nothing of it stays in memory. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._read = reading(self._file)
        self.size = os.fstat(self._file.fileno()).st_size
        weakref.finalize(self, self._file.close)

    def read(self, start: int, end: int) -> bytes:
        end = min(end, self.size)  # a damaged index may name places far away
        return self._read(end - start, start) if start < end else b""


class Index:
    """An open index. Reads only what an inventory asks for.

    Raises BadInput when the file is no index, one of another version, or cut short.
    """

    def __init__(self, data: bytes | File, name: str) -> None:
        self._data = data if isinstance(data, File) else Memory(bytes(data))
        self.name = name
        head = self._data.read(0, 4096).split(b"\n", 2)
        if not head[0].startswith(MAGIC) or len(head) < 2:
            raise BadInput(f"{name}: not a Vedette advisory index", next_step=AGAIN)
        version = head[0][len(MAGIC) :]
        if version != VERSION:
            raise BadInput(
                f"{name}: index version {version[:20].decode('ascii', 'replace')}, this program"
                f" reads version {VERSION.decode()}",
                next_step=AGAIN,
            )
        if len(head) < 3:
            head = self._data.read(0, MAX_HEADER).split(b"\n", 2)
        try:
            self.header: dict[str, Any] = json.loads(head[1])
            keys, advisories = int(self.header["keys"]), int(self.header["advisories"])
            self.corrections = [
                Correction(c, tuple(map(str, s)), e) for c, s, e in self.header["corrections"]
            ]
            self._at = len(head[0]) + len(head[1]) + 2
            self._blocks_at = self._at + 12 * keys + 8 * advisories
            self._records_at = self._blocks_at + int(self.header["block_bytes"])
            self._end = self._records_at + int(self.header["record_bytes"])
            end = self._end + _LAST
        except DAMAGE:
            raise BadInput(f"{name}: the index's header can't be read", next_step=AGAIN) from None
        if end != self._data.size or not self._at <= self._blocks_at <= self._records_at <= end:
            raise BadInput(
                f"{name}: {self._data.size:,} bytes, its header says {end:,}",
                next_step=AGAIN,
            )
        self._keys, self._advisories = keys, advisories
        self.advisory = lru_cache(maxsize=1024)(self._advisory)
        self._place = lru_cache(maxsize=1 << 16)(self._find)

    def verify(self) -> None:
        """Check the content against its digest. Raises BadInput."""
        from hashlib import sha256  # slow to import

        content = sha256()
        for start in range(0, self._end, _CHUNK):
            content.update(self._data.read(start, min(start + _CHUNK, self._end)))
        if last_line(content.hexdigest()) != self._data.read(self._end, self._data.size):
            raise BadInput(f"{self.name}: content and digest differ", next_step=AGAIN)

    def holds(self, key: str) -> bool:
        """Whether a key may have rows: one of its CRC-32 has."""
        return self._place(key) >= 0

    def _find(self, key: str) -> int:
        """The first line whose key has the CRC-32 of this one, -1 where none has."""
        code = zlib.crc32(plain(key))
        at = bisect_left(self._codes, code)
        return at if at < self._keys and self._codes[at] == code else -1

    def rows(self, key: str) -> Iterator[Row]:
        """Yield the rows of one key. Raises BadInput where the index is damaged."""
        at = self._place(key)
        if at < 0:
            return
        code, codes, ends = self._codes[at], self._codes, self._block_ends
        while at < self._keys and codes[at] == code:
            yield from self._of_key(key, self._line(ends, at, self._blocks_at))
            at += 1

    def each(self, keys: Iterable[str]) -> Iterator[tuple[str, Iterable[Row]]]:
        """Yield the keys that may have rows, each with its own, in the file's order.

        Where many are asked for, neighbours are read together. Raises BadInput where the index is
        damaged.
        """
        by_place: dict[int, str] = {}
        for key in keys:
            place = self._place(key)
            if place >= 0 and by_place.setdefault(place, key) != key:
                yield key, self.rows(key)  # two keys of one CRC-32
        codes, ends = self._codes, self._block_ends
        least = _CHUNK if len(by_place) * _NEAR > self._keys else 0
        data, first, last = b"", 0, 0
        for place in sorted(by_place):
            key = by_place[place]
            if place + 1 < self._keys and codes[place + 1] == codes[place]:
                yield key, self.rows(key)
                continue
            start, end = ends[place - 1] if place else 0, ends[place]
            if end > last:
                first, last = (
                    start,
                    max(end, min(start + least, self._records_at - self._blocks_at)),
                )
                data = self._data.read(self._blocks_at + first, self._blocks_at + last)
            yield key, self._of_key(key, data[start - first : end - first])

    def _of_key(self, key: str, line: bytes) -> list[Row]:
        """The rows of a line, where it is of this key."""
        try:
            name, rows = _decode(line)
        except DAMAGE:
            raise self._damaged() from None
        return rows if name == key or name.encode() == plain(key) else []

    def advisories(self, wanted: frozenset[str]) -> Iterator[Advisory]:
        """Yield the advisories that have one of the `wanted` keys, by id."""
        for where in sorted({row.where for key in wanted for row in self.rows(key)}):
            yield self.advisory(where)

    def product(self, row: Row) -> tuple[Advisory, Affected]:
        """Return the advisory of a row and its product."""
        advisory = self.advisory(row.where)
        try:
            return advisory, advisory.affected[row.product]
        except DAMAGE:
            raise self._damaged() from None

    def summary(self, where: int) -> str:
        """Return the summary of the advisory of that number. Raises BadInput where damaged."""
        try:
            return records.summary(self._line(self._record_ends, where, self._records_at))
        except DAMAGE:
            raise self._damaged() from None

    def blocks(self) -> Iterator[bytes]:
        """Yield the lines of part 2, without their ends."""
        return (self._line(self._block_ends, n, self._blocks_at)[:-1] for n in range(self._keys))

    def keys(self) -> Iterator[str]:
        """Yield every product key, once for each of its lines. Raises BadInput where damaged."""
        for block in self.blocks():
            try:
                yield _KEY.decode(block)[0]
            except DAMAGE:
                raise self._damaged() from None

    def record_lines(self) -> bytes:
        """Part 3 as it stands."""
        return self._data.read(self._records_at, self._end)

    def __iter__(self) -> Iterator[Advisory]:
        """Yield every advisory, by id."""
        return map(self._advisory, range(self._advisories))

    def _advisory(self, where: int) -> Advisory:
        """Return the advisory of that number. Raises BadInput where the index is damaged."""
        try:
            return records.load(self._line(self._record_ends, where, self._records_at))
        except DAMAGE:
            raise self._damaged() from None

    def _line(self, ends: Sequence[int], number: int, base: int) -> bytes:
        start = ends[number - 1] if number else 0
        return self._data.read(base + start, base + ends[number])

    @cached_property
    def _codes(self) -> Sequence[int]:
        # a list: a bisected array makes a number at each step
        return self._numbers("I", self._at, self._keys).tolist()

    @cached_property
    def _block_ends(self) -> Sequence[int]:
        return self._numbers("Q", self._at + 4 * self._keys, self._keys)

    @cached_property
    def _record_ends(self) -> Sequence[int]:
        return self._numbers("Q", self._at + 12 * self._keys, self._advisories)

    def _numbers(self, kind: str, start: int, count: int) -> array[int]:
        numbers = array(kind)
        numbers.frombytes(self._data.read(start, start + count * numbers.itemsize))
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers

    def _damaged(self) -> BadInput:
        return BadInput(f"{self.name}: damaged", next_step=AGAIN)


class _Row(Row, array_like=True, gc=False):
    """A row as it stands in the index: what only some lines tell stays JSON until it is told."""

    where: Annotated[int, msgspec.Meta(ge=0)]
    fixed: tuple[msgspec.Raw, ...] = ()
    confidence: Literal["exact", "likely", "possible"] = "exact"
    aliases: msgspec.Raw = msgspec.Raw(b"[]")


_decode: Callable[[bytes], tuple[str, list[Row]]]
_decode = msgspec.json.Decoder(tuple[str, list[_Row]]).decode  # type: ignore[assignment]
_KEY = msgspec.json.Decoder(tuple[str, msgspec.Raw])


def open_index(path: Path) -> Index:
    """Open an index file without reading it whole. Raises BadInput."""
    try:
        return Index(File(path), str(path))
    except OSError as error:
        raise BadInput(f"{path}: the index can't be opened ({error})", next_step=AGAIN) from None
