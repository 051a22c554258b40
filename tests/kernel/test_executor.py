"""Jobs whose results come back in order, whatever happens to the processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.kernel.errors import OurFault
from vedette.kernel.executor import TRIES, in_order, processes


def killed_once(job: tuple[Path, int]) -> int:
    """Kill the process at job 3 the first time, which takes the jobs beside it along."""
    folder, number = job
    if number == 3 and not (folder / "killed").exists():
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def killed_always(folder: Path) -> None:
    with (folder / "tries").open("a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_costs_no_result(tmp_path: Path) -> None:
    jobs = [(tmp_path, number) for number in range(20)]
    assert list(in_order(processes, killed_once, jobs)) == list(range(0, 40, 2))
    assert (tmp_path / "killed").exists()


def test_a_process_that_dies_while_jobs_are_still_named_costs_none(tmp_path: Path) -> None:
    def named() -> Iterator[tuple[Path, int]]:
        yield tmp_path, 3
        while not (tmp_path / "killed").exists():
            time.sleep(0.01)
        time.sleep(0.2)  # until the pool knows, and takes no more
        yield tmp_path, 4

    assert list(in_order(processes, killed_once, named())) == [6, 8]


def test_a_process_that_dies_every_time_is_told(tmp_path: Path) -> None:
    with pytest.raises(OurFault, match="a process died 3 times"):
        list(in_order(processes, killed_always, [tmp_path]))
    assert len((tmp_path / "tries").read_text()) == TRIES


def test_what_a_job_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(in_order(processes, int, ["1", "x", "3"]))
