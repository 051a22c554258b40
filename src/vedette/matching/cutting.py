"""A product's name cut into the parts that are known by their form.

Rules:
- Order numbers and brackets are taken out; a bracket inside a designation, R04(EN)CPU, is kept
  apart: with it the name is not one product's.
- Behind the bare name stand a version, its bound ("V7.2 and earlier"), a year with a release, a
  type or part number, sizes; a year before two more words is the generation too. What is said of
  serial numbers there, or begins with "with", "running", "using" and the like, is a condition.
- Words at the end that say nothing (firmware, software, series, family) are left out.
- The model begins with the first designation, a word with a digit that is not the name of a
  series or of a technology; what stands before it is the family. A kind of unit before a number
  (CPU 1515-2, CP 343-1) belongs to the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vedette.matching import orders
from vedette.matching.nomenclature import SERIES, TECHNOLOGY, UNIT
from vedette.matching.vendors import repair

WORD = re.compile(r"[^\W_]+")
_PLUS = re.compile(r"(?<=[\w+])\+(?!\w)")
_MARKS = re.compile(r"(?i)\((?:r|tm)\)(?=\S)|(?<=\w)\((?:r|tm)\)")
_QUOTED = re.compile(r"\"([A-Za-z][^\"]*)\"")
_SERIAL = re.compile(
    r"(?i),? ((?:with )?serial numbers? .*|the first [0-9] digits of serial no\.)$"
)
# CT50 running Android OS: the product, and on what it depends whether it is meant
_GIVEN = re.compile(
    r"(?<=\S),? ((?:containing|running|using|used with|as used in|(?:as )?part of|when|if|where"
    r"|(?:(?:enabled|equipped|integrated|packaged|redistributed|shipped) )?with"
    r"|installed in|controlling|manufactured) (?!firmware\b)\w.*)$"
)
_ALL = re.compile(r"^(?:All (?=[A-Z][a-z]+[A-Z])|Series )")
_TYPE = re.compile(r"(?i) type=(\S+)$| part no\. ([0-9][0-9-]*)$| cat\. (\S+)$")
_MLFB = re.compile(r"(?i),? mlfbs?: ([0-9][0-9A-Z]{2}[0-9][0-9A-Z.-]*?)[-,]*$")
_SIZES = re.compile(r" ([0-9]+\" ?(?:-|&|and) ?[0-9]+\")$")
BRACKET = re.compile(r"\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
# R32(EN)CPU, QJ71C24N(-R2): a part of the designation that may be there or not
_OPTIONAL = re.compile(
    r"\w-?\([^()]*\)\w|[\w*] ?\(-|\w\([A-Z]\)|[0-9]\([A-Z]{2}\)|\[\]| - \([A-Z]\) "
    r"|\([A-Z]{1,2}\) CPU\b|[0-9]\([A-Z](?:/[A-Z])+\)"
)
_ASIDE = re.compile(r"\s\((?!-)[^()]*(?:\([^()]*\)[^()]*)*\)(?! (?:CPU|BT)\b)")
_KITS = re.compile(r"(?i)^\S+ kits for [^:]*: ")
GENERATION = re.compile(
    r"(?i)(?<=\S)\s+(?:(?:version|ver\.?|release) ?|v ?)[0-9]+(?:\.[0-9x]+)*"
    r"(?: ?(?:sp|upd|update|hf) ?[0-9]+)*\b"
)
_BOUND = re.compile(
    r"(?i)(?<=\S)\s+(?:version )?(v?[0-9]+(?:\.[0-9]+)*(?: r[0-9])?)"
    r" (?:and|or) (?:(earlier|prior|below)|(?:newer|later))(?: versions)?$"
)
_NUMBER_END = re.compile(
    r"(?i)(?<=\S)\s+([0-9]+(?:\.[0-9x]+)+(?:u[0-9]+)?|[0-9](?:st|nd|rd|th) gen(?:eration)?"
    r"|(?!2000)(?:19|20)[0-9]{2}(?: ?(?:R|SP) ?[0-9])*)\s*$"
)
_YEAR_INSIDE = re.compile(
    r"(?<=\S)\s+((?:199[0-9]|20(?:0[1-9]|[12][0-9]))(?: ?R[0-9])?)(?= - | [A-Z]\w+ [A-Z])"
)
_PROFINET = re.compile(r"(?i)\s(w\. ?(?:pn|profinet|profibus))\b")
_GENERIC_END = re.compile(
    r"(?i)[\s,]+(?:all )?(?:firmware|software|fw|sw|series|(?:product )?family|versions?"
    r"|models?|with|order code)$"
)
_DEVICES_END = re.compile(r"(?i)(?<=[0-9]) devices$")
_BARE = re.compile(r"[0-9]+(?:\.[0-9]+)?T?")


@dataclass
class Name:
    """A name cut into what stands in brackets, what is known by its form, and the bare rest."""

    bare: str
    brackets: list[str]
    orders: tuple[str, ...]
    optional: str = ""  # the name with the brackets inside designations
    generation: str = ""
    condition: str = ""
    variants: list[str] = field(default_factory=list)
    series: bool = False
    bracket_last: bool = False
    said: str = ""  # all of it, but for trade marks and what says nothing in front
    aliases: list[str] = field(default_factory=list)  # brackets that repeat the name


def words(text: str) -> str:
    """Return `text` in comparable words; a plus at a word's end is one: X308-2LH+, S+."""
    return " ".join(WORD.findall(_PLUS.sub(" plus ", repair(text)).casefold()))


def cut(product: str) -> Name:
    plain = _QUOTED.sub(r"\1", _MARKS.sub("", " ".join(repair(product).split())))
    said = plain = _KITS.sub("", _ALL.sub("", plain))
    plain, of_maker = _end(_MLFB, plain)
    plain, condition = _end(_SERIAL, plain)
    if not condition:
        plain, condition = _given(plain)
    plain, typed = _end(_TYPE, plain)
    ordered = (*orders.order_numbers(plain), *filter(None, [of_maker, typed]))
    bare = orders.SIEMENS.sub("", BRACKET.sub("", plain))
    name = Name(bare, BRACKET.findall(plain), ordered, condition=condition, said=said)
    name.bracket_last = plain.endswith(")")
    if _OPTIONAL.search(plain):
        name.optional = _bare_end(_ASIDE.sub("", plain))
    bare, profinet = _taken(_PROFINET, name.bare)
    bare, sizes = _end(_SIZES, bare)
    name.variants += filter(None, (profinet, sizes))
    if bound := _BOUND.search(bare):
        bare = bare[: bound.start()]
        name.generation = ("<=" if bound[2] else ">=") + bound[1]
    else:
        bare, name.generation = _taken(GENERATION, bare)
    name.bare = _bare_end(bare)
    name.series = bool(re.search(r"(?i)\bseries$", bare))
    if not name.generation:
        name.bare, name.generation = _taken(_NUMBER_END, name.bare)
    if not name.generation:
        name.bare, name.generation = _taken(_YEAR_INSIDE, name.bare)
    return name


def split(bare: str) -> tuple[str, str]:
    """Return family and model of a name without brackets, generation and empty words."""
    series, start = None, 0
    for found in SERIES.finditer(bare):  # the last of several in a row: S7-1500 ET 200pro
        if series is None or not bare[start : found.start()].strip():
            series, start = found, found.end()
    head, tokens = bare[:start].strip(), bare[start:].lstrip(": ").split()
    for place, token in enumerate(tokens):
        if not place and _BARE.fullmatch(token) and any(map(has_digit, tokens[1:])):
            continue
        if has_digit(token) and not TECHNOLOGY.fullmatch(token):
            if place and (series or token[0].isdigit()) and UNIT.fullmatch(tokens[place - 1]):
                place -= 1
            return " ".join([head, *tokens[:place]]).strip(), " ".join(tokens[place:])
    if series and [t.casefold() for t in tokens] == ["cpu"]:
        return head, ""
    return " ".join([head, *tokens]).strip(), ""


def _given(text: str) -> tuple[str, str]:
    """Return `text` without the condition at its end, and that.

    One in brackets is none, nor is the end of a sentence: a server used to talk with robots.
    """
    bare, condition = _end(_GIVEN, text)
    said = bare.count("(") == bare.count(")") and not re.search(r"\s(?:a|an|used)\s", bare)
    return (bare, condition) if said else (text, "")


def _bare_end(text: str) -> str:
    return _DEVICES_END.sub("", _GENERIC_END.sub("", _GENERIC_END.sub("", text.strip(" ,-"))))


def _end(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """Return `text` without what `pattern` finds at its end, and what that says."""
    found = pattern.search(text)
    said = next(filter(None, found.groups()), "") if found else ""
    return (text[: found.start()], said) if found else (text, "")


def _taken(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """Return `text` without what `pattern` finds first, and that."""
    found = pattern.search(text)
    if found is None:
        return text, ""
    return text[: found.start()] + " " + text[found.end() :].strip(), found[0].strip()


def has_digit(token: str) -> bool:
    return any(c.isdigit() for c in token)
