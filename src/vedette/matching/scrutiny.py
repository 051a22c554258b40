"""Whether the reading of a product's name is the only one that its words allow.

Rules:
- Each word of the name is in one part of the reading, or says nothing (firmware, series, the
  name's own initials): a word that is left over may name something else.
- One designation is the model. A second may be another product or an order number, unless it is
  an option right behind the first (4TX, L3, PN/2), the number of a standard, or of one unit; an
  order or catalog number makes sure that one product is meant.
- The model begins where it does for sure: not at a unit that lacks its number (TM MFP), at a word
  torn in two (SIO- MB04ADS), at an operating system; a state (end of life), another part's release
  (hardware) or a second series (GOT1000 Series GT14) is no part of it.
- A condition that includes others names products that may be meant, too.
- What follows "for" and has a number is what the product is made for; "R2" may be a release, V90 a
  model, X400-550 a row of models; a word that stands there twice, or words that begin alike, are
  two names run together.
- A bracket is a variant where it holds no product of its own: not where it includes or excepts
  others, holds a placeholder, or a number that is neither a rating nor an option. A single word
  in it that can be spelt from the name's letters may be the name once more.
"""

from __future__ import annotations

import re
from collections import Counter

from vedette.matching import orders
from vedette.matching.cutting import Name, has_digit, words
from vedette.matching.nomenclature import CLASS, RATING, SERIES, TECHNOLOGY, UNIT, pair

_SAYS_NOTHING = """
    all and article below cat code cpu devices earlier family feature firmware fw incl including
    kits later level mlfb mlfbs model models n net newer no number numbers or order part prior
    product release series siplus software sw type ver version versions variant variants with
"""
_SILENT = frozenset(_SAYS_NOTHING.split())
_RELEASE = re.compile(r"R[0-9](?:\.[0-9]+)?")
_HIGH = re.compile(r"(?i)v ?[2-9][0-9]")
_TYPE = re.compile("[A-Z]{3}-[0-9]{4}")  # of a maker's own, as in PC10B Type=TCC-1021
_STANDARD = frozenset({"iec", "ieee", "en", "iso", "ul", "model", "dnp"})
# a state, a part's release, a radio's standard, a second series; 2000 is a year or a model
_NO_MODEL = re.compile(
    r"(?i)\b(?:end[- ]of[- ][a-z]+|eol|discontinued)\b|\bhardware$|\bhw [a-z0-9]|\bwi-?fi [0-9]"
    r"|[0-9]\S* series \S*[0-9]| 2000$"
)
_SYSTEM = re.compile(r"(?i)win(?:dows)?(?:[78]|1[01])\b")
_TORN = re.compile(r"[A-Z0-9]+ ?-")
_FOR_ONE = re.compile(r"\bfor\b.*[0-9]{2}")
_ALIKE = re.compile(r"(?:^|\s)([A-Z]{2,}[A-Z0-9])(\S*) \1(\S*)(?=\s|$)")
_SIPLUS = re.compile(r"(?i)(?:incl\.?|including) siplus(?: net)? variants?")
_NAMED_BEFORE = re.compile(r"(?i)(?:formerly|former name|previously|now) .*")
_OTHERS = re.compile(
    r"(?i)\b(?:incl\.?|includ\w+|except\w*|other than|related)(?=\s|$)|\*|\.\.|[0-9].* only\b"
)
_CODE = re.compile(r"(?=.*[0-9].*[0-9])[A-Z][A-Z0-9/-]*|(?=.*[0-9])[A-Z][A-Z0-9]{5,}")
_QUALIFIER = re.compile(
    r"(?i)[0-9]+m|cp[0-9]{3}|(?:19|20)[0-9]{2}|(?:[0-9.-]+v(?:[ad]c)?/?)+|802\.11\S*|\w+\.(?:dll|exe)"
)
_ORDERED = re.compile(r"(?i)\bmlfbs?\b[-: ]*|" + orders.SIEMENS.pattern)


def left_over(name: Name, parts: tuple[str, ...]) -> bool:
    """Whether the name has a word that is neither in one of `parts` nor says nothing."""
    said = orders.SIEMENS.sub(" ", name.said)
    for bracket in name.aliases:
        said = said.replace(f"({bracket})", " ")
    left = Counter(words(said).split()) - Counter(words(" ".join(parts)).split())
    return bool(set(left) - _SILENT)


def unclear_name(name: Name) -> bool:
    """Whether the bare name may hold two products, or one and its release."""
    bare = re.sub("(?<=[A-Z0-9])- (?=[A-Z0-9])", "-", name.bare)
    if _NO_MODEL.search(bare) or unclear_condition(name.condition):
        return True
    if _FOR_ONE.search(bare) or any(map(_RELEASE.fullmatch, bare.split()[1:])):
        return True
    alike = any(has_digit("".join(found)) for found in _ALIKE.findall(bare))
    if alike or any(map(_range, bare.split())) or _repeated(bare) or unclear_generation(name):
        return True
    if len(set(name.orders)) == 1 or len(set(orders.catalog_numbers(bare))) == 1:
        return False
    series = SERIES.search(bare)
    tokens = bare[series.end() if series else 0 :].split(",")[0].split()
    seen = 0
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else ""
        if not has_digit(token) or TECHNOLOGY.fullmatch(token) or pair(token):
            continue
        if before.casefold() in _STANDARD or (RATING.fullmatch(token) and seen):
            continue
        if seen and (_option(token) or _TYPE.fullmatch(token)):
            continue
        seen += 1
    return seen > 1


def unclear_cut(family: str, model: str) -> bool:
    """Whether the model may begin elsewhere: a unit without its number, a word torn in two."""
    unit = SERIES.search(family) and any(map(UNIT.fullmatch, family.split()))
    return bool((unit and not model) or _TORN.fullmatch(family) or _SYSTEM.match(model))


def unclear_condition(condition: str) -> bool:
    """Whether what a condition names may be products that are meant, too."""
    return bool(re.search(r"\bincluding\b|\) ?\w", condition))


def _repeated(bare: str) -> bool:
    """Whether a name's word stands in it twice: Alaris Gateway Workstation Alaris TIVA."""
    counted = Counter(token.strip(",;") for token in bare.split() if token[0].isupper())
    return any(n > 1 and len(token) > 1 for token, n in counted.items())


def _range(token: str) -> bool:
    """Whether a word may be the first and last of a row of models: MX400-550."""
    found = re.fullmatch("[A-Za-z]+([0-9]{3,})-[A-Za-z]*([0-9]{3,})", token)
    return found is not None and len(found[1]) == len(found[2]) and found[1] < found[2]


def unclear_generation(name: Name) -> bool:
    """Whether the number read as a version may be the model's: SINAMICS V90."""
    return bool(_HIGH.fullmatch(name.generation))


def unclear_bracket(text: str, name: Name, model: str) -> bool:
    """Whether a bracket may be something else than the variant, or the `model`, it is read as."""
    text = _ORDERED.sub("", text).strip(" ,/-")
    if _SIPLUS.fullmatch(text) or _NAMED_BEFORE.fullmatch(text):
        return False
    if _OTHERS.search(text):
        return True
    if model and (_CODE.fullmatch(text) or pair(text)):
        return _range(text)
    if text == model:
        return not CLASS.search(name.bare)  # which of a class: control panels (Q5)
    if len(text) == 1 or (" " not in text and _spelt(text, name.bare)):
        return True
    tokens = re.split(r"[ ,]+", text)
    return len(set(name.orders)) != 1 and any(
        has_digit(token)
        and not _option(token)
        and not _QUALIFIER.fullmatch(token)
        and not RATING.fullmatch(token)
        and not UNIT.fullmatch(before)
        and not TECHNOLOGY.fullmatch(token)
        for before, token in zip(["", *tokens], tokens, strict=False)
    )


def _option(token: str) -> bool:
    """Whether a word is too short to be a designation of its own, and no release: 4TX, L3, PN/2."""
    return len(token) < 8 and sum(map(str.isdigit, token)) < 3 and not _RELEASE.fullmatch(token)


def repeats(short: str, bare: str) -> bool:
    """Whether a word is made of what all words of the name but small ones begin with: PICiX."""
    rest = {short.casefold()[:20].replace("4", "" if " for " in bare else "4")}
    for word in bare.split():
        if not word[0].islower() or word[-1].isupper():
            begun = [word[: n + 1].casefold() for n in range(len(word))]
            rest = {r.removeprefix(b) for r in rest for b in begun if r.startswith(b)}
    return "" in rest and " " not in short


def _spelt(short: str, bare: str) -> bool:
    """Whether a short word's letters stand in the name in this order, the first at its start."""
    letters = [c for c in short.casefold() if c.isalpha()]
    plain = words(bare)
    follows = iter(plain)
    return 1 < len(letters) <= 6 and plain[:1] == letters[0] and all(c in follows for c in letters)
