"""Executors on this machine.

`LocalPool` serves jobs that mostly wait for sandboxed processes of their own, as samples do: the
work is in those processes, so threads start them, and they die with this one. Jobs that compute in
Python themselves take `processes=True`; its workers end when their parent is gone.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from types import TracebackType

from vedette.runner.interface import J, R


class LocalPool:
    """A pool of `workers` (one a core where not given) on this machine."""

    def __init__(self, workers: int | None = None, *, processes: bool = False) -> None:
        count = workers or os.cpu_count() or 1
        self._pool: ThreadPoolExecutor | ProcessPoolExecutor
        if processes:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                count, mp_context=spawn, initializer=_end_with, initargs=(os.getpid(),)
            )
        else:
            self._pool = ThreadPoolExecutor(count, thread_name_prefix="vedette-pool")

    def submit(self, function: Callable[[J], R], job: J) -> Future[R]:
        return self._pool.submit(function, job)

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _end_with(parent: int) -> None:
    """End this worker when its parent is gone: a killed parent closes no queue."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
