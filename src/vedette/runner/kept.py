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
import os
import socket
import struct
import threading
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from vedette.kernel.errors import BadInput, OurFault
from vedette.runner.native import built
from vedette.runner.sandbox import (
    ENVIRONMENT,
    NO_MOUNTS,
    NOTHING,
    Job,
    Outcome,
    Sandbox,
    add_within,
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


def keeper() -> Path | None:
    """Return the keeper's program; None without a compiler."""
    return built(SOURCE)


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
        """As `run`, on the event loop, without holding it; cancelling ends the sandbox."""
        body = _body(argv, how)
        if self._open is None:
            await asyncio.to_thread(self._running)
        sent = _Sent(*self._running(), body, how)
        try:
            if not sent.send(socket.MSG_DONTWAIT):
                await asyncio.to_thread(sent.send)
            whole, truncated = await acollect(sent.kept, sent.deadline, self._bound(how))
        except asyncio.CancelledError:
            self.end()
            raise
        finally:
            sent.close()
        if not sent.ended_well(whole):
            await asyncio.to_thread(self._ended, sent.job, sent.channel, kill=not whole)
        return sent.outcome(whole, truncated)

    def run(self, argv: Sequence[str], **how: Unpack[How]) -> Outcome:
        """Run a command in the sandbox, or read ("r") or write ("w") the one file of `argv`.

        A command that is not there ends with 127. Where the sandbox ended under a command, the
        command was killed. Raises BadInput for a command that is too long, OurFault where no
        sandbox can be made.
        """
        body = _body(argv, how)
        sent = _Sent(*self._running(), body, how)
        try:
            sent.send()
            whole, truncated = collect(sent.kept, sent.deadline, self._bound(how))
        finally:
            sent.close()
        if not sent.ended_well(whole):
            self._ended(sent.job, sent.channel, kill=not whole)
        return sent.outcome(whole, truncated)

    def _bound(self, how: How) -> int:
        return how.get("output_bytes") or self._sandbox.limits.output_bytes

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
                first=True,
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


class _Sent:
    """A command for `job`: what it writes, and at last how it ended, is in `kept`."""

    def __init__(self, job: Job, channel: socket.socket, body: bytes, how: How) -> None:
        self.job, self.channel, self._body, self._started = job, channel, body, time.monotonic()
        self.deadline = self._started + how.get("timeout", TIMEOUT)
        source = sealed(how.get("stdin", b""))
        ours, theirs = zip(*(os.pipe() for _ in range(3)), strict=True)
        self.kept = {handle: bytearray() for handle in ours}
        self._given = [source, *theirs]

    def send(self, flags: int = 0) -> bool:
        """Hand it to the keeper; False where that would have to be waited for, and may not be."""
        handles = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", self._given))
        try:
            self.channel.sendmsg([self._body], [handles], flags)
        except BlockingIOError:
            return False
        except OSError:
            pass  # it has ended: nobody will tell how the command did
        for handle in self._given:
            os.close(handle)
        return True

    def close(self) -> None:
        for handle in self.kept:
            os.close(handle)

    def ended_well(self, whole: bool) -> bool:
        """Whether the keeper told how the command ended."""
        *_, told = self.kept.values()
        return whole and len(told) == 4

    def outcome(self, whole: bool, truncated: bool) -> Outcome:
        stdout, stderr, told = (bytes(data) for data in self.kept.values())
        code = _code(told) if whole else None
        return ended_as(code, stdout, stderr, truncated, time.monotonic() - self._started)


async def acollect(kept: dict[int, bytearray], deadline: float, bound: int) -> tuple[bool, bool]:
    """As `sandbox.collect`, on the event loop."""
    loop, left, truncated = asyncio.get_running_loop(), set(kept), False
    closed: asyncio.Future[None] = loop.create_future()

    def ready(handle: int) -> None:
        nonlocal truncated
        data = os.read(handle, 65536)
        if data:
            truncated = add_within(kept[handle], data, bound) or truncated
            return
        loop.remove_reader(handle)
        left.discard(handle)
        if not left and not closed.done():
            closed.set_result(None)

    for handle in kept:
        loop.add_reader(handle, ready, handle)
    try:
        async with asyncio.timeout_at(loop.time() + deadline - time.monotonic()):
            await closed
    except TimeoutError:
        return False, truncated
    finally:
        for handle in left:
            loop.remove_reader(handle)
    return True, truncated


def _finish(job: Job, channel: socket.socket, *, kill: bool) -> None:
    channel.close()
    if kill:
        job.kill()
    job.finish()


def _body(argv: Sequence[str], how: How) -> bytes:
    env = {**ENVIRONMENT, **how.get("env", NOTHING)}
    return _message(how.get("op", "x"), how.get("cwd", "."), argv, env)


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
