"""Portions: a document as a sequence of parts, each with its own marking.

Rules:
- A document's marking is the join of its portions'; nobody types it.
- Before each portion stands its mark in brackets: `(TLP:AMBER)`, or beside a classification
  `(S//ALPHA//TLP:RED)`, with `(U)` and `(CUI)` for what is not classified.
- The banner, at top and bottom of every page, is the whole document's marking; a classified
  document that also holds CUI says so.
- A reader sees the portions that their clearance dominates. The others are left out entirely, and
  marking, banner and sources are computed anew from what is left. A gap may be shown, if the rule
  says so; neighbouring gaps are one, so that their number tells nothing.

Sources: FIRST, Traffic Light Protocol 2.0, 2; 32 CFR 2001.21(b), (c) and 2001.22(f), (g) for
banner and portions; 32 CFR 2002.20(g) for CUI beside classified portions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from vedette.kernel.markings import LEVELS, Marking, join

T = TypeVar("T")

CUI = LEVELS.index("CUI")
SHORT = ("U", "CUI", "C", "S", "TS")


@dataclass(frozen=True)
class Source:
    """What a portion was derived from, by a citation that says nothing of its content.

    `cited` names kind, id and origin; `dated` is YYYY-MM-DD or ""; `declassify` the source's own
    instruction, "" where it has none.
    """

    cited: str
    marking: Marking
    dated: str = ""
    declassify: str = ""


@dataclass(frozen=True)
class Portion(Generic[T]):
    """One part: what it says, its marking, what it was derived from."""

    content: T
    marking: Marking
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Gap:
    """Where portions were left out for a reader; says neither what nor how many."""


def marking_of(portions: Iterable[Portion[T]]) -> Marking:
    """The marking of a document made of `portions` (of none: TLP:CLEAR)."""
    return join(portion.marking for portion in portions)


def portion_mark(marking: Marking, whole: Marking | None = None) -> str:
    """The mark before a portion, as it stands in a document marked `whole`.

    Classification is named where the document has any, so that each portion says its own level.
    """
    parts = []
    if any(m.level or m.compartments for m in (marking, whole or marking)):
        parts.append(SHORT[marking.level])
    if marking.compartments:
        parts.append("/".join(sorted(marking.compartments)))
    return f"({'//'.join([*parts, marking.tlp.label])})"


def banner(portions: Iterable[Portion[T]]) -> str:
    """The line for the top and bottom of every page of a document made of `portions`."""
    markings = [portion.marking for portion in portions]
    whole = join(markings)
    mixed = whole.level > CUI and any(m.level == CUI for m in markings)
    if not mixed:
        return str(whole)
    head, tlp = str(whole).rsplit("//", 1)
    return f"{head}//CUI//{tlp}"


def seen_by(portions: Iterable[Portion[T]], clearance: Marking) -> list[Portion[T]]:
    """The portions that a reader with `clearance` dominates, in their order."""
    return [portion for portion in portions if clearance.dominates(portion.marking)]


def with_gaps(portions: Iterable[Portion[T]], clearance: Marking) -> Iterator[Portion[T] | Gap]:
    """`seen_by`, with one gap wherever something was left out between two portions or at an end."""
    open_gap = False
    for portion in portions:
        if clearance.dominates(portion.marking):
            open_gap = False
            yield portion
        elif not open_gap:
            open_gap = True
            yield Gap()


def sources_of(portions: Iterable[Portion[T]]) -> tuple[Source, ...]:
    """Every source that `portions` were derived from, each once, in order of first use."""
    return tuple(dict.fromkeys(source for portion in portions for source in portion.sources))
