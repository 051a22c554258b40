"""Bodies from a version behind or ahead: what is known is read, the rest is kept.

Rules:
- From a newer version, what this table has no name for is left unread, at any depth; the envelope
  keeps it, and it is read once the table knows it.
- From a newer version, a value that does not pass here is no fault: the message is kept until an
  upgrade (`NotUnderstood`).
- From an older version, a required field that came later reads as its row says (`Added`).
- From this very version, nothing but the table's fields crosses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vedette.exchange.envelope import Message
from vedette.exchange.fields import Field, ListOf, Record
from vedette.exchange.rows import MessageType
from vedette.kernel.errors import BadInput

MOST_UNREAD = 200


class NotUnderstood(Exception):
    """A message of a newer version that this one cannot read yet; the text says what."""


@dataclass(frozen=True)
class Reading:
    """A body as this version reads it, and the paths that it leaves unread."""

    body: Mapping[str, Any]
    unread: tuple[str, ...] = ()


def read_body(message: Message, row: MessageType) -> Reading:
    """Read a body by its row of the table. Raises NotUnderstood, or BadInput naming the field."""
    body: Any = dict(message.body)
    unread: list[str] = []
    if message.version > row.version:
        body = known(row.body, body, "body", unread)
    for name, added in row.added.items():
        if message.version < added.version:
            body.setdefault(name, added.instead)
    try:
        row.body.check(body, "body")
    except BadInput as error:
        if message.version > row.version:
            raise NotUnderstood(error.what) from None
        raise
    return Reading(body, tuple(unread[:MOST_UNREAD]))


def known(field: Field, value: Any, path: str, unread: list[str]) -> Any:
    """`value` without what `field` has no name for; the paths left out are added to `unread`."""
    if isinstance(field, Record) and isinstance(value, dict):
        unread += [f"{path}.{name}"[:200] for name in sorted(value) if name not in field.fields]
        return {
            name: known(field.fields[name], inner, f"{path}.{name}", unread)
            for name, inner in value.items()
            if name in field.fields
        }
    if isinstance(field, ListOf) and isinstance(value, list):
        return [known(field.item, v, f"{path}[{i}]", unread) for i, v in enumerate(value)]
    return value
