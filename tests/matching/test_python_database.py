"""The whole Python advisory database against an evaluation written with `packaging`."""

from __future__ import annotations

import io
import json
import random
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import InvalidVersion, Version

from vedette.formats import osv_in
from vedette.matching.building import build
from vedette.matching.engine import match
from vedette.matching.index import Index
from vedette.matching.model import Component, Inventory

COMPONENTS = 3000
ENDINGS = ["", "", "", "", ".post1", "rc1", ".dev1", "+local.1", ".1", ".0"]
RANKS = ["affected", "unknown", "unaffected"]


def records(archive: Path) -> list[dict[str, Any]]:
    found = []
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member) if member.name.endswith(".yaml") else None
            if content is not None:
                document = yaml.load(io.BytesIO(content.read()), yaml.CSafeLoader)
                if "id" in document:
                    found.append(json.loads(json.dumps(document, default=str)))
    return found


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None


def oracle(version: str, affected: dict[str, Any]) -> str:
    """Evaluate as the OSV schema says, `unknown` where packaging can't read what decides."""
    this = read(version)
    listed = affected.get("versions", [])
    if version and any(v == version or (this and read(v) == this) for v in listed):
        return "affected"
    ranges = [r for r in affected.get("ranges", []) if r["type"] == "ECOSYSTEM"]
    if not version or (not ranges and (this is None or not listed)):
        return "unknown"
    verdicts = {in_range(this, [next(iter(e.items())) for e in r["events"]]) for r in ranges}
    return min(verdicts, key=RANKS.index, default="unaffected")


def in_range(this: Version | None, events: list[tuple[str, str]]) -> str:
    if events == [("introduced", "0")]:
        return "affected"
    bounds = [Version("0.dev0") if e == ("introduced", "0") else read(e[1]) for e in events]
    if this is None or None in bounds:
        return "unknown"
    inside = False
    rows = [(b, kind) for b, (kind, _) in zip(bounds, events, strict=True) if b is not None]
    for bound, kind in sorted(rows, key=lambda row: row[0]):
        if kind == "introduced" and this >= bound:
            inside = True
        elif (kind == "fixed" and this >= bound) or (kind == "last_affected" and this > bound):
            inside = False
    return "affected" if inside else "unaffected"


def generated(by_name: dict[str, list[Any]], rng: random.Random) -> list[tuple[Component, str]]:
    names = sorted(by_name)
    components = []
    for number in range(COMPONENTS):
        name = rng.choice(names)
        affected = [a for _, a in by_name[name]]
        pool = {v for a in affected for v in a.get("versions", [])} | {"1.0"}
        for item in (r for a in affected for r in a.get("ranges", []) if r["type"] == "ECOSYSTEM"):
            pool |= {v for event in item["events"] for v in event.values()}
        version = rng.choice(sorted(pool)) + rng.choice(ENDINGS)
        if rng.random() < 0.02:
            version = rng.choice(["", "not a version", "2004d", "1.0.x"])
        spelt = "".join(rng.choice("-_.") if c == "-" else rng.choice([c, c.upper()]) for c in name)
        purl = f"pkg:pypi/{spelt}"
        components.append((Component(f"c{number}", version=version, purl=purl), name))
    return components


@pytest.mark.data
def test_agreement_on_every_pair(data_dir: Path) -> None:
    documents = records(data_dir / "pypa-advisories.tar.xz")
    by_name: dict[str, list[Any]] = {}
    for document in documents:
        for affected in document["affected"]:
            by_name.setdefault(plain(affected["package"]["name"]), []).append((document, affected))
    held = generated(by_name, random.Random(5))
    expected: dict[tuple[str, str], str] = {}
    for component, name in held:
        for document, affected in by_name[name]:
            if not document.get("withdrawn"):
                line = (component.id, document["id"])
                found = oracle(component.version, affected)
                expected[line] = min(expected.get(line, found), found, key=RANKS.index)
    expected = {line: verdict for line, verdict in expected.items() if verdict != "unaffected"}
    advisories = [osv_in.read(document, document["id"]) for document in documents]
    inventory = Inventory("i", tuple(component for component, _ in held))
    for source in (advisories, Index(build(advisories), "x")):
        lines = {(m.component, m.advisory): m.verdict for m in match([inventory], source)}
        assert lines == expected
