"""`vedette publish`: each format as a file, checked; what is not written is said plainly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.services.coordination import Executions, executions, opened

from vedette.cli import main
from vedette.services import advisories
from vedette.services.testing import Fixture

__all__ = ["executions"]


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["publish", *args])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.fixture
def case_id(
    clearinghouse: Fixture, executions: Executions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    monkeypatch.setattr("vedette.cli.publish.boot", lambda folder: tmp_path)
    made = opened(clearinghouse)
    advisories.publish_advisory(
        clearinghouse.person("coordinator"),
        made.id,
        summary="A block write overflows the heap.",
        details="The end of the block is not checked.",
        priority={"kev": False, "automatable": True, "impact": "total"},
        reason="nobody else is concerned",
    )
    return str(made.id)


def test_files_are_written_and_checked(
    case_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    formats = [part for name in ("csaf", "osv", "vex") for part in ("--format", name)]
    out = tmp_path / "new" / "folder"
    code, printed, err = run(capsys, *formats, "--case", case_id, "--out", str(out), "--json")
    assert (code, err) == (0, "")
    lines = json.loads(printed)
    assert [line["format"] for line in lines] == ["csaf", "osv", "vex"]
    assert lines[0]["validator"] == "passed"
    assert lines[1]["validator"].startswith("not checked")
    written = {
        Path(line["file"]).name: json.loads(Path(line["file"]).read_text()) for line in lines
    }
    assert len(written) == 3
    assert sorted(path.name for path in out.iterdir()) == sorted(written)


@pytest.mark.parametrize("format_", ["stix", "cve", "pdf"])
def test_a_format_that_is_not_written_is_bad_input(
    case_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    code, _, err = run(capsys, "--format", format_, "--case", case_id, "--out", str(tmp_path / "o"))
    assert code == 2
    assert "formats: csaf, osv, vex" in err
    assert not (tmp_path / "o").exists()


def test_an_unknown_case_is_bad_input(
    case_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "--format", "csaf", "--case", "case-2", "--out", str(tmp_path))
    assert code == 2
    assert "no advisory is published" in err
