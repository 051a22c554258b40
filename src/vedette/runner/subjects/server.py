"""A stand-in behind OpenAI's and Anthropic's HTTP APIs, on loopback unless told otherwise.

`POST /v1/chat/completions` and `POST /v1/messages` (with tool calls, streaming, usage), and
`GET /v1/models`.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from vedette.kernel.errors import BadInput
from vedette.runner.subjects import completions, messages
from vedette.runner.subjects.completions import BOUNDS, RequestError
from vedette.runner.subjects.conversation import Act
from vedette.runner.subjects.standins import STAND_INS
from vedette.runner.subjects.talker import Talker, talk

IDLE_SECONDS = 60
TALKER = "talker"
SERVED = (*STAND_INS, TALKER)


class SubjectServer(ThreadingHTTPServer):
    """Serves one stand-in; `model` is the id that callers ask for, its own name where not given.

    `talker` is the build that the stand-in of that name is; it may be replaced while serving.
    """

    daemon_threads = True

    def __init__(
        self,
        name: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        key: str = "",
        talker: Talker | None = None,
        model: str = "",
    ) -> None:
        if name not in SERVED:
            raise BadInput(
                f"subject {name[:40]!r} can't be served", next_step=f"one of {sorted(SERVED)}"
            )
        self.name, self.model = name, model or name
        self.key, self.talker = key, talker or Talker()
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise BadInput(
                f"{host}:{port} can't be served on ({error})", next_step="name another port"
            ) from None

    @property
    def url(self) -> str:
        """The base URL a client is given, `http://HOST:PORT/v1`."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/v1"


@contextmanager
def served(
    name: str, *, key: str = "", talker: Talker | None = None, model: str = ""
) -> Iterator[SubjectServer]:
    """Serve a stand-in on a free loopback port for the length of a `with` block."""
    server = SubjectServer(name, key=key, talker=talker, model=model)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: SubjectServer
    protocol_version = "HTTP/1.1"
    server_version = "vedette-subject"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(self._models)

    def do_POST(self) -> None:
        self._answer(self._complete)

    def log_message(self, format: str, *args: Any) -> None:
        return

    def _answer(self, act: Any) -> None:
        try:
            act()
        except RequestError as error:
            self._send(error.status, error.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _models(self) -> None:
        if self.path.split("?")[0] != "/v1/models":
            raise self._unknown()
        self._authorise()
        model = {"id": self.server.model, "object": "model", "created": 0, "owned_by": "vedette"}
        self._send(200, {"object": "list", "data": [model]})

    def _complete(self) -> None:
        body, path = self._body(), self.path.split("?")[0]
        if path == "/v1/messages":
            self._message(body)
            return
        if path != "/v1/chat/completions":
            raise self._unknown()
        self._authorise()
        request = completions.read_request(body)
        if request.model != self.server.model:
            raise RequestError(404, "invalid_request_error", "no such model is served", "model")
        act = self._act(request)
        answer = completions.Answer(request, act, int(time.time()), _identity(request, act))
        if request.stream:
            chunks = (f"data: {json.dumps(chunk)}\n\n" for chunk in answer.chunks())
            self._stream([*chunks, "data: [DONE]\n\n"])
        else:
            self._send(200, answer.whole())

    def _message(self, body: bytes) -> None:
        try:
            self._authorise()
        except RequestError:
            raise messages.failed(401, "invalid x-api-key") from None
        request = messages.read_request(body)
        if request.model != self.server.model:
            raise messages.failed(404, f"model: {request.model[:80]}")
        act = self._act(request)
        answer = messages.Answer(request, act, _identity(request, act))
        if request.stream:
            events = answer.events()
            self._stream(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
        else:
            self._send(200, answer.whole())

    def _act(self, request: completions.Request | messages.Request) -> Act:
        conversation = request.conversation
        if self.server.name == TALKER:
            return talk(self.server.talker, conversation, request.max_tokens, request.temperature)
        act = STAND_INS[self.server.name](conversation)
        if any(name not in conversation.tools for name, _ in act.calls):
            return Act(text="The tools that I work with are not offered here.")
        return act

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise RequestError(411, "invalid_request_error", "Content-Length is needed")
        if int(length) > BOUNDS.size:
            self.close_connection = True
            raise RequestError(413, "invalid_request_error", f"more than {BOUNDS.size:,} bytes")
        return self.rfile.read(int(length))

    def _authorise(self) -> None:
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        given = bearer or self.headers.get("x-api-key", "")
        if self.server.key and not hmac.compare_digest(given.encode(), self.server.key.encode()):
            raise RequestError(401, "invalid_request_error", "incorrect API key provided")

    def _unknown(self) -> RequestError:
        return RequestError(404, "invalid_request_error", f"no such address: {self.path[:80]}")

    def _send(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, parts: Iterable[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for part in parts:
            self.wfile.write(part.encode())


def _identity(request: completions.Request | messages.Request, act: Act) -> bytes:
    return request.conversation.key(len(request.conversation.calls), act)
