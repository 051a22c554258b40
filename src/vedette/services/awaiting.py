"""Waiting messages are due again when an act here touches what they are about."""

from __future__ import annotations

from vedette.store.models import Awaiting, InMessage
from vedette.store.tenancy import SYSTEM, scoped


def touch(subject: str) -> None:
    """Something moved: the worker tries what waits for it at its next turn."""
    with scoped(SYSTEM):
        waiting = Awaiting.objects.filter(subject=subject[:40]).values("message")
        InMessage.objects.filter(pk__in=waiting).update(try_at=None)
