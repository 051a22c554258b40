"""Check what `make demo` promises to leave: `scripts/check_demo.py [DIR]`.

Promises:
- every file is there, and no page loads anything from elsewhere;
- the assessment in report.html has a plot;
- every CSAF advisory passes the 2.0 schema and the mandatory tests of PyPI's `csaf`;
- every OSV record passes the official schema, from VEDETTE_DATA/schemas; without it that is said;
- the correction of CVE-2021-45958 is among both;
- the four ledgers verify by `vedette ledger verify`, and a copy with one changed byte does not;
- timeline.json holds entries of all four instances;
- lead-time.csv has a row for each of three operators, with no empty cell.

Exit status 0, or 1 with one line for each broken promise.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
INSTANCES = {"lab", "office", "clearinghouse", "operator"}
OPERATORS = 3
CORRECTED = "CVE-2021-45958"
ELSEWHERE = re.compile(
    r"""(?:\bsrc=|<link\b[^>]*\bhref=|\burl\(|@import)\s*["']?\s*(?:https?:)?//""", re.IGNORECASE
)


def main(arguments: list[str]) -> int:
    """Print the broken promises of a demo's folder; 0 when there is none."""
    folder = Path(arguments[0] if arguments else "demo-out")
    checks: list[Callable[[Path], Iterator[str]]] = [
        pages,
        csaf_advisories,
        osv_records,
        ledgers,
        timeline,
        lead_time,
    ]
    broken = []
    for check in checks:
        try:
            broken += list(check(folder))
        except (OSError, ValueError, KeyError, TypeError) as error:
            broken.append(f"{check.__name__}: {type(error).__name__}: {error}")
    for line in broken:
        print(f"demo: {line}")
    if not broken:
        print(f"demo: {len(checks)} kinds of promise kept in {folder}")
    return 1 if broken else 0


def pages(folder: Path) -> Iterator[str]:
    """The pages are whole and stand alone."""
    for name in ("report.html", "timeline.html"):
        text = (folder / name).read_text(encoding="utf-8")
        if "</html>" not in text:
            yield f"{name} is cut off"
        if ELSEWHERE.search(text):
            yield f"{name} loads something from elsewhere"
    if "<svg" not in (folder / "report.html").read_text(encoding="utf-8"):
        yield "report.html has no plot"


def csaf_advisories(folder: Path) -> Iterator[str]:
    """CSAF 2.0, by a validator that is not ours."""
    files = sorted((folder / "advisories" / "csaf").glob("*.json"))
    yield from corrected("csaf", files)
    for path in files:
        verdict = run(BIN / "csaf", "validate", "--spec-version", "v20", "--no-network", path)
        if verdict.returncode != 0:
            failed = [line for line in verdict.stdout.splitlines() if "PASS" not in line]
            yield f"{path.name} is no valid CSAF 2.0: {' '.join(failed)[:300]}"


def osv_records(folder: Path) -> Iterator[str]:
    """OSV, by its official schema."""
    files = sorted((folder / "advisories" / "osv").glob("*.json"))
    yield from corrected("osv", files)
    data = Path(os.environ.get("VEDETTE_DATA") or ROOT.parent / "shared" / "data")
    schema = data / "schemas" / "osv-schema.json"
    if not schema.exists():
        print("demo: OSV's schema is not here (VEDETTE_DATA), so its records were not validated")
        return
    validator = Draft202012Validator(read_json(schema), format_checker=FormatChecker())
    for path in files:
        for error in validator.iter_errors(read_json(path)):
            yield f"{path.name} is no valid OSV: {error.json_path}: {error.message[:200]}"


def corrected(name: str, files: list[Path]) -> Iterator[str]:
    if not any(CORRECTED in path.read_text(encoding="utf-8") for path in files):
        yield f"advisories/{name} has no correction of {CORRECTED}"


def ledgers(folder: Path) -> Iterator[str]:
    """Each of the four verifies, and its altered copy does not."""
    kept = sorted((folder / "ledgers").iterdir())
    found = {path.name.split(".")[0] for path in kept}
    if found != INSTANCES:
        yield f"ledgers/ holds {sorted(found)}, not one of each of {sorted(INSTANCES)}"
    for path in kept:
        verdict = run(BIN / "vedette", "ledger", "verify", path)
        if verdict.returncode != 0:
            yield f"ledger {path.name} does not verify: {verdict.stdout}{verdict.stderr}"[:300]
        with tempfile.TemporaryDirectory() as scratch:
            copy = altered(path, Path(scratch) / path.name)
            if run(BIN / "vedette", "ledger", "verify", copy).returncode != 1:
                yield f"ledger {path.name} with a changed digest is not found broken"


def altered(ledger: Path, copy: Path) -> Path:
    """A copy of a ledger, file or folder, with one digit of its first entry's digest changed."""
    if ledger.is_dir():
        shutil.copytree(ledger, copy)
    else:
        shutil.copy(ledger, copy)
    entries = copy / "ledger.jsonl" if copy.is_dir() else copy
    text = entries.read_text(encoding="utf-8")
    digest = re.search(r"[0-9a-f]{64}", text)
    if digest is None:
        raise ValueError(f"{ledger.name} holds no digest")
    at = digest.start()
    entries.write_text(text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :])
    return copy


def timeline(folder: Path) -> Iterator[str]:
    """The story is woven from all four ledgers, in the order of time."""
    told = set(values_of(read_json(folder / "timeline.json"), "instance"))
    if not told >= INSTANCES:
        yield f"timeline.json says nothing of {sorted(INSTANCES - told)}"


def lead_time(folder: Path) -> Iterator[str]:
    """What each operator gained."""
    with (folder / "lead-time.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if len({row["operator"] for row in rows}) < OPERATORS:
        yield f"lead-time.csv speaks of fewer than {OPERATORS} operators"
    if any(not cell for row in rows for cell in row.values()):
        yield "lead-time.csv has an empty cell"


def values_of(value: Any, key: str) -> Iterator[str]:
    """Every string under a key, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get(key), str):
            yield value[key]
        for part in value.values():
            yield from values_of(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from values_of(part, key)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
