"""Repairs: how often a wrong fix is taken for a right one, and a right one refused.

Fixes of the repair items of generated suites (`wrong_fixes.py`): other expressions in the place of
the flaw, assertions taken out, limits raised, nothing freed, acts left out or made up, and programs
left as they are under a `main` that knows the reference input or the samples by heart, refuses what
is long, or hides the crash in a child. Each is judged by the verifier that a run uses. The peer is
the usual verifier: no crash on the reference input, functional tests pass. Intervals are Clopper
and Pearson's, 95%.
Fixes and hidden inputs come from one hand: before hidden inputs stood at each limit, 7 of 100 wrong
fixes passed, all of them at a limit.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.fingerprint import share
from benchmarks.result import Result, Spread
from benchmarks.wrong_fixes import Fix, fixes
from vedette.bench.suites import Item
from vedette.kernel.errors import BadInput
from vedette.runner.build import build_source, run_binary
from vedette.runner.executors import LocalPool
from vedette.runner.repair import verify_repair
from vedette.runner.reproduce import failing_test
from vedette.runner.scaffold import generated_suite
from vedette.runner.verify import crash_of

SEEDS = (5, 6, 7)


def run(quick: bool) -> list[Result]:
    tried: list[tuple[Fix, bool, bool, float]] = []
    with tempfile.TemporaryDirectory() as folder, LocalPool() as pool:
        cache = Path(folder) / "builds"
        for seed in SEEDS[: 1 if quick else None]:
            suite = generated_suite(Path(folder) / str(seed), seed)
            items = [item for item in suite.items if item.repair][: 2 if quick else None]
            jobs = [(item, fix) for item in items for fix in fixes(item)]
            futures = [pool.submit(lambda job: judged(*job, cache), job) for job in jobs]
            tried += [future.result() for future in futures]
    wrong = [each for each in tried if not each[0].right]
    right = [each for each in tried if each[0].right]
    missed = sum(theirs for _, _, theirs, _ in wrong) / len(wrong)
    name = "reference input and functional tests"
    rows = [
        share("wrong fixes taken for right", [ours for _, ours, _, _ in wrong], missed, name),
        share("right fixes refused", [not ours for _, ours, _, _ in right]),
    ]
    for kind in sorted({fix.kind for fix, *_ in wrong}):
        of = [each for each in wrong if each[0].kind == kind]
        rows.append(share(f"taken for right, {kind}", [ours for _, ours, _, _ in of]))
    seconds = [each[3] for each in tried]
    return [*rows, Result("a verdict", "s", Spread.of(seconds))]


def judged(item: Item, fix: Fix, cache: Path) -> tuple[Fix, bool, bool, float]:
    """The fix, whether ours and the usual verifier take it for right, and our time in seconds."""
    started = time.perf_counter()
    ours = verify_repair(item, fix.source, cache_dir=cache).repaired
    return fix, ours, usual(item, fix.source, cache), time.perf_counter() - started


def usual(item: Item, source: bytes, cache: Path) -> bool:
    """No crash on the reference input, and functional tests pass."""
    try:
        built = build_source(source, cache, item.outside)
    except BadInput:
        return False
    outcome = run_binary(built, item.reference_input.read_bytes())
    return crash_of(outcome) is None and not outcome.timed_out and not failing_test(built, item)
