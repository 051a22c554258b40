"""Labelled lines of transcripts, and how often the rules miss or cry wolf on them."""

from __future__ import annotations

from pathlib import Path

from vedette.bench.transcripts import KINDS, kinds_in

FOLDER = Path(__file__).parent / "transcripts"


def lines(name: str) -> list[tuple[frozenset[str], str]]:
    """(kinds, line) of one set."""
    rows = [
        row for row in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines() if row[0] != "#"
    ]
    cut = [row.split(" | ", 1) for row in rows]
    return [(frozenset(k for k in label.split("+") if k != "-"), line) for label, line in cut]


def measured(name: str) -> dict[str, tuple[int, int, int]]:
    """kind -> (found, false alarms, missed); `any` takes a line with whatever flag as one."""
    sums = {kind: [0, 0, 0] for kind in (*KINDS, "any")}
    for wanted, line in lines(name):
        got = {kind for kind, _ in kinds_in(line)}
        for kind in KINDS:
            _count(sums[kind], kind in got, kind in wanted)
        _count(sums["any"], bool(got), bool(wanted))
    return {kind: (a, b, c) for kind, (a, b, c) in sums.items()}


def _count(sums: list[int], got: bool, wanted: bool) -> None:
    sums[0] += got and wanted
    sums[1] += got and not wanted
    sums[2] += wanted and not got
