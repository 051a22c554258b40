"""Matching at the size of all ecosystems: 113 renamed copies of the PyPI advisories.

`vedette index` of 300,000 records, `vedette match` of one inventory and of 100 against it (a third
of the components are ones that the records speak of), and the join alone on names that many
advisories share. The peer of the first is the loop over `packaging` on the same records, which
keeps no index. Copies share their versions and events, by which the sort keys and ranges kept
in memory profit; their names and ids differ.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from benchmarks.child import VEDETTE, compare, output
from benchmarks.data import pypi_advisories
from benchmarks.result import Result, in_turns, timed
from vedette.cli.match import quiet_collector
from vedette.formats import osv_in
from vedette.matching.holdings import Holdings
from vedette.matching.joining import join
from vedette.matching.model import Component, Inventory
from vedette.matching.rows import Loaded

COPIES = 113
SIZE = 5_000
PEER = "packaging, by hand"


def run(quick: bool) -> list[Result]:
    copies, operators = (1, 2) if quick else (COPIES, 100)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plain").mkdir()
        records = pypi_advisories(folder / "plain")
        many = folder / "osv"
        many.mkdir()
        count = sum(copy_records(folder / "plain", many, copy) for copy in range(copies))
        boms = folder / "operators"
        boms.mkdir()
        for number in range(operators):
            bom = boms / f"operator-{number:03}.json"
            write_inventory(records, copies, SIZE, number, bom)
        index, one = folder / "index", boms / "operator-000.json"
        build = [*VEDETTE, "index", "--advisories", str(many), "--out", str(index)]
        built = compare({"index": build}, 1)["index"]
        output(build)
        match = [*VEDETTE, "match", "--advisories", str(index), "--inventory"]
        loop = str(Path(__file__).parent / "peers" / "packaging_loop.py")
        peer = [sys.executable, loop, str(many), str(one), str(folder / "theirs")]
        ours = compare({"one": [*match, str(one)]}, 1 if quick else 5)["one"]
        theirs = compare({"peer": peer}, 1)["peer"]
        several = compare({"all": [*match, str(boms)]}, 1 if quick else 3)["all"]
        results = []
        for place, unit in enumerate(("s", "MiB")):
            results += [
                Result(f"index of {count:,} records", unit, built[place]),
                Result(
                    f"{SIZE:,} components × {count:,} advisories, with an index",
                    *(unit, ours[place], theirs[place], PEER),
                ),
                Result(
                    f"{operators:,} operators × {SIZE:,} × {count:,}, with an index",
                    *(unit, several[place]),
                ),
            ]
        return [*results, _dense(records, 2 if quick else 60)]


def copy_records(source: Path, target: Path, copy: int) -> int:
    """Write renamed copies of the records, of other packages; returns how many."""
    files = sorted(source.iterdir())
    for file in files:
        record = json.loads(file.read_bytes())
        record["id"] += f"-{copy}"
        for affected in record["affected"]:
            affected["package"]["name"] += f"-{copy}"
            affected["package"].pop("purl", None)
        (target / f"{record['id']}.json").write_text(json.dumps(record), encoding="utf-8")
    return len(files)


def versions(records: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    found: dict[str, set[str]] = {}
    for record in records:
        for affected in record["affected"]:
            listed = found.setdefault(affected["package"]["name"], set())
            listed.update(affected.get("versions", ()))
    return sorted((name, sorted(listed)) for name, listed in found.items() if listed)


def write_inventory(
    records: list[dict[str, Any]], copies: int, size: int, seed: int, path: Path
) -> None:
    """Write a CycloneDX inventory: every third component is one that the copies speak of."""
    chance, named = random.Random(seed), versions(records)  # noqa: S311
    components = []
    for number in range(size):
        name, version = f"package-{number}", f"{number % 9}.{number % 17}.{number % 5}"
        if number % 3 == 0:
            name, known = chance.choice(named)
            name, version = f"{name}-{chance.randrange(copies)}", chance.choice(known)
        purl = f"pkg:pypi/{name.lower()}@{version}"
        row = {"bom-ref": f"c{number}", "name": name, "version": version, "purl": purl}
        components.append(row | {"type": "library"})
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}
    path.write_text(json.dumps(document), encoding="utf-8")


def _dense(records: list[dict[str, Any]], copies: int) -> Result:
    """Pairs of a component and an advisory of its name, decided a second."""
    read = [osv_in.read(json.loads(json.dumps(r, default=str)), r["id"]) for r in records]
    source = Loaded([replace(a, id=f"{a.id}-{n}") for n in range(copies) for a in read])
    chance, named = random.Random(3), versions(records)  # noqa: S311
    held = []
    for number in range(SIZE):
        name, known = chance.choice(named)
        held.append(Component(f"c{number}", purl=f"pkg:pypi/{name}@{chance.choice(known)}"))
    inventory = Inventory("dense", tuple(held))

    def once() -> float:
        table = Holdings([inventory])
        pairs = sum(
            len(table.by_key[key]) * sum(1 for _ in rows) for key, rows in source.each(table.by_key)
        )
        return pairs / timed(lambda: join(table, source))

    with quiet_collector():  # as the command does
        spread = in_turns({"join": once}, 3)["join"]
    return Result("join on dense names, pairs", "a second", spread)
