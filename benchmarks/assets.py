"""A list of assets without any purl against CISA's industrial advisories, by words.

The list is drawn from the advisories' own entries by seed: a third writes the model in a column of
its own, a third states no vendor. `python -m benchmarks.assets INDEX LIST` does what a portal's
worker does with a list that was handed in, from its bytes to what the notices say, in a fresh
process, and prints the seconds of CPU with what was found.
"""

from __future__ import annotations

import csv
import json
import random
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from benchmarks.child import VEDETTE, output
from benchmarks.data import real
from benchmarks.industrial import ARCHIVE, entries
from benchmarks.result import Result, Spread
from vedette.formats.detect import read_inventory
from vedette.kernel.canonical import digest
from vedette.matching.index import Index
from vedette.services import matched

SIZE, ROUNDS, BY_PEER, RECORDS = 1_500, 5, 15, 2_035
PEER = "difflib, the names alone"


def run(quick: bool) -> list[Result]:
    with tempfile.TemporaryDirectory() as name:
        return [_measure(Path(name), quick)]


def _measure(folder: Path, quick: bool) -> Result:
    size, rounds, by_peer, records = (30, 1, 2, 40) if quick else (SIZE, ROUNDS, BY_PEER, RECORDS)
    at, index, assets = folder / "industrial", folder / "industrial.idx", folder / "assets.csv"
    names = folder / "names"
    _unpack(at, records)
    output([*VEDETTE, "index", "--advisories", str(at), "--out", str(index)])
    _write(assets, names, size)
    ours = [sys.executable, "-m", "benchmarks.assets", str(index), str(assets)]
    told = [json.loads(output(ours)) for _ in range(rounds)]
    peer = str(Path(__file__).parent / "peers" / "difflib_names.py")
    loop = [sys.executable, peer, str(assets), str(names), str(by_peer)]
    beside = [float(output(loop)) * size / by_peer for _ in range(min(rounds, 3))]
    return Result(
        f"{size:,} assets by words × {records:,} industrial advisories, in the portal",
        "s of CPU",
        Spread.of([each["seconds"] for each in told]),
        Spread.of(beside),
        f"{PEER}, reckoned from {by_peer}",
        f"{told[0]['notices']:,} notices of {told[0]['matches']:,} matches",
    )


def _unpack(folder: Path, most: int) -> None:
    folder.mkdir()
    with tarfile.open(real(ARCHIVE)) as archive:
        files = (m for m in archive if m.name.rpartition("/")[2].startswith(("icsa-", "icsma-")))
        for number, member in zip(range(most), files, strict=False):
            file = archive.extractfile(member)
            assert file is not None
            (folder / f"{number}.json").write_bytes(file.read())


def _write(assets: Path, names: Path, size: int) -> None:
    chance, known = random.Random(5), list(entries())  # noqa: S311
    every = {f"{entry.vendor} {entry.product}".replace("\n", " ") for entry in known}
    names.write_text("\n".join(sorted(every)), "utf-8")
    with assets.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("vendor", "product", "model", "version"))
        for number, entry in enumerate(chance.sample(known, size)):
            version = ".".join(str(chance.randint(0, 20)) for _ in range(3))
            first, _, last = entry.product.rpartition(" ")
            product, model = (first, last) if number % 3 == 1 and first else (entry.product, "")
            writer.writerow((entry.vendor if number % 3 < 2 else "", product, model, version))


def main() -> None:
    data = Path(sys.argv[1]).read_bytes()
    listed = Path(sys.argv[2]).read_bytes()
    index = Index(data, digest(data))
    started = time.process_time()
    held = matched.Held(read_inventory(listed, "assets"), exposed=False)
    found = matched.find(held, [index]).found
    seconds = time.process_time() - started
    matches = sum(len(one.matches) + one.left_out for one in found)
    print(json.dumps({"seconds": seconds, "notices": len(found), "matches": matches}))


if __name__ == "__main__":
    main()
