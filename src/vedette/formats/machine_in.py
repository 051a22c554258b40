"""What runs on a machine: Debian's status file and Python's installed distributions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from vedette.kernel.errors import BadInput
from vedette.matching import names
from vedette.matching.model import Component

MAX_STATUS = 256 * 1024 * 1024
_PEP503 = re.compile(r"[-_.]+")
_SOURCE = re.compile(r"(\S+)(?: \((\S+)\))?")


def debian_packages(root: Path) -> Iterator[Component]:
    """Yield the packages installed under `root`; none where there is no dpkg."""
    status = root / "var/lib/dpkg/status"
    if not status.is_file():
        return
    if status.stat().st_size > MAX_STATUS:
        raise BadInput(
            f"{status}: larger than the {MAX_STATUS:,} bytes allowed",
            next_step="is --root the root of a machine?",
        )
    system, release = _os_release(root)
    for paragraph in status.read_text("utf-8", "replace").split("\n\n"):
        fields = fields_of(paragraph)
        if fields.get("Status", "").endswith(" installed") and "Version" in fields:
            yield debian_component(fields, system, release)


def fields_of(paragraph: str) -> dict[str, str]:
    """Return the fields of a paragraph of a Debian control file, each with its first line."""
    lines = (line for line in paragraph.splitlines() if line and not line[0].isspace())
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def debian_component(fields: dict[str, str], system: str, release: str) -> Component:
    """Return the package of a status paragraph, as one of a distribution's release ("" unknown)."""
    name, version = fields["Package"], fields["Version"]
    qualifiers = {"arch": fields.get("Architecture", "")}
    if release:
        qualifiers["distro"] = f"{system}-{release}"
    if found := _SOURCE.fullmatch(fields.get("Source", "")):
        qualifiers["upstream"] = found[1] + (f"@{found[2]}" if found[2] else "")
    query = "&".join(f"{k}={quote(v, safe='.:~-')}" for k, v in sorted(qualifiers.items()) if v)
    purl = f"pkg:deb/{system}/{quote(name)}@{quote(version, safe=':~')}?{query}"
    return Component(id=purl, name=name, version=version, purl=purl)


def _os_release(root: Path) -> tuple[str, str]:
    values: dict[str, str] = {}
    for name in ("etc/os-release", "usr/lib/os-release"):
        if (root / name).is_file():
            lines = (root / name).read_text("utf-8", "replace").splitlines()
            values = {k: v.strip("\"'") for k, _, v in (line.partition("=") for line in lines)}
            break
    return values.get("ID", "debian"), values.get("VERSION_ID", "")


def python_packages(folders: Iterable[Path]) -> Iterator[Component]:
    """Yield the distributions installed in site-packages `folders`."""
    from importlib.metadata import distributions  # slow to import

    for distribution in distributions(path=[str(folder) for folder in folders]):
        name, version = distribution.metadata["Name"], distribution.version
        if name and version:
            plain = _PEP503.sub("-", name).lower()
            purl = f"pkg:pypi/{quote(plain)}@{quote(version, safe='!')}"
            yield Component(id=purl, name=name, version=version, purl=purl)


def from_purl(purl: str) -> Component:
    """Return the component that a purl names. Raises BadInput."""
    package = names.from_purl(purl)
    if package is None or not package.version:
        raise BadInput(
            f"{purl[:100]!r} is no purl with a version", next_step="write pkg:pypi/ujson@5.1.0"
        )
    return Component(
        id=purl, name=package.key.rsplit("/", 1)[-1], version=package.version, purl=purl
    )
