"""Sandbox: one run of /bin/true, beside a bare bwrap with the same arguments and a plain process.

What ours adds to bwrap: cgroups where they are writable, rlimits, the filter on system calls, a
sealed standard input, bounded output, bubblewrap's own report of how the command ended.
"""

from __future__ import annotations

import os
import subprocess

from benchmarks.result import Result, Skipped, in_turns, timed
from vedette.kernel.errors import MissingPart
from vedette.runner.sandbox import Sandbox

COMMAND = ["/bin/true"]


def run(quick: bool) -> list[Result]:
    try:
        sandbox = Sandbox()
    except MissingPart as error:
        raise Skipped(str(error)) from None
    quiet = os.open(os.devnull, os.O_WRONLY)
    arguments = sandbox._arguments(None, sandbox.limits, {}, {}, quiet)

    def bare(command: list[str]) -> None:
        subprocess.run(command, check=True, capture_output=True, pass_fds=(quiet,))

    found = in_turns(
        {
            "ours": lambda: 1000 * timed(lambda: sandbox.run(COMMAND)),
            "bwrap": lambda: 1000 * timed(lambda: bare([*arguments, "--", *COMMAND])),
            "process": lambda: 1000 * timed(lambda: bare(COMMAND)),
        },
        3 if quick else 200,
    )
    os.close(quiet)
    name, unit = "one command", "ms"
    return [
        Result(name, unit, found["ours"], found["bwrap"], "bare bwrap"),
        Result(name, unit, found["ours"], found["process"], "plain process"),
    ]
