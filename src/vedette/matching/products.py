"""Industrial and other products without a purl: vendor and product words as keys.

Rules:
- Words are compared after `vendors.repair`, case folding and with punctuation as spaces. Vendors
  are compared by their canonical names; of several vendors in one string each counts: `likely`.
- Order numbers are the strongest key, and need no vendor: `exact`; part numbers of a maker's own
  kind ("part number AB-12") need it. Catalog numbers (1756-EN2TR)
  likewise, with their series where one is stated. Model numbers need the vendor.
- Vendor and product equal, or equal as family, model, generation and variant: `exact`; equal only
  after brackets and a version at the product's end are left out: `likely`; equal product where a
  side states no vendor: `possible`. A name that is not surely one product's ("OS", "RUT model
  routers") is `likely` at most, in the same words too.
- Who states an order number or a series is not matched by the words of one that states another;
  where only the advisory states it, the words make a match `likely`.
- A name that lists several products matches each of them: `likely`. A family ("S7-1500 CPU
  family") matches the products whose family it is: `likely`; one named by a round number ("X-200
  family") those of that hundred: `possible`, and one named by a placeholder (EFD-22xx) those that
  begin as it does. `possible` are names equal but for words of the product's class
  ("controllers"), its series, the blanks of its model (X-208) and its brand (SIMATIC), and equal
  models of other families (M580, Modicon M580).
- The vendor's name before the product's does not count: `likely`; where no vendor is stated it may
  be the advisory's: `possible`. So is one word of an asset's name that is the advisory's product
  and has the digits of a model.
- CPE names count as vendor and product words: `likely`; a wildcard product has no key. Where both
  sides bear one, other attributes must not contradict each other (see `cpe`).
- Nothing else matches: parts of names are never guessed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from vedette.matching import designation, listing, orders, vendors
from vedette.matching.cpe import EDITION, NONE, PRODUCT, VENDOR, attributes, plain
from vedette.matching.cutting import words
from vedette.matching.designation import Designation
from vedette.matching.model import CONFIDENCES
from vedette.matching.vendors import repair, vendor_words

_BRACKETS = re.compile(r"\([^()]*\)")
_VERSION_END = re.compile(
    r"(?:\s+(?:v|ver|version|firmware|fw|r)?\.?\s*[0-9]+(?:\.[0-9x*]+)+|\s+v[0-9x.]+"
    r"|\s+(?:and|or) (?:prior|earlier|later)|\s+firmware)+\s*$",
    re.IGNORECASE,
)
_FAMILY = re.compile(r"(?i)\b(?:family|series|product line)\b")
_PRE = re.compile("(?:alpha|beta|dev|pre|rc)(?![a-z])")
_MODEL = re.compile(r"[0-9a-z]+")


@lru_cache(maxsize=1 << 16)
def product_words(product: str) -> str:
    """Return the product's name in comparable words."""
    return words(product)


@lru_cache(maxsize=1 << 16)
def bare_product_words(product: str) -> str:
    """Return the product's words without brackets and without a version at its end."""
    return product_words(_VERSION_END.sub("", _BRACKETS.sub(" ", repair(product)).strip()))


def model_words(model: str) -> str:
    """Return a model or order number without spaces and punctuation, "" when it says nothing."""
    plain = "".join(_MODEL.findall(repair(model).casefold()))
    return plain if len(plain) >= 4 and any(c.isdigit() for c in plain) else ""


def cpe_words(cpe: str) -> tuple[str, str, str] | None:
    """Return vendor, product and version of a CPE 2.3 or 2.2 name, None without a product.

    The update ("sp1") stands behind the version.
    """
    parts = attributes(cpe)
    if parts is None or parts[PRODUCT] in NONE:
        return None
    vendor, product, version, update = map(plain, parts[VENDOR:EDITION])
    if version not in NONE and update not in NONE:
        version += f"-{update}" if _PRE.match(update) else f" {update}"
    return (vendor if vendor not in NONE else ""), product, version


@lru_cache(maxsize=1 << 12)
def component_keys(
    vendor: str, product: str, models: tuple[str, ...] = (), cpes: tuple[str, ...] = ()
) -> Mapping[str, str]:
    """Return an inventory's keys of a product, each with this side's confidence.

    Many assets are one product in several versions.
    """
    keys = _Keys(vendor, stated=("-",), silent=("-", "?"))
    detailed = keys.numbers((product, *models), advisory=False)
    keys.names(product, cpes, ("product",) if detailed else ("product", "detailed"))
    named = designation.read(product)
    if named.family and named.model:
        keys.add("family", named.family, "likely")
        if hundred := designation.numbered_family(named.model):
            keys.add("hundred", f"{named.family} {hundred}", "possible")
    models = models if " " in product.strip() else (*models, product)
    keys.models(models)
    for token in product.split() if len(product) < 120 else ():
        if designation.telling(designation.squeezed(token)) and " " in product.strip():
            keys.add("product", product_words(token), "possible")
    series = (f"{named.family} {named.model}", named.model, *models)
    for begun in dict.fromkeys(b for model in series for b in designation.openings(model)):
        keys.add("series", begun, "possible")
    return keys.found


def advisory_keys(
    vendor: str, product: str, models: Iterable[str] = (), cpes: Iterable[str] = ()
) -> dict[str, str]:
    """Return an advisory's keys of a product, each with this side's confidence."""
    keys = _Keys(vendor, stated=("?",), silent=("-",))
    detailed = keys.numbers((product, *models), advisory=True)
    keys.names(product, cpes, ("detailed",) if detailed else ("product",))
    named = designation.read(product)
    if named.family and _FAMILY.search(product):
        keys.family(named)
    for one in listing.several(product):
        keys.add("product", product_words(one), "likely")
        keys.add("product-named", designation.read(one).whole, "likely")
    for member in named.members:
        keys.add("product-named", member.whole, "likely")
        keys.add("product-loose", member.loose, "possible")
        keys.add("product-code", member.code, "possible")
    keys.models(models)
    for series in (product, *models):
        for begun in designation.opening(series):
            keys.add("series", begun, "possible")
    return keys.found


class _Keys:
    """The keys of one product as they are found.

    Where a vendor is stated the marks `stated` stand for it too, else the marks `silent`: "?" joins
    an advisory's vendor with a silent inventory, "-" the other way round.
    """

    def __init__(self, vendor: str, *, stated: tuple[str, ...], silent: tuple[str, ...]) -> None:
        self.found: dict[str, str] = {}
        self._whole = vendor_words(vendor)
        self._several = vendors.read(vendor).names
        self._stated, self._silent = stated, silent

    def add(self, kind: str, name: str, confidence: str, vendor: str | None = None) -> None:
        """Note a key under each vendor, the weaker confidence where the string names several."""
        if not name:
            return
        owners = {self._whole: confidence} if vendor is None else {vendor: confidence}
        if vendor is None:
            one = self._several == (self._whole,) or len(self._several) == 1
            for owner in self._several:
                owners.setdefault(owner, confidence if one else _weaker(confidence, "likely"))
        for owner, sure in owners.items():
            if owner:
                self.note(f"{kind}/{owner}/{name}", sure)
            for mark in self._stated if owner else self._silent:
                self.note(f"{kind}/{mark}/{name}", "possible")

    def note(self, key: str, confidence: str) -> None:
        """Keep the stronger confidence of a key."""
        known = self.found.get(key)
        if known is None or CONFIDENCES.index(confidence) < CONFIDENCES.index(known):
            self.found[key] = confidence

    def names(self, product: str, cpes: Iterable[str], kinds: tuple[str, ...]) -> None:
        """Note a product's words; under "detailed" only the whole name is the whole match."""
        for kind in kinds:
            self._words(kind, product, "exact", None)
            for cpe in cpes:
                stated = cpe_words(cpe)
                if stated is not None:
                    vendor, name = (part.replace("_", " ") for part in stated[:2])
                    self._words(kind, name, "likely", vendor_words(vendor))

    def _words(self, kind: str, product: str, most: str, vendor: str | None) -> None:
        full, bare = product_words(product), bare_product_words(product)
        if not full or full in ("n a", "unknown"):
            return
        named = designation.read(product)
        if named.reason is not None:
            most = _weaker(most, "likely")
        self.add(kind, full, most, vendor)
        if bare and bare != full:
            self.add(kind, bare, _weaker(most, "likely"), vendor)
        self.add(f"{kind}-loose", named.loose, "possible", vendor)
        self.add(f"{kind}-code", named.code, "possible", vendor)
        if vendor is None and "?" in self._stated:
            for owner in self._several:
                self.note(f"{kind}/?/{owner} {full}", "possible")
        for owner in self._several if vendor is None else ():
            for before in (owner, owner.split()[0]):
                if len(before) > 3 and full.startswith(f"{before} "):
                    self.add(kind, full.removeprefix(f"{before} "), "likely", vendor)
        if kind == "detailed":
            most = _weaker(most, "likely")
        self.add(f"{kind}-named", named.whole, most, vendor)
        if named.variant == "siplus":
            self.add(f"{kind}-named", named.whole.removesuffix("siplus"), most, vendor)

    def family(self, named: Designation) -> None:
        """Note what a family's members are found by."""
        hundred = designation.numbered_family(named.model)
        if not named.model:
            self.add("family", named.family, "likely")
            if named.variant == "siplus":
                self.add("family", named.family.replace("simatic", "siplus"), "likely")
        elif hundred and re.search("00(?: switch)?$", named.model):
            self.add("hundred", f"{named.family} {hundred}", "possible")

    def models(self, models: Iterable[str]) -> None:
        """Note model numbers."""
        for model in models:
            self.add("model", model_words(model), "exact")

    def numbers(self, texts: tuple[str, ...], *, advisory: bool) -> bool:
        """Note order and catalog numbers; tell whether they say more than a product's words."""
        ordered = [o for text in texts for o in orders.order_numbers(text)]
        own = [  # of the maker's kind, and no pattern
            number
            for number in designation.read(texts[0]).orders
            if number not in ordered and model_words(number) and not re.search(r"\*|\.\.", number)
        ]
        self.models(own)
        for order in ordered:
            self.note(f"order/{order}", "exact")
        stated = {found for text in texts for found in orders.catalog_numbers(text)}
        in_series = {number for number, series in stated if series}
        for number, series in stated:
            if series:
                self.note(f"order/{number}/{series}", "exact")
            elif number in in_series:
                continue
            if bool(series) == advisory:  # who states no series meets who states one
                self.note(f"order/{number}/?", "likely")
            if not (series and advisory):
                self.note(f"order/{number}", "exact")
        return bool(ordered or own or in_series)


def _weaker(*confidences: str) -> str:
    return max(confidences, key=CONFIDENCES.index)
