"""One new advisory against all that a clearinghouse's operators hold.

A clearinghouse on SQLite that hosts operators with an inventory each, and an index of the records
of match_scale (a third of the components are ones that these speak of). Measured is what a new
advisory of a package makes of them, from the record to each inventory's changed vulnerabilities;
then the same with the notices written; beside a match of whole inventories, of as many of them as
are kept with their content. Making an index out of records is not measured here.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path

from benchmarks.child import VEDETTE, output
from benchmarks.data import pypi_advisories
from benchmarks.instances import found, tell_story
from benchmarks.match_scale import COPIES, SIZE, copy_records, versions
from benchmarks.result import Result, Spread

NEW = 30
CHANCE = random.Random(5)  # noqa: S311
PEER = "a match of every inventory, reckoned from"


def run(quick: bool) -> list[Result]:
    copies, operators, whole = (1, 5, 2) if quick else (COPIES, 1_000, 10)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("plain", "osv", "new"):
            (folder / part).mkdir()
        packages = versions(pypi_advisories(folder / "plain"))
        for copy in range(copies):
            copy_records(folder / "plain", folder / "osv", copy)
        (folder / "packages.json").write_text(json.dumps(packages), encoding="utf-8")
        for number, (package, _) in enumerate(CHANCE.sample(packages, NEW)):
            (folder / "new" / f"{number}.json").write_text(_record(number, package))
        paths = [str(folder / part) for part in ("osv", "new")]
        output([*VEDETTE, "index", "--advisories", *paths, "--out", str(folder / "index")])
        found(folder / "house", "clearinghouse")
        told = tell_story("changes", folder / "house", folder, operators, copies, whole)
    peer = Spread.of([1000 * operators * seconds for seconds in told["whole"]])
    size = f"{operators:,} operators × {SIZE:,}"
    return [
        Result(
            f"one new advisory × {size}, {what}",
            "ms",
            Spread.of([1000 * seconds for seconds in told[key]]),
            peer,
            f"{PEER} {whole}",
            f"{told['touched']} inventories hold the package, on average",
        )
        for key, what in (("found", "what it changes"), ("told", "with notices written"))
    ]


def _record(number: int, package: str) -> str:
    events = [{"introduced": "0"}, {"fixed": "999"}]
    affected = {
        "package": {"ecosystem": "PyPI", "name": f"{package}-0"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    record = {"id": f"x_new-{number}", "modified": "2026-01-01T00:00:00Z", "affected": [affected]}
    return json.dumps(record)
