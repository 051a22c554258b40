"""`vedette document`: a copy taken, and traced by its code, by the file, by a file that changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.services.flow import LabStory

from vedette.cli import document as command
from vedette.kernel.errors import AnswerIsNo, NotFound
from vedette.kernel.permissions import Profile
from vedette.services.testing import Fixture, instance


@pytest.fixture
def lab(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fixture]:
    monkeypatch.setattr(command, "boot", lambda folder: None)
    with instance(Profile.LAB, tmp_path) as made:
        yield made


def vedette(*words: str) -> Result:
    return CliRunner().invoke(command.document, words)


def test_a_copy_is_taken_and_traced(lab: Fixture, tmp_path: Path) -> None:
    act, out = LabStory.start(lab).offered(), tmp_path / "act.pdf"
    taken = vedette("take", "act", act, "--out", str(out))
    assert taken.exit_code == 0, taken.output
    code = taken.output.split(":")[0]
    assert out.read_bytes().startswith(b"%PDF")
    for named in (code, code.upper(), str(out)):
        answer = vedette("whose", named)
        assert f"{code}: the instance took it at" in answer.output
        assert act in answer.output
    out.write_bytes(out.read_bytes() + b"\n")
    said = json.loads(vedette("whose", str(out), "--json").output)
    assert (said["copy"], said["about"], said["form"]) == (code, act, "pdf")


def test_what_was_never_taken_is_a_plain_no(lab: Fixture, tmp_path: Path) -> None:
    other = tmp_path / "other.pdf"
    other.write_bytes(b"%PDF-1.7 nothing of ours")
    for named in ("copy-2222222222222222", str(other)):
        answer = vedette("whose", named)
        assert isinstance(answer.exception, AnswerIsNo)
        assert "no copy" in str(answer.exception)
    missing = vedette("take", "act", "act-2222222222222222", "--out", str(tmp_path / "x.pdf"))
    assert isinstance(missing.exception, NotFound)
    assert not (tmp_path / "x.pdf").exists()
