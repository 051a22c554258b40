"""Maven versions, after the rules of Maven's ComparableVersion; keys are comparable objects.

Rules:
- `.` and `-` and every change between digits and letters separate items; `-`, and a change from
  letters to digits or back, open a nested list.
- alpha < beta < milestone < rc = cr < snapshot < "" = final = ga = release < sp < other words
  (by letters) < lists < numbers; a, b, m directly before a digit stand for alpha, beta, milestone.
- Null items (0, "", empty lists) at the end of a list do not count.

The order is not transitive where words follow dots and hyphens alike (0 > 0.alpha > 0-sp > 0), so
it has no byte key.
"""

from __future__ import annotations

import re
from functools import cmp_to_key
from typing import Union

from vedette.matching.versions.encode import too_long
from vedette.matching.versions.interface import Key

Item = Union[int, str, "list[Item]"]

_VERSION = re.compile(r"[0-9A-Za-z][^\s,\[\]()<>=|]*", re.ASCII)
_QUALIFIERS = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"]
_ALIASES = {"ga": "", "final": "", "release": "", "cr": "rc"}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}
_RELEASE = str(_QUALIFIERS.index(""))


def key(version: str) -> Key | None:
    """Return the sort key of `version`, None when it does not look like a Maven version."""
    version = version.strip()
    if too_long(version) or not _VERSION.fullmatch(version) or not re.search("[0-9]", version):
        return None
    found: Key = _compare_key(_parse(version.lower()))  # type: ignore[assignment]
    return found


def _parse(version: str) -> list[Item]:
    root: list[Item] = []
    current, stack, start, digits = root, [root], 0, False

    def nest() -> list[Item]:
        inner: list[Item] = []
        current.append(inner)
        stack.append(inner)
        return inner

    for index, char in enumerate(version):
        if char in ".-":
            current.append(_item(digits, version[start:index]) if index > start else 0)
            start = index + 1
            if char == "-":
                current = nest()
        elif char.isdigit():
            if not digits and index > start:
                current.append(_word(version[start:index], True))
                start = index
                current = nest()
            digits = True
        else:
            if digits and index > start:
                current.append(_item(True, version[start:index]))
                start = index
                current = nest()
            digits = False
    if len(version) > start:
        current.append(_item(digits, version[start:]))
    for items in reversed(stack):
        _trim(items)
    return root


def _item(digits: bool, run: str) -> Item:
    return int(run) if digits else _word(run, False)


def _word(run: str, before_digit: bool) -> str:
    run = _SHORT.get(run, run) if before_digit else run
    return _ALIASES.get(run, run)


def _trim(items: list[Item]) -> None:
    for index in range(len(items) - 1, -1, -1):
        if items[index] in (0, "", []):
            del items[index]
        elif not isinstance(items[index], list):
            break


def _rank(word: str) -> str:
    known = word in _QUALIFIERS
    return str(_QUALIFIERS.index(word)) if known else f"{len(_QUALIFIERS)}-{word}"


def _sign(left: int | str, right: int | str) -> int:
    return (left > right) - (left < right)  # type: ignore[operator]


def _against_nothing(item: Item) -> int:
    if isinstance(item, int):
        return 1 if item else 0
    if isinstance(item, str):
        return _sign(_rank(item), _RELEASE)
    for inner in item:
        result = _against_nothing(inner)
        if result:
            return result
    return 0


def _compare_items(left: Item, right: Item) -> int:
    if isinstance(left, list) and isinstance(right, list):
        return _compare(left, right)
    if isinstance(left, int) and isinstance(right, int):
        return _sign(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return _sign(_rank(left), _rank(right))
    return _sign(_kind(left), _kind(right))


def _kind(item: Item) -> int:
    return 0 if isinstance(item, str) else 1 if isinstance(item, list) else 2


def _compare(left: list[Item], right: list[Item]) -> int:
    for index in range(max(len(left), len(right))):
        if index >= len(left):
            result = -_against_nothing(right[index])
        elif index >= len(right):
            result = _against_nothing(left[index])
        else:
            result = _compare_items(left[index], right[index])
        if result:
            return result
    return 0


_compare_key = cmp_to_key(_compare)
