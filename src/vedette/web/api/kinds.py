"""Kinds of values that many requests share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return parse_time(value, field="time")
        except BadInput as error:
            raise ValueError(error.what) from None
    return value


# a time with its zone, or a bare day, which is 00:00 UTC
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    Field(examples=["2026-12-01T09:00:00Z"], description="RFC 3339, or a day: 00:00 UTC"),
]
# typed by people, and kept nowhere
Code = Annotated[str, Field(max_length=60, description="a keyholder's code, 27 signs")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Note = Annotated[str, Field(max_length=4000)]
