"""What a lab sent lies sealed on the office's instance: no file of it holds a word, no backup does.

The instance is a real one, in processes of its own, with its database and journal as files.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_instance import done, vedette
from tests.services.custody_child import MARKER, MARKERS

ROOT = Path(__file__).resolve().parents[2]
# the instance has a database of its own, whatever the tests' is
pytestmark = pytest.mark.any_database


def child(folder: Path, *words: str) -> dict[str, Any]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VEDETTE_", "DJANGO_"))}
    said = subprocess.run(
        [sys.executable, "-m", "tests.services.custody_child", str(folder), *words],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    value: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return value


def holding(folder: Path) -> list[str]:
    """The files below `folder` in which the marker stands, as it is or in base64."""
    marks = [mark.encode() for mark in MARKERS]
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(mark in path.read_bytes() for mark in marks)
    ]


def test_the_search_finds_the_marker_wherever_it_begins(tmp_path: Path) -> None:
    for lead in ("", "x", "xx", "xxx"):
        coded = base64.b64encode(f"{lead}{MARKER} and more".encode())
        (tmp_path / f"coded{len(lead)}").write_bytes(b"{" + coded)
    (tmp_path / "plain").write_text(f"<{MARKER}>")
    assert len(holding(tmp_path)) == 5


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("houses") / "office"
    done("init", "--profile", "office", "--name", "Office", folder)
    return folder, child(folder, "take")


def test_the_office_reads_what_it_was_sent(office: tuple[Path, dict[str, Any]]) -> None:
    folder, said = office
    assert child(folder, "read", said["act"])["texts"] == said["texts"]
    assert len(said["texts"]) >= 11
    assert sum(any(mark in text for mark in MARKERS) for text in said["texts"]) >= 11
    for word in ("proposal", "comment", "view", "question"):
        assert sum(f"{word} {MARKER}" in text for text in said["texts"]) == 1, word


def test_no_file_of_the_instance_holds_a_word_of_it(office: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = office
    assert (folder / "db.sqlite3").stat().st_size > 100_000
    assert holding(folder) == []


def test_a_backup_holds_neither_words_nor_keys(
    office: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, said = office
    printed = done("backup", tmp_path / "b.tar.gz", "--instance", folder)
    assert "keys of windows stay in keys/windows" in printed
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        assert not [name for name in archive.getnames() if "windows" in name]
    done("restore", tmp_path / "b.tar.gz", tmp_path / "again")
    assert holding(tmp_path / "again") == []
    assert child(tmp_path / "again", "read", said["act"])["texts"] == []
    checked = vedette("check", "--instance", tmp_path / "again")
    assert checked.returncode == 1
    assert said["act"] in checked.stdout
    key = folder / "keys" / "windows" / f"{said['act']}.key"
    home = tmp_path / "again" / "keys" / "windows"
    home.mkdir(mode=0o700)
    (home / key.name).write_bytes(key.read_bytes())
    assert child(tmp_path / "again", "read", said["act"])["texts"]


def test_an_old_backup_reads_nothing_after_destruction(
    office: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """The backup is older than the destruction; before it, the same words read."""
    folder, said = tmp_path / "office", office[1]
    done("backup", tmp_path / "whole.tar.gz", "--instance", office[0])
    done("restore", tmp_path / "whole.tar.gz", folder)
    home = folder / "keys" / "windows"
    home.mkdir(mode=0o700)
    for key in (office[0] / "keys" / "windows").iterdir():
        (home / key.name).write_bytes(key.read_bytes())
    done("backup", tmp_path / "old.tar.gz", "--instance", folder)
    assert "note marker" in json.dumps(child(folder, "read", said["act"]))
    gone = child(folder, "destroy", said["act"])
    assert gone["state"] == "destroyed"
    assert gone["counts"]["message received"] >= 1
    assert gone["counts"]["file of a run"] == 3
    assert "note marker" not in json.dumps(gone)
    assert not (home / f"{said['act']}.key").exists()
    assert holding(folder) == []
    done("restore", tmp_path / "old.tar.gz", tmp_path / "old")
    (tmp_path / "old" / "keys" / "windows").mkdir(mode=0o700)
    for key in home.iterdir():
        (tmp_path / "old" / "keys" / "windows" / key.name).write_bytes(key.read_bytes())
    assert "note marker" not in json.dumps(child(tmp_path / "old", "read", said["act"]))
    assert child(tmp_path / "old", "read", said["act"])["texts"] == []
    assert holding(tmp_path / "old") == []
    done("ledger", "verify", "--instance", folder)
