"""Advisories as JSON in an index: what differs from the defaults, listed versions that count.

A record loses its listed versions that lie in its own ranges: they decide nothing.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from vedette.matching.model import Advisory, Affected
from vedette.matching.ranges import Interval, Range

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_encode = msgspec.json.Encoder().encode


class _Range(msgspec.Struct, omit_defaults=True):
    intervals: list[tuple[str | None, str | None, int, int]]
    problem: str = ""
    scheme: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    words: str = ""


class _Affected(msgspec.Struct, omit_defaults=True):
    aliases: tuple[str, ...] = ()
    context: str = ""
    cpes: tuple[str, ...] = ()
    default: str | UnsetType = UNSET
    ecosystem: str = ""
    fixed: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    name: str = ""
    product: str = ""
    purl: str = ""
    ranges: tuple[Raw, ...] = ()
    scheme: str = ""
    vendor: str = ""
    versions: tuple[str, ...] = ()


class _Record(msgspec.Struct, omit_defaults=True):
    affected: list[_Affected]
    aliases: tuple[str, ...] = ()
    corrects: tuple[str, ...] = ()
    evidence: str = ""
    facts: tuple[str, ...] = ()
    id: str | UnsetType = UNSET
    modified: str = ""
    revision: str = ""
    summary: str = ""
    withdrawn: bool = False


def dump(advisory: Advisory) -> bytes:
    """Return an advisory as one line of ASCII, without its end: `as_json` of what is given."""
    record = _Record(
        affected=[_affected(one) for one in advisory.affected],
        aliases=advisory.aliases,
        corrects=advisory.corrects,
        evidence=advisory.evidence,
        facts=advisory.facts,
        id=advisory.id,
        modified=advisory.modified,
        revision=advisory.revision,
        summary=advisory.summary,
        withdrawn=advisory.withdrawn,
    )
    return encode(record)


def load(line: bytes) -> Advisory:
    """Read what `dump` wrote. Raises an error of `msgspec`, KeyError, TypeError, AttributeError."""
    return _decode(msgspec.json.decode(line))


class _Names(msgspec.Struct):
    id: str
    aliases: tuple[str, ...] = ()


_NAMES = msgspec.json.Decoder(_Names)


def names(line: bytes) -> tuple[str, ...]:
    """The id and the aliases of what `dump` wrote."""
    found = _NAMES.decode(line)
    return found.id, *found.aliases


def as_json(value: Any) -> bytes:
    """Return `value` as compact JSON in ASCII, always the same bytes."""
    return _ENCODE(value).encode("ascii")


def encode(value: msgspec.Struct) -> bytes:
    """Return a struct, its fields by name or in a row, as `as_json` would."""
    line = _encode(value)
    return line if line.isascii() else as_json(msgspec.json.decode(line))


def _affected(one: Affected) -> _Affected:
    return _Affected(
        aliases=one.aliases,
        context=one.context,
        cpes=one.cpes,
        default=UNSET if one.default == "unaffected" else one.default,
        ecosystem=one.ecosystem,
        fixed=one.fixed,
        models=one.models,
        name=one.name,
        product=one.product,
        purl=one.purl,
        ranges=tuple(map(_range, one.ranges)),
        scheme=one.scheme,
        vendor=one.vendor,
        versions=one.loose,
    )


@lru_cache(maxsize=1 << 12)  # many advisories state the same
def _range(one: Range) -> Raw:
    intervals = [(i.low, i.high, int(i.low_open), int(i.high_open)) for i in one.intervals]
    status = one.status if one.status != "affected" else UNSET
    return Raw(encode(_Range(intervals, one.problem, one.scheme, status, one.words)))


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
