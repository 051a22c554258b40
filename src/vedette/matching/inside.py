"""A version that stands inside a product's name, behind it: "Ignition 8.1", "Modicon M340 V3.1".

It is sure where it has a dot or stands behind "v", "version", "==" or "@"; a bare number may be the
version or part of the name. The numbers of standards (802.11) are no versions.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(
    r"""(?ix) (?P<name>.*?\S)
    (?: \s*(?P<sign>===?|==|@|:|=)\s* | \s+ )
    (?P<mark>(?:(?:firmware|software|fw|sw)\s+)?(?:version|ver\.?|v\.?\s*)?\s*)
    (?P<version>[0-9][\w.+~-]*(?:\s+(?:sp|update|upd|hotfix|hf|patch|build)\s*[0-9][\w.]*)*)"""
)
_STANDARD = re.compile(r"802\.[0-9].*", re.ASCII)
_LETTER = re.compile(r"[^\W\d_]")


class Inside(NamedTuple):
    """The name without its version, and the version; `sure` where it can't be part of the name."""

    name: str
    version: str
    sure: bool


def read(text: str) -> Inside:
    """Part a name from a version at its end; the version is "" where none stands there."""
    found = _VERSION.fullmatch(text)
    if found is None or not _LETTER.search(found["name"]):
        return Inside(text, "", sure=True)
    version, marked = found["version"], bool(found["sign"] or found["mark"].strip())
    sure = marked or ("." in version and not _STANDARD.fullmatch(version))
    return Inside(found["name"].rstrip(" :,"), version, sure)
