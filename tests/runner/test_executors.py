"""The local pool: threads and processes behind the same port."""

from __future__ import annotations

import os
import time

import pytest

from vedette.runner.executors import LocalPool


def double(value: int) -> int:
    return 2 * value


def fail(value: int) -> int:
    raise ValueError(f"job {value}")


def process_id(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("processes", [False, True])
def test_jobs_answer_and_errors_come_back(processes: bool) -> None:
    with LocalPool(1, processes=processes) as pool:
        futures = [pool.submit(double, n) for n in range(4)]
        failing = pool.submit(fail, 7)
        assert [future.result(30) for future in futures] == [0, 2, 4, 6]
        with pytest.raises(ValueError, match="job 7"):
            failing.result(30)
        assert (pool.submit(process_id, 0).result(30) != os.getpid()) is processes


def test_leaving_drops_what_has_not_started() -> None:
    with LocalPool(1) as pool:
        first = pool.submit(time.sleep, 0.2)  # type: ignore[arg-type]
        waiting = [pool.submit(time.sleep, 5) for _ in range(3)]  # type: ignore[arg-type]
        time.sleep(0.05)
    assert first.done()
    assert all(future.cancelled() for future in waiting)
