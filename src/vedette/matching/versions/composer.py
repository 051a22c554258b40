"""Composer (Packagist) versions, as byte keys: normalised, then PHP's `version_compare`.

Rules:
- A leading v and build metadata do not count; up to four numbers, missing ones are 0, or a date.
- dev < alpha < beta < RC < none = stable < further numbers < patch; a is alpha, b beta, p and pl
  patch; numbers behind a stability count, none sorts first; a `-dev` behind it sorts before it.
- A branch (`dev-main`, `1.x-dev`) is no version and has no place in the order.

Source: composer/semver, VersionParser; PHP manual, version_compare.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, too_long

_VERSION = re.compile(
    r"v?([0-9]{1,5}(?:\.[0-9]+){0,3}|[0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3}){0,2})"
    r"(?:[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?[0-9]+)*))?([.-]?dev)?)"
    r"(?:\+[^\s]*)?",
    re.ASCII | re.IGNORECASE,
)
_DOTTED = re.compile(r"[0-9]{1,5}(?:\.[0-9]+){0,3}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_DEV, _END, _NUMBER = b"\x01", b"\x05", b"\x06"
_STAGES = {
    "alpha": b"\x02",
    "a": b"\x02",
    "beta": b"\x03",
    "b": b"\x03",
    "rc": b"\x04",
    "patch": b"\x07",
    "pl": b"\x07",
    "p": b"\x07",
}


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no Composer version."""
    found = None if too_long(version) else _VERSION.fullmatch(version.strip())
    if found is None:
        return None
    release, stage, count, dev = found.groups()
    numbers = _DIGITS.findall(release)
    if _DOTTED.fullmatch(release):
        numbers += ["0"] * (4 - len(numbers))
    coded = [_NUMBER + number(part) for part in numbers]
    if stage and stage.lower() != "stable":
        coded.append(_STAGES[stage.lower()])
        coded += [_NUMBER + number(part) for part in _DIGITS.findall(count)]
    if dev and (stage or "").lower() != "stable":
        coded.append(_DEV)
    return b"".join(coded) + _END
