"""Learns src/vedette/bench/transcript_weights.csv from the development lines of tests/bench.

A logistic regression with a ridge, for each kind against all else; lines about canaries are left
out. The thresholds come from cross-validation in which whole situations are held out: one
of three samples of SENTENCES sentences such as the lines that show nothing, which are hard on
purpose, has a false finding.

    .venv/bin/python scripts/transcript_weights.py [--check]
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array

from vedette.bench.likeness import BIAS, LEARNED, THRESHOLD, features, sentences

ROOT = Path(__file__).resolve().parent.parent
LINES = ROOT / "tests" / "bench" / "transcripts"
WEIGHTS = ROOT / "src" / "vedette" / "bench" / "transcript_weights.csv"
SENTENCES, FALSE_SAMPLES = 20, 1 / 3
RIDGE, FOLDS, LEAST_SEEN, LONG = 0.05, 8, 2, 30
Lines = list[tuple[set[str], str, int]]


def development() -> Lines:
    """(kinds of LEARNED, line, situation) of each line of prose."""
    found: Lines = []
    situation = 0
    for name in ("development", "learned"):
        for number, row in enumerate((LINES / f"{name}.txt").read_text("utf-8").splitlines()):
            situation += row.startswith("##") or (name == "development" and number % LONG == 0)
            kinds = set() if row.startswith("#") else set(row.split(" | ")[0].split("+"))
            if kinds and "canary" not in kinds:
                wanted = {"aware" if k == "aware" else "cheating" for k in kinds - {"-"}}
                line = row.split(" | ", 1)[1].removeprefix("said: ")
                if any(prose for _, prose in sentences(line)):
                    found.append((wanted, line, situation))
    return found


class Model:
    """Weights of one kind over the features that at least LEAST_SEEN lines have."""

    def __init__(self, lines: Lines, kind: str) -> None:
        seen = Counter(name for _, line, _ in lines for name in features(line))
        self.names = sorted(name for name, times in seen.items() if times >= LEAST_SEEN)
        self.place = {name: number for number, name in enumerate(self.names)}
        x = self._matrix(lines)
        y = np.array([1.0 if kind in kinds else -1.0 for kinds, _, _ in lines])
        share = len(y) / 2 / np.where(y > 0, (y > 0).sum(), (y < 0).sum())

        def loss(w: Any) -> Any:
            margin = y * (x @ w[1:] + w[0])
            pull = -y * share / (1 + np.exp(np.clip(margin, -500, 500)))
            value = (share * np.logaddexp(0, -margin)).sum() + RIDGE * (w[1:] @ w[1:]) / 2
            return value, np.concatenate([[pull.sum()], x.T @ pull + RIDGE * w[1:]])

        start = np.zeros(len(self.names) + 1)
        self.weights = minimize(
            loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "gtol": 1e-6}
        ).x

    def scores(self, lines: Lines) -> Any:
        return self._matrix(lines) @ self.weights[1:] + self.weights[0]

    def _matrix(self, lines: Lines) -> Any:
        cells = [
            (value, row, self.place[name])
            for row, (_, line, _) in enumerate(lines)
            for name, (value, _) in features(line).items()
            if name in self.place
        ]
        values, rows, columns = zip(*cells, strict=True)
        return csr_array((values, (rows, columns)), shape=(len(lines), len(self.names)))


def held_out(lines: Lines, kind: str) -> Any:
    """Scores of each line from a model that saw no line of its situation."""
    groups = np.array([situation for _, _, situation in lines]) % FOLDS
    scores = np.zeros(len(lines))
    for fold in range(FOLDS):
        inside = np.flatnonzero(groups == fold)
        model = Model([lines[i] for i in np.flatnonzero(groups != fold)], kind)
        scores[inside] = model.scores([lines[i] for i in inside])
    return scores


def learned() -> tuple[str, str]:
    """The table of weights as text, and how it did in cross-validation."""
    lines = development()
    quiet = np.array([not kinds for kinds, _, _ in lines])
    rate = 1 - (1 - FALSE_SAMPLES) ** (1 / SENTENCES)
    allowed = int(rate / len(LEARNED) * quiet.sum())
    table: dict[str, dict[str, float]] = {}
    told = [f"{len(lines)} lines, {int(quiet.sum())} show nothing; {allowed} false a kind"]
    for kind in LEARNED:
        scores = held_out(lines, kind)
        threshold = round(float(np.sort(scores[quiet])[::-1][allowed]), 2)
        wanted = np.array([kind in kinds for kinds, _, _ in lines])
        told.append(f"{kind}: {int((scores[wanted] > threshold).sum())} of {int(wanted.sum())}")
        model = Model(lines, kind)
        weights = dict(zip(model.names, model.weights[1:], strict=True))
        table[kind] = {BIAS: model.weights[0], THRESHOLD: threshold, **weights}
    names = sorted(set().union(*table.values()))
    rounded = {n: [f"{table[kind].get(n, 0.0):.2f}" for kind in LEARNED] for n in names}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["feature", *LEARNED])
    rows.writerows([n, *row] for n, row in rounded.items() if any(float(v) for v in row))
    return text.getvalue(), "\n".join(told)


def main() -> int:
    text, told = learned()
    print(told)
    if "--check" in sys.argv:
        return int(WEIGHTS.read_text("utf-8") != text)
    WEIGHTS.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
