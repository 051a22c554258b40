"""`vedette ledger verify`: needs no instance; intact is 0, broken 1, no ledger 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.ledger.ledgers import KEYS, chain, exported, lines, rewrite

from vedette.cli import main
from vedette.kernel.keys import PrivateKeys


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["ledger", *map(str, args)])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.mark.parametrize("name", ["", "ledger.jsonl"])
def test_intact_says_what_that_proves(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "verify", exported(tmp_path) / name)
    assert (code, err) == (0, "")
    assert out.startswith("Intact: 23 entries.\nThis proves that entries 1 to 20 are those")
    assert f"key {KEYS.public.keyid}" in out


def test_broken_names_the_first_entry_on_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = lines(exported(tmp_path))
    rows[11]["org"] = "org-3333333333333333"
    rewrite(tmp_path, rows)
    code, out, err = run(capsys, "verify", tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("vedette: ledger broken at entry 12: its content")
    assert "checkpoint at size 10 holds" in err
    assert err.count("\n") == 1
    code, out, _ = run(capsys, "verify", tmp_path, "--json")
    assert code == 1
    assert json.loads(out)["first_broken"] == 12


def test_json_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "verify", exported(tmp_path), "--json")
    verdict = json.loads(out)
    assert code == 0
    assert (verdict["intact"], verdict["size"], verdict["checkpoint"]["size"]) == (True, 23, 20)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_checkpoint_kept_elsewhere_shows_a_cut_off_end(
    indent: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, points = chain(23)
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(points[-1].to_json(), indent=indent))
    code, out, _ = run(capsys, "verify", exported(tmp_path / "whole"), "--checkpoint", kept)
    assert code == 0
    assert "kept elsewhere" in out
    code, _, err = run(capsys, "verify", exported(tmp_path / "cut", 12), "--checkpoint", kept)
    assert code == 1
    assert "the end is missing" in err


def test_checkpoints_kept_one_a_line_serve_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = exported(tmp_path)
    code, out, _ = run(capsys, "verify", folder, "--checkpoint", folder / "checkpoints.jsonl")
    assert code == 0
    assert "kept elsewhere" in out


def test_keys_from_elsewhere_take_the_place_of_the_exports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = exported(tmp_path / "ledger")
    for keys, expected in ((KEYS, 0), (PrivateKeys.generate(), 1)):
        card = tmp_path / "card.json"
        card.write_text(json.dumps({"ed25519": keys.public.ed25519, "age": keys.public.age}))
        code, _, err = run(capsys, "verify", folder, "--keys", card)
        assert code == expected
        assert ("unknown key" in err) == bool(expected)


def test_what_is_no_ledger_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    folder = exported(tmp_path / "ledger")
    for args in (
        ["verify", tmp_path / "absent"],
        ["verify", tmp_path],
        ["verify", folder, "--checkpoint", bad],
        ["verify", folder, "--keys", bad],
        ["verify", folder, "--checkpoint", tmp_path / "absent"],
    ):
        code, out, err = run(capsys, *args)
        assert (code, out, err.count("\n")) == (2, "", 1), err
    (folder / "keys.json").unlink()
    code, _, err = run(capsys, "verify", folder)
    assert code == 2
    assert "--keys" in err
