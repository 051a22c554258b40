"""The port of executors: where jobs are executed, and how their results come back in order."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TypeVar

from vedette.kernel.errors import OurFault

if TYPE_CHECKING:
    from concurrent.futures import Future

J = TypeVar("J")
R = TypeVar("R")
TRIES = 3


class Executor(Protocol):
    """Executes jobs somewhere: function, job and result must be picklable.

    A future's done-callbacks may run in another thread. Leaving the `with` block ends what has not
    started and waits for what has.
    """

    def submit(self, function: Callable[[J], R], job: J, /) -> Future[R]: ...

    def __enter__(self) -> Executor: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None: ...


def processes() -> Executor:
    """A process a core of this machine, for short jobs: none searches for cycles."""
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(os.cpu_count() or 1, initializer=gc.disable)


def in_order(
    start: Callable[[], Executor], function: Callable[[J], R], jobs: Iterable[J]
) -> Iterator[R]:
    """Yield `function` of each job, in the order of the jobs, by the executors that `start` makes.

    Jobs are executed from the first on while later ones are still being named.
    Jobs that a dying process took along are executed again by a new executor, so a job must be one
    that can be. Raises OurFault after TRIES executors broke.
    """
    from concurrent.futures import BrokenExecutor  # slow to import

    coming = iter(jobs)
    waiting: deque[J] = deque()
    for _ in range(TRIES):
        with start() as executor:
            futures: deque[Future[R]] = deque()
            try:
                futures.extend(executor.submit(function, job) for job in waiting)
                for job in coming:
                    waiting.append(job)
                    futures.append(executor.submit(function, job))
            except BrokenExecutor:
                continue
            while futures:
                try:
                    result = futures.popleft().result()
                except BrokenExecutor:
                    break
                waiting.popleft()
                yield result
        if not waiting:
            return
    raise OurFault(
        f"a process died {TRIES} times in the middle of its work, killed from outside",
        next_step="see whether the machine ran out of memory; give fewer files at a time",
    )
