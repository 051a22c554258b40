"""Advisories as JSON in an index: what differs from the defaults, listed versions that count.

A record loses its listed versions that lie in its own ranges: they decide nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from vedette.matching.model import Advisory, Affected
from vedette.matching.ranges import Interval, Range

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
quoted = json.encoder.encode_basestring_ascii


def dump(advisory: Advisory) -> bytes:
    """Return an advisory as one line of ASCII, without its end: `as_json` of what is given."""
    return _object(advisory).encode("ascii")


def load(line: bytes) -> Advisory:
    """Read what `dump` wrote. Raises an error of `msgspec`, KeyError, TypeError, AttributeError."""
    return _decode(msgspec.json.decode(line))


def as_json(value: Any) -> bytes:
    """Return `value` as compact JSON, always the same bytes."""
    return _ENCODE(value).encode("ascii")


def listed(values: Iterable[str]) -> str:
    """Return texts as a list of compact JSON."""
    return f"[{','.join(map(quoted, values))}]"


def _object(value: Any) -> str:
    """The fields of a dataclass that differ from their defaults, by name."""
    get, rows = _plan(value.__class__)
    given = [
        head + write(current)
        for current, (head, default, write) in zip(get(value), rows, strict=True)
        if current is not default and current != default
    ]
    return f"{{{','.join(given)}}}"


def _objects(values: Iterable[Affected]) -> str:
    return f"[{','.join(map(_object, values))}]"


def _ranges(values: Iterable[Range]) -> str:
    return f"[{','.join(map(_range, values))}]"


_range = lru_cache(maxsize=1 << 12)(_object)  # many advisories state the same


def _bounds(intervals: tuple[Interval, ...]) -> str:
    rows = [
        f"[{'null' if i.low is None else quoted(i.low)},"
        f"{'null' if i.high is None else quoted(i.high)},{i.low_open:d},{i.high_open:d}]"
        for i in intervals
    ]
    return f"[{','.join(rows)}]"


_ALWAYS = ("affected", "intervals")
_WRITERS: dict[str, Callable[[Any], str]] = {
    "affected": _objects,
    "intervals": _bounds,
    "ranges": _ranges,
    "withdrawn": json.dumps,
}


@cache
def _plan(
    kind: type[Any],
) -> tuple[Callable[[Any], tuple[Any, ...]], list[tuple[str, Any, Callable[[Any], str]]]]:
    """What reads all fields of a class, and for each its head, its default and its writer."""
    found = sorted(fields(kind), key=attrgetter("name"))
    rows = [
        (
            f'"{field.name}":',
            MISSING if field.name in _ALWAYS else field.default,
            _WRITERS.get(field.name) or (quoted if field.type == "str" else listed),
        )
        for field in found
    ]
    read = ("loose" if f.name == "versions" else f.name for f in found)
    return attrgetter(*read), rows


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
