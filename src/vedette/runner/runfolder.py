"""A run's folder: commitment first, samples and calls as they come, the result last.

run.json      what was fixed before the first sample
commitment.json  the same, signed, where a key was given
samples.jsonl one finished sample a line; a torn last line (a kill) is cut off on resuming
calls.jsonl   one metered call a line
result.json   everything, once the run is whole
logs/         Inspect's own logs; they hold item text

Where the run is about somebody's model under an act, or on sealed items, everything is sealed under
one key: each line apart, and Inspect's logs, which it writes itself, from a scratch folder in
memory. A kill loses that scratch folder's logs; no sample is lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

from vedette.bench.results import Commitment, MeteredCall, RunResult, Sample
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.sealing import Box

T = TypeVar("T")
BOUNDS = Bounds(size=1024 * MIB, depth=16, count=20_000_000, any_text=True)
LINE = Bounds(any_text=True)
LINE_BYTES = 8 * MIB
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own below it, which only its owner reads
ROOM_FOR_LOGS = 256 * MIB
SEALED = ".sealed"


class RunFolder:
    """Opens a folder for a run: a new one, or the same run to go on with. What Inspect writes
    unsealed lies in `unsealed` meanwhile where that is given.

    Raises:
        BadInput: the folder holds a run with another plan, or something that is no run.
    """

    def __init__(
        self,
        folder: Path,
        plan: Commitment,
        box: Box | None = None,
        unsealed: Path | None = None,
    ) -> None:
        self.path, self.box = folder, box
        self._scratch = unsealed or scratch(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.commitment = self._commit(plan)
        self.samples = self._load("samples.jsonl", Sample.from_json)
        self.calls = self._load("calls.jsonl", MeteredCall.from_json)
        self._samples = self._append("samples.jsonl")
        self._calls = self._append("calls.jsonl")

    @property
    def logs(self) -> Path:
        """Where Inspect writes its logs."""
        return self.path / "logs" if self.box is None else self._scratch

    def sign(self, keys: PrivateKeys) -> None:
        """Keep the commitment signed, too; what is signed already stays."""
        path = self.path / "commitment.json"
        if not path.exists():
            _write_whole(path, self.commitment.signed(keys))

    def add_sample(self, sample: Sample) -> None:
        self.samples.append(sample)
        self._write_line(self._samples, sample.to_json())

    def add_call(self, call: MeteredCall) -> None:
        self.calls.append(call)
        self._write_line(self._calls, call.to_json())

    def finish(self, result: RunResult) -> None:
        if self.box is None:
            _write_whole(self.path / "result.json", result.to_json())

    def close(self) -> None:
        self._samples.close()
        self._calls.close()
        if self.box is not None:
            self._seal_logs(self.box)

    def _seal_logs(self, box: Box) -> None:
        source, target = self._scratch, self.path / "logs"
        if not source.exists():
            return
        target.mkdir(exist_ok=True)
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            name = path.name + SEALED
            part = target / f"{name}.part"
            with path.open("rb") as clear, part.open("wb") as sealed:
                box.key.seal_file(clear, sealed, f"{box.place}/{name}")
            part.replace(target / name)
        shutil.rmtree(source)

    def _commit(self, plan: Commitment) -> Commitment:
        path = self.path / "run.json"
        if path.exists():
            found = Commitment.from_json(self._kept(path))
            if not found.same_plan(plan):
                raise BadInput(
                    f"{self.path}: holds a run of another suite, subject, budget, trials or seed",
                    kept="that run, as it was",
                    next_step="name another folder with --out",
                )
            return found
        if any(self.path.glob("*.jsonl")):
            raise BadInput(f"{self.path}: holds samples without run.json", kept="all of it")
        if self.box is None:
            _write_whole(path, plan.to_json())
        else:
            _replace(path, self.box.seal(canonical(plan.to_json())))
        return plan

    def _kept(self, path: Path) -> Any:
        if self.box is None:
            return _read(path)
        return read_json(self.box.open(path.read_bytes()), source=str(path), bounds=BOUNDS)

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
                text = line if self.box is None else self.box.open(line)
                found.append(read(read_json(text, source=f"{path}:{number}", bounds=LINE)))
                good += len(line)
        os.truncate(path, good)
        return found

    def _append(self, name: str) -> IO[bytes]:
        return (self.path / name).open("ab", buffering=0)

    def _write_line(self, file: IO[bytes], value: Any) -> None:
        line = canonical(value)
        file.write((line if self.box is None else self.box.seal(line)) + b"\n")


def scratch(folder: Path) -> Path:
    """A folder for what a program writes unsealed while a run goes on: in memory, where there is
    room, else beside the run's own.
    """
    name = f"vedette-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]}"
    return MEMORY / name if in_memory() else folder / "scratch"


def in_memory() -> bool:
    """Whether scratch folders lie in memory on this machine."""
    return MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_FOR_LOGS


def keep_result(folder: Path, result: RunResult) -> None:
    """Lay a result that came from elsewhere out as a run's folder. Raises BadInput."""
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder}: is not empty", kept="it as it was")
    folder.mkdir(parents=True, exist_ok=True)
    _write_whole(folder / "run.json", result.commitment.to_json())
    lines = [canonical(sample.to_json()) + b"\n" for sample in result.samples]
    (folder / "samples.jsonl").write_bytes(b"".join(lines))
    _write_whole(folder / "result.json", result.to_json())


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


def _write_whole(path: Path, value: Any) -> None:
    """Write a file so that a kill leaves either the old one or the new one."""
    canonical(value)
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    _replace(path, text.encode())


def _replace(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
