"""Matching: an inventory against the PyPI advisories, beside loops over `packaging` and `univers`.

`vedette match` on the folder of records and on its own index; the peers index the inventory's
names first and read the same records. All are processes from start to end.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.child import VEDETTE, compare, output
from benchmarks.data import inventory, pypi_advisories
from benchmarks.result import Result

PEER = "packaging, by hand"
PEERS = {PEER: "packaging_loop.py", "univers and packageurl": "univers_loop.py"}
MIDDLE = 5_000


def run(quick: bool) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records_at = folder / "osv"
        records_at.mkdir()
        records = pypi_advisories(records_at)
        index = folder / "index"
        build = [*VEDETTE, "index", "--advisories", str(records_at), "--out", str(index)]
        output(build)
        for size in (50,) if quick else (500, 5_000, 20_000):
            bom = folder / f"{size}.cdx.json"
            inventory(records, size, bom)
            ours, theirs = folder / "ours", folder / "theirs"
            match = [*VEDETTE, "match", "--inventory", str(bom), "--advisories"]
            what = f"{size:,} components × {len(records):,} advisories"
            ours.write_text(output([*match, str(index)]), encoding="utf-8")
            for peer, loop in PEERS.items() if size == MIDDLE or quick else [(PEER, PEERS[PEER])]:
                script = str(Path(__file__).parent / "peers" / loop)
                found = compare(
                    {
                        "whole": [*match, str(records_at)],
                        "index": [*match, str(index)],
                        "peer": [sys.executable, script, str(records_at), str(bom), str(theirs)],
                    },
                    1 if quick else 5,
                )
                note = _agreement(ours, theirs)
                for way, said in (("whole", "from the records"), ("index", "with an index")):
                    results += [
                        Result(
                            f"{what}, {said}", unit, found[way][n], found["peer"][n], peer, notes
                        )
                        for n, (unit, notes) in enumerate((("s", note), ("MiB", "")))
                    ]
                    note = ""
        building = compare({"build": build}, 1 if quick else 3)["build"]
        results.append(Result(f"building the index of {len(records):,}", "s", building[0]))
    return results


def _agreement(ours: Path, theirs: Path) -> str:
    """How the two answers compare, so that nobody is fast by saying less."""
    rows = [json.loads(line) for line in ours.read_text("utf-8").splitlines()]
    mine = {(r["component"], r["advisory"]) for r in rows if r["verdict"] == "affected"}
    unknown = sum(r["verdict"] == "unknown" for r in rows)
    other = {tuple(json.loads(line).values()) for line in theirs.read_text("utf-8").splitlines()}
    return (
        f"{len(mine):,} affected by ours ({unknown:,} unknown besides), {len(other):,} by the peer,"
        f" {len(mine & other):,} of them the same"
    )
