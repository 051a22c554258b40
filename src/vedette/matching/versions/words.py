"""Version expressions as vendors write them, read into intervals or not at all.

Rules:
- "vers:all/..." and bare comparators: `>` or `>=` followed by `<` or `<=` is one interval; a lone
  upper bound may only come first, a lone lower bound only last; versions without comparator are
  points. Two upper bounds in a row are ambiguous and not read.
- Words become comparators: "prior to X", "before X" are `< X`; "X and below", "X and earlier",
  "through X" are `<= X`; "X and later" is `>= X`.
- `1.2.x` and `1.2.*` hold every version that begins with 1.2; behind a comparator only `<=` and
  `>=` have one reading.
- An expression about something else than the product's own version ("with U-Boot < ...", "BIOS
  versions", serial numbers) is not read. "up to X" does not say whether X is meant: not read.
- Every bound must have a key in the order, or the whole expression is not read.
"""

from __future__ import annotations

import re

from vedette.matching import versions
from vedette.matching.ranges import EVERY, Interval, Range

MAX_EXPRESSION = 2000

_VERS = re.compile(r"(?is)vers:([a-z0-9.-]+)/(.*)")
_ALL = re.compile(r"(?i)(?:\*|all/\*|all|any|all ((firm|soft)ware )?versions?|any versions?)")
_HEAD = re.compile(
    r"(?i)(?:(?:all|any) )?(?:(?:firm|soft)ware )?(?:versions?|releases?)[: ]+"
    r"(?=.*(?:[<>=]|[a-z]{4}))"
)
_BEFORE = r"(?:prior to|before|earlier than|older than|lower than|less than)"
_AFTER_DOWN = r"(?:below|prior|earlier|older|lower|previous)"
_AFTER_UP = r"(?:later|newer|above|higher|greater)"
_VERSION_WORD = r"(?:version |versions |v\. )?"
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"(?i)^(.+?),? (?:and|or)(?: all)? {_AFTER_DOWN}(?: versions?)?$"), r"<=\1"),
    (re.compile(rf"(?i)^(.+?),? (?:and|or)(?: all)? {_AFTER_UP}(?: versions?)?$"), r">=\1"),
    (re.compile(rf"(?i)^{_BEFORE} {_VERSION_WORD}(.+)$"), r"<\1"),
    (re.compile(rf"(?i)^(?:up to and including|through) {_VERSION_WORD}(.+)$"), r"<=\1"),
    (
        re.compile(rf"(?i)^(?:from )?{_VERSION_WORD}(\S+) through {_VERSION_WORD}(\S+)$"),
        r">=\1|<=\2",
    ),
)
_TERM = re.compile(r"(?i)(<=|>=|<|>|={1,2})?([^<>=|,&]+?)(?=$|[<>=|,&]| and [<>=])")
_JOINT = re.compile(r"(?i)(?: ?(?:[|,&]|and(?= ?[<>=])) ?| )")
_WILD = re.compile(r"(?i)(.*[0-9])(?:\.| )[x*](?:\.[x*])*")
_SIGNS = str.maketrans({"≤": "<=", "≥": ">=", "＜": "<", "＞": ">", "\u00a0": " ", "_": " "})


def parse(expression: str, *, status: str = "affected") -> Range:
    """Read `expression`; the Range keeps the words and says in `problem` why it was not read."""
    plain = " ".join(expression[:MAX_EXPRESSION].translate(_SIGNS).split())
    scheme = versions.GENERIC
    vers = _VERS.fullmatch(plain)
    if vers is not None:
        named, plain = vers[1].lower(), vers[2]
        scheme = named if named in versions.SCHEMES else scheme
    intervals = _read(plain, scheme)
    if intervals is None or len(expression) > MAX_EXPRESSION:
        return Range(
            scheme,
            words=expression,
            status=status,
            problem=f"the advisory's words {expression[:80]!r} can't be read as versions",
        )
    return Range(scheme, intervals, words=expression, status=status)


def _read(plain: str, scheme: str) -> tuple[Interval, ...] | None:
    plain = plain.strip()
    if _ALL.fullmatch(plain):
        return (EVERY,)
    plain = _HEAD.sub("", plain, count=1)
    for pattern, comparators in _WORDS:
        plain, replaced = pattern.subn(comparators, plain)
        if replaced:
            break
    terms = _terms(plain)
    return None if not terms else _intervals(terms, scheme)


def _terms(plain: str) -> list[tuple[str, str]] | None:
    terms: list[tuple[str, str]] = []
    position = 0
    while position < len(plain):
        joint = _JOINT.match(plain, position) if terms else None
        position = joint.end() if joint else position
        found = _TERM.match(plain, position)
        if found is None:
            return None
        terms.append((found[1] or "=", found[2].strip()))
        position = found.end()
    return terms


def _intervals(terms: list[tuple[str, str]], scheme: str) -> tuple[Interval, ...] | None:
    found: list[Interval] = []
    low: Interval | None = None
    for sign, version in terms:
        bound = _bound(sign, version, scheme)
        if bound is None:
            return None
        if sign.startswith(">"):
            if low is not None:
                return None
            low = bound
        elif sign.startswith("<"):
            if low is None and found:
                return None
            joined = bound if low is None else _join(low, bound, scheme)
            if joined is None:
                return None
            found.append(joined)
            low = None
        else:
            if low is not None:
                return None
            found.append(bound)
    if low is not None:
        found.append(low)
    return tuple(found)


def _join(low: Interval, high: Interval, scheme: str) -> Interval | None:
    assert low.low is not None
    assert high.high is not None
    bottom, top = versions.key(scheme, low.low), versions.key(scheme, high.high)
    if bottom is None or top is None or top < bottom:
        return None
    return Interval(low.low, high.high, low.low_open, high.high_open)


def _bound(sign: str, version: str, scheme: str) -> Interval | None:
    wild = _WILD.fullmatch(version) if scheme == versions.GENERIC else None
    if wild is not None:
        return _wild(sign, wild[1])
    if versions.key(scheme, version) is None:
        return None
    match sign:
        case "<" | "<=":
            return Interval(None, version, high_open=sign == "<")
        case ">" | ">=":
            return Interval(version, None, low_open=sign == ">")
    return Interval(version, version, high_open=False)


def _wild(sign: str, prefix: str) -> Interval | None:
    following = after(prefix)
    if following is None:
        return None
    match sign:
        case "<=":
            return Interval(None, following)
        case ">=":
            return Interval(prefix, None)
        case "=" | "==":
            return Interval(prefix, following)
    return None


def after(prefix: str) -> str | None:
    """Return the first version beyond all that begin with `prefix`, e.g. 1.3 after 1.2."""
    found = re.fullmatch(r"(?i)((?:v|r)?(?:[0-9]+\.)*)([0-9]{1,18})", prefix)
    return None if found is None else f"{found[1]}{int(found[2]) + 1}"
