"""A model, or what stands in its place, that means harm: redirects, hangs, stalls, lies, floods."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.flow import MODEL, LabStory, session_of
from tests.web.test_proxy import KEY, Caller, opened, running

from vedette.kernel.errors import BadInput
from vedette.services import access, proxying
from vedette.services.testing import Fixture
from vedette.web.proxy import relay, slots, upstream

STREAM = {"model": MODEL, "messages": [], "stream": True}

pytestmark = pytest.mark.any_database


@pytest.fixture
def caller(lab: Fixture) -> Iterator[Caller]:
    upstream.pool.cache_clear()
    with running() as model:
        yield opened(lab, model, f"http://127.0.0.1:{model.server_address[1]}/v1")


def streamed(caller: Caller) -> bytes:
    answer = caller.post(STREAM)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def test_a_redirect_to_a_private_address_is_never_followed(caller: Caller) -> None:
    with running() as inner:
        port = inner.server_address[1]
        caller.model.status = 307
        caller.model.headers = {"Location": f"http://127.0.0.1:{port}/v1/chat/completions"}
        for body in (None, STREAM):
            answer = caller.post(body)
            assert answer.status_code == 502
            assert b"not set up" in answer.content
        assert inner.seen == []


def resolving(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_a_name_that_later_leads_inside_leads_nowhere(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = caller.model.server_address[1]
    with monkeypatch.context() as patched:
        resolving(patched, "8.8.8.8")
        access.add_endpoint(caller.story.lead, MODEL, f"http://api.lab.example:{port}/v1", KEY)
    for inside in ("127.0.0.1", "10.0.0.1", "169.254.169.254"):
        with monkeypatch.context() as patched:
            resolving(patched, inside)
            assert caller.post().status_code == 502
    assert caller.model.seen == []


def test_a_name_of_a_metadata_service_is_not_taken(
    lab: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = LabStory.start(lab)
    resolving(monkeypatch, "169.254.169.254")
    with pytest.raises(BadInput, match="give the address itself"):
        access.add_endpoint(story.lead, MODEL, "http://metadata.example/v1", KEY)


def test_a_model_that_hangs_is_a_plain_504(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "FIRST_BYTE_SECONDS", 0.2)
    monkeypatch.setattr(type(caller.model), "finish_request", lambda *_: time.sleep(0.6))
    assert caller.post().status_code == 504
    assert [call.status for call in caller.calls()] == [504]


def test_a_stream_that_stalls_is_ended_and_counted(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "STALL_SECONDS", 0.2)
    caller.model.between = lambda: time.sleep(0.6)
    text = streamed(caller)
    assert b"broke off" in text
    (call,) = caller.calls()
    assert (call.status, call.ended) == (200, "stalled")


@pytest.mark.parametrize("cut", [1, 7, len(KEY)])
def test_the_key_never_passes_in_a_stream_however_it_is_cut(caller: Caller, cut: int) -> None:
    data = b'data: {"choices": [{"delta": {"content": "' + KEY.encode() + b'"}}]}\n\n'
    start = data.index(KEY.encode())
    caller.model.chunks = [data[: start + cut], data[start + cut :], b"data: [DONE]\n\n"]
    text = streamed(caller)
    assert KEY.encode() not in text
    assert b"not set up" in text
    assert b"[DONE]" not in text
    assert [call.ended for call in caller.calls()] == ["key"]


def test_what_only_begins_like_the_key_passes(caller: Caller) -> None:
    caller.model.chunks = [b"data: sk-", b"the-", b"other\n\n", b"data: sk-the-labs"]
    assert streamed(caller) == b"".join(caller.model.chunks)


@pytest.mark.parametrize("body", [None, STREAM])
def test_megabytes_are_bounded(caller: Caller, monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    monkeypatch.setattr(upstream, "ANSWER_LIMIT", 100_000)
    caller.model.answer = b'"' + b"x" * 300_000 + b'"'
    caller.model.chunks = [b"data: " + b"x" * 50_000 + b"\n\n"] * 20
    answer = caller.post(body)
    text = b"".join(answer.streaming_content) if body else answer.content
    assert relay.TOO_LARGE.encode() in text
    assert len(text) < 250_000
    assert len(caller.calls()) == 1


@pytest.mark.parametrize(
    ("usage", "odd"),
    [
        ({"prompt_tokens": 10**9, "completion_tokens": 10**9}, "more usage than is possible"),
        ({"prompt_tokens": -1, "completion_tokens": "many"}, "no usage named"),
        (None, "no usage named"),
    ],
)
def test_a_lie_about_usage_is_shown_and_does_not_burn_the_quota(
    caller: Caller, usage: Any, odd: str
) -> None:
    caller.model.answer = json.dumps({"choices": [], "usage": usage}).encode()
    assert caller.post({"model": MODEL, "messages": [], "max_tokens": 5}).status_code == 200
    (call,) = caller.calls()
    assert call.odd == odd
    assert session_of(caller.session).tokens_used <= 10_100 + 5
    assert caller.post().status_code == 200


def test_tokens_are_set_aside_for_calls_under_way(caller: Caller) -> None:
    seen: list[int] = []

    def meanwhile() -> None:
        seen.append(proxying.ASIDE.of(caller.act))

    caller.model.between = meanwhile
    answer = caller.post({**STREAM, "max_tokens": 900_000})
    parts = iter(answer.streaming_content)
    next(parts)
    late = caller.post({"model": MODEL, "messages": [], "max_tokens": 200_000})
    assert late.status_code == 429
    assert "state a lower limit" in late.json()["error"]["message"]
    assert late.headers["X-Vedette-Refused"] == "quota"
    list(parts)
    assert min(seen) > 900_000
    assert proxying.ASIDE.of(caller.act) == 0
    assert caller.post({"model": MODEL, "messages": [], "max_tokens": 200_000}).status_code == 200


def test_a_full_proxy_says_so_and_counts(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    places = slots._places()
    taken = 0
    while places.acquire(blocking=False):
        taken += 1
    try:
        assert caller.post().json()["error"]["code"] == "busy"
    finally:
        for _ in range(taken):
            places.release()
    assert caller.post().status_code == 200
    assert [call.status for call in caller.calls()] == [503, 200]


def test_refusals_are_bounded_in_rows_and_ledger(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.services.flow import events

    original = type(caller.story.lab.here.pack).integer

    def integer(pack: Any, *path: str) -> int:
        return 5 if path == ("access", "refusals_counted") else int(original(pack, *path))

    monkeypatch.setattr(type(caller.story.lab.here.pack), "integer", integer)
    for _ in range(9):
        assert caller.post(X_Vedette_Purpose="robustness").status_code == 403
    assert len(caller.calls()) == 5
    assert events().count("access:call:refused") == 1
    assert session_of(caller.session).refusals == {"purpose": 5}
