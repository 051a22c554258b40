"""The chat-completions wire format: requests read and checked, answers and streams written.

Errors carry OpenAI's shape: {"error": {"message", "type", "param", "code"}}.
Source: OpenAI API reference, "Create chat completion" and "Streaming".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.errors import BadInput
from vedette.runner.subjects.conversation import Act, Conversation

BOUNDS = Bounds(size=32 * MIB, depth=32, count=500_000, any_text=True)
ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


class RequestError(Exception):
    """A request that gets an error answer: HTTP status, type, message, parameter."""

    def __init__(self, status: int, kind: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        told = {"message": message, "type": kind, "param": param, "code": None}
        self.body: dict[str, Any] = {"error": told}


@dataclass(frozen=True)
class Request:
    """One checked request."""

    model: str
    conversation: Conversation
    stream: bool
    include_usage: bool
    prompt_tokens: int
    max_tokens: int | None = None
    temperature: float | None = None


def read_request(body: bytes) -> Request:
    """Read a request's body. Raises RequestError naming the parameter."""
    try:
        value = read_json(body, source="request", bounds=BOUNDS)
    except BadInput as error:
        raise invalid(str(error)) from None
    if not isinstance(value, dict):
        raise invalid("the body must be a JSON object")
    model = value.get("model")
    if not isinstance(model, str) or not model:
        raise invalid("you must provide a model parameter", "model")
    if value.get("n", 1) not in (1, None):
        raise invalid("only n = 1 is supported", "n")
    messages = _messages(value.get("messages"))
    tools = _tools(value.get("tools"))
    options = value.get("stream_options") or {}
    seed = value.get("seed")
    return Request(
        model,
        Conversation(messages, tools, seed if isinstance(seed, int) else 0),
        stream=value.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        prompt_tokens=count_tokens(json.dumps([messages, value.get("tools") or []])),
        max_tokens=_limit(value),
        temperature=temperature_of(value),
    )


def _limit(value: dict[str, Any]) -> int | None:
    limit = value.get("max_completion_tokens", value.get("max_tokens"))
    return limit if isinstance(limit, int) and limit > 0 else None


def temperature_of(value: dict[str, Any]) -> float | None:
    """The temperature that a request asks for, None where it names none that makes sense."""
    found = value.get("temperature")
    return float(found) if isinstance(found, int | float) and 0 <= found <= 2 else None


def pieces(text: str) -> list[str]:
    """A text in the pieces of a stream: a word each, or larger ones of a long text."""
    words = text.split(" ")
    step = max(1, len(words) // 256)
    parts = [" ".join(words[at : at + step]) for at in range(0, len(words), step)]
    return [*(f"{part} " for part in parts[:-1]), *parts[-1:]]


def invalid(message: str, param: str | None = None) -> RequestError:
    return RequestError(400, "invalid_request_error", message, param)


def count_tokens(text: str) -> int:
    """Return a token count: a quarter of the characters, rounded up."""
    return -(-len(text) // 4)


@dataclass(frozen=True)
class Answer:
    """One completion, written whole or as a stream. `identity` makes its ids repeatable."""

    request: Request
    act: Act
    created: int
    identity: bytes

    @property
    def usage(self) -> dict[str, int]:
        written = count_tokens(self.act.text + json.dumps(self.act.calls))
        prompt = self.request.prompt_tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
        }

    def whole(self) -> dict[str, Any]:
        """Return the chat.completion object."""
        message: dict[str, Any] = {"role": "assistant", "content": self.act.text or None}
        if self.act.calls:
            message["tool_calls"] = self._calls()
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._reason()}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self.usage}

    def chunks(self) -> Iterator[dict[str, Any]]:
        """Yield chat.completion.chunk objects; usage, when asked for, in the last."""
        yield self._chunk({"role": "assistant", "content": ""})
        for words in pieces(self.act.text) if self.act.text else ():
            yield self._chunk({"content": words})
        for index, call in enumerate(self._calls()):
            arguments = call["function"].pop("arguments")
            start = {**call, "function": {**call["function"], "arguments": ""}, "index": index}
            yield self._chunk({"tool_calls": [start]})
            for at in range(0, len(arguments), 4096):
                piece = {"index": index, "function": {"arguments": arguments[at : at + 4096]}}
                yield self._chunk({"tool_calls": [piece]})
        yield self._chunk({}, self._reason())
        if self.request.include_usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage}

    def _calls(self) -> list[dict[str, Any]]:
        return [
            {
                "id": f"call_{hashlib.sha256(self.identity + bytes([index])).hexdigest()[:24]}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for index, (name, arguments) in enumerate(self.act.calls)
        ]

    def _reason(self) -> str:
        if self.act.cut:
            return "length"
        return "tool_calls" if self.act.calls else "stop"

    def _head(self, kind: str) -> dict[str, Any]:
        name = f"chatcmpl-{self.identity.hex()[:24]}"
        return {"id": name, "object": kind, "created": self.created, "model": self.request.model}

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        chunk = {**self._head("chat.completion.chunk"), "choices": [choice]}
        return {**chunk, "usage": None} if self.request.include_usage else chunk


def _messages(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise invalid("messages must be a list with at least one message", "messages")
    for index, message in enumerate(value):
        where = f"messages[{index}]"
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise invalid("a message must be an object with a known role", f"{where}.role")
        calls = message.get("tool_calls") or []
        well_formed = isinstance(calls, list) and all(
            isinstance(call, dict) and isinstance(call.get("function"), dict) for call in calls
        )
        if not well_formed:
            raise invalid("tool_calls must be a list of function calls", f"{where}.tool_calls")
    return value


def _tools(value: Any) -> frozenset[str]:
    if value is None:
        return frozenset()
    names = []
    for index, tool in enumerate(value if isinstance(value, list) else [None]):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise invalid("a tool must be a function with a name", f"tools[{index}]")
        names.append(function["name"])
    return frozenset(names)
