"""Vendors' names as words that are equal when the vendor is the same.

Rules:
- Damaged text is repaired first (UTF-8 read as Latin-1 or Windows-1252), then NFKC; a part that
  can't be repaired (U+FFFD) is left out, and the reading says so.
- Accents, case, punctuation, brackets and legal suffixes (Inc, GmbH, Co., Ltd, ...) do not count.
- Names of one company are one: ALIASES holds those that advisories use for each other.
- "A, B", "A / B", "A - B", "A, a subsidiary of B" and "A, B, and C" name several vendors, each by
  itself; "A and B" where A ends with a legal suffix or one of them is in KNOWN. Where B says what
  a company does, "Automation and Control", it is one; any other "A and B" is not read.
- "n/a", "multiple" and the like name none.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

_LEGAL = frozenset(
    {"ab", "ag", "aktiebolag", "aps", "as", "bv", "co", "company", "corp", "corporation", "gmbh"}
    | {"inc", "incorporated", "kg", "kk", "limited", "llc", "ltd", "ltda", "nv", "oy", "oyj"}
    | {"plc", "pte", "pty", "pvt", "sa", "sarl", "sas", "se", "spa", "srl", "the"}
)
ALIASES = {
    "3s smart software solutions": "codesys",
    "allen bradley": "rockwell automation",
    "automation direct": "automationdirect",
    "aveva software": "aveva",
    "bd": "becton dickinson",
    "beckhoff automation": "beckhoff",
    "becton dickinson and": "becton dickinson",
    "belden hirschmann": "hirschmann automation and control",
    "contolled electronic management systems": "controlled electronic management systems",
    "dahua": "dahua technology",
    "delta": "delta electronics",
    "digi": "digi international",
    "emerson automation solutions": "emerson",
    "emerson process management": "emerson",
    "ge": "general electric",
    "geutebruck": "geutebrueck",
    "hangzhou hikvision digital technology": "hikvision",
    "hirschmann": "hirschmann automation and control",
    "hitachi abb power grids": "hitachi energy",
    "honeywell international": "honeywell",
    "honeywell process solutions": "honeywell",
    "johnson contols": "johnson controls",
    "keysight technologies": "keysight",
    "lcds leao consultoria e desenvolvimento de sistemas me": "lcds",
    "lcds leao consultoria e desenvolvimento de sistemas": "lcds",
    "ls industrial systems": "ls electric",
    "mitsubishi": "mitsubishi electric",
    "moxa technologies": "moxa",
    "omron automation": "omron",
    "orpak systems": "orpak",
    "philips healthcare": "philips",
    "phoenixcontact": "phoenix contact",
    "red lion controls": "red lion",
    "rockwell": "rockwell automation",
    "schneider electric software": "schneider electric",
    "schneider": "schneider electric",
    "sel": "schweitzer engineering laboratories",
    "wago kontakttechnik": "wago",
    "weidmuller": "weidmueller",
    "yokogawa electric": "yokogawa",
    "zebra technologies": "zebra",
}
# who stands beside another vendor in one string
KNOWN = frozenset(ALIASES.values()) | {
    *("abb", "baxter international", "emerson", "ge healthcare", "hillrom", "schneider electric"),
    *("siemens", "wago"),
}
# what one company does, or who owns it: ProPump and Controls
_BUSINESS = frozenset(
    {"associates", "automation", "brothers", "communication", "communications", "company"}
    | {"control", "controls", "daughters", "development", "electronics", "energy", "engineering"}
    | {"instruments", "partners", "power", "research", "security", "services", "software"}
    | {"solutions", "sons", "supply", "system", "systems", "technologies", "technology"}
)
_NOBODY = re.compile(r"(?:n a|na|none|unknown|various|multiple|several|all|unspecified)(?: .*)?")
_WORD = re.compile(r"[^\W_]+")
_BRACKETS = re.compile(r"\([^()]*\)")
_DAMAGED = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u2122]{1,3}")
_DASH = re.compile("(?<=\\w)[\u2010-\u2013\u2212](?=\\w)")  # as word processors set S7-1200
_MARKS = re.compile("[™®℠©]")  # NFKC would make letters of them
_OWNERS = re.compile(r"(?i),? (?:a|an) (?:subsidiary|division|affiliate|brand|unit) of ")
_LEGAL_AND = re.compile(r"(?i)\b((?:llc|inc|ltd|gmbh|ag|corp|co)\.?) and ")
_BETWEEN = re.compile(r"\s*(?:,\s*and\s|,|;|\s[/-]\s)\s*")


@dataclass(frozen=True)
class Vendors:
    """The vendors that a string names, in its order; `reason` says why there is none or not all."""

    names: tuple[str, ...]
    reason: str = ""


@lru_cache(maxsize=1 << 16)
def repair(text: str) -> str:
    """Return `text` in NFKC without trade marks, with UTF-8 that was read as Latin-1 put right.

    A dash between letters or digits is a hyphen.
    """
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    text = unicodedata.normalize("NFKC", _MARKS.sub("", _DAMAGED.sub(_put_right, text)))
    return _DASH.sub("-", text)


def _put_right(found: re.Match[str]) -> str:
    for wrong in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            return found[0].encode(wrong).decode("utf-8")
    return found[0]


@lru_cache(maxsize=1 << 14)
def vendor_words(vendor: str) -> str:
    """Return one vendor's canonical name, "" where there is none."""
    bare = _BRACKETS.sub(" ", repair(vendor).replace(".", ""))
    plain = unicodedata.normalize("NFKD", bare).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    words = " ".join(w for w in _WORD.findall(plain) if w not in _LEGAL)
    return "" if _NOBODY.fullmatch(words) else ALIASES.get(words, words)


@lru_cache(maxsize=1 << 14)
def read(vendor: str) -> Vendors:
    """Return the vendors that `vendor` names, one or several."""
    text = _LEGAL_AND.sub(r"\1; ", _BRACKETS.sub(" ", repair(vendor)))
    whole = vendor_words(vendor)
    if whole in ALIASES.values() and whole:
        return Vendors((whole,))
    parts = [_two(part) for part in _BETWEEN.split(_OWNERS.sub(", ", text)) if part]
    if () in parts:
        return Vendors((), "the string may name one vendor or two")
    names = [vendor_words(one) for part in parts for one in part if "\ufffd" not in one]
    kept = tuple(dict.fromkeys(filter(None, names)))
    if not kept:
        return Vendors((), "the vendor's name is damaged" if "\ufffd" in text else "no vendor")
    damaged = "a part of the vendor's name is damaged" if "\ufffd" in text else ""
    return Vendors(kept, damaged)


def _two(text: str) -> tuple[str, ...]:
    """Cut "A and B" where one of both is known; () where B may be a vendor or not."""
    parts = text.split(" and ")
    if len(parts) == 2 and any(vendor_words(part) in KNOWN for part in parts):
        return tuple(parts)
    of_one = len(parts) < 2 or set(vendor_words(parts[-1]).split()) <= _BUSINESS
    return (text,) if of_one or vendor_words(text) in ALIASES.values() else ()
