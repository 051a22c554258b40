"""Advisories as JSON in an index: what differs from the defaults, listed versions that count.

A record loses its listed versions that lie in its own ranges: they decide nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from vedette.matching.model import Advisory, Affected, moment

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_IN_ORDER = json.JSONEncoder(separators=(",", ":")).encode
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Advisory).decode


def merged(same: Iterable[Advisory]) -> Advisory:
    """One record of several with one id that all count; their order does not matter."""
    read = [({encode(replace(p, versions=p.loose)): p for p in one.affected}, one) for one in same]
    read.sort(key=lambda known: (*_told(known[1]), sorted(known[0])))
    each = [one for _, one in read]
    affected: dict[bytes, Affected] = {}
    for products, _ in read:
        for key, product in products.items():
            only = each[0].id == "".join(product.aliases)  # the other names are its names, too
            affected.setdefault(key, replace(product, aliases=()) if only else product)
    return replace(
        each[0],
        aliases=_union(one.aliases for one in each),
        summary=next((one.summary for one in each if one.summary), ""),
        modified=max((one.modified for one in each), key=moment),
        affected=tuple(affected.values()),
        corrects=_union(one.corrects for one in each),
        evidence=next((one.evidence for one in each if one.evidence), ""),
        facts=_union(one.facts for one in each),
        revision=next((one.revision for one in each if one.revision), ""),
        origin="",
    )


def _told(one: Advisory) -> tuple[str, ...]:
    return one.origin, moment(one.modified), one.modified, one.summary


def _union(each: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({text for one in each for text in one}))


class _Head(msgspec.Struct):
    id: str
    aliases: tuple[str, ...] = ()
    summary: str = ""


_HEAD = msgspec.json.Decoder(_Head)


def dump(advisory: Advisory) -> bytes:
    """Return an advisory as one line of ASCII, without its end."""
    if any(one.versions for one in advisory.affected):
        affected = tuple([replace(one, versions=one.loose) for one in advisory.affected])
        advisory = replace(advisory, affected=affected)
    return encode(advisory)


def load(line: bytes) -> Advisory:
    """Read what `dump` wrote. Raises an error of `msgspec`."""
    return _decode(line)


def names(line: bytes) -> tuple[str, ...]:
    """The id and the aliases of what `dump` wrote."""
    found = _HEAD.decode(line)
    return found.id, *found.aliases


def summary(line: bytes) -> str:
    """The summary of what `dump` wrote."""
    return _HEAD.decode(line).summary


def as_json(value: Any) -> bytes:
    """Return `value` as compact JSON in ASCII, always the same bytes."""
    return _ENCODE(value).encode("ascii")


def encode(value: msgspec.Struct | str) -> bytes:
    """Return a text or a struct as compact JSON in ASCII, its fields in their order."""
    line = _encode(value)
    return line if line.isascii() else _IN_ORDER(msgspec.json.decode(line)).encode("ascii")
