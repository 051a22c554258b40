"""Semantic versions 2.0.0 (npm, crates, Go modules, Hex, Bitnami), as byte keys.

Rules:
- A leading `v`, `go` or `=` and missing minor or patch numbers (taken as 0) are tolerated.
- Build metadata (`+incompatible` among it) does not count; Pub alone sorts it above the bare
  version, its parts like those of a pre-release.
- A pre-release sorts below its release; numeric identifiers below alphanumeric ones. A Go
  pseudo-version is a pre-release made of a time and a commit.
- Go's own releases are written without the hyphen: go1.21rc2 is 1.21.0-rc.2.
- What is only called semantic, as in CVE records, may have more than three numbers.
- Bitnami's `-4` behind a version is the revision of the package, above the bare version.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, text, too_long

_VERSION = re.compile(
    r"\s*=?\s*(?:v|go)?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z.-]+))?\s*",
    re.ASCII,
)

_GO_PRE = re.compile(r"((?:go)?[0-9]+(?:\.[0-9]+)+)(rc|beta)([0-9]+)", re.ASCII)


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no semantic version."""
    found = None if too_long(version) else _VERSION.fullmatch(version)
    return None if found is None else _precedence(found)


def pub_key(version: str) -> bytes | None:
    """Return the sort key of a Pub version, whose build metadata counts."""
    found = None if too_long(version) else _VERSION.fullmatch(version)
    if found is None:
        return None
    return _precedence(found) + (b"\x00" if found[5] is None else b"\x01" + _parts(found[5]))


_MORE = re.compile(r"([0-9]+\.[0-9]+\.[0-9]+)((?:\.[0-9]+)+)", re.ASCII)


def loose_key(version: str) -> bytes | None:
    """Return the sort key of what is called semantic and may have more than three numbers."""
    found = None if too_long(version) else _MORE.fullmatch(version.strip().removeprefix("v"))
    if found is None:
        return key(version)
    three, more = key(found[1]), found[2].split(".")[1:]
    while more and not more[-1].strip("0"):
        more.pop()
    return three and three + b"".join(map(number, more))


def go_key(version: str) -> bytes | None:
    """Return the sort key of a Go module's version or of a release of Go itself."""
    found = key(version)
    pre = _GO_PRE.fullmatch(version) if found is None else None
    return found if pre is None else key(f"{pre[1]}-{pre[2]}.{pre[3]}")


def bitnami_key(version: str) -> bytes | None:
    """Return the sort key of a Bitnami version, whose number behind the hyphen is a revision."""
    bare, hyphen, revision = version.rpartition("-")
    if not hyphen or not (revision.isascii() and revision.isdigit()) or "+" in version:
        return key(version)
    found = key(bare)
    return found and found + number(revision) if revision.strip("0") else found


def _precedence(found: re.Match[str]) -> bytes:
    major, minor, patch, pre, _ = found.groups()
    numbers = number(major) + number(minor or "") + number(patch or "")
    return numbers + (b"\xff" if pre is None else b"\x01" + _parts(pre))


def _parts(dotted: str) -> bytes:
    coded = (
        b"\x01" + number(part) if part.isdigit() else b"\x02" + text(part)
        for part in dotted.split(".")
    )
    return b"".join(coded) + b"\x00"
