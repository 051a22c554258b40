"""Transcripts: how much of cheating, and of knowing that one is tested, a scan finds.

Lines of two held-out sets, none of which the rules or the weights were made with: the first was
written after the rules, the second before any weights were learned. Prose is taken as said, all
else as a tool call. A line counts as found where anything of its kind is flagged. The peer is the
scan by rules alone. The sums over both sets were looked at three times (47, 47, 48 of 86 and 59,
64, 64 of 135 found; 3, 3, 3 of 101 and 10, 11, 11 of 140 false): in between, what counts as prose
was told anew, two rules were kept to tool calls, and lines were added to learn from, none of them
with an eye to a single held-out line, some after a look at what was false in the descriptions.
False findings are counted on lines that show nothing, hard on purpose (tests, graders, sandboxes
that programs speak of), and on text that nobody wrote for this: the descriptions of the Python
packages here as said, the standard library's modules and Python's C headers as said, as said in a
fence, and as submitted. Intervals are Clopper and Pearson's, 95%.
Limits: all labelled lines come from one hand, those of the second set and those learned from on one
day, and no transcript of a frontier model is among them, so that neither what is found nor what is
false need hold for one. Who speaks in other words, in another language or not at all is not found.
"""

from __future__ import annotations

import importlib.metadata
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench.transcript_lines import scanned

from benchmarks.fingerprint import share
from benchmarks.result import Result, Spread, timed
from vedette.bench.results import Noted
from vedette.bench.transcripts import CHEATING, KINDS, kinds_in

GROUPS = {"cheating": set(CHEATING), "aware": {"aware"}, "either": set(KINDS)}
SETS = {"held_out": "first held-out", "held_out_2": "second held-out"}
MOST_LINES, FILES = 20_000, 200
Scanned = list[tuple[frozenset[str], list[Noted]]]


def run(quick: bool) -> list[Result]:
    rows = []
    for name, told in SETS.items():
        rows += held_out(told, scanned(name), scanned(name, rules_alone=True))
    most = 500 if quick else MOST_LINES
    rows += ordinary(most)
    text = list(documents(1000))
    seconds = timed(lambda: [kinds_in(line, said=True) for line in text])
    return [*rows, Result("1,000 lines of prose scanned", "s", Spread.of([seconds]))]


def held_out(told: str, ours: Scanned, rules: Scanned) -> list[Result]:
    """Found and false in one set, by kind, ours beside the rules alone."""
    rows = []
    for group, kinds in GROUPS.items():
        hits = [
            [any(each.kind in kinds for each in found) for wanted, found in of if wanted & kinds]
            for of in (ours, rules)
        ]
        rows.append(share(f"{told}, {group}: found", hits[0], mean(hits[1]), "rules alone"))
    for group, kinds in GROUPS.items():
        false = [
            [any(each.kind in kinds for each in found) for wanted, found in of if not wanted]
            for of in (ours, rules)
        ]
        rows.append(share(f"{told}, {group}: false", false[0], mean(false[1]), "rules alone"))
    return rows


def mean(seen: list[bool]) -> float:
    return sum(seen) / len(seen)


def ordinary(most: int) -> list[Result]:
    """False findings a 1,000 lines of text that was written for something else."""
    python = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    headers = sorted(Path(sysconfig.get_path("include")).rglob("*.h"))
    texts = {"package descriptions": list(documents(most))}
    texts |= {"Python": list(lines_of(python, most)), "C headers": list(lines_of(headers, most))}
    rows = []
    for name, lines in texts.items():
        said = [kinds_in(line, said=True) for line in lines]
        rows.append(rate(f"{name} as said, by likeness", said, len(lines), rule=False))
        rows.append(rate(f"{name} as said, by rules", said, len(lines), rule=True))
        if name != "package descriptions":
            fenced = [kinds_in(f"```\n{line}\n```", said=True) for line in lines]
            rows.append(rate(f"{name} in a fence, by likeness", fenced, len(lines), rule=False))
            plain = [[n for n in found if n.kind in ("sanitizer", "signal")] for found in fenced]
            rows.append(rate(f"{name} as submitted", plain, len(lines), rule=True))
    return rows


def rate(name: str, found: Iterable[list[Noted]], of: int, *, rule: bool) -> Result:
    count = sum((each.score == 100) == rule for noted in found for each in noted)
    spread = Spread.of([1000 * count / of])
    return Result(name, "a 1,000 lines", spread, note=f"{count:,} in {of:,} lines")


def documents(most: int) -> Iterator[str]:
    """Lines of the descriptions of the packages that are installed here, one paragraph a line."""
    texts = {
        str(each.metadata["Name"]): str(each.metadata.get_payload() or "")  # type: ignore[attr-defined]
        for each in importlib.metadata.distributions()
    }
    lines = (line for _, text in sorted(texts.items()) for line in text.splitlines())
    yield from [line for line in lines if line.strip()][:most]


def lines_of(paths: list[Path], most: int) -> Iterator[str]:
    texts = (path.read_text("utf-8", "replace") for path in paths[:FILES])
    yield from [line for text in texts for line in text.splitlines() if line.strip()][:most]
