"""A run's folder under a key: nothing in it reads without the key, and it goes on with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runner.sealed import PLAN, filled

from vedette.kernel.errors import BadInput
from vedette.kernel.sealing import Box, WindowKey
from vedette.runner.runfolder import RunFolder, scratch

MARKER = "said by the model"
BOX = Box(WindowKey.generate(), "run/x")


def test_nothing_of_the_run_lies_open(tmp_path: Path) -> None:
    filled(tmp_path, BOX, MARKER)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"samples.jsonl", "run.json", "task.json.sealed"}
    for path in files:
        assert MARKER.encode() not in path.read_bytes(), path
    assert not scratch(tmp_path).exists()


def test_it_goes_on_with_its_key_alone(tmp_path: Path) -> None:
    filled(tmp_path, BOX, MARKER)
    again = RunFolder(tmp_path, PLAN, BOX)
    assert [s.trajectory for s in again.samples] == [(MARKER,)] * 2
    again.close()
    with pytest.raises(BadInput):
        RunFolder(tmp_path, PLAN, Box(WindowKey.generate(), "run/x"))
    with pytest.raises(BadInput):
        RunFolder(tmp_path, PLAN)
    with pytest.raises(BadInput):
        RunFolder(tmp_path, PLAN, Box(BOX.key, "run/y"))


def test_the_log_opens_with_the_key(tmp_path: Path) -> None:
    filled(tmp_path, BOX, MARKER)
    with (tmp_path / "logs" / "task.json.sealed").open("rb") as file:
        opened = b"".join(BOX.key.open_file(file, "run/x/task.json.sealed"))
    assert MARKER.encode() in opened


def test_without_a_key_it_is_as_it_was(tmp_path: Path) -> None:
    filled(tmp_path, None, MARKER)
    assert MARKER in (tmp_path / "samples.jsonl").read_text()
    assert MARKER in (tmp_path / "logs" / "task.json").read_text()
