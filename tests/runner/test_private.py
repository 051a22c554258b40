"""Private folders: in memory, their owner's alone, gone at the end and after a kill."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vedette.bench.suites import find_suite
from vedette.kernel.errors import Refused
from vedette.runner import private
from vedette.runner.build import build_item
from vedette.runner.private import MEMORY_KINDS, places, private_folder, scratch_beside, sweep

pytestmark = pytest.mark.any_database

CHILD = """
import sys, time
from vedette.runner.private import private_folder
with private_folder() as folder:
    (folder / "item.c").write_text("an item")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_it_is_in_memory_and_its_owners_alone_and_goes() -> None:
    with private_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.parent in places()
        done = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, check=True)
        assert done.stdout.decode().strip() in MEMORY_KINDS
        (folder / "item.c").write_text("an item")
        sweep()
        assert (folder / "item.c").exists(), "who works in it keeps it"
    assert not folder.exists()


def test_what_a_killed_process_left_is_swept() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        folder = Path(child.stdout.readline().decode().strip())
        assert (folder / "item.c").exists()
        sweep()
        assert (folder / "item.c").exists()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert (folder / "item.c").exists(), "a kill leaves it behind"
    sweep()
    assert not folder.exists()


def test_without_memory_nothing_opens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(private, "SHM", tmp_path)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with pytest.raises(Refused, match="in memory only"), private_folder():
        raise AssertionError
    assert not list(tmp_path.iterdir())


def test_builds_and_their_temporary_files_stay_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scratch_beside(Path("/var/cache")) is None
    with private_folder() as folder:
        seen: list[str] = []
        plain = os.mkdir

        def watched(path: str, *args: int) -> None:
            seen.append(os.fspath(path))
            plain(path, *args)

        monkeypatch.setattr(os, "mkdir", watched)
        binary = build_item(find_suite("daemons").items[0], "vulnerable", folder / "builds")
        assert binary.path.is_relative_to(folder)
        made = [Path(path) for path in seen if not path.startswith("/sys/")]
        assert made
        assert all(path.is_relative_to(folder) for path in made)
