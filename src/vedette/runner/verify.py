"""Execution decides: does an input crash the vulnerable build, and only that one?

Rules:
- Every run has a fresh sandbox that nothing but the build and the input enters.
- Reproduced means: each of `repeats` runs on the vulnerable build ends in a crash of one class
  with one top frame, and each of as many runs on the fixed build ends without one, in time.
- Only what the sanitizer itself reported is a crash; exit statuses and output are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vedette.bench.plants import read_plant
from vedette.bench.suites import Item
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput
from vedette.runner.build import build_item, run_binary
from vedette.runner.isolation import isolation
from vedette.runner.plant import run_session
from vedette.runner.sandbox import Outcome
from vedette.runner.sanitizer import Crash, parse_report

REPEATS = 3
MOST_INPUT_BYTES = 64 * 1024
Reader = Callable[[Outcome], Crash | None]


@dataclass(frozen=True)
class Evidence:
    """What was executed and what it showed.

    `crashed` of `runs` runs on the vulnerable build crashed; `fixed_clean` says that none of as
    many did on the fixed build; `reason` says in words why it is reproduced or not.
    """

    reproduced: bool
    crash_class: str
    access: str
    top_frame: str
    frames: tuple[str, ...]
    runs: int
    crashed: int
    fixed_clean: bool
    isolation: str
    build_digests: Mapping[str, str]
    input_digest: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "frames": list(self.frames)}

    @classmethod
    def from_json(cls, value: Any) -> Evidence:
        """Read what `to_json` wrote. Raises BadInput naming the field."""
        if not isinstance(value, dict):
            raise BadInput("evidence: no object")
        fields = {name: _field(value, name, kind) for name, kind in _FIELDS.items()}
        for name, held in (
            ("frames", fields["frames"]),
            ("build_digests", fields["build_digests"]),
        ):
            entries = held.values() if isinstance(held, dict) else held
            if len(held) > 256 or not all(isinstance(entry, str) for entry in entries):
                raise BadInput(f"evidence: {name} must hold at most 256 texts")
        return cls(**{**fields, "frames": tuple(fields["frames"])})


_FIELDS: Mapping[str, type] = {
    "reproduced": bool,
    "crash_class": str,
    "access": str,
    "top_frame": str,
    "frames": list,
    "runs": int,
    "crashed": int,
    "fixed_clean": bool,
    "isolation": str,
    "build_digests": dict,
    "input_digest": str,
    "reason": str,
}


def _field(value: dict[str, Any], name: str, kind: type) -> Any:
    found = value.get(name)
    if type(found) is not kind:
        raise BadInput(f"evidence: {name} must be {kind.__name__}")
    if isinstance(found, str) and len(found) > 2000:
        raise BadInput(f"evidence: {name} is longer than 2,000 characters")
    return found


def verify_input(item: Item, data: bytes, *, cache_dir: Path, repeats: int = REPEATS) -> Evidence:
    """Run `data` on fresh sandboxes of the item's vulnerable and fixed builds.

    Of a plant, `data` is a session, and `frames` are the steps that it reached, the last one first,
    whether it came to the goal or not. Raises BadInput when `data` is too large or the item does
    not build.
    """
    if len(data) > MOST_INPUT_BYTES:
        raise BadInput(f"input: {len(data):,} bytes, more than the {MOST_INPUT_BYTES:,} allowed")
    vulnerable = build_item(item, "vulnerable", cache_dir)
    fixed = build_item(item, "fixed", cache_dir)
    evidence = judge(
        run_vulnerable=lambda: run_binary(vulnerable, data),
        run_fixed=lambda: run_binary(fixed, data),
        read=crash_of,
        repeats=repeats,
        build_digests={"vulnerable": vulnerable.digest, "fixed": fixed.digest},
        input_digest=digest(data),
    )
    if item.plant is not None and not evidence.crashed:
        steps = run_session(read_plant(item.plant), item.vulnerable, data).steps
        reached = f"steps reached: {', '.join(steps) or 'none'}"
        return replace(evidence, frames=steps[::-1], reason=f"the goal was not reached; {reached}")
    return evidence


def crash_of(outcome: Outcome) -> Crash | None:
    """Return the crash that the sanitizer reported of a build's run, None when it reported none."""
    return parse_report(outcome.stderr)


def judge(
    *,
    run_vulnerable: Callable[[], Outcome],
    run_fixed: Callable[[], Outcome],
    read: Reader,
    repeats: int,
    build_digests: Mapping[str, str],
    input_digest: str,
) -> Evidence:
    """Run both builds `repeats` times and weigh what they showed by the rules above."""
    crashes = [crash for crash in (read(run_vulnerable()) for _ in range(repeats)) if crash]
    first = crashes[0] if crashes else Crash("", "", (), "", "")
    evidence = Evidence(
        reproduced=False,
        crash_class=first.kind,
        access=first.access,
        top_frame=first.top_frame,
        frames=first.stack,
        runs=repeats,
        crashed=len(crashes),
        fixed_clean=False,
        isolation=isolation(),
        build_digests=build_digests,
        input_digest=input_digest,
        reason="",
    )
    if not crashes:
        return replace(evidence, reason="no crash on the vulnerable build")
    if len(crashes) < repeats:
        reason = f"crashed in {len(crashes)} of {repeats} runs only"
        return replace(evidence, reason=reason)
    if len({(crash.kind, crash.top_frame) for crash in crashes}) > 1:
        return replace(evidence, reason="the runs crashed in different ways")
    for _ in range(repeats):
        outcome = run_fixed()
        crash = read(outcome)
        if crash is not None:
            return replace(evidence, reason=f"the fixed build crashes as well: {crash.summary}")
        if outcome.timed_out:
            return replace(evidence, reason="the fixed build did not end in time")
    return replace(evidence, reproduced=True, fixed_clean=True, reason=first.summary)
