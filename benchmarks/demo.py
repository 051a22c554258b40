"""The demo's wall time by step; there is no peer.

From the demo-out/steps.json that the last `make demo` left; `python -m benchmarks --demo` plays it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.child import ROOT, output
from benchmarks.result import Result, Skipped, Spread


def run(quick: bool) -> list[Result]:
    if os.environ.get("VEDETTE_BENCH_DEMO"):
        with tempfile.TemporaryDirectory() as name:
            output([sys.executable, "demo/run.py", "--out", f"{name}/demo"])
            return _steps(Path(name) / "demo" / "steps.json")
    left = ROOT / "demo-out" / "steps.json"
    if not left.exists():
        raise Skipped("no demo was played; next: python -m benchmarks --demo")
    return _steps(left)


def _steps(path: Path) -> list[Result]:
    steps = json.loads(path.read_text("utf-8"))
    rows = [(step["step"], step["seconds"]) for step in steps]
    rows.append(("all", sum(seconds for _, seconds in rows)))
    return [Result(name, "s", Spread.of([seconds])) for name, seconds in rows]
