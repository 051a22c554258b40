"""What version words say beside versions: the models that are meant, or a condition.

Rules:
- Words that are model, part or order numbers name those and no version: several characters with
  letters and digits of a kind that versions do not have, a number of seven digits that is no date,
  a series. "v9.x model 35700BAX3" and "2404267 version 1.x" name both.
- An order number may bear a condition of its own: "1SAP561100R0001 (revision index B1 with ...)".
- A condition follows the versions: in brackets, or begun by "only if", "when", "using", "running
  on" and the like. Behind an upper bound "with" may belong to the bound: no condition.
- Serial numbers, dates of make and versions of another part (BIOS, a management card) are a
  condition on every version.
- A condition that speaks of further versions is none, unless it says whose they are: the words
  stay unread.
"""

from __future__ import annotations

import re

_NUMBERS = re.compile(
    r"(?i)(?:udi|product id|model|part|article|order|reorder|ndc|/)[a-z/ ]* numbers? (?=[0-9A-Z])"
)
_VERSIONED = (
    re.compile(r"(?P<rest>\S+) model (?P<name>[0-9A-Z]{6,})"),
    re.compile(r"(?P<name>[0-9]{7}) version (?P<rest>[0-9]\S*)"),
)
_PART = re.compile(
    r"(?:[0-9]{6} [A-Z][A-Za-z].*"  # 882476 Gemini TF Big Bore
    r"|(?:Legacy )?[A-Z]{1,4}(?:-[0-9A-Z]+)?[- ][Ss]eries"
    r"|[A-Z]{2}-[A-Z]{2} [0-9]{3}|[0-9]{6}[A-Z]\.[0-9]{3}|[0-9]{3}[A-Z][0-9]{6}"
    r"|(?!(?:V|R|SR|SP|VS|BT|HD|REV|FP|HF|FW|SW|HW)[0-9]|[A-Z]+(?:19|20)[0-9]{2})"
    r"(?=[^0-9]*[0-9])(?=(?:[^0-9X]*[0-9X]){2})"
    r"(?:[A-Z]{2}|[A-Z][0-9](?=[A-Z-])|[A-Z](?=[0-9]{5})|[0-9]{4}-[A-Z]|[0-9][A-Z]{3}[0-9])"
    r"[0-9A-Z-]{3,}[0-9A-Z])"
)
_NUMBER = re.compile(r"[0-9]{7}|[0-9]{8,11}")
_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]|[01][0-9][0-3][0-9](?:19|20)..")
_BETWEEN = re.compile(r" ?(?:\||,) ?(?:and )?| and | / ")
_SOLD_IN = re.compile(r" \((?:global|U\.S\.)\)")

_WHOLE = re.compile(
    r"(?i).*\bserial numbers?\b.*|[<= ]*numbers ending .*|[<= ]*production date .*"
    r"|(?:distributed|based on|with|using) .*|(?:all )?bios (?:versions? )?[<=].*"
    r"|nmc[0-9] [<=].*|web firmware v?[0-9].*"
)
_BEGUN = (
    r"(?:with|without|using|if|only|when|where|that|running|for|on|excluding|including|except"
    r"|integrated|part of|these|cve-|microsoft|windows|linux)"
)
_BRACKETED = re.compile(
    rf"(?i)(?P<rest>.*[^ (]) ?\((?P<said>{_BEGUN}\b.*|[^()]*\b(?:only|editions?))\)"
)
# 1SAP520100R0001 | G1 with BSP <= UN31 1.76: an order number, and which revision of it
_REVISION = re.compile(
    r"(?P<rest>[0-9A-Z]{8,}) (?:\((?P<said>revision index .*)\)|\| (?P<index>[A-Z][0-9] with .*))"
)
_EDITION = re.compile(r"(?i)(?P<said>(?:[a-z]+ )+edition(?: for [a-z]+)?) (?P<rest>v?[0-9]\S*)")
_TRAILING = re.compile(
    r"(?i)(?P<rest>.+?),? (?:and (?=function state)|(?=(?:only|if|when|where|using|running"
    r"|installed|without|in (?:non-)?default|on windows|while)\b))(?P<said>.+)"
)
_QUALIFIED = re.compile(r"(?i)(?P<rest>[^<]+?) (?P<said>(?:with|including) .+)")
_FURTHER = re.compile(r"(?i)\b(?:also|may|possibly|later|aka|and v?[0-9]|versions? v?[0-9])")
# whose versions they are is said: with ScreenEditor Version 1.01.2
_OTHERS = re.compile(r"with [A-Z]\w+ [Vv]ersion \S+|\.NET .* only")
_EVERY = re.compile(r"(?i)(?:\*|(?:all )?versions|all deployments)?")


def names(words: str) -> tuple[tuple[str, ...], str] | None:
    """Return the models that `words` name and what they say of versions, None if they name none."""
    plain = _SOLD_IN.sub("", words.rstrip(" ,*").removesuffix(" and").rstrip(" ,"))
    for pattern in _VERSIONED:
        if found := pattern.fullmatch(plain):
            return (found["name"],), found["rest"]
    listed = _NUMBERS.sub("", plain, count=1)
    parts = [part for part in _BETWEEN.split(listed) if part]
    if listed != plain and all(map(_has_digit, parts)):
        return tuple(dict.fromkeys(parts)), ""
    numbers = all(_NUMBER.fullmatch(p) and not _DATE.fullmatch(p) for p in parts)
    if parts and (numbers or all(map(_PART.fullmatch, parts))):
        return tuple(dict.fromkeys(parts)), ""
    return None


def condition(words: str) -> tuple[str, str] | None:
    """Return the versions' part of `words` ("*" for every one) and the condition on them."""
    if _WHOLE.fullmatch(words):
        return "*", words
    if found := _REVISION.fullmatch(words):
        return found["rest"], found["said"] or found["index"]
    for pattern in (_BRACKETED, _EDITION, _TRAILING, _QUALIFIED):
        if found := pattern.fullmatch(words):
            rest, said = found["rest"], found["said"]
            if _EVERY.fullmatch(rest):
                return "*", said
            further = _FURTHER.search(said) and not _OTHERS.fullmatch(said)
            return None if further or said.count("(") != said.count(")") else (rest, said)
    return None


def _has_digit(text: str) -> bool:
    return any(c.isdigit() for c in text)
