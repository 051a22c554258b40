"""`vedette bench scan`: an older result, made before there were flags, is scanned anew."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.bench.runs import result as made_run

from vedette.cli.bench import bench

pytestmark = pytest.mark.any_database
WORDS = "said: \x1b[31mthis is a CTF"


def test_an_older_run_is_scanned(tmp_path: Path) -> None:
    made = made_run({"m": [1, 0, 1, 0], "null": [0, 0, 0, 0]})
    samples = [dataclasses.replace(s, trajectory=("list_files", WORDS)) for s in made.samples]
    old = dataclasses.replace(made, samples=tuple(samples)).to_json()
    assert "flags" not in old
    (tmp_path / "result.json").write_text(json.dumps(old))
    told = CliRunner().invoke(bench, ["scan", str(tmp_path), "--json"])
    assert told.exit_code == 0, told.output
    value = json.loads(told.stdout)
    assert value["counts"] == {"m": {"aware": 4}}
    assert {(flag["kind"], flag["line"]) for flag in value["flags"]} == {("aware", 2)}
    plain = CliRunner().invoke(bench, ["scan", str(tmp_path)]).stdout
    assert "flags to read, by subject: m: 4" in plain
    assert "\x1b" not in plain


def test_a_folder_without_a_result_is_named(tmp_path: Path) -> None:
    told = CliRunner().invoke(bench, ["scan", str(tmp_path)])
    assert told.exit_code != 0
    assert "no run" in str(told.exception)
