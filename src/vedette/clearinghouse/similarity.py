"""Similarity of report texts over a corpus: sparse TF-IDF, in memory linear in the words.

For two findings four agreements from 0 to 1 are measured, all weighted by how rare a word is among
the reports at hand (inverse document frequency):

- cosine of the two texts;
- containment: how much of the shorter text the longer one holds;
- title: how much of one title the other's text holds (the better way round);
- product: how much of one product's name the other report holds (the better way round).

Candidates come from an inverted index of each report's rarest words, so the work grows with the
number of reports times a constant, not with its square.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from vedette.clearinghouse.findings import Finding
from vedette.clearinghouse.report_text import product_words, words

RAREST = 32
# A few reports do not tell which words are rare: weights are those among at least so many.
BACKGROUND = 1_000
# A title or text of fewer rare words than this counts as partly empty: agreeing on all of next to
# nothing is little.
LEAST_WORDS = 3
# Keeps the weight of a word that nearly every report holds above zero.
WEIGHT_FLOOR = 0.1
NEIGHBOURS = 24
OWN_NEIGHBOURS = 4
CHUNK = 2_048
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Corpus:
    """The findings' texts as sparse matrices, one row a finding, in the order given."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.size = len(findings)
        titles = [frozenset(words(f.title)) for f in findings]
        bags = [_text(f) for f in findings]
        places = [_place(f) for f in findings]
        products = [product_words(f.product) | product_words(f.component) for f in findings]
        vocabulary = self._vocabulary(bags, places)
        frequency = np.zeros(len(vocabulary))
        for bag, place in zip(bags, places, strict=True):
            for word in place.union(bag):
                frequency[vocabulary[word]] += 1
        self.frequency = frequency
        total = max(self.size, BACKGROUND) + 1
        self.least = LEAST_WORDS * math.log(total)
        self.weight: Floats = np.log(total / (frequency + 0.5) + WEIGHT_FLOOR)
        counts = self._matrix(bags, vocabulary)
        counts.data = (1 + np.log(counts.data)) * self.weight[counts.indices]
        norms = np.sqrt(counts.multiply(counts).sum(axis=1))
        self.cosines = sp.diags_array(1 / np.maximum(np.asarray(norms).ravel(), 1e-9)) @ counts
        self.texts = self._roots(bags, vocabulary)
        self.titles = self._roots(titles, vocabulary)
        self.products = self._roots(products, vocabulary)
        whole = [place.union(bag) for bag, place in zip(bags, places, strict=True)]
        self.whole = self._roots(whole, vocabulary)

    @staticmethod
    def _vocabulary(*groups: Iterable[Iterable[str]]) -> dict[str, int]:
        """Number the words in sorted order, so that no sum depends on the input's order."""
        known = {word for group in groups for bag in group for word in bag}
        return {word: number for number, word in enumerate(sorted(known))}

    def _matrix(self, bags: Sequence[dict[str, int]], vocabulary: dict[str, int]) -> Any:
        pointers, indices, data = [0], [], []
        for bag in bags:
            for column, count in sorted((vocabulary[word], count) for word, count in bag.items()):
                indices.append(column)
                data.append(count)
            pointers.append(len(indices))
        shape = (self.size, max(1, len(vocabulary)))
        return sp.csr_array((np.array(data, float), np.array(indices), np.array(pointers)), shape)

    def _roots(self, bags: Sequence[Iterable[str]], vocabulary: dict[str, int]) -> Any:
        """Weights' roots: the product of two rows sums the weights of the words they share."""
        matrix = self._matrix([dict.fromkeys(bag, 1) for bag in bags], vocabulary)
        matrix.data = np.sqrt(self.weight[matrix.indices])
        return matrix

    def candidates(self, reporters: Ints) -> tuple[Ints, Ints]:
        """Return pairs of rows (i < j) that share rare words.

        Of each row they hold the NEIGHBOURS nearest reports of other reporters and the nearest
        few of all; `reporters` numbers the reporter of each row.
        """
        index = self._rare()
        across = index.T.tocsr()
        pairs: list[Ints] = []
        for start in range(0, self.size, CHUNK):
            near = (index[start : start + CHUNK] @ across).tocsr()
            for offset in range(near.shape[0]):
                row = start + offset
                begin, end = near.indptr[offset], near.indptr[offset + 1]
                found, scores = near.indices[begin:end], near.data[begin:end]
                keep = found != row
                found, scores = found[keep], scores[keep]
                best = found[np.lexsort((found, -scores))].astype(np.int64)
                foreign = best[reporters[best] != reporters[row]][:NEIGHBOURS]
                best = np.union1d(best[:OWN_NEIGHBOURS], foreign)
                pairs.append(np.column_stack((np.minimum(best, row), np.maximum(best, row))))
        if not pairs:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        unique = np.unique(np.concatenate(pairs), axis=0)
        return unique[:, 0], unique[:, 1]

    def _rare(self) -> Any:
        """Keep each row's RAREST words, none of them in more than a hundredth of the reports."""
        most = max(400.0, self.size / 100)
        matrix = self.whole
        pointers, indices, data = [0], [], []
        for row in range(self.size):
            begin, end = matrix.indptr[row], matrix.indptr[row + 1]
            columns, values = matrix.indices[begin:end], matrix.data[begin:end]
            usable = self.frequency[columns] <= most
            columns, values = columns[usable], values[usable]
            rarest = np.lexsort((columns, self.frequency[columns]))[:RAREST]
            indices.append(columns[rarest])
            data.append(values[rarest])
            pointers.append(pointers[-1] + len(rarest))
        joined = (np.concatenate(data), np.concatenate(indices), np.array(pointers))
        return sp.csr_array(joined, shape=matrix.shape)

    def agreements(self, left: Ints, right: Ints) -> Floats:
        """Return cosine, containment, title and product agreement (columns) of pairs (rows)."""
        result = np.zeros((len(left), 4))
        for start in range(0, len(left), 65_536):
            part = slice(start, start + 65_536)
            a, b = left[part], right[part]
            result[part, 0] = _dot(self.cosines[a], self.cosines[b])
            shared = _dot(self.texts[a], self.texts[b])
            shorter = np.minimum(_weights(self.texts)[a], _weights(self.texts)[b])
            result[part, 1] = shared / np.maximum(shorter, self.least)
            result[part, 2] = _held(self.titles, self.texts, a, b, self.least)
            result[part, 3] = _held(self.products, self.whole, a, b, 1e-9)
        return np.clip(result, 0.0, 1.0)


def _text(finding: Finding) -> dict[str, int]:
    same = finding.description.strip() == finding.title.strip()
    return dict(
        Counter(words(finding.title if same else f"{finding.title}\n{finding.description}"))
    )


def _place(finding: Finding) -> frozenset[str]:
    place = words(f"{finding.file} {finding.function}")
    return product_words(finding.product) | product_words(finding.component) | frozenset(place)


def _held(part: Any, whole: Any, a: Ints, b: Ints, least: float) -> Floats:
    """Share of `part` of one that the other's `whole` holds, the better way round."""
    size = np.maximum(_weights(part), least)
    return np.maximum(_dot(part[a], whole[b]) / size[a], _dot(whole[a], part[b]) / size[b])


def _dot(a: Any, b: Any) -> Floats:
    return np.asarray(a.multiply(b).sum(axis=1), float).ravel()


def _weights(matrix: Any) -> Floats:
    return np.asarray(matrix.multiply(matrix).sum(axis=1), float).ravel()
