"""Metering: every HTTP attempt of a model's client gets a request id and is recorded.

The client that the model's SDK would make is subclassed, so that whatever flavour of httpx the SDK
uses is kept. An attempt is recorded when its answer has been read, or when it failed: retries are
attempts of their own. Usage comes from the JSON answer, or from the last stream chunk that has it.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from openai import DefaultAsyncHttpxClient

from vedette.bench.results import MeteredCall
from vedette.kernel.bounds import MIB
from vedette.kernel.clock import format_time
from vedette.kernel.ids import new_id

REQUEST_HEADER = "X-Vedette-Request"
PURPOSE_HEADER = "X-Vedette-Purpose"

# the item and trial whose solver is running, so that a call can be put to its sample
CURRENT: ContextVar[tuple[str, int]] = ContextVar("vedette_current_sample", default=("", 0))


class Meter:
    """Counts one subject's calls and hands each to `record`."""

    def __init__(self, subject: str, record: Callable[[MeteredCall], None]) -> None:
        self.subject = subject
        self._record = record
        self._sums: dict[tuple[str, int], list[int]] = {}

    def note(
        self,
        request_id: str,
        started: datetime,
        status: int,
        usage: tuple[int, int],
        seconds: float,
    ) -> None:
        """Record one attempt of the running sample."""
        item, trial = CURRENT.get()
        sums = self._sums.setdefault((item, trial), [0, 0, 0])
        for index, amount in enumerate((1, *usage)):
            sums[index] += amount
        moment = format_time(started)
        self._record(
            MeteredCall(request_id, self.subject, item, trial, moment, status, *usage, seconds)
        )

    def sums(self, item: str, trial: int) -> tuple[int, int, int]:
        """Return calls, input tokens and output tokens of one sample so far."""
        calls, read, written = self._sums.get((item, trial), (0, 0, 0))
        return calls, read, written


class MeteredClient(DefaultAsyncHttpxClient):
    """The SDK's own client, with each attempt stamped and metered."""

    def __init__(self, meter: Meter, headers: Mapping[str, str], *, trust_env: bool = True) -> None:
        super().__init__(follow_redirects=False, trust_env=trust_env)
        self._meter = meter
        self._stamp = dict(headers)

    async def send(self, request: Any, **options: Any) -> Any:
        """Send one attempt; a streamed answer is recorded when its reader is done with it."""
        request_id = new_id("call")
        request.headers.update({**self._stamp, REQUEST_HEADER: request_id})
        started, clock = datetime.now(UTC), time.monotonic()

        def note(status: int, usage: tuple[int, int]) -> None:
            self._meter.note(request_id, started, status, usage, time.monotonic() - clock)

        try:
            response = await super().send(request, **options)
        except BaseException:
            note(0, (0, 0))
            raise
        if response.is_closed:
            note(response.status_code, usage_of(_json(response.content)))
        else:
            _Tap(response, note)
        return response


class _Tap:
    """Watches a streamed answer pass by and notes its usage once, at its end."""

    def __init__(self, response: Any, note: Callable[[int, tuple[int, int]], None]) -> None:
        self._response, self._note = response, note
        self._bytes, self._close = response.aiter_bytes, response.aclose
        self._rest = b""
        self._usage = (0, 0)
        self._noted = False
        response.aiter_bytes, response.aclose = self._aiter_bytes, self._aclose

    async def _aiter_bytes(self, *arguments: Any, **options: Any) -> AsyncIterator[bytes]:
        try:
            async for data in self._bytes(*arguments, **options):
                self._watch(data)
                yield data
        finally:
            self._end()

    async def _aclose(self) -> None:
        await self._close()
        self._end()

    def _watch(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-MIB:]
        for line in lines:
            if line.startswith(b"data:") and b'"usage"' in line:
                usage = usage_of(_json(line[5:]))
                self._usage = usage if any(usage) else self._usage

    def _end(self) -> None:
        if not self._noted:
            self._noted = True
            self._note(self._response.status_code, self._usage)


def usage_of(answer: Any) -> tuple[int, int]:
    """Return (input, output) tokens of a completion, chunk or response event, else zeros."""
    answer = answer if isinstance(answer, dict) else {}
    event = answer.get("response")
    usage = answer.get("usage") or (event.get("usage") if isinstance(event, dict) else None)
    if not isinstance(usage, dict):
        return 0, 0
    return (
        _count(usage.get("prompt_tokens", usage.get("input_tokens"))),
        _count(usage.get("completion_tokens", usage.get("output_tokens"))),
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**53 else 0


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
