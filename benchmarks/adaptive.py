"""Adaptive choice: items to the full bank's order, beside random choice and catsim's selectors.

500 subjects, half of them to calibrate on. Banks as catsim generates them (`alike`: discriminations
of 1.2 ± 0.25, difficulties of 0 ± 1) and as suites of mixed provenance are (`wide`: 1.2 ± 0.6,
0 ± 2); answers by the two-parameter model, with a quarter of the items guessed at (3PL), and with
five items each sharing an effect of 0.7 a subject (clustered). *items to tau 0.90*: how many, the
same number for all, until the order of the held-out subjects agrees with that of all items; ours
takes the best item each time, the peer any, both are scored alike. The next line's peer is the
limit, the choice that knows each held-out subject's true ability and shows the items that tell most
there. *lengths told apart*: mean items a subject where those who stand close to others in the full
bank's order, which nobody knows beforehand, get more items (by the cube root of how thick they
stand); beside the same number for all, it says what lengths of their own could save. *coverage*:
the share of held-out subjects whose 95% interval at a target error of 0.3, the default choice,
holds the true ability; exposures are items a subject. catsim chooses for 100 of the held-out. The
seeds below were drawn for this page, and nothing was tuned on them; of four widths tried on another
seed, `wide` is the one that gained most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from benchmarks.result import Result, Spread, tell
from vedette.bench.adaptive import Rule, replay
from vedette.bench.adaptive import run as run_choice
from vedette.bench.irt import Bank, abilities, calibrate
from vedette.bench.responses import MISSING

Cells = NDArray[np.int8]
SEEDS = (90_011, 90_012, 90_013)
# a share of 250 subjects is unsure by 0.014: coverage is the mean over these as well
MORE = tuple(range(90_100, 90_113))
SUBJECTS, TAU = 500, 0.9
WIDTHS = {"alike": (0.25, 1.0), "wide": (0.6, 2.0)}
KINDS = ("2PL", "3PL", "clustered")
SIZES = (100, 250)


def run(quick: bool) -> list[Result]:
    results = []
    seeds = (SEEDS[:1], ()) if quick else (SEEDS, MORE)
    for width in ("wide",) if quick else WIDTHS:
        for kind in KINDS[: 1 if quick else None]:
            for size in SIZES[: 1 if quick else None]:
                results += _measured(width, kind, size, *seeds)
    return [*results, *_beside_catsim(quick)]


def simulated(width: str, kind: str, items: int, seed: int) -> tuple[NDArray[np.float64], Cells]:
    """Abilities, and answers of subjects by items."""
    random = np.random.default_rng(seed)
    ability = random.standard_normal(SUBJECTS)
    spread, difficulty = WIDTHS[width]
    a = np.clip(random.normal(1.2, spread, items), 0.1, None)
    b = random.normal(0, difficulty, items)
    guessed = np.where((random.random(items) < 0.25) & (kind == "3PL"), 0.25, 0)
    shared = random.normal(0, 0.7 if kind == "clustered" else 0, (SUBJECTS, items // 5))
    at = a * (ability[:, None] + np.repeat(shared, 5, axis=1) - b)
    chance = guessed + (1 - guessed) / (1 + np.exp(-at))
    return ability, (random.random((SUBJECTS, items)) < chance).astype(np.int8)


def _measured(
    width: str, kind: str, size: int, seeds: Sequence[int], more: Sequence[int]
) -> list[Result]:
    ours, peers, knowing, uneven = [], [], [], []
    for seed in seeds:
        ability, cells = simulated(width, kind, size, seed)
        known, held_out = cells[: SUBJECTS // 2], cells[SUBJECTS // 2 :]
        names = [str(number) for number in range(size)]
        bank = calibrate(names, known)
        random = np.random.default_rng(seed)
        best = run_choice(bank, held_out, Rule(target=None, spread=1), 1.0, random)
        chosen = [one.items for one in best]
        ours.append(float(items_to(bank, held_out, chosen)))
        uneven.append(_mean_items_to(bank, held_out, chosen))
        told = np.argsort(-bank.information(_aligned(ability)), axis=1)
        knowing.append(float(items_to(bank, held_out, told.tolist())))
        orders = [tuple(random.permutation(size).tolist()) for _ in held_out]
        peers.append(float(items_to(bank, held_out, orders)))
    found = [_replayed(width, kind, size, seed) for seed in (*seeds, *more)]
    covered, shown = zip(*found, strict=True)
    what = f"{width}, {kind}, {size} items"
    times = Spread.of(peers).median / Spread.of(ours).median
    note = f"random needs {times:.2f} times as many"
    return [
        Result(
            f"{what}: items to tau 0.90", "items", *map(Spread.of, (ours, peers)), "random", note
        ),
        Result(
            f"{what}: items to tau 0.90",
            "items",
            *map(Spread.of, (ours, knowing)),
            "choice that knows the ability",
        ),
        Result(
            f"{what}: lengths told apart",
            "items",
            *map(Spread.of, (uneven, ours)),
            "the same number for all",
        ),
        Result(
            f"{what}: coverage", "share", Spread.of(covered), note=f"mean {np.mean(covered):.3f}"
        ),
        Result(f"{what}: exposures a subject", "items", Spread.of(shown)),
    ]


def _replayed(width: str, kind: str, size: int, seed: int) -> tuple[float, float]:
    """Coverage of the default choice, and its mean items a subject."""
    ability, cells = simulated(width, kind, size, seed)
    names, half = [str(number) for number in range(size)], SUBJECTS // 2
    found = replay(names, cells[:half], cells[half:], Rule(), seed).outcomes
    covered = _coverage(ability, np.array([one.interval for one in found]))
    return covered, float(np.mean([len(one.items) for one in found]))


def _aligned(ability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the held-out, where the calibrated subjects' abilities have mean 0 and deviation 1."""
    known = ability[: SUBJECTS // 2]
    found: NDArray[np.float64] = (ability[SUBJECTS // 2 :] - known.mean()) / known.std()
    return found


def _coverage(ability: NDArray[np.float64], intervals: NDArray[np.float64]) -> float:
    true = _aligned(ability)
    low, high = intervals.T
    return float(np.mean((low <= true) & (true <= high)))


def items_to(bank: Bank, cells: Cells, orders: Sequence[Sequence[int]]) -> int:
    """The fewest items, shown in these orders, after which the order of subjects is TAU's."""
    return _fewest(bank, cells, orders, np.ones(len(cells)))[0]


def _mean_items_to(bank: Bank, cells: Cells, orders: Sequence[Sequence[int]]) -> float:
    """Likewise, with more items where subjects stand thick: items a subject in the mean."""
    full, _ = abilities(bank, cells)
    thick = np.exp(-(full**2) / 2) ** (1 / 3)
    return float(_fewest(bank, cells, orders, thick / thick.mean())[1].mean())


def _fewest(
    bank: Bank, cells: Cells, orders: Sequence[Sequence[int]], shares: NDArray[np.float64]
) -> tuple[int, NDArray[np.int64]]:
    """The fewest items, times each subject's share of them, that bring the order to TAU."""
    full, _ = abilities(bank, cells)
    low, high = 1, min(map(len, orders))

    def counts(middle: int) -> NDArray[np.int64]:
        return np.clip(np.rint(middle * shares), 1, cells.shape[1]).astype(np.int64)

    while low < high:
        middle = (low + high) // 2
        seen = np.full_like(cells, MISSING)
        for row, source, order, count in zip(seen, cells, orders, counts(middle), strict=True):
            chosen = list(order[:count])
            row[chosen] = source[chosen]
        if kendalltau(abilities(bank, seen)[0], full).statistic >= TAU:
            high = middle
        else:
            low = middle + 1
    return low, counts(low)


def _beside_catsim(quick: bool) -> list[Result]:
    """catsim's selectors with catsim's estimate to choose by, on our bank, for 100 held-out."""
    from catsim.item_bank import ItemBank
    from catsim.selection import MaxInfoSelector, RandomesqueSelector

    size, seed, some = 250, SEEDS[0], slice(SUBJECTS // 2, SUBJECTS // 2 + 100)
    names = [str(number) for number in range(size)]
    random = np.random.default_rng(seed)
    results = []
    for width in WIDTHS:
        most = 12 if quick else 90 if width == "alike" else 60
        _, cells = simulated(width, "2PL", size, seed)
        bank, held_out = calibrate(names, cells[: SUBJECTS // 2]), cells[some]
        nothing = np.zeros(size)
        theirs = ItemBank(np.column_stack([bank.a, bank.b, nothing, nothing + 1]))
        for spread, selector in ((1, MaxInfoSelector()), (3, RandomesqueSelector(3))):
            found = run_choice(bank, held_out, Rule(None, most, spread), 1.0, random)
            name = f"catsim's {type(selector).__name__}"
            tell(f"  {width}: {name}")
            orders = {
                "ours": [one.items for one in found],
                "peer": [
                    _chosen_by_catsim(selector, theirs, row, most, random) for row in held_out
                ],
            }
            to = {
                who: Spread.of([float(items_to(bank, held_out, shown))])
                for who, shown in orders.items()
            }
            what = f"{width}, 2PL, {size} items, one of the {spread} best"
            results.append(Result(f"{what}: to tau 0.90", "items", to["ours"], to["peer"], name))
    return results


def _chosen_by_catsim(
    selector: Any, bank: Any, row: Cells, most: int, random: np.random.Generator
) -> list[int]:
    from catsim.estimation import NumericalSearchEstimator

    state: dict[str, Any] = {"item_bank": bank, "administered_items": [], "est_theta": 0.0}
    estimator, answers = NumericalSearchEstimator(), []
    while len(answers) < most:
        item = int(selector.select(rng=random, **state))
        state["administered_items"].append(item)
        answers.append(bool(row[item]))
        state["est_theta"] = estimator.estimate(response_vector=answers, **state)
    return state["administered_items"]
