"""The words of a report, brought to one form for comparison. Text is data and is never obeyed.

Rules:
- Unicode is normalised (NFKC); at most WORDS_LIMIT words of a report count.
- An identifier counts whole and in its parts (`sqlKvStore`: sql, kv, store); version numbers do
  not count, since two parties rarely name the same ones.
- Inflections are cut off; words that every report has do not count.
- Every pattern is linear in its input.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

WORDS_LIMIT = 3_000

_WORD = re.compile(r"[^\W_](?:[^\W_]|[._/@-](?=[^\W_]))*")
_PART = re.compile(r"[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*(?![a-z])|[0-9]+|[^\W\d_]+")
_INNER = re.compile(r"[._/@-]")
_VERSION = re.compile(r"v?[0-9]+(?:[.-][0-9A-Za-z]+)*")
_ENDINGS = (
    *("ations", "ation", "ities", "ments", "ings", "ions", "ment", "ing", "ion", "ity", "ies"),
    *("ely", "ers", "er", "ed", "es", "ly", "s", "e"),
)
_STEM = 4
_STOP_WORDS = (
    "a affected after all allow allowed allowing allows also an and another any are as at "
    "attack attacker attackers be been before being but by can could do does due earlier fix "
    "fixed for from github golang had has have if in into is issue it its later may might "
    "more no not of on only or org other out prior released should such than that the their "
    "them then there these they this through to unless up update updated upgrade use used "
    "user users uses using version versions via vulnerabilities vulnerability vulnerable was "
    "were when where which while who will with within without would you "
)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Cut a common English ending off, leaving at least four letters."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word[: -len(ending)]
    return word


STOP = frozenset(stem(word) for word in _STOP_WORDS.split())


def words(text: str) -> list[str]:
    """Return the comparable words of `text`, in order, with repetition."""
    found: list[str] = []
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text)):
        word = match.group()
        if _VERSION.fullmatch(word):
            continue
        segments = _INNER.split(word)
        parts = [part for segment in segments for part in _parts(segment)]
        found.extend(
            p for p in (stem(part.lower()) for part in parts if len(part) > 1) if p not in STOP
        )
        if len(parts) > 1:
            found.append("".join(segments).lower())
        if len(found) > WORDS_LIMIT:
            break
    return found[:WORDS_LIMIT]


def _parts(segment: str) -> list[str]:
    return [segment] if segment.isupper() or segment.islower() else _PART.findall(segment)


def product_words(name: str) -> frozenset[str]:
    """Return the words of a product's name; hosts and version segments of a path do not count."""
    segments = unicodedata.normalize("NFKC", name).split("/")
    if len(segments) > 1 and "." in segments[0]:
        segments = segments[1:]
    return frozenset(words(" ".join(segments)))
