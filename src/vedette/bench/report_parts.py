"""The parts of a report that are computed from a run's samples: ladder, horizon, cost, gaps, draws.

Rules:
- Abilities are on a scale of this run alone. Its few subjects can't tell one item's discrimination
  from another's, so the model is the one-parameter one: a unit multiplies the odds by e, an item's
  difficulty is the odds of this run's subjects against it, first trials alone. The ladder orders
  the subjects; the shares are what a determination reads.
- A cost curve says what share of the samples was solved at no more than so much each, with the
  clustered interval of that share.
- The gap is the share on items that had been published less the share on fresh ones, beside the
  same gap of a conventional tool, which has nothing to remember: what both show is difficulty.
- Samples are drawn by the digest of the commitment, so that nobody picks them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vedette.bench.assessment import decimal
from vedette.bench.differences import best_conventional, share_of, unpaired
from vedette.bench.intervals import Interval
from vedette.bench.results import RunResult, Sample
from vedette.bench.suites import Item, Label, shipped_suites

if TYPE_CHECKING:
    from vedette.bench.horizon import Horizon

DRAWN = 5
POINTS = 12
Z = 1.959964
UNITS = ("seconds", "tokens", "executions")
WITH_THIS = "with this program"


@dataclass(frozen=True)
class ItemFacts:
    """What a suite says of an item: domain, human minutes, and since when it is public, or ""."""

    domain: str
    minutes: float
    published: str = ""


Facts = Mapping[str, ItemFacts]


def facts_of(name: str, items: Iterable[Item | Label]) -> Facts:
    """The facts of a suite's items; a shipped suite's are published with this program."""
    shipped = WITH_THIS if name in shipped_suites() else ""
    return {
        item.id: ItemFacts(item.domain, item.human_minutes, item.published or shipped)
        for item in items
    }


def assessed_of(run: RunResult) -> list[str]:
    return [str(s["name"]) for s in run.commitment.subjects if s["role"] == "assessed"]


def references_of(run: RunResult) -> list[str]:
    return [str(s["name"]) for s in run.commitment.subjects if s["role"] == "reference"]


def of(run: RunResult, subject: str) -> list[Sample]:
    return [sample for sample in run.samples if sample.subject == subject]


def share(interval: Interval) -> dict[str, str]:
    return {
        "estimate": decimal(interval.estimate),
        "low": decimal(interval.low),
        "high": decimal(interval.high),
    }


def ladder(run: RunResult) -> dict[str, Any]:
    """Every subject's ability with a 95% interval; `reason` where there is no scale."""
    import numpy as np  # slow to import, and needed only where a report is made

    from vedette.bench.irt import Bank, abilities
    from vedette.bench.responses import MISSING

    names = [str(entry["name"]) for entry in run.commitment.subjects]
    items = sorted(run.commitment.budgets)
    if len(names) < 2:
        return {"subjects": [], "unit_odds_ratio": None, "reason": "one subject has no scale"}
    cells = np.full((len(names), len(items)), MISSING, dtype=np.int8)
    for sample in run.samples:
        if sample.trial == 0 and sample.item in run.commitment.budgets:
            cells[names.index(sample.subject), items.index(sample.item)] = sample.score
    if (cells != MISSING).any(axis=1).sum() < 2:
        return {"subjects": [], "unit_odds_ratio": None, "reason": "one subject has no scale"}
    tried = (cells != MISSING).sum(axis=0)
    odds = ((cells == 1).sum(axis=0) + 0.5) / ((cells == 0).sum(axis=0) + 0.5)
    seen = tried > 0
    bank = Bank(tuple(np.array(items)[seen]), np.ones(int(seen.sum())), -np.log(odds[seen]))
    means, errors = abilities(bank, cells[:, seen])
    rows = [
        {
            "name": name,
            "ability": decimal(mean, 3),
            "low": decimal(mean - Z * error, 3),
            "high": decimal(mean + Z * error, 3),
        }
        for name, mean, error in zip(names, means.tolist(), errors.tolist(), strict=True)
    ]
    return {"subjects": rows, "unit_odds_ratio": decimal(bank.unit_odds_ratio, 3), "reason": ""}


def horizons(run: RunResult, facts: Facts) -> list[dict[str, Any]]:
    """Time horizons of the subjects, in minutes; none where the items' human time is not known."""
    from vedette.bench.horizon import DRAWS, Run, horizon  # as slow

    found = []
    for entry in run.commitment.subjects:
        rows = [
            Run(s.subject, s.item, s.family, facts[s.item].minutes, s.score)
            for s in of(run, str(entry["name"]))
            if s.item in facts and facts[s.item].minutes > 0
        ]
        if rows:
            found.append(_horizon(horizon(rows, run.commitment.seed, DRAWS)))
    return found


def _horizon(found: Horizon) -> dict[str, Any]:
    def bounds(pair: tuple[float | None, float | None] | None) -> list[str | None] | None:
        return [_minutes(bound) for bound in pair] if pair else None

    return {
        "name": found.subject,
        "n": found.n,
        "p50_minutes": _minutes(found.p50),
        "p50_ci95": bounds(found.p50_interval),
        "p80_minutes": _minutes(found.p80),
        "p80_ci95": bounds(found.p80_interval),
        "reason": found.reason,
    }


def _minutes(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}" if value < 1e6 else f"{value:.3e}"


def cost(run: RunResult) -> list[dict[str, Any]]:
    """A curve a subject and unit, for assessed subjects and the best conventional tool."""
    tool = best_conventional(run.samples, references_of(run))
    curves = []
    for unit in UNITS:
        for name in (*assessed_of(run), *([tool] if tool else [])):
            samples = of(run, name)
            spent = [_spent(sample, unit) for sample in samples]
            if any(spent):
                points = [_point(samples, spent, at) for at in _places(spent)]
                curves.append({"subject": name, "unit": unit, "points": points})
    return curves


def _spent(sample: Sample, unit: str) -> float:
    if unit == "tokens":
        return sample.input_tokens + sample.output_tokens
    return float(getattr(sample, unit))


def _places(spent: Sequence[float]) -> list[float]:
    """At most POINTS of the amounts, evenly by rank, the largest among them."""
    known = sorted(set(spent))
    count = min(POINTS, len(known))
    return sorted({known[round((k + 1) * len(known) / count) - 1] for k in range(count)})


def _point(samples: Sequence[Sample], spent: Sequence[float], at: float) -> dict[str, str]:
    within = [
        sample if amount <= at else replace(sample, score=0)
        for sample, amount in zip(samples, spent, strict=True)
    ]
    return {"spent": f"{at:.10g}", **share(share_of(within))}


def gaps(run: RunResult, facts: Facts, beside: tuple[RunResult, Facts] | None) -> dict[str, Any]:
    """Published less fresh, a row a subject; `reason` where there is nothing to compare."""
    others = [(run, facts), *([beside] if beside else [])]
    tool = best_conventional(run.samples, references_of(run))
    rows = []
    for name in (*assessed_of(run), *([tool] if tool else [])):
        known: list[Sample] = []
        fresh: list[Sample] = []
        for one, told in others:
            for sample in of(one, name):
                if sample.item in told:
                    (known if told[sample.item].published else fresh).append(sample)
        if known and fresh:
            rows.append(
                {
                    "subject": name,
                    "published": {"n": len(known), **share(share_of(known))},
                    "fresh": {"n": len(fresh), **share(share_of(fresh))},
                    "difference": unpaired(known, fresh).to_json(),
                }
            )
    return {"rows": rows, "reason": "" if rows else _no_gap(others)}


def _no_gap(others: Sequence[tuple[RunResult, Facts]]) -> str:
    told = [told[item] for run, told in others for item in run.commitment.budgets if item in told]
    if not told:
        return "not recorded: the suite is not at hand, so which items are published is not known"
    every = "published" if all(fact.published for fact in told) else "fresh"
    return f"every item of this run is {every}: there is nothing to compare it with"


def drawn(run: RunResult, each: int = DRAWN) -> tuple[list[Sample], int]:
    """At least `each` samples an assessed subject (all, where there are fewer), and of how many."""
    names = assessed_of(run) or references_of(run)
    found: list[Sample] = []
    total = 0
    for name in sorted(names):
        samples = sorted(of(run, name), key=lambda s: (s.item, s.trial))
        total += len(samples)
        draw = random.Random(f"{run.commitment.digest}/{name}")  # noqa: S311 - repeatable by intent
        found += draw.sample(samples, min(each, len(samples)))
    return found, total
