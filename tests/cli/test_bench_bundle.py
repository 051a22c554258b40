"""`vedette bench bundle`, `release`, `run` on a bundle and `take-results`, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from vedette.bench import bundle as rules
from vedette.bench.results import RunResult, Sample
from vedette.cli import vedette
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import VedetteError
from vedette.kernel.keys import PrivateKeys

pytestmark = pytest.mark.any_database


def bench(*args: object) -> tuple[int, str]:
    made = CliRunner().invoke(vedette, ["bench", *map(str, args)])
    if isinstance(made.exception, VedetteError):
        return made.exception.exit_code, str(made.exception)
    return made.exit_code, made.output


@pytest.mark.parametrize("custody", ["items-there", "joint"])
def test_a_suite_goes_out_and_comes_back_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, custody: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("office", "lab", "ada", "bo"):
        assert bench("keys", name)[0] == 0
    given = ("--for", "lab.public.json", "--keys", "office", "--first", "ada.public.json")
    made = (
        *("bundle", "daemons", "--model", "m", "--subject", "null", "--budget", "executions=9"),
        *(*given, "--second", "bo.public.json", "--out", "daemons.bundle", "--custody", custody),
    )
    code, said = bench(*made)
    assert code == 0, said
    kept = Path("daemons.bundle").read_bytes()
    code, said = bench(*made)
    assert (code, "is there already" in said) == (2, True)
    assert Path("daemons.bundle").read_bytes() == kept
    for name in ("ada", "bo"):
        code, said = bench("release", "daemons.bundle", "--keys", name, "--out", f"{name}.key")
        assert (code, "for" in said) == (0, True)
    assert bench("release", "daemons.bundle", "--keys", "lab", "--out", "x")[0] == 2
    code, said = bench("run", "daemons.bundle", "--key", "ada.key", "--out", "o")
    assert (code, "--identity" in said) == (2, True)
    here = ("run", "daemons.bundle", "--identity", "lab", "--out", "o", "--key", "ada.key")
    code, said = bench(*here)
    assert (code, "its inner key is not released" in said) == (2, True)
    code, said = bench(*here, "--key", "bo.key")
    assert (code, "where is it served" in said) == (2, True)

    data, lab = Path("daemons.bundle").read_bytes(), PrivateKeys.load(Path("lab"))
    keys = [Path(f"{name}.key").read_bytes() for name in ("ada", "bo")]
    opened = rules.open_bundle(data, keys, lab, tmp_path / "suite", source="b")
    plan = opened.commitment
    assert {budget["executions"] for budget in plan.budgets.values()} == {9}
    telling = (f"it remembers: {opened.suite.canary.upper()}",)
    samples = tuple(
        Sample(str(subject["name"]), item, "f", 0, 0, None, {}, trajectory=telling, noted=())
        for subject in plan.subjects
        for item in sorted(plan.budgets)
    )
    result = RunResult(plan, samples, (), "2026-12-02T09:00:00Z")
    manifest = rules.read_manifest(data, source="b")
    back = rules.seal_results(manifest, opened, result, lab)
    Path("results.json").write_bytes(canonical(back))
    taking = ("take-results", "results.json", "--bundle", "daemons.bundle", "--out", "run")
    assert bench(*taking, "--keys", "ada")[0] == 2
    if custody == "joint":
        code, said = bench(*taking, "--keys", "office")
        assert (code, "results from a third place come with one" in said) == (2, True)
        assert not Path("run").exists()
        Path("quote").write_text(f"measured; {plan.digest}")
        words = ("--verifier", "Lab X", "--said", "as agreed")
        assert bench(*taking, "--keys", "office", "--attestation", "quote")[0] == 2
        taking = (*taking, "--attestation", "quote", *words)
    code, said = bench(*taking, "--keys", "office")
    assert (code, plan.digest in said) == (0, True), said
    assert f"canary: flagged in {len(plan.budgets)} places" in said
    taken = json.loads(Path("run/result.json").read_text())
    assert taken["commitment"]["custody"] == custody
    if custody == "joint":
        attested = json.loads(Path("run/attestation.json").read_text())
        assert attested["attestation_bound"] == "yes"
        assert attested["attestation_words"] == "as agreed"
    assert taken["flags"]["counts"]["m"] == {"canary": len(plan.budgets)}
    code, said = bench("scan", "run", "--suite", "releases")
    assert (code, "committed to" in said) == (2, True)
    verified = ("verify", "run", "--commitment", "daemons.bundle.commitment.json")
    code, said = bench(*verified, "--signer", "office.public.json", "--suite", "daemons")
    assert (code, "signed by" in said) == (0, True), said
    assert bench(*taking, "--keys", "office")[0] == 2, "the folder is not empty"
