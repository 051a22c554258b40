"""Industrial firmware: versions as vendors write them, ordered only where the words say how.

Rules:
- Optional version words (V, R, rev, version, release, firmware, FW, F/W, SW, SV) stand in front.
- Dotted numbers come first, trailing zeros not counting, then at most one letter (none first).
- A second number behind `-`, `_` or a space (a build, a date of 8 digits) counts after those.
- Pre-release words (dev, alpha, beta, rc) sort below the bare version.
- Then levels with a number and at most one letter, the first of LEVELS the weightiest: release,
  service or feature pack, service release, maintenance pack, updates, hotfix, patch, build; a
  level not named is 0. Written in another order ("1p1r26", "SP1 beta") they are a track.
- Anything else with letters has a *track*: the letters in their places ("hw00" in
  1.000.HW00.21.20190812, "a" in A0.10, "date" in April 20, 2023). Versions of one track are
  ordered by their numbers; versions of two tracks are not comparable, so that each track is a
  scheme of its own: `firmware:hw00`. Hardware numbers are part of the track.
- A bare number of five digits or more may be a serial number, a build or a date: a track.
- A small x behind a number stands for any and has no order; a number of eight digits that can
  only be a date written MMDDYYYY has none either.
"""

from __future__ import annotations

import re
from itertools import pairwise

from vedette.matching.versions.encode import number, release, too_long

LEVELS: tuple[tuple[str, ...], ...] = (
    ("r",),
    ("sp", "servicepack"),
    ("fp", "featurepack"),
    ("s", "sr"),
    ("mp",),
    ("update", "upd", "up", "u", "cu", "ru", "qu", "uc"),
    ("hf", "hotfix", "hotfixrev"),
    ("patch", "p", "securitypatch"),
    ("build", "bld", "buildno", "buildnr"),
)
_LEVEL = {word: rank for rank, words in enumerate(LEVELS) for word in words}
_BUILD = _LEVEL["build"]
# Hotfixes, patches and builds may be counted over years; the third digit of any other is a code.
_COUNTED = _LEVEL["hf"]
_VERSION_WORDS = r"(?:(?:firmware|software|version|release|f/w|s/w|ver|rev|fw|sw|sv|v|r)[.: ]*)*"
_HEAD = re.compile(_VERSION_WORDS + r"([0-9]+(?:\.[0-9]+)*)(?:([a-z])(?![a-z0-9]))?", re.ASCII)
_SECOND = re.compile(
    r"(?:[-_]v?([0-9]+(?:\.[0-9]+)*)(?:([a-z])(?![a-z0-9]))?| ([0-9]{3,}))(?![0-9.]|[a-z])",
    re.ASCII,
)
_TAIL = re.compile(
    r"[ ._,-]*(?:(dev|alpha|beta|rc)[ ._-]*([0-9]*)(?![a-z0-9])"
    r"|(service ?pack|feature ?pack|security patch|hotfixrev|hot ?fix|build n[or]\.?|update|patch"
    r"|build|upd|bld|sp|fp|sr|mp|cu|ru|qu|uc|hf|up|r|s|u|p)"
    r"[ ._-]*([0-9]+)(?:([a-z])(?![a-z0-9]))?(?![0-9.])"
    r"|\((?:build (?:n[or]\.? )?)?([0-9]+)\))",
    re.ASCII,
)
_LETTER_INSIDE = re.compile("[0-9]{2}x[0-9]{2}")  # v01x37 is of v01c01's kind
_PLACEHOLDER = re.compile(r"[0-9.]x+(?![a-zA-Z0-9])")
_STAGES = {"dev": b"\x01", "alpha": b"\x02", "beta": b"\x03", "rc": b"\x04"}
_FINAL = b"\x05"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATES = (
    (re.compile(_MONTH + r"[ /.-]*([0-9]{1,2})[ ,/.-]+([0-9]{4})\.?"), (3, 1, 2)),
    (re.compile(r"([0-9]{1,2})[ .-]*" + _MONTH + r"[ ,.-]*([0-9]{4})"), (3, 2, 1)),
    (re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"), (1, 2, 3)),
    (re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.((?:19|20)[0-9]{2})"), (3, 2, 1)),
)
_AMERICAN = re.compile(r"(?<![0-9])(?:0[1-9]|1[0-2])[0-3][0-9](?:19|20)[0-9]{2}(?![0-9])")
_DATED = re.compile(r"(?<=[0-9])_((?:19|20)[0-9]{2})_(0[1-9]|1[0-2])_([0-3][0-9])$")
_TRACKED = re.compile(r"([a-z]+)|([0-9]+)|([ ._/()-]+)", re.ASCII)
_TWO_NAMES = re.compile(r"[a-z]{2}/[a-z]{2}|[a-z]{2}[ _][a-z]{2,} ?_?v[0-9]")  # CIR_CDC_v1
_BRACKET = re.compile(r"(?<=[0-9])\([0-9]+[a-z]?\)")
_MAX_WORDS, _MAX_LETTERS = 2, 10
# English words are a sentence, not a version.
_ENGLISH = """
    all and any are as bios boot by cpu cve date digits edition editions firmware first for fpga
    from gen gold if in including is later linux main model models no not number numbers of on
    only option or part prior production release serial series state than the to type until
    up version versions web while windows with without x xx
"""
_SENTENCE = frozenset(_ENGLISH.split())


def track(version: str) -> str | None:
    """Return the track of `version`, "" for plain versions, None when it can't be read."""
    found = read(version)
    return None if found is None else found[0]


def key(version: str) -> bytes | None:
    """Return the sort key of a plain version, None for any other."""
    return key_in("", version)


def key_in(name: str, version: str) -> bytes | None:
    """Return the sort key of `version` in the track `name`, None when it is in another."""
    found = read(version)
    return found[1] if found is not None and found[0] == name else None


def read(version: str) -> tuple[str, bytes] | None:
    """Return track and sort key of `version`, None when it can't be read without a guess."""
    if too_long(version):
        return None
    if _PLACEHOLDER.search(version):
        return None
    plain = " ".join(version.lower().split())
    if plain.startswith("(") and plain.endswith(")"):
        plain = plain[1:-1]
    plain = _DATED.sub(r"_\1\2\3", plain)
    if re.fullmatch("[0-9]{5,}", plain):
        return "count", number(plain)
    return _date(plain) or _plain(plain) or _tracked(plain)


def without_build(version: str) -> str | None:
    """Return `version` without its build or second number, None where it names none.

    Who states only the rest has not said which build it is.
    """
    plain = " ".join(version.split())
    lower = plain.lower()
    head = _HEAD.match(lower)
    if head is None or _plain(lower) is None:
        return None
    position = head.end()
    while position < len(lower):
        second, tail = _SECOND.match(lower, position), _TAIL.match(lower, position)
        found = second or tail
        if found is None:
            return None
        if second or found[6] is not None or _LEVEL.get(_word(found[3] or "")) == _BUILD:
            return plain[: found.start()] + plain[found.end() :]
        position = found.end()
    return None


def any_build(version: str) -> str | None:
    """Return a version not below any build of `version`, None where it names one or is no plain."""
    if track(version) != "" or without_build(version) is not None:
        return None
    last = f"{version} build {10**18 - 1}"
    return last if track(last) == "" else None


def _date(plain: str) -> tuple[str, bytes] | None:
    for pattern, order in _DATES:
        if found := pattern.fullmatch(plain):
            year, month, day = (found[n] for n in order)
            month = str(_MONTHS.index(month) + 1) if month in _MONTHS else month
            if 1 <= int(month) <= 12 and 1 <= int(day) <= 31:
                return "date", b"".join(map(number, (year, month, day)))
            return None
    return None


def _plain(plain: str) -> tuple[str, bytes] | None:
    head = _HEAD.match(plain)
    if head is None or _AMERICAN.search(plain):
        return None
    stage, levels, position = _FINAL, [b""] * len(LEVELS), head.end()
    second, last = b"", -1
    while position < len(plain):
        found = None if second else _SECOND.match(plain, position)
        if found is not None:
            second = release((found[1] or found[3]).split(".")) + _letter(found[2])
            position = found.end()
            continue
        tail = _TAIL.match(plain, position)
        if tail is None:
            return None
        pre, pre_number, word, count, letter, build = tail.groups()
        if pre is not None:
            if stage != _FINAL or last >= 0:
                return None
            stage = _STAGES[pre] + number(pre_number)
        else:
            level = _BUILD if word is None else _LEVEL[_word(word)]
            if level <= last or (level < _COUNTED and len(count) > 2):
                return None
            last = level
            levels[level] = number(count or build) + _letter(letter)
        position = tail.end()
    none = number("") + _letter(None)
    return "", (
        release(head[1].split("."))
        + _letter(head[2])
        + stage
        + b"".join(level or none for level in levels)
        + (second or release(["0"]) + _letter(None))
    )


def _tracked(plain: str) -> tuple[str, bytes] | None:
    if found := re.fullmatch("0x([0-9a-f]{2,16})", plain):
        return "hex", number(str(int(found[1], 16)))
    if re.fullmatch("[a-wyz]", plain):  # an x stands for any
        return "letter", plain.encode("ascii")
    if re.fullmatch("[a-wyz]{2}", plain) and plain not in _LEVEL and plain not in _SENTENCE:
        return "letters", plain.encode("ascii")
    plain = re.sub(r"^(?:firmware|version|release|ver|rev|fw|v)[. ]*(?=[0-9])", "", plain)
    if _TWO_NAMES.search(plain):
        return None
    tokens = list(_TRACKED.finditer(plain))
    if sum(len(t[0]) for t in tokens) != len(plain) or _AMERICAN.search(plain):
        return None
    if re.search("[()]", _BRACKET.sub("", plain)):
        return None
    if any(not _may_follow(before, after) for before, after in pairwise(tokens)):
        return None
    names: list[str] = []
    groups: list[list[str]] = [[]]
    for token in tokens:
        word, digits, _ = token.groups()
        if digits and names and names[-1] == "hw":
            names[-1] += digits.lstrip("0").zfill(2)
        elif digits:
            groups[-1].append(digits)
        elif word:
            names.append(word)
            groups.append([])
    if len(set(names)) < len(names):
        return None
    others = [n for n in names if n not in _LEVEL and n != "v"]
    if not names or len(names) > _MAX_WORDS + 1 or len(others) > _MAX_WORDS or not any(groups):
        return None
    if names[-1] in ("sp", "hf") and not groups[-1]:  # which one is not said
        return None
    spoken = frozenset() if _LETTER_INSIDE.fullmatch(plain) else _SENTENCE
    if any(n in spoken or len(n) > _MAX_LETTERS or n[:3] in _MONTHS for n in names):
        return None
    shape = "".join(
        ("#" if group else "") + name for group, name in zip(groups, [*names, ""], strict=True)
    )
    return shape, b"".join(release(group or ["0"]) for group in groups)


def _may_follow(before: re.Match[str], after: re.Match[str]) -> bool:
    """A word sticks to the digits before it only where it is a letter, a level or hardware."""
    word = after[1]
    return not (word and before[2]) or len(word) == 1 or word in _LEVEL or word == "hw"


def _word(word: str) -> str:
    return word.replace(" ", "").replace(".", "")


def _letter(letter: str | None) -> bytes:
    return b"\x00" if letter is None else letter.encode("ascii")
