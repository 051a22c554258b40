"""Names that stand for several products, written out as the names of each.

Rules:
- Parts between commas, "and", "&" or slashes are products where each has a number, or each begins
  with the same word; a part that is a number alone takes the words before the first one's.
- Numbers between slashes share what stands before and behind them: R04/08/16CPU. Numbers of very
  unlike length are no list.
- A part of the designation in brackets may be there or not: R04(EN)CPU is R04CPU and R04ENCPU;
  at its end it may also be a mark of the model's own.
- Letters that the name itself gives values for stand for each: FX5U-xMy/z x=32,64 y=T,R z=ES,DS.
- "X Series A and B" are the series of X; a bracket may list the models.
- A list that could be cut in two ways has no members.
"""

from __future__ import annotations

import re
from functools import lru_cache

from vedette.matching import nomenclature
from vedette.matching.cutting import BRACKET, has_digit, split
from vedette.matching.vendors import repair

_JOINTS = re.compile(r",\s*(?:and\s)?|\s(?:and|&|/)\s|/\s")
_SERIES = re.compile(r"(?i)(.*\bseries) ([A-Z](?:(?:, | and | & |, and |/)[A-Z])+)")
_NUMBERS = re.compile(
    r"([A-Za-z]{0,6}-?)([0-9]{1,5}(?:/[0-9]{1,5})+)([A-Z]{2,}\w*|-[A-Z]\S*|)(?![\w/])"
)
_LETTERED = re.compile(r"([A-Za-z]{0,6}-?)([0-9]{2,5}[A-Z](?:/[0-9]{2,5}[A-Z])+)(?![\w/])")
_MODELS = re.compile(r"[A-Za-z-]*[0-9]{2,}\w*(?:-[A-Z]+)?(?:/[A-Za-z-]+[0-9]{2,}\w*)+(?![\w/-])")
_CATALOG = re.compile(r"([0-9]{4}-[A-Z]+)/ ?([0-9]{4}-[A-Z]+)(?= |$)")
_ACRONYMS = re.compile(r"(?<= )[A-Z]{2,4}(?:/[A-Z]{2,4}){2,}(?= |$)")
_OPTION = re.compile(r"(?<=[\w*])(-?) ?\((-?[A-Z0-9]{1,3})\)(?=[A-Z ]|$)")
_ROW = re.compile(r"\b([A-Z]{2,}-?)[0-9]\S+(?: \1[0-9]\S+){2,}")
_COMMAS = re.compile(r",\s*(?:and\s)?|\s(?:and|&|/)\s")
_SLASHES = re.compile(r"(?:[A-Za-z-]+[0-9]{2,}\w*/)+[A-Za-z-]+[0-9]{2,}\w*")
_SHARED = re.compile(r"(.*?[A-Za-z -])([0-9]+(?:/[0-9]+)+)([A-Za-z]*)")
_FORMULA = re.compile(r"(.*?)(\S+)((?:,? [xyz]=[A-Z0-9]+(?:,[A-Z0-9]+)*)+)")
_VALUES = re.compile(r"([xyz])=(\S+?)(?=,? |$)")
_UNITS = frozenset({"kVA", "kW", "V", "W"})
_MODEL = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[\w./+-]+|[0-9]{3,5}")
_CLASS_END = re.compile(
    r"(?i) (?:controllers|pumps|relays|series|devices|modules|switches|engines|models|only)+$"
)
_MOST = 48


@lru_cache(maxsize=1 << 14)
def members(name: str, brackets: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of the products that `name` lists, () where it is no list or unclear.

    Args:
        name: the product's name, with brackets only inside designations.
        brackets: those beside it that list models.
    """
    if brackets:
        found = _bracketed(name, brackets)
    else:
        found = (
            _formula(name) or _series(name) or _optional(name) or _slashed(name) or _joined(name)
        )
    whole = tuple(dict.fromkeys(" ".join(one.split()) for one in found))
    return whole if 1 < len(whole) <= _MOST else ()


@lru_cache(maxsize=1 << 14)
def several(product: str) -> tuple[str, ...]:
    """Return the names that a list like "X-100, X-200 and X-300" may hold, () where it is none."""
    bare = BRACKET.sub("", " ".join(repair(product).split()))
    if nomenclature.PROSE.search(bare) or "=" in bare:
        return ()
    if numbers := _SHARED.fullmatch(bare):
        head, listed, tail = numbers.groups()
        return tuple(f"{head}{number}{tail}" for number in listed.split("/"))
    parts = [p.strip() for p in _COMMAS.split(bare) if p.strip()]
    if len(parts) == 1 and _SLASHES.fullmatch(parts[0].split(" ")[-1]):
        first, *rest = parts[0].split("/")
        parts = [first, *rest]
    family, _ = split(parts[0]) if parts else ("", "")
    names = (
        p if n == 0 or " " in p or not family else f"{family} {p}" for n, p in enumerate(parts)
    )
    return tuple(names) if len(parts) > 1 else ()


def _formula(name: str) -> list[str]:
    found = _FORMULA.fullmatch(name)
    values = _VALUES.findall(found[3]) if found else []
    if found is None or sorted(re.findall("[a-z]", found[2])) != [letter for letter, _ in values]:
        return []
    names = [found[1] + found[2]]
    for letter, each in values:
        head = len(found[1])
        names = [
            one[:head] + one[head:].replace(letter, value)
            for one in names
            for value in each.split(",")
        ]
    return names


def _series(name: str) -> list[str]:
    found = _SERIES.fullmatch(name)
    return [f"{found[1]} {one}" for one in re.findall(r"\b[A-Z]\b", found[2])] if found else []


def _bracketed(name: str, brackets: tuple[str, ...]) -> list[str]:
    if len(brackets) != 1 or "/" in name or _joined(name):
        return []
    listed = re.sub(r"(?i)^models? ", "", brackets[0])
    parts = [
        part.strip() for part in re.split(r"[,/&]| and |(?<=[0-9A-Z]) (?=[A-Z]\S*[0-9])", listed)
    ]
    sure = len(parts) > 1 and all(re.fullmatch(r"[A-Z][A-Z0-9-]*[0-9][A-Z0-9-]*", p) for p in parts)
    return [f"{name} {part}" for part in parts] if sure else []


def _optional(name: str) -> list[str]:
    found = _OPTION.findall(name)
    if len(found) != 1 or re.search(r"\([A-Z0-9]+\)$", name):
        return []
    both = [_OPTION.sub(r"\1", name), _OPTION.sub(r"\1\2", name)]
    if any(_NUMBERS.search(one) for one in both):
        return [each for one in both for each in _slashed(one)]
    return [] if "/" in name.split("(")[0].split(" ")[-1] else both


def _slashed(name: str) -> list[str]:
    tokens = [t for t in name.split() if "/" in t.strip("/,") and not nomenclature.pair(t)]
    if len(tokens) != 1 or _JOINTS.search(name.replace(tokens[0], "")):
        catalog = _CATALOG.search(name)
        return [name.replace(catalog[0], one) for one in catalog.groups()] if catalog else []
    token, others = tokens[0], [t for t in name.split() if t != tokens[0] and _MODEL.fullmatch(t)]
    for pattern in (_NUMBERS, _LETTERED):
        if found := pattern.fullmatch(token):
            tail = found[3] if pattern is _NUMBERS else ""
            numbers = found[2].split("/")
            digits = max(map(len, numbers)) - min(map(len, numbers))
            alike = found[1] and any(other.startswith(found[1]) for other in others)
            unlike = pattern is _NUMBERS and (
                digits > 1 or tail in _UNITS or (tail and not found[1])
            )
            if unlike or alike or not name.replace(token, found[1]).strip():
                return []
            return [name.replace(token, f"{found[1]}{n}{tail}") for n in numbers]
    if _MODELS.fullmatch(token) and not (
        "-" in token.split("/")[0] and "-" not in token.split("/")[1]
    ):
        return [name.replace(token, one) for one in token.split("/")]
    if catalog := _CATALOG.search(name):
        return [name.replace(catalog[0], one) for one in catalog.groups()]
    if _ACRONYMS.search(name):
        return [name.replace(token, one) for one in token.split("/")]
    return []


def _joined(name: str) -> list[str]:
    plain = nomenclature.JOINED.sub("", name)
    parts = [part.strip() for part in _JOINTS.split(name) if part.strip()]
    if len(parts) < 2:
        return _run(name)
    if plain != name or any(
        "/" in t and not nomenclature.pair(t) for p in parts for t in p.split()
    ):
        return []
    unclear = any(re.search(r"[0-9][A-Z]/[A-Z]$", part) for part in parts)
    if unclear or any(map(nomenclature.RATING.fullmatch, parts)):
        return []
    head, first = _headed(parts[0])
    if not first:
        words = [part.split()[0] for part in parts]
        same = len(set(words)) == 1 and all(len(part.split()) > 1 for part in parts)
        return parts if same and not any(map(has_digit, parts)) else []
    if " for " in f"{head} ":
        return []
    parts[-1] = _CLASS_END.sub("", parts[-1])
    names: list[str] = []
    for part in [first, *parts[1:]]:
        tokens = part.split()
        if all(_MODEL.fullmatch(token) for token in tokens):
            names += [f"{head} {token}".strip() for token in tokens]
        elif head and part.startswith(f"{head} ") and _MODEL.fullmatch(tokens[-1]):
            names.append(part)
        elif head.endswith(f" {tokens[0]}") and all(map(_MODEL.fullmatch, tokens[1:])):
            names.append(f"{head.removesuffix(tokens[0])}{part}")
        elif head and _MODEL.fullmatch(tokens[-1]) and len(tokens) == 2 and tokens[0][0].isupper():
            names.append(part)
        else:
            return []
    digits = [len(re.findall("[0-9]", name.rpartition(" ")[2])) for name in names]
    return names if max(digits) - min(digits) < 3 else []


def _run(name: str) -> list[str]:
    """Models that stand in a row, three at least of one kind: MRD-315 MRD-355 MRD-455."""
    first, _, rest = name.partition(" ")
    if rest.startswith(f"{first} ") and _MODEL.fullmatch(first):
        return [first, rest]
    found = _ROW.search(name)
    if found is None or any(map(_MODEL.fullmatch, name.replace(found[0], "").split())):
        return []
    return [name.replace(found[0], token) for token in found[0].split()]


def _headed(part: str) -> tuple[str, str]:
    """Cut a part where its models begin: "Nano X-100 X-200" into "Nano" and "X-100 X-200"."""
    tokens = part.split()
    place = len(tokens)
    while place and _MODEL.fullmatch(tokens[place - 1]):
        place -= 1
    return " ".join(tokens[:place]), " ".join(tokens[place:])
