"""What a run needs of its suite: builds, inputs, quick trials, and verification of a submission.

A `Ref` names a harness so that another process or machine can open the same one.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from vedette.bench.suites import Item, Suite, load_suite
from vedette.kernel.errors import BadInput
from vedette.runner import batches
from vedette.runner.build import ASAN_OPTIONS, build_item, build_source, run_binary
from vedette.runner.containment import try_policy, verify_policy
from vedette.runner.repair import verify_repair
from vedette.runner.sandbox import Outcome, Sandbox
from vedette.runner.sanitizer import Crash, parse_report
from vedette.runner.sdist import fetch_sdist, unpack_sources
from vedette.runner.verify import crash_of, verify_input

PROGRAM = "/item/program"
ENVIRONMENT = {"ASAN_OPTIONS": ASAN_OPTIONS}


@dataclass(frozen=True)
class Ref:
    """A suite's folder and where its builds are kept; of a part, the suite's digest and numbers."""

    suite: str
    cache_dir: str
    digest: str = ""
    part: tuple[int, ...] = ()


@dataclass(frozen=True)
class Trial:
    """What one input did, without weight as evidence."""

    code: int
    crash: Crash | None
    timed_out: bool

    @property
    def line(self) -> str:
        """One line for a subject: `crash KIND in FRAME`, `timeout` or `exit N`."""
        if self.crash is not None:
            return f"crash {self.crash.summary}"[:200]
        return "timeout" if self.timed_out else f"exit {self.code}"


class Harness:
    """The items of one suite, with their builds."""

    def __init__(self, suite: Suite, cache_dir: Path) -> None:
        self.suite, self.cache_dir = suite, cache_dir
        self.items: dict[str, Item] = {item.id: item for item in suite.items}
        digest = suite.digest if suite.part else ""
        self.ref = Ref(str(suite.root), str(cache_dir), digest, suite.part)

    @staticmethod
    @cache
    def of(ref: Ref) -> Harness:
        """Return the harness of a ref, read once in a process."""
        suite = load_suite(Path(ref.suite), part=ref.part, digest=ref.digest)
        return Harness(suite, Path(ref.cache_dir))

    def described(self) -> dict[str, str]:
        """Return what a commitment says about the suite."""
        suite = self.suite
        return {
            "name": suite.name,
            "version": suite.version,
            "title": suite.title,
            "digest": suite.digest,
            "marking": str(suite.marking),
            **({"items": ", ".join(map(str, suite.part))} if suite.part else {}),
        }

    def reference_input(self, item: str) -> bytes:
        return self.items[item].reference_input.read_bytes()

    def samples(self, item: str) -> list[bytes]:
        return [path.read_bytes() for path in self.items[item].sample_inputs]

    def program(self, item: str) -> Path:
        return build_item(self.items[item], "vulnerable", self.cache_dir).path

    def fuzzer(self, item: str) -> Path:
        return build_item(self.items[item], "fuzzer", self.cache_dir).path

    def key_of(self, seed: int, item: str, trial: int) -> bytes:
        """Return 32 bytes that depend on suite, seed, item and trial only."""
        words = "\0".join([self.suite.digest, str(seed), item, str(trial)])
        return hashlib.sha256(words.encode()).digest()

    def fuzzable(self, item: str) -> bool:
        """Whether libFuzzer has something to find: an input, in a program in C."""
        return not self.items[item].repair and not self.items[item].python

    def policy(self, item: str) -> bytes | None:
        """The policy that contains the attack, where a plant is defended."""
        defence = self.items[item].defence
        return defence.policy.read_bytes() if defence is not None else None

    def incident(self, item: str) -> list[bytes]:
        """What is told of an attack, in lines."""
        defence = self.items[item].defence
        return defence.incident.read_bytes().splitlines() if defence is not None else []

    def source(self, item: str, which: Literal["vulnerable", "fixed"]) -> bytes:
        """The one source of a repair item, as it is or mended."""
        paths = self.items[item].fixed if which == "fixed" else self.items[item].vulnerable
        return paths[0].read_bytes()

    def try_inputs(self, item: str, inputs: Sequence[bytes]) -> list[Trial]:
        """Run inputs on the vulnerable build, in one fresh sandbox where it is one program."""
        if not self.items[item].alone:
            return [_trial(self.run(item, data)) for data in inputs]
        return _try(self.program(item), inputs)

    def run(self, item: str, data: bytes) -> Outcome:
        """Run an input on the vulnerable build in a sandbox of its own; of a plant, a session, and
        where it is defended, a policy before it (see `containment.try_policy`)."""
        if self.items[item].defence is not None:
            return try_policy(self.items[item], data).outcome
        return run_binary(build_item(self.items[item], "vulnerable", self.cache_dir), data)

    def try_source(self, item: str, source: bytes, inputs: Sequence[bytes]) -> list[Trial]:
        """Build a source and run inputs on it. Raises BadInput where it does not build."""
        outside = self.items[item].outside
        return _try(build_source(source, self.cache_dir, outside).path, inputs)

    def lay_out(self, item: str, folder: Path) -> Path:
        """Write a subject's view of an item: sources, `samples/`, `program` where there is one.

        Returns its folder.
        """
        view = folder / item
        (view / "samples").mkdir(parents=True)
        release = self.items[item].release
        if release is not None:
            sdist = fetch_sdist(release.name, release.version, release.sha256, self.cache_dir)
            unpack_sources(sdist, view / "release")
        if self.items[item].alone:
            shutil.copy2(self.program(item), view / "program")
        outside = self.items[item].outside
        for source in (*self.items[item].vulnerable, *((outside,) if outside else ())):
            shutil.copyfile(source, view / source.name)
        defence = self.items[item].defence
        if defence is not None:
            shutil.copyfile(defence.incident, view / defence.incident.name)
        for sample in self.items[item].sample_inputs:
            shutil.copyfile(sample, view / "samples" / sample.name)
        return view

    def verify(self, item: str, data: bytes | None) -> tuple[bool, dict[str, Any]]:
        """Verify a submission in fresh sandboxes; returns whether it holds, and the evidence."""
        if data is None:
            return False, {"reason": "nothing was submitted"}
        if self.items[item].defence is not None:
            held = verify_policy(self.items[item], data)
            return held.contained, held.to_json()
        if self.items[item].repair:
            repair = verify_repair(self.items[item], data, cache_dir=self.cache_dir)
            return repair.repaired, repair.to_json()
        try:
            evidence = verify_input(self.items[item], data, cache_dir=self.cache_dir)
        except BadInput as error:
            return False, {"reason": str(error)}
        return evidence.reproduced, evidence.to_json()


def _try(program: Path, inputs: Sequence[bytes]) -> list[Trial]:
    outcome = Sandbox().run(
        batches.command([PROGRAM]),
        stdin=batches.stdin_of(inputs),
        timeout=batches.timeout_of(inputs),
        readonly={PROGRAM: program},
        env=ENVIRONMENT,
    )
    return trials_of(outcome.stdout, len(inputs))


def _trial(outcome: Outcome) -> Trial:
    return Trial(outcome.exit_code or 0, crash_of(outcome), outcome.timed_out)


def trials_of(output: bytes, count: int) -> list[Trial]:
    """Read the output of a batch of `count` inputs."""
    return [
        Trial(
            run.code,
            parse_report(run.report, run.code - 128 if 128 < run.code < 137 else None),
            run.timed_out,
        )
        for run in batches.runs_of(output, count)
    ]
