"""Which findings are the same bug: `compare` two, or `cluster` many.

Rules of a cluster:
- Reports with the same content are one; findings are related as relations.py says.
- A reporter does not report one bug twice in other words: text alone makes two findings the same
  only across reporters, and only when each is the other's best match among that reporter's; the
  others that read alike are siblings. Findings without a reporter count as one reporter's, but
  may be the same as each other.
- Groups are joined strongest evidence first; text alone never brings two findings of one reporter
  into a group.
- Nothing depends on the order of the input; ties go to the smaller id.

Work: each finding is compared with a bounded number of others that share its rare words, its crash
or its place, so it grows with the number of findings, not with its square.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vedette.clearinghouse.crashes import Crash, crash_of
from vedette.clearinghouse.findings import Finding
from vedette.clearinghouse.relations import (
    HALF,
    SAME_CONTENT,
    THRESHOLD,
    WEIGHTS,
    Basis,
    Kind,
    Relation,
    content,
    relate,
)
from vedette.clearinghouse.similarity import Corpus, Ints

STEPS = ("reading words", "looking for neighbours", "comparing", "grouping")
# What a report that is not the same must reach to be called a sibling.
SIBLING_PRODUCT = 0.5
SIBLING_SCORE = 0.8


@dataclass(frozen=True)
class Edge:
    """Two findings by their place in the sorted list (left < right), and how they relate."""

    left: int
    right: int
    relation: Relation

    @property
    def rank(self) -> tuple[float, int, int]:
        return -self.relation.score, self.left, self.right


def compare(a: Finding, b: Finding) -> Relation:
    """Return how two findings relate, by themselves. Symmetric."""
    first, second = sorted((a, b), key=lambda f: (f.id, f.key))
    corpus = Corpus([first, second])
    agreements = corpus.agreements(np.array([0]), np.array([1]))
    crashes = crash_of(first), crash_of(second)
    return relate(first, second, [float(x) for x in agreements[0]], crashes)


def cluster(
    findings: Iterable[Finding], progress: Callable[[str], None] = lambda step: None
) -> list[dict[str, Any]]:
    """Return a row a finding, sorted by id; `progress` hears each of STEPS as it begins.

    A row is `{"id", "cluster", "relation", "of"?, "score", "why"}`: `cluster` is the smallest id
    of the group of the same bug. The ids must differ from each other.
    """
    ordered = sorted(findings, key=lambda f: f.id)
    if not ordered:
        return []
    edges = _edges(ordered, progress)
    progress(STEPS[-1])
    groups = _Groups(ordered)
    for edge in sorted(
        (e for e in edges if e.relation.relation == Kind.SAME), key=lambda e: e.rank
    ):
        groups.join(edge)
    return _rows(ordered, edges, groups)


def _edges(findings: Sequence[Finding], progress: Callable[[str], None]) -> list[Edge]:
    """Return the relations worth telling: same, variant, sibling, and each one's nearest."""
    progress(STEPS[0])
    distinct: dict[Hashable, list[int]] = defaultdict(list)
    for index, finding in enumerate(findings):
        distinct[content(finding)].append(index)
    edges = [
        Edge(members[0], other, SAME_CONTENT)
        for members in distinct.values()
        for other in members[1:]
    ]
    heads = np.array(sorted(members[0] for members in distinct.values()))
    chosen = [findings[i] for i in heads]
    crashes = [crash_of(finding) for finding in chosen]
    reporters = _numbered([f.reporter or i for i, f in enumerate(chosen)])
    corpus = Corpus(chosen)
    progress(STEPS[1])
    near = np.column_stack(corpus.candidates(reporters))
    linked = np.array(sorted(_linked(chosen, crashes)), dtype=np.int64).reshape(-1, 2)
    pairs = np.unique(np.concatenate((near, linked)), axis=0)
    progress(STEPS[2])
    agreements = corpus.agreements(pairs[:, 0], pairs[:, 1])
    weighed = agreements @ np.array(WEIGHTS) - THRESHOLD
    best = _best_matches(pairs, weighed, _numbered([f.reporter for f in chosen]))
    told = (weighed >= 0) | _among(pairs, linked) | _nearest(pairs, weighed)
    for number in np.flatnonzero(told):
        left, right = int(pairs[number, 0]), int(pairs[number, 1])
        agreed = [float(x) for x in agreements[number]]
        found = relate(chosen[left], chosen[right], agreed, (crashes[left], crashes[right]))
        own = bool(chosen[left].reporter) and chosen[left].reporter == chosen[right].reporter
        if found.relation == Kind.SAME and found.basis == Basis.TEXT and (own or not best[number]):
            found = _second_best(found, own, agreed[3])
        edges.append(Edge(int(heads[left]), int(heads[right]), found))
    return edges


def _second_best(found: Relation, own: bool, product: float) -> Relation:
    akin = product >= SIBLING_PRODUCT and found.score >= SIBLING_SCORE
    kind = Kind.SIBLING if akin else Kind.UNIQUE
    reason = "but both are one reporter's" if own else "but another report fits better"
    return Relation(kind, found.score, (*found.why, reason), found.basis)


def _numbered(values: Sequence[Hashable]) -> Ints:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)


def _linked(findings: Sequence[Finding], crashes: Sequence[Crash]) -> set[tuple[int, int]]:
    """Return pairs that share a crash or a place: each bucket as a star and a chain."""
    buckets: dict[Hashable, list[int]] = defaultdict(list)
    for index, finding in enumerate(findings):
        crash = crashes[index]
        if crash.frames:
            buckets["frames", crash.frames].append(index)
            if crash.kind:
                buckets["top", crash.kind, crash.frames[0]].append(index)
        if finding.function:
            for name in {finding.product, finding.component, finding.file} - {""}:
                buckets["place", name, finding.function].append(index)
    pairs: set[tuple[int, int]] = set()
    for members in buckets.values():
        chain = sorted(members, key=lambda i: (findings[i].product, i))
        pairs.update((members[0], other) for other in members[1:])
        pairs.update((min(p), max(p)) for p in itertools.pairwise(chain))
    return pairs


def _among(pairs: Any, linked: Any) -> Any:
    """Tell of each of `pairs` whether it is one of `linked`."""
    if not len(linked):
        return np.zeros(len(pairs), bool)
    base = int(pairs.max()) + 1
    return np.isin(pairs[:, 0] * base + pairs[:, 1], linked[:, 0] * base + linked[:, 1])


def _best_matches(pairs: Any, weighed: Any, reporters: Ints) -> Any:
    """Tell of each pair whether either is the other's best among that one's reporter's."""
    result = np.ones(len(pairs), bool)
    for mine, theirs in ((0, 1), (1, 0)):
        me, other = pairs[:, mine], reporters[pairs[:, theirs]]
        order = np.lexsort((pairs[:, theirs], -weighed, other, me))
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(me[order]) != 0) | (np.diff(other[order]) != 0)
        best = np.zeros(len(order), bool)
        best[order] = first
        result &= best
    return result


def _nearest(pairs: Any, weighed: Any) -> Any:
    """Tell of each pair whether it is the nearest of one of the two."""
    result = np.zeros(len(pairs), bool)
    for side in (0, 1):
        order = np.lexsort((-weighed, pairs[:, side]))
        first = np.ones(len(order), bool)
        first[1:] = np.diff(pairs[order, side]) != 0
        result[order[first]] = True
    return result


class _Groups:
    """Findings joined into groups; the root of a group is its smallest member."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._parent = list(range(len(findings)))
        self._reporters = [{f.reporter} - {""} for f in findings]

    def root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index

    def join(self, edge: Edge) -> None:
        small, large = sorted((self.root(edge.left), self.root(edge.right)))
        if small == large:
            return
        if edge.relation.basis == Basis.TEXT and self._reporters[small] & self._reporters[large]:
            return
        self._parent[large] = small
        self._reporters[small] |= self._reporters[large]


def _rows(
    findings: Sequence[Finding], edges: Sequence[Edge], groups: _Groups
) -> list[dict[str, Any]]:
    strongest: dict[int, tuple[tuple[Any, ...], int, Relation]] = {}
    for edge in edges:
        together = groups.root(edge.left) == groups.root(edge.right)
        relation = edge.relation
        if relation.relation == Kind.SAME and not together:
            why = (*relation.why, "but its group already holds a report of that reporter")
            relation = Relation(Kind.SIBLING, relation.score, why, relation.basis)
        # Inside a group only what made it counts; outside, variants and siblings before the rest.
        grade = 0 if together and relation.relation == Kind.SAME else 2
        grade = 1 if grade == 2 and relation.relation in (Kind.VARIANT, Kind.SIBLING) else grade
        rank = (grade, *edge.rank)
        for one, other in ((edge.left, edge.right), (edge.right, edge.left)):
            if one not in strongest or rank < strongest[one][0]:
                strongest[one] = rank, other, relation
    return [_row(findings, index, strongest.get(index), groups) for index in range(len(findings))]


def _row(
    findings: Sequence[Finding],
    index: int,
    strongest: tuple[tuple[Any, ...], int, Relation] | None,
    groups: _Groups,
) -> dict[str, Any]:
    row: dict[str, Any] = {"id": findings[index].id, "cluster": findings[groups.root(index)].id}
    if strongest is None:
        return {
            **row,
            "relation": Kind.UNIQUE.value,
            "score": 0.0,
            "why": ["nothing reads like it"],
        }
    _, other, relation = strongest
    row["relation"] = relation.relation.value
    if relation.relation in (Kind.VARIANT, Kind.SIBLING):
        row["of"] = findings[other].id
    row["score"] = round(relation.score, 3)
    near = f"nearest is {findings[other].id}"
    row["why"] = [*relation.why, f"with {findings[other].id}" if relation.score >= HALF else near]
    return row
