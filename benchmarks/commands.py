"""Commands: how long one takes to start, beside Python itself and beside Django.

What a shell script that calls `vedette` often waits for. The floor of a stand-alone command is
Python with nothing to do, that of an instance's command Django set up with no application.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.child import VEDETTE, compare, output
from benchmarks.result import Result

FLOOR = ("python", "Python")
DJANGO = "import django; from django.conf import settings; settings.configure(); django.setup()"


def run(quick: bool) -> list[Result]:
    with tempfile.TemporaryDirectory() as name:
        lab = str(Path(name) / "lab")
        output([*VEDETTE, "init", "--profile", "lab", lab])
        python = [sys.executable, "-c"]
        priority = [*("--kev", "y", "--exposed", "n"), *("--automatable", "n", "--impact", "total")]
        found = compare(
            {
                "python": [*python, "pass"],
                "django": [*python, f"{DJANGO}; import django.db.models, django.http"],
                "--version": [*VEDETTE, "--version"],
                "plan": [*VEDETTE, "plan", "--partner-release", "2027-01-11"],
                "priority": [*VEDETTE, "priority", *priority],
                "match --help": [*VEDETTE, "match", "--help"],
                "exchange card": [*VEDETTE, "exchange", "card", "--instance", lab],
                "check": [*VEDETTE, "check", "--instance", lab],
            },
            1 if quick else 15,
        )
    results = []
    for command, (seconds, memory) in list(found.items())[2:]:
        floor, peer = ("django", "Django") if command in ("exchange card", "check") else FLOOR
        results += [
            Result(f"vedette {command}", "s", seconds, found[floor][0], peer),
            Result(f"vedette {command}", "MiB", memory, found[floor][1], peer),
        ]
    return results
