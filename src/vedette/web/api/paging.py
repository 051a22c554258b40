"""Cursor pagination: a page is the rows after a cursor, in the list's own fixed order.

A cursor holds the order's values of the last row, so that rows added meanwhile shift nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from ninja import Schema
from pydantic import Field

from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.errors import BadInput

T = TypeVar("T")
MOST = 500
CURSOR = Bounds(size=1000, depth=2, count=10)


class Page(Schema, Generic[T]):
    """Some rows, and the cursor of the next ones (null at the end)."""

    items: list[T]
    next: str | None = None


class Paging(Schema):
    """Query parameters of a list."""

    cursor: str = Field("", max_length=1000, description="`next` of the page before")
    limit: int = Field(100, ge=1, le=MOST)


def page_of(
    rows: QuerySet[Any], paging: Paging, to_json: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """One page of `rows`, a query ordered by plain columns of which the last is unique."""
    order = [str(name) for name in rows.query.order_by]
    if paging.cursor:
        try:
            rows = rows.filter(_after(order, _read(paging.cursor, len(order))))
        except (ValidationError, ValueError, TypeError):
            raise _unreadable() from None
    found = list(rows[: paging.limit + 1])
    more = len(found) > paging.limit
    found = found[: paging.limit]
    return {
        "items": [to_json(row) for row in found],
        "next": _write(order, found[-1]) if more else None,
    }


def _after(order: list[str], values: list[Any]) -> Q:
    condition, same = Q(), Q()
    for name, value in zip(order, values, strict=True):
        column = name.lstrip("-")
        side = "lt" if name.startswith("-") else "gt"
        condition |= same & Q(**{f"{column}__{side}": value})
        same &= Q(**{column: value})
    return condition


def _write(order: list[str], row: Any) -> str:
    values = [getattr(row, name.lstrip("-")) for name in order]
    plain = [v.isoformat() if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()


def _read(cursor: str, length: int) -> list[Any]:
    try:
        data = base64.urlsafe_b64decode(cursor.encode())
        values = read_json(data, source="cursor", bounds=CURSOR)
    except (ValueError, BadInput):
        raise _unreadable() from None
    if not isinstance(values, list) or len(values) != length or not all(map(_plain, values)):
        raise _unreadable()
    return list(values)


def _plain(value: Any) -> bool:
    return isinstance(value, str) or (type(value) is int and abs(value) < 2**63)


def _unreadable() -> BadInput:
    return BadInput("cursor: it can't be read", next_step="take `next` of the page before")
