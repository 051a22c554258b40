"""Waiting messages are due again when an act here touches what they are about."""

from __future__ import annotations

from vedette.store import rows
from vedette.store.tenancy import SYSTEM, scoped


def touch(subject: str) -> None:
    """Something moved: the worker tries what waits for it at its next turn."""
    with scoped(SYSTEM):
        rows.try_again(subject[:40])
