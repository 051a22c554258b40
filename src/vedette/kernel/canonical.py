"""Canonical JSON and digests.

JSON after RFC 8785 for the values we use (strings, integers, booleans, null, lists, string-keyed
objects); floats are refused, because two implementations need not print them alike, and so are
integers beyond 2^53 - 1, which other readers of JSON round.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from typing import Any

from vedette.kernel.errors import BadInput

DEPTH = 100
LARGEST = 2**53 - 1


def canonical(value: Any) -> bytes:
    """Return `value` as canonical JSON in UTF-8. Raises BadInput on a float or another type."""
    text = json.dumps(
        _ordered(value, "$", 1), ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadInput("$: text with half a character (a lone surrogate)") from None


def _ordered(value: Any, path: str, depth: int) -> Any:
    """Return `value` with every object's keys in order, or raise BadInput naming the path."""
    if depth > DEPTH:
        raise BadInput(f"{path[:80]}: nested deeper than {DEPTH}")
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise BadInput(f"{path}: integer beyond 2^53 - 1; send it as text")
        return value
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise BadInput(f"{path}: object keys must be text")
        return {key: _ordered(value[key], f"{path}.{key}", depth + 1) for key in _sorted(value)}
    if isinstance(value, list | tuple):
        return [_ordered(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
    raise BadInput(f"{path}: {type(value).__name__} has no canonical form; send it as text")


def _sorted(keys: Iterable[str]) -> list[str]:
    """Sort as RFC 8785 section 3.2.3 has it: by UTF-16 code units."""
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def digest(data: bytes) -> str:
    """Return `sha256:` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def new_salt() -> str:
    """Return 256 random bits as hex, for digests of small things that could be guessed."""
    return secrets.token_hex(32)


def salted_digest(value: Any, salt: str) -> str:
    """Return the digest of `value`'s canonical form behind `salt` (hex)."""
    return digest(bytes.fromhex(salt) + canonical(value))
