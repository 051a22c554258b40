"""Match a CycloneDX inventory against OSV records of PyPI with `univers` and `packageurl`.

`python univers_loop.py ADVISORIES INVENTORY OUT`: indexes the inventory's names first, parses each
version once, and makes ranges of the records of those names only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packageurl import PackageURL
from univers.version_constraint import InvalidConstraintsError, VersionConstraint
from univers.version_range import PypiVersionRange
from univers.versions import InvalidVersion, PypiVersion

SIGNS = {"introduced": ">=", "fixed": "<", "last_affected": "<="}


def name(text: str) -> str:
    return PackageURL("pypi", None, text).name.replace(".", "-")


def ranges(package: dict[str, Any]) -> Iterator[PypiVersionRange]:
    for stated in package.get("ranges", ()):
        if stated["type"] != "ECOSYSTEM":
            continue
        constraints = [
            VersionConstraint(SIGNS[kind], PypiVersion(bound))
            for event in stated["events"]
            for kind, bound in event.items()
            if kind in SIGNS and bound != "0" and PypiVersion.is_valid(bound)
        ]
        yield PypiVersionRange(constraints or [VersionConstraint("*", version_class=PypiVersion)])


def holds(version: PypiVersion, stated: PypiVersionRange) -> bool:
    try:
        return version in stated
    except InvalidConstraintsError:  # some of the records' ranges are no sequence that it takes
        return False


def main(advisories: Path, inventory: Path, out: Path) -> None:
    components: dict[str, list[tuple[str, str, PypiVersion | None]]] = {}
    for c in json.loads(inventory.read_bytes())["components"]:
        purl = PackageURL.from_string(c["purl"])
        if purl.type == "pypi":
            try:
                version = PypiVersion(purl.version)
            except InvalidVersion:
                version = None
            components.setdefault(name(purl.name), []).append((c["bom-ref"], purl.version, version))
    lines = set()
    for path in sorted(advisories.glob("*.json")):
        record = json.loads(path.read_bytes())
        if "withdrawn" in record:
            continue
        for package in record["affected"]:
            held = components.get(name(package["package"]["name"]), ())
            if not held or package["package"]["ecosystem"] != "PyPI":
                continue
            listed, stated = set(package.get("versions", ())), list(ranges(package))
            for ref, text, version in held:
                if text in listed or (version and any(holds(version, r) for r in stated)):
                    lines.add((ref, record["id"]))
    with out.open("w", encoding="utf-8") as file:
        for ref, identifier in sorted(lines):
            file.write(json.dumps({"component": ref, "advisory": identifier}) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
