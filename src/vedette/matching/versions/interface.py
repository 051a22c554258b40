"""The port of version orders: one module per scheme, each with one function `key`.

`key(version)` returns a value that sorts as the scheme sorts versions, or None where the scheme
cannot read the version. It never raises and never guesses. Byte strings wherever the scheme is a
total order (a range is then an interval of byte strings); Maven's is a comparable object.
"""

from __future__ import annotations

from typing import Any, Protocol


class Key(Protocol):
    """A sort key; comparable with keys of its own scheme only."""

    def __lt__(self, other: Any, /) -> bool: ...
    def __le__(self, other: Any, /) -> bool: ...


class Order(Protocol):
    """Reads a version into its sort key; None where the scheme cannot read it."""

    def __call__(self, version: str, /) -> Key | None: ...


def no_key(version: str, /) -> None:
    """The order of a scheme that has none: it reads no version."""
