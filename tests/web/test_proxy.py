"""The lab's proxy: who may call when and how much, what passes, and that every call is counted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connections
from django.test import Client
from tests.services.flow import CLOSES, MODEL, LabStory, events, move, session_of

from vedette.engagement.usage import StreamUsage
from vedette.kernel.bounds import from_text
from vedette.kernel.permissions import Profile
from vedette.runner.subjects.server import served
from vedette.services import access, engagement
from vedette.services.testing import Fixture, instance
from vedette.store.models import Call
from vedette.store.tenancy import SYSTEM, scoped
from vedette.web.proxy import relay
from vedette.web.proxy import upstream as upstream_module

KEY = "sk-the-labs-own"
USAGE = {"prompt_tokens": 7, "completion_tokens": 3}


class Model(ThreadingHTTPServer):
    """A trivial model: remembers what it was sent, answers as told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.answer: bytes = json.dumps({"id": "1", "choices": [], "usage": USAGE}).encode()
        self.chunks: list[bytes] = [
            b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n',
            b'data: {"choices": [], "usage": ' + json.dumps(USAGE).encode() + b"}\n\n",
            b"data: [DONE]\n\n",
        ]
        self.between: Any = lambda: None


class Handler(BaseHTTPRequestHandler):
    server: Model
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((dict(self.headers), body))
        stream = body.get("stream") and self.server.status == 200
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        if not stream:
            self.send_header("Content-Length", str(len(self.server.answer)))
            self.end_headers()
            self.wfile.write(self.server.answer)
            return
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for chunk in self.server.chunks:
            self.wfile.write(chunk)
            self.wfile.flush()
            self.server.between()


@contextmanager
def running() -> Iterator[Model]:
    server = Model()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Caller:
    """The office's side of one session, over HTTP."""

    story: LabStory
    model: Model
    act: str
    session: str
    credential: str
    client: Client = field(default_factory=Client)
    count: int = 0

    def post(self, body: Any = None, **headers: str) -> Any:
        self.count += 1
        given = {
            "Authorization": f"Bearer {self.credential}",
            "X-Vedette-Request": f"call-{self.count}",
            "X-Vedette-Purpose": "confirmation",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        content = {"model": MODEL, "messages": []} if body is None else body
        return self.client.post(
            "/proxy/v1/chat/completions",
            content if isinstance(content, bytes) else json.dumps(content),
            content_type="application/json",
            headers={name: value for name, value in given.items() if value},
        )

    def calls(self) -> list[Call]:
        with scoped(SYSTEM):
            return list(Call.objects.order_by("pk"))


@pytest.fixture
def caller(lab: Fixture) -> Iterator[Caller]:
    upstream_module.pool.cache_clear()
    with running() as model:
        base = f"http://127.0.0.1:{model.server_address[1]}/v1"
        yield opened(lab, model, base)


def opened(lab: Fixture, model: Any, base: str, upstream: str = "up") -> Caller:
    story = LabStory.start(lab)
    access.add_endpoint(story.lead, MODEL, base, KEY, upstream_model=upstream)
    act_id = story.opened()
    session_id = story.session(act_id)
    (message,) = story.office.received("access.opened")
    secret = story.office.keys.open(from_text(message.body["credential"], field="x")).decode()
    return Caller(story, model, act_id, session_id, secret)


def test_a_call_passes_with_the_labs_key_and_is_counted(caller: Caller) -> None:
    answer = caller.post()
    assert answer.status_code == 200
    assert answer.json()["usage"] == USAGE
    headers, body = caller.model.seen[0]
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert not any(name.lower().startswith("x-vedette") for name in headers)
    assert body["model"] == "up"
    (call,) = caller.calls()
    assert (call.request_id, call.status, call.input_tokens, call.output_tokens) == (
        *("call-1", 200),
        *(7, 3),
    )
    assert session_of(caller.session).tokens_used == 10


def test_a_stream_passes_chunk_by_chunk_with_usage_asked_for(caller: Caller) -> None:
    answer = caller.post({"model": MODEL, "messages": [], "stream": True})
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert b"".join(answer.streaming_content) == b"".join(caller.model.chunks)
    assert caller.model.seen[0][1]["stream_options"] == {"include_usage": True}
    (call,) = caller.calls()
    assert (call.status, call.input_tokens, call.output_tokens) == (200, 7, 3)


def leave(answer: Any) -> None:
    """Close an answer as a server does when its caller is gone; the test's database stays open."""
    with mock.patch.object(connections["default"], "close_if_unusable_or_obsolete"):
        answer.close()


def test_a_caller_who_leaves_is_counted(caller: Caller) -> None:
    answer = caller.post({"model": MODEL, "messages": [], "stream": True})
    next(iter(answer.streaming_content))
    leave(answer)
    assert [call.status for call in caller.calls()] == [200]
    unread = caller.post({"model": MODEL, "messages": [], "stream": True})
    leave(unread)
    assert [call.status for call in caller.calls()] == [200, 200]


@pytest.mark.parametrize(
    ("headers", "status", "code", "counted"),
    [
        ({"Authorization": "Bearer vac_other"}, 401, "credential", False),
        ({"Authorization": ""}, 401, "credential", False),
        ({"X_Vedette_Request": ""}, 400, "request-id", False),
        ({"X_Vedette_Request": "a b"}, 400, "request-id", False),
        ({"X_Vedette_Purpose": "robustness"}, 403, "purpose", True),
        ({"X_Vedette_Purpose": ""}, 403, "purpose", True),
    ],
)
def test_refusals_are_plain(
    caller: Caller, headers: dict[str, str], status: int, code: str, counted: bool
) -> None:
    answer = caller.post(**headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert [call.status for call in caller.calls()] == ([status] if counted else [])
    assert caller.model.seen == []
    assert ("access:call:refused" in events()) == (status != 401)


def test_a_request_id_counts_once(caller: Caller) -> None:
    assert caller.post(X_Vedette_Request="same").status_code == 200
    assert caller.post(X_Vedette_Request="same").status_code == 409
    assert len(caller.calls()) == len(caller.model.seen) == 1


def test_after_the_window_nothing_passes(caller: Caller) -> None:
    caller.story.lab.clock.time = CLOSES
    answer = caller.post()
    assert answer.status_code == 403
    assert "the window ended at" in answer.json()["error"]["message"]
    move(caller.story.lab, CLOSES)
    assert caller.post().json()["error"]["code"] == "session"
    assert caller.model.seen == []
    move(caller.story.lab, CLOSES + timedelta(minutes=1))
    last = caller.story.office.received("access.metered")
    assert max(message.body["calls"] for message in last) == 2


def test_an_ended_session_and_window_pass_nothing(caller: Caller) -> None:
    engagement.end_window(caller.story.lead, caller.act)
    assert caller.post().status_code == 403
    assert caller.model.seen == []


@pytest.mark.parametrize("used", [{"calls_used": 1000}, {"tokens_used": 1_000_000}])
def test_over_quota_is_429(caller: Caller, used: dict[str, int]) -> None:
    with scoped(SYSTEM):
        type(session_of(caller.session)).objects.filter(id=caller.session).update(**used)
    answer = caller.post()
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "quota")
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), ({"model": "another", "messages": []}, 404)],
)
def test_bad_requests_are_counted(caller: Caller, body: Any, status: int) -> None:
    assert caller.post(body).status_code == status
    assert [call.status for call in caller.calls()] == [status]
    assert caller.model.seen == []


def test_a_request_too_large_is_refused(caller: Caller) -> None:
    assert caller.post(b" " * (8 * 1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize(
    ("status", "headers", "answer"),
    [
        (302, {"Location": "http://127.0.0.1:1/"}, b"{}"),
        (401, {}, f'{{"error": "wrong key {KEY}"}}'.encode()),
        (500, {}, f'{{"error": "with {KEY}"}}'.encode()),
        (200, {}, b"<html>"),
    ],
)
def test_the_labs_own_trouble_stays_its_own(
    caller: Caller, status: int, headers: dict[str, str], answer: bytes
) -> None:
    caller.model.status, caller.model.headers, caller.model.answer = status, headers, answer
    got = caller.post()
    assert got.status_code == 502
    assert KEY.encode() not in got.content
    assert [call.status for call in caller.calls()] == [502]


def test_the_models_own_refusal_passes(caller: Caller) -> None:
    caller.model.status, caller.model.answer = 429, b'{"error": {"message": "slow down"}}'
    caller.model.headers = {"Set-Cookie": "a=b", "X-Internal": "host-7"}
    got = caller.post()
    assert (got.status_code, got.json()["error"]["message"]) == (429, "slow down")
    assert "X-Internal" not in got.headers
    assert not got.cookies
    caller.post()
    assert "Cookie" not in caller.model.seen[1][0]


def test_a_model_that_is_down_is_a_plain_502(lab: Fixture) -> None:
    caller = opened(lab, None, "http://127.0.0.1:1/v1")
    assert caller.post().status_code == 502
    assert [call.status for call in caller.calls()] == [502]


def test_a_stream_stops_when_the_window_ends(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "CHECK_SECONDS", -1.0)
    caller.model.between = lambda: time.sleep(0.1)
    answer = caller.post({"model": MODEL, "messages": [], "stream": True})
    parts = iter(answer.streaming_content)
    next(parts)
    caller.story.lab.clock.time = CLOSES
    rest = b"".join(parts)
    assert b"the session ended" in rest
    assert b"[DONE]" not in rest


def test_an_answer_after_the_window_is_not_handed_on(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Handler.send_response

    def late(self: Any, *args: Any) -> None:
        caller.story.lab.clock.time = CLOSES
        original(self, *args)

    monkeypatch.setattr(Handler, "send_response", late)
    answer = caller.post()
    assert answer.status_code == 403
    (call,) = caller.calls()
    assert (call.status, call.output_tokens) == (403, 0), "as the office counts it, which got none"
    assert session_of(caller.session).tokens_used == 0


def test_the_models_list_names_the_sessions_model(caller: Caller) -> None:
    headers = {"Authorization": f"Bearer {caller.credential}", "X-Vedette-Request": "m-1"}
    refused = caller.client.get("/proxy/v1/models", headers=headers)
    assert refused.status_code == 403
    headers |= {"X-Vedette-Request": "m-2", "X-Vedette-Purpose": "confirmation"}
    got = caller.client.get("/proxy/v1/models", headers=headers)
    assert [row["id"] for row in got.json()["data"]] == [MODEL]
    assert caller.model.seen == []


def test_the_shipped_stand_in_answers_through_the_proxy(lab: Fixture) -> None:
    with served("mutator", key=KEY) as stand_in:
        caller = opened(lab, None, stand_in.url, "mutator")
        messages = [{"role": "user", "content": "hello"}]
        whole = caller.post({"model": MODEL, "messages": messages})
        assert whole.status_code == 200
        stream = caller.post({"model": MODEL, "messages": messages, "stream": True})
        assert b"[DONE]" in b"".join(stream.streaming_content)
    first, second = caller.calls()
    assert first.input_tokens > 0
    assert first.output_tokens > 0
    assert (second.input_tokens, second.output_tokens) == (
        first.input_tokens,
        first.output_tokens,
    )


def test_elsewhere_there_is_no_proxy(db: None, tmp_path: Path) -> None:
    with instance(Profile.OFFICE, tmp_path):
        answer = Client().post("/proxy/v1/chat/completions", "{}", content_type="application/json")
        assert answer.status_code == 404


def test_usage_is_found_however_the_stream_is_cut() -> None:
    data = b'data: {"choices": []}\r\n\r\ndata: {"usage": ' + json.dumps(USAGE).encode() + b"}"
    for size in range(1, len(data)):
        usage = StreamUsage()
        for start in range(0, len(data), size):
            usage.feed(data[start : start + size])
        assert usage.end() == (7, 3)
    nonsense = StreamUsage()
    nonsense.feed(b'data: {"usage": "x"}\ndata: {"usage" nonsense\n')
    assert nonsense.end() == (0, 0)
