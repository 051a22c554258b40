"""Words that compare versions, as vendors write them, put into signs and cut into terms."""

from __future__ import annotations

import re

VERS = re.compile(r"(?is)vers:([a-z0-9.-]+)/(.*)")
EVERY = re.compile(r"(?i)(?:\*|all/\*|all|any|all ((firm|soft)ware )?versions?|any versions?)")
_HEAD = re.compile(
    r"(?i)(?:(?:all|any) )?(?:(?:firm|soft)ware )?(?:versions?|releases?)[: ]+"
    r"(?=.*(?:[<>=]|[a-z]{4}|[0-9],| - ))"
)
_BEFORE = r"(?:prior to|before|earlier than|older than|lower than|less than)"
_AFTER_DOWN = r"(?:below|prior|earlier|older|lower|previous)"
_AFTER_UP = r"(?:later|newer|above|higher|greater)"
_VERSION_WORD = r"(?:version |versions |v\. )?"
_V = r"[vV][0-9][0-9.]*"
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"(?i)^(.+?),? (?:and|or)(?: all)? {_AFTER_DOWN}(?: versions?)?$"), r"<=\1"),
    (re.compile(rf"(?i)^(.+?),? (?:and|or)(?: all)? {_AFTER_UP}(?: versions?)?$"), r">=\1"),
    (re.compile(rf"(?i)^{_BEFORE} {_VERSION_WORD}(.+)$"), r"<\1"),
    (re.compile(r"(?i)^(>=?) ?(\S+) up to and including (\S+)$"), r"\1\2|<=\3"),
    (re.compile(rf"(?i)^(?:up to and including|through) {_VERSION_WORD}(.+)$"), r"<=\1"),
    (
        re.compile(rf"(?i)^(?:from )?{_VERSION_WORD}(\S+) through {_VERSION_WORD}(\S+)$"),
        r">=\1|<=\2",
    ),
    (
        re.compile(
            r"(?i)^(?:all versions )?(?:between )?([^|(]+?) \(including\) and"
            r" ([^|(]+?) \((ex|in)cluding\)$"
        ),
        r">=\1|\3\2",
    ),
    (re.compile(rf"^({_V}) ?- ?({_V})$"), r">=\1|<=\2"),
    (re.compile(r"^([0-9][0-9.]*) +- ?([0-9][0-9.]*)$"), r">=\1|<=\2"),
    (re.compile(r"^(([0-9]+\.)[0-9.]+)-(\2[0-9.]+)$"), r">=\1|<=\3"),
    (re.compile(r"^((?:19|20)[0-9]{2}) ?- ?((?:19|20)[0-9]{2})$"), r">=\1|<=\2"),
    (re.compile(r"(?i)^(?:version )?(\S+) \(aka (?:version )?([0-9]\S*)\)$"), r"\1|\2"),
)
_ENDS = {"|ex": "|<", "|in": "|<="}
_TERM = re.compile(r"(?i)(<=|>=|<|>|={1,2})?([^<>=|,&]+?)(?=$|[<>=|,&]| and [<>=v0-9])")
_JOINT = re.compile(r"(?i)(?: ?(?:[|,&](?: and)?|and(?= ?[<>=v0-9])) ?| )")
WILD = re.compile(r"(?i)(.*[0-9])(?:\.| )[x*](?:\.[x*])*")
# two numbers with points in a row are two versions
_IN_A_ROW = re.compile(
    r"(?i)(?<![<>=0-9a-z.])(v?[0-9]+(?:\.[0-9x]+)+) (?=v?[0-9]+(?:\.[0-9x]+)+(?: |$))"
)
_SIGNS = str.maketrans({"≤": "<=", "≥": ">=", "＜": "<", "＞": ">", "\u00a0": " "})
_SWAPPED = re.compile(r"=([<>])")
_UNDERSCORE = re.compile(r"_(?=[A-Za-z])|(?<=[A-Za-z])_")
# Brackets that say nothing about which versions are meant.
_ASIDE = re.compile(
    r"(?i) ?\((?:formerly [^()]*|end[- ]of[- ]life[^()]*|eol[^()]*|all editions|rev [a-z]"
    r"|these products are sold [^()]*)\)"
)


def plain(expression: str) -> str:
    """Return an expression with one spelling of blanks and signs."""
    return " ".join(_UNDERSCORE.sub(" ", expression.translate(_SIGNS)).split())


def bare(expression: str) -> str:
    """Return an expression without brackets that say nothing of versions and stray marks."""
    plain = _SWAPPED.sub(r"\1=", _ASIDE.sub("", expression)).rstrip(" ,.")
    return plain if re.search("[<>a-wyz]", plain) else _IN_A_ROW.sub(r"\1|", plain)


def terms(expression: str) -> list[tuple[str, str]] | None:
    """Return sign and version of each term, None when a part of the words is left."""
    signed = _signed(expression)
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(signed):
        joint = _JOINT.match(signed, position) if found else None
        position = joint.end() if joint else position
        term = _TERM.match(signed, position)
        if term is None:
            return None
        found.append((term[1] or "=", term[2].strip()))
        position = term.end()
    return found or None


def _signed(expression: str) -> str:
    expression = _HEAD.sub("", expression, count=1)
    for pattern, signs in _WORDS:
        expression, replaced = pattern.subn(signs, expression)
        if replaced:
            for word, sign in _ENDS.items():
                expression = expression.replace(word, sign)
            break
    return expression
