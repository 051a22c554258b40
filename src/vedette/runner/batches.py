"""Many inputs in one sandbox: the feedback a subject gets, at a fraction of a sandbox an input.

A shell in the sandbox takes an input a line, runs the program on it, and prints a frame a run. A
hostile program could forge frames, so nothing read here is evidence: what is submitted is
verified elsewhere, each run in a fresh sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS_A_RUN = 5
KILLED = 137

_SHELL = """
index=0
while IFS= read -r line; do
  printf "$line" > /tmp/input
  timeout -s KILL "$0" "$@" < /tmp/input > /dev/null 2> /tmp/report
  code=$?
  printf '\\n== %s %s\\n' "$index" "$code"
  [ "$code" -eq 0 ] || head -c 6000 /tmp/report | sed 's/^/ /'
  index=$((index + 1))
done
"""
_FRAME = re.compile(rb"^== (\d{1,6}) (\d{1,3})$")


@dataclass(frozen=True)
class Run:
    """One run of the program: exit code, and what it wrote on standard error."""

    code: int
    report: bytes

    @property
    def timed_out(self) -> bool:
        return self.code == KILLED


def command(program: Sequence[str]) -> list[str]:
    """Return the command that runs `program` on each input of `stdin_of`."""
    return ["/bin/sh", "-c", _SHELL, str(SECONDS_A_RUN), *program]


def stdin_of(inputs: Sequence[bytes]) -> bytes:
    """Return the inputs as the command reads them: a line each, every byte as an octal escape."""
    lines = ("".join(f"\\{byte:03o}" for byte in data) + "\n" for data in inputs)
    return "".join(lines).encode("ascii")


def timeout_of(inputs: Sequence[bytes]) -> float:
    """Return the wall time in seconds that a batch gets."""
    return 10.0 + SECONDS_A_RUN * min(len(inputs), 8)


def runs_of(output: bytes, count: int) -> list[Run]:
    """Read the frames of `count` inputs; a run without a frame counts as timed out."""
    runs = [Run(KILLED, b"")] * count
    current, report = -1, list[bytes]()
    for line in [*output.split(b"\n"), b"== 999999 0"]:
        frame = _FRAME.match(line)
        if frame is None:
            report.append(line[1:])
            continue
        if 0 <= current < count:
            runs[current] = Run(runs[current].code, b"\n".join(report))
        current, report = int(frame[1]), []
        if current < count:
            runs[current] = Run(int(frame[2]), b"")
    return runs
