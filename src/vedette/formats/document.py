"""A marked document: portions in an order, and the edition of it that one reader gets.

Rules:
- An edition holds what its reader may read and nothing else; writers are handed editions only.
- Its marking, banner and classification block are computed from the portions that are left.
- The digest of the record that it was made from stands in an edition only where nothing was left
  out: a digest of what one may not read could be tried out on guesses.
- Text from others is data: it stays text, and characters that would hide or turn it are shown.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

from vedette import __version__
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.classification import Authority, Block, Rules, block_of, require_complete
from vedette.kernel.clock import format_time
from vedette.kernel.errors import Refused
from vedette.kernel.markings import Marking
from vedette.kernel.portions import (
    Gap,
    Portion,
    banner,
    marking_of,
    portion_mark,
    seen_by,
    with_gaps,
)

FORMAT = "vedette-document/1"
GAP = "A part that this reader's marking does not reach is left out here."


@dataclass(frozen=True)
class Heading:
    """A heading; the first of level 1 is the title."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """Paragraphs, one a line."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Pairs of a label and its value."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of each row names it."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A picture as SVG, with what it shows in words."""

    svg: str
    words: str
    caption: str


Content: TypeAlias = Heading | Text | Facts | Bullets | Grid | Figure
NAMES: dict[type, str] = {
    Heading: "heading",
    Text: "text",
    Facts: "facts",
    Bullets: "bullets",
    Grid: "grid",
    Figure: "figure",
}


@dataclass(frozen=True)
class Document:
    """What can be read of one object, whole; `made_from` is the digest of its record."""

    kind: str
    id: str
    made_from: str
    portions: tuple[Portion[Content], ...]


@dataclass(frozen=True)
class Stamp:
    """Whose copy this is: shown on every page of it. `code` names the one rendering."""

    reader: str
    address: str
    at: datetime
    instance: str
    object_id: str
    code: str = ""

    @property
    def line(self) -> str:
        who = f"{self.reader} <{self.address}>" if self.address else self.reader
        parts = [who, format_time(self.at), self.instance, self.object_id, self.code]
        return " · ".join(visible(part) for part in parts if part)

    @property
    def short(self) -> tuple[str, ...]:
        """The watermark's lines: who and when, and the code where there is one."""
        at = format_time(self.at)
        return (f"{self.address or self.reader}  {at}", self.code or self.instance)

    @property
    def sentence(self) -> str:
        """For those who hear the page: once, and plainly."""
        return f"This copy is for {visible(self.reader)}, {format_time(self.at)}."


@dataclass(frozen=True)
class Edition:
    """A document as one reader gets it."""

    kind: str
    id: str
    made_from: str
    parts: tuple[Portion[Content] | Gap, ...]
    left_out: bool
    block: Block | None
    made_with: str = field(default=f"Vedette {__version__}")

    @property
    def portions(self) -> Iterator[Portion[Content]]:
        return (part for part in self.parts if isinstance(part, Portion))

    @cached_property
    def marking(self) -> Marking:
        return marking_of(self.portions)

    @cached_property
    def banner(self) -> str:
        return banner(self.portions)

    @property
    def title(self) -> str:
        contents = (portion.content for portion in self.portions)
        found = (c.text for c in contents if isinstance(c, Heading) and c.level == 1)
        return next((text for text in found if text.strip()), self.kind.capitalize())

    def mark(self, portion: Portion[Content]) -> str:
        return portion_mark(portion.marking, self.marking)

    def to_json(self) -> dict[str, Any]:
        block = self.block
        return {
            "format": FORMAT,
            "kind": self.kind,
            "id": self.id,
            "marking": str(self.marking),
            "banner": self.banner,
            "block": {**dict(block.lines), "Sources": list(block.sources)} if block else None,
            "portions": [self._part(part) for part in self.parts],
            "made_from": self.made_from,
            "made_with": self.made_with,
        }

    def _part(self, part: Portion[Content] | Gap) -> dict[str, Any]:
        if isinstance(part, Gap):
            return {"kind": "gap", "text": GAP}
        return {
            "kind": NAMES[type(part.content)],
            "marking": str(part.marking),
            "mark": self.mark(part),
            **asdict(part.content),
        }

    @property
    def digest(self) -> str:
        return digest(canonical(self.to_json()))


def edition_for(
    document: Document,
    clearance: Marking,
    *,
    authority: Authority,
    rules: Rules,
    gaps: bool,
    now: datetime,
) -> Edition:
    """What a reader gets of a document.

    Raises Refused where they may read none of it, or where a classified document would have to
    name an authority that this instance has not stated.
    """
    left = seen_by(document.portions, clearance)
    if not left:
        raise Refused("nothing of this document is marked for you", kept="the document")
    left_out = len(left) < len(document.portions)
    block = block_of(left, authority, rules, now)
    require_complete(block)
    return Edition(
        document.kind,
        document.id,
        "" if left_out else document.made_from,
        tuple(with_gaps(document.portions, clearance)) if gaps else tuple(left),
        left_out,
        block,
    )


def visible(text: str) -> str:
    """`text` on one line, with what can't be seen or would turn its neighbours written out."""
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if char in "\t\n\r" or category == "Zs":
        return " "
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return f"⟨U+{ord(char):04X}⟩"
    return char
