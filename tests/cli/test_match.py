"""`vedette match` and `vedette index` as a user runs them."""

from __future__ import annotations

import csv
import errno
import io
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vedette.cli import main
from vedette.formats import detect, many

RECORD = {
    "id": "PYSEC-1",
    "modified": "2026-01-01T00:00:00Z",
    "aliases": ["CVE-2026-2", "CVE-2026-1"],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "foo"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}
            ],
        }
    ],
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv/PYSEC-1.json").write_text(json.dumps(RECORD))
    (tmp_path / "inv").mkdir()
    rows = [
        {"bom-ref": "one", "name": "foo", "purl": "pkg:pypi/foo@1.0"},
        {"bom-ref": "two", "name": "=foo", "purl": "pkg:pypi/Foo"},
        {"bom-ref": "three", "name": "foo", "purl": "pkg:pypi/foo@2.0"},
    ]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": rows}
    (tmp_path / "inv/sbom.json").write_text(json.dumps(document))
    (tmp_path / "site.csv").write_text("purl;serial\npkg:pypi/foo@1.5;=SN1\n")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(list(args))
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


ARGS = ("match", "--advisories", "osv", "--inventory", "inv", "site.csv")


def test_lines_follow_the_contract(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *ARGS)
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert lines[0] == {
        "inventory": "inv/sbom.json",
        "component": "one",
        "purl": "pkg:pypi/foo@1.0",
        "version": "1.0",
        "advisory": "PYSEC-1",
        "aliases": ["CVE-2026-1", "CVE-2026-2"],
        "range": "vers:pypi/<2.0",
        "fixed": ["2.0"],
        "verdict": "affected",
        "confidence": "exact",
        "reason": "version 1.0 lies in vers:pypi/<2.0",
    }
    assert [(x["inventory"], x["component"], x["verdict"]) for x in lines[1:]] == [
        ("inv/sbom.json", "two", "unknown"),
        ("site.csv", "=SN1", "affected"),
    ]
    assert lines[1]["version"] == ""


def test_the_index_gives_the_same_lines(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, plain, _ = run(capsys, *ARGS)
    code, out, _ = run(capsys, "index", "--advisories", "osv", "--out", "a.idx", "--json")
    assert code == 0
    assert json.loads(out)["advisories"] == 1
    first = (files / "a.idx").read_bytes()
    run(capsys, "index", "--advisories", "osv", "--out", "a.idx")
    assert (files / "a.idx").read_bytes() == first
    code, indexed, _ = run(capsys, "match", "--advisories=a.idx", *ARGS[3:])
    assert (code, indexed) == (0, plain)


def test_names_in_any_script_come_out_of_an_index_alike(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "inv/sbom.json").rename(files / "inv/Gerät.json")
    (files / "site.csv").write_text("purl;serial\npkg:pypi/foo@1.5;設備\n")
    _, plain, _ = run(capsys, *ARGS)
    run(capsys, "index", "--advisories", "osv", "--out", "a.idx")
    code, indexed, _ = run(capsys, "match", "--advisories=a.idx", *ARGS[3:])
    assert (code, indexed) == (0, plain)
    assert json.loads(indexed.splitlines()[0])["inventory"] == "inv/Gerät.json"


def test_inventories_are_named_as_given(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("./inv", "inv//sbom.json", "./site.csv")
    _, out, _ = run(capsys, *ARGS[:4], *given)
    assert {json.loads(line)["inventory"] for line in out.splitlines()} == {
        *("./inv/sbom.json", "inv//sbom.json", "./site.csv")
    }


def test_a_full_disk_is_no_fault_of_ours(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vedette.formats.matches_out.WRITERS", {"table": full})
    code, _, err = run(capsys, *ARGS, "--format", "table")
    assert (code, err) == (
        2,
        "vedette: no room left (No space left on device); next: make room, and run it again\n",
    )


def test_a_ray_that_does_not_answer_is_said(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError("timed out")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=away))
    monkeypatch.setattr(many, "PART", 1)
    run(capsys, "index", "--advisories", "osv", "--out", "a.idx")
    args = ("match", "--advisories", "a.idx", "--inventory", "inv", "site.csv", "--ray", "x:1")
    code, _, err = run(capsys, *args)
    assert code == 2
    assert "--ray x:1: no cluster that answers (timed out); next: " in err


@pytest.mark.parametrize(("advisories", "code"), [("osv", 1), ("empty", 0)])
def test_fail_on_any(
    files: Path, capsys: pytest.CaptureFixture[str], advisories: str, code: int
) -> None:
    (files / "empty").mkdir()
    args = ("match", "--fail-on", "any", "--advisories", advisories, "--inventory", "inv")
    assert run(capsys, *args)[0] == code


def test_csv_runs_no_formulas(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *ARGS, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [r["component"] for r in rows] == ["one", "two", "'=SN1"]
    assert rows[0]["aliases"] == "CVE-2026-1 CVE-2026-2"


def test_sarif_and_vex(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *ARGS, "--format", "sarif")
    sarif: Any = json.loads(out)
    results = sarif["runs"][0]["results"]
    assert [r["kind"] for r in results] == ["fail", "review", "fail"]
    assert [r["id"] for r in sarif["runs"][0]["tool"]["driver"]["rules"]] == ["PYSEC-1"]
    _, out, _ = run(capsys, *ARGS, "--format", "vex")
    vex: Any = json.loads(out)
    statuses = [s["status"] for s in vex["statements"]]
    assert statuses == ["affected", "under_investigation", "affected"]
    assert vex["statements"][0]["action_statement"] == "Update to 2.0."


def test_the_table_shows_no_control_characters(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "site.csv").write_text("purl,serial\npkg:pypi/foo@1.5,\x1b[31mred\n")
    _, out, _ = run(capsys, *ARGS, "--format", "table")
    assert "\x1b" not in out
    assert out.splitlines()[-1] == "3 matches"


def test_a_broken_record_in_a_folder_is_listed_and_the_rest_read(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "osv/broken.json").write_text("{")
    code, out, err = run(capsys, *ARGS)
    assert code == 0
    assert len(out.splitlines()) == 3
    assert "broken.json: not JSON" in err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("match", "--advisories", "absent", "--inventory", "inv"), "no such file"),
        (("match", "--advisories", "site.csv", "--inventory", "inv"), "site.csv: not JSON"),
        (("match", "--advisories", "osv"), "Missing option '--inventory'"),
        (("match", "--advisories", "old.idx", "--inventory", "inv"), "index version 0"),
        (("index", "--advisories", "osv", "--out", "absent/a.idx"), "can't be written"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    files: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], words: str
) -> None:
    (files / "old.idx").write_bytes(b"vedette advisory index 0\n{}\n")
    code, _, err = run(capsys, *args)
    assert code == 2
    assert words in err
    assert len(err.splitlines()) == 1


def test_an_inventory_of_a_gigabyte_is_refused_unread(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (files / "huge.json").open("wb") as file:
        file.write(b'{"bomFormat": "CycloneDX"')
        file.truncate(1 << 30)
    tracemalloc.start()
    code, _, err = run(capsys, "match", "--advisories", "osv", "--inventory", "huge.json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code == 2
    assert "huge.json: 1,073,741,824 bytes, more than the 536,870,912 allowed" in err
    assert peak < 50_000_000


@pytest.mark.long
def test_two_hundred_thousand_components_and_a_cycle_are_read(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [json.dumps({"purl": f"pkg:pypi/f{'o' * (n % 100)}@1.{n}"}) for n in range(200_000)]
    cycle = '[{"ref":"a","dependsOn":["b"]},{"ref":"b","dependsOn":["a"]}]'
    head = '{"bomFormat":"CycloneDX","specVersion":"1.6"'
    text = f'{head},"dependencies":{cycle},"components":[{",".join(rows)}]}}'
    (files / "many.json").write_text(text)
    run(capsys, "index", "--advisories", "osv", "--out", "a.idx")
    code, out, _ = run(capsys, "match", "--advisories", "a.idx", "--inventory", "many.json")
    assert code == 0
    assert out.count("\n") == 2_000


def test_an_xml_bomb_is_refused(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))
    text = f'<!DOCTYPE bom [<!ENTITY l0 "ha">{laughs}]><bom>&l19;</bom>'
    (files / "bomb.xml").write_text(text)
    code, _, err = run(capsys, "match", "--advisories", "osv", "--inventory", "bomb.xml")
    assert code == 2
    assert "document type or entities is not read" in err


def test_who_waits_at_a_terminal_sees_how_far_it_is(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = "2 files read"
    (files / "osv/PYSEC-2.json").write_text(json.dumps(RECORD | {"id": "PYSEC-2"}))
    monkeypatch.setattr(detect, "PART", 2)
    assert shown not in run(capsys, *ARGS)[2], "nobody waits at a pipe"
    monkeypatch.setattr("vedette.cli.progress.shown", lambda: True)
    assert shown in run(capsys, *ARGS)[2]
    assert shown in run(capsys, "index", "--advisories", "osv", "--out", "a.idx")[2]
    _, _, err = run(capsys, "match", "--advisories", "a.idx", "--inventory", "inv")
    assert "1/1 parts of the inventories matched" in err


def test_an_index_of_another_version_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "old.idx").write_bytes(b"vedette advisory index 1\n{}\n")
    code, _, err = run(capsys, "match", "--advisories", "old.idx", "--inventory", "inv")
    assert code == 2
    assert "index version 1, this program reads version 5" in err
    assert "vedette index --advisories" in err


@pytest.mark.long
def test_ray_gives_the_same_lines_also_when_a_worker_is_killed(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray", reason="needs the extra [ray]")
    for number in range(6):
        (files / f"inv/{number}.json").write_text((files / "inv/sbom.json").read_text())
    run(capsys, "index", "--advisories", "osv", "--out", "a.idx")
    args = ("match", "--advisories", "a.idx", "--inventory", "site.csv", "inv")
    _, whole, _ = run(capsys, *args)
    for killed in ("", "killed"):
        script = RAY.format(killed=killed, args=[*args, "--ray", "local"])
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == whole
        assert (files / "killed").exists() is bool(killed)


# the command with parts of one file each, and at the third a worker that is killed the first time
RAY = """
import os, signal, sys
from pathlib import Path
from vedette.cli import main
from vedette.formats import many

here, tell_part = Path.cwd(), many.tell_part

def killed_once(task):
    os.chdir(here)
    mark = here / "killed"
    if {killed!r} and "inv/2.json" in str(task.files) and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return tell_part(task)

many.PART, many.tell_part = 1, killed_once
main({args!r})
"""


def test_ray_is_for_many_inventories_and_one_index(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *ARGS, "--ray", "local")
    assert code == 2
    assert "--ray: only for JSON Lines, with one index" in err


def test_many_inventories_in_parts_give_the_lines_of_one_go(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        (files / f"inv/{number}.json").write_text((files / "inv/sbom.json").read_text())
    (files / "inv/broken.json").write_text("{")
    run(capsys, "index", "--advisories", "osv", "--out", "a.idx")
    args = ("match", "--advisories", "a.idx", "--inventory", "site.csv", "inv", "--fail-on", "any")
    whole = run(capsys, *args)
    monkeypatch.setattr(many, "PART", 300)
    assert len(many.parts([(f"inv/{n}.json", True) for n in range(4)])) > 1
    in_parts = run(capsys, *args)
    assert in_parts[:2] == whole[:2]
    assert sorted(in_parts[2].splitlines()) == sorted(whole[2].splitlines())
    named = run(capsys, *args[:3], "--inventory", "inv/broken.json", "inv/0.json", "inv/1.json")
    assert (named[0], named[1]) == (2, "")


def test_a_folder_without_a_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "a.json").write_text(
        '{"id": "A", "modified": "2026-01-01T00:00:00Z", "affected": []}'
    )
    given = ["--advisories", str(tmp_path / "a.json"), "--inventory", str(tmp_path / "none")]
    with pytest.raises(SystemExit) as ended:
        main(["match", *given])
    assert ended.value.code == 0
    told = capsys.readouterr()
    assert (told.out, "none: a folder without a file" in told.err) == ("", True)


def test_nothing_to_match_with_is_said(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "notes").mkdir()
    (files / "notes/PYSEC-1.toml").write_text("id: PYSEC-1")
    given = ("--inventory", "site.csv", "--advisories", "notes")
    code, out, err = run(capsys, "match", *given)
    assert (code, out) == (0, "")
    assert "notes: 1 file left aside, of another ending" in err
    assert "no file of advisories was read" in err
    assert "no advisory was read" in run(capsys, "index", *given[2:], "--out", "none.idx")[2]
    assert "no advisory in it" in run(capsys, "match", *given[:-1], "none.idx")[2]
    (files / "notes/sbom.yaml").write_text("bomFormat: CycloneDX")
    sboms = ("--inventory", "notes", *given[2:-1], "none.idx")
    assert "make JSON of the YAML" in run(capsys, "match", *sboms)[2]


def test_what_cannot_be_read_leaves_the_index_as_it_was(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "index", "--advisories", "osv", "--out", "all.idx")[0] == 0
    before = (files / "all.idx").read_bytes()
    (files / "other.json").write_text('{"hello": 1}')
    code, _, err = run(capsys, "index", "--advisories", "other.json", "--out", "all.idx")
    assert (code, (files / "all.idx").read_bytes()) == (2, before)
    for part in ("neither an OSV", "kept: all.idx as it was", "next: give OSV"):
        assert part in err


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", "<bom/>", "<a", "", "\0\1", "a,b\n1,2\n", '{"a":' * 999, 'product\n"x\n'],
)
def test_whatever_is_refused_says_what_to_do(
    files: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (files / "bad").write_text(content)
    code, out, err = run(capsys, "match", "--advisories", "osv", "--inventory", "bad")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("vedette: bad: ")
    assert "; next: " in err
