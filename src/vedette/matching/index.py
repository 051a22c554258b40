"""The advisory index: one file that many matches reuse, the same bytes for the same advisories.

Layout, all UTF-8 text, sorted, uncompressed (so no library's version changes a byte):
  line 1   `vedette advisory index 1`
  line 2   JSON: numbers of advisories and keys, sizes in bytes of both parts, digest of both
  part 1   a line a key: the key, a tab, offsets into part 2
  part 2   a line an advisory, as JSON, sorted by id

A record loses its listed versions that lie in its own ranges: they decide nothing.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from vedette.kernel.errors import BadInput
from vedette.matching import identity
from vedette.matching.model import Advisory, Affected
from vedette.matching.ranges import Interval, Range

MAGIC = b"vedette advisory index "
VERSION = b"1"
MAX_HEADER = 4096
_UNSAFE = str.maketrans(dict.fromkeys(range(32), " "))


def build(advisories: Iterable[Advisory]) -> bytes:
    """Return the index of `advisories`; of two with one id the newer counts."""
    newest: dict[str, Advisory] = {}
    for advisory in advisories:
        known = newest.get(advisory.id)
        if known is None or _sort_key(advisory) > _sort_key(known):
            newest[advisory.id] = advisory
    keys: dict[str, list[int]] = {}
    records: list[bytes] = []
    offset = 0
    for identifier in sorted(newest):
        advisory = newest[identifier]
        if advisory.withdrawn:
            continue
        record = _dump(_encode(advisory)) + b"\n"
        for key in {k for a in advisory.affected for k in identity.of_affected(a)}:
            keys.setdefault(_plain(key), []).append(offset)
        records.append(record)
        offset += len(record)
    key_part = b"".join(
        f"{key}\t{' '.join(map(str, sorted(set(keys[key]))))}\n".encode() for key in sorted(keys)
    )
    body = b"".join(records)
    header = {
        "advisories": len(records),
        "digest": "sha256:" + hashlib.sha256(key_part + body).hexdigest(),
        "key_bytes": len(key_part),
        "keys": len(keys),
        "record_bytes": len(body),
    }
    return b"".join((MAGIC, VERSION, b"\n", _dump(header), b"\n", key_part, body))


class Index:
    """An open index. Reads only what an inventory asks for.

    Raises BadInput when the file is no index, one of another version, or cut short.
    """

    def __init__(self, data: bytes | mmap.mmap, name: str) -> None:
        self._data = data
        self.name = name
        head = data[: len(MAGIC) + MAX_HEADER].split(b"\n", 2)
        if not head[0].startswith(MAGIC) or len(head) < 3:
            raise BadInput(f"{name}: not a Vedette advisory index")
        version = head[0][len(MAGIC) :]
        if version != VERSION:
            raise BadInput(
                f"{name}: index version {version[:20].decode('ascii', 'replace')}, this program"
                f" reads version {VERSION.decode()}",
                next_step="build it again with: vedette index --advisories PATH --out FILE",
            )
        try:
            self.header = json.loads(head[1])
            self._keys_at = len(head[0]) + len(head[1]) + 2
            self._records_at = self._keys_at + int(self.header["key_bytes"])
            end = self._records_at + int(self.header["record_bytes"])
        except (ValueError, KeyError, TypeError):
            raise BadInput(f"{name}: the index's header can't be read") from None
        if end != len(data) or self._records_at < self._keys_at or end < self._records_at:
            raise BadInput(
                f"{name}: {len(data):,} bytes, its header says {end:,}",
                next_step="fetch or build the index again",
            )

    def verify(self) -> None:
        """Check the content against the header's digest. Raises BadInput."""
        content = self._data[self._keys_at :]
        if "sha256:" + hashlib.sha256(content).hexdigest() != self.header.get("digest"):
            raise BadInput(f"{self.name}: content and digest differ; fetch the index again")

    def advisories(self, wanted: frozenset[str]) -> Iterator[Advisory]:
        """Yield the advisories that have one of the `wanted` keys, by id."""
        plain = {_plain(key).encode() for key in wanted}
        offsets: set[int] = set()
        for line in self._data[self._keys_at : self._records_at].splitlines():
            key, _, places = line.partition(b"\t")
            if key in plain:
                if not places.replace(b" ", b"").isdigit():
                    raise self._damaged()
                offsets.update(map(int, places.split()))
        for offset in sorted(offsets):
            yield self._record(offset)

    def __iter__(self) -> Iterator[Advisory]:
        """Yield every advisory, by id."""
        start = self._records_at
        while start < len(self._data):
            yield self._record(start - self._records_at)
            start = self._data.find(b"\n", start) + 1

    def _record(self, offset: int) -> Advisory:
        start = self._records_at + offset
        end = self._data.find(b"\n", start)
        try:
            return _decode(json.loads(self._data[start : end if end >= 0 else start]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._damaged() from None

    def _damaged(self) -> BadInput:
        return BadInput(f"{self.name}: damaged; fetch or build the index again")


def open_index(path: Path) -> Index:
    """Open an index file without reading it whole. Raises BadInput."""
    try:
        with path.open("rb") as file:
            return Index(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), str(path))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: the index can't be opened ({error})") from None


def _sort_key(advisory: Advisory) -> tuple[str, bytes]:
    return advisory.modified, _dump(_encode(advisory))


def _dump(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _plain(key: str) -> str:
    return key.encode("utf-8", "replace").decode().translate(_UNSAFE)


def _encode(advisory: Advisory) -> dict[str, Any]:
    record = _given(advisory, skip=("affected", "withdrawn"))
    if advisory.withdrawn:
        record["withdrawn"] = True
    record["affected"] = [_encode_affected(a) for a in advisory.affected]
    return record


def _encode_affected(affected: Affected) -> dict[str, Any]:
    record = _given(affected, skip=("ranges", "versions"))
    ranges = [_given(r, skip=("intervals",)) | {"intervals": _bounds(r)} for r in affected.ranges]
    if ranges:
        record["ranges"] = ranges
    needed = [v for v in affected.versions if not _covered(v, affected)]
    if needed:
        record["versions"] = needed
    return record


def _bounds(item: Range) -> list[list[Any]]:
    return [[i.low, i.high, int(i.low_open), int(i.high_open)] for i in item.intervals]


def _covered(version: str, affected: Affected) -> bool:
    return any(
        r.status == "affected" and isinstance(r.find(version), Interval) for r in affected.ranges
    )


def _given(value: Any, skip: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults."""
    given = {}
    for field in fields(value):
        current = getattr(value, field.name)
        if field.name not in skip and current != field.default:
            given[field.name] = list(current) if isinstance(current, tuple) else current
    return given


def _decode(record: dict[str, Any]) -> Advisory:
    affected = tuple(_decode_affected(a) for a in record.pop("affected"))
    return Advisory(affected=affected, **_tuples(record))


def _decode_affected(record: dict[str, Any]) -> Affected:
    ranges = tuple(_decode_range(r) for r in record.pop("ranges", ()))
    return Affected(ranges=ranges, **_tuples(record))


def _decode_range(record: dict[str, Any]) -> Range:
    bounds = record.pop("intervals")
    intervals = tuple(Interval(low, high, bool(a), bool(b)) for low, high, a, b in bounds)
    return Range(intervals=intervals, **record)


def _tuples(record: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
