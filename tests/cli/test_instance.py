"""Commands of an instance, as a person types them: refusals in one line, nothing half done."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from vedette.kernel.packs import default_pack, plain

VEDETTE = Path(sys.executable).with_name("vedette")
Done = subprocess.CompletedProcess[str]


def vedette(*words: object, **environment: str) -> Done:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VEDETTE_")}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        [str(VEDETTE), *map(str, words)],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def done(*words: object, **environment: str) -> str:
    answer = vedette(*words, **environment)
    assert answer.returncode == 0, (words, answer.stderr)
    return answer.stdout


def refused(*words: object, **environment: str) -> str:
    """The one line of a command that was refused as bad input."""
    answer = vedette(*words, **environment)
    assert answer.returncode == 2, (words, answer.returncode, answer.stdout, answer.stderr)
    assert not answer.stdout
    (line,) = answer.stderr.splitlines()
    assert line.startswith("vedette: ")
    return line


def counts(folder: Path) -> dict[str, int]:
    """How many rows each table of an instance has."""
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in tables
        }


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("instances") / "lab"
    said = done("init", "--profile", "lab", "--name", "Example Lab", folder)
    assert "one-time link: http://127.0.0.1:8000/welcome/" in said
    return folder


def test_an_instance_is_founded_once(lab: Path) -> None:
    key = (lab / "keys" / "instance.key").read_bytes()
    line = refused("init", "--profile", "lab", lab)
    assert "an instance is here already" in line
    assert "kept: all of it" in line
    assert "next: " in line
    assert (lab / "keys" / "instance.key").read_bytes() == key


def test_a_wrong_profile_lists_the_profiles(tmp_path: Path) -> None:
    line = refused("init", "--profile", "bakery", tmp_path / "new")
    assert "'clearinghouse', 'lab', 'office', 'operator'" in line
    assert not (tmp_path / "new").exists()


def test_a_simulated_clock_is_for_demos(lab: Path) -> None:
    assert "demo" in refused("check", "--instance", lab, VEDETTE_CLOCK="2027-01-01T00:00:00Z")


def test_check_tells_machines(lab: Path) -> None:
    results = json.loads(done("check", "--json", "--instance", lab))
    assert {r["level"] for r in results} <= {"ok", "weak", "wrong"}
    assert all(set(r) == {"level", "what", "next_step"} for r in results)


def test_people_and_tokens(lab: Path) -> None:
    before = counts(lab)
    line = refused("invite", "ann@lab.example", "--role", "wizard", "--instance", lab)
    assert all(role in line for role in ("administrator", "release-lead", "auditor", "reader"))
    assert "stranger@lab.example" in refused("token", "stranger@lab.example", "--instance", lab)
    assert counts(lab) == before
    link = done("invite", "ann@lab.example", "--role", "auditor", "--instance", lab)
    assert "/welcome/" in link


def test_a_backup_brings_the_instance_back(lab: Path, tmp_path: Path) -> None:
    archive, again = tmp_path / "lab.tar.gz", tmp_path / "again"
    assert "keep it as safe as them" in done("backup", archive, "--instance", lab)
    assert archive.stat().st_mode & 0o777 == 0o600
    done("restore", archive, again)
    keys = [path for path in (again / "keys").rglob("*.key") if path.is_file()]
    assert keys
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
    assert (again / "keys").stat().st_mode & 0o077 == 0
    assert again.stat().st_mode & 0o077 == 0
    assert counts(again) == counts(lab)
    done("ledger", "verify", "--instance", again)
    before = sorted(again.rglob("*"))
    line = refused("restore", archive, again)
    assert "not empty" in line
    assert "kept: all of it" in line
    assert sorted(again.rglob("*")) == before


def test_what_is_no_backup_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "no.tar.gz").write_bytes(b"no archive")
    refused("restore", tmp_path / "no.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_garbage_from_outside_leaves_only_word_of_it(lab: Path, tmp_path: Path) -> None:
    before = counts(lab)
    garbage = tmp_path / "garbage.jsonl"
    garbage.write_bytes(b'not json\n\n{"payload": "e30="}\n' + b"[" * 5000 + b"\n\xff\xfe\n")
    answer = vedette("exchange", "import", garbage, "--json", "--instance", lab)
    assert answer.returncode == 2, answer.stderr
    value: dict[str, Any] = json.loads(answer.stdout)
    assert [value[name] for name in ("accepted", "already", "refused")] == [0, 0, 4]
    assert [refusal["line"] for refusal in value["refusals"]] == [1, 3, 4, 5]
    assert len(answer.stderr.splitlines()) == 5
    assert "garbage.jsonl.refused.jsonl" in answer.stderr
    after = counts(lab)
    changed = {name for name in after if after[name] != before[name]}
    assert changed - {"sqlite_sequence"} == {
        "store_inmessage",
        "store_ledgerentry",
        "store_ledgersalt",
    }


def test_a_pack_is_signed_trusted_and_adopted(lab: Path, tmp_path: Path) -> None:
    office = tmp_path / "office"
    done("init", "--profile", "office", "--name", "Office", office)
    shown = json.loads(done("pack", "show", "--json", "--instance", lab))
    assert shown["digest"] == default_pack().digest
    rules, signed, card = (tmp_path / n for n in ("rules.json", "signed.json", "card.json"))
    done("pack", "show", "--out", rules, "--instance", office)
    pack = json.loads(rules.read_text())
    assert pack["rules"] == plain(default_pack().rules)
    rules.write_text(json.dumps({**pack, "name": "house-rules"}))
    done("pack", "sign", rules, "--out", signed, "--instance", office)
    refused("pack", "adopt", signed, "--instance", lab)
    card.write_text(done("exchange", "card", "--instance", office))
    assert "Office" in done("pack", "trust", card, "--instance", lab)
    adopted = done("pack", "adopt", signed, "--instance", lab)
    now = json.loads(done("pack", "show", "--json", "--instance", lab))
    assert now["digest"] != shown["digest"]
    assert now["digest"] in adopted
    old = done("pack", "show", "--json", "--digest", shown["digest"], "--instance", lab)
    assert json.loads(old) == shown
    done("ledger", "verify", "--instance", lab)
