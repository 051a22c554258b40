"""Inspect's sandbox provider `vedette-bubblewrap`: any Inspect task can name it.

Each sample has a bubblewrap of its own without network, kept over its commands (see `kept`; without
a compiler each command has a fresh one), and started ahead where samples in turn have the same
configuration. The folder is /box; beside it are the configuration's `readonly` paths. Files
are read and written inside the sandbox, so that nothing a subject leaves in its folder (a symbolic
link, a pipe) is ever opened from outside.

    Sample(..., sandbox=("vedette-bubblewrap", BubblewrapConfig(readonly={"/item": "/srv/item"})))
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, Literal, overload

from inspect_ai.util import (
    ExecResult,
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxEnvironmentConfigType,
    SandboxEnvironmentLimits,
    SandboxUserUnsupportedError,
    concurrency,
    sandboxenv,
)
from pydantic import BaseModel, ConfigDict

from vedette.kernel.bounds import MIB
from vedette.kernel.errors import BadInput
from vedette.runner.kept import MOST_MESSAGE, Kept, Op, keeper
from vedette.runner.sandbox import USER, WORK, Limits, Outcome, Sandbox

NAME = "vedette-bubblewrap"
DEFAULT_TIMEOUT = 60
FILE_TIMEOUT = 20
_IN_FOLDER = 'cd -- "$1" && shift && exec "$@"'
_WRITE = 'mkdir -p -- "$(dirname -- "$1")" && exec cat > "$1"'
_READ = 'if [ -d "$1" ]; then exit 21; elif [ ! -e "$1" ]; then exit 22; fi; exec cat -- "$1"'


# starts and ends sandboxes while Inspect goes on; its threads are waited for at the process's end
_BESIDE = ThreadPoolExecutor(4, thread_name_prefix="vedette-sandboxes")


class BubblewrapConfig(BaseModel):
    """A sample's sandbox: `readonly` maps a path inside to a file or folder of this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    readonly: dict[str, str] = {}
    memory_bytes: int = 1024 * MIB

    def __hash__(self) -> int:
        return hash((tuple(sorted(self.readonly.items())), self.memory_bytes))


@sandboxenv(name=NAME)
class BubblewrapEnvironment(SandboxEnvironment):
    """One sample's sandbox."""

    def __init__(self, config: BubblewrapConfig) -> None:
        super().__init__()
        self._config, self._places = config, _places(config)
        self.folder = Path(tempfile.mkdtemp(prefix="vedette-sample-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        limits = Limits(memory_bytes=config.memory_bytes)
        self._limits = limits
        self._sandbox = Sandbox(limits)
        self._readonly = {inside: Path(outside) for inside, outside in config.readonly.items()}
        self._kept = Kept(self._sandbox, self.folder, self._readonly) if keeper() else None

    @classmethod
    async def sample_init(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        metadata: dict[str, str],
    ) -> dict[str, SandboxEnvironment]:
        if config is not None and not isinstance(config, BubblewrapConfig):
            raise BadInput(f"{NAME}: takes a BubblewrapConfig")
        return {"default": _AHEAD.take(config or BubblewrapConfig())}

    @classmethod
    async def task_cleanup(
        cls, task_name: str, config: SandboxEnvironmentConfigType | None, cleanup: bool
    ) -> None:
        _AHEAD.drop()

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        for environment in environments.values():
            environment.as_type(BubblewrapEnvironment).end()

    def begin(self) -> None:
        """Let the sandbox start, beside; a command that comes before it has started waits."""
        if self._kept is not None:
            _BESIDE.submit(self._kept.begin)

    def shows(self, config: BubblewrapConfig) -> bool:
        """Whether it was begun with `config`, whose paths name what they named then."""
        return config == self._config and _places(config) == self._places

    def end(self) -> None:
        """Kill what runs in the sandbox, and remove its folder; the rest is waited for beside."""
        gone = self._kept.close() if self._kept is not None else None
        shutil.rmtree(self.folder, ignore_errors=True)
        if gone is not None:
            _BESIDE.submit(self._left, gone)

    def _left(self, gone: Callable[[], None]) -> None:
        """What was being killed may have written once more."""
        gone()
        self._remove()

    @classmethod
    def default_concurrency(cls) -> int | None:
        """No bound on samples: commands have theirs, and a bound makes Inspect delay each sample
        by up to a second."""
        return None

    @classmethod
    def config_deserialize(cls, config: dict[str, Any]) -> BaseModel:
        return BubblewrapConfig(**config)

    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        """Run a command; output past the limit is dropped. Retries are never made."""
        if user not in (None, USER, "nobody"):
            raise SandboxUserUnsupportedError(f"{NAME} runs commands as user {USER} only")
        stdin = input.encode() if isinstance(input, str) else input or b""
        try:
            outcome = await self.run(cmd, stdin, timeout or DEFAULT_TIMEOUT, env or {}, cwd=cwd)
        except BadInput as error:
            return ExecResult(False, 127, "", str(error))
        if outcome.timed_out:
            raise TimeoutError(f"{cmd[0]}: no end within {timeout or DEFAULT_TIMEOUT} s")
        return ExecResult(
            outcome.exit_code == 0,
            -1 if outcome.exit_code is None else outcome.exit_code,
            outcome.stdout.decode("utf-8", "replace"),
            outcome.stderr.decode("utf-8", "replace"),
        )

    async def run(
        self,
        command: list[str],
        stdin: bytes,
        timeout: float,
        env: dict[str, str] | None = None,
        output_bytes: int | None = None,
        cwd: str | None = None,
        op: Op = "x",
    ) -> Outcome:
        """Run a command and return the sandbox's own account of it, output as bytes.

        `op` "r" and "w" read and write the one file of `command` instead.
        """
        bound = output_bytes or SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE
        async with concurrency(NAME, 2 * (os.cpu_count() or 1), visible=False):
            if self._kept is not None and sum(map(len, command)) < MOST_MESSAGE // 2:
                return await self._kept.arun(
                    command,
                    op=op,
                    cwd=cwd or ".",
                    stdin=stdin,
                    timeout=timeout,
                    env=env or {},
                    output_bytes=bound,
                )
            if op != "x":
                command = ["/bin/sh", "-c", _READ if op == "r" else _WRITE, "sh", *command]
            elif cwd is not None:
                command = ["/bin/sh", "-c", _IN_FOLDER, "sh", cwd, *command]
            return await self._sandbox.arun(
                command,
                workdir=self.folder,
                stdin=stdin,
                timeout=timeout,
                limits=dataclasses.replace(self._limits, output_bytes=bound),
                readonly=self._readonly,
                env=env or {},
            )

    async def write_file(self, file: str, contents: str | bytes) -> None:
        data = contents.encode() if isinstance(contents, str) else contents
        outcome = await self.run([_path(file)], data, FILE_TIMEOUT, op="w")
        _check(outcome, file)

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        bound = SandboxEnvironmentLimits.MAX_READ_FILE_SIZE
        outcome = await self.run([_path(file)], b"", FILE_TIMEOUT, output_bytes=bound, op="r")
        if outcome.truncated:
            label = SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR
            raise OutputLimitExceededError(limit_str=label, truncated_output=None)
        _check(outcome, file)
        return outcome.stdout.decode("utf-8") if text else outcome.stdout


class _Ahead:
    """The next sample's sandbox, started while one before it runs, as long as samples in turn ask
    for one configuration. Nothing has run in it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: BubblewrapConfig | None = None
        self._next: BubblewrapEnvironment | None = None

    def take(self, config: BubblewrapConfig) -> BubblewrapEnvironment:
        """A sandbox of `config` that nobody has had."""
        with self._lock:
            again, self._asked = config == self._asked, config
            found, self._next = self._next, None
            if found is not None and not found.shows(config):
                found.end()
                found = None
            if found is None:
                found = _begun(config)
            if again and found._kept is not None:
                self._next = _begun(config)
        return found

    def drop(self) -> None:
        """End the one that nobody has asked for."""
        with self._lock:
            self._asked = None
            found, self._next = self._next, None
        if found is not None:
            found.end()


_AHEAD = _Ahead()


def _begun(config: BubblewrapConfig) -> BubblewrapEnvironment:
    made = BubblewrapEnvironment(config)
    made.begin()
    return made


def _places(config: BubblewrapConfig) -> list[tuple[str, int, int]]:
    """What the paths of `config` name: device and inode."""
    found = []
    for inside, outside in config.readonly.items():
        with contextlib.suppress(OSError):  # a sandbox that should show it won't start
            at = os.stat(outside)
            found.append((inside, at.st_dev, at.st_ino))
    return found


def _path(file: str) -> str:
    return str(PurePosixPath(WORK) / file)


def _check(outcome: Outcome, file: str) -> None:
    """Raise what Inspect's interface asks for when a file command failed."""
    if outcome.timed_out:
        raise TimeoutError(f"{file}: no end within {FILE_TIMEOUT} s")
    said = outcome.stderr.decode("utf-8", "replace")
    if outcome.exit_code == 22:
        raise FileNotFoundError(file)
    if outcome.exit_code == 21 or "Is a directory" in said:
        raise IsADirectoryError(file)
    if outcome.exit_code != 0:
        raise PermissionError(f"{file}: {said.strip()[-200:]}")
