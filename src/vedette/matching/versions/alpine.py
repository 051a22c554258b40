"""Alpine versions (apk-tools, version.c), as byte keys.

Rules:
- Dotted numbers, at most one letter, `_suffix` with an optional number, `~commit`, `-r` revision.
- After the first, a number that begins with 0 compares as text and sorts below all others.
- Where one version ends, what the other goes on with decides: `_alpha`, `_beta`, `_pre` and `_rc`
  sort below the end, all else above it: revision, commit, suffix number, suffix, letter, number.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, text, too_long

_SUFFIX = r"_(alpha|beta|pre|rc|cvs|svn|git|hg|p)([0-9]*)"
_VERSION = re.compile(
    rf"([0-9]+)((?:\.[0-9]+)*)([a-z]?)((?:{_SUFFIX})*)(?:~([0-9a-f]+))?(?:-r([0-9]+))?", re.ASCII
)
_SUFFIXES = re.compile(_SUFFIX)
_RANK = {
    "alpha": b"\x01",
    "beta": b"\x02",
    "pre": b"\x03",
    "rc": b"\x04",
    "cvs": b"\x15",
    "svn": b"\x16",
    "git": b"\x17",
    "hg": b"\x18",
    "p": b"\x19",
}
_END, _REVISION, _COMMIT, _COUNT = b"\x10", b"\x11", b"\x12", b"\x13"
_LETTER, _ZERO_LED, _NUMBER = b"\x20", b"\x21", b"\x22"


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no Alpine version."""
    found = None if too_long(version) else _VERSION.fullmatch(version.strip())
    if found is None:
        return None
    first, rest, letter, suffixes = found.group(1, 2, 3, 4)
    commit, revision = found.group(7, 8)
    coded = [number(first)]
    coded += [
        _ZERO_LED + text(part) if part[0] == "0" else _NUMBER + number(part)
        for part in rest.split(".")[1:]
    ]
    if letter:
        coded.append(_LETTER + letter.encode("ascii"))
    for name, count in _SUFFIXES.findall(suffixes):
        coded.append(_RANK[name] + (_COUNT + number(count) if count else b""))
    if commit:
        coded.append(_COMMIT + text(commit))
    if revision:
        coded.append(_REVISION + number(revision))
    return b"".join(coded) + _END
