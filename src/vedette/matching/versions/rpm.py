"""RPM versions `[epoch:]version[-release]`, as byte keys.

Rules:
- Runs of letters and runs of digits are compared one by one; other characters only separate.
- Digits sort above letters, and what has more runs above what has fewer.
- `~` sorts before the end, `^` after the end but before anything else.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, text, too_long

_VERSION = re.compile(r"(?:([0-9]+):)?([^\s:-]+)(?:-([^\s:-]+))?", re.ASCII)
_RUNS = re.compile(r"[0-9]+|[A-Za-z]+|~|\^", re.ASCII)
_END = b"\x02"


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no RPM version."""
    found = None if too_long(version) else _VERSION.fullmatch(version.strip())
    if found is None:
        return None
    epoch, upstream, release = found.groups()
    if not any(c.isalnum() for c in upstream):
        return None
    return number(epoch or "") + _part(upstream) + _part(release or "")


def _part(value: str) -> bytes:
    return b"".join(_run(run) for run in _RUNS.findall(value)) + _END


def _run(run: str) -> bytes:
    if run == "~":
        return b"\x01"
    if run == "^":
        return b"\x03"
    return b"\x05" + number(run) if run[0].isdigit() else b"\x04" + text(run)
