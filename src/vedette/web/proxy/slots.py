"""How many calls may be under way at once, so that pages and messages always find a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from django.conf import settings

FOR_OTHERS = 8
WITHOUT_INSTANCE = 120


class Full(Exception):
    """All of them are taken."""


class Slot:
    """One place; freed with its `with` block, unless it is kept for longer."""

    def __init__(self, free: Callable[[], None]) -> None:
        self.free, self.kept = free, False

    def keep(self) -> Callable[[], None]:
        """Keep it past the block; whoever calls what is returned frees it, once."""
        self.kept = True
        return self.free


@cache
def _places() -> BoundedSemaphore:
    config = settings.CONFIG
    threads = config.threads if config else WITHOUT_INSTANCE + FOR_OTHERS
    return BoundedSemaphore(max(1, threads - FOR_OTHERS))


@contextmanager
def one() -> Iterator[Slot]:
    """Take a place. Raises Full."""
    places = _places()
    if not places.acquire(blocking=False):
        raise Full
    slot = Slot(places.release)
    try:
        yield slot
    finally:
        if not slot.kept:
            slot.free()
