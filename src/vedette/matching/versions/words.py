"""Version expressions as vendors write them, read into intervals or not at all.

Rules:
- "vers:all/..." and bare comparators: `>` or `>=` followed by `<` or `<=` is one interval; a lone
  upper bound may only come first, a lone lower bound only last; versions without comparator are
  points. Two upper bounds in a row are ambiguous and not read.
- Words become comparators: "prior to X", "before X" are `< X`; "X and below", "X and earlier",
  "through X" are `<= X`; "X and later" is `>= X`; "between X (including) and Y (excluding)" is
  `>= X | < Y`; "X - Y" is `>= X | <= Y` where blanks or a V on both sides say that it is a range.
- `1.2.x` and `1.2.*` hold every version that begins with 1.2; behind a comparator only `<=` and
  `>=` have one reading.
- An expression about something else than the product's own version ("with U-Boot < ...", "BIOS
  versions", serial numbers) is not read. "up to X" does not say whether X is meant: not read.
- A number that may as well be an order number, a year of make or a model is not read as a version.
- Every bound must have a key in one order, or the whole expression is not read.
- What is not read has a reason, see `Reason`; it is never a silent yes or no. Where the words are
  understood all the same, the reading says what they mean: versions under a condition, models
  (see `beside`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from vedette.matching import versions
from vedette.matching.ranges import EVERY, Interval, Range
from vedette.matching.versions import beside, firmware, spoken
from vedette.matching.versions import vers as specifiers

MAX_EXPRESSION = 2000


class Reason(StrEnum):
    """Why a version expression was not read."""

    NO_VERSION = "no-version"
    CONDITION = "condition"
    IDENTIFIER = "identifier"
    AMBIGUOUS = "ambiguous"
    FORMAT = "format"
    TOO_LONG = "too-long"


# What the whole expression says outweighs what one number in it looks like.
_OUTWEIGH = (Reason.NO_VERSION, Reason.CONDITION)
_UNSAID = (Reason.NO_VERSION, Reason.TOO_LONG)
EXPLAINED = {
    Reason.NO_VERSION: "they name no version",
    Reason.CONDITION: "they depend on something else than the product's version",
    Reason.IDENTIFIER: "they name a model, a part or serial numbers",
    Reason.AMBIGUOUS: "they have more than one reading",
    Reason.FORMAT: "a bound has no known order",
    Reason.TOO_LONG: f"they are longer than {MAX_EXPRESSION} characters",
}


@dataclass(frozen=True)
class Reading:
    """What an expression says: intervals in `scheme`, or the reason why they can't be decided.

    Args:
        scheme: name of the version order.
        intervals: the versions meant.
        reason: why a version alone decides nothing.
        within: with a reason, the versions that may be meant; all others are not.
        condition: in the expression's words, on what it depends whether those are meant.
        names: models, parts or order numbers that the expression names.
    """

    scheme: str
    intervals: tuple[Interval, ...] = ()
    reason: Reason | None = None
    within: tuple[Interval, ...] = ()
    condition: str = ""
    names: tuple[str, ...] = ()

    @property
    def understood(self) -> bool:
        """Whether nothing that the words say is left out."""
        return self.reason is None or bool(self.within or self.names)


_CONDITION = re.compile(
    r"(?i)\b(?:with|without|w/|using|installed|when|if|only|where|running|deployed|based on|bios"
    r"|u-?boot|function state|fs:|firmware v|option|edition|editions|default|distributed"
    r"|manufactured|shipped|date|including|excluding|does not|linux|windows|operating"
    r"|could be|except|formerly|replaced|not affected|nmc[0-9])\b|[0-9]\)$"
)
_IDENTIFIER = re.compile(
    r"(?i)\b(?:serial|part|model|mlfb|product id|udi|numbers? ending|digits)\b|[a-z0-9]+x{3,}"
)
_NO_VERSION = re.compile(r"(?i)\s*(?:no versions?|none|n/?a|unknown|unspecified|-+)?\s*")
_AMBIGUOUS = re.compile(
    r"(?i)\bup to\b|\bto\b|\buntil\b|[.0-9]x\b|[<>].*[<>]|\|.*[<>]|[<>].*\||[0-9] ?[-/] ?[0-9]|\("
)
_YEAR = re.compile(r"(?:19[89]|20[0-4])[0-9]")
_COMPACT_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]")
_BARE_NUMBER = re.compile(r"(?i)(?:r|rev\.? ?)?([0-9]+)[a-z]?")
_RELEASE = re.compile("R[0-9]{3}")
# 1.0a3, B.02, v01c01: letters inside, and a version all the same
_LETTERED = re.compile(r"0x|.*(?:[0-9]|^[A-Z])\.[0-9]|[vV][0-9]+[A-Za-z][0-9]+$")
_RESOLUTION = re.compile(r"(?i)[248]k")
# 20-33 and 2.0-3.1 may be ranges; R2 SP1 may be that of any year
_UNCLEAR = re.compile(r"(?i)[0-9]+ ?- ?[0-9]+|[0-9.]+ ?- ?[0-9]+\.[0-9.]+|r[0-9]{1,2}(?: sp.*)?")
_OF_A_YEAR = re.compile(r"(?i)r[0-9](?: sp.*)?")
# V3.X.14 says one number less than a version; SP1 and P018 do not say of which version
_UNSTATED = re.compile(
    r"(?i)(?:v|.*\.)?x\.[0-9].*|(?:sp|hf|hotfix|upd|update|patch|p)[- ]?[0-9]+(?: .*)?"
    r"|.* (?:sp|hf|fp)[a-z]"
)
_ZERO = re.compile(r"(?i)v?0+(?:\.0+)*")


def parse(
    expression: str,
    *,
    status: str = "affected",
    scheme: str = versions.GENERIC,
    condition: str = "",
) -> Range:
    """Read `expression`; the Range keeps the words and says in `problem` why it was not read.

    Versions that are affected under a condition make a range of the status unknown, all others
    are in none.

    Args:
        expression: the vendor's words.
        status: what the range states.
        scheme: the order where the words name none; FIRMWARE for industrial products.
        condition: on what the product's name says it depends.
    """
    found = read(expression, scheme, condition)
    if found.reason is None:
        return Range(found.scheme, found.intervals, expression, status)
    said = f"{condition} {expression}".strip()
    limited = found.condition and found.within not in ((), (EVERY,))
    if limited and status != "unaffected":
        return Range(found.scheme, found.within, said, "unknown")
    problem = (
        f"the advisory's words {said[:80]!r} can't be read as versions:"
        f" {EXPLAINED[found.reason]} ({found.reason})"
    )
    return Range(found.scheme, (), said, status, problem)


@lru_cache(maxsize=1 << 14)
def read(expression: str, scheme: str = versions.GENERIC, condition: str = "") -> Reading:
    """Read `expression` in `scheme`, or in the scheme that a vers string in it names.

    Args:
        expression: the vendor's words.
        scheme: the order where the words name none.
        condition: on what the product's name says it depends; at its end, "serial No." makes the
            expression's numbers serial ones.
    """
    found = _read(expression, scheme)
    if scheme == versions.FIRMWARE and found.reason not in (None, *_UNSAID):
        found = _understood(spoken.plain(expression), found)
    if not condition:
        return found
    serials = condition.casefold().endswith("serial no.")
    return replace(
        found,
        intervals=(),
        reason=found.reason or Reason.CONDITION,
        within=(EVERY,) if serials else found.intervals or found.within,
        condition=f"{condition} {spoken.plain(expression) if serials else found.condition}".strip(),
    )


def _understood(plain: str, found: Reading) -> Reading:
    """Add to a reading by what else its words say, see `beside`."""
    if named := beside.names(plain):
        models, rest = named
        within = _read(rest, versions.FIRMWARE).intervals if rest else ()
        return found if rest and not within else replace(found, names=models, within=within)
    if split := beside.condition(plain):
        inner = _read(split[0], versions.FIRMWARE)
        if inner.intervals:
            return replace(found, scheme=inner.scheme, within=inner.intervals, condition=split[1])
        if named := beside.names(split[0]):
            return replace(found, names=named[0], condition=split[1])
    return found


def _read(expression: str, scheme: str) -> Reading:
    if len(expression) > MAX_EXPRESSION:
        return Reading(scheme, reason=Reason.TOO_LONG)
    plain = spoken.plain(expression)
    vers = spoken.VERS.fullmatch(plain)
    if vers is not None:
        named, plain = vers[1].lower(), vers[2].strip()
        if named in versions.SCHEMES:
            scheme = named
            if (listed := specifiers.read(named, plain)) is not None:
                return Reading(scheme, listed)
    plain = spoken.bare(plain)
    if spoken.EVERY.fullmatch(plain):
        return Reading(scheme, (EVERY,))
    terms = spoken.terms(plain)
    if terms is None:
        return Reading(scheme, reason=_why(plain))
    points = [version for sign, version in terms if sign.startswith("=")]
    if scheme == versions.FIRMWARE:
        if (reason := _no_point(points)) is not None:
            stated = _why(plain)
            return Reading(scheme, reason=stated if stated in _OUTWEIGH else reason)
        if any(p.fullmatch(v) for _, v in terms for p in (_OF_A_YEAR, _UNSTATED)):
            return Reading(scheme, reason=Reason.AMBIGUOUS)
        scheme = _track([version for _, version in terms])
    intervals = _intervals(terms, scheme)
    if intervals and scheme.startswith(versions.FIRMWARE) and _redundant(intervals, scheme):
        return Reading(scheme, reason=Reason.AMBIGUOUS)
    return Reading(scheme, intervals) if intervals else Reading(scheme, reason=_why(plain))


def doubts(found: Range) -> Range | None:
    """Return what `found` leaves open although it was read, as a range of the status unknown.

    - Who runs "18.1" has not said which build: open against a bound "18.1 Build 2347"; and the
      advisory that says "18.1" has not: open against "18.1 Build 2347" of an inventory.
    - A single "V15" may mean the version or the whole line V15.x: the line's others are open.
    """
    if not found.scheme.startswith(versions.FIRMWARE) or found.problem:
        return None
    open_ones: dict[Interval, None] = {}
    for item in found.intervals:
        for bound in dict.fromkeys((item.low, item.high)):
            bare = None if bound is None else firmware.without_build(bound)
            if bare is not None:
                open_ones[Interval(bare, bare, high_open=False)] = None
        if item.high is not None and not item.high_open:
            last = firmware.any_build(item.high)
            if last is not None:
                builds = Interval(item.high, last, low_open=True, high_open=False)
                open_ones[builds] = None
        if item.low is not None and item.low == item.high and re.fullmatch("[vV]?[0-9]+", item.low):
            following = after(item.low)
            if following is not None:
                open_ones[Interval(item.low, following)] = None
    if not open_ones:
        return None
    return Range(found.scheme, tuple(open_ones), f"what {found.words} leaves open", "unknown")


def _no_point(points: list[str]) -> Reason | None:
    """Return why one of `points` is no version that could be meant, None when all may be."""
    for point in points:
        bare = _BARE_NUMBER.fullmatch(point)
        digits = max(re.findall("[0-9]+", point), key=len, default="")
        dated = _YEAR.fullmatch(digits) or _COMPACT_DATE.fullmatch(digits)
        if _ZERO.fullmatch(point):
            return Reason.NO_VERSION
        if _UNCLEAR.fullmatch(point):
            return Reason.AMBIGUOUS
        counted = len(digits) > 2 and not dated and not _RELEASE.fullmatch(point)
        if not digits or _RESOLUTION.fullmatch(point) or (bare and counted):
            return Reason.IDENTIFIER
        if re.match("[0-9]{3,}(?:[A-Za-z]|  ?[A-Za-z])", point) and not _YEAR.match(point):
            return Reason.IDENTIFIER
        if firmware.track(point) not in ("", "count", None) and not _LETTERED.match(point):
            return Reason.IDENTIFIER
    return None


def _track(bounds: list[str]) -> str:
    """Return the one firmware scheme of all bounds; plain where they differ or have none."""
    tracks = {firmware.track(spoken.WILD.sub(r"\1", bound)) for bound in bounds}
    only = tracks.pop() if len(tracks) == 1 else None
    return versions.FIRMWARE if not only else f"{versions.FIRMWARE}:{only}"


def _redundant(intervals: tuple[Interval, ...], scheme: str) -> bool:
    """A point that a range beside it holds already was meant as something else ("< 16 | 6").

    So was a bound from which all versions count, beside one up to which they do.
    """
    if any(one.low is None for one in intervals) and any(one.high is None for one in intervals):
        return len(intervals) > 1
    ranges = [Range(scheme, (item,)) for item in intervals if item.low != item.high]
    points = [item.low for item in intervals if item.low == item.high and item.low is not None]
    return any(item.find(point) for item in ranges for point in points)


def _why(plain: str) -> Reason:
    if _NO_VERSION.fullmatch(plain):
        return Reason.NO_VERSION
    if _IDENTIFIER.search(plain):
        return Reason.IDENTIFIER
    if _CONDITION.search(plain):
        return Reason.CONDITION
    if _AMBIGUOUS.search(plain):
        return Reason.AMBIGUOUS
    if not re.search(r"[<>]|[0-9]\.[0-9]", plain):
        return Reason.IDENTIFIER
    return Reason.FORMAT


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
    wild = (
        spoken.WILD.fullmatch(version) if scheme in (versions.GENERIC, versions.FIRMWARE) else None
    )
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
