"""Instances founded and served as anybody's are, in a scratch folder and on loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, VEDETTE, output

START = "2026-12-01T09:00:00Z"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def found(folder: Path, profile: str, database: str = "") -> int:
    """Found a demo instance with a clock file of its own; return its port."""
    port = free_port()
    where = ["--bind", f"127.0.0.1:{port}", "--database", database, "--demo", str(folder)]
    output([*VEDETTE, "init", "--profile", profile, *where])
    (folder / "clock").write_text(START + "\n", "ascii")
    return port


def tell_story(name: str, folder: Path, *arguments: object) -> Any:
    """Fill an instance in a process of its own (see `stories`); return what it says."""
    command = [sys.executable, "-m", "benchmarks.stories", name, str(folder), *map(str, arguments)]
    return json.loads(output(command, clock(folder)).splitlines()[-1])


def clock(folder: Path) -> dict[str, str]:
    return {"VEDETTE_CLOCK": str(folder / "clock"), "VEDETTE_INSTANCE": str(folder)}


@contextmanager
def running(command: list[str], port: int, ready: str, env: dict[str, str]) -> Iterator[int]:
    """A server in a process of its own, from its first good answer at `ready` on; its pid."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        for _ in range(300):
            if process.poll() is not None:
                assert process.stderr is not None
                raise RuntimeError(process.stderr.read().decode()[-500:])
            if _answers(port, ready):
                break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"{' '.join(command[1:4])}: no answer within 30 s")
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stderr is not None
        process.stderr.close()


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def served(folder: Path, port: int) -> Iterator[int]:
    """The instance behind `vedette serve`, its worker beside it; the server's pid."""
    command = [*VEDETTE, "serve", "--instance", str(folder)]
    with running(command, port, "/readyz", clock(folder)) as pid:
        yield pid
