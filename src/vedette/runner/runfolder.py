"""A run's folder: commitment first, samples and calls as they come, the result last.

run.json      what was fixed before the first sample
samples.jsonl one finished sample a line; a torn last line (a kill) is cut off on resuming
calls.jsonl   one metered call a line
result.json   everything, once the run is whole
logs/         Inspect's own logs; they hold item text
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

from vedette.bench.results import Commitment, MeteredCall, RunResult, Sample
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput

T = TypeVar("T")
BOUNDS = Bounds(size=1024 * MIB, depth=16, count=20_000_000, any_text=True)
LINE = Bounds(any_text=True)
LINE_BYTES = 8 * MIB


class RunFolder:
    """Opens a folder for a run: a new one, or the same run to go on with.

    Raises:
        BadInput: the folder holds a run with another plan, or something that is no run.
    """

    def __init__(self, folder: Path, plan: Commitment) -> None:
        self.path = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.commitment = self._commit(plan)
        self.samples = self._load("samples.jsonl", Sample.from_json)
        self.calls = self._load("calls.jsonl", MeteredCall.from_json)
        self._samples = self._append("samples.jsonl")
        self._calls = self._append("calls.jsonl")

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def add_sample(self, sample: Sample) -> None:
        self.samples.append(sample)
        _write_line(self._samples, sample.to_json())

    def add_call(self, call: MeteredCall) -> None:
        self.calls.append(call)
        _write_line(self._calls, call.to_json())

    def finish(self, result: RunResult) -> None:
        _write_whole(self.path / "result.json", result.to_json())

    def close(self) -> None:
        self._samples.close()
        self._calls.close()

    def _commit(self, plan: Commitment) -> Commitment:
        path = self.path / "run.json"
        if path.exists():
            found = Commitment.from_json(_read(path))
            if not found.same_plan(plan):
                raise BadInput(
                    f"{self.path}: holds a run of another suite, subject, budget, trials or seed",
                    kept="that run, as it was",
                    next_step="name another folder with --out",
                )
            return found
        if any(self.path.glob("*.jsonl")):
            raise BadInput(f"{self.path}: holds samples without run.json", kept="all of it")
        _write_whole(path, plan.to_json())
        return plan

    def _load(self, name: str, read: Callable[[Any], T]) -> list[T]:
        path = self.path / name
        if not path.exists():
            return []
        found, good = [], 0
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                if len(line) > LINE_BYTES:
                    raise BadInput(f"{path}:{number}: more than {LINE_BYTES:,} bytes")
                found.append(read(read_json(line, source=f"{path}:{number}", bounds=LINE)))
                good += len(line)
        os.truncate(path, good)
        return found

    def _append(self, name: str) -> IO[bytes]:
        return (self.path / name).open("ab", buffering=0)


def load_result(folder: Path) -> RunResult:
    """Read the result of a finished run. Raises BadInput."""
    path = folder / "result.json"
    if not path.exists():
        state = "the run in it is not finished" if (folder / "run.json").exists() else "no run"
        raise BadInput(f"{folder}: {state}", next_step="vedette bench run SUITE --out DIR")
    return RunResult.from_json(_read(path))


def _read(path: Path) -> Any:
    if path.stat().st_size > BOUNDS.size:
        raise BadInput(f"{path}: more than {BOUNDS.size:,} bytes")
    return read_json(path.read_bytes(), source=str(path), bounds=BOUNDS)


def _write_line(file: IO[bytes], value: Any) -> None:
    file.write(canonical(value) + b"\n")


def _write_whole(path: Path, value: Any) -> None:
    """Write a file so that a kill leaves either the old one or the new one."""
    canonical(value)
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
