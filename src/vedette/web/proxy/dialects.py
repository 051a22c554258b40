"""The ways in which models are called: OpenAI's three addresses and Anthropic's Messages.

A dialect says how a caller and the lab show their keys, what of a request is changed on its way,
how much it may use, and in what form a refusal is read by that maker's clients.

Sources: OpenAI API reference (Chat, Completions, Responses, Errors), Anthropic API reference
(Messages, Streaming messages, Errors, Versions).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OPENAI, ANTHROPIC = "openai", "anthropic"
ANTHROPIC_VERSION = "2023-06-01"
HEADER_VALUE = re.compile(r"[\x20-\x7e]{1,500}")


@dataclass(frozen=True)
class Route:
    """One address that callers may post to.

    Args:
        path: below the base address, on both sides of the proxy.
        limits: the fields, the first that is given counts, that bound an answer's tokens.
        never: fields that may not be set, because what they start could not be counted.
    """

    dialect: str
    path: str
    limits: tuple[str, ...]
    ask_usage: bool = False
    never: tuple[str, ...] = ()

    def prepare(self, body: dict[str, Any]) -> None:
        """Change what must be: a stream is to name its usage."""
        if self.ask_usage and body.get("stream"):
            given = body.get("stream_options")
            kept = given if isinstance(given, dict) else {}
            body["stream_options"] = {**kept, "include_usage": True}

    def limit(self, body: Mapping[str, Any]) -> int | None:
        """The most tokens that an answer may have by the caller's own word; None unsaid."""
        given = [body[name] for name in self.limits if name in body]
        if not given or not isinstance(given[0], int) or isinstance(given[0], bool):
            return None
        answers = body.get("n")
        many = answers if isinstance(answers, int) and 1 <= answers <= 1000 else 1
        return max(0, given[0]) * many


CHAT = Route(OPENAI, "chat/completions", ("max_completion_tokens", "max_tokens"), ask_usage=True)
TEXT = Route(OPENAI, "completions", ("max_tokens",), ask_usage=True)
RESPONSES = Route(OPENAI, "responses", ("max_output_tokens",), never=("background",))
MESSAGES = Route(ANTHROPIC, "messages", ("max_tokens",))
ROUTES = (CHAT, TEXT, RESPONSES, MESSAGES)


def credential(headers: Mapping[str, str]) -> str:
    """What a caller shows: a bearer token, or Anthropic's `x-api-key`."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("X-Api-Key", "").strip()


def upstream_headers(dialect: str, key: str, given: Mapping[str, str]) -> dict[str, str]:
    """The headers that go to the model: the lab's key, and of the caller's only its version."""
    made = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if dialect == OPENAI:
        return {**made, "Authorization": f"Bearer {key}"} if key else made
    version = given.get("Anthropic-Version", "")
    made["anthropic-version"] = version if HEADER_VALUE.fullmatch(version) else ANTHROPIC_VERSION
    if HEADER_VALUE.fullmatch(given.get("Anthropic-Beta", "")):
        made["anthropic-beta"] = given["Anthropic-Beta"]
    return {**made, "x-api-key": key} if key else made


_KINDS = {
    OPENAI: {
        400: "invalid_request_error",
        401: "authentication_error",
        413: "invalid_request_error",
        429: "rate_limit_error",
    },
    ANTHROPIC: {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        503: "overloaded_error",
    },
}
_OTHERWISE = {OPENAI: "access", ANTHROPIC: "api_error"}


def error(dialect: str, status: int, code: str, text: str) -> dict[str, Any]:
    """A refusal in the form that the dialect's own clients read; `code` is ours in both."""
    kind = _KINDS[dialect].get(status, _OTHERWISE[dialect])
    if dialect == OPENAI:
        return {"error": {"message": text, "type": kind, "param": None, "code": code}}
    return {"type": "error", "error": {"type": kind, "message": text, "code": code}}


def stream_error(dialect: str, status: int, code: str, text: str) -> bytes:
    """The same as the last event of a stream that is broken off."""
    event = b"event: error\n" if dialect == ANTHROPIC else b""
    return event + b"data: " + json.dumps(error(dialect, status, code, text)).encode() + b"\n\n"


def model_list(dialect: str, model: str) -> dict[str, Any]:
    """The one model of a session."""
    if dialect == OPENAI:
        row = {"id": model, "object": "model", "created": 0, "owned_by": "lab"}
        return {"object": "list", "data": [row]}
    row = {"type": "model", "id": model, "display_name": model}
    data = [{**row, "created_at": "1970-01-01T00:00:00Z"}]
    return {"data": data, "has_more": False, "first_id": model, "last_id": model}
