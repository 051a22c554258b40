"""Numbers with dots (Hackage) or dots and hyphens (CRAN), compared one by one, as byte keys.

The shorter of two versions that begin alike sorts first: 1.0 < 1.0.0.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, too_long

_VERSION = re.compile(r"[0-9]+(?:[.-][0-9]+)*", re.ASCII)


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no dotted version."""
    plain = version.strip()
    if too_long(version) or not _VERSION.fullmatch(plain):
        return None
    return b"".join(number(part) for part in plain.replace("-", ".").split(".")) + b"\x00"
