"""A killed process leaves no sandbox behind, at whatever moment of a sandbox's start it dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vedette.runner import cgroups, guard

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
STARTS = """
import sys, threading
from vedette.runner.guard import guard
from vedette.runner.sandbox import Sandbox
print(guard().watcher.pid, flush=True)
def go():
    while True:
        Sandbox().run(["/bin/sleep", "86400.4720"], timeout=0.02)
threads = [threading.Thread(target=go) for _ in range(4)]
[each.start() for each in threads]
"""


def marked(process: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"{guard.NAME}_{process}_".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def groups(process: int) -> list[Path]:
    places = cgroups.detect().places.values()
    return [path for folder, _ in places for path in folder.glob(f"vedette-{process}-*")]


def until_none(process: int) -> None:
    for _ in range(200):
        if not marked(process) and not groups(process):
            return
        time.sleep(0.05)
    raise AssertionError(f"left behind: {marked(process)}, {groups(process)}")


@pytest.mark.parametrize("delay", [0.0, 0.004, 0.009, 0.013])
def test_whoever_is_killed_leaves_no_sandbox(delay: float) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(400):
            if marked(process.pid):
                break
            time.sleep(0.005)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    until_none(process.pid)


def test_a_sandbox_that_outlived_its_parent_is_ended_by_the_guard() -> None:
    """One that never heard of its parent's end: started with its own, in a session of its own."""
    made = guard._guard_of.__wrapped__(-os.getpid())
    command = ["bwrap", "--unshare-pid", *made.arguments, "--dev-bind", "/", "/", "sleep", "86400"]
    with subprocess.Popen(command, start_new_session=True) as sandbox:
        while not marked(-os.getpid()):
            time.sleep(0.01)
        os.close(made.lifeline)
        assert sandbox.wait(20) == -signal.SIGKILL
        assert made.watcher.wait(20) == 0
