"""Small writes of many threads, done together: one transaction, one flush to the disk.

Who comes while another is writing waits for the lock, and finds its work done by whoever had it
before. Each piece of work has a savepoint of its own; nobody returns before the commit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from django.db import transaction

from vedette.services.acting import Doing, act, instance_actor

T = TypeVar("T")
MOST = 64


class _Work:
    def __init__(self, do: Callable[[Doing], Any]) -> None:
        self.do = do
        self.found: Any = None
        self.error: BaseException | None = None
        self.done = False


class Together:
    """One queue of work for the instance itself."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[_Work] = deque()

    def do(self, work: Callable[[Doing], T]) -> T:
        """Do `work` in a transaction that others may share; return when it is committed."""
        own = _Work(work)
        self._waiting.append(own)
        while not own.done:
            with self._lock:
                if not own.done:
                    self._write()
        if own.error is not None:
            raise own.error
        found: T = own.found
        return found

    def _write(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        try:
            with act(instance_actor(), None) as doing:
                for work in batch:
                    _one(doing, work, alone=len(batch) == 1)
        except BaseException as error:
            for work in batch:
                work.error = work.error or error
            if not isinstance(error, Exception):
                raise
        finally:
            for work in batch:
                work.done = True


def _one(doing: Doing, work: _Work, *, alone: bool) -> None:
    if alone:
        work.found = work.do(doing)
        return
    try:
        with transaction.atomic():
            work.found = work.do(doing)
    except Exception as error:
        work.error = error
