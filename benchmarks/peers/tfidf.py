"""Duplicates by TF-IDF of words and word pairs: the usual first thing to try.

`python tfidf.py FINDINGS TRUTH`: cosine similarity of every pair across the two reporters, groups
by the threshold that scores best in hindsight, which no user could know. Prints F1, precision and
recall as JSON.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import sparse


def terms(row: dict[str, str]) -> Counter[str]:
    words = re.findall(r"[a-z0-9]+", f"{row['title']} {row['description']}".lower())
    return Counter([*words, *(" ".join(pair) for pair in pairwise(words))])


def vectors(rows: list[dict[str, str]]) -> sparse.csr_matrix:
    counted = [terms(row) for row in rows]
    spread = Counter(term for found in counted for term in found)
    place = {term: n for n, term in enumerate(spread)}
    data, columns, starts = [], [], [0]
    for found in counted:
        for term, count in found.items():
            data.append((1 + math.log(count)) * (1 + math.log(len(rows) / spread[term])))
            columns.append(place[term])
        starts.append(len(data))
    made = sparse.csr_matrix((data, columns, starts), shape=(len(rows), len(place)))
    lengths = np.sqrt(made.multiply(made).sum(axis=1)).A1
    return sparse.diags(1 / np.maximum(lengths, 1e-12)) @ made


def best(pairs: list[tuple[float, bool]], true: int) -> tuple[float, float, float]:
    """F1, precision and recall at the threshold that maximises F1."""
    found, hits = (0.0, 0.0, 0.0), 0
    for said, (_, same) in enumerate(sorted(pairs, reverse=True), 1):
        hits += same
        precision, recall = hits / said, hits / true
        if hits:
            found = max(found, (2 * precision * recall / (precision + recall), precision, recall))
    return found


def main(findings: Path, truth: Path) -> None:
    rows = [json.loads(line) for line in findings.read_text("utf-8").splitlines()]
    same = {tuple(sorted(pair)) for pair in json.loads(truth.read_bytes())}
    same = {pair for pair in same if pair[0][0] != pair[1][0]}
    a = [row for row in rows if row["id"].startswith("a")]
    b = [row for row in rows if row["id"].startswith("b")]
    every = vectors(a + b)
    near = (every[: len(a)] @ every[len(a) :].T).tocoo()
    pairs = [
        (float(score), (a[i]["id"], b[j]["id"]) in same)
        for i, j, score in zip(near.row, near.col, near.data, strict=True)
        if score > 0.05
    ]
    print(json.dumps(dict(zip(("f1", "precision", "recall"), best(pairs, len(same)), strict=True))))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
