"""Redlines: what a version of the terms changes, word by word and point by point.

Rules:
- The pieces of a redline without what is new are the words before, without what is gone the words
  after: nothing is left out and nothing added.
- A clause's words are compared with another version's, or with the library's that it departs from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from vedette.engagement.terms import Clause, Terms, clause_text
from vedette.kernel.packs import PolicyPack

Kind = Literal["same", "gone", "new"]
WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True)
class Piece:
    """Some words: the same in both, gone with the change, or new with it."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Change:
    """One point of the terms that a version changes; a side of it may be empty."""

    point: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Redline:
    """One clause whose words a version changes."""

    id: str
    title: str
    pieces: tuple[Piece, ...]


def redline(before: str, after: str) -> tuple[Piece, ...]:
    """Return the words of both as pieces, in reading order."""
    old, new = WORD.findall(before), WORD.findall(after)
    pieces: list[Piece] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(old[a:b])))
            continue
        if a < b:
            pieces.append(Piece("gone", "".join(old[a:b])))
        if c < d:
            pieces.append(Piece("new", "".join(new[c:d])))
    return tuple(pieces)


def words_of(pack: PolicyPack, clause: Clause) -> str:
    """Return the words that hold: the clause's own, else the library's."""
    return clause.text or clause_text(pack, clause)[1]


def from_library(pack: PolicyPack, terms: Terms) -> tuple[Redline, ...]:
    """Return each clause that departs from the library's words, beside those."""
    return tuple(
        Redline(clause.id, title, redline(text, clause.text))
        for clause in terms.clauses
        if clause.text
        for title, text in [clause_text(pack, clause)]
    )


def between(pack: PolicyPack, before: Terms, after: Terms) -> tuple[Redline, ...]:
    """Return each clause that two versions under one pack word differently, or that one lacks."""
    old = {clause.id: clause for clause in before.clauses}
    new = {clause.id: clause for clause in after.clauses}
    found = []
    for key in dict.fromkeys([*old, *new]):
        words = [words_of(pack, c) if c else "" for c in (old.get(key), new.get(key))]
        if words[0] != words[1]:
            title = clause_text(pack, new.get(key) or old[key])[0]
            found.append(Redline(key, title, redline(*words)))
    return tuple(found)


def changes(before: Terms, after: Terms) -> tuple[Change, ...]:
    """Return the points beside the clauses that `after` changes."""
    rows: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        ("people", _people(before), _people(after)),
        ("purposes", before.purposes, after.purposes),
        ("calls", (str(before.quota.calls),), (str(after.quota.calls),)),
        ("tokens", (str(before.quota.tokens),), (str(after.quota.tokens),)),
        ("publication", (before.publication,), (after.publication,)),
        ("marking", (before.marking,), (after.marking,)),
        ("export", (_word(before.export),), (_word(after.export),)),
        ("watermark", (_word(before.watermark),), (_word(after.watermark),)),
        ("pack", (before.pack,), (after.pack,)),
    ]
    return tuple(
        Change(point, tuple(w for w in old if w not in new), tuple(w for w in new if w not in old))
        for point, old, new in rows
        if set(old) != set(new)
    )


def _people(terms: Terms) -> tuple[str, ...]:
    return tuple(f"{person.name} <{person.id}>" for person in terms.people)


def _word(value: bool) -> str:
    return "yes" if value else "no"
