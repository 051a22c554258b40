"""One sandbox kept for a sample: its commands start inside it, each by a message to a keeper.

To start a bubblewrap costs some five milliseconds, to start a command inside one that is there less
than one. The keeper (`inside/keeper.c`) is the sandbox's first command, and built once by this
machine's compiler; where there is none, each command has a fresh sandbox, as before.

What is as strong as with a sandbox a command: namespaces, mounts, limits and groups are the same,
and the sandbox's own; what a command leaves running is killed when it ends; a time that runs out
ends the sandbox, and the next command has a new one. What is shared within a sample: /tmp, and the
budget of memory and processes. Nothing that judges a sample runs here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, OurFault
from vedette.runner.harness import default_cache
from vedette.runner.sandbox import (
    ENVIRONMENT,
    NO_MOUNTS,
    NOTHING,
    Job,
    Outcome,
    Sandbox,
    collect,
    ended_as,
    sealed,
)

SOURCE = Path(__file__).parent / "inside" / "keeper.c"
INSIDE = "/keeper"
MOST_MESSAGE = 64 * 1024
MOST_STRINGS = 2000
LIFE = 7 * 86_400.0
TIMEOUT = 10.0
Op = Literal["x", "r", "w"]


class How(TypedDict, total=False):
    """How a command runs: `op` "x" executes it, "r" and "w" open a file; `timeout` in seconds."""

    op: Op
    cwd: str
    stdin: bytes
    timeout: float
    env: Mapping[str, str]
    output_bytes: int | None


@cache
def keeper() -> Path | None:
    """Return the keeper's program, built when it isn't there yet; None without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    folder = default_cache() / f"keeper-{digest(SOURCE.read_bytes()).removeprefix('sha256:')[:32]}"
    program = folder / "keeper"
    if program.exists():
        return program
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / "keeper"
        for how in (["-static"], []):  # a static one starts sooner
            command = [compiler, "-std=c11", "-O2", *how, "-o", str(made), str(SOURCE)]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                made.replace(program)
                return program
    return None


class Kept:
    """A sandbox over `workdir`, started with its first command and again after it has ended.

    Several threads may run commands at once.
    """

    def __init__(
        self, sandbox: Sandbox, workdir: Path, readonly: Mapping[str, Path] = NO_MOUNTS
    ) -> None:
        self._sandbox, self._workdir, self._readonly = sandbox, workdir, dict(readonly)
        self._lock = threading.Lock()
        self._open: tuple[Job, socket.socket] | None = None
        self._closed = False

    async def arun(self, argv: Sequence[str], **how: Unpack[How]) -> Outcome:
        """As `run`, without holding the event loop; cancelling ends the sandbox."""
        waiting = asyncio.ensure_future(asyncio.to_thread(self.run, argv, **how))
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            self.end()
            with contextlib.suppress(Exception):
                await waiting
            raise

    def run(self, argv: Sequence[str], **how: Unpack[How]) -> Outcome:
        """Run a command in the sandbox, or read ("r") or write ("w") the one file of `argv`.

        A command that is not there ends with 127. Where the sandbox ended under a command, the
        command was killed. Raises BadInput for a command that is too long, OurFault where no
        sandbox can be made.
        """
        env = {**ENVIRONMENT, **how.get("env", NOTHING)}
        body = _message(how.get("op", "x"), how.get("cwd", "."), argv, env)
        bound = how.get("output_bytes") or self._sandbox.limits.output_bytes
        started = time.monotonic()
        job, channel = self._running()
        ours, theirs = zip(*(os.pipe() for _ in range(3)), strict=True)
        try:
            source = sealed(how.get("stdin", b""))
            try:
                socket.send_fds(channel, [body], [source, *theirs])
            except OSError:
                pass  # it has ended: nobody will tell how the command did
            finally:
                for handle in (source, *theirs):
                    os.close(handle)
            kept = {handle: bytearray() for handle in ours}
            whole, truncated = collect(kept, started + how.get("timeout", TIMEOUT), bound)
        finally:
            for handle in ours:
                os.close(handle)
        stdout, stderr, told = (bytes(data) for data in kept.values())
        if not whole or len(told) != 4:
            self._ended(job, channel, kill=not whole)
        code = None if not whole else _code(told)
        return ended_as(code, stdout, stderr, truncated, time.monotonic() - started)

    def begin(self) -> None:
        """Start the sandbox, so that the first command need not wait for it; not after `close`.

        The thread that starts it has to last as long as it does: bubblewrap ends with that thread.
        """
        with self._lock:
            if self._open is None and not self._closed:
                self._open = self._start()

    def end(self) -> None:
        """End the sandbox and all that runs in it; a further command starts a new one."""
        self._kill()()

    def close(self) -> Callable[[], None]:
        """Kill all that runs in the sandbox, for good; what is returned waits until it is gone."""
        with self._lock:
            self._closed = True
        return self._kill()

    def _kill(self) -> Callable[[], None]:
        with self._lock:
            found, self._open = self._open, None
        if found is None:
            return lambda: None
        found[0].kill()
        return lambda: _finish(*found, kill=True)

    def _running(self) -> tuple[Job, socket.socket]:
        with self._lock:
            if self._closed:
                raise OurFault("sandbox: it was closed")
            if self._open is None:
                self._open = self._start()
            return self._open

    def _start(self) -> tuple[Job, socket.socket]:
        program = keeper()
        assert program is not None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            job = self._sandbox.start(
                [INSIDE, str(theirs.fileno())],
                self._workdir,
                b"",
                LIFE,
                None,
                {**self._readonly, INSIDE: program},
                NOTHING,
                (theirs.fileno(),),
            )
        return job, ours

    def _ended(self, job: Job, channel: socket.socket, *, kill: bool) -> None:
        """Forget a sandbox that ended or has to, once. Raises OurFault where it never began."""
        with self._lock:
            mine = self._open is not None and self._open[0] is job
            if mine:
                self._open = None
        if mine:
            _finish(job, channel, kill=kill)


def _finish(job: Job, channel: socket.socket, *, kill: bool) -> None:
    channel.close()
    if kill:
        job.kill()
    job.finish()


def _message(op: Op, cwd: str, argv: Sequence[str], env: Mapping[str, str]) -> bytes:
    strings = [cwd, *argv, *(f"{name}={value}" for name, value in env.items())]
    parts = [os.fsencode(text) for text in strings]
    if not argv or any(b"\0" in part for part in parts):
        raise BadInput("sandbox: a command of texts without a zero byte expected")
    body = struct.pack("=III", ord(op), len(argv), len(env)) + b"".join(p + b"\0" for p in parts)
    if len(body) > MOST_MESSAGE or len(parts) > MOST_STRINGS:
        raise BadInput(f"sandbox: a command of more than {MOST_MESSAGE:,} bytes")
    return body


def _code(told: bytes) -> int:
    """The exit code of a wait status; 128 + the signal where one ended it, or nobody told."""
    if len(told) != 4:
        return 137
    (status,) = struct.unpack("=i", told)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
