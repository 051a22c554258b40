"""Byte strings that sort like what they stand for: the bricks of every version key.

Rules:
- A number is its count of digits (from 254 on 0xff and two bytes), then its digits: shorter
  numbers sort first.
- A text ends in 0x00, so that a prefix sorts before what it begins.
- What is longer than MAX_VERSION has no key.
"""

from __future__ import annotations

from functools import lru_cache

MAX_VERSION = 512


@lru_cache(maxsize=1 << 14)
def number(digits: str) -> bytes:
    """Return `digits` (ASCII, any leading zeros) as bytes; "" counts as 0."""
    plain = digits.lstrip("0")
    size = len(plain)
    count = bytes((size + 1,)) if size < 254 else b"\xff" + size.to_bytes(2, "big")
    return count + plain.encode("ascii")


def text(value: str) -> bytes:
    """Return ASCII `value` (without 0x00) as bytes with its end mark."""
    return value.encode("ascii") + b"\x00"


def release(parts: list[str]) -> bytes:
    """Return dotted numbers as bytes; trailing zeros do not count, so 1 and 1.0 are alike."""
    end = len(parts)
    while end > 1 and not parts[end - 1].strip("0"):
        end -= 1
    return b"".join(number(part) for part in parts[:end]) + b"\x00"


def too_long(version: str) -> bool:
    """Tell whether `version` is beyond what a key can hold, or not ASCII."""
    return len(version) > MAX_VERSION or not version.isascii()
