"""The dossier: what a lab writes down about a model, field by field, and what of it may cross.

Rules:
- The pack names the fields. Every value is text: a list has one entry a line.
- No field is compulsory. Completeness is a count for the lab's own use; nothing depends on it.
- A field crosses only where the pack says that it can and the lab names it, one by one.
- The marking of what crosses is the join of its fields' markings: computed, never typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from vedette.kernel import markings
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import Marking
from vedette.kernel.packs import PolicyPack

# type of a field -> most characters
LIMITS = {
    "text": 300,
    "paragraph": 20_000,
    "list": 60_000,
    "choice": 100,
    "choices": 1_000,
    "date": 10,
    "time": 40,
    "digest": 71,
}
LINES = 500


@dataclass(frozen=True)
class Field:
    """One field of the form. `options` for choices, `minimum` lines for a list."""

    id: str
    label: str
    section: str
    help: str
    type: str
    marking: Marking
    crosses: bool
    options: tuple[str, ...] = ()
    minimum: int = 0


@dataclass(frozen=True)
class Completeness:
    """How many fields are filled, of how many, in all and by section id."""

    filled: int
    total: int
    sections: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Extract:
    """What crosses: texts by field id, and the marking computed from them."""

    values: Mapping[str, str]
    marking: Marking


def sections_of(pack: PolicyPack) -> dict[str, str]:
    """Return the titles of the form's sections by id, in order."""
    return {row["id"]: row["title"] for row in pack.records("dossier", "sections")}


def fields_of(pack: PolicyPack) -> tuple[Field, ...]:
    """Return the pack's fields in order. Raises BadInput naming a field that is malformed."""
    sections = sections_of(pack)
    return tuple(_field(pack, row, sections) for row in pack.records("dossier", "fields"))


def _field(pack: PolicyPack, row: Mapping[str, Any], sections: Mapping[str, str]) -> Field:
    try:
        field = Field(
            row["id"],
            row["label"],
            row["section"],
            row["help"],
            row["type"],
            Marking.parse(row["marking"]),
            row["crosses"] is True,
            tuple(row.get("options", ())),
            row.get("minimum", 0),
        )
    except KeyError as error:
        raise BadInput(f"policy pack {pack.ref}: dossier field {row['id']} lacks {error}") from None
    if field.type not in LIMITS or field.section not in sections:
        raise BadInput(f"policy pack {pack.ref}: dossier field {field.id}: type or section unknown")
    return field


def check(pack: PolicyPack, values: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong by field id: a sentence each; empty when all is well.

    Empty values are no problem. A value whose field the pack does not know is one.
    """
    known = {field.id: field for field in fields_of(pack)}
    problems: dict[str, str] = {}
    for key, value in values.items():
        field = known.get(key)
        if field is None:
            problems[key[:60]] = f"{pack.ref} has no such field"
        elif problem := _problem(field, value):
            problems[key] = problem
    return problems


def _problem(field: Field, value: str) -> str:
    if not isinstance(value, str):
        return "text expected"
    if len(value) > LIMITS[field.type]:
        return f"{len(value):,} characters, at most {LIMITS[field.type]:,}"
    if any(ord(char) < 32 and char not in "\n\r\t" for char in value):
        return "contains control characters"
    text = value.strip()
    return _CHECKS[field.type](field, text) if text else ""


def _check_list(field: Field, text: str) -> str:
    count = len(lines_of(text))
    if count > LINES:
        return f"{count} lines, at most {LINES}"
    return f"{count} lines, at least {field.minimum}" if count < field.minimum else ""


def _check_options(field: Field, text: str) -> str:
    chosen = lines_of(text)
    if len(set(chosen)) != len(chosen) or (field.type == "choice" and len(chosen) > 1):
        return "choose one" if field.type == "choice" else "choose each once"
    unknown = [option for option in chosen if option not in field.options]
    return f"choose among {', '.join(field.options)}" if unknown else ""


def _check_date(field: Field, text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        return "a day such as 2026-12-01 expected"
    return ""


def _check_time(field: Field, text: str) -> str:
    try:
        parse_time(text, field=field.id)
    except BadInput:
        return "a day or a time such as 2026-12-01T09:00Z expected"
    return ""


def _check_digest(field: Field, text: str) -> str:
    return (
        "" if re.fullmatch(r"sha256:[0-9a-f]{64}", text) else "sha256: and 64 hex digits expected"
    )


def _check_nothing(field: Field, text: str) -> str:
    return ""


_CHECKS = {
    "text": _check_nothing,
    "paragraph": _check_nothing,
    "list": _check_list,
    "choice": _check_options,
    "choices": _check_options,
    "date": _check_date,
    "time": _check_time,
    "digest": _check_digest,
}


def lines_of(text: str) -> list[str]:
    """Return a list field's entries: its lines, stripped, empty ones left out."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def completeness(pack: PolicyPack, values: Mapping[str, str]) -> Completeness:
    """Count the filled fields."""
    counts = dict.fromkeys(sections_of(pack), (0, 0))
    for field in fields_of(pack):
        filled, total = counts[field.section]
        counts[field.section] = (filled + bool(values.get(field.id, "").strip()), total + 1)
    return Completeness(
        sum(filled for filled, _ in counts.values()),
        sum(total for _, total in counts.values()),
        counts,
    )


def extract(
    pack: PolicyPack,
    values: Mapping[str, str],
    chosen: Iterable[str],
    own_markings: Mapping[str, Marking] | None = None,
) -> Extract:
    """Return the filled ones of the `chosen` fields, with their marking.

    `own_markings` are the lab's by field id, where it set other ones than the pack's. Raises
    BadInput naming a field that stays home, is unknown, or has a problem.
    """
    known = {field.id: field for field in fields_of(pack)}
    own = own_markings or {}
    taken: dict[str, str] = {}
    marks: list[Marking] = []
    for key in chosen:
        field = known.get(key)
        if field is None or not field.crosses:
            raise BadInput(
                f"dossier.{key[:60]}: this field stays home", kept="the dossier as it was"
            )
        if problem := _problem(field, values.get(key, "")):
            raise BadInput(f"dossier.{key}: {problem}", kept="the dossier as it was")
        if text := values.get(key, "").strip():
            taken[key] = text
            marks.append(own.get(key, field.marking))
    return Extract(taken, markings.join(marks))
