"""Reference subjects on a real item, and the mutations they are made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.bench.suites import find_suite
from vedette.runner.build import have_clang
from vedette.runner.harness import Harness
from vedette.runner.subjects.job import Job
from vedette.runner.subjects.mutate import MAX_INPUT, batch, dictionary
from vedette.runner.subjects.reference import run_reference

BUDGET = {"tool_calls": 10, "executions": 40, "tokens": 1000, "seconds": 60}


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Harness:
    return Harness(find_suite("daemons"), tmp_path_factory.mktemp("cache"))


def job(harness: Harness, subject: str, item: str = "telemetry", seed: int = 1) -> Job:
    return Job(subject, harness.ref, item, 0, seed, BUDGET)


def test_null_solves_nothing_and_oracle_everything(harness: Harness) -> None:
    nothing = run_reference(job(harness, "null"))
    assert (nothing.score, nothing.submitted) == (0, b"")
    key = run_reference(job(harness, "oracle"))
    assert key.score == 1
    assert key.evidence["crash_class"] == harness.items["telemetry"].crash_class


def test_random_keeps_to_its_executions_and_says_what_it_did(harness: Harness) -> None:
    sample = run_reference(job(harness, "random"))
    assert (sample.executions, sample.score, sample.submitted) == (40, 0, None)
    assert sample.ended == "stopped without a submission"


@pytest.mark.skipif(not have_clang(), reason="needs clang")
def test_libfuzzer_finds_the_stack_overflow_and_verification_agrees(harness: Harness) -> None:
    sample = run_reference(job(harness, "libfuzzer"))
    assert sample.score == 1
    assert sample.evidence["top_frame"] == "take_feeder"
    assert sample.executions > 0


def test_quick_trials_see_what_verification_sees(harness: Harness) -> None:
    reference = harness.reference_input("telemetry")
    clean, crash, empty = harness.try_inputs(
        "telemetry", [harness.samples("telemetry")[0], reference, b""]
    )
    assert (clean.code, clean.crash) == (0, None)
    assert crash.line.startswith("crash stack-buffer-overflow in take_feeder")
    assert empty.crash is None
    assert harness.verify("telemetry", reference)[0]
    assert not harness.verify("telemetry", harness.samples("telemetry")[0])[0]
    assert not harness.verify("telemetry", b"x" * 100_000)[0]


def test_a_subjects_view_holds_neither_answer_nor_fix(harness: Harness, tmp_path: Path) -> None:
    view = harness.lay_out("telemetry", tmp_path)
    names = {path.relative_to(view).as_posix() for path in view.rglob("*") if path.is_file()}
    assert names == {"program", "vulnerable.c", "samples/sample-1", "samples/sample-2"}
    contents = [(view / name).read_bytes() for name in names]
    item = harness.items["telemetry"]
    assert item.reference_input.read_bytes() not in contents
    assert item.fixed[0].read_bytes() not in contents
    assert not any(harness.suite.canary.encode() in content for content in contents)


inputs = st.lists(st.binary(max_size=200), min_size=1, max_size=3)


@given(st.binary(max_size=8), inputs)
def test_mutations_are_repeatable_and_bounded(key: bytes, samples: list[bytes]) -> None:
    words = dictionary(['puts("hello world")'], samples)
    made = batch(key, samples, words, 8)
    assert made == batch(key, samples, words, 8)
    assert len(made) == 8
    assert all(len(data) <= MAX_INPUT for data in made)
