"""The way from the proxy to the lab's model: one pooled client a process, to one address only."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx

from vedette.kernel.bounds import MIB
from vedette.services import proxying
from vedette.services.proxying import Admitted, Upstream
from vedette.web.proxy.usage import StreamUsage

ANSWER_LIMIT = 64 * MIB
CHECK_SECONDS = 1.0
ENDED = {"message": "the session ended while the model answered", "type": "access", "code": "ended"}


@cache
def client() -> httpx.Client:
    """The process's one client: no redirects, no cookies, nothing from the environment."""
    made = httpx.Client(
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(300, connect=10),
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
    )
    made.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return made


def send(upstream: Upstream, body: dict[str, Any]) -> httpx.Response:
    """Send one chat completion, and return the answer with its body still to be read."""
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if upstream.key:
        headers["Authorization"] = f"Bearer {upstream.key}"
    made = client().build_request(
        "POST",
        f"{upstream.base_url}/chat/completions",
        content=json.dumps(body, ensure_ascii=False).encode(),
        headers=headers,
    )
    return client().send(made, stream=True)


def read(response: httpx.Response) -> bytes | None:
    """The whole answer, None where it is larger than the limit."""
    found = bytearray()
    try:
        for chunk in response.iter_bytes():
            found += chunk
            if len(found) > ANSWER_LIMIT:
                return None
    finally:
        response.close()
    return bytes(found)


class Relay:
    """A streamed answer on its way through, chunk by chunk; settled once, however it ends.

    Closing it before its end, as when the caller has gone, settles it with what passed.
    """

    def __init__(self, admitted: Admitted, response: httpx.Response, started: float) -> None:
        self._admitted, self._response, self._started = admitted, response, started
        self._usage = StreamUsage()
        self._chunks = self._pass()
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def _pass(self) -> Iterator[bytes]:
        checked = time.monotonic()
        try:
            for chunk in self._response.iter_bytes():
                self._usage.feed(chunk)
                yield chunk
                if time.monotonic() - checked > CHECK_SECONDS:
                    checked = time.monotonic()
                    if not proxying.still_open(self._admitted):
                        yield b"data: " + json.dumps({"error": ENDED}).encode() + b"\n\n"
                        return
        except httpx.HTTPError:
            return
        finally:
            self.close()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._response.close()
        milliseconds = int((time.monotonic() - self._started) * 1000)
        status = self._response.status_code
        proxying.settle(self._admitted, status, *self._usage.end(), milliseconds)
