"""A whole run: Inspect, endpoint, metering, verification, resuming after it is broken off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")

from vedette.bench.results import RunResult
from vedette.bench.suites import Suite, find_suite
from vedette.kernel.errors import BadInput, MissingPart
from vedette.runner import plans
from vedette.runner.runfolder import load_result
from vedette.runner.runs import Progress, SubjectSpec, run_suite
from vedette.runner.subjects.server import served

BUDGET = {"executions": 128}
SUBJECTS = ("lab-model", "closed", "mock", "null", "oracle")


class BrokenOff(Exception):
    """What a worker that is told to stop raises."""


@dataclass
class Ran:
    result: RunResult
    folder: Path
    first_lines: list[str]
    told: list[Progress]
    shown: list[tuple[str, tuple[str, ...]]]


@pytest.fixture(scope="module")
def suite() -> Suite:
    return find_suite("daemons")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def ran(suite: Suite, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run five subjects, broken off after three samples, then gone on with."""
    folder = tmp_path_factory.mktemp("run")
    told: list[Progress] = []
    shown: list[tuple[str, tuple[str, ...]]] = []

    def stop(progress: Progress) -> None:
        if progress.done == 3:
            raise BrokenOff

    with served("mutator", key="k3y") as server:
        address = {"base_url": server.url, "model": "mutator"}
        subjects = [
            SubjectSpec("lab-model", "endpoint", api_key="k3y", **address),
            SubjectSpec("closed", "endpoint", api_key="wrong", **address),
            SubjectSpec("mock", "inspect", model="mockllm/model"),
            SubjectSpec("null", "reference"),
            SubjectSpec("oracle", "reference"),
        ]

        def go(progress: object) -> RunResult:
            return run_suite(
                suite,
                subjects,
                out_dir=folder,
                seed=1,
                budget=BUDGET,
                progress=progress,  # type: ignore[arg-type]
                cache_dir=cache,
                showing=lambda subject, items: shown.append((subject, tuple(items))),
            )

        with pytest.raises(BrokenOff):
            go(stop)
        lines = (folder / "samples.jsonl").read_text().splitlines()
        with (folder / "samples.jsonl").open("a") as file:
            file.write('{"subject": "torn')
        result = go(told.append)
    return Ran(result, folder, lines, told, shown)


def test_the_mutator_finds_and_the_references_frame_it(ran: Ran) -> None:
    solved = dict.fromkeys(SUBJECTS, 0)
    for sample in ran.result.samples:
        solved[sample.subject] += sample.score
    assert solved["null"] == solved["mock"] == solved["closed"] == 0
    assert solved["oracle"] == 4
    assert 1 <= solved["lab-model"] <= 4
    assert len(ran.result.samples) == 20


def test_what_was_finished_before_the_break_is_not_run_again(ran: Ran) -> None:
    assert len(ran.first_lines) >= 3
    lines = (ran.folder / "samples.jsonl").read_text().splitlines()
    assert lines[: len(ran.first_lines)] == ran.first_lines
    keys = [(s["subject"], s["item"], s["trial"]) for s in map(json.loads, lines)]
    assert len(set(keys)) == len(keys) == 20


def test_whoever_counts_hears_of_every_item_that_is_shown(ran: Ran, suite: Suite) -> None:
    pairs = {(subject, item) for subject, items in ran.shown for item in items}
    assert pairs == {(subject, item.id) for subject in SUBJECTS for item in suite.items}
    assert all(len(items) == 1 for subject, items in ran.shown if subject in SUBJECTS[:3])


def test_every_call_is_metered_with_usage(ran: Ran) -> None:
    calls = [call for call in ran.result.calls if call.subject == "lab-model"]
    assert all(call.status == 200 and call.input_tokens and call.output_tokens for call in calls)
    assert len({call.request_id for call in ran.result.calls}) == len(ran.result.calls)
    for sample in ran.result.samples:
        if sample.subject == "lab-model":
            assert sample.calls > 0
            assert sample.executions <= 128
    mock = [call for call in ran.result.calls if call.subject == "mock"]
    assert mock
    assert all(call.input_tokens == 1 for call in mock)


def test_an_endpoint_that_refuses_ends_the_sample_with_its_reason(ran: Ran) -> None:
    samples = [sample for sample in ran.result.samples if sample.subject == "closed"]
    assert all(sample.ended.startswith("error: ") for sample in samples)
    assert all("incorrect API key" in sample.ended for sample in samples)
    assert {call.status for call in ran.result.calls if call.subject == "closed"} == {401}


def test_the_commitment_was_written_first_and_holds_no_key(ran: Ran) -> None:
    text = (ran.folder / "run.json").read_text()
    assert json.loads(text) == ran.result.commitment.to_json()
    assert "k3y" not in text
    assert ran.result.isolation["network"] == "none"
    assert "bubblewrap" in ran.result.isolation["sandbox"]
    assert load_result(ran.folder).digest == ran.result.digest
    for path in ran.folder.rglob("*"):
        assert not path.is_file() or b"k3y" not in path.read_bytes()


def test_verified_crashes_come_as_findings(ran: Ran, suite: Suite) -> None:
    crashes = ran.result.crashes
    assert {crash["item"] for crash in crashes} == {item.id for item in suite.items}
    assert all(crash["evidence"]["reproduced"] for crash in crashes)
    assert any("lab-model" in crash["subjects"] for crash in crashes)


def test_progress_ends_at_the_total(ran: Ran) -> None:
    assert ran.told[-1].done == ran.told[-1].total == 20
    assert [p.done for p in ran.told] == sorted(p.done for p in ran.told)
    assert any("run_inputs" in progress.event for progress in ran.told)


def test_another_plan_in_the_same_folder_is_refused(ran: Ran, suite: Suite, cache: Path) -> None:
    with pytest.raises(BadInput, match="another suite, subject, budget, trials or seed"):
        run_suite(
            suite, [SubjectSpec("null", "reference")], out_dir=ran.folder, seed=2, cache_dir=cache
        )


@pytest.mark.parametrize(
    ("subjects", "budget", "match"),
    [
        ([], {}, "subjects"),
        ([SubjectSpec("null", "reference")] * 2, {}, "subjects"),
        ([SubjectSpec("stranger", "reference")], {}, "stranger"),
        ([SubjectSpec("m", "inspect")], {}, "needs a model"),
        ([SubjectSpec("null", "reference")], {"hours": 1}, "hours"),
        ([SubjectSpec("null", "reference")], {"seconds": 0}, "seconds"),
    ],
)
def test_bad_input_is_named_before_anything_runs(
    suite: Suite,
    tmp_path: Path,
    subjects: list[SubjectSpec],
    budget: dict[str, int],
    match: str,
) -> None:
    with pytest.raises(BadInput, match=match):
        run_suite(suite, subjects, out_dir=tmp_path / "out", budget=budget, cache_dir=tmp_path)
    assert not (tmp_path / "out").exists()


def test_libfuzzer_without_clang_is_a_missing_part(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "have_clang", lambda: False)
    with pytest.raises(MissingPart, match="clang"):
        run_suite(suite, [SubjectSpec("libfuzzer", "reference")], out_dir=tmp_path / "out")
