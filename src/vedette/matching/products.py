"""Industrial and other products without a purl: vendor and product words as keys.

Rules:
- Words are compared after Unicode repair (NFKC, mojibake of UTF-8 read as Latin-1), case folding
  and with punctuation as spaces. Vendors also lose legal suffixes (Inc, GmbH, Co., Ltd, ...).
- Order numbers are the strongest key, and need no vendor: `exact`. Model numbers need the vendor.
- Vendor and product equal: `exact`; equal only after brackets and a version at the product's end
  are left out: `likely`; equal product where a side states no vendor: `possible`.
- CPE names count as vendor and product words: `likely`; a wildcard product has no key.
- Nothing else matches: parts of names, families and series are never guessed here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache

from vedette.matching.model import CONFIDENCES

_LEGAL = frozenset(
    {"ab", "ag", "aps", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "inc"}
    | {"incorporated", "kg", "kk", "limited", "llc", "ltd", "nv", "oy", "oyj", "plc", "pte"}
    | {"pty", "pvt", "sa", "sas", "se", "spa", "srl", "the"}
)
_WORD = re.compile(r"[^\W_]+")
_BRACKETS = re.compile(r"\([^()]*\)")
_VERSION_END = re.compile(
    r"(?:\s+(?:v|ver|version|firmware|fw|r)?\.?\s*[0-9]+(?:\.[0-9x*]+)+|\s+v[0-9x.]+"
    r"|\s+(?:and|or) (?:prior|earlier|later)|\s+firmware)+\s*$",
    re.IGNORECASE,
)
_ORDER_NUMBER = re.compile(
    r"\b(?:[0-9][A-Z]{2}[0-9] ?[0-9]{3}-[0-9A-Z]{5}-[0-9A-Z]{4}"
    r"|[0-9]{4}-[A-Z]{1,4}[0-9]{1,3}[A-Z]{0,4})\b"
)
_MODEL = re.compile(r"[0-9a-z]+")


@lru_cache(maxsize=1 << 16)
def repair(text: str) -> str:
    """Return `text` in NFKC, with UTF-8 that was read as Latin-1 put right."""
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=1 << 14)
def vendor_words(vendor: str) -> str:
    """Return the vendor's name without legal suffixes, "" where there is none."""
    bare = repair(vendor).casefold().replace(".", "")
    words = [w for w in _WORD.findall(_BRACKETS.sub(" ", bare)) if w not in _LEGAL]
    return " ".join(words) if words != ["n", "a"] else ""


@lru_cache(maxsize=1 << 16)
def product_words(product: str) -> str:
    """Return the product's name in comparable words."""
    return " ".join(_WORD.findall(repair(product).casefold()))


@lru_cache(maxsize=1 << 16)
def bare_product_words(product: str) -> str:
    """Return the product's words without brackets and without a version at its end."""
    return product_words(_VERSION_END.sub("", _BRACKETS.sub(" ", repair(product)).strip()))


def model_words(model: str) -> str:
    """Return a model or order number without spaces and punctuation, "" when it says nothing."""
    words = "".join(_MODEL.findall(repair(model).casefold()))
    return words if len(words) >= 4 and any(c.isdigit() for c in words) else ""


def order_numbers(text: str) -> list[str]:
    """Return the order numbers (as 6GK5204-2BC10-2CA2) that stand in a product's name."""
    return [found.replace(" ", "") for found in _ORDER_NUMBER.findall(text.upper())]


def cpe_words(cpe: str) -> tuple[str, str, str] | None:
    """Return vendor, product and version of a CPE 2.3 or 2.2 name, None without a product."""
    if cpe.startswith("cpe:2.3:"):
        parts = re.split(r"(?<!\\):", cpe)[3:6]
    elif cpe.startswith("cpe:/"):
        parts = cpe[5:].split(":")[1:4]
    else:
        return None
    vendor, product, version = [re.sub(r"\\(.)", r"\1", p) for p in (*parts, "", "", "")][:3]
    if product in ("", "*", "-"):
        return None
    return (vendor if vendor not in ("*", "-") else ""), product, version


def component_keys(
    vendor: str, product: str, models: Iterable[str] = (), cpes: Iterable[str] = ()
) -> dict[str, str]:
    """Return an inventory's keys of a product, each with this side's confidence."""
    return _keys(vendor, product, models, cpes, stated=("-",), silent=("-", "?"))


def advisory_keys(
    vendor: str, product: str, models: Iterable[str] = (), cpes: Iterable[str] = ()
) -> dict[str, str]:
    """Return an advisory's keys of a product, each with this side's confidence."""
    return _keys(vendor, product, models, cpes, stated=("?",), silent=("-",))


def _keys(
    vendor: str,
    product: str,
    models: Iterable[str],
    cpes: Iterable[str],
    *,
    stated: tuple[str, ...],
    silent: tuple[str, ...],
) -> dict[str, str]:
    """Mark "?" joins an advisory's vendor with a silent inventory, "-" the other way round."""
    found: dict[str, str] = {}

    def add(kind: str, owner: str, words: str, confidence: str) -> None:
        if owner:
            _raise(found, f"{kind}/{owner}/{words}", confidence)
        for mark in stated if owner else silent:
            _raise(found, f"{kind}/{mark}/{words}", "possible")

    def names(vendor: str, product: str, confidence: str) -> None:
        full, bare = product_words(product), bare_product_words(product)
        if full and full not in ("n a", "unknown"):
            add("product", vendor_words(vendor), full, confidence)
            if bare and bare != full:
                add("product", vendor_words(vendor), bare, "likely")

    names(vendor, product, "exact")
    for cpe in cpes:
        words = cpe_words(cpe)
        if words is not None:
            names(words[0].replace("_", " "), words[1].replace("_", " "), "likely")
    for model in models:
        if number := model_words(model):
            add("model", vendor_words(vendor), number, "exact")
    for text in (product, *models):
        for number in order_numbers(text):
            _raise(found, f"order/{number}", "exact")
    return found


def _raise(found: dict[str, str], key: str, confidence: str) -> None:
    if CONFIDENCES.index(confidence) < CONFIDENCES.index(found.get(key, "possible")):
        found[key] = confidence
    found.setdefault(key, confidence)
