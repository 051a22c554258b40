"""Match a CycloneDX inventory against OSV records of PyPI with `packaging` alone.

`python packaging_loop.py ADVISORIES INVENTORY OUT`: indexes the inventory's names first, parses
each version once, and looks at the records of those names only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


def parse(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def inside(version: Version, events: list[dict[str, str]]) -> bool:
    """OSV's own rule: the last event at or before the version decides."""
    least = Version("0.dev0")
    steps: list[tuple[Version, int]] = []
    for event in events:
        for kind, bound in event.items():
            at = least if bound == "0" else parse(bound)
            if at is not None and kind in ("introduced", "fixed", "last_affected"):
                # at the same version an introduction comes first; last_affected ends after it
                steps.append((at, ("introduced", "fixed", "last_affected").index(kind)))
    affected = False
    for at, kind_ in sorted(steps):
        if at > version or (kind_ == 2 and at == version):
            break
        affected = kind_ == 0
    return affected


def affects(package: dict[str, Any], version: Version, text: str) -> bool:
    if text in package.get("versions", ()):
        return True
    ranges = (r for r in package.get("ranges", ()) if r["type"] == "ECOSYSTEM")
    return any(inside(version, r["events"]) for r in ranges)


def main(advisories: Path, inventory: Path, out: Path) -> None:
    components: dict[str, list[tuple[str, str, Version | None]]] = {}
    for c in json.loads(inventory.read_bytes())["components"]:
        if c["purl"].startswith("pkg:pypi/"):
            row = (c["bom-ref"], c["version"], parse(c["version"]))
            components.setdefault(canonicalize_name(c["name"]), []).append(row)
    lines = []
    for path in sorted(advisories.glob("*.json")):
        record = json.loads(path.read_bytes())
        if "withdrawn" in record:
            continue
        for package in record["affected"]:
            if package["package"]["ecosystem"] != "PyPI":
                continue
            for ref, text, version in components.get(
                canonicalize_name(package["package"]["name"]), ()
            ):
                if version is not None and affects(package, version, text):
                    lines.append((ref, record["id"]))
    with out.open("w", encoding="utf-8") as file:
        for ref, identifier in sorted(set(lines)):
            file.write(json.dumps({"component": ref, "advisory": identifier}) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
