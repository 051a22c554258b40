"""Python versions after PEP 440 (and its normalisation rules), as byte keys.

Order of one release: dev, pre (a, b, rc), final, post; a local label above its public version.
"""

from __future__ import annotations

import re

from vedette.matching.versions.encode import number, release, text, too_long

_SEP = r"[-_.]?"
_VERSION = re.compile(
    r"\s*v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)"
    rf"(?:{_SEP}(?P<pre>alpha|a|beta|b|preview|pre|c|rc){_SEP}(?P<pre_n>[0-9]*))?"
    rf"(?P<post>-(?P<post_bare>[0-9]+)|{_SEP}(?:post|rev|r){_SEP}(?P<post_n>[0-9]*))?"
    rf"(?P<dev>{_SEP}dev{_SEP}(?P<dev_n>[0-9]*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*",
    re.IGNORECASE | re.ASCII,
)
_FINAL = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)
_LOCAL_SEPARATOR = re.compile(r"[-_.]")
_PRE = {"a": b"\x01", "alpha": b"\x01", "b": b"\x02", "beta": b"\x02"}
_PRE_RC, _PRE_FINAL, _PRE_DEV_ONLY = b"\x03", b"\x05", b"\x00"


def key(version: str) -> bytes | None:
    """Return the sort key of `version`, None when it is no PEP 440 version."""
    if too_long(version):
        return None
    if _FINAL.fullmatch(version):  # most versions
        return b"\x01" + release(version.split(".")) + b"\x05\x00\x02\x00"
    found = _VERSION.fullmatch(version)
    if found is None:
        return None
    epoch, parts, pre, pre_n, post, post_bare, post_n, dev, dev_n, local = found.groups()
    numbers = release(parts.split("."))
    if pre is not None:
        stage = _PRE.get(pre.lower(), _PRE_RC) + number(pre_n)
    elif post is None and dev is not None:
        stage = _PRE_DEV_ONLY
    else:
        stage = _PRE_FINAL
    after = b"\x00" if post is None else b"\x01" + number(post_bare or post_n or "")
    before = b"\x02" if dev is None else b"\x01" + number(dev_n)
    return number(epoch or "") + numbers + stage + after + before + _local(local)


def _local(label: str | None) -> bytes:
    if label is None:
        return b"\x00"
    parts = _LOCAL_SEPARATOR.split(label.lower())
    coded = (b"\x02" + number(p) if p.isdigit() else b"\x01" + text(p) for p in parts)
    return b"\x01" + b"".join(coded) + b"\x00"
