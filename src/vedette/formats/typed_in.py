"""A list that a person typed or pasted: "Modicon M340, Ignition 8.1, Windows 10".

Rules:
- Entries stand on lines, or between commas or semicolons; bullets and numbers in front of them are
  left out.
- A version at an entry's end is told as `matching.inside` tells it; a bare number may be the
  version or part of the name: both readings count.
- The first words may be the vendor: those readings count as well, and every reading of an entry
  has the same id, `row:N`.
- Nothing typed is ever matched as `exact`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vedette.kernel.errors import BadInput
from vedette.kernel.words import counted
from vedette.matching import inside
from vedette.matching.model import Component, Inventory

MAX_ENTRIES = 5_000
MAX_ENTRY = 200
MAX_VENDOR_WORDS = 2

_BREAK = re.compile(r"[;\n\r]|,(?![0-9])|,(?=[0-9][0-9a-z]*\s)")
_BULLET = re.compile(r"^(?:[-*\u2022\u2013]\s+|\(?[0-9]{1,4}[.)]\s+)+")
_SEPARATOR = re.compile(r"[;,\t|]")
_KEYED = re.compile(r"(?im)^\s*(?:package ?)?(?:name|version)\s*:")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Entry:
    """One typed entry; `sure` says whether its version can't be part of its name."""

    text: str
    name: str
    version: str = ""
    sure: bool = True

    @property
    def readings(self) -> tuple[str, ...]:
        """The names that it may be: with its number where that may be part of the name."""
        return (self.name,) if self.sure else (self.text, self.name)


def entries(content: str) -> list[Entry]:
    """Return the entries of a typed list. Raises BadInput."""
    parts = [_BULLET.sub("", part.strip()) for part in _BREAK.split(content)]
    texts = [" ".join(part.split()) for part in parts if _LETTER.search(part)]
    if len(texts) > MAX_ENTRIES:
        raise BadInput(
            f"list: {len(texts):,} entries, at most {MAX_ENTRIES:,}",
            next_step="take a longer list as an asset CSV",
        )
    long = next((text for text in texts if len(text) > MAX_ENTRY), None)
    if long is not None:
        raise BadInput(
            f"list: the entry {long[:40]!r} has more than {MAX_ENTRY} characters",
            next_step="write one product with its version a line",
        )
    return [_entry(text) for text in texts]


def _entry(text: str) -> Entry:
    return Entry(text, *inside.read(text))


def read(content: str, name: str) -> Inventory:
    """Read a typed list into an inventory of words. Raises BadInput."""
    listed = entries(content)
    if not listed:
        raise BadInput(f"{name}: no product in it", next_step="write one a line: Ignition 8.1")
    components = [c for row, entry in enumerate(listed, 1) for c in _readings(entry, f"row:{row}")]
    notes = [
        f"read as a typed list of {counted(len(listed), 'product')}: matches by words, never exact"
    ]
    if unsure := [entry.text for entry in listed if not entry.sure]:
        shown = ", ".join(unsure[:5])
        many = counted(len(unsure), "entry", "entries")
        notes.append(f"{many} can end in a version or in a name, read as both: {shown}")
    return Inventory(name, tuple(dict.fromkeys(components)), tuple(notes))


def _readings(entry: Entry, row: str) -> list[Component]:
    named = [(entry.name, entry.version)]
    if not entry.sure:
        named.append((entry.text, ""))
    found = []
    for product, version in named:
        words = product.split()
        for count in range(min(MAX_VENDOR_WORDS, len(words) - 1) + 1):
            vendor, rest = " ".join(words[:count]), " ".join(words[count:])
            if _LETTER.search(rest):
                found.append(
                    Component(
                        id=row,
                        name=entry.text,
                        version=version,
                        vendor=vendor,
                        product=rest,
                        origin="typed",
                    )
                )
    return found


def looks_typed(content: str) -> bool:
    """Whether a text without a header is a list of products: short entries, some with numbers.

    Lines with the same number of separators each are a table, and a table needs its header. Lines
    of keys and values (`Version: 1.0`) are another tool's.
    """
    if _KEYED.search(content):
        return False
    lines = [line for line in content.splitlines() if line.strip()]
    cells = {len(_SEPARATOR.findall(line)) for line in lines}
    if len(lines) > 1 and len(cells) == 1 and cells != {0}:
        return False
    parts = [part.strip() for part in _BREAK.split(content) if part.strip()]
    if not parts or any(len(part) > MAX_ENTRY or not part.isprintable() for part in parts):
        return False
    short = [part for part in parts if len(part.split()) <= 8 and _LETTER.search(part)]
    numbered = [part for part in short if any(c.isdigit() for c in part)]
    return len(short) == len(parts) and 2 * len(numbered) >= len(parts)
