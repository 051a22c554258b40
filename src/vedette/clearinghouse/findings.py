"""A finding: one party's report of one flaw, validated and bounded.

Rules:
- A finding has an id and a title; everything else is optional.
- Every field is bounded; the first one out of bounds is named in one BadInput.
- Text is stored as it came (report text is data, never obeyed); NUL and broken Unicode, which no
  store can hold, are bad input.
- A finding without a marking is TLP:RED until somebody says otherwise.
- The same content has the same key, so that sending it twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import RED, Marking

# field -> most characters it may hold
TEXT_LIMITS: dict[str, int] = {
    "id": 200,
    "title": 2_000,
    "description": 65_536,
    "product": 300,
    "component": 300,
    "version": 200,
    "file": 1_024,
    "function": 1_024,
    "reporter": 200,
}
# field -> (most entries, most characters an entry may hold)
LIST_LIMITS: dict[str, tuple[int, int]] = {
    "cwe": (32, 20),
    "stack": (256, 1_024),
    "references": (256, 2_048),
}
RECIPE_LIMIT = 1_048_576
# recipe kind -> fields it needs, all text
RECIPE_FIELDS: dict[str, tuple[str, ...]] = {
    "disclosed-item": ("suite", "item", "input_b64", "build"),
    "pypi": ("name", "version", "sha256", "fixed_version", "fixed_sha256", "script"),
    "suite-item": ("suite", "item", "input_b64"),
}
_CWE = re.compile(r"(?:CWE-)?([1-9][0-9]{0,5})", re.IGNORECASE)
# What the National Vulnerability Database writes where it knows no weakness.
_NO_CWE = frozenset({"", "NVD-CWE-NOINFO", "NVD-CWE-OTHER", "N/A"})


@dataclass(frozen=True)
class Finding:
    """One party's report of one flaw.

    `recipe` says how to reproduce it, as JSON: `{"kind": "suite-item", "suite", "item",
    "input_b64"}`, `{"kind": "disclosed-item", "suite", "item", "input_b64", "build"}`, `{"kind":
    "pypi", "name", "version", "sha256", "fixed_version", "fixed_sha256", "script"}`, or a kind that
    only the reproducing runner knows.
    """

    id: str
    title: str
    description: str = ""
    product: str = ""
    component: str = ""
    version: str = ""
    file: str = ""
    function: str = ""
    cwe: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reporter: str = ""
    recipe: Mapping[str, Any] | None = field(default=None, hash=False)
    marking: Marking = RED

    @classmethod
    def parse(cls, value: Any, *, source: str = "finding") -> Finding:
        """Read a finding from decoded JSON. Raises BadInput naming `source` and the field."""
        if not isinstance(value, dict):
            raise BadInput(f"{source}: a finding is a JSON object")
        texts = {name: _text(value.get(name), name, source) for name in TEXT_LIMITS}
        for name in ("id", "title"):
            if not texts[name].strip():
                raise BadInput(f"{source}: {name}: missing", next_step=f"give the finding a {name}")
        lists = {name: _texts(value.get(name), name, source) for name in LIST_LIMITS}
        lists["cwe"] = _weaknesses(lists["cwe"], source)
        fields: dict[str, Any] = {**texts, **lists}
        return cls(
            **fields,
            recipe=_recipe(value.get("recipe"), source),
            marking=_marking(value.get("marking"), source),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values, without its empty fields."""
        texts = {name: getattr(self, name) for name in TEXT_LIMITS}
        lists = {name: list(getattr(self, name)) for name in LIST_LIMITS}
        recipe = None if self.recipe is None else dict(self.recipe)
        full = {**texts, **lists, "recipe": recipe, "marking": str(self.marking)}
        return {name: item for name, item in full.items() if item}

    @property
    def key(self) -> str:
        """Idempotency key: the digest of the canonical content."""
        return digest(canonical(self.as_dict()))

    def reported_by(self, reporter: str) -> Finding:
        """Return the finding with `reporter` filled in where it names none."""
        return self if self.reporter else replace(self, reporter=reporter)


def _text(value: Any, name: str, source: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadInput(f"{source}: {name}: {type(value).__name__} where text belongs")
    limit = TEXT_LIMITS.get(name, 0)
    if len(value) > limit:
        raise BadInput(f"{source}: {name}: {len(value):,} characters, at most {limit:,}")
    return _storable(value, name, source)


def _texts(value: Any, name: str, source: str) -> tuple[str, ...]:
    count, limit = LIST_LIMITS[name]
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.splitlines() if name == "stack" else [value]
    if not isinstance(value, list | tuple):
        raise BadInput(f"{source}: {name}: {type(value).__name__} where a list of texts belongs")
    if len(value) > count:
        raise BadInput(f"{source}: {name}: {len(value):,} entries, at most {count}")
    for index, entry in enumerate(value):
        if not isinstance(entry, str):
            raise BadInput(f"{source}: {name}[{index}]: {type(entry).__name__} where text belongs")
        if len(entry) > limit:
            raise BadInput(f"{source}: {name}[{index}]: {len(entry):,} characters, at most {limit}")
        _storable(entry, name, source)
    return tuple(value)


def _storable(value: str, name: str, source: str) -> str:
    if "\0" in value:
        raise BadInput(f"{source}: {name}: holds a NUL character")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadInput(f"{source}: {name}: holds half of a surrogate pair") from None
    return value


def _weaknesses(values: tuple[str, ...], source: str) -> tuple[str, ...]:
    found: list[str] = []
    for value in values:
        if value.strip().upper() in _NO_CWE:
            continue
        match = _CWE.fullmatch(value.strip())
        if match is None:
            raise BadInput(f"{source}: cwe: {value!r} is no CWE id", next_step="write CWE-787")
        found.append(f"CWE-{match[1]}")
    return tuple(dict.fromkeys(found))


def _recipe(value: Any, source: str) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        raise BadInput(f"{source}: recipe: a JSON object with a `kind` belongs here")
    try:
        size = len(canonical(value))
    except BadInput as error:
        raise BadInput(f"{source}: recipe: {error.what}") from None
    except (RecursionError, UnicodeEncodeError):
        raise BadInput(f"{source}: recipe: nested too deep, or broken Unicode") from None
    if size > RECIPE_LIMIT:
        raise BadInput(f"{source}: recipe: {size:,} bytes, at most {RECIPE_LIMIT:,}")
    for name in RECIPE_FIELDS.get(value["kind"], ()):
        if not isinstance(value.get(name), str):
            raise BadInput(f"{source}: recipe.{name}: missing, kind {value['kind']} needs it")
    return value


def _marking(value: Any, source: str) -> Marking:
    if value is None:
        return RED
    if not isinstance(value, str):
        raise BadInput(f"{source}: marking: {type(value).__name__} where text belongs")
    try:
        return Marking.parse(value)
    except BadInput as error:
        raise BadInput(f"{source}: marking: {error.what}", next_step=error.next_step) from None
