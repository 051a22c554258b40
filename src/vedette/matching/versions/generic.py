"""Versions of products without a published order: firmware, CPE, "custom" in CVE records.

Only what can be read without a guess has a key:
- an optional v, r, rev, fw, ver, version, release, firmware in front;
- dotted numbers, trailing zeros not counting, then at most one letter (none sorts first);
- pre-release words (dev, alpha, beta, rc) sort below the bare version;
- then any of these with a number, each a level of its own, the first the weightiest:
  R (release), SP, S (service release), Update, HF, Patch, Build; a level not named is 0;
- a number in brackets at the end is the build.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, release, too_long

_HEAD = re.compile(
    r"(?:(?:version|ver|v|release|rev|r|firmware|fw)[. ]*)*"
    r"([0-9]+(?:\.[0-9]+)*)(?:([a-z])(?![a-z0-9]))?",
    re.ASCII,
)
_TAIL = re.compile(
    r"[ ._,-]*(?:(dev|alpha|beta|rc)[ ._-]*([0-9]*)(?![a-z0-9])"
    r"|(r|service ?pack|sp|sr|s|update|upd|up|u|hot ?fix|hf|patch|p|build|bld)"
    r"[ ._-]*([0-9]+)(?![0-9.])"
    r"|\(([0-9]+)\))",
    re.ASCII,
)
_STAGES = {"dev": b"\x01", "alpha": b"\x02", "beta": b"\x03", "rc": b"\x04"}
_FINAL = b"\x05"
_LEVELS = {
    "r": 0,
    "sp": 1,
    "servicepack": 1,
    "s": 2,
    "sr": 2,
    "update": 3,
    "upd": 3,
    "up": 3,
    "u": 3,
    "hf": 4,
    "hotfix": 4,
    "patch": 5,
    "p": 5,
    "build": 6,
    "bld": 6,
}
_BUILD = 6


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it can't be read without a guess."""
    if too_long(version):
        return None
    plain = " ".join(version.lower().split())
    head = _HEAD.match(plain)
    if head is None:
        return None
    numbers, letter = head.groups()
    stage, levels, position = _FINAL, [""] * 7, head.end()
    while position < len(plain):
        tail = _TAIL.match(plain, position)
        if tail is None:
            return None
        pre, pre_n, word, count, build = tail.groups()
        if pre is not None:
            if stage != _FINAL:
                return None
            stage = _STAGES[pre] + number(pre_n)
        else:
            level = _BUILD if word is None else _LEVELS[word.replace(" ", "")]
            if levels[level]:
                return None
            levels[level] = count or build
        position = tail.end()
    last = b"\x00" if letter is None else letter.encode("ascii")
    return release(numbers.split(".")) + last + stage + b"".join(number(n) for n in levels)
