"""The real data folder, as tests know it: VEDETTE_DATA, else next to the checkout."""

from __future__ import annotations

import json
import os
import random
import tarfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks.child import ROOT
from benchmarks.result import Skipped

PYPA = "pypa-advisories.tar.xz"


def real(name: str) -> Path:
    """A file of the data folder. Raises Skipped."""
    folder = Path(os.environ.get("VEDETTE_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / name).exists():
        raise Skipped(f"no real data: VEDETTE_DATA names no folder with {name}")
    return folder / name


def pypi_advisories(folder: Path) -> list[dict[str, Any]]:
    """Write the PyPI records as OSV JSON, one a file, and return them."""
    records = []
    with tarfile.open(real(PYPA)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".yaml") else None
            if file is not None:
                records.append(yaml.load(file, Loader=yaml.CSafeLoader))
    for record in records:
        text = json.dumps(record, default=_plain)
        (folder / f"{record['id']}.json").write_text(text, encoding="utf-8")
    return records


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert isinstance(value, date)
    return value.isoformat()


def inventory(records: list[dict[str, Any]], size: int, path: Path) -> None:
    """Write a CycloneDX inventory: every third component is one that the records speak of."""
    chance = random.Random(7)  # noqa: S311
    versions: dict[str, list[str]] = {}
    for record in records:
        for affected in record["affected"]:
            versions.setdefault(affected["package"]["name"], []).extend(
                affected.get("versions", ())
            )
    named = sorted((name, sorted(set(found))) for name, found in versions.items() if found)
    components = []
    for number in range(size):
        name, version = f"package-{number}", f"{number % 9}.{number % 17}.{number % 5}"
        if number % 3 == 0:
            name, known = chance.choice(named)
            version = chance.choice(known)
        purl = f"pkg:pypi/{name.lower()}@{version}"
        components.append(
            {"bom-ref": f"c{number}", "name": name, "version": version, "purl": purl}
            | {"type": "library"}
        )
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}
    path.write_text(json.dumps(document), encoding="utf-8")
