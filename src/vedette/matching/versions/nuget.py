"""NuGet versions, as byte keys: semantic versions with a fourth number and without case.

Rules:
- One to four numbers, missing ones are 0; build metadata does not count.
- A pre-release sorts below its release; labels that fit 32 bits compare as numbers and sort below
  all other labels, which compare without case.

Source: NuGet documentation, package versioning; NuGet.Versioning, VersionComparer.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, text, too_long

_VERSION = re.compile(
    r"v?([0-9]+(?:\.[0-9]+){0,3})"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_LARGEST = 2**31 - 1


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no NuGet version."""
    found = None if too_long(version) else _VERSION.fullmatch(version.strip())
    if found is None:
        return None
    parts = found[1].split(".")
    numbers = b"".join(number(part) for part in parts + ["0"] * (4 - len(parts)))
    if found[2] is None:
        return numbers + b"\xff"
    return numbers + b"\x01" + b"".join(map(_label, found[2].lower().split("."))) + b"\x00"


def _label(label: str) -> bytes:
    if label.isdigit() and int(label) <= _LARGEST:
        return b"\x01" + number(label)
    return b"\x02" + text(label)
