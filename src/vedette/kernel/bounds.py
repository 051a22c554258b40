"""Bounded JSON: every reader of foreign data limits size, depth and count before it parses on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from vedette.kernel.errors import BadInput

MIB = 1024 * 1024


@dataclass(frozen=True)
class Bounds:
    """Limits of one reader: bytes, nesting depth, and number of values in the whole document."""

    size: int = 16 * MIB
    depth: int = 64
    count: int = 2_000_000


def read_json(data: bytes, *, source: str, bounds: Bounds = Bounds()) -> Any:
    """Parse `data` within `bounds`; `source` names it in the error. Raises BadInput."""
    if len(data) > bounds.size:
        raise BadInput(f"{source}: {len(data):,} bytes, more than the {bounds.size:,} allowed")
    try:
        value = json.loads(data, parse_constant=_no_constant)
    except RecursionError:
        raise BadInput(f"{source}: nested deeper than {bounds.depth}") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise BadInput(f"{source}: not JSON ({error})") from None
    _walk(value, source, bounds)
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _walk(value: Any, source: str, bounds: Bounds) -> None:
    count = 0
    stack: list[tuple[Any, int]] = [(value, 1)]
    while stack:
        item, depth = stack.pop()
        count += 1
        if depth > bounds.depth:
            raise BadInput(f"{source}: nested deeper than {bounds.depth}")
        if count > bounds.count:
            raise BadInput(f"{source}: more than {bounds.count:,} values")
        if isinstance(item, dict):
            stack.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list):
            stack.extend((child, depth + 1) for child in item)
