"""A hatch in an agent's sandbox, where it has inputs run of an item that it can't run itself.

A plant is many sandboxes, a release runs under an interpreter that the agent's sandbox has not. So
at /hatch lies a socket of the runner: an input goes in, what the run printed and how it ended come
out, and each run is a fresh sandbox, or a plant set up anew. Runs are counted, at most as many as
the budget's executions. `inside/program.py` speaks to it, and lies in place of the program.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vedette.kernel.errors import VedetteError
from vedette.runner.pythons import system_python

HATCH = "/hatch"
CLIENT = Path(__file__).parents[1] / "inside" / "program.py"
MOST_INPUT = 65_536
SECONDS = 10.0  # to hand an input in, and to take its answer
TIMED_OUT, NOT_RUN = 124, 125  # as `timeout` and `env` say it
WAITING = 16


@dataclass(frozen=True)
class Answer:
    """What a run came to: exit code, standard output, standard error."""

    code: int
    printed: bytes = b""
    said: bytes = b""

    def frame(self) -> bytes:
        head = f"{self.code} {len(self.printed)} {len(self.said)}\n".encode()
        return head + self.printed + self.said


def client() -> bytes:
    """The program that lies in the item's place."""
    return f"#!{system_python()} -ISB\n".encode() + CLIENT.read_bytes()


class Hatch:
    """Answers what comes in, up to `most` runs; `runs` is how many there were."""

    def __init__(self, run: Callable[[bytes], Answer], most: int) -> None:
        self._run, self._most = run, most
        self._lock = threading.Lock()
        self.runs = 0

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Path]:
        """Serve at a socket in `folder` as long as it is open; yields its path."""
        path = folder / "hatch"
        with socket.socket(socket.AF_UNIX) as door, ThreadPoolExecutor(os.cpu_count()) as pool:
            place = os.open(folder, os.O_PATH | os.O_DIRECTORY)
            try:  # a socket's path has at most 107 bytes
                door.bind(f"/proc/self/fd/{place}/hatch")
            finally:
                os.close(place)
            door.listen(WAITING)
            taking = threading.Thread(target=self._take, args=(door, pool), daemon=True)
            taking.start()
            try:
                yield path
            finally:
                door.shutdown(socket.SHUT_RDWR)
                taking.join()

    def _take(self, door: socket.socket, pool: ThreadPoolExecutor) -> None:
        with suppress(OSError):  # it was closed
            while True:
                pool.submit(self._serve, door.accept()[0])

    def _serve(self, asked: socket.socket) -> None:
        with asked, suppress(OSError):
            asked.settimeout(SECONDS)
            asked.sendall(self._answer(_input(asked)).frame())

    def _answer(self, data: bytes) -> Answer:
        if len(data) > MOST_INPUT:
            return Answer(NOT_RUN, said=f"not run: more than {MOST_INPUT:,} bytes\n".encode())
        with self._lock:
            if self.runs >= self._most:
                return Answer(NOT_RUN, said=b"not run: executions used up\n")
            self.runs += 1
        try:
            return self._run(data)
        except VedetteError as error:
            return Answer(NOT_RUN, said=f"not run: {error.what}\n".encode())


def _input(asked: socket.socket) -> bytes:
    data = b""
    while len(data) <= MOST_INPUT and (more := asked.recv(65_536)):
        data += more
    return data
