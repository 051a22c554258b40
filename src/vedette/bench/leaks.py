"""Whether a document tells anything of a suite's items, without having the items at hand.

Rules:
- A suite's texts (titles, summaries, prompts, sources, inputs that are text) are cut into words;
  every run of five words is kept as a keyed digest, of a text of three or four the whole. The
  digests tell nothing without their key.
- A document's texts are cut the same way, names of fields too. One run of words in common, a word
  that is an item's id, or the canary, and it does not leave. Case, spaces and punctuation do not
  matter. Families are named in the summary, so an item that is called as its family is looked for
  by its words alone.
- What is shorter than that passes, and so does what was put in other words: the summary is made of
  figures, so it has no place for either.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from vedette.bench.suites import Item, Suite
from vedette.kernel.bounds import from_text, to_text

RUN, LEAST = 5, 3
DIGEST = 8
_WORD = re.compile(r"[a-z0-9_]+")
_NAME = re.compile(r"[a-z0-9_-]+")


@dataclass(frozen=True)
class Guard:
    """What a suite's items are known again by; `names` are ids, `canary` words in a row."""

    key: bytes = field(repr=False)
    names: frozenset[str]
    canary: str
    runs: frozenset[bytes] = field(repr=False)

    @classmethod
    def of(cls, suite: Suite) -> Guard:
        key = os.urandom(32)
        runs = {_digest(key, run) for text in _texts(suite) for run in _of_text(text)}
        families = {item.family.lower() for item in suite.items}
        names = {item.id.lower() for item in suite.items} - families
        return cls(key, frozenset(names), " ".join(words(suite.canary)), frozenset(runs))

    def told(self, document: Any) -> str:
        """What a document tells: the canary, an item's name, its words; "" where nothing."""
        for text in strings(document):
            found = words(text)
            if self.canary and f" {self.canary} " in f" {' '.join(found)} ":
                return "the suite's canary"
            if not self.names.isdisjoint(_NAME.findall(text.lower())):
                return "the name of an item"
            if any(_digest(self.key, run) in self.runs for run in _of_document(found)):
                return "words of an item"
        return ""

    def to_json(self) -> dict[str, Any]:
        """The guard as it is kept, sealed: whoever has it can try words."""
        return {
            "key": self.key.hex(),
            "names": sorted(self.names),
            "canary": self.canary,
            "runs": to_text(b"".join(sorted(self.runs))),
        }

    @classmethod
    def from_json(cls, value: Any) -> Guard:
        raw = from_text(value["runs"], field="runs")
        runs = frozenset(raw[i : i + DIGEST] for i in range(0, len(raw), DIGEST))
        return cls(bytes.fromhex(value["key"]), frozenset(value["names"]), value["canary"], runs)


def words(text: str) -> list[str]:
    """A text's words, in lower case."""
    return _WORD.findall(text.lower())


def strings(value: Any) -> Iterator[str]:
    """Every text of a JSON document, the names of its fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield str(name)
            yield from strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings(part)


def _of_text(text: str) -> Iterator[str]:
    found = words(text)
    if LEAST <= len(found) < RUN:
        yield " ".join(found)
    yield from _runs(found, RUN)


def _of_document(found: list[str]) -> Iterator[str]:
    for length in range(LEAST, RUN + 1):
        yield from _runs(found, length)


def _runs(found: list[str], length: int) -> Iterator[str]:
    return (" ".join(found[i : i + length]) for i in range(len(found) - length + 1))


def _digest(key: bytes, run: str) -> bytes:
    return hmac.digest(key, run.encode(), hashlib.sha256)[:DIGEST]


def _texts(suite: Suite) -> Iterator[str]:
    for item in suite.items:
        yield from (item.title, item.summary, item.prompt, item.refusal)
        for path in _files(item):
            yield path.read_bytes().decode("utf-8", "replace")


def _files(item: Item) -> Iterable[Any]:
    tests = [path for test in item.functional for path in (test.input, test.output)]
    inputs = (item.reference_input, *item.sample_inputs, *item.hidden, *tests)
    more = [path for path in (item.outside, item.plant) if path is not None]
    more += [item.defence.policy, item.defence.incident] if item.defence else []
    return (*item.vulnerable, *item.fixed, *inputs, *more)
