"""Debian versions (deb-version(7)), as byte keys.

Rules:
- epoch, then upstream version, then revision; a missing epoch is 0, a missing revision equals "0".
- Each part alternates non-digits and numbers; in the non-digits `~` sorts before the end, the end
  before letters, letters before everything else.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, too_long

_VERSION = re.compile(r"(?:([0-9]+):)?([0-9A-Za-z.+~:-]+?)(?:-([0-9A-Za-z.+~]+))?", re.ASCII)
_RUNS = re.compile(r"([^0-9]*)([0-9]*)")
_END = b"\x02"
_RANK = {ord("~"): 1} | {c: c if chr(c).isalpha() else c + 128 for c in range(33, 126)}


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no Debian version."""
    found = None if too_long(version) else _VERSION.fullmatch(version.strip())
    if found is None:
        return None
    epoch, upstream, revision = found.groups()
    if not upstream[0].isdigit():
        return None
    return number(epoch or "") + _part(upstream) + _part(revision or "0")


def _part(value: str) -> bytes:
    coded = []
    for other, digits in _RUNS.findall(value):
        if other or digits:
            coded.append(bytes(_RANK[ord(c)] for c in other) + _END + number(digits))
    return b"".join(coded) + _END
