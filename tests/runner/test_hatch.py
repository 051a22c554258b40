"""The hatch by which an agent has inputs run: what comes back, how often, and when it is closed."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vedette.kernel.errors import MissingPart
from vedette.runner.subjects.hatch import MOST_INPUT, NOT_RUN, Answer, Hatch

pytestmark = pytest.mark.any_database


def echo(data: bytes) -> Answer:
    return Answer(len(data) % 100, data, data[::-1])


def handed_in(path: Path, data: bytes) -> Answer:
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(str(path))
        try:
            end.sendall(data)
            end.shutdown(socket.SHUT_WR)
        except OSError:  # it had read enough
            pass
        with end.makefile("rb") as answer:
            code, printed, said = map(int, answer.readline().split())
            return Answer(code, answer.read(printed), answer.read(said))


def all_of(path: Path, inputs: Sequence[bytes]) -> list[Answer]:
    with ThreadPoolExecutor(len(inputs)) as many:
        return list(many.map(lambda data: handed_in(path, data), inputs))


def test_many_at_once_each_get_their_own_answer_and_are_counted(tmp_path: Path) -> None:
    hatch = Hatch(echo, 20)
    inputs = [bytes([n]) * n * 100 for n in range(24)]
    with hatch.opened(tmp_path) as path:
        answers = all_of(path, inputs)
    run = [(data, got) for data, got in zip(inputs, answers, strict=True) if got.code != NOT_RUN]
    assert all(got == echo(data) for data, got in run)
    assert (len(run), hatch.runs) == (20, 20)


def test_what_is_too_large_or_can_not_run_is_told(tmp_path: Path) -> None:
    def missing(data: bytes) -> Answer:
        raise MissingPart("a compiler is missing")

    hatch = Hatch(missing, 2)
    with hatch.opened(tmp_path) as path:
        large = handed_in(path, b"x" * (MOST_INPUT + 1))
        failed = handed_in(path, b"")
    assert (large.code, failed.code, hatch.runs) == (NOT_RUN, NOT_RUN, 1)
    assert b"more than 65,536 bytes" in large.said
    assert failed.said == b"not run: a compiler is missing\n"


def test_a_long_way_to_the_folder_is_no_matter_and_it_is_closed_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 25)
    folder.mkdir()
    with Hatch(echo, 1).opened(folder) as path:
        pass
    with socket.socket(socket.AF_UNIX) as end:
        (tmp_path / "short").symlink_to(folder)
        with pytest.raises(ConnectionRefusedError):
            end.connect(str(tmp_path / "short" / path.name))
