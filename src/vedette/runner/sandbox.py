"""Hostile code runs here only: bubblewrap, no network, nothing of the host but /usr read-only.

Inside: /box (a folder of the caller's, or memory), /tmp, /proc, /dev, /usr; user 65534 without
capabilities, own user, network, process, IPC and host-name spaces, no further user namespaces,
and a filter on system calls (see `seccomp`).
CPU time, file size and open files are limited by rlimits, memory and processes by cgroups where
they are writable, wall time by a kill of the whole process space, output by truncation. Address
space is not limited: AddressSanitizer reserves terabytes of it.

/proc is read-only because bubblewrap's own cover of /proc/sys fails open when the caller is root:
kernel settings belong to the host's user 0, which the sandbox's user then is.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import shutil
import signal as signals
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vedette.kernel.bounds import MIB
from vedette.kernel.errors import BadInput, MissingPart, OurFault
from vedette.runner import cgroups
from vedette.runner.guard import guard
from vedette.runner.native import built
from vedette.runner.seccomp import filter_here

USER = "65534"
WORK = "/box"
NOTHING: Mapping[str, str] = {}
NO_MOUNTS: Mapping[str, Path] = {}
KILL_GRACE = 5.0
# Joins the groups and lowers the limits, then becomes bubblewrap; a shell where nothing is built.
LAUNCH = Path(__file__).parent / "launch.c"
LAUNCH_SHELL = """
cpu=$1 blocks=$2 files=$3 joins=$4; shift 4
while [ "$joins" -gt 0 ]; do echo 0 > "$1" || exit 96; shift; joins=$((joins - 1)); done
ulimit -c 0; ulimit -t "$cpu"; ulimit -f "$blocks"; ulimit -n "$files"
exec "$@"
"""


@dataclass(frozen=True)
class Limits:
    """Limits of one run; bytes and seconds."""

    cpu_seconds: int = 20
    file_bytes: int = 64 * MIB
    open_files: int = 256
    memory_bytes: int = 1024 * MIB
    processes: int = 64
    scratch_bytes: int = 64 * MIB
    output_bytes: int = MIB


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    `exit_code` is None when the wall time ran out; a program that a signal ended has
    `exit_code` 128 + `signal`. `truncated` says that output past the limit was dropped.
    """

    exit_code: int | None
    signal: int | None
    stdout: bytes
    stderr: bytes
    timed_out: bool
    truncated: bool
    seconds: float


@cache
def require_bubblewrap() -> str:
    """Return the path of bubblewrap. Raises MissingPart: nothing weaker takes its place."""
    path = shutil.which("bwrap")
    if path is None:
        raise MissingPart(
            "hostile code runs only inside bubblewrap, which is not installed",
            next_step="apt-get install bubblewrap",
        )
    return path


class Sandbox:
    """Runs commands, each in a fresh bubblewrap of its own."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self._bwrap = require_bubblewrap()
        self._cgroups = cgroups.detect()

    def run(
        self,
        argv: Sequence[str],
        *,
        workdir: Path | None = None,
        stdin: bytes = b"",
        timeout: float = 10.0,
        limits: Limits | None = None,
        readonly: Mapping[str, Path] = NO_MOUNTS,
        env: Mapping[str, str] = NOTHING,
        wires: Sequence[int] = (),
    ) -> Outcome:
        """Run `argv` in a fresh sandbox.

        Args:
            argv: the command, as seen from inside.
            workdir: folder bound writable at /box; without it /box is memory and is lost.
            stdin: what the command reads.
            timeout: wall time in seconds, after which everything inside is killed.
            limits: in place of the sandbox's own.
            readonly: path inside -> file or folder of the host shown there read-only.
            env: the whole environment besides PATH, HOME, LANG and TMPDIR.
            wires: descriptors that the command is handed, under the same numbers.
        """
        return self.start(argv, workdir, stdin, timeout, limits, readonly, env, wires).finish()

    async def arun(
        self,
        argv: Sequence[str],
        *,
        workdir: Path | None = None,
        stdin: bytes = b"",
        timeout: float = 10.0,
        limits: Limits | None = None,
        readonly: Mapping[str, Path] = NO_MOUNTS,
        env: Mapping[str, str] = NOTHING,
    ) -> Outcome:
        """As `run`, without holding the event loop; cancelling kills what runs inside."""
        job = self.start(argv, workdir, stdin, timeout, limits, readonly, env)
        waiting = asyncio.ensure_future(asyncio.to_thread(job.finish))
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            job.kill()
            await waiting
            raise

    def start(
        self,
        argv: Sequence[str],
        workdir: Path | None,
        stdin: bytes,
        timeout: float,
        limits: Limits | None,
        readonly: Mapping[str, Path],
        env: Mapping[str, str],
        wires: Sequence[int] = (),
        *,
        first: bool = False,
    ) -> Job:
        """Start what `run` runs, and return it under way.

        `first` makes the command the first process of its space: nothing inside can kill it, and
        it reaps what others leave.
        """
        limits = limits or self.limits
        group = self._cgroups.create(limits.memory_bytes, limits.processes)
        status_read, status_write = os.pipe()
        given = [sealed(stdin), status_write]
        filtering = self._filtering(given)
        command = [
            *_launcher(),
            str(limits.cpu_seconds),
            *(str(limits.file_bytes // 512), str(limits.open_files), str(len(group.joins))),
            *group.joins,
            *self._arguments(workdir, limits, readonly, env, status_write),
            *filtering,
            *(["--as-pid-1"] if first else []),
            *("--", *argv),
        ]
        try:
            process = subprocess.Popen(
                command,
                stdin=given[0],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(*given[1:], *wires),
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin"},
            )
        except BaseException:
            os.close(status_read)
            group.remove()
            raise
        finally:
            for handle in given:
                os.close(handle)
        return Job(process, group, status_read, timeout, limits.output_bytes)

    def _filtering(self, given: list[int]) -> list[str]:
        """The arguments for the filter on system calls; its descriptor joins `given`."""
        program = filter_here()
        if program is None:
            return []
        given.append(sealed(program))
        return ["--seccomp", str(given[-1])]

    def _arguments(
        self,
        workdir: Path | None,
        limits: Limits,
        readonly: Mapping[str, Path],
        env: Mapping[str, str],
        status: int,
    ) -> list[str]:
        """Return bubblewrap's command line up to the command."""
        arguments = [
            self._bwrap,
            *FIXED,
            *guard().arguments,
            "--json-status-fd",
            str(status),
            *_system(),
        ]
        scratch = ["--size", str(limits.scratch_bytes), "--tmpfs"]
        arguments += [*scratch, "/tmp"]  # noqa: S108
        if workdir is None:
            arguments += [*scratch, WORK]
        else:
            arguments += ["--bind", str(workdir.resolve(strict=True)), WORK]
        for inside, outside in readonly.items():
            arguments += ["--ro-bind", str(outside.resolve(strict=True)), inside]
        for name, value in {**ENVIRONMENT, **env}.items():
            arguments += ["--setenv", name, value]
        for place in ("/proc", "/dev", "/"):
            arguments += ["--remount-ro", place]
        return [*arguments, "--chdir", WORK]


def _launcher() -> Sequence[str]:
    program = built(LAUNCH)
    return [str(program)] if program else ["/bin/sh", "-c", LAUNCH_SHELL, "sh"]


ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": WORK, "LANG": "C.UTF-8", "TMPDIR": "/tmp"}  # noqa: S108
FIXED = (
    *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"),
    *("--new-session", "--cap-drop", "ALL", "--uid", USER, "--gid", USER, "--hostname", "sandbox"),
    "--clearenv",
)


@cache
def _system() -> tuple[str, ...]:
    """The host's programs and libraries, read-only, laid out as they are on the host."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/") / name
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()).lstrip("/"), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    for path in (Path("/etc/alternatives"), Path("/etc/ld.so.cache")):
        arguments += ["--ro-bind-try", str(path), str(path)]
    return (*arguments, "--proc", "/proc", "--dev", "/dev")


def sealed(data: bytes) -> int:
    """Return a descriptor that reads `data` and that nobody can write to."""
    handle, written = os.memfd_create("stdin", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), 0
    while written < len(data):
        written += os.pwrite(handle, memoryview(data)[written:], written)
    fcntl.fcntl(
        handle,
        fcntl.F_ADD_SEALS,
        fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL,
    )
    return handle


class Job:
    """One run under way: collects output within bounds, ends it in time, cleans up."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        group: cgroups.Group,
        status: int,
        timeout: float,
        output_bytes: int,
    ) -> None:
        self._process = process
        self._group = group
        self._status = status
        self._started = time.monotonic()
        self._deadline = self._started + timeout
        self._bound = output_bytes
        self._truncated = False

    def kill(self) -> None:
        """Kill bubblewrap; the kernel then kills the process space that dies with it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signals.SIGKILL)

    def finish(self) -> Outcome:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        kept = {
            self._process.stdout.fileno(): bytearray(),
            self._process.stderr.fileno(): bytearray(),
            self._status: bytearray(),
        }
        try:
            whole, self._truncated = collect(kept, self._deadline, self._bound)
            timed_out = not whole
            if timed_out:
                self.kill()
                collect(kept, time.monotonic() + KILL_GRACE, self._bound)
            code = self._process.wait()
        finally:
            self.kill()
            self._process.wait()
            self._group.remove()
            self._process.stdout.close()
            self._process.stderr.close()
            os.close(self._status)
        stdout, stderr, status = (bytes(data) for data in kept.values())
        if not timed_out and code >= 0:
            _check_started(code, status, stderr)
        ended = None if timed_out else code if code >= 0 else 128 - code
        seconds = time.monotonic() - self._started
        return ended_as(ended, stdout, stderr, self._truncated, seconds)


def ended_as(
    code: int | None, stdout: bytes, stderr: bytes, truncated: bool, seconds: float
) -> Outcome:
    """Return how a run ended, by its exit code; None where its time ran out."""
    return Outcome(
        exit_code=code,
        signal=code - 128 if code is not None and 128 < code <= 192 else None,
        stdout=stdout,
        stderr=stderr,
        timed_out=code is None,
        truncated=truncated,
        seconds=seconds,
    )


def collect(kept: dict[int, bytearray], deadline: float, bound: int) -> tuple[bool, bool]:
    """Read descriptors into `kept`, at most `bound` bytes each, until all are closed or `deadline`.

    Returns whether all were closed in time, and whether bytes past the bound were dropped.
    """
    truncated, watched, left = False, select.poll(), len(kept)
    for handle in kept:
        watched.register(handle, select.POLLIN)
    while left:
        wait = deadline - time.monotonic()
        ready = watched.poll(1000 * wait) if wait > 0 else []
        if not ready:
            return False, truncated
        for handle, _ in ready:
            data = os.read(handle, 65536)
            if data:
                truncated = add_within(kept[handle], data, bound) or truncated
            else:
                watched.unregister(handle)
                left -= 1
    return True, truncated


def add_within(kept: bytearray, data: bytes, bound: int) -> bool:
    """Add `data` up to `bound` bytes in all; return whether some of it was dropped."""
    room = bound - len(kept)
    kept += data[:room]
    return len(data) > room


def _check_started(code: int, status: bytes, stderr: bytes) -> None:
    """Raise unless bubblewrap reported that the command itself ended with `code`."""
    if b'"exit-code"' in status:
        return
    reason = stderr.decode("utf-8", "replace").strip().splitlines()
    said = reason[-1][:200] if reason else f"exit {code}"
    if "execvp" in said:
        raise BadInput(f"sandbox: the command can't be started ({said})")
    raise OurFault(
        f"sandbox could not be set up ({said})",
        next_step="check that this machine allows user namespaces to bubblewrap",
    )
