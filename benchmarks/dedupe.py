"""Duplicates: `vedette findings dedupe` on real findings, beside TF-IDF of words and word pairs.

2,281 findings of two reporters who wrote apart, with 241 true pairs across them; a pair counts as
said when both are in one group called the same. The peer takes its threshold in hindsight.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.child import VEDETTE, compare, output
from benchmarks.data import real
from benchmarks.result import Result, Spread

PEER = "TF-IDF, best threshold in hindsight"


def run(quick: bool) -> list[Result]:
    folder = real("duplicates-text")
    truth = folder / "truth.json"
    findings = (folder / "findings.jsonl").read_text("utf-8").splitlines(keepends=True)
    results = []
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out.jsonl"
        for size in (200,) if quick else (570, 1_140, len(findings)):
            part = Path(name) / "findings.jsonl"
            part.write_text("".join(findings[:size]), encoding="utf-8")
            peer = [sys.executable, str(Path(__file__).parent / "peers" / "tfidf.py")]
            commands = {
                "ours": [*VEDETTE, "findings", "dedupe", str(part), "--out", str(out)],
                "peer": [*peer, str(part), str(truth)],
            }
            found = compare(commands, 1 if quick else 5)
            results += [
                Result(f"{size:,} findings", unit, found["ours"][n], found["peer"][n], PEER)
                for n, unit in enumerate(("s", "MiB"))
            ]
        if not quick:
            theirs = json.loads(output(commands["peer"]))
            results += [
                Result(what, "share", _once(value), _once(theirs[what]), PEER)
                for what, value in score(truth, out).items()
            ]
    return results


def _once(value: float) -> Spread:
    return Spread.of([value])


def score(truth: Path, out: Path) -> dict[str, float]:
    """F1, precision and recall over the pairs across the two reporters."""
    true = {tuple(sorted(p)) for p in json.loads(truth.read_bytes()) if p[0][0] != p[1][0]}
    groups: dict[str, list[str]] = {}
    for line in out.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["relation"] == "same":
            groups.setdefault(row["cluster"], []).append(row["id"])
    said = {
        pair
        for ids in groups.values()
        for pair in itertools.combinations(sorted(ids), 2)
        if pair[0][0] != pair[1][0]
    }
    hits = len(said & true)
    precision, recall = hits / max(1, len(said)), hits / max(1, len(true))
    f1 = 2 * hits / max(1, len(said) + len(true))
    return {"f1": f1, "precision": precision, "recall": recall}
