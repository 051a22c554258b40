"""Version range specifiers: the constraints of `vers:TYPE/...` as intervals.

Rules:
- Constraints may stand in any order; they are sorted by version. Lower and upper bounds alternate,
  each version occurs once, `*` stands alone: what breaks this is not read.
- `!=` takes a version out of the interval that holds it; where nothing else is stated, out of all.
- Versions are percent-encoded; every one must have a key in the type's order.

Source: package-url/vers-spec, VERS specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from operator import itemgetter
from typing import Any
from urllib.parse import unquote

from vedette.matching import versions
from vedette.matching.ranges import EVERY, Interval

_CONSTRAINT = re.compile(r"(>=|<=|!=|<|>|=)?([^<>=!|*]+)")
_Constraint = tuple[Any, str, str]


def read(scheme: str, constraints: str) -> tuple[Interval, ...] | None:
    """Return the intervals of the constraints in a scheme, None where they can't be read."""
    plain = "".join(constraints.split())
    if plain == "*":
        return (EVERY,)
    rows: list[_Constraint] = []
    for constraint in plain.split("|"):
        found = _CONSTRAINT.fullmatch(constraint)
        version = unquote(found[2]) if found else ""
        key = versions.key(scheme, version)
        if found is None or key is None:
            return None
        rows.append((key, found[1] or "=", version))
    rows.sort(key=itemgetter(0))
    if any(one[0] == other[0] for one, other in pairwise(rows)):
        return None
    bounds = [row for row in rows if row[1][0] in "<>"]
    if any(one[1][0] == other[1][0] for one, other in pairwise(bounds)):
        return None
    return tuple(_intervals(rows, bounds))


def _intervals(rows: list[_Constraint], bounds: list[_Constraint]) -> Iterator[Interval]:
    """Yield the intervals of sorted constraints, in order."""
    inside = bounds[0][1][0] == "<" if bounds else all(row[1] == "!=" for row in rows)
    low, low_open = None, False
    for _, sign, version in rows:
        if sign == "=" and not inside:
            yield Interval(version, version, high_open=False)
        elif sign[0] == ">":
            inside, low, low_open = True, version, sign == ">"
        elif sign[0] in "<!" and inside:
            yield Interval(low, version, low_open, sign != "<=")
            inside, low, low_open = sign == "!=", version, True
    if inside:
        yield Interval(low, None, low_open)
