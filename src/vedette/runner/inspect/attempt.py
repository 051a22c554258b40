"""One subject's attempt at one item: its budget, what it has used, and what it submitted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from inspect_ai.model import ChatMessageAssistant, ContentReasoning

from vedette.bench.results import Noted
from vedette.bench.transcripts import MOST_SCANNED, is_said, kinds_in, strongest

MAX_LINES = 40
MAX_LINE = 300
MOST_WORDS, MOST_NOTED = 64_000, 200


@dataclass
class Attempt:
    """Counts what an attempt uses; `trajectory` keeps its first and last steps, shortened.

    `budget` has tool_calls, executions, tokens and seconds. Every step is scanned whole, before it
    is shortened or left out (see `bench.transcripts`); `canaries` are the suite's own.
    """

    budget: Mapping[str, int]
    canaries: tuple[str, ...] = ()
    tool_calls: int = 0
    executions: int = 0
    tokens: int = 0
    submitted: bytes | None = None
    ended: str = ""
    steps: list[str] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def note(self, step: str, scanned: str | None = None) -> None:
        """Add a step to the trajectory; `scanned` is all that the subject said or did in it."""
        line = " ".join(step.split())
        self.steps.append(line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…")
        words = step if scanned is None else scanned
        parts = [words[at : at + MOST_SCANNED] for at in range(0, MOST_WORDS, MOST_SCANNED)]
        found = [
            each
            for part in filter(None, parts)
            for each in kinds_in(
                part, self.canaries, step=len(self.steps), said=is_said(step) and scanned is None
            )
        ]
        if found:
            self.noted = strongest([*self.noted, *found], MOST_NOTED)

    def note_message(self, message: ChatMessageAssistant, *, silent: bool = False) -> None:
        """Note what a model thought, where it shows that, and what it said, even nothing if asked.

        Args:
            message: the model's answer.
            silent: whether an answer without words is a step, too.
        """
        blocks = [] if isinstance(message.content, str) else message.content
        for block in blocks:
            if isinstance(block, ContentReasoning) and not block.redacted and block.reasoning:
                self.note(f"thought: {block.reasoning}")
        if message.text or silent:
            self.note(f"said: {message.text}")

    @property
    def trajectory(self) -> tuple[str, ...]:
        if len(self.steps) <= MAX_LINES:
            return tuple(self.steps)
        half = MAX_LINES // 2
        left_out = f"… {len(self.steps) - 2 * half} steps left out …"
        return (*self.steps[:half], left_out, *self.steps[-half:])

    def spend_tool_call(self) -> bool:
        """Count a tool call; False when none was left."""
        if self.tool_calls >= self.budget["tool_calls"]:
            return False
        self.tool_calls += 1
        return True

    @property
    def executions_left(self) -> int:
        return max(0, self.budget["executions"] - self.executions)

    @property
    def used_up(self) -> str:
        """Name a budget that is used up, first those that end a sample at once, or ""."""
        used = {
            "tokens": self.tokens,
            "seconds": int(time.monotonic() - self.started),
            "tool_calls": self.tool_calls,
            "executions": self.executions,
        }
        return next((name for name, amount in used.items() if amount >= self.budget[name]), "")
