"""The system calls that a sandbox may not make, as a seccomp filter for bubblewrap's `--seccomp`.

Rules:
- A call of CALLS gets its errno and is not made; nothing is killed for it, since programs probe.
- A row with a condition holds for the arguments that meet it. Only the low half of an argument is
  looked at: the kernel reads no more of these. clone3 keeps its flags in memory, where no filter
  can look, so it answers as an older kernel does, and the C library falls back to clone.
- A call newer than NEWEST, and one by the x32 ABI, answers ENOSYS, so that what a kernel learns
  later is not open by itself. A call by the 32-bit ABI, whose numbers are others, ends the process.
- All else is let through, ptrace with it: LeakSanitizer and debuggers need it, it reaches the
  sandbox's own processes only, and a traced call passes the filter again.

Numbers are the kernel's own (asm/unistd_64.h, asm-generic/unistd.h), the program is in its classic
BPF (Documentation/userspace-api/seccomp_filter.rst).
"""

from __future__ import annotations

import errno
import platform
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

NEWEST = 462  # mseal; the same for every machine since 424
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# unshare knows one that in clone's flags is part of a signal's number
NAMESPACES = 0x7E020000
TIME_NAMESPACE = 0x80
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_VSOCK = 1, 2, 10, 16, 40
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # put words into a terminal's input
AS_IT_IS, READ_IMPLIES_EXEC, NO_RANDOM_ADDRESSES = 0xFFFFFFFF, 0x0400000, 0x0040000


@dataclass(frozen=True)
class When:
    """An argument, by its place, that has a `bit` of the values, is `one` of them, or is `other`.

    `tried` meets it; a probe makes the call with it.
    """

    argument: int
    which: Literal["bit", "one", "other"]
    values: tuple[int, ...]
    tried: int

    def met(self, value: int) -> bool:
        low = value & 0xFFFFFFFF
        if self.which == "bit":
            return any(low & mask for mask in self.values)
        return (low in self.values) is (self.which == "one")


@dataclass(frozen=True)
class Call:
    """A call that is not made: its number by machine, None where there is none; and its errno."""

    name: str
    x86_64: int | None
    aarch64: int | None
    answer: int = errno.EPERM
    when: When | None = None

    def number(self, machine: str) -> int | None:
        return self.x86_64 if machine == "x86_64" else self.aarch64


CALLS = (
    # mounts and roots
    Call("mount", 165, 40),
    Call("umount2", 166, 39),
    Call("pivot_root", 155, 41),
    Call("chroot", 161, 51),
    Call("open_tree", 428, 428),
    Call("move_mount", 429, 429),
    Call("fsopen", 430, 430),
    Call("fsconfig", 431, 431),
    Call("fsmount", 432, 432),
    Call("fspick", 433, 433),
    Call("mount_setattr", 442, 442),
    Call("open_by_handle_at", 304, 265),
    Call("fanotify_init", 300, 262),
    # namespaces
    Call("setns", 308, 268),
    Call("unshare", 272, 97, when=When(0, "bit", (NAMESPACES | TIME_NAMESPACE,), -1)),
    Call("clone", 56, 220, when=When(0, "bit", (NAMESPACES,), -1)),
    Call("clone3", 435, 435, errno.ENOSYS),
    # the kernel's own machinery
    Call("bpf", 321, 280),
    Call("perf_event_open", 298, 241),
    Call("userfaultfd", 323, 282),
    Call("io_uring_setup", 425, 425, errno.ENOSYS),
    Call("io_uring_enter", 426, 426, errno.ENOSYS),
    Call("io_uring_register", 427, 427, errno.ENOSYS),
    Call("pidfd_getfd", 438, 438),
    Call("add_key", 248, 217),
    Call("request_key", 249, 218),
    Call("keyctl", 250, 219),
    # the machine
    Call("init_module", 175, 105),
    Call("finit_module", 313, 273),
    Call("delete_module", 176, 106),
    Call("kexec_load", 246, 104),
    Call("kexec_file_load", 320, 294),
    Call("reboot", 169, 142),
    Call("swapon", 167, 224),
    Call("swapoff", 168, 225),
    Call("acct", 163, 89),
    Call("quotactl", 179, 60),
    Call("quotactl_fd", 443, 443),
    Call("syslog", 103, 116),
    Call("settimeofday", 164, 170),
    Call("clock_settime", 227, 112),
    Call("vhangup", 153, 58),
    Call("iopl", 172, None),
    Call("ioperm", 173, None),
    Call("modify_ldt", 154, None, errno.ENOSYS),
    Call("uselib", 134, None, errno.ENOSYS),
    # arguments that reach out: another family than local, Internet and netlink sockets (vsock
    # knows no network namespace), a terminal's input, another layout of memory than one's own
    Call(
        *("socket", 41, 198, errno.EAFNOSUPPORT),
        when=When(0, "other", (AF_UNIX, AF_INET, AF_INET6, AF_NETLINK), AF_VSOCK),
    ),
    Call("ioctl", 16, 29, when=When(1, "one", (TIOCSTI, TIOCLINUX), TIOCSTI)),
    Call(
        *("personality", 135, 92),
        when=When(0, "other", (0, NO_RANDOM_ADDRESSES, AS_IT_IS), READ_IMPLIES_EXEC),
    ),
)

# opcodes: load a word of the call, jump if equal, if greater, if bits are set, return
_LOAD, _EQUAL, _GREATER, _BITS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000


@cache
def filter_here() -> bytes | None:
    """The filter for programs of this machine; None where there is no table or no seccomp."""
    machine = platform.machine()
    if machine not in AUDIT or sys.maxsize < 2**32:
        return None
    return program(machine) if "\nSeccomp:" in Path("/proc/self/status").read_text() else None


def program(machine: str) -> bytes:
    """The filter for a machine of AUDIT, as an array of `struct sock_filter`."""
    rows = [(n, _body(call)) for call in CALLS if (n := call.number(machine)) is not None]
    made = [
        *(_step(_LOAD, _MACHINE), _step(_EQUAL, AUDIT[machine], 1, 0), _step(_RETURN, _KILL)),
        *(_step(_LOAD, _NUMBER), _step(_GREATER, NEWEST, 0, 1), _refused(errno.ENOSYS)),
        *_sought(sorted(rows)),
    ]
    return b"".join(made)


def tried(machine: str) -> Sequence[tuple[int, list[int], int]]:
    """One call a row: its number, six arguments that meet the row, the errno it has to get."""
    calls = []
    for call in CALLS:
        number, arguments = call.number(machine), [-1] * 6
        if call.when is not None:
            arguments[call.when.argument] = call.when.tried
        if number is not None:
            calls.append((number, arguments, call.answer))
    return calls


def _sought(rows: list[tuple[int, list[bytes]]]) -> list[bytes]:
    """Look for the call among `rows`, sorted by number: by halves, since every call passes here."""
    if len(rows) < 4:
        steps = [step for n, body in rows for step in (_step(_EQUAL, n, 0, len(body)), *body)]
        return [*steps, _step(_RETURN, _ALLOW)]
    half = len(rows) // 2
    below, above = _sought(rows[:half]), _sought(rows[half:])
    return [_step(_GREATER, rows[half - 1][0], len(below), 0), *below, *above]


def _body(call: Call) -> list[bytes]:
    """What is done with the call once its number is known."""
    refused, let = _refused(call.answer), _step(_RETURN, _ALLOW)
    when = call.when
    if when is None:
        return [refused]
    found, otherwise = (let, refused) if when.which == "other" else (refused, let)
    test = _BITS if when.which == "bit" else _EQUAL
    tests = [step for value in when.values for step in (_step(test, value, 0, 1), found)]
    return [_step(_LOAD, _ARGUMENTS + 8 * when.argument), *tests, otherwise]


def _refused(answer: int) -> bytes:
    return _step(_RETURN, _ERRNO | answer)


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; `yes` and `no` are how many a jump leaves out."""
    return struct.pack("<HBBI", code, yes, no, value)
