"""What isolation a sandbox of this machine has: looked at from inside one, not believed."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache

from vedette.bench.isolation import Isolation
from vedette.kernel.errors import BadInput, OurFault
from vedette.runner import cgroups, seccomp
from vedette.runner.pythons import own_python
from vedette.runner.sandbox import Sandbox, require_bubblewrap

SPACES = ("user", "pid", "net", "mnt", "ipc", "uts")
_LOOK = f"""
for name in {" ".join(SPACES)}; do echo "$name $(readlink "/proc/self/ns/$name")"; done
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
unshare --user true 2> /dev/null || echo "nested no"
"""
# makes calls, each of a line's numbers, and tells a line's errno; 0 where the call was made
_CALL = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for line in sys.stdin:
    failed = libc.syscall(*(ctypes.c_long(int(word)) for word in line.split())) == -1
    print(ctypes.get_errno() if failed else 0, flush=True)
"""


@cache
def measured() -> Isolation:
    """Look, once a process. Raises MissingPart without bubblewrap."""
    version = subprocess.run([require_bubblewrap(), "--version"], capture_output=True, check=False)
    by = version.stdout.decode("utf-8", "replace").strip()[:60] or "bubblewrap"
    try:
        seen = Sandbox().run(["/bin/sh", "-c", _LOOK])
    except OurFault as error:
        return Isolation(f"{by}: {error.what}")
    lines = [line.split() for line in seen.stdout.decode("utf-8", "replace").splitlines()]
    found = {line[0].rstrip(":"): line[1] for line in lines if len(line) == 2}
    groups = cgroups.detect()
    return Isolation(
        by,
        frozenset(
            n for n in SPACES if n in found and found[n] != os.readlink(f"/proc/self/ns/{n}")
        ),
        confined=found.get("NoNewPrivs") == "1"
        and all(found.get(name, "").strip("0") == "" for name in ("CapEff", "CapBnd")),
        nested=found.get("nested") != "no",
        limited=frozenset(groups.places),
        limits=groups.label,
        filtered=found.get("Seccomp") == "2" and _filtered(),
    )


def _filtered() -> bool:
    """Make every call inside that the filter is there to refuse, and see whether it did."""
    if seccomp.filter_here() is None:
        return False
    calls = seccomp.tried(platform.machine())
    lines = "".join(f"{call} {' '.join(map(str, given))}\n" for call, given, _ in calls)
    python, mounts = own_python()
    try:
        seen = Sandbox().run([python, "-ISc", _CALL], stdin=lines.encode(), readonly=mounts)
    except BadInput:  # an interpreter that can't be shown inside
        return False
    return seen.stdout.split() == [str(answer).encode() for _, _, answer in calls]


def isolation() -> str:
    """Describe the isolation that every run here has, for evidence records."""
    return measured().words
