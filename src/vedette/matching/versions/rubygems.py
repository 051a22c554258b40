"""RubyGems versions, as byte keys.

Rules:
- Runs of digits and runs of letters; a letter run makes a pre-release and sorts below a number.
- The shorter version is thought to go on with zeros for ever; zeros at the end, and zeros before
  the first letter run, do not count; `-` stands for `.pre.`.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, text, too_long

_VERSION = re.compile(r"[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?", re.ASCII)
_RUNS = re.compile(r"[0-9]+|[A-Za-z]+", re.ASCII)
_MAX_ZEROS = 200


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no RubyGems version."""
    version = version.strip()
    if too_long(version) or not _VERSION.fullmatch(version):
        return None
    coded, zeros, lettered = [], 0, False
    for run in _RUNS.findall(version.replace("-", ".pre.")):
        if run.isdigit():
            if not run.strip("0"):
                zeros += 1
                continue
            coded.append(b"\x03" + bytes((255 - zeros,)) + number(run))
        else:
            zeros = zeros if lettered else 0
            lettered = True
            coded.append(b"\x01" + bytes((zeros,)) + text(run))
        if zeros > _MAX_ZEROS:
            return None
        zeros = 0
    return b"".join(coded) + b"\x02"
