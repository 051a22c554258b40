"""Tokens of a model's answer, read alike on both sides: whole, or as its stream passes by.

Rules:
- OpenAI's chat and text completions name `prompt_tokens` and `completion_tokens`, its Responses and
  Anthropic's Messages `input_tokens` and `output_tokens`; Anthropic's cached input counts as input.
- Usage stands in `usage`, in a stream also in `response.usage` or `message.usage`.
- A stream names usage once or more; its counts only grow, so the largest of each counts.
- A count is a whole number from 0 to 10^9; anything else counts as not named.

Sources: OpenAI API reference (Chat, Completions, Responses), Anthropic API reference (Messages,
Streaming messages: message_start, message_delta).
"""

from __future__ import annotations

import json
from typing import Any

LONGEST_LINE = 1024 * 1024
LARGEST = 10**9
_CACHED = ("cache_creation_input_tokens", "cache_read_input_tokens")


def usage_of(answer: Any) -> tuple[int, int]:
    """Return (input, output) tokens of an answer or of one event, zeros where it names none."""
    if not isinstance(answer, dict):
        return 0, 0
    for inner in (answer, answer.get("response"), answer.get("message")):
        usage = inner.get("usage") if isinstance(inner, dict) else None
        if isinstance(usage, dict):
            return _read(usage)
    return 0, 0


def _read(usage: dict[str, Any]) -> tuple[int, int]:
    given = _count(usage.get("prompt_tokens", usage.get("input_tokens")))
    cached = sum(_count(usage.get(name)) for name in _CACHED)
    written = _count(usage.get("completion_tokens", usage.get("output_tokens")))
    return min(given + cached, LARGEST), written


def _count(value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= LARGEST else 0


class StreamUsage:
    """Watches server-sent events pass by, in whatever pieces they come."""

    def __init__(self) -> None:
        self.tokens = (0, 0)
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        for line in lines:
            self._line(line)

    def end(self) -> tuple[int, int]:
        """Return the tokens seen, the last line counted even without its line end."""
        self._line(self._rest)
        self._rest = b""
        return self.tokens

    def _line(self, line: bytes) -> None:
        if not line.startswith(b"data:") or b'"usage"' not in line:
            return
        try:
            found = usage_of(json.loads(line[5:]))
        except (ValueError, RecursionError):
            return
        self.tokens = max(self.tokens[0], found[0]), max(self.tokens[1], found[1])
