"""`vedette bench verify`: exit 0 for the result that was committed to, 1 with what differs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.bench.runs import ITEMS, result

from vedette.bench.commitment import Criterion
from vedette.bench.results import RunResult
from vedette.cli import vedette
from vedette.kernel.errors import VedetteError
from vedette.kernel.keys import PrivateKeys

pytestmark = pytest.mark.any_database
CRITERION = Criterion("rule-1", "sha256:" + "1" * 64, "sha256:" + "2" * 64)


def verify(*args: object) -> tuple[int, str, dict[str, Any]]:
    """The exit code, what was said of an error, and what stands on stdout."""
    command = ["bench", "verify", *map(str, args), "--json"]
    made: Result = CliRunner().invoke(vedette, command)
    said, code = made.stderr, made.exit_code
    if isinstance(made.exception, VedetteError):
        said, code = str(made.exception), made.exception.exit_code
    return code, said, json.loads(made.stdout) if made.stdout.startswith("{") else {}


@pytest.fixture
def run() -> RunResult:
    made = result({"null": [0] * len(ITEMS), "m": [1, 0, 0, 1]})
    plan = replace(made.commitment, criterion=CRITERION, custody="endpoint", nonce="ab" * 32)
    return replace(made, commitment=plan)


@pytest.fixture
def folder(run: RunResult, tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir()
    (made / "run.json").write_text(json.dumps(run.commitment.to_json()))
    keep(made, run)
    return made


def keep(folder: Path, run: RunResult) -> None:
    (folder / "result.json").write_text(json.dumps(run.to_json()))
    lines = [json.dumps(sample.to_json()) for sample in run.samples]
    (folder / "samples.jsonl").write_text("".join(f"{line}\n" for line in lines))


def test_the_committed_result_holds_by_folder_by_file_and_by_digest(
    run: RunResult, folder: Path, tmp_path: Path
) -> None:
    code, _, said = verify(folder)
    assert (code, said["holds"], said["differences"]) == (0, True, [])
    assert said["commitment_digest"] == run.commitment.digest
    assert "not signed" in said["against"]
    code, _, alone = verify(folder / "result.json")
    assert (code, "agrees with itself" in alone["against"]) == (0, True)
    for text in (run.commitment.digest, json.dumps({"commitment_digest": run.commitment.digest})):
        given = tmp_path / "given"
        given.write_text(text + "\n")
        code, _, said = verify(folder / "result.json", "--commitment", given)
        assert (code, "the digest in" in said["against"]) == (0, True)


def test_a_signed_commitment_is_checked_with_its_signers_keys(
    run: RunResult, folder: Path, tmp_path: Path
) -> None:
    keys, given = PrivateKeys.generate(), tmp_path / "given.json"
    given.write_text(json.dumps(run.commitment.signed(keys)))
    made = {"ed25519": keys.public.ed25519, "age": keys.public.age}
    (tmp_path / "mine.json").write_text(json.dumps(made))
    other = PrivateKeys.generate().public
    (tmp_path / "other.json").write_text(json.dumps({"ed25519": other.ed25519, "age": other.age}))
    code, _, said = verify(folder, "--commitment", given, "--signer", tmp_path / "mine.json")
    assert (code, "signed by" in said["against"]) == (0, True)
    assert "not looked at" in verify(folder, "--commitment", given)[2]["against"]
    code, said_badly, _ = verify(folder, "--commitment", given, "--signer", tmp_path / "other.json")
    assert (code, "signature" in said_badly) == (2, True)
    given.write_text(json.dumps(replace(run.commitment, seed=5).signed(keys)))
    code, said_badly, _ = verify(folder, "--commitment", given, "--signer", tmp_path / "mine.json")
    assert code == 1
    assert "seed changed: committed 5, here 1" in said_badly


def test_what_was_changed_after_is_said_first(run: RunResult, folder: Path) -> None:
    more = {k: {**v, "executions": 999} for k, v in run.commitment.budgets.items()}
    later = {
        "budget changed: frames": replace(run, commitment=replace(run.commitment, budgets=more)),
        "threshold changed": replace(
            run,
            commitment=replace(run.commitment, criterion=replace(CRITERION, threshold_digest="")),
        ),
        "samples missing: 1 of 8": replace(run, samples=run.samples[1:]),
        "trial re-run": replace(run, samples=(*run.samples, run.samples[0])),
    }
    for words, made in later.items():
        keep(folder, made)
        code, said, _ = verify(folder)
        assert (code, words in said) == (1, True), said
    keep(folder, run)
    changed = replace(run.samples[0], score=1)
    (folder / "result.json").write_text(
        json.dumps(replace(run, samples=(changed, *run.samples[1:])).to_json())
    )
    code, said, value = verify(folder)
    assert (code, "sample changed: null on" in said, value["holds"]) == (1, True, False)
    document = run.to_json() | {"commitment_digest": "sha256:" + "0" * 64}
    (folder / "result.json").write_text(json.dumps(document))
    assert verify(folder)[0] == 1


def test_suite_and_determination_are_held_against_it(folder: Path, tmp_path: Path) -> None:
    code, said, _ = verify(folder, "--suite", "daemons")
    assert (code, "suite changed: committed sha256:000" in said) == (1, True)
    record = tmp_path / "determination.json"
    record.write_text(json.dumps(CRITERION.to_json()))
    assert verify(folder, "--determination", record)[0] == 0
    record.write_text(json.dumps({**CRITERION.to_json(), "threshold_digest": "sha256:3"}))
    code, said, _ = verify(folder, "--determination", record)
    assert (code, "threshold changed" in said) == (1, True)


def test_what_is_no_run_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert verify(tmp_path / "empty")[0] == 2
    (folder / "result.json").write_text("[]")
    assert "an object expected" in verify(folder)[1]
    (folder / "result.json").write_text('{"commitment": {}}')
    assert "format" in verify(folder)[1]


def test_keys_are_made_once(tmp_path: Path) -> None:
    file = tmp_path / "ada.keys"
    made = CliRunner().invoke(vedette, ["bench", "keys", str(file)])
    assert made.exit_code == 0
    assert file.stat().st_mode & 0o077 == 0
    shown = json.loads((tmp_path / "ada.keys.public.json").read_text())
    assert shown["ed25519"] == PrivateKeys.load(file).public.ed25519
    again = CliRunner().invoke(vedette, ["bench", "keys", str(file)])
    assert isinstance(again.exception, VedetteError) or again.exit_code == 2
