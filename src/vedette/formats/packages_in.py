"""Lists of packages that say whose they are in every line: purls, `pip freeze`, `apk info`.

Taken: a purl a line; `pip freeze` and requirement files, of which only `==` states a version;
`pip list`; `apk info -v` and `-vv`, `apk list --installed`. Comments, options and what is installed
from an address are left aside and counted.
"""

from __future__ import annotations

import re
from itertools import islice
from urllib.parse import quote

from vedette.kernel.words import counted
from vedette.matching import names
from vedette.matching.model import Component, Inventory

MAX_PACKAGES = 1_000_000
MOST = 0.9
# so many lines tell whether it is worth to look at all
SAMPLE = 50

_REQUIREMENT = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*"
    r"(?:===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)|(?:[<>~!]=?[^;#]*)?)\s*(?:[;#].*|--hash.*|\\\\)?"
)
_OTHER = re.compile(r"\s*#.*|-.*|\s+--hash.*|[A-Za-z0-9._\[\],-]+ @ .*|WARNING: .*")
_RUN = re.compile(r"[-_.]+")
_PURL = re.compile(r"\s*(pkg:[^\s,;|]+)\s*", re.IGNORECASE)
_PIP_LIST = re.compile(r"Package +Version(?: .*)?")
_PIP_ROW = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*) +([0-9]\S*)(?: .*)?")
_APK = re.compile(
    r"([A-Za-z0-9][^\s]*?)-([0-9][^\s-]*-r[0-9]+)(?:\s+([a-z0-9_]+)\s+\{(\S+)\}.*|\s+-\s.*)?"
)


def read(lines: list[str], name: str) -> Inventory | None:
    """Read lines without blank ones among them, None where they are no such list."""
    if len(lines) > MAX_PACKAGES:
        return None
    named = (line for line in lines if not _OTHER.fullmatch(line))
    sample = list(islice(named, SAMPLE))
    reader = next((r for r in (_purls, _pip_list, _apk, _pip_freeze) if r(sample)[0]), None)
    if reader is None:
        return None
    components, note = reader([*sample, *named])
    if not components:
        return None
    aside = len(lines) - len(components)
    left = [f"{counted(aside, 'line')} left aside: no package with a name"] if aside else []
    return Inventory(name, tuple(components), (note, *left))


def _purls(lines: list[str]) -> tuple[list[Component], str]:
    found = [m[1] for line in lines if (m := _PURL.fullmatch(line))]
    if len(found) < len(lines):
        return [], ""
    read = [(purl, names.from_purl(purl)) for purl in found]
    unread = sum(package is None for _, package in read)
    components = [
        Component(purl, package.key if package else purl, purl=purl) for purl, package in read
    ]
    odd = f", {unread:,} of them unreadable" if unread else ""
    return components, f"read as a list of purls{odd}"


def _pip_freeze(lines: list[str]) -> tuple[list[Component], str]:
    found = [m for line in lines if (m := _REQUIREMENT.fullmatch(line.strip()))]
    if len(found) < MOST * len(lines) or 2 * sum(bool(m[2]) for m in found) < len(found):
        return [], ""
    return [_python(m[1], m[2] or "") for m in found], "read as Python packages"


def _pip_list(lines: list[str]) -> tuple[list[Component], str]:
    if not lines or not _PIP_LIST.fullmatch(lines[0]):
        return [], ""
    found = [m for line in lines[1:] if (m := _PIP_ROW.fullmatch(line))]
    return [_python(m[1], m[2]) for m in found], "read as Python packages"


def _python(name: str, version: str) -> Component:
    stated = f"@{quote(version, safe='!')}" if version else ""
    purl = f"pkg:pypi/{quote(_RUN.sub('-', name).lower())}{stated}"
    return Component(purl, name, version, purl, origin="listed")


def _apk(lines: list[str]) -> tuple[list[Component], str]:
    found = [m for line in lines if (m := _APK.fullmatch(line))]
    if len(found) < MOST * len(lines):
        return [], ""
    held = {m[1]: m[2] for m in found}
    system = "wolfi" if "wolfi-baselayout" in held else "alpine"
    base = held.get("alpine-release", held.get("alpine-base", "")) if system == "alpine" else ""
    release = ".".join(base.split("-")[0].split(".")[:2])
    distro = f"{system}-{release}" if release else ""
    components = []
    for m in found:
        stated = {"arch": m[3], "distro": distro, "upstream": m[4]}
        query = "&".join(f"{k}={quote(v, safe='.-_')}" for k, v in stated.items() if v)
        purl = f"pkg:apk/{system}/{quote(m[1], safe='+')}@{m[2]}{f'?{query}' if query else ''}"
        components.append(Component(purl, m[1], m[2], purl, origin="listed"))
    told = f"{system.capitalize()}{' ' + release if release else ', of no known release'}"
    return components, f"taken for {told}"
