"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """So many of a thing, in words: "1 match", "1,204 matches"; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
