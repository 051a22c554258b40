"""The classification block: by whom, derived from what, declassified when; computed, never typed.

Rules:
- Only a document that is classified (CONFIDENTIAL or above) has a block. One that holds CUI and
  nothing above has the designation indicator instead: who controls it.
- Derived from one source, the block cites it; from several it says "Multiple Sources", and their
  list is part of the document. Only classified sources of the portions shown are cited.
- "Declassify On" is the longest of the sources' instructions. A date beats an earlier one; the
  instructions that the pack lists as longest beat every date, in the pack's order. An event whose
  day nobody knows can't be ordered: it stands beside the date, and the later of both holds.
- A source without an instruction, or with one no longer valid, counts for the pack's years from
  the source's own date, else from today.
- A derived document gives no reason: that belongs to the original decision.
- The name on "Classified By" comes from the instance's settings. Nothing stands in for it.

Sources: Executive Order 13526, 1.6 and 2.1; 32 CFR 2001.21(a), 2001.22(b) to (e), 2001.26;
32 CFR 2002.20 for CUI.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from vedette.kernel.errors import Refused
from vedette.kernel.markings import LEVELS, Marking
from vedette.kernel.packs import PolicyPack
from vedette.kernel.portions import CUI, Portion, Source, T, marking_of, sources_of

CONFIDENTIAL = LEVELS.index("CONFIDENTIAL")
MULTIPLE = "Multiple Sources"
NOT_STATED = "not stated: the setting classified_by is empty"
_DATED = re.compile(r"(?:([257][05]X[1-9])(?:-[A-Z]+)?, ?)?([0-9]{8})")


@dataclass(frozen=True)
class Rules:
    """What the pack says of declassification: years, longest first, instructions without force."""

    years: int
    longest: tuple[str, ...]
    invalid: tuple[str, ...]
    events: tuple[str, ...] = ()

    @classmethod
    def of(cls, pack: PolicyPack) -> Rules:
        at = ("marking", "declassify")
        return cls(
            pack.integer(*at, "years_where_missing"),
            tuple(pack.sequence(*at, "longest")),
            tuple(pack.sequence(*at, "no_longer_valid")),
            tuple(pack.sequence(*at, "events")),
        )

    def allows(self, text: str) -> bool:
        """Whether `text` is an instruction that may be given: a day, or one of the pack's list."""
        found = _DATED.fullmatch(text)
        return text in (*self.longest, *self.events) or (found is not None and _is_day(found[2]))


@dataclass(frozen=True)
class Authority:
    """Who classifies on this instance: name or identifier with position, and the agency."""

    classified_by: str
    agency: str


@dataclass(frozen=True)
class Block:
    """The lines that stand on the first page, and the sources that its list names."""

    lines: tuple[tuple[str, str], ...]
    sources: tuple[str, ...] = ()
    complete: bool = True


def is_classified(marking: Marking) -> bool:
    return marking.level >= CONFIDENTIAL


def block_of(
    portions: Sequence[Portion[T]], authority: Authority, rules: Rules, now: datetime
) -> Block | None:
    """The block of a document made of `portions`; None where nothing in it needs one."""
    whole = marking_of(portions)
    if whole.level < CUI:
        return None
    if not is_classified(whole):
        return Block((("Controlled By", authority.agency),), complete=bool(authority.agency))
    sources = [source for source in sources_of(portions) if is_classified(source.marking)]
    by = ", ".join(filter(None, [authority.classified_by, authority.agency]))
    lines = [
        ("Classified By", by if authority.classified_by else NOT_STATED),
        ("Derived From", derived_from(sources)),
        ("Declassify On", declassify_on(sources, rules, now.date())),
    ]
    if any(portion.marking.level == CUI for portion in portions):
        lines.append(("Controlled By", authority.agency))
    listed = tuple(cite(source) for source in sources) if len(sources) > 1 else ()
    return Block(tuple(lines), listed, complete=bool(authority.classified_by and sources))


def require_complete(block: Block | None) -> None:
    """Raise Refused where a document that leaves would not say who classified it, or from what."""
    if block is not None and not block.complete:
        raise Refused(
            "a classified document names who classified it and its sources; one is not stated",
            kept="the record as it is",
            next_step="set classified_by in the instance's settings",
        )


def original_block(authority: Authority, reason: str, declassify: str) -> Block:
    """The block of an original decision, which gives its reason: a category of section 1.4."""
    lines = (
        ("Classified By", f"{authority.classified_by}, {authority.agency}"),
        ("Reason", reason),
        ("Declassify On", declassify),
    )
    return Block(lines, complete=all(text.strip(", ") for _, text in lines))


def derived_from(sources: Sequence[Source]) -> str:
    """The "Derived From" line."""
    if not sources:
        return "not stated: no source of it is recorded"
    return cite(sources[0]) if len(sources) == 1 else MULTIPLE


def cite(source: Source) -> str:
    """A source as the list names it."""
    return f"{source.cited}, dated {source.dated}" if source.dated else source.cited


def declassify_on(sources: Iterable[Source], rules: Rules, today: date) -> str:
    """The longest of the sources' instructions, missing ones counted by the rule."""
    given = [_instruction(source, rules, today) for source in sources]
    if not given:
        return in_years(today, rules.years)
    for lasting in rules.longest:
        if lasting in given:
            return lasting
    dated = [text for text in given if _DATED.fullmatch(text)]
    events = sorted(set(given) - set(dated))
    last = max(dated, key=_order) if dated else ""
    if not events:
        return last
    parts = [last, *events] if last else events
    return " or ".join(parts) + (", whichever is later" if len(parts) > 1 else "")


def _instruction(source: Source, rules: Rules, today: date) -> str:
    """A source's instruction, or the date that stands for a missing one."""
    text = " ".join(source.declassify.split())
    found = _DATED.fullmatch(text)
    if text and text not in rules.invalid and (found is None or _is_day(found[2])):
        return text
    return in_years(date.fromisoformat(source.dated) if source.dated else today, rules.years)


def _order(text: str) -> tuple[str, str]:
    """By day; on the same day an exemption's code is carried forward."""
    found = _DATED.fullmatch(text)
    assert found is not None
    return found[2], text


def _is_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a day has no zone here
    except ValueError:
        return False
    return True


def in_years(day: date, years: int) -> str:
    """YYYYMMDD, `years` after `day`; from a leap day the first of March, never earlier."""
    try:
        later = day.replace(year=day.year + years)
    except ValueError:
        later = date(day.year + years, 3, 1)
    return f"{later:%Y%m%d}"
