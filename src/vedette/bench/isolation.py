"""Isolation as an ordered level: what a run's sandboxes have, and what the policy pack asks.

Rules:
- A level holds all that the ones beneath it hold: `none` < `namespaces` < `limits` < `filter`.
- `namespaces`: own user, process, network, mount and IPC namespaces, no capabilities, no new
  privileges, no further user namespaces. One of them missing is `none`.
- `limits`: besides, memory and the number of processes are limited by the kernel, not per process.
- `filter`: besides, system calls pass a seccomp filter, and each that it refuses was tried inside.
- What the pack asks depends on the suite's marking; a run that has less never begins.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import IntEnum

from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.markings import Marking
from vedette.kernel.packs import PolicyPack

NAMESPACES = ("user", "pid", "net", "mnt", "ipc")
LIMITED = ("memory", "pids")


class Level(IntEnum):
    """How strongly a sandbox isolates, weakest first."""

    NONE = 0
    NAMESPACES = 1
    LIMITS = 2
    FILTER = 3

    @property
    def label(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Level:
        """Read a level by its name. Raises BadInput."""
        try:
            return cls[text.upper()]
        except KeyError:
            raise BadInput(
                f"isolation level {text[:40]!r}: unknown",
                next_step=f"one of {', '.join(level.label for level in cls)}",
            ) from None


@dataclass(frozen=True)
class Isolation:
    """What was measured inside a sandbox of this machine.

    Args:
        by: what makes the sandbox, with its version; or why none can be made.
        namespaces: those that are not the host's, as /proc names them.
        confined: no capabilities and no new privileges.
        nested: further user namespaces can be made inside.
        limited: what is limited for the sandbox as a whole, of LIMITED.
        limits: the same in words.
        filtered: system calls pass a seccomp filter.
    """

    by: str
    namespaces: Set[str] = frozenset()
    confined: bool = False
    nested: bool = True
    limited: Set[str] = frozenset()
    limits: str = ""
    filtered: bool = False

    @property
    def lacking(self) -> tuple[str, ...]:
        """What is missing for `namespaces`, in words."""
        gone = [f"own {name} namespace" for name in NAMESPACES if name not in self.namespaces]
        gone += [] if self.confined else ["dropped capabilities"]
        return (*gone, *(["no nested user namespaces"] if self.nested else []))

    @property
    def level(self) -> Level:
        if self.lacking:
            return Level.NONE
        if not self.limited >= set(LIMITED):
            return Level.NAMESPACES
        return Level.FILTER if self.filtered else Level.LIMITS

    @property
    def words(self) -> str:
        """One line for evidence records."""
        if not self.namespaces:
            return self.by
        parts = [self.by, f"{'/'.join(sorted(self.namespaces))} namespaces"]
        parts += ["no capabilities"] if self.confined else ["with capabilities"]
        parts += ["nested user namespaces"] if self.nested else ["no nested user namespaces"]
        parts += ["seccomp filter"] if self.filtered else []
        return ", ".join([*parts, "rlimits", self.limits])


def asked(pack: PolicyPack, marking: Marking) -> Level:
    """The least level for a suite of that marking. Raises BadInput where the pack does not say."""
    names = [marking.tlp.label, *(["classified"] if marking.level or marking.compartments else [])]
    return max(Level.parse(pack.text("isolation", "least", name)) for name in names)


def require(
    found: Isolation, least: Level, *, why: str = "the run", stated: Level = Level.NONE
) -> None:
    """Raise Refused where `found`, or what its maker states, is weaker than `least`."""
    if max(found.level, stated) >= least:
        return
    lacking = found.level is Level.NONE and found.namespaces
    has = f"missing: {', '.join(found.lacking)}" if lacking else found.words
    level = max(found.level, stated).label
    raise Refused(
        f"isolation: this machine has level {level}, {why} asks for {least.label} ({has[:300]})",
        kept="nothing was run",
        next_step="run it where bubblewrap and cgroups work, or use a pack that asks for less",
    )
