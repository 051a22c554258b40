"""Ends what a killed process leaves of its sandboxes.

bubblewrap ends with its parent, but asks the kernel for that only after it has started, and its own
first process inside asks again later: who is killed in between leaves a sandbox behind. So each
process that starts sandboxes has one guard beside it: a shell that reads a pipe whose other end
closes when the process is gone, however it went, and then kills every bubblewrap that bears the
process's mark on its command line. The kernel kills what is inside with it. The process's empty
groups (see `cgroups`) are removed, too.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from dataclasses import dataclass
from functools import cache

from vedette.runner import cgroups

NAME = "VEDETTE_SANDBOX_OF"
# The mark stands in no command line of the guard's own. It ends when three looks found nothing.
_WATCH = """
read -r _
rounds=0 left=100 IFS="
"
while [ "$rounds" -lt 3 ] && [ "$left" -gt 0 ]; do
  left=$((left - 1))
  found=$(printf %s "$MARK" | grep -lsaF -f - /proc/[0-9]*/cmdline)
  for place in $found; do place=${place#/proc/}; kill -9 "${place%/cmdline}" 2> /dev/null; done
  for group in $LEFT; do rmdir "$group" 2> /dev/null; done
  [ -n "$found" ] && rounds=0 || rounds=$((rounds + 1))
  sleep 0.1
done
"""


@dataclass(frozen=True)
class Guard:
    """`arguments` go on bubblewrap's command line: they do nothing inside, and bear the mark."""

    mark: str
    watcher: subprocess.Popen[bytes]
    lifeline: int

    @property
    def arguments(self) -> tuple[str, str]:
        return "--unsetenv", self.mark


def guard() -> Guard:
    """Return this process's guard, started with its first sandbox."""
    return _guard_of(os.getpid())


@cache
def _guard_of(process: int) -> Guard:
    mark = f"{NAME}_{process}_{secrets.token_hex(8)}"
    left = {f"{place}/vedette-{process}-*" for place, _ in cgroups.detect().places.values()}
    watched, lifeline = os.pipe()
    try:
        watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH],
            stdin=watched,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "MARK": mark, "LEFT": "\n".join(left)},
            start_new_session=True,
            cwd="/",
        )
    finally:
        os.close(watched)
    return Guard(mark, watcher, lifeline)
