"""Labelled lines of transcripts, and how often the scan misses or cries wolf on them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vedette.bench.likeness import sentences
from vedette.bench.results import Noted
from vedette.bench.transcripts import KINDS, is_said, kinds_in

FOLDER = Path(__file__).parent / "transcripts"
Lines = list[tuple[frozenset[str], str]]


def lines(name: str) -> Lines:
    """(kinds, line) of one set."""
    rows = [
        row for row in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines() if row[0] != "#"
    ]
    cut = [row.split(" | ", 1) for row in rows]
    return [(frozenset(k for k in label.split("+") if k != "-"), line) for label, line in cut]


def scanned(name: str, *, rules_alone: bool = False) -> list[tuple[frozenset[str], list[Noted]]]:
    """(kinds wanted, what was found) of each line; prose is taken as said, all else as done."""
    return [
        (wanted, kinds_in(line, said=not rules_alone and _is_prose(line)))
        for wanted, line in lines(name)
    ]


def _is_prose(line: str) -> bool:
    return is_said(line) or any(prose for _, prose in sentences(line))


def measured(rows: Iterable[tuple[frozenset[str], list[Noted]]]) -> dict[str, tuple[int, int, int]]:
    """kind -> (found, false alarms, missed); `any` takes a line with whatever flag as one."""
    sums = {kind: [0, 0, 0] for kind in (*KINDS, "any")}
    for wanted, noted in rows:
        got = {each.kind for each in noted}
        for kind in KINDS:
            _count(sums[kind], kind in got, kind in wanted)
        _count(sums["any"], bool(got), bool(wanted))
    return {kind: (a, b, c) for kind, (a, b, c) in sums.items()}


def _count(sums: list[int], got: bool, wanted: bool) -> None:
    sums[0] += got and wanted
    sums[1] += got and not wanted
    sums[2] += wanted and not got
