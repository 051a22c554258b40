"""Memory and process-count limits of a sandbox, through cgroup v2 or v1, whichever is writable.

Groups are made below the caller's own group, so a limit set on the caller holds on. Under v2 a
group with processes can't delegate, so its parent is tried too (systemd's user slices).
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

V1_FILES = {"memory": "memory.limit_in_bytes", "pids": "pids.max"}
V2_FILES = {"memory": "memory.max", "pids": "pids.max"}


@dataclass(frozen=True)
class Group:
    """One run's groups: the folders to make, join and remove."""

    folders: tuple[Path, ...]
    version: int = 2

    @property
    def joins(self) -> tuple[str, ...]:
        """Files into which a single-threaded process writes 0 to join.

        Under v1 `tasks` moves one thread without the lock that `cgroup.procs` waits for.
        """
        file = "tasks" if self.version == 1 else "cgroup.procs"
        return tuple(f"{folder}/{file}" for folder in self.folders)

    def remove(self) -> None:
        """Kill what is left inside, then remove the folders."""
        for folder in self.folders:
            for attempt in range(100):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    _kill_members(folder)
                    time.sleep(0.0002 * (attempt + 1))


@dataclass(frozen=True)
class Cgroups:
    """Where groups can be made: controller -> (folder, its limit file); empty when nowhere."""

    version: int
    places: Mapping[str, tuple[Path, str]]
    note: str = ""

    @property
    def label(self) -> str:
        """What is limited, or why nothing is, e.g. `cgroup v1 memory+pids`."""
        if not self.places:
            return f"no memory and process limits ({self.note})"
        missing = sorted(set(V2_FILES) - set(self.places))
        left = f" (no {'+'.join(missing)} limit: not writable)" if missing else ""
        return f"cgroup v{self.version} {'+'.join(sorted(self.places))}{left}"

    def create(self, memory: int, pids: int) -> Group:
        """Make one run's groups with limits in bytes and in processes."""
        values = {"memory": memory, "pids": pids}
        name = f"vedette-{os.getpid()}-{secrets.token_hex(4)}"
        made: dict[Path, None] = {}
        try:
            for controller, (parent, file) in self.places.items():
                folder = parent / name
                if folder not in made:
                    folder.mkdir()
                    made[folder] = None
                with open(f"{folder}/{file}", "wb", buffering=0) as limit:
                    limit.write(b"%d" % values[controller])
        except OSError:
            Group(tuple(made), self.version).remove()
            raise
        return Group(tuple(made), self.version)


@cache
def detect() -> Cgroups:
    """Find out once per process where groups can be made, by making one."""
    own = _own_groups()
    mounts = _mounts()
    for version, found in ((2, _find_v2(own, mounts)), (1, _find_v1(own, mounts))):
        if found:
            return Cgroups(version, found)
    return Cgroups(0, {}, "neither cgroup v1 nor v2 is writable")


def _find_v2(own: Mapping[str, str], mounts: Mapping[str, Path]) -> dict[str, tuple[Path, str]]:
    if "" not in own or "" not in mounts:
        return {}
    home = _below(mounts[""], own[""])
    for parent in (home, home.parent):
        if parent.is_relative_to(mounts[""]) and _usable(parent, V2_FILES.values()):
            return {name: (parent, file) for name, file in V2_FILES.items()}
    return {}


def _find_v1(own: Mapping[str, str], mounts: Mapping[str, Path]) -> dict[str, tuple[Path, str]]:
    found = {}
    for name, file in V1_FILES.items():
        if name in own and name in mounts:
            parent = _below(mounts[name], own[name])
            if _usable(parent, [file]):
                found[name] = (parent, file)
    return found


def _usable(parent: Path, files: Iterable[str]) -> bool:
    probe = parent / f"vedette-{os.getpid()}-probe-{secrets.token_hex(4)}"
    try:
        probe.mkdir()
    except OSError:
        return False
    try:
        return all(os.access(probe / name, os.W_OK) for name in files)
    finally:
        with contextlib.suppress(OSError):
            probe.rmdir()


def _own_groups() -> dict[str, str]:
    """Controller ("" for v2) -> path of the caller's group."""
    groups = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            for name in controllers.split(","):
                groups[name] = path
    return groups


def _mounts() -> dict[str, Path]:
    """Controller ("" for v2) -> mount point."""
    mounts = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text("utf-8").splitlines():
            _, point, kind, options = line.split(" ")[:4]
            folder = Path(re.sub(r"\\040", " ", point))
            if kind == "cgroup2":
                mounts[""] = folder
            elif kind == "cgroup":
                mounts.update({name: folder for name in options.split(",") if name in V1_FILES})
    return mounts


def _below(mount: Path, path: str) -> Path:
    """The caller's group under `mount`; the mount itself where a container hides the path."""
    inside = mount / path.lstrip("/")
    return inside if ".." not in path and inside.is_dir() else mount


def _kill_members(folder: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        for pid in (folder / "cgroup.procs").read_text("ascii").split():
            os.kill(int(pid), signal.SIGKILL)
