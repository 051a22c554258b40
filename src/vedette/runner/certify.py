"""Certifies a suite by execution before it is trusted to measure anything.

Rules, for each item:
- the reference input crashes the vulnerable build every time, with the class and top frame that
  the manifest names, and leaves the fixed build clean;
- samples, functional tests and the empty input crash neither build;
- functional tests print what they should on both;
- the fixed build resists `resist` mutated inputs.
A suite that fails the first rule is refused before any run; certify tells all the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from vedette.bench.suites import Item, Suite
from vedette.kernel.errors import Refused
from vedette.runner.build import Binary, build_item, run_binary
from vedette.runner.reproduce import failing_test
from vedette.runner.verify import REPEATS, Evidence, crash_of, verify_input


@dataclass(frozen=True)
class Certificate:
    """What certification found out about one item; `problems` is empty when it holds."""

    item: str
    evidence: Evidence
    resisted: int
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "evidence": self.evidence.to_json(), "holds": self.holds}


def check_suite(suite: Suite, cache_dir: Path) -> list[Evidence]:
    """Raise Refused unless each item's reference input crashes its vulnerable build alone."""
    found = []
    for item in suite.items:
        evidence = _reference(item, cache_dir)
        problem = _reference_problem(item, evidence)
        if problem:
            raise Refused(
                f"suite {suite.name}: item {item.id}: {problem}",
                kept="nothing was run with this suite",
                next_step="mend the item, then certify the suite",
            )
        found.append(evidence)
    return found


def certify(
    suite: Suite, *, cache_dir: Path, resist: int = 200, seed: int = 0
) -> list[Certificate]:
    """Certify each item; `resist` mutated inputs are tried on each fixed build."""
    return [_certify_item(item, cache_dir, resist, seed) for item in suite.items]


def mutations(seeds: list[bytes], random: Random) -> Iterator[bytes]:
    """Yield mutated inputs without end: changed, flipped, inserted, removed and copied bytes."""
    while True:
        data = bytearray(random.choice(seeds))
        for _ in range(random.randint(1, 4)):
            _mutate(data, random)
        yield bytes(data)


def _mutate(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data) + 1)
    act = random.randrange(5)
    if act == 0 and at < len(data):
        data[at] = random.randrange(256)
    elif act == 1 and at < len(data):
        data[at] ^= 1 << random.randrange(8)
    elif act == 2:
        data[at:at] = random.randbytes(random.randint(1, 4))
    elif act == 3:
        del data[at : at + random.randint(1, 8)]
    else:
        start = random.randrange(len(data) + 1)
        data[at:at] = data[start : start + random.randint(1, 16)]


def _certify_item(item: Item, cache_dir: Path, resist: int, seed: int) -> Certificate:
    evidence = _reference(item, cache_dir)
    problems = [_reference_problem(item, evidence)]
    builds = {
        "vulnerable": build_item(item, "vulnerable", cache_dir),
        "fixed": build_item(item, "fixed", cache_dir),
    }
    for name, build in builds.items():
        failed = failing_test(build, item)
        problems.append(f"functional test on the {name} build: {failed}" if failed else "")
        problems.append(_harm_of_harmless(item, name, build))
    resisted, broken = _resist(item, builds["fixed"], resist, seed)
    problems.append(broken)
    return Certificate(item.id, evidence, resisted, tuple(filter(None, problems)))


def _reference(item: Item, cache_dir: Path) -> Evidence:
    data = item.reference_input.read_bytes()
    return verify_input(item, data, cache_dir=cache_dir, repeats=REPEATS)


def _reference_problem(item: Item, evidence: Evidence) -> str:
    if not evidence.reproduced:
        return f"reference input: {evidence.reason}"
    for field in ("crash_class", "top_frame"):
        said, shown = getattr(item, field), getattr(evidence, field)
        if said != shown:
            return f"reference input: {field} is {shown!r}, the manifest says {said!r}"
    return ""


def _harm_of_harmless(item: Item, name: str, build: Binary) -> str:
    inputs = {path.name: path.read_bytes() for path in item.sample_inputs}
    for said, data in {"the empty input": b"", **inputs}.items():
        outcome = run_binary(build, data)
        if crash_of(outcome) is not None or outcome.timed_out:
            return f"{said} does harm to the {name} build"
    return ""


def _resist(item: Item, fixed: Binary, count: int, seed: int) -> tuple[int, str]:
    seeds = [path.read_bytes() for path in (item.reference_input, *item.sample_inputs)]
    tried = mutations(seeds, Random(f"{item.id}:{seed}"))  # noqa: S311
    for done in range(count):
        crash = crash_of(run_binary(fixed, next(tried)))
        if crash is not None:
            return done, f"mutated input {done} crashes the fixed build: {crash.summary}"
    return count, ""
