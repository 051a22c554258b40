"""Industrial product names, read into family, model, generation, order numbers and variants.

Rules:
- Order numbers (6GK5204-2BC10-2CA2, 6ES7515-2AM01-0AB0) are taken out first; one makes a name
  that looks like a list one product.
- A version behind the name ("V4.7", "version 14", "3.1") is the product's generation; so is a
  bound of it: "V7.2 and earlier" is `<=v7.2`.
- The model begins with the first designation, a word with a digit that is not the name of a
  series or of a technology; what stands before it is the family. A kind of unit before a number
  (CPU 1515-2, CP 343-1) belongs to the model. A designation in brackets is the model where there
  is no other.
- Words that say nothing (firmware, software, series, family at the end) are left out; brackets
  with the name's initials, or what these stand for, "incl. SIPLUS variants" and "All models", too;
  any other bracket is a variant.
- What is said of serial numbers behind the name is a condition, and so is "running Android OS".
- A name of several products, of a class of products, a sentence, a word that names no product, or
  words that any vendor uses (Web Server), is not one product: `reason` says which. `members` holds
  those of a list (see `listing`), a series named by a placeholder (EFD-22xx) with an x for each,
  and a class named by a word of its vendor's (SIMATIC HMI Comfort Panels). Nothing is guessed.
- A reading that is not the only one its words allow is none (see `scrutiny`); only what it says of
  conditions and versions is kept.
- A version grown together with a word (v18ab3) is not read, but for a service pack (v18SP1). A list
  whose initials stand in a bracket is one name; so is a class whose bracket says which of it: (Q5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from vedette.matching import listing, orders, scrutiny
from vedette.matching.cutting import GENERATION, WORD, Name, cut, split, words
from vedette.matching.nomenclature import (
    BRANDS,
    CLASS,
    CLASS_WORDS,
    JOINED,
    NO_NAME,
    PROSE,
    RATING,
    SERIES,
    SUFFIX,
    TECHNOLOGY,
    UNIT,
    owned,
    pair,
)


class Unresolved(StrEnum):
    """Why a product's name was not resolved."""

    NO_VENDOR = "no-vendor"
    SEVERAL = "several"
    DESCRIPTION = "description"
    NOT_A_PRODUCT = "not-a-product"
    GENERATION_INSIDE = "generation-inside"
    AMBIGUOUS = "ambiguous"
    LEFT_OVER = "left-over"


EXPLAINED = {
    Unresolved.NO_VENDOR: "no vendor is named",
    Unresolved.SEVERAL: "the name stands for several products",
    Unresolved.DESCRIPTION: "the name is a description",
    Unresolved.NOT_A_PRODUCT: "the name is no product's",
    Unresolved.GENERATION_INSIDE: "a number inside the name may be a version or a part of it",
    Unresolved.AMBIGUOUS: "the name can be read in more than one way",
    Unresolved.LEFT_OVER: "a word of the name is in none of its parts",
}


@dataclass(frozen=True)
class Designation:
    """What a product's name says, each part in comparable words.

    Args:
        family, model, generation, variant: "" where the name says nothing of it.
        orders: order numbers as written.
        condition: on what it depends whether the product is meant, in the name's words.
        reason: why the name is not one product's; family, model and variant are empty then.
        members: with a reason, the products that are meant where that is sure.
    """

    family: str = ""
    model: str = ""
    generation: str = ""
    orders: tuple[str, ...] = ()
    variant: str = ""
    reason: Unresolved | None = None
    members: tuple[Designation, ...] = ()
    condition: str = ""

    @property
    def whole(self) -> str:
        """Family, model, generation and variant in one line; "" when unread."""
        parts = (self.family, self.model, self.generation, self.variant)
        return "" if self.reason or not (self.family or self.model) else "|".join(parts)

    @property
    def loose(self) -> str:
        """Family and model without words for its class, blanks, its series and its brand.

        A class is in the singular.
        """
        model = squeezed(CLASS_WORDS.sub("", self.model))
        family = BRANDS.sub("", self.family if model else _singular(self.family))
        return f"{family}|{model}" if (family or model) and not self.reason else ""

    @property
    def code(self) -> str:
        """The model without its family where letters and digits make it telling, else ""."""
        model = squeezed(CLASS_WORDS.sub("", self.model))
        telling = len(model) > 3 and len(re.findall("[0-9]", model)) > 1 and _LETTER.search(model)
        return model if telling and not self.reason else ""


def _singular(family: str) -> str:
    return re.sub(r"(?:(?<=ch)es|(?<=[^s])s)$", "", family) if CLASS.search(family) else family


@lru_cache(maxsize=1 << 16)
def squeezed(text: str) -> str:
    """Return a model's words in one, but for a blank between two digits: X-208 is X208."""
    return re.sub(r"(?<![0-9]) | (?![0-9])", "", words(text))


_LETTER = re.compile("[a-z]")
_INCLUDED = re.compile(r"(?i)(?:incl\.?|including|includes) (.*?)(?: variants?)?")
_PART_NUMBERS = re.compile(r"(?i)(?:part|article|order) (?:numbers?|n[oº°]\.?):? (.+)")
# (NXG-100B, NXG-200), (Models GT21, GT23): a bracket that lists models makes the name several
_MODELS = re.compile(r"(?i)models? .*[,/&]|.*\w\*")
_MODEL = re.compile(r"(?:including ?)?[A-Z][A-Z-]*[0-9]{2,}[A-Z0-9-]*")
_BRACKET_PARTS = re.compile(r"[,/&]|\s(?:and|or)\s")
_SERIES_INSIDE = re.compile(r"(?i)\s+series(?!\s+[a-z0-9]\b(?!\S))|\s+models?(?: number)?(?=\s)")
_LETTERED = re.compile(r"(.*\S) [Mm]odel ([A-Z]{2,5})")
_LISTED = re.compile(
    r"\s(?:and|or|&|AND|OR)\s|\s/(?=\s)|/\s|;|\"|\bto\s[0-9]|\b[A-Z](?: [A-Z])+$"
    r"|\b[A-Z]{3,4}(?: [A-Z]{3,4}){2,}$"
    r"|\b([A-Z]{2,}-?)[0-9]{2,}\w* \1[0-9]{2,}\w* \1[0-9]|^(\S*[0-9]\S*) \2 "
)
_VERSION_NAME = re.compile(r"(?i)(?:[vr]|version |release )?[0-9]+(?:\.[0-9x]+)*")
_PART_OF_NAME = re.compile(r"windows pc|hardware version.*|[a-z]|(?:iec|ieee|iso) [0-9 ]+")
_FILE_NAME = re.compile(r"(?i)\S+_[a-z]?[0-9]+[a-z]?[0-9]*(?:_\d+)?(?:\.\w+)?$")
# XPS-Cx is XPS-C8 and others; Ex is the mark of what may run among explosives
_PLACEHOLDER = re.compile(
    r"(?<![a-z])xx+|XX|\*|□|\b[xz]My\b|=|(?i:[0-9]x{1,2}\b)|-[A-DF-Z]x\b"
    r"|\b([A-Z]+)[0-9]+-\1[0-9]{2,}\b"
)
_STANDS_FOR = str.maketrans("*□", "xx")
_PATTERN = re.compile(r"(?i)(?=\S*[a-z0-9]{2})\S*(?:xx+|[0-9]x{1,2}\b|-[a-z]x\b|\*|□)\S*")
_WHICH = re.compile("[A-Z][0-9]{1,2}")  # control panels (Q5): which of a class
_OPEN = re.compile(r"(?<=[0-9])[xX]{1,3}(?![a-z])|[xX]{2,}|\*|□|(?<=-[A-Z])x\b")
_GLUED = re.compile(r"(?i)\bv[0-9]+(?:\.[0-9]+)*[a-z]+[0-9]+\b")
_NUMBER_INSIDE = re.compile(r"(?<!LOGO!)\s[0-9]{1,2}(?:\.[0-9x]+)*\s+\S*[A-Za-z]")


def numbered_family(model: str) -> str:
    """Return the hundred that a model's number is of, "x2" for both X-200 and X208, else ""."""
    found = re.match(r"([a-z]+) ?([0-9]+)[0-9]{2}(?![0-9])", model)
    return "".join(found.groups()) if found else ""


@lru_cache(maxsize=1 << 16)
def opening(series: str) -> tuple[str, ...]:
    """Return what the models of a series named by a placeholder begin with, EFD-22xx: "efd22"."""
    found = _OPEN.search(series) if _PATTERN.search(series) else None
    if found is None:
        return ()
    whole = series[: found.start()]
    begun = (squeezed(whole), squeezed(whole.rpartition(" ")[2]))
    return tuple(dict.fromkeys(b for b in begun if telling(b)))


@lru_cache(maxsize=1 << 16)
def openings(model: str) -> tuple[str, ...]:
    """Return all that `opening` may say of a series that `model` belongs to."""
    plain = squeezed(model)
    return tuple(filter(telling, (plain[:n] for n in range(3, min(13, len(plain))))))


def telling(begun: str) -> bool:
    """Whether what a model begins with says enough to be compared."""
    digits = len(re.findall("[0-9]", begun))
    return digits > 4 if not _LETTER.search(begun) else len(begun) > (2 if digits else 3)


@lru_cache(maxsize=1 << 16)
def read(product: str) -> Designation:
    """Read a product's name; `reason` says why it is not one product's."""
    name = cut(product)
    reason = _unread(name)
    if reason is None:
        return _parts(name)
    members = _members(name) if reason is Unresolved.SEVERAL else ()
    return Designation(orders=name.orders, reason=reason, members=members, condition=name.condition)


def _parts(name: Name) -> Designation:
    family, model = split(_SERIES_INSIDE.sub("", name.bare))
    if not model and (lettered := _LETTERED.fullmatch(name.bare)):
        family, model = lettered.groups()
    inside = _NUMBER_INSIDE.search(f" {family} {model}".rstrip()[1:])
    if inside and not SERIES.search(name.bare) and not _unit(model):
        return _without_parts(name, Unresolved.GENERATION_INSIDE)
    ordered, generation, variants = name.orders, name.generation, [*name.variants]
    unclear = scrutiny.unclear_name(name) or scrutiny.unclear_cut(family, model)
    for text in name.brackets:
        before = ordered, model, generation
        ordered, model, generation, variant = _bracket(text, name.bare, *before)
        variants += [variant] if variant else []
        if variant or before[1] != model:
            unclear = unclear or scrutiny.unclear_bracket(text, name, model)
        elif before == (ordered, model, generation):
            name.aliases.append(text)
    if not family and not model and not ordered:
        return Designation(reason=Unresolved.NOT_A_PRODUCT)
    if unclear:
        return _without_parts(name, Unresolved.AMBIGUOUS)
    said = (family, model, name.generation, generation, *variants, name.condition, *ordered)
    if scrutiny.left_over(name, said):
        return _without_parts(name, Unresolved.LEFT_OVER)
    return Designation(
        words(family),
        words(model),
        _compared(generation),
        tuple(dict.fromkeys(ordered)),
        words(" ".join(variants)),
        condition=name.condition,
    )


def _without_parts(name: Name, reason: Unresolved) -> Designation:
    """What is sure of a name that is not read all the same."""
    generation = "" if scrutiny.unclear_generation(name) else _compared(name.generation)
    return Designation("", "", generation, name.orders, "", reason, condition=name.condition)


def _compared(generation: str) -> str:
    return "".join(generation.lower().replace("version", "").replace("ver.", "").split())


def _members(name: Name) -> tuple[Designation, ...]:
    """Return the products of a list, a series by its placeholder, or a class by its name."""
    models = tuple(filter(_lists_models, name.brackets))
    listed = listing.members(name.optional or name.bare, models) if len(name.bare) < 150 else ()
    if listed:
        beside = [
            text
            for text in name.brackets
            if text not in models
            and f"({text})" not in name.optional
            and not _initials(text, name.bare)
        ]
        shared = _parts(replace(name, bare="x", brackets=beside, said=""))
        if shared.reason or shared.model or (beside and not name.bracket_last):
            return ()
        found = [read(one) for one in listed]
        if any(one.reason for one in found):
            return ()
        return tuple(
            replace(
                one,
                generation=one.generation or shared.generation,
                variant=" ".join(filter(None, (one.variant, shared.variant))),
                condition=name.condition,
            )
            for one in found
        )
    if name.optional or models or _is_list(name.bare):
        return ()
    if _PLACEHOLDER.search(name.bare):
        if not _PATTERN.search(name.bare) or re.search(r"=|\b[xz]My\b|-\*", name.bare):
            return ()
        bare, said = (text.translate(_STANDS_FOR) for text in (name.bare, name.said))
        one = _parts(replace(name, bare=bare, said=said))
        return () if one.reason else (one,)
    one = _parts(name)
    named = one.model or owned(name.bare)
    # whatever a vendor makes, and RUT model routers
    whole = re.search(r" products$|(?i: models? )", name.bare)
    return (one,) if CLASS.search(name.bare) and named and not whole and not one.reason else ()


def _unread(name: Name) -> Unresolved | None:
    """Return why a name is not resolved; one order number makes a list of words one product."""
    bare = name.bare
    plain = words(bare)
    if not plain and name.orders:
        return None
    if TECHNOLOGY.fullmatch(plain.removesuffix(" protocol")):
        return Unresolved.NOT_A_PRODUCT
    if (
        set(plain.split()) <= NO_NAME
        or _PART_OF_NAME.fullmatch(plain)
        or _FILE_NAME.fullmatch(bare)
    ):
        return Unresolved.NOT_A_PRODUCT
    if _VERSION_NAME.fullmatch(bare.strip()) and not name.series:
        return Unresolved.NOT_A_PRODUCT
    described = PROSE.search(bare) or re.search(r"[<>]|\[[^]]", bare) or len(bare) > 100
    if described or bare.count("(") != bare.count(")"):
        return Unresolved.DESCRIPTION
    ordered = len(set(name.orders)) == 1
    one = ordered or any(_spelt(text, bare) for text in name.brackets)
    if name.optional or (not one and (_is_list(bare) or _PLACEHOLDER.search(bare))):
        return Unresolved.SEVERAL
    sole = re.search(r"[0-9]{2}", bare) or any(map(_WHICH.fullmatch, name.brackets))
    if CLASS.search(bare) and not sole:
        return Unresolved.SEVERAL
    if _GLUED.search(bare) or (name.generation and GENERATION.search(" " + bare)):
        return Unresolved.GENERATION_INSIDE
    if not ordered and any(map(_lists_models, name.brackets)):
        return Unresolved.SEVERAL
    return None


def _lists_models(text: str) -> bool:
    if _PART_NUMBERS.fullmatch(text):
        return False
    if re.fullmatch(r"[A-Z][A-Z0-9-]*[0-9][A-Z0-9-]*(?: [A-Z][A-Z0-9-]+[0-9][A-Z0-9-]*)+", text):
        return True
    parts = (part.strip() for part in _BRACKET_PARTS.split(text))
    return bool(_MODELS.match(text)) or sum(bool(_MODEL.fullmatch(p)) for p in parts) > 1


def _spelt(text: str, bare: str) -> bool:
    """Tell whether a bracket spells a list's initials: Settlement and Billing (SB) is one name."""
    lists = (bare, *(token for token in bare.split() if "/" in token))
    initials = ("".join(w[0] for w in WORD.findall(one) if w[0].isupper()) for one in lists)
    return len(text) > 2 and text in initials


def _is_list(bare: str) -> bool:
    plain = re.sub("(?<=[0-9]),(?=[0-9]A)", ".", JOINED.sub("", bare))
    if _LISTED.search(plain):
        return True
    if any(not RATING.fullmatch(p.strip()) for p in plain.split(",")[1:]):
        return True
    if sum(bool(SUFFIX.fullmatch(token)) for token in plain.split()) > 1:
        return True
    return any("/" in token and not pair(token) for token in plain.split())


def _unit(model: str) -> bool:
    first = model.split(" ", 1)[0]
    return bool(UNIT.fullmatch(first)) or len(re.findall("[0-9]", first)) > 2


def _bracket(
    text: str, bare: str, ordered: tuple[str, ...], model: str, generation: str
) -> tuple[tuple[str, ...], str, str, str]:
    """Return orders, model and generation with what a bracket adds, and the variant it names."""
    if orders.SIEMENS.search(text.upper()):
        text = re.sub(r"(?i)\bmlfbs?\b[-: ]*|" + orders.SIEMENS.pattern, "", text).strip(" ,/-")
    if not text:
        return ordered, model, generation, ""
    if found := _PART_NUMBERS.fullmatch(text):
        return (*ordered, *re.split(" AND |, ?", found[1].upper())), model, generation, ""
    if found := _INCLUDED.fullmatch(text):
        return ordered, model, generation, "siplus" if "siplus" in text.casefold() else text
    if _initials(text, bare):
        return ordered, model, generation, ""
    if not generation and (found := re.match(r"v?[0-9]+(?:\.[0-9x]+)+(?= )", text)):
        return ordered, model, found[0], ""
    if not model and re.fullmatch(r"[A-Z][A-Z0-9-]*[0-9][A-Z0-9/-]*", text):
        return ordered, text, generation, ""
    return ordered, model, generation, text


def _initials(text: str, bare: str) -> bool:
    """Tell whether a bracket holds the initials of the name before it, as in (SRA), or spells them.

    One that says (All models) says nothing.
    """
    if scrutiny.repeats(text, bare) or text.casefold() == "all models":
        return True
    spelled = "".join(w[0] for w in WORD.findall(text) if w[0].isupper())
    if len(spelled) > 2 and spelled in bare.split():
        return True
    first, *others = text.split()
    if not re.fullmatch("[A-Z]{2,6}", first) or not set(others) <= set(bare.split()):
        return False
    initials = {w[0].casefold() for w in WORD.findall(bare)}
    letters = iter(words(bare))
    short = first.casefold()
    if len(short) > 2 and set(short) <= initials:
        return True
    return short[0] in initials and all(letter in letters for letter in short)
