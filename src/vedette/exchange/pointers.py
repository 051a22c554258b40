"""What lies above an instance's ceiling: found in a message, and named as far as it may be.

Rules:
- A message is above the ceiling when its marking is, or that of any portion in its body: a field
  of the kind `Mark`, or a `marking` anywhere in a document.
- A portion's marking that can't be read, though it was meant as one, counts as above.
- A pointer names no compartment and no level that the ceiling does not hold.
- An envelope that is refused for another reason is kept only where its marking can be read and
  is within the ceiling: who signed it does not change what it says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from vedette.kernel.errors import BadInput
from vedette.kernel.markings import LEVELS, Marking

KEY, FILES = "marking", "attachments"
DEPTH = 64


def above(marking: str, body: Any, ceiling: Marking) -> str:
    """The path of the first marking that `ceiling` does not dominate, or "".

    Files that a body names are not in it: each has a pointer of its own.
    """
    held = {k: v for k, v in body.items() if k != FILES} if isinstance(body, dict) else body
    return _first([("message", marking), *portions(held, "body")], ceiling)


def _first(marked: Iterable[tuple[str, str]], ceiling: Marking) -> str:
    for path, text in marked:
        if not _within(text, ceiling):
            return path
    return ""


def portions(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The markings in a body with the paths of the portions that they stand on."""
    stack = [(value, path)]
    while stack:
        item, at = stack.pop()
        if isinstance(item, dict):
            text = item.get(KEY)
            if isinstance(text, str) and _meant(text):
                yield at, text
            stack += [(inner, f"{at}.{name}"[:200]) for name, inner in item.items()]
        elif isinstance(item, list):
            stack += [(inner, f"{at}[{index}]") for index, inner in enumerate(item)]


def _meant(text: str) -> bool:
    """Whether a text under the name `marking` is one: other formats use the word, too."""
    return "TLP:" in text or text.split("//")[0] in LEVELS


def _within(text: str, ceiling: Marking) -> bool:
    try:
        return ceiling.dominates(Marking.parse(text))
    except BadInput:
        return False


def as_far_as(marking: str, ceiling: Marking) -> str:
    """`marking` as far as `ceiling` lets it be named: "TLP:RED and more"."""
    try:
        found = Marking.parse(marking)
    except BadInput:
        return "above the ceiling"
    named = Marking(
        min(found.tlp, ceiling.tlp),
        min(found.level, ceiling.level),
        found.compartments & ceiling.compartments,
    )
    return str(named) if named == found else f"{named} and more"


def may_be_kept(data: bytes, ceiling: Marking) -> bool:
    """Whether a refused envelope may be written: its own words say that it is within the ceiling.

    What is no envelope at all carries no marking and is kept, as anybody's noise.
    """
    try:
        payload = json.loads(base64.b64decode(json.loads(data)["payload"], validate=True))
        marked = [("message", str(payload[KEY])), *portions(payload.get("body"), "body")]
        return not _first(marked, ceiling)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return b'"payload"' not in data
