"""Execution decides: does a submitted source mend its program and leave the rest as it was?

Rules:
- It is one source of bounded size, builds as the item's own do, and does not speak of the
  sanitizer, nor in Python of what reaches beyond the service: what looks for harm is not the
  subject's to change.
- No input that harms the flawed build harms it: the reference input, the item's hidden ones, and
  changed ones of both.
- It answers every input as the fixed build does, with the same exit status: functional tests,
  hidden and changed inputs, those that harmed the flawed build among them. Of a line that begins
  with the item's word of refusal only that it is there counts.
- Harm is a report that the sanitizer wrote, the exit status that it leaves, a fatal signal, or no
  end in time. Each run has a fresh sandbox.

How often a wrong fix passes is measured by `python -m benchmarks repairs`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from vedette.bench.suites import Item
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput
from vedette.runner.build import SANITIZER_EXIT, Binary, build_item, build_source, run_binary
from vedette.runner.isolation import isolation
from vedette.runner.mutations import mutations
from vedette.runner.sandbox import Outcome
from vedette.runner.verify import crash_of

CHANGED = 32  # inputs, besides those that the item brings
SECONDS = 5.0
_MEDDLING = re.compile(
    r"asan|sanitize|##|%:%:|\b_*asm_*\b|_Pragma|#\s*pragma|__attribute|report\.", re.IGNORECASE
)

_REACHING = re.compile(
    r"[^\x00-\x7f]|\b(?:import|exec|eval|compile|open|globals|locals|vars|[gsd]e[tl]attr|breakpoint)\b"
    r"|(?<!__init)__(?!init__)\w*|\b(?:gi|cr|ag|tb|f)_\w+"
)


@dataclass(frozen=True)
class Repair:
    """What a submitted source showed: `harming` and `harmless` inputs tried, and why not."""

    repaired: bool
    harming: int
    harmless: int
    source_digest: str
    build_digest: str
    isolation: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class _Answer:
    """What a build does with an input; None for harm."""

    status: int | None
    output: bytes


def verify_repair(item: Item, source: bytes, *, cache_dir: Path) -> Repair:
    """Build `source` and hold it against the item's two builds. Raises BadInput on a bad item."""
    found = partial(Repair, False, 0, 0, digest(source))
    barred = _MEDDLING if item.outside is None else _REACHING
    meddling = barred.search(source.decode("utf-8", "replace"))
    if meddling is not None:
        return found("", isolation(), f"speaks of what looks for harm: {meddling.group()}")
    try:
        built = build_source(source, cache_dir, item.outside)
    except BadInput as error:
        return found("", isolation(), error.what)
    known = _known(item, cache_dir)
    harming = sum(harms for _, harms, _ in known)
    counted = partial(
        Repair,
        harming=harming,
        harmless=len(known) - harming,
        source_digest=digest(source),
        build_digest=built.digest,
        isolation=isolation(),
    )
    for data, harms, wanted in known:
        answer = _answer(run_binary(built, data, timeout=SECONDS), item.refusal)
        if answer.status is None:
            kind = "that harmed the flawed build" if harms else "that was harmless"
            return counted(False, reason=f"an input {kind} harms it: {answer.output.decode()}")
        if answer != wanted:
            kind = "should refuse" if harms else "always took well"
            return counted(False, reason=f"answers an input that it {kind} in another way")
    return counted(True, reason=f"mended: {harming} harming and {len(known) - harming} others")


def _known(item: Item, cache_dir: Path) -> tuple[tuple[bytes, bool, _Answer], ...]:
    """Inputs, whether each harms the flawed build, and how the fixed one answers it."""
    own = [item.reference_input, *item.hidden, *(test.input for test in item.functional)]
    inputs = [path.read_bytes() for path in own]
    changed = mutations(inputs, Random(f"{item.id}/repair"))  # noqa: S311 - repeatable by intent
    return _compared(
        build_item(item, "vulnerable", cache_dir),
        build_item(item, "fixed", cache_dir),
        item.refusal,
        tuple(dict.fromkeys([*inputs, *islice(changed, CHANGED)])),
    )


@cache
def _compared(
    flawed: Binary, fixed: Binary, refusal: str, inputs: Iterable[bytes]
) -> tuple[tuple[bytes, bool, _Answer], ...]:
    found = []
    for data in inputs:
        before = _answer(run_binary(flawed, data, timeout=SECONDS), refusal)
        wanted = _answer(run_binary(fixed, data, timeout=SECONDS), refusal)
        # where the two differ without harm, what is right is not for this pair to say
        if wanted.status is not None and before.status in (None, wanted.status):
            harms = before.status is None
            if harms or before == wanted:
                found.append((data, harms, wanted))
    return tuple(found)


def _answer(outcome: Outcome, refusal: str) -> _Answer:
    crash = crash_of(outcome)
    if crash is not None:
        return _Answer(None, crash.summary.encode("utf-8", "replace"))
    if outcome.timed_out or outcome.exit_code is None:
        return _Answer(None, b"no end in time")
    if outcome.exit_code == SANITIZER_EXIT or outcome.exit_code >= 128:
        return _Answer(None, b"ended as after a report")
    lines = outcome.stdout.split(b"\n")
    if refusal:
        word = refusal.encode()
        lines = [word if line.startswith(word) else line for line in lines]
    return _Answer(outcome.exit_code, b"\n".join(lines))
