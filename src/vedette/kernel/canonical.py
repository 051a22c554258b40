"""Canonical JSON and digests.

JSON after RFC 8785 for the values we use (strings, integers, booleans, null, lists, string-keyed
objects); floats are refused, because two implementations need not print them alike.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from vedette.kernel.errors import BadInput


def canonical(value: Any) -> bytes:
    """Return `value` as canonical JSON in UTF-8. Raises BadInput on a float or another type."""
    _check(value, "$")
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode("utf-8")


def _check(value: Any, path: str) -> None:
    if value is None or isinstance(value, str | bool | int):
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise BadInput(f"{path}: object keys must be text")
            _check(item, f"{path}.{key}")
        return
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]")
        return
    raise BadInput(f"{path}: {type(value).__name__} has no canonical form; send it as text")


def digest(data: bytes) -> str:
    """Return `sha256:` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def new_salt() -> str:
    """Return 256 random bits as hex, for digests of small things that could be guessed."""
    return secrets.token_hex(32)


def salted_digest(value: Any, salt: str) -> str:
    """Return the digest of `value`'s canonical form behind `salt` (hex)."""
    return digest(bytes.fromhex(salt) + canonical(value))
