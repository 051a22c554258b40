"""Endpoints that hang, stall, refuse, lie about usage or flood: one plain answer, and bounds."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

from openai import AsyncOpenAI, UnprocessableEntityError

from vedette.bench.assessment import assess
from vedette.bench.results import MeteredCall, RunResult
from vedette.bench.suites import Suite
from vedette.kernel.bounds import MIB
from vedette.kernel.errors import BadInput
from vedette.runner.inspect import answers
from vedette.runner.inspect.answers import EndpointFault
from vedette.runner.inspect.metering import Meter, MeteredClient
from vedette.runner.reach import unreachable
from vedette.runner.runs import SubjectSpec, run_suite

pytestmark = pytest.mark.any_database
SAID = "I have nothing to try. " * 8
FLOOD = b": " + b"x" * 60_000 + b"\n\n"


class Handler(BaseHTTPRequestHandler):
    """Answers as the model's name says."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        behave: Callable[[Handler, bool], None] = BEHAVIOURS[asked["model"]]
        try:
            behave(self, bool(asked.get("stream")))
        except OSError:
            return

    def head(self, kind: str, size: int | None = None, **headers: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if size is not None:
            self.send_header("Content-Length", str(size))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return


def hang(handler: Handler, stream: bool) -> None:
    time.sleep(0.7)


def stall(handler: Handler, stream: bool) -> None:
    handler.head("text/event-stream")
    handler.wfile.write(event({"content": "I"}))
    time.sleep(0.7)


def flood(handler: Handler, stream: bool) -> None:
    handler.head("text/event-stream" if stream else "application/json")
    for _ in range(4000):
        handler.wfile.write(FLOOD)


def bomb(handler: Handler, stream: bool) -> None:
    made = zlib.compressobj(1, wbits=31)
    data = b"".join([*(made.compress(b" " * MIB) for _ in range(200)), made.flush()])
    handler.head("application/json", len(data), Content_Encoding="gzip")
    handler.wfile.write(data)


def garbage(handler: Handler, stream: bool) -> None:
    data = b"[" * 100_000
    handler.head("text/event-stream" if stream else "application/json", len(data))
    handler.wfile.write(data)


def claiming(usage: Any) -> Callable[[Handler, bool], None]:
    def answer(handler: Handler, stream: bool) -> None:
        if stream:
            handler.head("text/event-stream")
            handler.wfile.write(event({"role": "assistant", "content": SAID}))
            handler.wfile.write(event({}, "stop", usage) + b"data: [DONE]\n\n")
            return
        message = {"role": "assistant", "content": SAID}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        value = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
        data = json.dumps({**value, "choices": [choice], "usage": usage}).encode()
        handler.head("application/json", len(data))
        handler.wfile.write(data)

    return answer


def event(delta: dict[str, Any], reason: str | None = None, usage: Any = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    value = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return b"data: " + json.dumps({**value, "choices": [choice], "usage": usage}).encode() + b"\n\n"


def tokens(given: Any, written: Any) -> dict[str, Any]:
    return {"prompt_tokens": given, "completion_tokens": written, "total_tokens": 0}


BEHAVIOURS: dict[str, Callable[[Handler, bool], None]] = {
    "hang": hang,
    "stall": stall,
    "flood": flood,
    "bomb": bomb,
    "garbage": garbage,
    "silent": claiming(None),
    "negative": claiming(tokens(-5, -7)),
    "absurd": claiming(tokens(10**9, 10**9)),
    "stingy": claiming(tokens(1, 1)),
    "honest": claiming(tokens(900, 46)),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def ask(url: str, model: str, *, stream: bool = False) -> tuple[list[MeteredCall], Meter]:
    calls: list[MeteredCall] = []
    meter = Meter("s", calls.append)

    async def go() -> None:
        http = MeteredClient(meter, {}, trust_env=False)
        async with AsyncOpenAI(
            api_key="k", base_url=url, http_client=http, max_retries=0
        ) as client:
            messages: Any = [{"role": "user", "content": "x" * 4000}]
            made: Any = await client.chat.completions.create(
                model=model, messages=messages, stream=stream
            )
            if stream:
                async for _ in made:
                    pass

    try:
        asyncio.run(go())
    finally:
        assert len(calls) == 1
    return calls, meter


def failed(url: str, model: str, error: type[Exception], match: str, *, stream: bool) -> Meter:
    calls: list[MeteredCall] = []
    meter = Meter("s", calls.append)

    async def go() -> None:
        http = MeteredClient(meter, {}, trust_env=False)
        async with AsyncOpenAI(
            api_key="k", base_url=url, http_client=http, max_retries=0
        ) as client:
            messages: Any = [{"role": "user", "content": "x"}]
            made: Any = await client.chat.completions.create(
                model=model, messages=messages, stream=stream
            )
            async for _ in made:
                pass

    with pytest.raises(error):
        asyncio.run(go())
    assert match in meter.fault("", 0)
    assert [call.odd for call in calls] == [meter.fault("", 0)]
    return meter


@pytest.mark.parametrize("stream", [False, True])
def test_a_hang_ends_in_time(url: str, stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "FIRST_BYTE_SECONDS", 0.2)
    failed(url, "hang", EndpointFault, "gave no answer within", stream=stream)


def test_a_stall_in_mid_stream_ends_in_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "STALL_SECONDS", 0.2)
    failed(url, "stall", EndpointFault, "stopped in mid-answer", stream=True)


@pytest.mark.parametrize(
    ("stream", "error"), [(False, UnprocessableEntityError), (True, EndpointFault)]
)
def test_megabytes_are_cut_off(
    url: str, stream: bool, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "WHOLE_BYTES", 2 * MIB)
    monkeypatch.setattr(answers, "STREAM_BYTES", 2 * MIB)
    failed(url, "flood", error, "sent more than 2 MiB in one answer", stream=stream)


def test_what_unfolds_is_not_unfolded(url: str) -> None:
    tracemalloc.start()
    failed(url, "bomb", UnprocessableEntityError, "compressed its answer (gzip)", stream=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * MIB


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "odd"),
    [
        ("silent", "no usage named"),
        ("negative", "no usage named"),
        ("absurd", "1000000000 input tokens claimed"),
        ("stingy", "1 input tokens claimed, 10"),
        ("honest", ""),
    ],
)
def test_a_lie_about_usage_stands_beside_our_own_count(
    url: str, model: str, odd: str, stream: bool
) -> None:
    (call,), meter = ask(url, model, stream=stream)
    assert call.odd.startswith(odd)
    assert bool(call.odd) == bool(odd)
    assert 1000 < call.own_input < 1100
    assert call.own_output == 46
    assert 900 <= meter.charged("", 0) < 1200


def nobody_there() -> str:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return f"http://127.0.0.1:{unused.getsockname()[1]}/v1"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1:99999/v1", "Port out of range 0-65535"),
        ("/v1", "it is no http or https address"),
        ("http:///v1", "it is no http or https address"),
    ],
)
def test_no_address_is_told_from_nobody_there(address: str, why: str) -> None:
    assert unreachable(address) == why


def test_nobody_there_is_said_before_anything_is_tried(url: str) -> None:
    assert unreachable(nobody_there()) == "connection refused"
    assert unreachable(url) == ""


def test_a_proxy_in_between_is_left_to_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert unreachable("http://model.invalid/v1") == ""
    assert unreachable(nobody_there()) == "connection refused"


@pytest.mark.long
def test_a_run_that_reaches_nobody_ends_at_once_and_goes_on_later(
    url: str, daemons: Suite, builds: Path, tmp_path: Path
) -> None:
    suite = dataclasses.replace(daemons, items=daemons.items[:1])

    def run(address: str) -> RunResult:
        subject = SubjectSpec("m", "endpoint", model="silent", base_url=address)
        return run_suite(suite, [subject], out_dir=tmp_path, cache_dir=builds)

    with pytest.raises(BadInput, match="can't be reached: connection refused"):
        run(nobody_there())
    assert not (tmp_path / "samples.jsonl").read_bytes()
    committed = (tmp_path / "run.json").read_bytes()
    assert len(run(url).samples) == 1
    assert (tmp_path / "run.json").read_bytes() == committed
    assert len(run(nobody_there()).samples) == 1  # nothing is left to ask


@pytest.fixture(scope="module")
def ran(url: str, daemons: Suite, builds: Path, tmp_path_factory: Any) -> RunResult:
    """All of them as subjects of one run on one item."""
    names = ("silent", "absurd", "stingy", "honest", "garbage", "hang")
    subjects = [SubjectSpec(name, "endpoint", model=name, base_url=url) for name in names]
    subjects.append(SubjectSpec("nobody", "endpoint", model="m", base_url=nobody_there()))
    suite = dataclasses.replace(daemons, items=daemons.items[:1])
    folder = tmp_path_factory.mktemp("hostile")
    budget = {"seconds": 3}
    return run_suite(suite, subjects, out_dir=folder, budget=budget, cache_dir=builds)


@pytest.mark.long
def test_each_ends_with_a_plain_reason_and_loses_nothing(ran: RunResult) -> None:
    ended = {sample.subject: sample.ended for sample in ran.samples}
    for name in ("silent", "absurd", "stingy", "honest"):
        assert ended[name] == "stopped without a submission", name
    assert "held nothing that could be read" in ended["garbage"]
    for name in ("hang", "nobody"):
        assert re.search("the endpoint (gave|had given) no answer", ended[name]), name
    assert all(sample.score == 0 for sample in ran.samples)
    assert {call.subject for call in ran.calls} == set(ended)


@pytest.mark.long
def test_the_assessment_says_whose_usage_is_odd(ran: RunResult) -> None:
    limits = assess(ran, markings=[], now=datetime(2027, 1, 1, tzinfo=UTC)).limits
    odd = [
        sentence.split(" answers of ")[1].split()[0] for sentence in limits if "are odd" in sentence
    ]
    assert {"silent", "absurd", "stingy"} <= set(odd)
    assert "honest" not in odd
