"""Whose eyes queries have at this moment, in this thread."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Scope:
    """Whose eyes a query has: one organisation, the host organisation, or the instance itself.

    `now` is the hour at which mandates count; without it none does.
    """

    org: str = ""
    host: bool = False
    system: bool = False
    now: datetime | None = None


SYSTEM = Scope(system=True)
NOBODY = Scope()
PRESENT: ContextVar[Scope | None] = ContextVar("vedette_scope", default=None)


def current_scope() -> Scope | None:
    return PRESENT.get()
