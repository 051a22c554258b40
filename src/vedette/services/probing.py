"""Asking the probe set through the lab's proxy: each question some times, each attempt counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from vedette.engagement.usage import usage_of
from vedette.kernel.bounds import MIB
from vedette.kernel.ids import new_id
from vedette.services import outgoing
from vedette.services.credentials import OpenSession
from vedette.services.metering import Metered

AT_ONCE = 6
PATIENCE = 120.0
GIVE_UP_AFTER = 5
LONGEST = 2000
ADDRESS = {"openai": "chat/completions", "anthropic": "messages"}


@dataclass
class Asked:
    """What came of asking: answers by question, the attempts, and why it stopped early ("")."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    calls: list[Metered] = field(default_factory=list)
    builds: set[str] = field(default_factory=set)
    failed: int = 0
    reason: str = ""

    def take(self, call: Metered, question: str, text: str | None, said: str = "") -> None:
        """Keep one attempt; its answer too, where it gave one."""
        self.calls.append(call)
        self.builds.add(call.build)
        if text is not None:
            self.answers.setdefault(question, []).append(text[:LONGEST])
            return
        self.failed += 1
        if self.failed >= GIVE_UP_AFTER:
            last = f"HTTP {call.status}" + (f", {said}" if said else "")
            self.reason = f"{self.failed} probes got no answer (last: {last})"


def ask(
    opened: OpenSession,
    questions: Sequence[str],
    times: int,
    tokens: int,
    now: Callable[[], datetime],
) -> Asked:
    """Ask every question `times` times; stop after some that got no answer."""
    found = Asked()
    limits = httpx.Limits(max_connections=AT_ONCE)
    with (
        outgoing.client(PATIENCE, limits) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        for _ in range(times):
            if found.reason:
                break
            work = [pool.submit(_one, client, opened, q, tokens, now) for q in questions]
            for question, each in zip(questions, work, strict=True):
                call, text, said = each.result()
                found.take(call, question, text, said)
    return found


def _one(
    client: httpx.Client,
    opened: OpenSession,
    question: str,
    tokens: int,
    now: Callable[[], datetime],
) -> tuple[Metered, str | None, str]:
    request_id, at, started = new_id("probe"), now(), time.monotonic()
    headers = {
        "Authorization": f"Bearer {opened.credential}",
        "X-Vedette-Request": request_id,
        "X-Vedette-Purpose": opened.purpose,
        "X-Vedette-Probe": "1",
        "Accept-Encoding": "identity",
    }
    status, value, build, refused = 0, None, "", ""
    try:
        url = f"{opened.url}/{ADDRESS[opened.dialect]}"
        body = _body(opened, question, tokens)
        with client.stream("POST", url, json=body, headers=headers) as answer:
            status, build = answer.status_code, answer.headers.get("X-Vedette-Build", "")[:40]
            refused = answer.headers.get("X-Vedette-Refused", "")[:40]
            value = _json(_within(answer))
    except (httpx.HTTPError, ValueError):
        value = None
    spent = round((time.monotonic() - started) * 1000)
    call = Metered(request_id, at, status, *usage_of(value), spent, refused, build, probe=True)
    if status == 200:
        return call, text_of(value), ""
    return call, None, error_of(value)


def _body(opened: OpenSession, question: str, tokens: int) -> dict[str, Any]:
    limit = "max_tokens" if opened.dialect == "anthropic" else "max_completion_tokens"
    messages = [{"role": "user", "content": question}]
    return {"model": opened.model, "messages": messages, limit: tokens}


def _within(answer: httpx.Response) -> bytes:
    data = b""
    for piece in answer.iter_raw():
        data += piece
        if len(data) > MIB:
            raise ValueError("too large")
    return data


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        return None


def error_of(value: Any) -> str:
    """What an answer says of its own error, on one line and cut; "" where it says nothing."""
    error = value.get("error") if isinstance(value, Mapping) else None
    said = error.get("message") if isinstance(error, Mapping) else error
    return " ".join(said.split())[:120] if isinstance(said, str) else ""


def text_of(value: Any) -> str | None:
    """The text of an answer in either dialect, None where it has none."""
    if not isinstance(value, Mapping):
        return None
    choices, blocks = value.get("choices"), value.get("content")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        message = choices[0].get("message")
        text = message.get("content") if isinstance(message, Mapping) else None
        return text if isinstance(text, str) else None
    if isinstance(blocks, list):
        parts = [b.get("text") for b in blocks if isinstance(b, Mapping)]
        return "".join(part for part in parts if isinstance(part, str))
    return None
