"""Private folders in memory: where sealed items, their builds and logs lie open during a run.

Rules:
- A private folder lies on a memory file system, in `/dev/shm` or the user's runtime folder, and
  only its owner reads it. Where there is none with room, nothing is opened.
- It is removed when the work in it ends. A killed process's is swept by the next worker: each
  folder is locked by whoever works in it, and a lock ends with its process.
- What is built from a private folder's items, and every temporary file of it, stays inside.

Memory can be swapped out: a machine that opens sealed items has its swap off, or encrypted.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vedette.kernel.bounds import MIB
from vedette.kernel.errors import Refused

SHM = Path("/dev/shm")  # noqa: S108 - a folder of its own below it, which only its owner reads
PREFIX = "vedette-sealed-"
ROOM = 256 * MIB
LOCK = "lock"
MEMORY_KINDS = frozenset({"tmpfs", "ramfs"})


def places() -> list[Path]:
    """Where private folders can lie on this machine, best first."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    found = [SHM, *([Path(runtime)] if runtime else [])]
    return [p for p in found if p.is_dir() and os.access(p, os.W_OK) and _kind(p) in MEMORY_KINDS]


@contextmanager
def private_folder() -> Iterator[Path]:
    """A private folder, removed at the end. Raises Refused where there is no memory for one."""
    roomy = [place for place in places() if shutil.disk_usage(place).free >= ROOM]
    if not roomy:
        raise Refused(
            f"sealed items open in memory only, and no memory file system here has"
            f" {ROOM // MIB} MiB of room",
            kept="every item sealed",
            next_step="give /dev/shm room, or set XDG_RUNTIME_DIR to a tmpfs",
        )
    made = Path(tempfile.mkdtemp(prefix=".vedette-", dir=roomy[0]))
    folder = made.with_name(PREFIX + made.name.removeprefix(".vedette-"))
    with (made / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made.rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep() -> int:
    """Remove the private folders of this user that nobody works in any more; how many."""
    swept = 0
    for place in places():
        for folder in place.glob(f"{PREFIX}*"):
            with suppress(OSError):
                if folder.stat().st_uid == os.getuid() and _abandoned(folder):
                    shutil.rmtree(folder)
                    swept += 1
    return swept


def scratch_beside(cache_dir: Path) -> Path | None:
    """Where temporary files lie for builds in `cache_dir`: beside them where that is private."""
    private = any(part.startswith(PREFIX) for part in cache_dir.parts)
    return cache_dir.parent if private else None


def _abandoned(folder: Path) -> bool:
    try:
        lock = (folder / LOCK).open("r+")
    except FileNotFoundError:
        return True
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _kind(folder: Path) -> str:
    """The kind of file system that a folder lies on, "" where the system does not say."""
    with suppress(OSError):
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        at = folder.resolve()
        over = [m for m in mounts if len(m) > 2 and at.is_relative_to(m[1].replace("\\040", " "))]
        return max(over, key=lambda m: len(m[1]), default=["", "", ""])[2]
    return ""
