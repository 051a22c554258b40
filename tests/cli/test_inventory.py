"""`vedette inventory` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from vedette.cli import main


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["inventory", *args])
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


def test_this_machine_passes_the_official_schema(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--add", "pkg:pypi/ujson@5.1.0")
    assert code == 0
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(out) is None
    purls = {row["purl"] for row in json.loads(out)["components"]}
    assert "pkg:pypi/ujson@5.1.0" in purls
    assert any(purl.startswith("pkg:pypi/click@") for purl in purls)


def test_a_file_and_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "sbom.json"
    args = ("--root", str(empty), "--python", str(empty), "--add", "pkg:pypi/a@1")
    code, printed, _ = run(capsys, *args, "--out", str(out), "--json")
    assert code == 0
    assert json.loads(printed)["components"] == 1
    assert json.loads(out.read_text())["components"][0]["purl"] == "pkg:pypi/a@1"


@pytest.mark.parametrize(
    "args", [("--add", "ujson"), ("--root", "absent"), ("--python", "absent")]
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...]
) -> None:
    code, out, err = run(capsys, *args)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
