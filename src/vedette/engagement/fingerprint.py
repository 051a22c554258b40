"""Whether two sets of answers to the same questions come from one distribution.

A model is sampled, so the same build answers the same question differently each time. The test
compares distributions, not texts:

- The likeness of two answers to one question is the share of runs of three characters that both
  have (Jaccard over trigrams, a kernel that knows no language). Over two sets it gives the squared
  maximum mean discrepancy (MMD², unbiased); the statistic is its mean over the questions.
- The p-value is the share of random exchanges of the two sets, question by question, whose
  statistic is at least as large, the observed one counted too. Under one distribution all
  exchanges are equally likely, so a threshold of p is the false-alarm rate, whatever the model.
- It stops early where it plainly won't be small (Besag and Clifford).
- The same seed gives the same p. What was not answered on both sides is left out.
- A round is compared with the newest earlier ones of its era, put together. Each comparison has the
  pack's false-alarm rate, so that a window's is at most that times its rounds.

Sources: Gretton et al., "A Kernel Two-Sample Test" (2012); Gao, Liang, Guestrin, "Model Equality
Testing: Which Model Is This API Serving?" (2024),
which compares by places; Besag and Clifford (1991).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vedette.kernel.packs import PolicyPack

MILLION = 1_000_000
ENOUGH = 20
"""So many exchanges at least as large end the counting."""

Answers = Mapping[str, Sequence[str]]
"""Question (or its id) to the answers that were given."""


@dataclass(frozen=True)
class Verdict:
    """One comparison.

    Args:
        statistic: mean MMD² over the questions.
        bar: the statistic that one exchange in 1/alpha passes (from those that were made).
        p: share of exchanges at least as large.
        exchanges: how many were made.
        by_question: MMD² of each question, to see where the difference lies.
    """

    statistic: float
    bar: float
    p: float
    exchanges: int
    questions: int
    by_question: Mapping[str, float]

    def changed(self, alpha: float) -> bool:
        return self.questions > 0 and self.p <= alpha


@dataclass(frozen=True)
class Rule:
    """How rounds are compared (the pack's `access.probes`).

    Args:
        alpha: the false-alarm rate of one comparison.
        exchanges, length: see `compare`.
        pooled: so many earlier rounds are put together.
    """

    alpha: float
    exchanges: int
    length: int
    pooled: int

    @classmethod
    def of(cls, pack: PolicyPack) -> Rule:
        def number(name: str) -> int:
            return pack.integer("access", "probes", name)

        return cls(
            number("false_alarms_per_million") / MILLION,
            number("permutations"),
            number("compared_characters"),
            number("rounds_pooled"),
        )


def compare_round(earlier: Sequence[Answers], answers: Answers, rule: Rule) -> Verdict | None:
    """Compare a round with the earlier ones of its era, newest first; None for the first."""
    pooled: dict[str, list[str]] = {}
    for before in earlier[: rule.pooled]:
        for question, given in before.items():
            pooled.setdefault(question, []).extend(given)
    if not pooled:
        return None
    return compare(
        pooled,
        answers,
        length=rule.length,
        exchanges=rule.exchanges,
        seed=len(earlier),
        alpha=rule.alpha,
    )


def compare(
    before: Answers,
    after: Answers,
    *,
    length: int,
    exchanges: int,
    seed: int,
    alpha: float,
) -> Verdict:
    """Compare two sets of answers.

    Args:
        length: characters of each answer that are compared.
        exchanges: at most so many random exchanges; 1/alpha of them are needed to find anything.
    """
    tables = {
        question: _Table([*before[question], *after[question]], len(before[question]), length)
        for question in sorted(before)
        if len(before[question]) > 1 and len(after.get(question, ())) > 1
    }
    if not tables:
        return Verdict(0.0, 0.0, 1.0, 0, 0, {})
    own = {question: table.mmd(range(table.first)) for question, table in tables.items()}
    statistic = sum(own.values()) / len(own)
    rng = random.Random(seed)  # noqa: S311 - repeatable by intent, no secret
    made: list[float] = []
    larger = 0
    while len(made) < exchanges and larger < ENOUGH:
        value = sum(table.exchanged(rng) for table in tables.values()) / len(tables)
        made.append(value)
        larger += value >= statistic - 1e-12
    stopped = larger == ENOUGH
    p = larger / len(made) if stopped else (larger + 1) / (len(made) + 1)
    made.sort()
    bar = made[min(len(made) - 1, int((1 - alpha) * len(made)))]
    return Verdict(statistic, bar, p, len(made), len(tables), own)


class _Table:
    """The likenesses of one question's answers, of both sets."""

    def __init__(self, answers: Sequence[str], first: int, length: int) -> None:
        self.first, self.size = first, len(answers)
        found = [_trigrams(answer[:length]) for answer in answers]
        self._rows = [[0.0] * self.size for _ in range(self.size)]
        for i in range(self.size):
            for j in range(i):
                self._rows[i][j] = self._rows[j][i] = _likeness(found[i], found[j])
        self._sums = [sum(row) for row in self._rows]
        self._all = sum(self._sums) / 2

    def mmd(self, chosen: Sequence[int]) -> float:
        """Unbiased MMD² between the answers `chosen` and the others."""
        n, m = len(chosen), self.size - len(chosen)
        within = 0.0
        for place, i in enumerate(chosen):
            row = self._rows[i]
            for j in chosen[:place]:
                within += row[j]
        across = sum(self._sums[i] for i in chosen) - 2 * within
        others = self._all - within - across
        return 2 * within / (n * (n - 1)) + 2 * others / (m * (m - 1)) - 2 * across / (n * m)

    def exchanged(self, rng: random.Random) -> float:
        return self.mmd(rng.sample(range(self.size), self.first))


def _trigrams(text: str) -> frozenset[str]:
    """The runs of three characters of a text, its spaces made single; a short one is one run."""
    words = " ".join(text.split())
    return frozenset(words[at : at + 3] for at in range(max(1, len(words) - 2)))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
