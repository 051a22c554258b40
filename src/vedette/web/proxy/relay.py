"""An answer on its way from the model to the caller: whole, or streamed piece by piece.

Rules:
- The lab's key never passes, not even cut in two by a stream; where it would, the answer ends.
- An answer is bounded in size and time; a session that ends meanwhile ends it.
- It is settled once, however it ends; what passed is what is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpcore
from django.db import connection

from vedette.engagement.usage import StreamUsage
from vedette.services import proxying
from vedette.services.proxying import Admitted
from vedette.web.proxy import upstream
from vedette.web.proxy.dialects import stream_error
from vedette.web.proxy.upstream import Answer

CHECK_SECONDS = 1.0
ENDED = "the session ended while the model answered"
NOT_SET_UP = "the lab's proxy is not set up for its model"
BROKE_OFF = "the lab's model broke off its answer"
TOO_LARGE = "the model's answer is too large"


class TooLarge(Exception):
    """An answer larger than its bound."""


def read(answer: Answer) -> bytes:
    """The whole answer. Raises TooLarge, and httpcore's errors."""
    found = bytearray()
    end = time.monotonic() + upstream.WHOLE_SECONDS
    try:
        for piece in answer.pieces():
            found += piece
            if len(found) > upstream.ANSWER_LIMIT:
                raise TooLarge
            if time.monotonic() > end:
                raise httpcore.ReadTimeout("not whole in time")
    finally:
        answer.close()
    return bytes(found)


class KeyWatch:
    """Lets a stream pass and stops at the lab's key, wherever the stream is cut."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._held = b""
        self.seen = False

    def passing(self, piece: bytes) -> bytes:
        """What may be handed on now: all but an end with which the key may begin."""
        if not self._key or (not self._held and piece.endswith(b"\n") and self._key not in piece):
            return piece
        data, self._held = self._held + piece, b""
        if self._key in data:
            self.seen = True
            return data[: data.index(self._key)]
        longest = min(len(self._key) - 1, len(data))
        for length in range(longest, 0, -1):
            if data.endswith(self._key[:length]):
                self._held = data[-length:]
                return data[:-length]
        return data

    def rest(self) -> bytes:
        return self._held


class Relay:
    """A streamed answer on its way through.

    Closing it before its end, as when the caller has gone, settles it with what passed.
    """

    def __init__(
        self, admitted: Admitted, answer: Answer, started: float, free: Callable[[], None]
    ) -> None:
        self._admitted, self._answer, self._started = admitted, answer, started
        self._free = free
        self._usage, self._key = StreamUsage(), KeyWatch(admitted.upstream.key)
        self._pieces = self._pass()
        self._ended, self._closed = "left", False
        self._passed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def _pass(self) -> Iterator[bytes]:
        _give_back_connection()
        try:
            yield from self._pieces_until_the_end()
        except httpcore.ReadTimeout:
            self._ended = "stalled"
            yield self._error(504, "stalled", BROKE_OFF)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
            self._ended = "broke-off"
            yield self._error(502, "model", BROKE_OFF)
        finally:
            self.close()

    def _pieces_until_the_end(self) -> Iterator[bytes]:
        checked = time.monotonic()
        end = self._started + upstream.WHOLE_SECONDS
        for piece in self._answer.pieces():
            self._usage.feed(piece)
            self._passed += len(piece)
            passing = self._key.passing(piece)
            if passing:
                yield passing
            if self._key.seen:
                self._ended = "key"
                yield self._error(502, "model", NOT_SET_UP)
                return
            now = time.monotonic()
            if now - checked > CHECK_SECONDS:
                checked = now
                if not proxying.still_open(self._admitted):
                    self._ended = "session"
                    yield self._error(403, "ended", ENDED)
                    return
            if self._passed > upstream.ANSWER_LIMIT or now > end:
                self._ended = "too-large"
                yield self._error(502, "size", TOO_LARGE)
                return
        yield self._key.rest()
        self._ended = "whole"
        # counted before the caller can know that it has everything
        self.close()

    def _error(self, status: int, code: str, text: str) -> bytes:
        return stream_error(self._admitted.dialect, status, code, text)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._free()
        self._answer.close()
        milliseconds = int((time.monotonic() - self._started) * 1000)
        proxying.settle(
            self._admitted,
            self._answer.status,
            *self._usage.end(),
            milliseconds,
            ended=self._ended,
            size=self._passed,
        )
        _give_back_connection()


def _give_back_connection() -> None:
    """A stream may last for minutes, and a server of a database counts its connections."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()
