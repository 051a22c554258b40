"""The stand-in server: chat completions with tools, streams, usage, keys and plain errors."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from vedette.kernel.errors import BadInput
from vedette.runner.subjects.server import SubjectServer, served

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("list_files", "read_file", "run_inputs", "submit")
]


@pytest.fixture(scope="module")
def server() -> Iterator[SubjectServer]:
    with served("mutator", key="k3y") as running:
        yield running


def post(
    server: SubjectServer,
    body: Any,
    *,
    key: str = "k3y",
    path: str = "/v1/chat/completions",
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", path, data, {"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    if answer.getheader("Content-Type") == "text/event-stream":
        return answer.status, [line[6:] for line in raw.decode().split("\n\n") if line]
    return answer.status, json.loads(raw)


def request(messages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"model": "mutator", "messages": messages, "tools": TOOLS, "seed": 7, **more}


def play(server: SubjectServer, program: Any, **more: Any) -> tuple[bytes | None, int]:
    """Play the tools' part until the subject stops; returns what it submitted, and batches run."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Find a crash."}]
    batches = 0
    for _ in range(100):
        status, answer = post(server, request(messages, **more))
        assert status == 200
        message = answer["choices"][0]["message"]
        messages.append(message)
        if not message.get("tool_calls"):
            return None, batches
        for call in message["tool_calls"]:
            arguments = json.loads(call["function"]["arguments"])
            match call["function"]["name"]:
                case "list_files":
                    text = "main.c 40\nsamples/a.bin 8\nsamples/b.bin 4"
                case "read_file":
                    binary = arguments["name"].startswith("samples/")
                    text = b"SET\x00\x04abcd".hex() if binary else 'strcmp(s, "GET ")'
                case "run_inputs":
                    batches += 1
                    inputs = [bytes.fromhex(item) for item in arguments["inputs_hex"]]
                    lines = ["crash overflow" if program(data) else "exit 0" for data in inputs]
                    text = "\n".join(f"{i}: {line}" for i, line in enumerate(lines))
                case _:
                    return bytes.fromhex(arguments["input_hex"]), batches
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
    raise AssertionError("the subject never ended")


def test_it_finds_a_length_field_flaw_through_the_tools(server: SubjectServer) -> None:
    def overflows(data: bytes) -> bool:
        return data[:3] == b"SET" and len(data) >= 5 and data[4] > 100

    found, batches = play(server, overflows)
    assert found is not None
    assert overflows(found)
    assert batches < 10


def test_the_same_conversation_gets_the_same_answer_and_another_seed_another(
    server: SubjectServer,
) -> None:
    def rare(data: bytes) -> bool:
        return data[:3] == b"SET" and data[4:5] == b"\xff"

    assert play(server, rare) == play(server, rare)
    submitted = {play(server, rare, seed=seed)[0] for seed in range(4)}
    assert len(submitted) > 1


def test_it_gives_up_when_nothing_crashes(server: SubjectServer) -> None:
    found, batches = play(server, lambda data: False)
    assert found is None
    assert batches == 64


def test_stream_carries_the_whole_answer_and_usage_in_the_last_chunk(server: SubjectServer) -> None:
    messages = [{"role": "user", "content": "Find a crash."}]
    _, whole = post(server, request(messages))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    status, events = post(server, request(messages, **options))
    assert (status, events[-1]) == (200, "[DONE]")
    chunks = [json.loads(event) for event in events[:-1]]
    assert chunks[-1]["usage"] == whole["usage"]
    assert chunks[-1]["choices"] == []
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert whole["usage"]["total_tokens"] > whole["usage"]["completion_tokens"] > 0
    calls = [c for chunk in chunks[:-1] for c in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert calls[0]["function"]["name"] == "list_files"
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_without_its_tools_it_says_so(server: SubjectServer) -> None:
    messages = [{"role": "user", "content": "Hello"}]
    status, answer = post(server, {"model": "mutator", "messages": messages})
    assert status == 200
    assert "tools" in answer["choices"][0]["message"]["content"]


def test_a_wrong_key_is_401(server: SubjectServer) -> None:
    status, answer = post(server, request([{"role": "user", "content": "x"}]), key="wrong")
    assert status == 401
    assert answer["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"{", 400, None),
        (b"[]", 400, None),
        (b"[" * 100_000, 400, None),
        ({"messages": []}, 400, "model"),
        ({"model": "mutator"}, 400, "messages"),
        ({"model": "mutator", "messages": []}, 400, "messages"),
        ({"model": "mutator", "messages": ["x"]}, 400, "messages[0].role"),
        (
            {"model": "mutator", "messages": [{"role": "assistant", "tool_calls": 5}]},
            400,
            "messages[0].tool_calls",
        ),
        ({"model": "mutator", "messages": [{"role": "user"}], "tools": [1]}, 400, "tools[0]"),
        ({"model": "mutator", "messages": [{"role": "user"}], "n": 4}, 400, "n"),
        ({"model": "other", "messages": [{"role": "user"}]}, 404, "model"),
    ],
)
def test_malformed_requests_get_one_plain_error(
    server: SubjectServer, body: Any, status: int, param: str | None
) -> None:
    got, answer = post(server, body)
    assert got == status
    assert answer["error"]["param"] == param
    assert answer["error"]["message"]


def test_models_lists_itself_and_other_addresses_are_404(server: SubjectServer) -> None:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
    connection.request("GET", "/v1/models", headers={"Authorization": "Bearer k3y"})
    assert json.loads(connection.getresponse().read())["data"][0]["id"] == "mutator"
    connection.close()
    assert post(server, {}, path="/v1/other")[0] == 404


def test_a_name_that_cannot_be_served_is_bad_input() -> None:
    with pytest.raises(BadInput, match="oracle"):
        SubjectServer("oracle")


def test_it_answers_to_the_name_that_it_is_given_alone() -> None:
    with served("mutator", model="orion-2") as running:
        for asked, status in (("orion-2", 200), ("mutator", 404)):
            said = post(running, {**request([{"role": "user", "content": "?"}]), "model": asked})
            assert said[0] == status, asked
