"""Executors: on this machine, and on a Ray cluster.

`LocalPool` serves jobs that mostly wait for sandboxed processes of their own, as samples do: the
work is in those processes, so threads start them, and they die with this one. Jobs that compute in
Python themselves take `processes=True`; its workers end when their parent is gone.

`RayPool` needs the extra [ray]; Ray itself executes a job again whose worker died.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import redirect_stdout
from importlib import import_module
from types import TracebackType
from typing import Any

from vedette.kernel.errors import BadInput
from vedette.kernel.executor import J, R


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


class RayPool:
    """The workers of the Ray cluster at `address`; "local" starts one on this machine."""

    def __init__(self, address: str = "local") -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it calls home
        self._ray: Any = import_module("ray")
        self._told = redirect_stdout(sys.stderr)  # its news would stand among our lines
        try:
            self._ray.init(address, log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError, ValueError) as error:
            said = str(error).partition("\n")[0][:200]
            raise BadInput(
                f"--ray {address}: no cluster that answers ({said})",
                next_step="see that it runs there; `local` starts one here",
            ) from None

    def submit(self, function: Callable[[J], R], job: J) -> Future[R]:
        future: Future[R] = self._ray.remote(function).remote(job).future()
        return future

    def __enter__(self) -> RayPool:
        self._told.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ray.shutdown()
        self._told.__exit__(kind, error, trace)
