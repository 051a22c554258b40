"""JSON of foreign files within bounds, fast for the many small ones.

The JSON parser itself stops at Python's recursion limit, and no reader here recurses, so small
files need no second walk; large ones get the kernel's full count of depth and values.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from vedette.kernel.bounds import FLATTER, MIB, Bounds, check_texts, no_json, read_json
from vedette.kernel.errors import BadInput

T = TypeVar("T")
SMALL = MIB
MAX_DEPTH = 200
MAX_VALUES = 20_000_000
_decode = msgspec.json.Decoder().decode


def load(data: bytes, source: str, limit: int) -> Any:
    """Parse JSON of at most `limit` bytes. Raises BadInput naming `source`."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > SMALL:
        bounds = Bounds(size=limit, depth=MAX_DEPTH, count=MAX_VALUES)
        return read_json(data, source=source, bounds=bounds)
    try:
        value = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _load_slowly(data, source)
    if b"\\u0000" in data:  # what else no database takes, msgspec refuses
        check_texts(value, data, source=source)
    return value


def _load_slowly(data: bytes, source: str) -> Any:
    """Parse what Python's own parser takes and msgspec does not, or say what is wrong with it."""
    try:
        value = json.loads(data)
    except RecursionError:
        raise BadInput(f"{source}: nested too deep", next_step=FLATTER) from None
    except ValueError as error:
        raise no_json(source, error) from None
    check_texts(value, data, source=source)
    return value


def into(decoder: msgspec.json.Decoder[T], data: bytes, most: int) -> T | None:
    """Parse JSON of at most `most` bytes into the type of a decoder, its other fields unread.

    None where it is of no such form, or where `load` might find fault with a text.
    """
    if len(data) > most or b"\\u0000" in data:
        return None
    try:
        value = decoder.decode(data)
        _ = data.isascii() or data.decode()  # the decoder looks at no text that it passes over
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return value
