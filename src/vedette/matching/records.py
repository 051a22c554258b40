"""Advisories as JSON in an index: what differs from the defaults, listed versions that count.

A record loses its listed versions that lie in its own ranges: they decide nothing.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec.structs import replace

from vedette.matching.model import Advisory

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_IN_ORDER = json.JSONEncoder(separators=(",", ":")).encode
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Advisory).decode


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
