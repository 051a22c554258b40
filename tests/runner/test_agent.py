"""A program of one's own as the subject: what it sees, what it leaves, how it is kept in bounds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from vedette.bench.suites import Suite
from vedette.kernel.errors import BadInput
from vedette.runner.harness import Harness
from vedette.runner.runs import SubjectSpec, run_suite
from vedette.runner.subjects.job import Job
from vedette.runner.subjects.reference import run_reference

BUDGET = {"tool_calls": 1, "executions": 1, "tokens": 1, "seconds": 3}


def written(folder: Path, script: str) -> Path:
    folder.mkdir()
    (folder / "run").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "run").chmod(0o755)
    return folder


def attempted(suite: Suite, builds: Path, folder: Path, item: str = "telemetry"):
    ref = Harness(suite, builds).ref
    return run_reference(Job("mine", ref, item, 0, 1, BUDGET, str(folder)))


def test_it_sees_its_task_and_the_item_and_nothing_else(daemons, builds, tmp_path):
    script = """
head -c 40; echo; ls /item /item/samples | tr '\\n' ' '; echo
/item/program < /item/samples/sample-1.bin > /dev/null 2>&1; ls / | tr '\\n' ' '
cat /sys/class/net/*/address 2>/dev/null; ls /home /root /etc 2>&1 | tail -1
"""
    sample = attempted(daemons, builds, written(tmp_path / "mine", script))
    told = "\n".join(sample.trajectory)
    assert daemons.item("telemetry").prompt[:30] in told
    assert "program" in told
    assert "fixed" not in told
    assert sample.ended == "stopped without a submission"
    assert sample.submitted is None


def test_what_it_leaves_is_verified(daemons, builds, tmp_path):
    reference = daemons.item("telemetry").reference_input.read_bytes()
    folder = written(tmp_path / "mine", "cp /agent/answer /box/submission; sleep 60")
    (folder / "answer").write_bytes(reference)
    sample = attempted(daemons, builds, folder)
    assert (sample.score, sample.submitted) == (1, reference)
    assert sample.seconds < 30


@pytest.mark.parametrize(
    "script",
    ["ln -s /etc/passwd submission", "mkdir submission", "head -c 2000000 /dev/zero > submission"],
)
def test_what_is_no_plain_file_of_bounded_size_is_no_submission(daemons, builds, tmp_path, script):
    sample = attempted(daemons, builds, written(tmp_path / "mine", script))
    assert (sample.score, sample.submitted) == (0, None)
    assert sample.ended.startswith("error: sandbox output 'submission'")


def test_its_digest_is_committed_before_the_first_sample(daemons, builds, tmp_path):
    folder = written(tmp_path / "mine", "true")
    some = dataclasses.replace(daemons, items=daemons.items[:1])
    spec = SubjectSpec("mine", "agent", model="sha256:1", folder=folder)
    result = run_suite(some, [spec], out_dir=tmp_path / "out", budget=BUDGET, cache_dir=builds)
    (subject,) = result.commitment.subjects
    assert subject == {"name": "mine", "kind": "agent", "role": "assessed", "model": "sha256:1"}
    assert str(tmp_path) not in str(result.commitment.to_json())
    (folder / "run").chmod(0o644)
    with pytest.raises(BadInput, match="no executable file named run"):
        run_suite(some, [spec], out_dir=tmp_path / "other", budget=BUDGET, cache_dir=builds)
