"""The way from the proxy to the lab's model: kept connections, to accepted addresses only.

Rules:
- Each connection is made to an address that was resolved and judged just before (see
  `engagement.targets`); a name that begins to lead elsewhere leads nowhere.
- No redirect is followed, no cookie kept, nothing taken from the environment.
- Every wait has an end: to connect, for the first byte, between two pieces, for the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore

from vedette.engagement.targets import Reach
from vedette.kernel.bounds import MIB
from vedette.services import outgoing, reaching
from vedette.services.proxying import Upstream

ANSWER_LIMIT = 64 * MIB
CONNECT_SECONDS = 10.0
FIRST_BYTE_SECONDS = 300.0
STALL_SECONDS = 120.0
WHOLE_SECONDS = 1800.0
CONNECTIONS = 256


class NotAccepted(httpcore.ConnectError):
    """The endpoint's host leads to an address that it may not lead to."""


class Guarded(httpcore.SyncBackend):
    """Connects to judged addresses: what is resolved is what is connected to."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = reaching.accepted(self._reach, host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        if not found:
            raise NotAccepted(f"{host} leads to an address that is not accepted")
        for address in found[:-1]:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(found[-1], port, timeout, local_address, socket_options)


@cache
def pool(reach: Reach) -> httpcore.ConnectionPool:
    """The process's kept connections for endpoints of one reach."""
    return httpcore.ConnectionPool(
        ssl_context=outgoing.trusted(),
        max_connections=CONNECTIONS,
        max_keepalive_connections=CONNECTIONS,
        keepalive_expiry=30,
        network_backend=Guarded(reach),
    )


class Answer:
    """A model's answer, its body still to be read, in pieces as they come."""

    def __init__(self, found: httpcore.Response, request: httpcore.Request) -> None:
        self._response, self._request = found, request
        self.status = int(found.status)

    def header(self, name: bytes) -> str:
        for key, value in self._response.headers:
            if key.lower() == name:
                return value.decode("latin-1")
        return ""

    def pieces(self) -> Iterable[bytes]:
        """Each piece as it comes. Raises httpcore's errors."""
        self._request.extensions["timeout"]["read"] = STALL_SECONDS
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


def send(upstream: Upstream, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send one call. Raises httpcore's errors."""
    waits = {
        "connect": CONNECT_SECONDS,
        "read": FIRST_BYTE_SECONDS,
        "write": STALL_SECONDS,
        "pool": CONNECT_SECONDS,
    }
    request = httpcore.Request(
        "POST",
        f"{upstream.base_url}/{path}",
        headers=[
            ("Host", upstream.host),
            *headers.items(),
            ("Content-Length", str(len(body))),
        ],
        content=body,
        extensions={"timeout": waits},
    )
    return Answer(pool(upstream.reach).handle_request(request), request)
