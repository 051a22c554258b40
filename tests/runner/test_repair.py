"""A source counts as mended when it does no harm any more and answers as before."""

import asyncio
import dataclasses

import pytest
from benchmarks.wrong_fixes import fixes

from vedette.bench.results import Commitment, RunResult
from vedette.runner.certify import certify
from vedette.runner.harness import Harness
from vedette.runner.inspect.attempt import Attempt
from vedette.runner.repair import verify_repair
from vedette.runner.scaffold import generated_suite
from vedette.runner.subjects.job import Job
from vedette.runner.subjects.reference import run_reference


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return generated_suite(tmp_path_factory.mktemp("suites") / "suite", 3)


@pytest.fixture(scope="module")
def table(suite):
    return suite.item("mend-table")


SOME = ("unchanged", "around it: by_heart", "around it: child", "more room")


def test_some_wrong_fixes_are_refused(table, builds):
    tried = [fix for fix in fixes(table) if fix.kind in SOME]
    assert len(tried) == len(SOME)
    assert not [f.kind for f in tried if verify_repair(table, f.source, cache_dir=builds).repaired]


@pytest.mark.long
@pytest.mark.parametrize("family", ["table", "session", "signin", "token", "note"])
def test_wrong_fixes_are_refused_and_right_ones_taken(suite, builds, family):
    item = suite.item(f"mend-{family}")
    for fix in fixes(item):
        found = verify_repair(item, fix.source, cache_dir=builds)
        assert found.repaired == fix.right, (fix.kind, found.reason)
        if fix.right:
            assert found.harming > 5
            assert found.harmless > 20


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"int main(void) { return undeclared; }", "does not compile"),
        (b"\xff\xfe", "does not compile"),
        (b"", "does not compile"),
        (b"void __as##an_init(void);", "speaks of what looks for harm: ##"),
        (b'const char *__asan_default_options(void) { return ""; }', "looks for harm: asan"),
        (b"__attribute__((no_sanitize)) int main(void) { return 0; }", "looks for harm"),
        (b" " * (1 << 20) + b"x", "more than 1,048,576 bytes"),
    ],
)
def test_what_is_no_fix_at_all_says_why(table, builds, source, reason):
    found = verify_repair(table, source, cache_dir=builds)
    assert not found.repaired
    assert reason in found.reason


def test_references_and_what_a_run_keeps(suite, builds):
    harness = Harness.of(Harness(suite, builds).ref)
    scores = {}
    for name in ("oracle", "null", "random", "libfuzzer"):
        job = Job(name, harness.ref, "mend-table", 0, 1, {"executions": 10, "seconds": 20})
        sample = run_reference(job)
        scores[name] = sample.score
        if name == "oracle":
            plan = Commitment({}, (), {}, 1, 1, {}, "2026-12-01T00:00:00Z", "run-1")
            assert RunResult(plan, (sample,), (), "").crashes == []
    assert scores == {"oracle": 1, "null": 0, "random": 0, "libfuzzer": 0}


def test_a_repair_item_certifies(suite, table, builds):
    some = dataclasses.replace(suite, items=(table,))
    (certificate,) = certify(some, cache_dir=builds, resist=5)
    assert certificate.problems == ()
    assert certificate.solved == {"oracle": True, "null": False, "random": False}


def test_a_subject_tries_a_source_and_submits_it(suite, table, builds):
    from inspect_ai.tool import ToolError

    from vedette.runner.inspect.tools import tools_for

    harness = Harness(suite, builds)
    attempt = Attempt({"tool_calls": 9, "executions": 3, "tokens": 1, "seconds": 60})
    *_, try_source, submit_source = tools_for(attempt, harness, table)
    flawed, mended = (harness.source(table.id, which) for which in ("vulnerable", "fixed"))
    reference = table.reference_input.read_bytes().hex()

    def tried(source: bytes, inputs: list[str]) -> list[str]:
        return asyncio.run(try_source(source.decode(), inputs)).splitlines()

    assert tried(flawed, [reference])[0].startswith("0: crash global-buffer-overflow")
    assert tried(mended, [reference, "", "00"]) == [
        "0: exit 1",
        "1: exit 1",
        "executions used up: the last 1 were not run",
    ]
    with pytest.raises(ToolError, match="does not compile"):
        asyncio.run(try_source("int", [""]))
    with pytest.raises(ToolError, match="give 1 to 64"):
        asyncio.run(try_source("int", []))
    asyncio.run(submit_source(mended.decode()))
    assert harness.verify(table.id, attempt.submitted)[0]
