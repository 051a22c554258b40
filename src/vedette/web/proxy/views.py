"""The proxy's addresses. Refusals and errors have the form that the dialect's clients read."""

from __future__ import annotations

import json
import time
from typing import Any

import httpcore
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from vedette.engagement.usage import usage_of
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.errors import BadInput
from vedette.services import proxying
from vedette.services.proxying import Admitted, Asked, Turned
from vedette.web.proxy import dialects, relay, slots, upstream
from vedette.web.proxy.dialects import ANTHROPIC, OPENAI, Route
from vedette.web.proxy.slots import Slot

BOUNDS = Bounds(size=8 * MIB, depth=64, count=500_000, any_text=True)
BAD_GATEWAY, BUSY, TIMED_OUT = 502, 503, 504
BUILD_HEADER, REFUSED_HEADER = "X-Vedette-Build", "X-Vedette-Refused"


class Failed(Exception):
    """A call that got no answer from the model; counted with `status`."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


def _error(dialect: str, status: int, code: str, text: str) -> JsonResponse:
    response = JsonResponse(dialects.error(dialect, status, code, text), status=status)
    # a refusal stays one: the client is not to try again by itself
    response.headers["x-should-retry"] = "false"
    return response


def _turned(dialect: str, found: Turned) -> JsonResponse:
    """A refusal by a rule; the office's meter tells it from the model's own by the header."""
    response = _error(dialect, found.status, found.code, found.text)
    response.headers[REFUSED_HEADER] = found.code
    return response


def _asked(request: HttpRequest, dialect: str, size: int = 0, limit: int | None = None) -> Asked:
    return Asked(
        dialects.credential(request.headers),
        request.headers.get("X-Vedette-Request", ""),
        request.headers.get("X-Vedette-Purpose", ""),
        dialect,
        size,
        limit,
        probe=request.headers.get("X-Vedette-Probe", "") == "1",
    )


@csrf_exempt
@require_GET
def alive(request: HttpRequest) -> HttpResponse:
    """Whether the session stands and the model is there; no call, and not counted."""
    found = proxying.alive(dialects.credential(request.headers))
    if isinstance(found, Turned):
        return _turned(OPENAI, found)
    return JsonResponse(found)


@csrf_exempt
@require_GET
def models(request: HttpRequest) -> HttpResponse:
    """The one model of the session; counted as a call."""
    started = time.monotonic()
    form = ANTHROPIC if request.headers.get("Anthropic-Version") else OPENAI
    found = proxying.admit(_asked(request, ""))
    if isinstance(found, Turned):
        return _turned(form, found)
    _settle(found, 200, started)
    return JsonResponse(dialects.model_list(found.dialect, found.model))


@csrf_exempt
@require_POST
def call(request: HttpRequest, route: Route) -> HttpResponseBase:
    """Forward one call to the session's model, and count it."""
    started = time.monotonic()
    body, failed = _read(request, route)
    asked = _asked(request, route.dialect, len(request.body) if not failed else 0, None)
    if body is not None:
        asked = asked.with_limit(route.limit(body))
    found = proxying.admit(asked)
    if isinstance(found, Turned):
        return _turned(route.dialect, found)
    try:
        if body is None:
            raise failed or Failed(400, "json", "request: object expected")
        with slots.one() as slot:
            return _forward(request, route, found, body, started, slot)
    except slots.Full:
        _settle(found, BUSY, started)
        text = "the lab's proxy has as many calls under way as it takes"
        return _error(route.dialect, BUSY, "busy", text)
    except Failed as error:
        _settle(found, error.status, started)
        answer = _error(route.dialect, error.status, error.code, error.text)
        answer.headers[BUILD_HEADER] = found.build
        return answer
    except BaseException:
        _settle(found, 500, started)
        raise


def _settle(found: Admitted, status: int, started: float) -> None:
    proxying.settle(found, status, 0, 0, int((time.monotonic() - started) * 1000))


def _read(request: HttpRequest, route: Route) -> tuple[dict[str, Any] | None, Failed | None]:
    """The request's body within its bounds, or why it can't be taken; the call counts anyway."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal():
        return None, Failed(400, "length", "Content-Length is needed")
    if int(length) > BOUNDS.size:
        return None, Failed(413, "size", f"more than {BOUNDS.size:,} bytes")
    try:
        body = read_json(request.body, source="request", bounds=BOUNDS)
    except BadInput as error:
        return None, Failed(400, "json", error.what)
    if not isinstance(body, dict):
        return None, Failed(400, "json", "request: object expected")
    held = [name for name in route.never if body.get(name)]
    if held:
        return None, Failed(400, "field", f"{held[0]}: what it starts could not be counted here")
    return body, None


def _forward(
    request: HttpRequest,
    route: Route,
    found: Admitted,
    body: dict[str, Any],
    started: float,
    slot: Slot,
) -> HttpResponseBase:
    if body.get("model") != found.model:
        raise Failed(404, "model", f"this session is for the model {found.model}")
    body["model"] = found.upstream.model
    route.prepare(body)
    headers = dialects.upstream_headers(route.dialect, found.upstream.key, request.headers)
    try:
        answer = upstream.send(
            found.upstream, route.path, json.dumps(body, ensure_ascii=False).encode(), headers
        )
    except httpcore.TimeoutException:
        raise Failed(TIMED_OUT, "model", "the lab's model does not answer in time") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol):
        raise Failed(BAD_GATEWAY, "model", "the lab's model does not answer") from None
    if answer.status == 200 and body.get("stream"):
        return _streamed(found, answer, started, slot)
    try:
        data = relay.read(answer)
    except relay.TooLarge:
        raise Failed(BAD_GATEWAY, "size", relay.TOO_LARGE) from None
    except httpcore.TimeoutException:
        raise Failed(TIMED_OUT, "model", relay.BROKE_OFF) from None
    except (httpcore.NetworkError, httpcore.ProtocolError):
        raise Failed(BAD_GATEWAY, "model", relay.BROKE_OFF) from None
    return _whole(found, answer, data, started)


def _streamed(
    found: Admitted, answer: upstream.Answer, started: float, slot: Slot
) -> HttpResponseBase:
    passing = relay.Relay(found, answer, started, slot.keep())
    made = StreamingHttpResponse(passing, content_type="text/event-stream")
    made.headers["Cache-Control"] = "no-store"
    made.headers["X-Accel-Buffering"] = "no"
    made.headers[BUILD_HEADER] = found.build
    return made


def _whole(
    found: Admitted, answer: upstream.Answer, data: bytes, started: float
) -> HttpResponseBase:
    key, status = found.upstream.key, answer.status
    if status in (401, 403) or 300 <= status < 400 or (key and key.encode() in data):
        # about the lab's own key or address: not the caller's to see
        raise Failed(BAD_GATEWAY, "model", relay.NOT_SET_UP)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Failed(BAD_GATEWAY, "model", "the model's answer is not JSON") from None
    tokens = usage_of(value)
    milliseconds = int((time.monotonic() - started) * 1000)
    passes = proxying.settle(
        found, status, *tokens, milliseconds, ended="whole", size=len(data), only_if_open=True
    )
    if not passes:
        return _error(found.dialect, 403, "ended", relay.ENDED)
    made = HttpResponse(data, status=status, content_type="application/json")
    made.headers["Cache-Control"] = "no-store"
    made.headers[BUILD_HEADER] = found.build
    wait = answer.header(b"retry-after")
    if wait.isdecimal() and len(wait) < 6:
        made.headers["Retry-After"] = wait
    return made
