"""Industrial product names, read into family, model, generation, order numbers and variants.

Rules:
- Order numbers (6GK5204-2BC10-2CA2, 6ES7515-2AM01-0AB0) are taken out first; one makes a name
  that looks like a list one product.
- A version behind the name ("V4.7", "version 14", "3.1") is the product's generation.
- The model begins with the first designation, a word with a digit that is not the name of a
  series or of a technology; what stands before it is the family. A kind of unit before a number
  (CPU 1515-2, CP 343-1) belongs to the model. A designation in brackets is the model where there
  is no other.
- A bracket that lists models, and a version grown together with a word (v18SP1), are not read. A
  list whose initials stand in a bracket is one name.
- Words that say nothing (firmware, software, series, family at the end) are left out; brackets
  with the name's initials or "incl. SIPLUS variants" too; any other bracket is a variant.
- A name of several products, of a class of products, a sentence, or a word that names no product
  is not read: `reason` says which. Nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from vedette.matching.vendors import repair


class Unresolved(StrEnum):
    """Why a product's name was not resolved."""

    NO_VENDOR = "no-vendor"
    SEVERAL = "several"
    DESCRIPTION = "description"
    NOT_A_PRODUCT = "not-a-product"
    GENERATION_INSIDE = "generation-inside"


EXPLAINED = {
    Unresolved.NO_VENDOR: "no vendor is named",
    Unresolved.SEVERAL: "the name stands for several products",
    Unresolved.DESCRIPTION: "the name is a description",
    Unresolved.NOT_A_PRODUCT: "the name is no product's",
    Unresolved.GENERATION_INSIDE: "a number inside the name may be a version or a part of it",
}


@dataclass(frozen=True)
class Designation:
    """What a product's name says, each part in comparable words; `reason` is set when unread."""

    family: str = ""
    model: str = ""
    generation: str = ""
    orders: tuple[str, ...] = ()
    variant: str = ""
    reason: Unresolved | None = None

    @property
    def whole(self) -> str:
        """Family, model, generation and variant in one line; "" when unread."""
        parts = (self.family, self.model, self.generation, self.variant)
        return "" if self.reason else "|".join(parts)

    @property
    def loose(self) -> str:
        """Family and model without words for its class and without its series; "" without model."""
        model = _CLASS_WORDS.sub("", self.model)
        return f"{self.family}|{model}" if model and not self.reason else ""


_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile(r"(?i)™|®|\((?:r|tm)\)(?=\S)|(?<=\w)\((?:r|tm)\)")
_CATALOG = re.compile(
    r"\b([0-9]{4}-[A-Z]{1,4}[0-9]{1,3}[A-Z]{0,4})(?![0-9A-Z-])(?:/| SERIES )?((?<=[/ ])[A-Z]\b)?"
)
_SIEMENS_ORDER = re.compile(
    r"\b[0-9][A-Z]{2}[0-9] ?[0-9]{3}-[0-9][0-9A-Z]{4}(?:-[0-9A-Z]{4})?(?![0-9A-Z-])"
)
_BRACKET = re.compile(r"\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
# R32(EN)CPU, QJ71C24N(-R2): a part of the designation that may be there or not
_OPTIONAL = re.compile(r"\w-?\([^()]*\)\w|\w\(-|[0-9]\([A-Z]\)|\[\]")
_INCLUDED = re.compile(r"(?i)(?:incl\.?|including) (.*?)(?: variants?)?")
_PART_NUMBERS = re.compile(r"(?i)(?:part|article|order) (?:numbers?|n[oº°]\.?):? (.+)")
# (NXG-100B, NXG-200), (Models GT21, GT23): a bracket that lists models makes the name several
_MODELS = re.compile(r"(?i)models? .*[,/&]|.*\w\*")
_MODEL = re.compile(r"(?:including ?)?[A-Z][A-Z-]*[0-9]{2,}[A-Z0-9-]*")
_BRACKET_PARTS = re.compile(r"[,/&]|\s(?:and|or)\s")
_KITS = re.compile(r"(?i)^\S+ kits for [^:]*: ")
_GENERATION = re.compile(
    r"(?i)(?<=\S)\s+(?:(?:version|ver\.?|release) ?[0-9]+(?:\.[0-9x]+)*|v ?[0-9]+(?:\.[0-9x]+)*)\b"
)
_NUMBER_END = re.compile(r"(?<=\S)\s+([0-9]+(?:\.[0-9x]+)+|(?!2000)(?:19|20)[0-9]{2})\s*$")
_PROFINET = re.compile(r"(?i)\s(w\. ?(?:pn|profinet|profibus))\b")
_GENERIC_END = re.compile(
    r"(?i)[\s,]+(?:all )?(?:firmware|software|fw|sw|series|family|versions?|models?)$"
)
_DEVICES_END = re.compile(r"(?i)(?<=[0-9]) devices$")
_SERIES_INSIDE = re.compile(
    r"(?i)(?:\s+|(?<=[a-z0-9])-)series(?!\s+[a-z0-9]\b(?!\S))|\s+models?(?=\s)"
)
_SERIES = re.compile(
    r"(?i)\b(?:s7-(?:200|300|400|410|1200|1500)(?![\w-])|et ?200 ?[a-z]{0,3}\b(?!-)"
    r"|siprotec [45]\b|step 7\b|studio 5000\b|pcs 7\b|cloud connect 7\b|ipv[46]\b)"
)  # fmt: skip
_TECHNOLOGY = frozenset(
    {"2g", "3d", "3g", "4g", "5g", "61850", "802.11", "802.11n", "iec61850", "m2m", "p2p"}
)
_UNIT = re.compile(
    r"(?:cpu|cp|im|tim|tm|cm|cr|sm|tp|ktp|op|ipc|pc|itc|fm)", re.IGNORECASE
)  # fmt: skip
_BARE = re.compile(r"[0-9]+(?:\.[0-9]+)?T?")
_RATING = re.compile(r"(?i)[0-9]+x[ 0-9]*[0-9v].*|[0-9]+v(?:ac|dc)?|[+-][0-9]+/\+[0-9]+°c")
_PAIRS = frozenset(
    {
        "ac/dc",
        "c/s",
        "dp/dp",
        "ethernet/ip",
        "gsm/gprs",
        "hmi/scada",
        "i/o",
        "ip/ethernet",
        "pet/ct",
        "pn/dp",
    }
    | {"pn/pn", "tcp/ip", "udp/ip", "x/y", "pn/io", "dp/pn", "and/or", "n/a", "ct/mr", "b/m"}
    # names of one product
    | {"b/m9000", "b/m9000cs", "fast/tools", "nut/net", "webaccess/nms", "webaccess/scada"}
    | {"wise-paas/rmm"}
)
_JOINED = re.compile(
    r"(?i)\b(?:alarms and events|command and control|monitoring and control|search and rescue"
    r"|automation and control|lighting and power)\b"
)
_LISTED = re.compile(r"\s(?:and|or|&|AND|OR)\s|\s/|/\s|;|\"|\bto\s[0-9]|\b[A-Z](?: [A-Z])+$")
_SUFFIX = re.compile(r"[A-Z0-9-]*[0-9][A-Z0-9-]*/[A-Z]{1,4}[0-9]?(?:-[A-Z0-9]{1,4})?")
_COMMAS = re.compile(r",\s*(?:and\s)?|\s(?:and|&|/)\s")
_SLASHES = re.compile(r"(?:[A-Za-z-]+[0-9]{2,}\w*/)+[A-Za-z-]+[0-9]{2,}\w*")
_NUMBERS = re.compile(r"(.*?[A-Za-z -])([0-9]+(?:/[0-9]+)+)([A-Za-z]*)")
_PROSE = re.compile(
    r"(?:^(?:Running|Vulnerable|Any|All)\s|\s(?:with|using|used|running|reports?|sold|optional"
    r"|where|that|which|any|all|containing|contains|includes?|including|based|installed|connected"
    r"|controlling|device types?|devices|from|are|is|as|prior|later|earlier|before|those"
    r"|vulnerable|unintended|the)(?=[\s,.:]|$))"
)
_NOT_PRODUCTS = frozenset(
    {"all", "application", "cpu", "device", "firmware", "hardware", "hmi", "library", "multiple"}
    | {"n a", "operating system", "os", "plc", "product", "products", "runtime", "scada", "server"}
    | {"software", "special edition", "standard edition", "system", "unknown", "various"}
    | {"version", "versions", "workstation", "corporate edition", "global edition", ""}
)
_CLASS = re.compile(
    r"(?i)\b(?:products|printers|meters|switches|devices|modules|panels|controllers|cameras"
    r"|platforms|engines|analyzers|gateways|routers|sensors|drives|units|servers|instruments"
    r"|applications|processors|workplaces|workstations|scanners|pumps|recorders|dvrs|panel pcs)$"
)
_CLASS_WORDS = re.compile(
    r"(?: (?:controller|module|switch|device|relay|gateway|router|processor|drive|panel|engine"
    r"|camera|plc|unit|adapter)(?:s|es)?| series(?: [a-z])?)+$"
)
_VERSION_NAME = re.compile(r"(?i)(?:[vr]|version |release )?[0-9]+(?:\.[0-9x]+)*")
_FILE_NAME = re.compile(r"(?i)\S+_[a-z]?[0-9]+[a-z0-9]*(?:_\d+)?(?:\.\w+)?$")
# XPS-Cx is XPS-C8 and others; Ex is the mark of what may run among explosives
_PLACEHOLDER = re.compile(
    r"(?<![a-z])xx+|XX|\*|□|\b[xz]My\b|=|(?i:[0-9]x{1,2}\b)|-[A-DF-Z]x\b"
    r"|\b([A-Z]+)[0-9]{2,}-\1[0-9]{2,}\b"
)
_GLUED = re.compile(r"(?i)\bv[0-9]+(?:\.[0-9]+)*[a-z]+[0-9]+\b")


def words(text: str) -> str:
    """Return `text` in comparable words."""
    return " ".join(_WORD.findall(repair(text).casefold()))


@lru_cache(maxsize=1 << 16)
def order_numbers(text: str) -> tuple[str, ...]:
    """Return the order numbers (as 6GK5204-2BC10-2CA2) that stand in a product's name."""
    return tuple(found.replace(" ", "") for found in _SIEMENS_ORDER.findall(text.upper()))


@lru_cache(maxsize=1 << 16)
def catalog_numbers(text: str) -> tuple[tuple[str, str], ...]:
    """Return the catalog numbers (as 1756-EN2TR) in a name, each with its series, "" if unsaid."""
    return tuple((found[1], found[2] or "") for found in _CATALOG.finditer(text.upper()))


def numbered_family(model: str) -> str:
    """Return the hundred that a model's number is of, "x2" for both X-200 and X208, else ""."""
    found = re.match(r"([a-z]+) ?([0-9]+)[0-9]{2}(?![0-9])", model)
    return "".join(found.groups()) if found else ""


@lru_cache(maxsize=1 << 16)
def read(product: str) -> Designation:
    """Read a product's name; `reason` says why it was not resolved."""
    plain = " ".join(repair(product).split())
    plain = _MARKS.sub("", plain)
    orders = order_numbers(plain)
    bare, brackets = _BRACKET.sub("", plain), _BRACKET.findall(plain)
    bare, profinet = _taken(_PROFINET, _KITS.sub("", bare))
    bare, generation = _taken(_GENERATION, bare)
    bare = _GENERIC_END.sub("", _GENERIC_END.sub("", bare.strip(" ,-")))
    bare = _DEVICES_END.sub("", bare)
    if not generation:
        bare, generation = _taken(_NUMBER_END, bare)
    one = len(set(orders)) == 1 or any(_spelt(text, bare) for text in brackets)
    reason = _unread(bare, generation, one, bool(_OPTIONAL.search(plain)))
    if reason is None and len(set(orders)) != 1 and any(map(_lists_models, brackets)):
        reason = Unresolved.SEVERAL
    if reason is not None:
        return Designation(orders=orders, reason=reason)
    family, model = _split(_SERIES_INSIDE.sub("", bare))
    if re.search(r"(?:^|\s)[0-9]{1,2}(?:\.[0-9]+)*\s+\S*[A-Za-z]", f"{family} {model}".strip()[1:]):
        series = _SERIES.search(bare)
        if series is None and not _unit(model):
            return Designation(orders=orders, reason=Unresolved.GENERATION_INSIDE)
    variants = [profinet] if profinet else []
    for text in brackets:
        orders, model, generation, variant = _bracket(text, bare, orders, model, generation)
        variants += [variant] if variant else []
    if not family and not model:
        return Designation(orders=orders, reason=Unresolved.NOT_A_PRODUCT)
    return Designation(
        words(family),
        words(model),
        "".join(generation.lower().replace("version", "").replace("ver.", "").split()),
        tuple(dict.fromkeys(orders)),
        words(" ".join(variants)),
    )


@lru_cache(maxsize=1 << 14)
def several(product: str) -> tuple[str, ...]:
    """Return the names that a list like "X-100, X-200 and X-300" holds, () where it is none."""
    bare = _BRACKET.sub("", " ".join(repair(product).split()))
    if _PROSE.search(bare):
        return ()
    if numbers := _NUMBERS.fullmatch(bare):
        head, listed, tail = numbers.groups()
        return tuple(f"{head}{number}{tail}" for number in listed.split("/"))
    parts = [p.strip() for p in _COMMAS.split(bare) if p.strip()]
    if len(parts) == 1 and _SLASHES.fullmatch(parts[0].split(" ")[-1]):
        first, *rest = parts[0].split("/")
        parts = [first, *rest]
    family, _ = _split(parts[0]) if parts else ("", "")
    names = (
        p if n == 0 or " " in p or not family else f"{family} {p}" for n, p in enumerate(parts)
    )
    return tuple(names) if len(parts) > 1 else ()


def _taken(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """Return `text` without what `pattern` finds last, and that."""
    found = list(pattern.finditer(text))
    if not found:
        return text, ""
    last = found[0]
    return text[: last.start()] + " " + text[last.end() :].strip(), last[0].strip()


def _unread(bare: str, generation: str, one: bool, optional: bool) -> Unresolved | None:
    """Return why a name is not resolved; `one` order number makes a list of words one product."""
    if words(bare) in _NOT_PRODUCTS or _VERSION_NAME.fullmatch(bare.strip()):
        return Unresolved.NOT_A_PRODUCT
    if _FILE_NAME.fullmatch(bare):
        return Unresolved.NOT_A_PRODUCT
    if (
        _PROSE.search(bare)
        or re.search("[<>]", bare)
        or len(bare) > 100
        or bare.count("(") != bare.count(")")
    ):
        return Unresolved.DESCRIPTION
    if (not one and (_is_list(bare) or _PLACEHOLDER.search(bare))) or optional:
        return Unresolved.SEVERAL
    if _CLASS.search(bare) and not re.search(r"[0-9]{2}", bare):
        return Unresolved.SEVERAL
    if _GLUED.search(bare) or (generation and _GENERATION.search(" " + bare)):
        return Unresolved.GENERATION_INSIDE
    return None


def _lists_models(text: str) -> bool:
    if _PART_NUMBERS.fullmatch(text):
        return False
    parts = (part.strip() for part in _BRACKET_PARTS.split(text))
    return bool(_MODELS.match(text)) or sum(bool(_MODEL.fullmatch(p)) for p in parts) > 1


def _spelt(text: str, bare: str) -> bool:
    """Tell whether a bracket spells a list's initials: Settlement and Billing (SB) is one name."""
    initials = "".join(word[0] for word in _WORD.findall(bare) if word[0].isupper())
    return len(text) > 2 and text == initials


def _is_list(bare: str) -> bool:
    plain = _JOINED.sub("", bare)
    if _LISTED.search(plain):
        return True
    if any(not _RATING.fullmatch(p.strip()) for p in plain.split(",")[1:]):
        return True
    if len(_SUFFIX.findall(plain)) > 1:
        return True
    for token in plain.split():
        known = token.casefold() in _PAIRS or _RATING.fullmatch(token) or _SUFFIX.fullmatch(token)
        if "/" in token and not known:
            return True
    return False


def _split(bare: str) -> tuple[str, str]:
    """Return family and model of a name without brackets, generation and empty words."""
    series = _SERIES.search(bare)
    start = series.end() if series else 0
    head, tokens = bare[:start].strip(), bare[start:].split()
    for place, token in enumerate(tokens):
        if not place and _BARE.fullmatch(token) and any(map(_has_digit, tokens[1:])):
            continue
        if _has_digit(token) and token.casefold() not in _TECHNOLOGY:
            if place and token[0].isdigit() and _UNIT.fullmatch(tokens[place - 1]):
                place -= 1
            return " ".join([head, *tokens[:place]]).strip(), " ".join(tokens[place:])
    if series and [t.casefold() for t in tokens] == ["cpu"]:
        return head, ""
    return " ".join([head, *tokens]).strip(), ""


def _unit(model: str) -> bool:
    first = model.split(" ", 1)[0]
    return bool(_UNIT.fullmatch(first)) or len(re.findall("[0-9]", first)) > 2


def _bracket(
    text: str, bare: str, orders: tuple[str, ...], model: str, generation: str
) -> tuple[tuple[str, ...], str, str, str]:
    """Return orders, model and generation with what a bracket adds, and the variant it names."""
    rest = _SIEMENS_ORDER.sub("", text.upper()).strip(" ,/-")
    if not rest:
        return orders, model, generation, ""
    if found := _PART_NUMBERS.fullmatch(text):
        return (*orders, found[1].upper()), model, generation, ""
    if found := _INCLUDED.fullmatch(text):
        return orders, model, generation, "siplus" if "siplus" in text.casefold() else text
    if _initials(text, bare):
        return orders, model, generation, ""
    if not generation and (found := re.match(r"v?[0-9]+(?:\.[0-9x]+)+(?= )", text)):
        return orders, model, found[0], ""
    if not model and re.fullmatch(r"[A-Z][A-Z0-9-]*[0-9][A-Z0-9/-]*", text):
        return orders, text, generation, ""
    return orders, model, generation, text


def _initials(text: str, bare: str) -> bool:
    """Tell whether a bracket holds the initials of the name before it, as in (SRA)."""
    first, *others = text.split()
    if not re.fullmatch("[A-Z]{2,6}", first) or not set(others) <= set(bare.split()):
        return False
    initials = {w[0].casefold() for w in _WORD.findall(bare)}
    letters = iter(words(bare))
    short = first.casefold()
    if len(short) > 2 and set(short) <= initials:
        return True
    return short[0] in initials and all(letter in letters for letter in short)


def _has_digit(token: str) -> bool:
    return any(c.isdigit() for c in token)
