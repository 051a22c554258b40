"""A chat-completions conversation as the stand-ins read it: what was asked, called and answered.

The stand-ins keep no state: everything they know stands in the messages of the request, so a
server may be restarted, and two requests with the same messages get the same answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One tool call of the conversation, with its answer where it has one."""

    name: str
    arguments: dict[str, Any]
    answer: str | None


@dataclass(frozen=True)
class Act:
    """What the subject does next: tool calls as (name, arguments), or plain text.

    `cut` says that the text ended at the caller's limit.
    """

    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    text: str = ""
    cut: bool = False


class Conversation:
    """The messages of a request, read once; tool calls are paired with their answers."""

    def __init__(
        self, messages: Sequence[dict[str, Any]], tools: frozenset[str], seed: int
    ) -> None:
        self.tools = tools
        self.seed = seed
        self.question = "\n".join(
            text_of(message) for message in messages if message.get("role") in ("system", "user")
        )
        answers = {
            str(message.get("tool_call_id")): text_of(message)
            for message in messages
            if message.get("role") == "tool"
        }
        self.calls = [
            _call(call, answers)
            for message in messages
            if message.get("role") == "assistant"
            for call in message.get("tool_calls") or []
        ]

    def of(self, name: str) -> list[Call]:
        """Return the calls of one tool, in order."""
        return [call for call in self.calls if call.name == name]

    def answers(self, name: str) -> list[str]:
        """Return the answers one tool gave, in order; calls without an answer are left out."""
        return [call.answer for call in self.of(name) if call.answer is not None]

    def key(self, *parts: object) -> bytes:
        """Return 32 bytes that depend on the seed, the question and `parts` only."""
        words = [str(self.seed), self.question, *(str(part) for part in parts)]
        return hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).digest()


def text_of(message: dict[str, Any]) -> str:
    """Return a message's text; content may be text, a list of parts, or absent."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _call(call: dict[str, Any], answers: dict[str, str]) -> Call:
    function = call.get("function") or {}
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except ValueError:
        arguments = {}
    if not isinstance(arguments, dict):
        arguments = {}
    return Call(str(function.get("name")), arguments, answers.get(str(call.get("id"))))
