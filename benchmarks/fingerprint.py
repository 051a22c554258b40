"""Fingerprint: how often the same build raises an alarm, and how soon another one does.

Simulated windows of 30 days under the shipped pack: probes at the start, daily and before the end,
each round compared with those before it, by the very rule that an office runs. The model is the
talker that ships as a stand-in, at the sampling temperatures 0.3, 0.7 and 1; its answers differ
every time. A changed build has part of its odds changed (drift: 1 is none in common) or another
temperature; it comes after eight rounds. The talker is a cartoon of a model, so power
is the method's at that size of change, not a promise about a given change of a given model; the
false-alarm rate rests on the exchange of answers alone. Intervals are Clopper and Pearson's, 95%.
The peer is what the pack's rate promises: that times the rounds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial

from scipy.stats import beta

from benchmarks.result import Result, Spread
from vedette.engagement.fingerprint import Answers, Rule, compare_round
from vedette.kernel.packs import PolicyPack, default_pack
from vedette.runner.subjects.talker import Talker

DAYS = 30
TEMPERATURES = (0.3, 0.7, 1.0)
BEFORE, LATER = 8, 10
"""So many rounds are taken before a change, and after it."""


@dataclass(frozen=True)
class Build:
    """What is asked: the odds that it has of its own, and its temperature."""

    drift: float = 0.0
    temperature: float = 1.0

    def __str__(self) -> str:
        return f"drift {self.drift:g}" if self.drift else f"temperature {self.temperature:g}"


CHANGES = (Build(0.1), Build(0.2), Build(0.35), Build(0.5), Build(1.0), Build(0, 0.7))


def run(quick: bool) -> list[Result]:
    windows, changes = (3, 2) if quick else (40, 20)
    heats = [TEMPERATURES[seed % len(TEMPERATURES)] for seed in range(windows)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rounds = list(pool.map(p_values, range(windows), heats))
        found = {
            build: list(pool.map(partial(found_after, build), range(changes))) for build in CHANGES
        }
    changed = (row for build in CHANGES for row in power(build, found[build]))
    return [*false_alarms(rounds), *changed]


def false_alarms(windows: list[list[float]]) -> list[Result]:
    """The share of rounds, and of windows, in which the same build raised an alarm."""
    alpha = rule().alpha
    each = [p <= alpha for ps in windows for p in ps]
    whole = [any(p <= alpha for p in ps) for ps in windows]
    bound = min(1.0, len(windows[0]) * alpha)
    return [
        share("false alarms, a round", each, alpha),
        share(f"false alarms, a window of {DAYS} days", whole, bound),
        share("rounds with p of at most 0.05", [p <= 0.05 for ps in windows for p in ps], 0.05),
    ]


def power(build: Build, after: list[int]) -> list[Result]:
    """The share of changes that the first round found, and one of the first few."""
    return [
        share(f"found by the first round, {build}", [n == 1 for n in after]),
        *(
            share(f"found within {few} rounds, {build}", [0 < n <= few for n in after])
            for few in (3, LATER)
        ),
    ]


def share(
    name: str,
    seen: list[bool],
    peer: float | None = None,
    peer_name: str = "what the pack promises",
) -> Result:
    """A share in percent with its interval, beside another."""
    low, high = interval(sum(seen), len(seen))
    percent = 100 * sum(seen) / len(seen)
    spread = Spread(percent, 100 * low, 100 * high, 100 * high, len(seen))
    note = f"{sum(seen)} of {len(seen):,}, 95% interval {100 * low:.2g} to {100 * high:.2g}%"
    if peer is None:
        return Result(name, "%", spread, note=note)
    beside = Spread(*[100 * peer] * 4, len(seen))
    return Result(name, "%", spread, beside, peer_name, note)


def interval(hits: int, of: int) -> tuple[float, float]:
    """Clopper and Pearson's 95% interval of a share."""
    low = beta.ppf(0.025, hits, of - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, of - hits) if hits < of else 1.0
    return float(low), float(high)


@cache
def pack() -> PolicyPack:
    return default_pack()


@cache
def rule() -> Rule:
    return Rule.of(pack())


def p_values(seed: int, temperature: float, days: int = DAYS) -> list[float]:
    """Each comparison's p in a window in which one build answers throughout."""
    talker = Talker(temperature=temperature).seeded(seed)
    every = pack().integer("access", "probes", "every_hours")
    count = days * 24 // every + 1
    return list(_compared([asked(talker) for _ in range(count)]))


def found_after(build: Build, seed: int) -> int:
    """The number of the first round after a change that found it; 0 where none of a few did."""
    before = Talker().seeded(2 * seed)
    after = Talker(f"other {seed}", build.drift, build.temperature).seeded(2 * seed + 1)
    old = [asked(before) for _ in range(BEFORE)]
    new = [asked(after) for _ in range(LATER)]
    ps = _compared([*old, *new], begin=BEFORE)
    return next((n for n, p in enumerate(ps, 1) if p <= rule().alpha), 0)


def _compared(rounds: list[Answers], begin: int = 1) -> Iterator[float]:
    for number in range(begin, len(rounds)):
        found = compare_round(rounds[number - 1 :: -1], rounds[number], rule())
        assert found is not None
        yield found.p


def asked(talker: Talker) -> Answers:
    """One round of the pack's probes."""
    times = pack().integer("access", "probes", "answers_each")
    questions = pack().sequence("access", "probes", "questions")
    return {str(q): [talker.answer(str(q)) for _ in range(times)] for q in questions}
