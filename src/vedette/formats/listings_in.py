"""Listings of installed packages as a package manager prints them, known by their content.

Taken: `/var/lib/dpkg/status`, `dpkg -l`, `dpkg-query -W` (name and version, then perhaps
architecture, source package and source version), `apt list --installed`; `rpm -qa` as it is, with
`--last`, without architectures, and with a `--queryformat` of name, epoch, version, release and
architecture in columns, `dnf list --installed`; and what `packages_in` knows.

A listing says nowhere which distribution it is of. It is told from the packages' own versions and
from the package that is the release; a note says what it was taken for. RPM's release tag `el9`
alone is taken for Red Hat's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from msgspec import structs

from vedette.formats import packages_in
from vedette.formats.interface import PARTS
from vedette.formats.machine_in import debian_component, fields_of
from vedette.kernel.errors import BadInput
from vedette.matching.model import Component, Inventory

_T = TypeVar("_T")
MAX_PACKAGES = 1_000_000
MOST = 0.9
SOURCES = (
    "${binary:Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\n"
)

_DPKG_LINE = re.compile(r"([a-zA-Z])([a-zA-Z])[ A-Z]\s+(\S+)\s+(\S+)\s+(\S+)(?:\s.*)?")
_DPKG_HEAD = re.compile(r"Desired=|\| Status=|\|/ |\|\|/ |\+\+\+-")
_DPKG_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?")
_ARCHES = (
    r"noarch|x86_64|aarch64|i[3-6]86|ppc64(?:le)?|ppc|s390x?|armv[5-8]h?n?l|riscv64|loongarch64|src"
)
_ARCH = re.compile(_ARCHES)
_RPM = re.compile(
    rf"(?:([0-9]+|\(none\)):)?([^\s:]+?)-(?:([0-9]+):)?([^-\s:]+)-([^-\s]+)\.({_ARCHES})(?:\s.*)?"
)
_NVR = re.compile(r"([^\s:]+?)-(?:([0-9]+):)?([^-\s:]+)-([^-\s]+)")
_DNF = re.compile(rf"(\S+)\.({_ARCHES})\s+(?:([0-9]+):)?([^-\s:]+)-([^-\s]+)\s+\S+")
_APT = re.compile(r"([a-z0-9][a-z0-9+.-]*)/\S+\s+(\S+)\s+([a-z0-9-]+)\s+\[.*\]")
_TITLE = re.compile(r"(?:Installed|Available) Packages|Listing\.\.\..*")
_KEY = re.compile(r"(?:[0-9(none)]+:)?gpg-pubkey[-\s|;,].*")
_COLUMNS = re.compile(r"[\s|;,]+")

_DEBIAN = re.compile(r"[+~]deb([0-9]+)u")
# a version that no other distribution writes so
_DEBIANS = re.compile(r"\s\S*[0-9](?:[+~]deb[0-9]+u|(?:build|ubuntu)[0-9])")
_UBUNTU = re.compile(r"(?:ubuntu[0-9.]*[.~+]|~)([0-9]{2}\.[0-9]{2})(?![0-9])")
_RPM_TAGS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"\.amzn([0-9]+)"), "amazon", "amzn-{}"),
    (re.compile(r"\.fc([0-9]+)"), "fedora", "fedora-{}"),
    (re.compile(r"\.el([0-9]+)"), "redhat", "rhel-{}"),
    (re.compile(r"\.oe([0-9]{2})([0-9]{2})"), "openeuler", "openEuler-{}"),
    (re.compile(r"\.mga([0-9]+)"), "mageia", "mageia-{}"),
    (re.compile(r"\.ph([0-9]+)"), "photon", "photon-{}"),
    (re.compile(r"\.azl([0-9]+)"), "azurelinux", "azurelinux-{}"),
    (re.compile(r"(?:^|\.)lp(15)([0-9])\."), "opensuse", "opensuse-leap-{}"),
    (re.compile(r"(?:^|\.)(15)0([0-9])00\."), "suse", "sles-{}"),
)
_RELEASES = {
    "almalinux-release": "almalinux",
    "centos-release": "centos",
    "centos-linux-release": "centos",
    "centos-stream-release": "centos",
    "oraclelinux-release": "oracle",
    "rocky-release": "rocky",
}


class _Rpm(NamedTuple):
    epoch: str
    name: str
    version: str
    release: str
    arch: str


def read(content: str, name: str) -> Inventory | None:
    """Read a listing, None where the text is none. Raises BadInput."""
    lines = [line.rstrip(" ") for line in content.splitlines() if line.strip()]
    if not lines:
        return None
    if len(lines) > 20 * MAX_PACKAGES:
        raise BadInput(f"{name}: more than {20 * MAX_PACKAGES:,} lines", next_step=PARTS)
    if lines[0].startswith("Package:") and any(line.startswith("Status:") for line in lines[:20]):
        return _status(content, name)
    lines = [line for line in lines if not _TITLE.fullmatch(line)]
    for reader in (_dpkg_list, _apt_list, _dpkg_query, _rpm, packages_in.read):
        found = reader(lines, name)
        if found is not None:
            return found
    return None


def _status(content: str, name: str) -> Inventory:
    rows = [fields_of(paragraph) for paragraph in re.split(r"\n[ \t]*\n", content)]
    known = [row for row in rows if "Package" in row]
    held = [r for r in known if r.get("Status", "").endswith(" installed") and r.get("Version")]
    return _debian(held, name, len(known) - len(held), sources=True)


def _dpkg_list(lines: list[str], name: str) -> Inventory | None:
    body = [line for line in lines if not _DPKG_HEAD.match(line)]
    found = [_DPKG_LINE.fullmatch(line) for line in body]
    taken = [m for m in found if m]
    if not taken or (len(body) == len(lines) and len(taken) < MOST * len(body)):
        return None
    rows = [
        {"Package": m[3].split(":")[0], "Version": m[4], "Architecture": m[5]}
        for m in taken
        if m[2] == "i"
    ]
    return _debian(rows, name, len(body) - len(rows), sources=False)


def _apt_list(lines: list[str], name: str) -> Inventory | None:
    if not _worth(_APT.fullmatch, lines):
        return None
    found = [m for line in lines if (m := _APT.fullmatch(line))]
    if len(found) < MOST * len(lines):
        return None
    rows = [{"Package": m[1], "Version": m[2], "Architecture": m[3]} for m in found]
    return _debian(rows, name, len(lines) - len(rows), sources=False)


def _dpkg_query(lines: list[str], name: str) -> Inventory | None:
    cells = [line.split("\t") for line in lines]
    if not any("\t" in line for line in lines) and any(map(_DEBIANS.search, lines)):
        cells = [line.split() for line in lines]  # a terminal's tabs are pasted as spaces
    held = [c for c in cells if len(c) > 1 and c[1]]
    shaped = [c for c in held if _DPKG_NAME.fullmatch(c[0]) and c[1][:1].isdigit()]
    if not shaped or len(shaped) < MOST * len(held) or any(len(c) < 2 for c in cells):
        return None
    rows = [_columns(c) for c in shaped]
    sources = all(row.get("Source") for row in rows)
    return _debian(rows, name, len(cells) - len(rows), sources=sources)


def _columns(cells: list[str]) -> dict[str, str]:
    package, _, arch = cells[0].partition(":")
    more = dict(zip(("Architecture", "Source", "Its version"), cells[2:5], strict=False))
    row = {"Package": package, "Version": cells[1], "Architecture": arch} | more
    if row.get("Source") and row.get("Its version"):
        row["Source"] = f"{row['Source']} ({row['Its version']})"
    return row


def _debian(rows: list[dict[str, str]], name: str, aside: int, *, sources: bool) -> Inventory:
    system, release = _debian_release(rows)
    components = tuple(
        structs.replace(debian_component(row, system, release), origin="listed")
        for row in _bounded(rows, name)
    )
    notes = [
        f"taken for {system.capitalize()}{' ' + release if release else ', of no known release'},"
        " told from the versions of its packages"
    ]
    if aside:
        notes.append(f"{aside:,} entries left aside: not installed, or no package")
    if not sources:
        notes.append(
            "the listing does not name source packages, by which Debian's and Ubuntu's advisories"
            f" go: better hand in /var/lib/dpkg/status, or dpkg-query -W -f='{SOURCES}'"
        )
    return Inventory(name, components, tuple(notes))


def _debian_release(rows: list[dict[str, str]]) -> tuple[str, str]:
    versions = [row["Version"] for row in rows]
    base = next((row["Version"] for row in rows if row["Package"] == "base-files"), "")
    if "ubuntu" in base or (not base and any("ubuntu" in version for version in versions)):
        return "ubuntu", _commonest(m[1] for v in versions if (m := _UBUNTU.search(v)))
    by_base = re.match(r"[0-9]+", base)
    by_updates = _commonest(m[1] for v in versions if (m := _DEBIAN.search(v)))
    return "debian", by_base[0] if by_base else by_updates


def _commonest(values: Iterable[str]) -> str:
    counts = Counter(values).most_common(1)
    return counts[0][0] if counts else ""


def _rpm(lines: list[str], name: str) -> Inventory | None:
    body = [line for line in lines if not _KEY.fullmatch(line)]
    shape: Callable[[str], _Rpm | None]
    for shape in filter(lambda shape: _worth(shape, body), (_nevra, _row, _dnf, _nvr)):
        rows = [row for row in map(shape, body) if row]
        if rows and len(rows) >= MOST * len(body):
            return _of_rpms(rows, name, len(lines) - len(rows))
    return None


def _worth(shape: Callable[[str], object], lines: list[str]) -> bool:
    """Whether the first lines are such that it is worth to look at all."""
    sample = lines[: packages_in.SAMPLE]
    return 2 * sum(map(bool, map(shape, sample))) > len(sample)


def _nevra(line: str) -> _Rpm | None:
    found = _RPM.fullmatch(line)
    if found is None:
        return None
    epoch = found[3] or (found[1] or "").replace("(none)", "")
    return _Rpm(epoch, found[2], found[4], found[5], found[6])


def _dnf(line: str) -> _Rpm | None:
    found = _DNF.fullmatch(line)
    return found and _Rpm(found[3] or "", found[1], found[4], found[5], found[2])


def _nvr(line: str) -> _Rpm | None:
    """Without an architecture: the release has to be a distribution's."""
    found = _NVR.fullmatch(line)
    if found is None or not any(pattern.search(found[4]) for pattern, _, _ in _RPM_TAGS):
        return None
    return _Rpm(found[2] or "", found[1], found[3], found[4], "")


def _row(line: str) -> _Rpm | None:
    cells = [cell for cell in _COLUMNS.split(line.strip()) if cell]
    arches = [cell for cell in cells if _ARCH.fullmatch(cell)]
    rest = [cell for cell in cells if cell not in arches]
    if len(arches) != 1 or not 2 <= len(rest) <= 4:
        return None
    package, *numbers = rest
    epoch = numbers.pop(0).replace("(none)", "") if len(numbers) == 3 else ""
    version, _, release = "-".join(numbers).partition("-")
    if ":" in version:
        epoch, _, version = version.partition(":")
    if not release or not (epoch or "0").isdigit() or not version[:1].isalnum():
        return None
    return _Rpm(epoch, package, version, release, arches[0])


def _of_rpms(rows: list[_Rpm], name: str, aside: int) -> Inventory:
    namespace, distro = _rpm_release(rows)
    components = tuple(_rpm_component(row, namespace, distro) for row in _bounded(rows, name))
    notes = [
        f"taken for {distro}, told from the releases of its packages"
        if distro
        else "no distribution can be told from the releases of its packages: nothing will match"
    ]
    if aside:
        notes.append(f"{aside:,} lines left aside: keys, or no package")
    return Inventory(name, components, tuple(notes))


def _rpm_release(rows: list[_Rpm]) -> tuple[str, str]:
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for pattern, namespace, distro in _RPM_TAGS:
            if found := pattern.search(row.release):
                counts[namespace, distro.format(".".join(found.groups()))] += 1
                break
    if not counts:
        return "", ""
    namespace, distro = counts.most_common(1)[0][0]
    named = next((_RELEASES[row.name] for row in rows if row.name in _RELEASES), "")
    if named and namespace == "redhat":
        return named, f"{named}-{distro.partition('-')[2]}"
    return namespace, distro


def _rpm_component(row: _Rpm, namespace: str, distro: str) -> Component:
    version = f"{row.version}-{row.release}"
    qualifiers = {"arch": row.arch, "distro": distro}
    if row.epoch not in ("", "0"):
        qualifiers["epoch"] = row.epoch
    query = "&".join(f"{k}={quote(v, safe='.-_')}" for k, v in sorted(qualifiers.items()) if v)
    path = "/".join(quote(part, safe="+") for part in (namespace, row.name) if part)
    purl = f"pkg:rpm/{path}@{quote(version, safe='~^+')}?{query}"
    whole = f"{row.epoch}:{version}" if row.epoch not in ("", "0") else version
    return Component(id=purl, name=row.name, version=whole, purl=purl, origin="listed")


def _bounded(rows: list[_T], name: str) -> Iterator[_T]:
    if len(rows) > MAX_PACKAGES:
        raise BadInput(f"{name}: more than {MAX_PACKAGES:,} packages", next_step=PARTS)
    yield from rows
