"""Commands run as processes of their own, with their time and their largest memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.result import Spread

VEDETTE = (sys.executable, "-m", "vedette")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cost:
    """Wall time in seconds and peak resident memory in MiB of one process and its children."""

    seconds: float
    memory: float


# Runs a command from a small process: one's peak memory counts that of whom it was forked from.
LAUNCH = """
import os, sys, time
started = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,
    file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - started, usage.ru_maxrss / 1024, flush=True)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def cost(command: Sequence[str]) -> Cost:
    """Run a command to its good end. Raises RuntimeError with what it said."""
    seconds, memory = output([sys.executable, "-S", "-c", LAUNCH, *command]).split()
    return Cost(float(seconds), float(memory))


def output(command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """What a command prints."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **(env or {})}
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:5])}: {done.stderr[-600:]}")
    return done.stdout


def compare(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, tuple[Spread, Spread]]:
    """Run the commands in turns; their (seconds, MiB). The first turn does not count."""
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            spent = cost(command)
            if turn:
                found[name].append(spent)
    return {
        name: (Spread.of([c.seconds for c in costs]), Spread.of([c.memory for c in costs]))
        for name, costs in found.items()
    }
