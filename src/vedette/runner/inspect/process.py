"""Inspect runs in a process of its own: one for all subjects of a run.

Inspect's start-up dominates, it may be started once at a time in a process, and it sets up logging
and an event loop of its own; a service's worker shouldn't have to share them. The parent writes one
JSON line on the child's standard input and keeps it open; the child writes JSON lines on its
standard output (`event`, `call`, `sample`, `failed`). Where the job says so (`asks`), each sample
writes `shows` and waits for a line in answer before its item is shown. When the parent is gone the
child's standard input ends, and the child with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from vedette.kernel.errors import OurFault

LAST_WORDS = 2000
STOP_SECONDS = 10


class InspectProcess:
    """The child process of one run; iterate over it for its lines as objects."""

    def __init__(self, job: dict[str, Any], logs: Path) -> None:
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._noise = logs / "inspect.txt"
        with self._noise.open("ab") as noise:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vedette.runner.inspect"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=noise,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield json.loads(line)
        if self._process.wait() != 0:
            raise OurFault(
                f"the Inspect process ended with {self._process.returncode}: {self._last_words()}",
                kept="the samples that were finished",
                next_step="run the same command again to go on",
            )

    def answer(self, key: list[Any]) -> None:
        """Let the sample go on that wrote `shows` with this key; one that is gone needs none."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(key).encode() + b"\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """End the child if it is still there: gently first, so that it clears up."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Close its output, once nobody reads it any more."""
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _last_words(self) -> str:
        lines = self._noise.read_bytes()[-LAST_WORDS:].decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")
