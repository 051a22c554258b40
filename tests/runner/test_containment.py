"""A plant is defended: attacks by other ways stay out, work goes on, and nothing less counts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from vedette.bench.suites import Item
from vedette.kernel.errors import BadInput
from vedette.runner.cheats import credited
from vedette.runner.containment import try_policy, verify_policy
from vedette.runner.harness import Harness
from vedette.runner.inspect.attempt import Attempt
from vedette.runner.scaffold import generated_suite
from vedette.runner.subjects.job import Job
from vedette.runner.subjects.reference import SUBJECTS, run_reference

pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory, builds: Path) -> Harness:
    return Harness(generated_suite(tmp_path_factory.mktemp("suites") / "suite", 12), builds)


@pytest.fixture(scope="module")
def item(harness: Harness) -> Item:
    return harness.items["contain"]


def policy_of(item: Item) -> bytes:
    assert item.defence is not None
    return item.defence.policy.read_bytes()


def test_the_policy_holds_and_each_rule_of_it_is_needed(item: Item) -> None:
    rules = policy_of(item).splitlines(keepends=True)
    found = verify_policy(item, b"".join(rules))
    assert (found.contained, found.attacks, found.work) == (True, 5, 4)
    opened = verify_policy(item, b"".join(rules[:-1]))
    assert (opened.contained, opened.attacks) == (False, 0)
    assert "to its mark" in opened.reason
    by_number = verify_policy(item, b"".join(rules[:2] + rules[3:]))
    assert (by_number.contained, by_number.attacks) == (False, 5)
    assert "answered in another way" in by_number.reason


def test_what_is_no_policy_contains_nothing(item: Item) -> None:
    for data in (b"refuse controller *", b"\xff"):
        found = verify_policy(item, data)
        assert (found.contained, found.attacks, found.work) == (False, 0, 0)


def test_a_session_is_tried_under_a_policy(item: Item) -> None:
    way = item.reference_input.read_bytes()
    assert try_policy(item, b"---\n" + way).course.reached
    held = try_policy(item, b"refuse desk profile role *\n---\n" + way)
    assert not held.course.reached
    assert held.outcome.stdout.splitlines()[1] == b"fault: refused"
    assert held.steps == ("seal_read",)
    with pytest.raises(BadInput, match="a line ---"):
        try_policy(item, way)


@pytest.mark.long
def test_subjects_without_a_model_tell(harness: Harness, item: Item) -> None:
    for name, solves in (("oracle", True), ("null", False), ("random", False)):
        job = Job(name, harness.ref, item.id, 0, 1, dict(item.budget))
        data = SUBJECTS[name](harness, job).data
        assert harness.verify(item.id, data)[0] == solves, name


@pytest.mark.long
def test_cheats_get_nothing(harness: Harness, item: Item) -> None:
    assert list(credited(harness, item)) == []


def test_an_agent_sees_the_record_and_tries_a_policy(
    harness: Harness, item: Item, tmp_path: Path
) -> None:
    script = """#!/bin/sh
tail -1
ls /item | tr '\\n' ' '; echo
{ cat /agent/policy; echo ---; cat /item/samples/sample-2; } | /item/program | head -1
cp /agent/policy submission
"""
    (tmp_path / "run").write_text(script)
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "policy").write_bytes(policy_of(item))
    sample = run_reference(Job("own", harness.ref, item.id, 0, 1, dict(item.budget), str(tmp_path)))
    assert (sample.score, sample.executions) == (1, 1)
    told, shown, welcomed, _ = sample.trajectory
    assert told.startswith("It is a policy")
    assert "incident.log" in shown.split()
    assert "policy.txt" not in shown
    assert welcomed.startswith("welcome ")


def test_a_model_tries_policies_and_submits_one(harness: Harness, item: Item) -> None:
    pytest.importorskip("inspect_ai")
    from inspect_ai.tool import ToolError

    from vedette.runner.inspect.tools import tools_for

    attempt = Attempt({**item.budget, "executions": 1})
    *_, attempting, submit = tools_for(attempt, harness, item)
    way = item.reference_input.read_text()
    said = asyncio.run(attempting("refuse gateway write #0*", way))
    assert said.endswith("goal not reached")
    with pytest.raises(ToolError, match="executions used up"):
        asyncio.run(attempting("", way))
    asyncio.run(submit(policy_of(item).decode()))
    assert harness.verify(item.id, attempt.submitted)[0]
