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
from vedette.engagement.usage import StreamUsage, usage_of
from vedette.kernel.clock import format_time
from vedette.kernel.ids import new_id

REQUEST_HEADER = "X-Vedette-Request"
PURPOSE_HEADER = "X-Vedette-Purpose"
BUILD_HEADER = "X-Vedette-Build"
REFUSED_HEADER = "X-Vedette-Refused"

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
        said: tuple[str, str] = ("", ""),
    ) -> None:
        """Record one attempt of the running sample; `said` is its build and refusal."""
        item, trial = CURRENT.get()
        sums = self._sums.setdefault((item, trial), [0, 0, 0])
        for index, amount in enumerate((1, *usage)):
            sums[index] += amount
        moment = format_time(started)
        self._record(
            MeteredCall(
                *(request_id, self.subject, item, trial, moment, status),
                *(*usage, seconds, *said),
            )
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

        def note(status: int, usage: tuple[int, int], headers: Mapping[str, str]) -> None:
            said = headers.get(BUILD_HEADER, "")[:40], headers.get(REFUSED_HEADER, "")[:40]
            spent = time.monotonic() - clock
            self._meter.note(request_id, started, status, usage, spent, said)

        try:
            response = await super().send(request, **options)
        except BaseException:
            note(0, (0, 0), {})
            raise
        if response.is_closed:
            usage = usage_of(_json(response.content))
            note(response.status_code, usage, response.headers)
        else:
            _Tap(response, note)
        return response


class _Tap:
    """Watches a streamed answer pass by and notes its usage once, at its end."""

    def __init__(
        self, response: Any, note: Callable[[int, tuple[int, int], Mapping[str, str]], None]
    ) -> None:
        self._response, self._note = response, note
        self._bytes, self._close = response.aiter_bytes, response.aclose
        self._usage = StreamUsage()
        self._noted = False
        response.aiter_bytes, response.aclose = self._aiter_bytes, self._aclose

    async def _aiter_bytes(self, *arguments: Any, **options: Any) -> AsyncIterator[bytes]:
        try:
            async for data in self._bytes(*arguments, **options):
                self._usage.feed(data)
                yield data
        finally:
            self._end()

    async def _aclose(self) -> None:
        await self._close()
        self._end()

    def _end(self) -> None:
        if not self._noted:
            self._noted = True
            response = self._response
            self._note(response.status_code, self._usage.end(), response.headers)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
