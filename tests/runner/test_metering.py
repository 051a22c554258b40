"""Metering: one record an HTTP attempt, with usage from answers and from streams."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

from openai import APIStatusError, AsyncOpenAI

from vedette.bench.results import MeteredCall
from vedette.engagement.usage import usage_of
from vedette.runner.inspect.metering import (
    CURRENT,
    PURPOSE_HEADER,
    REQUEST_HEADER,
    Meter,
    MeteredClient,
)
from vedette.runner.subjects.server import served


class Flaky(ThreadingHTTPServer):
    """Answers with the statuses of `script`, then with a completion; keeps the headers it saw."""

    daemon_threads = True

    def __init__(self, script: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), FlakyHandler)
        self.script = script
        self.seen: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class FlakyHandler(BaseHTTPRequestHandler):
    server: Flaky

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(self.headers)
        status = self.server.script.pop(0) if self.server.script else 200
        answer: dict[str, Any] = {"error": {"message": "later"}}
        if status == 200:
            message = {"role": "assistant", "content": "hi"}
            usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
            answer |= {"choices": [choice], "usage": usage}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def flaky(request: pytest.FixtureRequest) -> Iterator[Flaky]:
    server = Flaky(list(request.param))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def ask(url: str, *, stream: bool = False, model: str = "m", retries: int = 2) -> list[MeteredCall]:
    calls: list[MeteredCall] = []

    async def go() -> None:
        meter = Meter("subject", calls.append)
        http = MeteredClient(meter, {PURPOSE_HEADER: "assessment"}, trust_env=False)
        async with AsyncOpenAI(
            api_key="k", base_url=url, http_client=http, max_retries=retries
        ) as client:
            CURRENT.set(("item-1", 2))
            messages: Any = [{"role": "user", "content": "x"}]
            if not stream:
                await client.chat.completions.create(model=model, messages=messages)
                return
            chunks = await client.chat.completions.create(
                model=model, messages=messages, stream=True, stream_options={"include_usage": True}
            )
            async for _ in chunks:
                pass
        assert meter.sums("item-1", 2)[0] == len(calls)

    asyncio.run(go())
    return calls


@pytest.mark.parametrize("flaky", [[500, 200]], indirect=True)
def test_a_retry_is_a_call_of_its_own(flaky: Flaky) -> None:
    calls = ask(flaky.url)
    assert [call.status for call in calls] == [500, 200]
    assert [call.input_tokens for call in calls] == [0, 11]
    assert [call.output_tokens for call in calls] == [0, 3]
    assert [headers[REQUEST_HEADER] for headers in flaky.seen] == [c.request_id for c in calls]
    assert len({call.request_id for call in calls}) == 2
    assert all(headers[PURPOSE_HEADER] == "assessment" for headers in flaky.seen)
    assert {(call.subject, call.item, call.trial) for call in calls} == {("subject", "item-1", 2)}


@pytest.mark.parametrize("flaky", [[403]], indirect=True)
def test_a_refusal_is_metered_once_and_not_retried(flaky: Flaky) -> None:
    with pytest.raises(APIStatusError):
        ask(flaky.url)
    assert len(flaky.seen) == 1


def test_a_call_that_reaches_nobody_is_metered_with_status_0() -> None:
    calls: list[MeteredCall] = []

    async def go() -> None:
        http = MeteredClient(Meter("s", calls.append), {}, trust_env=False)
        with pytest.raises(Exception, match="connect"):
            await http.post("http://127.0.0.1:9/v1")
        await http.aclose()

    asyncio.run(go())
    assert [(call.status, call.input_tokens) for call in calls] == [(0, 0)]


def test_a_stream_is_metered_once_with_the_usage_of_its_last_chunk() -> None:
    with served("null", key="k") as server:
        streamed = ask(server.url, stream=True, model="null")
        whole = ask(server.url, model="null")
    assert len(streamed) == len(whole) == 1
    assert streamed[0].status == 200
    assert streamed[0].input_tokens == whole[0].input_tokens > 0
    assert streamed[0].output_tokens == whole[0].output_tokens > 0


@pytest.mark.parametrize("answer", [None, [], {"usage": 5}, {"usage": {"prompt_tokens": -1}}, {}])
def test_an_answer_without_usage_counts_no_tokens(answer: Any) -> None:
    assert usage_of(answer) == (0, 0)
