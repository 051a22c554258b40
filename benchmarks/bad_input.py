"""Bad input: what `vedette match` answers to inventories that are too much, and what that costs.

The whole command against 1,000 advisories for one name, or a million of them in an index. What is
taken is read beside Python's own `json.load` of the same file; what is refused has no peer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child import LAUNCH, ROOT, VEDETTE
from benchmarks.result import Result, Spread, tell
from vedette.formats import osv_in
from vedette.matching.building import prepare, write
from vedette.matching.model import Advisory

PEER = "json.load"
TAKEN, REFUSED = 0, 2
_LOAD = "import json, sys; json.load(open(sys.argv[1], 'rb'))"
_BOMB = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;">]>'
    '<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components/></bom>'
)


def run(quick: bool) -> list[Result]:
    part = 1000 if quick else 1
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many = folder / "few.idx", folder / "many.idx"
        for path, count in ((few, 1_000), (many, 1_000_000 // part)):
            with path.open("wb") as file:
                write(map(prepare, _parts(count)), file)
        for what, index, make, code in (
            ("SBOM of over 1 GB", few, lambda: _sparse(folder, 1_074_000_000), REFUSED),
            ("480,000 components, 480 MB", few, lambda: _sbom(folder, 480_000 // part, 850), TAKEN),
            ("200,000 components, 25 MB", few, lambda: _sbom(folder, 200_000 // part, 0), TAKEN),
            ("cycle of dependencies", few, lambda: _cycle(folder, 20_000 // part), TAKEN),
            ("XML bomb", few, lambda: _text(folder, _BOMB), REFUSED),
            ("nested 100,000 deep", few, lambda: _text(folder, "[" * 100_000), REFUSED),
            ("cut short", few, lambda: _text(folder, '{"bomFormat": "CycloneDX", "comp'), REFUSED),
            ("a million advisories for one name", many, lambda: _sbom(folder, 1, 0), TAKEN),
        ):
            results += _measured(what, index, make(), code, 1 if quick else 3)
    return results


def _measured(what: str, index: Path, inventory: Path, code: int, rounds: int) -> list[Result]:
    match = [*VEDETTE, "match", "--advisories", str(index), "--inventory", str(inventory)]
    ours = [_cost(match, code) for _ in range(rounds)]
    peer = []
    if code == TAKEN:
        peer = [_cost([sys.executable, "-c", _LOAD, str(inventory)], 0) for _ in range(rounds)]
    answer = "taken" if code == TAKEN else "refused"
    tell(f"  {what}: {answer}")
    return [
        Result(
            f"{what}: {answer}",
            unit,
            Spread.of([one[place] for one in ours]),
            Spread.of([one[place] for one in peer]) if peer else None,
            PEER if peer else "",
        )
        for place, unit in enumerate(("s", "MiB"))
    ]


def _cost(command: list[str], code: int) -> tuple[float, float]:
    """Seconds and MiB of a command that has to end with `code`."""
    whole = [sys.executable, "-S", "-c", LAUNCH, *command]
    done = subprocess.run(whole, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(
            f"{' '.join(command[1:5])}: exit {done.returncode}: {done.stderr[-600:]}"
        )
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def _parts(count: int) -> Iterator[list[Advisory]]:
    """Advisories for one name, by the thousand; one in fifty speaks of every version."""
    for start in range(0, count, 1000):
        yield [
            osv_in.read(
                {
                    "id": f"X-{number:07}",
                    "modified": "2026-01-01T00:00:00Z",
                    "affected": [
                        {
                            "package": {"ecosystem": "PyPI", "name": "package-0"},
                            "ranges": [{"type": "ECOSYSTEM", "events": _events(number)}],
                        }
                    ],
                },
                "x",
            )
            for number in range(start, min(start + 1000, count))
        ]


def _events(number: int) -> list[dict[str, str]]:
    return [{"introduced": "0" if number % 50 == 0 else f"{number}.5"}, {"fixed": f"{number}.9"}]


def _sbom(folder: Path, count: int, padding: int) -> Path:
    path = folder / "sbom.json"
    with path.open("w", encoding="utf-8") as file:
        file.write('{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [')
        for number in range(count):
            row = {"bom-ref": f"c{number}", "name": f"package-{number}", "version": "1.2.3"}
            row |= {"type": "library", "purl": f"pkg:pypi/package-{number}@1.2.3"}
            row |= {"description": "x" * padding} if padding else {}
            file.write(("," if number else "") + json.dumps(row))
        file.write("]}")
    return path


def _sparse(folder: Path, size: int) -> Path:
    """A file of that size, with an SBOM's beginning and no end."""
    path = _text(folder, '{"bomFormat": "CycloneDX", "components": [')
    os.truncate(path, size)
    return path


def _cycle(folder: Path, count: int) -> Path:
    path = _sbom(folder, count, 0)
    document = json.loads(path.read_bytes())
    refs = [row["bom-ref"] for row in document["components"]]
    document["dependencies"] = [
        {"ref": ref, "dependsOn": [after]}
        for ref, after in zip(refs, [*refs[1:], refs[0]], strict=True)
    ]
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _text(folder: Path, text: str) -> Path:
    path = folder / "text"
    path.write_text(text, encoding="utf-8")
    return path
