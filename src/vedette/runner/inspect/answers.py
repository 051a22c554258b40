"""An endpoint's answer as it passes by: bounded, timed, its usage and its characters counted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import anyio

from vedette.bench.counting import characters
from vedette.engagement.usage import StreamUsage, usage_of
from vedette.kernel.bounds import MIB

FIRST_BYTE_SECONDS = 600.0
STALL_SECONDS = 180.0
# a stream spends some hundred bytes on a token
WHOLE_BYTES, STREAM_BYTES = 16 * MIB, 64 * MIB
LONGEST_LINE = MIB


class EndpointFault(Exception):
    """The endpoint did not answer as an endpoint does; its words say how."""


class Tap:
    """Watches an answer pass by and hands usage, characters and a fault on, once, at its end."""

    def __init__(
        self, response: Any, end: Callable[[tuple[int, int], int, str], None], *, streamed: bool
    ) -> None:
        self._response, self._handed = response, end
        self._bytes, self._close = response.aiter_bytes, response.aclose
        self._bound = STREAM_BYTES if streamed else WHOLE_BYTES
        kind = str(response.headers.get("content-type", ""))
        self._heard: _Events | _Whole = _Events() if "event-stream" in kind else _Whole()
        self._received, self._fault, self._ended, self._waiting = 0, "", False, False
        response.aiter_bytes, response.aclose = self._aiter_bytes, self._aclose

    async def _aiter_bytes(self, *arguments: Any, **options: Any) -> AsyncIterator[bytes]:
        try:
            self._check_coding()
            parts = self._bytes(*arguments, **options)
            while (data := await self._next(parts)) is not None:
                self._received += len(data)
                if self._received > self._bound:
                    raise self._failed(f"sent more than {self._bound // MIB} MiB in one answer")
                self._heard.feed(data)
                yield data
        except EndpointFault:
            await self._close()
            raise
        finally:
            self._end()

    async def _next(self, parts: AsyncIterator[bytes]) -> bytes | None:
        self._waiting = True  # what is broken off here closes the answer itself, too early to tell
        try:
            with anyio.fail_after(STALL_SECONDS):
                return await anext(parts, None)
        except TimeoutError:
            raise self._failed(f"stopped in mid-answer for {STALL_SECONDS:.0f} s") from None
        finally:
            self._waiting = False

    def _check_coding(self) -> None:
        """Compressed bytes were not asked for, and few of them unfold to any number."""
        coding = str(self._response.headers.get("content-encoding", "identity"))
        if coding != "identity":
            raise self._failed(f"compressed its answer ({coding[:20]}) unasked")

    def _failed(self, what: str) -> EndpointFault:
        self._fault = f"the endpoint {what}"
        return EndpointFault(self._fault)

    async def _aclose(self) -> None:
        await self._close()
        if not self._waiting:
            self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            usage, said = self._heard.end()
            self._handed(usage, said, self._fault)


class _Whole:
    """An answer in one piece."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        self._data += data

    def end(self) -> tuple[tuple[int, int], int]:
        answer = _json(bytes(self._data))
        return usage_of(answer), _said(answer)


class _Events:
    """Server-sent events, in whatever pieces they come."""

    def __init__(self) -> None:
        self._usage, self._said, self._rest = StreamUsage(), 0, b""

    def feed(self, data: bytes) -> None:
        self._usage.feed(data)
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        for line in lines:
            self._said += _said(_json(line[5:])) if line.startswith(b"data:") else 0

    def end(self) -> tuple[tuple[int, int], int]:
        self.feed(b"\n")
        return self._usage.end(), self._said


def _said(answer: Any) -> int:
    try:
        return characters(answer)
    except RecursionError:
        return 0


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def refusal(response: Any, fault: EndpointFault) -> Any:
    """An answer in place of one that can't be taken; the makers' clients do not ask again."""
    headers: Mapping[str, str] = {"x-should-retry": "false"}
    body = {"error": {"type": "invalid_answer", "message": str(fault)}}
    return type(response)(422, headers=headers, json=body, request=response.request)
