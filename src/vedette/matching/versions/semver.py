"""Semantic versions 2.0.0 (npm, crates, Go modules, Hex, Pub), as byte keys.

Rules:
- A leading `v`, `go` or `=` and missing minor or patch numbers (taken as 0) are tolerated.
- Build metadata (`+incompatible` among it) does not count.
- A pre-release sorts below its release; numeric identifiers below alphanumeric ones.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, text, too_long

_VERSION = re.compile(
    r"\s*=?\s*(?:v|go)?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?\s*",
    re.ASCII,
)


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no semantic version."""
    found = None if too_long(version) else _VERSION.fullmatch(version)
    if found is None:
        return None
    major, minor, patch, pre = found.groups()
    numbers = number(major) + number(minor or "") + number(patch or "")
    if pre is None:
        return numbers + b"\xff"
    coded = (
        b"\x01" + number(part) if part.isdigit() else b"\x02" + text(part)
        for part in pre.split(".")
    )
    return numbers + b"\x01" + b"".join(coded) + b"\x00"
