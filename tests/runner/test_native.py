"""Small programs in C are built once, and done without where they can't be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.runner import native

pytestmark = pytest.mark.any_database


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    native._built.cache_clear()
    made = tmp_path / "small.c"
    made.write_text("int main(int count, char **arguments) { return count == 1 ? 2 : 0; }")
    yield made
    native._built.cache_clear()


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no compiler is installed")
def test_a_program_is_built_once_and_again_where_its_cache_was_emptied(source: Path) -> None:
    program = native.built(source)
    assert program is not None
    first = program.stat().st_ino
    native._built.cache_clear()
    assert native.built(source) == program
    assert program.stat().st_ino == first
    shutil.rmtree(program.parent)
    assert native.built(source) == program
    assert list(program.parent.iterdir()) == [program]


def test_what_can_not_be_built_kept_or_run_is_done_without(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write_text("int main(void) { return 0; }")
    assert native.built(source) is None
    source.write_text("no C")
    native._built.cache_clear()
    assert native.built(source) is None
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    native._built.cache_clear()
    assert native.built(source) is None
    monkeypatch.setattr(native.shutil, "which", lambda name: None)
    native._built.cache_clear()
    assert native.built(source) is None
