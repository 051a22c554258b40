"""Whether rounds of answers to the same questions come from one distribution.

A model is sampled, so the same build answers the same question differently each time. The test
compares distributions, not texts:

- The likeness of two answers to one question is the share of runs of three characters that both
  have (Jaccard over trigrams, a kernel that knows no language). Over two sets it gives the squared
  maximum mean discrepancy (MMD², unbiased), averaged over the questions.
- A small change shows only in several rounds together, and nobody knows when it came. So the newest
  one, two, four … rounds are set against all before them; the statistic is the largest of these.
- The p-value is the share of random exchanges of answers between the rounds, question by question,
  whose statistic is at least as large, the observed one counted too. Under one distribution all
  exchanges are equally likely, so a threshold of p is the false-alarm rate, whatever the model and
  however many places of a change were tried.
- It stops early where it plainly won't be small (Besag and Clifford).
- The same seed gives the same p. What was not answered on both sides is left out.
- A round is compared with the earlier ones of its era. Each comparison has the pack's false-alarm
  rate, so that a window's is at most that times its rounds.

Sources: Gretton et al., "A Kernel Two-Sample Test" (2012); Gao, Liang, Guestrin, "Model Equality
Testing: Which Model Is This API Serving?" (2024), which compares by places; Harchaoui, Moulines and
Bach, "Kernel Change-point Analysis" (2009), for the scaled maximum; Besag and Clifford (1991).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
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
        statistic: the largest, over the places of a change, of the mean scaled MMD².
        bar: the statistic that one exchange in 1/alpha passes (from those that were made).
        p: share of exchanges at least as large.
        exchanges: how many were made.
        by_question: scaled MMD² of each question, to see where the difference lies.
        recent: so many of the newest rounds differ together from those before.
    """

    statistic: float
    bar: float
    p: float
    exchanges: int
    questions: int
    by_question: Mapping[str, float]
    recent: int

    def changed(self, alpha: float) -> bool:
        return self.questions > 0 and self.p <= alpha


@dataclass(frozen=True)
class Rule:
    """How rounds are compared (the pack's `access.probes`).

    Args:
        alpha: the false-alarm rate of one comparison.
        exchanges, length: see `compare`.
        pooled: so many rounds at most are looked at together.
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
    if not earlier:
        return None
    return compare(
        [answers, *earlier[: rule.pooled - 1]][::-1],
        length=rule.length,
        exchanges=rule.exchanges,
        seed=len(earlier),
        alpha=rule.alpha,
    )


def compare(
    rounds: Sequence[Answers], *, length: int, exchanges: int, seed: int, alpha: float
) -> Verdict:
    """Compare the newest of two rounds or more, oldest first, with those before them.

    Args:
        length: characters of each answer that are compared.
        exchanges: at most so many random exchanges; 1/alpha of them are needed to find anything.
    """
    recents = [2**n for n in range(len(rounds).bit_length()) if 2**n <= max(1, len(rounds) // 2)]
    tables = {
        question: _Table([made.get(question, ()) for made in rounds], recents, length)
        for question in sorted(rounds[0])
        if min(len(rounds[0][question]), len(rounds[-1].get(question, ()))) > 1
    }
    if not tables:
        return Verdict(0.0, 0.0, 1.0, 0, 0, {}, 1)

    def largest(found: Iterable[Sequence[float]]) -> tuple[float, int]:
        sums = [sum(of_one) for of_one in zip(*found, strict=True)]
        best = max(range(len(sums)), key=sums.__getitem__)
        return sums[best] / len(tables), best

    own = {question: table.observed() for question, table in tables.items()}
    statistic, best = largest(own.values())
    rng = random.Random(seed)  # noqa: S311 - repeatable by intent, no secret
    made: list[float] = []
    larger = 0
    while len(made) < exchanges and larger < ENOUGH:
        value, _ = largest(table.exchanged(rng) for table in tables.values())
        made.append(value)
        larger += value >= statistic - 1e-12
    stopped = larger == ENOUGH
    p = larger / len(made) if stopped else (larger + 1) / (len(made) + 1)
    made.sort()
    bar = made[min(len(made) - 1, int((1 - alpha) * len(made)))]
    by_question = {question: found[best] for question, found in own.items()}
    return Verdict(statistic, bar, p, len(made), len(tables), by_question, recents[best])


class _Table:
    """The likenesses of one question's answers in all rounds, and how many the newest have."""

    def __init__(
        self, rounds: Sequence[Sequence[str]], recents: Sequence[int], length: int
    ) -> None:
        numbers: dict[str, int] = {}
        found = [
            _as_bits(_trigrams(answer[:length]), numbers)
            for given in reversed(rounds)
            for answer in given
        ]
        self._newest = [sum(map(len, rounds[-recent:])) for recent in recents]
        self.size = len(found)
        counts = [bits.bit_count() for bits in found]
        self._rows = [[0.0] * self.size for _ in range(self.size)]
        for i, (bits, count) in enumerate(zip(found, counts, strict=True)):
            for j in range(i):
                shared = (bits & found[j]).bit_count()
                likeness = shared / (count + counts[j] - shared)
                self._rows[i][j] = self._rows[j][i] = likeness
        self._sums = [sum(row) for row in self._rows]
        self._all = sum(self._sums) / 2

    def observed(self) -> list[float]:
        return self._scaled(range(self._newest[-1]))

    def exchanged(self, rng: random.Random) -> list[float]:
        return self._scaled(rng.sample(range(self.size), self._newest[-1]))

    def _scaled(self, chosen: Sequence[int]) -> list[float]:
        """Unbiased MMD² of the first n of `chosen` against the m others, for each number of
        newest rounds; times 4nm/(n + m)², 1 for equal halves, which makes their spreads alike."""
        within = touching = 0.0
        begun, result = 0, []
        for n in self._newest:
            for place in range(begun, n):
                row = self._rows[chosen[place]]
                within += sum([row[j] for j in chosen[:place]])
                touching += self._sums[chosen[place]]
            begun, m = n, self.size - n
            across = touching - 2 * within
            others = self._all - within - across
            found = 2 * within / (n * (n - 1)) + 2 * others / (m * (m - 1)) - 2 * across / (n * m)
            result.append(found * 4 * n * m / self.size**2)
        return result


def _trigrams(text: str) -> frozenset[str]:
    """The runs of three characters of a text, its spaces made single; a short one is one run."""
    words = " ".join(text.split())
    return frozenset(words[at : at + 3] for at in range(max(1, len(words) - 2)))


def _as_bits(runs: frozenset[str], numbers: dict[str, int]) -> int:
    """A set of runs as bits, each run numbered when first seen: two are compared by one AND."""
    return sum(1 << numbers.setdefault(run, len(numbers)) for run in runs)
