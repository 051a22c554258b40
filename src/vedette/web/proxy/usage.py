"""Tokens of an answer: from its JSON, or from the last stream chunk that names them."""

from __future__ import annotations

import json
from typing import Any

LONGEST_LINE = 1024 * 1024
LARGEST = 10**9


def usage_of(answer: Any) -> tuple[int, int]:
    """Return (input, output) tokens of a completion or a chunk, zeros where it names none."""
    usage = answer.get("usage") if isinstance(answer, dict) else None
    if not isinstance(usage, dict):
        return 0, 0
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))


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
        if any(found):
            self.tokens = found
