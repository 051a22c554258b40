"""The proxy's two addresses. Refusals and errors have the form that OpenAI's clients read."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.errors import BadInput
from vedette.services import proxying
from vedette.services.proxying import Admitted, Turned
from vedette.web.proxy import upstream
from vedette.web.proxy.usage import usage_of

BOUNDS = Bounds(size=8 * MIB, depth=64, count=500_000, any_text=True)
BAD_GATEWAY = 502


class Failed(Exception):
    """A call that got no answer from the model; counted with `status`."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


def _error(status: int, code: str, text: str) -> JsonResponse:
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "access")
    if status in (400, 413):
        kind = "invalid_request_error"
    value = {"error": {"message": text, "type": kind, "param": None, "code": code}}
    response = JsonResponse(value, status=status)
    # a refusal stays one: the client is not to try again by itself
    response.headers["x-should-retry"] = "false"
    return response


def _admit(request: HttpRequest) -> Admitted | Turned:
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return proxying.admit(
        credential.strip() if scheme.lower() == "bearer" else "",
        request.headers.get("X-Vedette-Request", ""),
        request.headers.get("X-Vedette-Purpose", ""),
    )


@csrf_exempt
@require_GET
def models(request: HttpRequest) -> HttpResponse:
    """The one model of the session; counted as a call."""
    started = time.monotonic()
    found = _admit(request)
    if isinstance(found, Turned):
        return _error(found.status, found.code, found.text)
    _settle(found, 200, started)
    model = {"id": found.model, "object": "model", "created": 0, "owned_by": "lab"}
    return JsonResponse({"object": "list", "data": [model]})


@csrf_exempt
@require_POST
def completions(request: HttpRequest) -> HttpResponseBase:
    """Forward one chat completion to the session's model, and count it."""
    started = time.monotonic()
    found = _admit(request)
    if isinstance(found, Turned):
        return _error(found.status, found.code, found.text)
    try:
        return _forward(found, _body(request, found), started)
    except Failed as failed:
        _settle(found, failed.status, started)
        return _error(failed.status, failed.code, failed.text)
    except BaseException:
        _settle(found, 500, started)
        raise


def _settle(found: Admitted, status: int, started: float, tokens: tuple[int, int] = (0, 0)) -> None:
    proxying.settle(found, status, *tokens, int((time.monotonic() - started) * 1000))


def _body(request: HttpRequest, found: Admitted) -> dict[str, Any]:
    """The request as it goes to the model: under its name there, and with usage in streams."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal():
        raise Failed(400, "length", "Content-Length is needed")
    if int(length) > BOUNDS.size:
        raise Failed(413, "size", f"more than {BOUNDS.size:,} bytes")
    try:
        body = read_json(request.body, source="request", bounds=BOUNDS)
    except BadInput as error:
        raise Failed(400, "json", error.what) from None
    if not isinstance(body, dict):
        raise Failed(400, "json", "request: object expected")
    if body.get("model") != found.model:
        raise Failed(404, "model", f"this session is for the model {found.model}")
    body["model"] = found.upstream.model
    if body.get("stream"):
        options = body.get("stream_options")
        given = options if isinstance(options, dict) else {}
        body["stream_options"] = {**given, "include_usage": True}
    return body


def _forward(found: Admitted, body: dict[str, Any], started: float) -> HttpResponseBase:
    try:
        response = upstream.send(found.upstream, body)
    except httpx.HTTPError:
        raise Failed(BAD_GATEWAY, "model", "the lab's model does not answer") from None
    if response.status_code == 200 and body.get("stream"):
        return _streamed(found, response, started)
    try:
        data = upstream.read(response)
    except httpx.HTTPError:
        raise Failed(BAD_GATEWAY, "model", "the lab's model broke off its answer") from None
    return _whole(found, response.status_code, data, started)


def _streamed(found: Admitted, response: httpx.Response, started: float) -> HttpResponseBase:
    made = StreamingHttpResponse(
        upstream.Relay(found, response, started), content_type="text/event-stream"
    )
    made.headers["Cache-Control"] = "no-store"
    made.headers["X-Accel-Buffering"] = "no"
    return made


def _whole(found: Admitted, status: int, data: bytes | None, started: float) -> HttpResponseBase:
    key = found.upstream.key
    if data is None:
        raise Failed(BAD_GATEWAY, "model", "the model's answer is too large")
    if status in (401, 403) or 300 <= status < 400 or (key and key.encode() in data):
        # about the lab's own key or address: not the caller's to see
        raise Failed(BAD_GATEWAY, "model", "the lab's proxy is not set up for its model")
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        raise Failed(BAD_GATEWAY, "model", "the model's answer is not JSON") from None
    tokens = usage_of(answer)
    if not proxying.still_open(found):
        _settle(found, 403, started, tokens)
        return _error(403, "ended", upstream.ENDED["message"])
    _settle(found, status, started, tokens)
    made = HttpResponse(data, status=status, content_type="application/json")
    made.headers["Cache-Control"] = "no-store"
    return made
