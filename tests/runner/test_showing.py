"""What a sample may show and spend: counted before it is shown, to nobody in vain, and bounded."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

from tenacity import Future, RetryError
from tests.runner.sealed import PLAN

from vedette.bench.suites import find_suite
from vedette.kernel.errors import BadInput
from vedette.runner.executors import LocalPool
from vedette.runner.inspect import task
from vedette.runner.inspect.attempt import Attempt
from vedette.runner.runfolder import RunFolder
from vedette.runner.runs import Running, SubjectSpec

pytestmark = pytest.mark.any_database


def test_the_prompt_waits_for_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    async def shows(item: str, trial: int) -> None:
        await asyncio.sleep(0)
        steps.append(f"counted {item}")

    async def loop(*_: Any) -> str:
        steps.append("sent")
        return "submitted"

    monkeypatch.setattr(task, "_loop", loop)
    suite = find_suite("daemons")
    item = suite.items[0]
    harness = SimpleNamespace(suite=suite, items={item.id: item})
    bench: Any = SimpleNamespace(
        harness=harness, budgets={item.id: item.budget}, shows=shows, attempts={}
    )
    state: Any = SimpleNamespace(metadata={"item": item.id, "trial": 0})
    asyncio.run(task.solve_item(bench)(state, None))  # type: ignore[arg-type]
    assert steps == [f"counted {item.id}", "sent"]


def test_nobody_at_the_address_any_more_stops_before_the_count(tmp_path: Path) -> None:
    counted: list[str] = []
    answered: list[list[Any]] = []
    folder = RunFolder(tmp_path, PLAN)
    showing = lambda subject, items: counted.extend(items)  # noqa: E731
    run = Running(folder, [], lambda _: None, {}, showing=showing)
    run.process = SimpleNamespace(answer=answered.append)  # type: ignore[assignment]
    with socket.create_server(("127.0.0.1", 0)) as server:
        run.urls = {"m": f"http://127.0.0.1:{server.getsockname()[1]}/v1"}
        run._take("shows", {"key": ["m", "one", 0]})
    assert (counted, answered) == (["one"], [["m", "one", 0]])
    with pytest.raises(BadInput, match="can't be reached"):
        run._take("shows", {"key": ["m", "two", 0]})
    assert (counted, len(answered)) == (["one"], 1)
    run.plan = dataclasses.replace(PLAN, budgets={"one": {}, "two": {}})
    run.subjects = [SubjectSpec("m", "endpoint", base_url=run.urls["m"])]
    with ExitStack() as stack, pytest.raises(BadInput, match="can't be reached"):
        run.go(stack, LocalPool())
    assert counted == ["one"], "nobody there at the start: nothing is shown to anybody"
    folder.close()


def test_tokens_and_time_end_a_sample_whatever_else_is_used_up() -> None:
    attempt = Attempt({"tool_calls": 1, "executions": 1, "tokens": 10, "seconds": 60})
    attempt.tool_calls = attempt.executions = 1
    assert attempt.used_up == "tool_calls"
    attempt.tokens = 10
    assert attempt.used_up == "tokens"


def test_what_retries_were_given_up_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt: Future[None] = Future(3)
    attempt.set_exception(ValueError("the endpoint answered 502"))

    async def given_up(*_: Any) -> str:
        raise RetryError(attempt)

    monkeypatch.setattr(task, "_loop", given_up)
    suite = find_suite("daemons")
    item = suite.items[0]
    attempts: dict[tuple[str, int], Attempt] = {}
    bench: Any = SimpleNamespace(
        harness=SimpleNamespace(suite=suite, items={item.id: item}),
        budgets={item.id: item.budget},
        shows=None,
        attempts=attempts,
        meter=SimpleNamespace(fault=lambda *_: ""),
    )
    state: Any = SimpleNamespace(metadata={"item": item.id, "trial": 0})
    asyncio.run(task.solve_item(bench)(state, None))  # type: ignore[arg-type]
    assert attempts[item.id, 0].ended == "error: ValueError: the endpoint answered 502"
