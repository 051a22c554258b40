"""Anthropic's Messages wire format: requests read and checked, answers and streams written.

Errors carry Anthropic's shape: {"type": "error", "error": {"type", "message"}}.
Source: Anthropic API reference, "Create a Message" and "Streaming Messages".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vedette.kernel.bounds import read_json
from vedette.kernel.errors import BadInput
from vedette.runner.subjects.completions import (
    BOUNDS,
    RequestError,
    count_tokens,
    pieces,
    temperature_of,
)
from vedette.runner.subjects.conversation import Act, Conversation, text_of

KINDS = {401: "authentication_error", 404: "not_found_error", 413: "request_too_large"}


def failed(status: int, message: str) -> RequestError:
    """An error answer in Anthropic's form."""
    error = RequestError(status, KINDS.get(status, "invalid_request_error"), message)
    kind = error.body["error"]["type"]
    error.body = {"type": "error", "error": {"type": kind, "message": message}}
    return error


@dataclass(frozen=True)
class Request:
    """One checked request."""

    model: str
    conversation: Conversation
    stream: bool
    input_tokens: int
    max_tokens: int
    temperature: float | None = None


def read_request(body: bytes) -> Request:
    """Read a request's body. Raises RequestError naming the field."""
    try:
        value = read_json(body, source="request", bounds=BOUNDS)
    except BadInput as error:
        raise failed(400, str(error)) from None
    if not isinstance(value, dict):
        raise failed(400, "the body must be a JSON object")
    model, limit = value.get("model"), value.get("max_tokens")
    if not isinstance(model, str) or not model:
        raise failed(400, "model: field required")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise failed(400, "max_tokens: a positive integer is required")
    given = value.get("messages")
    if not isinstance(given, list) or not given:
        raise failed(400, "messages: at least one message is required")
    system = text_of({"content": value.get("system")})
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for index, message in enumerate(given):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            raise failed(400, f"messages.{index}.role: user or assistant expected")
        messages += _turns(message, f"messages.{index}")
    tools = _tools(value.get("tools"))
    counted = count_tokens(json.dumps([messages, value.get("tools") or []]))
    stream = value.get("stream") is True
    return Request(
        model, Conversation(messages, tools, 0), stream, counted, limit, temperature_of(value)
    )


def _turns(message: dict[str, Any], where: str) -> list[dict[str, Any]]:
    """One message as the chat format's messages: tool results stand apart there."""
    content: Any = message.get("content")
    blocks: list[Any] = (
        content if isinstance(content, list) else [{"type": "text", "text": content}]
    )
    if not all(isinstance(block, dict) for block in blocks):
        raise failed(400, f"{where}.content: text or a list of blocks expected")
    results = [
        {"role": "tool", "tool_call_id": b.get("tool_use_id"), "content": b.get("content")}
        for b in blocks
        if b.get("type") == "tool_result"
    ]
    calls = [
        {
            "id": b.get("id"),
            "function": {"name": b.get("name"), "arguments": json.dumps(b.get("input"))},
        }
        for b in blocks
        if b.get("type") == "tool_use"
    ]
    text = "".join(str(b.get("text") or "") for b in blocks if b.get("type") == "text")
    if results and not text:
        return results
    return [*results, {"role": message["role"], "content": text, "tool_calls": calls}]


def _tools(value: Any) -> frozenset[str]:
    rows = value or []
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows
    ):
        raise failed(400, "tools: objects with a name expected")
    return frozenset(row["name"] for row in rows)


@dataclass(frozen=True)
class Answer:
    """One message, written whole or as a stream. `identity` makes its ids repeatable."""

    request: Request
    act: Act
    identity: bytes

    @property
    def written(self) -> int:
        return max(1, count_tokens(self.act.text + json.dumps(self.act.calls)))

    def whole(self) -> dict[str, Any]:
        """Return the message object."""
        usage = {"input_tokens": self.request.input_tokens, "output_tokens": self.written}
        return {
            **self._head(usage),
            "content": self._blocks(),
            "stop_reason": self._reason(),
            "stop_sequence": None,
        }

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the stream's events; output tokens grow to their whole in `message_delta`."""
        usage = {"input_tokens": self.request.input_tokens, "output_tokens": 1}
        head = {**self._head(usage), "content": [], "stop_reason": None, "stop_sequence": None}
        yield {"type": "message_start", "message": head}
        for index, block in enumerate(self._blocks()):
            yield from _block_events(index, block)
        delta = {"stop_reason": self._reason(), "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": self.written}}
        yield {"type": "message_stop"}

    def _head(self, usage: dict[str, int]) -> dict[str, Any]:
        name = f"msg_{self.identity.hex()[:24]}"
        head = {"id": name, "type": "message", "role": "assistant", "model": self.request.model}
        return {**head, "usage": usage}

    def _blocks(self) -> list[dict[str, Any]]:
        texts = [{"type": "text", "text": self.act.text}] if self.act.text else []
        calls = [
            {
                "type": "tool_use",
                "id": f"toolu_{hashlib.sha256(self.identity + bytes([index])).hexdigest()[:24]}",
                "name": name,
                "input": arguments,
            }
            for index, (name, arguments) in enumerate(self.act.calls)
        ]
        return [*texts, *calls]

    def _reason(self) -> str:
        if self.act.cut:
            return "max_tokens"
        return "tool_use" if self.act.calls else "end_turn"


def _block_events(index: int, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        empty: dict[str, Any] = {"type": "text", "text": ""}
        words = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
    else:
        empty, text = {**block, "input": {}}, json.dumps(block["input"])
        words = [
            {"type": "input_json_delta", "partial_json": text[at : at + 4096]}
            for at in range(0, len(text), 4096)
        ]
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for delta in words:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}
