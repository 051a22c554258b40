"""Ports of the runner: where jobs are executed, and what a reference subject is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Protocol, TypeVar

J = TypeVar("J")
R = TypeVar("R")


class Executor(Protocol):
    """Executes jobs somewhere: function, job and result must be picklable.

    A future's done-callbacks may run in another thread. Leaving the `with` block ends what has not
    started and waits for what has.
    """

    def submit(self, function: Callable[[J], R], job: J) -> Future[R]: ...

    def __enter__(self) -> Executor: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
