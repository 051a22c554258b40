"""`python -m benchmarks [NAME...] [--quick | --renew]`: run the benchmarks, write both accounts.

Writes benchmarks/results.json and docs/benchmarks.md, unless --out names another folder. A quick
run replaces neither and needs --out; so does a subset, or with --renew its parts take the places of
the earlier ones, each with its own date. A benchmark that fails is reported and does not
lose the others; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from benchmarks.account import machine, renewed, write
from benchmarks.result import Skipped, tell

ROOT = Path(__file__).resolve().parent.parent
SUBJECTS = (
    "commands",
    "ledger",
    "sandbox",
    "samples",
    "repairs",
    "transcripts",
    "adaptive",
    "statistics",
    "determination",
    "proxy",
    "fingerprint",
    "pages",
    "acts",
    "exchange",
    "documents",
    "match",
    "assets",
    "match_scale",
    "growth",
    "match_changes",
    "bad_input",
    "private",
    "dedupe",
    "reading",
    "demo",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="smallest sizes: does it run at all")
    parser.add_argument("--demo", action="store_true", help="play the demo for its wall time")
    parser.add_argument("--out", type=Path, help="folder for both accounts")
    parser.add_argument("--renew", action="store_true", help="put these parts in the last account")
    given = parser.parse_args()
    names = tuple(given.names) or SUBJECTS
    unknown = set(names) - set(SUBJECTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(SUBJECTS)}")
    if given.renew and (given.quick or given.out):
        parser.error("--renew changes the account that stands, and a quick run is no measure")
    if not (given.renew or given.out) and (given.quick or names != SUBJECTS):
        parser.error(
            "a part or a quick run is no full account; next: --renew, or a folder as --out"
        )
    if given.demo:
        os.environ["VEDETTE_BENCH_DEMO"] = "yes"
    # commands as they start anywhere from the second time on, even where bytecode is not kept
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.chdir(ROOT)
    found = [measure(name, given.quick) for name in names]
    account = {**machine(), "quick": given.quick, "benchmarks": found}
    if given.renew:
        earlier = json.loads(Path("benchmarks/results.json").read_text("utf-8"))
        account = renewed(earlier, account, SUBJECTS)
    json_folder, page_folder = (given.out, given.out) if given.out else ("benchmarks", "docs")
    write(account, Path(json_folder) / "results.json", Path(page_folder) / "benchmarks.md")
    return 1 if any(each["status"] == "failed" for each in found) else 0


def measure(name: str, quick: bool) -> dict[str, Any]:
    """One benchmark's part of the account, whether it ran, was skipped or failed."""
    started = time.monotonic()
    module = importlib.import_module(f"benchmarks.{name}")
    about = module.__doc__ or name
    tell(f"{name}: {about.splitlines()[0]}")
    load = round(os.getloadavg()[0], 1)
    part: dict[str, Any] = {"name": name, "about": about, "load_before": load, "results": []}
    part |= {name: value for name, value in machine().items() if name in ("date", "processor")}
    try:
        part |= {"status": "measured", "results": [r.to_json() for r in module.run(quick)]}
    except Skipped as why:
        part |= {"status": "skipped", "reason": str(why)}
    except Exception as error:
        traceback.print_exc()
        part |= {"status": "failed", "reason": f"{type(error).__name__}: {error}"[:300]}
    part["seconds"] = round(time.monotonic() - started, 1)
    for row in part["results"]:
        ratio = f"  {row['ratio']:.2f} × {row['peer_name']}" if row["ratio"] else ""
        tell(f"  {row['name']}: {row['ours']['median']:.4g} {row['unit']}{ratio}")
    if part["status"] != "measured":
        tell(f"  {part['status']}: {part['reason']}")
    return part


if __name__ == "__main__":
    sys.exit(main())
