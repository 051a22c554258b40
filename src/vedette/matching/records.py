"""Advisories as JSON in an index: what differs from the defaults, listed versions that count.

A record loses its listed versions that lie in its own ranges: they decide nothing.
"""

from __future__ import annotations

import json
from dataclasses import fields
from functools import cache
from typing import Any

from vedette.matching.model import Advisory, Affected
from vedette.matching.ranges import Interval, Range

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def dump(advisory: Advisory) -> bytes:
    """Return an advisory as one line of ASCII, without its end."""
    return as_json(_encode(advisory))


def load(line: bytes) -> Advisory:
    """Read what `dump` wrote. Raises ValueError, KeyError, TypeError or AttributeError."""
    return _decode(json.loads(line))


def as_json(value: Any) -> bytes:
    """Return `value` as compact JSON, always the same bytes."""
    return _ENCODE(value).encode("ascii")


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
    if affected.loose:
        record["versions"] = list(affected.loose)
    return record


def _bounds(item: Range) -> list[list[Any]]:
    return [[i.low, i.high, int(i.low_open), int(i.high_open)] for i in item.intervals]


def _given(value: Any, skip: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults."""
    given = {}
    for name, default in _defaults(value.__class__):
        current = getattr(value, name)
        if current != default and name not in skip:
            given[name] = list(current) if isinstance(current, tuple) else current
    return given


@cache
def _defaults(kind: type[Any]) -> list[tuple[str, Any]]:
    return [(field.name, field.default) for field in fields(kind)]


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
