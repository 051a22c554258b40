"""Check the locks in requirements/: pinned, hashed, consistent, naming no host.

Rules:
- every requirement is `name==version` with at least one sha256;
- no line is an option, a URL, a path or a direct reference;
- no lock pins PyTorch or a CUDA package;
- every lock is a subset of all.txt, to the byte, so that stages can be installed on top of
  each other;
- every requirement of pyproject.toml stands in the lock that answers for it;
- no other dependency file of the tree names a host.

Exit status 0, or 1 with one line for each breach.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[\w.!+-]+)(?P<marker> ; [^@]+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
HEAVY = re.compile(r"(torch.*|nvidia-.*|triton)")
HOST = re.compile(r"\w://|@\s|\b(index-url|find-links|trusted-host|registry\s*=)")
NAMES_HOST = re.compile(r'"resolved":|^\s*[\w@:/.-]*registry\s*=|index-url|find-links')
OTHER_FILES = ("package-lock.json", "npm-shrinkwrap.json", ".npmrc", "uv.lock", "pip.conf")
EXTRAS_OF = {
    "core": ([], []),
    "demo": (["stats", "server", "bench"], ["build"]),
    "test": (["stats", "server", "bench", "psi"], ["test"]),
    "lint": (["stats", "server", "bench", "psi"], ["lint"]),
    "all": (["stats", "server", "bench", "psi", "ray"], ["lint"]),
}


def main(root: Path = ROOT) -> int:
    """Print the breaches under a root; 0 when there is none."""
    breaches = [*lock_breaches(root), *declaration_breaches(root), *other_breaches(root)]
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


def read_lock(path: Path) -> list[str]:
    """The requirements of a lock, each with its continuation lines joined."""
    return [line.strip() for line in path.read_text().replace("\\\n", " ").splitlines()]


def lock_breaches(root: Path) -> Iterator[str]:
    """What the locks themselves break."""
    whole = set(read_lock(root / "requirements" / "all.txt"))
    for path in sorted((root / "requirements").iterdir()):
        if path.suffix != ".txt" or path.stem not in EXTRAS_OF:
            yield f"{path.name}: not a lock that scripts/lock writes"
            continue
        for line in read_lock(path):
            if line in whole and path.stem != "all":
                continue  # looked at there
            pin, *hashes = re.split(r"\s+(?=--hash=)", line)
            match = PIN.fullmatch(pin)
            if HOST.search(line) or match is None:
                yield f"{path.name}: not a plain pin: {pin[:80]}"
            elif not hashes or not all(HASH.fullmatch(part) for part in hashes):
                yield f"{path.name}: without sha256 hashes: {pin[:80]}"
            elif HEAVY.fullmatch(match["name"]):
                yield f"{path.name}: too heavy to be pulled in: {pin[:80]}"
            elif line not in whole:
                yield f"{path.name}: differs from all.txt: {pin[:80]}"


def declaration_breaches(root: Path) -> Iterator[str]:
    """What pyproject.toml declares and a lock lacks."""
    declared = tomllib.loads((root / "pyproject.toml").read_text())
    project, groups = declared["project"], declared["dependency-groups"]
    for lock, (extras, names) in EXTRAS_OF.items():
        path = root / "requirements" / f"{lock}.txt"
        if not path.exists():
            yield f"{path.name}: missing; scripts/lock writes it"
            continue
        pinned = {match["name"] for line in read_lock(path) if (match := PIN.match(line))}
        wanted = list(project["dependencies"])
        for extra in extras:
            wanted += project["optional-dependencies"][extra]
        for name in names:
            wanted += group_requirements(groups, name)
        for requirement in wanted:
            name = re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-").replace(".", "-")
            if name != project["name"] and name not in pinned:
                yield f"{path.name}: lacks {name}; scripts/lock writes it anew"


def group_requirements(groups: dict[str, list[str | dict[str, str]]], name: str) -> list[str]:
    """The requirements of a dependency group and of those it includes."""
    found: list[str] = []
    for entry in groups[name]:
        if isinstance(entry, str):
            found.append(entry)
        else:
            found += group_requirements(groups, entry["include-group"])
    return found


def other_breaches(root: Path) -> Iterator[str]:
    """Hosts in the dependency files of other tools."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - {".git", ".venv", "node_modules"})
        for path in (Path(folder, name) for name in OTHER_FILES if name in files):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if NAMES_HOST.search(line):
                    yield f"{path.relative_to(root)}:{number}: names a host"


if __name__ == "__main__":
    sys.exit(main())
