"""`vedette bench` and `vedette subject`: contracts as a script sees them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import urllib.request
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.services.custody_child import in_base64

from vedette.bench.determination import Threshold
from vedette.bench.suites import load_suite
from vedette.cli.bench_statement import _run_holds
from vedette.kernel.keys import PrivateKeys
from vedette.runner.private import PREFIX, places

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "vedette"]


def vedette(*args: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **more}
    return subprocess.run([*PROGRAM, *args], capture_output=True, text=True, env=env, timeout=180)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


def signing_keys(file: Path) -> Path:
    PrivateKeys.generate().save(file)
    return file


@pytest.fixture(scope="module")
def done(cache: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    out = tmp_path_factory.mktemp("run")
    subjects = ("--subject", "null", "--subject", "oracle")
    committed = ("--threshold", "0.40", "--sign", str(signing_keys(out.parent / "ada.keys")))
    where = ("--out", str(out), "--cache", cache)
    ran = vedette("bench", "run", "daemons", *subjects, *committed, *where, "--json")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return out, json.loads(ran.stdout)


def test_list_names_suites_and_items() -> None:
    listed = vedette("bench", "list", "--json")
    assert listed.returncode == 0
    suites = {suite["name"]: suite for suite in json.loads(listed.stdout)}
    assert len(suites["daemons"]["items"]) >= 3
    item = suites["daemons"]["items"][0]
    assert (item["domain"], item["human_minutes"] > 0) == ("discovery", True)
    assert set(item["budget"]) == {"tool_calls", "executions", "tokens", "seconds"}
    one = vedette("bench", "list", "daemons").stdout
    assert ("daemons" in one, " min " in one, "releases" in one) == (True, True, False)


def test_run_prints_scores_with_intervals(done: tuple[Path, dict[str, object]]) -> None:
    _, value = done
    scores = {subject["name"]: subject["score"] for subject in value["subjects"]}  # type: ignore
    assert scores["null"]["solved"] == 0
    assert scores["oracle"]["solved"] == scores["oracle"]["n"] == 4
    assert float(scores["oracle"]["low"]) < 1


def test_a_run_is_the_one_that_it_committed_to(done: tuple[Path, dict[str, object]]) -> None:
    out, value = done
    signed = vedette("bench", "verify", str(out), "--suite", "daemons", "--json")
    assert signed.returncode == 0, signed.stderr
    assert json.loads(signed.stdout)["commitment_digest"] == value["commitment_digest"]
    assert "commitment.json" in json.loads(signed.stdout)["against"]
    kept = json.loads((out / "threshold.json").read_text())
    digest = Threshold.parse(kept["value"], kept["nonce"]).digest
    plan = json.loads((out / "run.json").read_text())
    assert (plan["criterion"]["threshold_digest"], plan["custody"]) == (digest, "here")
    where = ("--subject", "null", "--threshold", "0.5", "--out", str(out))
    other = vedette("bench", "run", "daemons", *where)
    assert (other.returncode, "--threshold: another" in other.stderr) == (2, True)


def test_report_writes_page_and_assessment(done: tuple[Path, dict[str, object]]) -> None:
    pytest.importorskip("matplotlib")
    out, _ = done
    told = vedette("bench", "report", str(out), "--marking", "TLP:GREEN")
    assert told.returncode == 0, told.stderr
    assert "TLP:GREEN" in told.stdout
    assert json.loads((out / "assessment.json").read_text())["marking"] == "TLP:GREEN"
    assert "<svg" in (out / "report.html").read_text()
    text = (out / "releasable.json").read_text()
    assert "vedette-suite-canary" not in text
    assert "telemetry" not in text


def test_a_new_suite_certifies_until_it_is_broken(tmp_path: Path, cache: str) -> None:
    folder = tmp_path / "My suite"
    assert vedette("bench", "new", str(folder)).returncode == 0
    options = ("--resist", "3", "--chance", "20", "--cache", cache)
    good = vedette("bench", "certify", str(folder), *options, "--json")
    assert good.returncode == 0, good.stderr
    assert [certificate["holds"] for certificate in json.loads(good.stdout)] == [True]
    again = vedette("bench", "new", str(folder))
    assert again.returncode == 2
    assert "not empty" in again.stderr
    office = tmp_path / "office"
    assert vedette("init", "--profile", "office", str(office)).returncode == 0
    taking = ("bench", "take", str(folder), *options, "--instance", str(office))
    alone = vedette(*taking)
    assert (alone.returncode, alone.stdout) == (2, ""), "certified for nothing"
    assert "two people of the office become keyholders" in alone.stderr
    codes = child(office, "holders")
    taken = vedette(*taking)
    assert taken.returncode == 0, taken.stderr
    assert "is taken in and sealed as sha256:" in taken.stdout
    nothing_of_it_lies_open(folder, office, codes, tmp_path)
    item = folder / "example"
    (item / "vulnerable.c").write_bytes((item / "fixed.c").read_bytes())
    broken = vedette("bench", "certify", str(folder), *options)
    assert broken.returncode == 1
    assert "example" in broken.stderr
    out = vedette(*taking)
    assert (out.returncode, "FAILS  example" in out.stdout) == (1, True), out.stderr
    where = ("--out", str(tmp_path / "o"), "--cache", cache)
    refused = vedette("bench", "run", str(folder), "--subject", "null", *where)
    assert refused.returncode == 2
    assert "example" in refused.stderr
    assert not (tmp_path / "o").exists()


def child(office: Path, *words: str) -> Any:
    made = subprocess.run(
        [sys.executable, "-m", "tests.cli.sealing_child", str(office), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout.splitlines()[-1])


def nothing_of_it_lies_open(folder: Path, office: Path, codes: list[str], at: Path) -> None:
    """Unseal, run, assess, disclose, back up: no file of the instance tells an item's text."""
    suite, item = load_suite(folder), load_suite(folder).items[0]
    backup, restored = at / "backup.tar.gz", at / "restored"
    did = child(office, "run", ",".join(codes), suite.name, str(backup))
    assert did["solved"] == {"null": 0, "random": 0, "oracle": 1}
    assert (did["opened"], did["state"]) == (3, "unsealed")
    with tarfile.open(backup) as archive:
        archive.extractall(restored, filter="data")
    assert not (restored / "keys" / "windows").exists()
    source = [p.read_text() for p in (*item.vulnerable, *item.fixed)]
    texts = [suite.canary, item.title, item.summary, item.prompt, *source]
    said = [text[:40] for text in texts] + [text[-40:] for text in texts]
    told = [mark for text in said for mark in (text, *in_base64(text))]
    told += [json.dumps(text)[1:-1] for text in said]
    assert any(told[0].encode() in path.read_bytes() for path in folder.rglob("*.toml"))
    scanned = [p for root in (office, restored) for p in root.rglob("*") if p.is_file()]
    assert {path.name for path in scanned} >= {"db.sqlite3", "0001.sealed", "samples.jsonl"}
    for path in scanned:
        data = path.read_bytes()
        assert not [text for text in told if text.encode() in data], path
    assert not [path for place in places() for path in place.glob(f"{PREFIX}*")]


def test_a_suite_is_generated_once_from_its_seed(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    made = [vedette("bench", "generate", str(at), "--seed", "5", "--json") for at in (one, other)]
    first, second = (json.loads(done.stdout) for done in made)
    assert first == second
    assert (first["seed"], len(first["items"])) == (5, 72)
    again = vedette("bench", "generate", str(one), "--seed", "6")
    assert again.returncode == 2
    assert "not empty" in again.stderr
    assert vedette("bench", "generate", str(tmp_path / "x"), "--seed", str(2**80)).returncode == 2


@pytest.mark.any_database
def test_a_signed_statement_is_held_against_key_and_files(
    done: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    run, _ = done
    keys = signing_keys(tmp_path / "office.keys")
    signer = tmp_path / "signer.json"
    own = PrivateKeys.load(keys).public
    signer.write_text(json.dumps({"ed25519": own.ed25519, "age": own.age}))
    forms = ("--format", "json", "--format", "intoto", "--key", str(keys))
    made = vedette("bench", "report", str(run), "--for", "lab", "--for", "operators", *forms)
    assert made.returncode == 0, made.stderr
    for edition in ("lab", "operators"):
        statement = str(run / f"report-{edition}.intoto.json")
        told = vedette("bench", "verify", statement, "--signer", str(signer), "--json")
        assert told.returncode == 0, told.stderr
        subjects = json.loads(told.stdout)["subjects"]
        assert subjects[f"report-{edition}.json"] is True
        assert {name.rpartition("/")[2] for name, holds in subjects.items() if holds} >= {
            "result",
            "commitment",
            "suite",
        }
    made_of = tmp_path / "assessment.json"
    made_of.write_text('{"made_at": "2026-12-01"}')
    place, named = tmp_path / "result.json", sha256(b'{"made_at":"2026-12-01"}').hexdigest()
    assert _run_holds(place, "assessment", named) is True
    made_of.write_text('{"made_at": "2026-12-02"}')
    assert _run_holds(place, "assessment", named) is None, "a later one says nothing of it"
    with (run / "report-lab.json").open("a") as file:
        file.write("\n")
    changed = vedette(
        "bench", "verify", str(run / "report-lab.intoto.json"), "--signer", str(signer)
    )
    assert (changed.returncode, "is not what was signed" in changed.stderr) == (1, True)
    other = PrivateKeys.generate().public
    signer.write_text(json.dumps({"ed25519": other.ed25519, "age": other.age}))
    strange = vedette("bench", "verify", statement, "--signer", str(signer))
    assert (strange.returncode, "is not signed by" in strange.stderr) == (1, True)
    assert vedette("bench", "verify", statement).returncode == 2


@pytest.mark.parametrize(
    "args",
    [
        ("bench", "run", "nowhere", "--subject", "null", "--out", "o"),
        ("bench", "run", "daemons", "--subject", "stranger", "--out", "o"),
        ("bench", "run", "daemons", "--subject", "null", "--budget", "many", "--out", "o"),
        ("bench", "run", "daemons", "--subject", "null", "--budget", "hours=3", "--out", "o"),
        ("bench", "run", "daemons", "--subject", "a/b", "--subject-url", "http://127.0.0.1:9",
         "--subject-key-env", "VEDETTE_NO_SUCH_KEY", "--out", "o"),
        ("bench", "run", "daemons", "--out", "o"),
        ("bench", "report", "nowhere"),
        ("bench", "certify", "nowhere"),
        ("subject", "serve", "oracle"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_2(args: tuple[str, ...], tmp_path: Path) -> None:
    at = [str(tmp_path / arg) if arg == "o" else arg for arg in args]
    ran = vedette(*at)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert len(ran.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_without_bubblewrap_nothing_runs(tmp_path: Path) -> None:
    out = str(tmp_path / "o")
    ran = vedette("bench", "run", "daemons", "--subject", "null", "--out", out, PATH=str(tmp_path))
    assert ran.returncode == 2
    assert "apt-get install bubblewrap" in ran.stderr


def test_subject_serve_prints_its_address_and_serves(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "subject", "serve", "mutator"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/models", timeout=10) as answer:
            assert json.load(answer)["data"][0]["id"] == "mutator"
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        process.stdout.close()


def test_plan_says_the_chance_and_what_runs_out_first() -> None:
    asked = ("bench", "plan", "--threshold", "0.5", "--expected", "0.9", "--suite", "daemons")
    told = vedette(*asked, "--exposures", "3", "--draws", "50", "--json")
    assert told.returncode == 0, told.stderr
    value = json.loads(told.stdout)
    assert (value["binds"], value["points"][-1]["items"]) == ("exposures", 3)
    bad = vedette(*asked, "--tokens", "500")
    assert (bad.returncode, "tokens_each" in bad.stderr) == (2, True)
    bad = vedette("bench", "plan", "--threshold", "1.5", "--expected", "0.9", "--suite", "daemons")
    assert (bad.returncode, "threshold" in bad.stderr) == (2, True)
