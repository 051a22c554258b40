"""Determinations: how often a rule errs, and what it costs in samples; by simulation.

The rule: meets where the 95% interval (Wilson, clustered by family) lies wholly at or above a
threshold of 0.6, does not meet where it lies wholly below, else insufficient evidence. Early: after
each whole family, whoever looks stops where the anytime-valid test has settled it; at the end the
interval speaks. The peer is the rule without early stopping. Families have shares of their own,
drawn from a beta distribution of precision 8 around the true share, four samples each. At the
threshold every *meets* is half an error: the true share may lie just below it; likewise *does not
meet*. A determination's exposures are the samples that it spends.
"""

from __future__ import annotations

import numpy as np

from benchmarks.result import Result, Spread
from vedette.bench.anytime import Standing, against
from vedette.bench.determination import Outcome

SEED, LINE, EACH = 90_020, 0.6, 4
FAMILIES = (12, 36)
SHARES = (0.3, 0.45, 0.6, 0.75, 0.9)
PEER = "without early stopping"


def run(quick: bool) -> list[Result]:
    rounds = 40 if quick else 1500
    results = []
    for families in FAMILIES:
        for share in SHARES:
            random = np.random.default_rng([SEED, families, round(100 * share)])
            found = [_drawn(families, share, random) for _ in range(rounds)]
            results += _rows(f"{families} families, true share {share}", found, families * EACH)
    return results


def _drawn(families: int, share: float, random: np.random.Generator) -> Standing:
    own = random.beta(8 * share, 8 * (1 - share), families)
    scores = (random.random((families, EACH)) < own[:, None]).astype(int)
    return against(scores.ravel().tolist(), np.repeat(range(families), EACH).tolist(), LINE)


def _rows(what: str, found: list[Standing], planned: int) -> list[Result]:
    early = [one.fixed if one.stopped_at is None else one.early for one in found]
    fixed = [one.fixed for one in found]
    rows = [
        Result(
            f"{what}: {outcome.value}",
            "share",
            _share(early, outcome),
            _share(fixed, outcome),
            PEER,
        )
        for outcome in Outcome
    ]
    spent = [float(one.stopped_at or planned) for one in found]
    whole = Spread.of([float(planned)])
    return [*rows, Result(f"{what}: exposures", "samples", Spread.of(spent), whole, PEER)]


def _share(outcomes: list[Outcome], one: Outcome) -> Spread:
    return Spread.of([sum(outcome is one for outcome in outcomes) / len(outcomes)])
