"""`vedette findings dedupe`: stand-alone, nothing dropped, the contract's rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vedette.cli import main

A = {"id": "f-1", "title": "overflow in frobnicator parser", "product": "pump", "reporter": "a"}
B = {"id": "f-2", "title": "frobnicator parser overflow", "product": "acme/pump", "reporter": "b"}


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["findings", *args])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_rows_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "f.jsonl", tmp_path / "o.jsonl"
    source.write_text(json.dumps(A) + "\n" + json.dumps(B) + "\n")
    code, printed, _ = run(capsys, "dedupe", str(source), "--out", str(out), "--json")
    assert code == 0
    assert json.loads(printed)["groups"] == 1
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(r["id"], r["cluster"], r["relation"]) for r in rows] == [
        ("f-1", "f-1", "same"),
        ("f-2", "f-1", "same"),
    ]
    assert not out.with_name("o.jsonl.rejected.jsonl").exists()


def test_what_is_rejected_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "f.jsonl", tmp_path / "o.jsonl"
    lines = [json.dumps(A), "{", json.dumps(A), json.dumps({**A, "title": "other"})]
    source.write_text("\n".join(lines))
    code, _, err = run(capsys, "dedupe", str(source), "--out", str(out))
    assert code == 0
    assert "2 rejected" in err
    kept = [json.loads(x) for x in (tmp_path / "o.jsonl.rejected.jsonl").read_text().splitlines()]
    assert kept[0]["line"] == 2
    assert "already names another finding" in kept[1]["reason"]


def test_of_two_contents_under_one_id_the_order_does_not_choose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = []
    for lines in ([A, {**A, "title": "other"}, B], [B, {**A, "title": "other"}, A]):
        source, out = tmp_path / "f.jsonl", tmp_path / "o.jsonl"
        source.write_text("\n".join(json.dumps(line) for line in lines))
        run(capsys, "dedupe", str(source), "--out", str(out))
        written.append(out.read_text())
    assert written[0] == written[1]


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "f.jsonl"
    source.write_text("{\n")
    code, out, err = run(capsys, "dedupe", str(source), "--out", str(tmp_path / "o.jsonl"))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "kept: every record with its reason" in err
    code, _, err = run(capsys, "dedupe", str(tmp_path / "none"), "--out", str(tmp_path / "o"))
    assert code == 2
    assert "can't be read" in err


def test_an_empty_file_gives_no_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "f.jsonl", tmp_path / "o.jsonl"
    source.touch()
    assert run(capsys, "dedupe", str(source), "--out", str(out))[0] == 0
    assert out.read_text() == ""
