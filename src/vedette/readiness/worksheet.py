"""The reviewer's worksheet: the lab's form read from the other side, field by field.

Rules:
- It is generated from the pack's field list, in the order of the lab's own form, with its words.
- Each field says what came, what did not, what is withheld and why, and what stays at the lab.
- A field that came and that the pack does not know is kept, in a section of its own.
- A check names the state of the field that was looked at: its words in the pack and what came.
  Where either has changed since, the check was made on an earlier state, and counts as open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vedette.kernel.canonical import canonical, digest
from vedette.kernel.markings import Marking
from vedette.readiness.dossier import Field

OTHER = "other"


class Status(StrEnum):
    GIVEN = "given"
    NOT_GIVEN = "not given"
    WITHHELD = "withheld"
    STAYS = "stays at the lab"


class Look(StrEnum):
    """Where a reviewer is with a field."""

    SEEN = "seen"
    QUESTION = "question"


@dataclass(frozen=True)
class State:
    """What had come of the dossier at one time: values, and why others did not come."""

    number: int
    values: Mapping[str, str]
    withheld: Mapping[str, str]
    at: datetime


@dataclass(frozen=True)
class Line:
    """One field of the worksheet. `before` is what it said last, where it has changed since."""

    field: Field
    status: Status
    value: str
    reason: str
    changed_at: datetime | None
    before: str
    fingerprint: str


def worksheet(
    fields: Sequence[Field], states: Iterable[State], unknown: Marking
) -> tuple[Line, ...]:
    """Return a line for each field, and for each that came unknown to the pack, so marked."""
    known = {field.id for field in fields}
    told = sorted(states, key=lambda state: state.number)
    others = dict.fromkeys(key for state in told for key in state.values if key not in known)
    return tuple(_line(field, told) for field in (*fields, *(_other(k, unknown) for k in others)))


def _other(key: str, marking: Marking) -> Field:
    words = "The policy pack in force here does not know this field; what came is kept."
    return Field(key, key, OTHER, words, "paragraph", marking, crosses=True)


def _line(field: Field, told: Sequence[State]) -> Line:
    value = reason = before = ""
    changed_at = None
    for place, state in enumerate(told):
        now = state.values.get(field.id, ""), state.withheld.get(field.id, "")
        if place and now != (value, reason):
            changed_at, before = state.at, value
        value, reason = now
    return Line(
        field, _status(field, value, reason), value, reason, changed_at, before,
        fingerprint(field, value, reason),
    )  # fmt: skip


def _status(field: Field, value: str, reason: str) -> Status:
    if value:
        return Status.GIVEN
    if reason:
        return Status.WITHHELD
    return Status.NOT_GIVEN if field.crosses else Status.STAYS


def fingerprint(field: Field, value: str, reason: str) -> str:
    """The digest of a field's words in the pack and of what came for it."""
    words = {"id": field.id, "label": field.label, "help": field.help, "type": field.type}
    return digest(canonical({**words, "value": value, "reason": reason}))


def looked_at(lines: Iterable[Line], checks: Mapping[str, str]) -> int:
    """How many lines have a check on their present state; `checks` has its digest by field."""
    return sum(checks.get(line.field.id) == line.fingerprint for line in lines)
