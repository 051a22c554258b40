"""Bounded JSON: every reader of foreign data limits size, depth and count before it parses on.

Text with NUL or with half a character (a lone surrogate) is refused, too: databases take neither,
and nothing else can be said about it later than here.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from vedette.kernel.errors import BadInput

MIB = 1024 * 1024
# how JSON can come to hold such text: by escape, by bytes that only look like UTF-8, as UTF-16;
# each begins with what the search can skip to
_ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_MISCODED = re.compile(rb"\xed[\xa0-\xbf]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

NOT_WHOLE = "see that it is whole and not cut short, or get it anew from whoever made it"
_SHORTER = "write it as text, or leave it out"
_PARTS = "give it in parts, each of its own"
FLATTER = "give it with less nesting; what describes software never needs so much"


@dataclass(frozen=True)
class Bounds:
    """Limits of one reader: bytes, nesting depth, and number of values in the whole document.

    `any_text` is for what is handed on and never stored.
    """

    size: int = 16 * MIB
    depth: int = 64
    count: int = 2_000_000
    any_text: bool = False


def read_json(data: bytes, *, source: str, bounds: Bounds = Bounds()) -> Any:
    """Parse `data` within `bounds`; `source` names it in the error. Raises BadInput."""
    if len(data) > bounds.size:
        raise BadInput(
            f"{source}: {len(data):,} bytes, more than the {bounds.size:,} allowed",
            next_step=_PARTS,
        )
    try:
        value = json.loads(data, parse_constant=_no_constant)
    except RecursionError:
        raise BadInput(f"{source}: nested deeper than {bounds.depth}", next_step=FLATTER) from None
    except ValueError as error:
        raise no_json(source, error) from None
    _walk(value, source, bounds)
    if not bounds.any_text:
        check_texts(value, data, source=source)
    return value


def no_json(source: str, error: ValueError) -> BadInput:
    """What is wrong with a text that Python's parser refused with this error."""
    # a JSONDecodeError or a UnicodeDecodeError says so itself; any other is about a number
    if type(error) is ValueError and "digits" in str(error):
        return BadInput(f"{source}: not JSON (a number of too many digits)", next_step=_SHORTER)
    return BadInput(f"{source}: not JSON ({error})", next_step=NOT_WHOLE)


def to_text(data: bytes) -> str:
    """Bytes as base64 text (RFC 4648 section 4), for a field of JSON."""
    return base64.b64encode(data).decode("ascii")


def from_text(text: str, *, field: str) -> bytes:
    """Read base64 text, strictly. Raises BadInput naming `field`."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadInput(f"{field}: not base64") from None


def check_texts(value: Any, data: bytes, *, source: str) -> None:
    """Raise BadInput where `value`, parsed from `data`, has text that no database takes."""
    if not (b"\x00" in data or _ESCAPED.search(data) or _MISCODED.search(data)):
        return
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if _UNSTORABLE.search(item):
                raise BadInput(
                    f"{source}: text with NUL or half a character: {item[:40]!r}",
                    next_step="leave these characters out",
                )
        elif isinstance(item, dict):
            stack += [*item, *item.values()]
        elif isinstance(item, list):
            stack += item


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _walk(value: Any, source: str, bounds: Bounds) -> None:
    count = 0
    stack: list[tuple[Any, int]] = [(value, 1)]
    while stack:
        item, depth = stack.pop()
        count += 1
        if depth > bounds.depth:
            raise BadInput(f"{source}: nested deeper than {bounds.depth}", next_step=FLATTER)
        if count > bounds.count:
            raise BadInput(f"{source}: more than {bounds.count:,} values", next_step=_PARTS)
        if isinstance(item, dict):
            stack.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list):
            stack.extend((child, depth + 1) for child in item)
