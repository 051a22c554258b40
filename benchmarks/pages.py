"""Pages: the main ones as signed-in people get them from `vedette serve`, beside `/healthz`.

gunicorn on SQLite, one visitor on one kept connection. `/healthz` on the same connection, in turns,
is the floor: an answer that asks the database nothing.
"""

from __future__ import annotations

import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.instances import found, served, tell_story
from benchmarks.result import Result, in_turns

SIZES: dict[str, tuple[int, ...]] = {
    "lab": (10_000,),
    "office": (),
    "clearinghouse": (121, 120, 200),
}
SMALL: dict[str, tuple[int, ...]] = {"lab": (20,), "office": (), "clearinghouse": (3, 3, 3)}


class Visitor:
    """Somebody with one kept connection."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.size = 0

    def get(self, path: str, cookie: str = "") -> float:
        """Milliseconds from asking to the last byte."""
        started = time.perf_counter()
        self._connection.request("GET", path, headers={"Cookie": cookie})
        answer = self._connection.getresponse()
        data = answer.read()
        spent = time.perf_counter() - started
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        self.size = len(data)
        return 1000 * spent

    def close(self) -> None:
        self._connection.close()


def run(quick: bool) -> list[Result]:
    results = []
    for profile, sizes in (SMALL if quick else SIZES).items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / profile
            port = found(folder, profile)
            pages = tell_story(profile, folder, *sizes)
            with served(folder, port):
                visitor = Visitor(port)
                for page in pages:
                    results.append(measure(visitor, page, 3 if quick else 100))
                visitor.close()
    return results


def measure(visitor: Visitor, page: dict[str, str], rounds: int) -> Result:
    def get() -> float:
        return visitor.get(page["path"], page["cookie"])

    visitor.get(page["path"], page["cookie"])
    size = visitor.size
    times = in_turns({"page": get, "floor": lambda: visitor.get("/healthz")}, rounds)
    note = f"{size / 1024:.0f} KiB"
    return Result(page["name"], "ms", times["page"], times["floor"], "/healthz", note)
