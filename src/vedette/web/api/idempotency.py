"""The one router of the API: every operation runs under its caller's scope, every POST once.

Rules:
- A POST may carry an `Idempotency-Key`. The same key with the same request, from the same person,
  gives the first reply again and does nothing else; with another request it is refused (422).
- The act and its reply are kept in one transaction, so that a crash leaves both or neither.
- Only a reply that says it is done is kept; a request that was refused changed nothing, and may
  be sent again under its key.
- Routers made with this class can't leave any of this out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router as NinjaRouter
from ninja.operation import Operation

from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, VedetteError
from vedette.services import idempotency as replies
from vedette.services.acting import Actor, reading
from vedette.services.vault import viewing
from vedette.web.middleware import problem

HEADER = "Idempotency-Key"
PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "The same key with the same request gives the first reply again.",
}


class Asked(HttpRequest):
    """A request with its actor, as operations get it."""

    auth: Actor


class ScopedOperation(Operation):
    """An operation under its caller's scope; a POST with a key runs once."""

    def _run_checks(self, request: HttpRequest) -> HttpResponse | None:
        if getattr(request, "checked", False):
            return None
        error = super()._run_checks(request)
        request.checked = error is None  # type: ignore[attr-defined]
        return error

    def run(self, request: HttpRequest, **kw: Any) -> HttpResponseBase:
        error = self._run_checks(request)
        if error:
            return error
        actor: Actor = request.auth  # type: ignore[attr-defined]
        answer = super().run
        if request.method != "POST":
            with reading(actor):
                return answer(request, **kw)
        with viewing(actor):
            return self._post(request, actor, lambda: answer(request, **kw))

    def _post(
        self, request: HttpRequest, actor: Actor, answer: Callable[[], HttpResponseBase]
    ) -> HttpResponseBase:
        key = request.headers.get(HEADER, "")
        if not key:
            return answer()
        try:
            return once(request, actor, key, answer)
        except VedetteError as refused:
            return problem(refused)


def once(
    request: HttpRequest, actor: Actor, key: str, answer: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Answer a request once a key. Raises VedetteError where the key was used for another."""
    if len(key) > 200:
        raise BadInput(f"{HEADER}: {len(key)} characters, at most 200")
    asked = digest(
        f"{request.get_full_path()}\n{actor.person}\n{actor.role}\n".encode() + request.body
    )
    try:
        with transaction.atomic():
            if (kept := replies.find(actor, key, asked)) is not None:
                return _again(kept)
            replies.claim(actor, key, asked)
            response = answer()
            if response.status_code >= 300 or not isinstance(response, HttpResponse):
                transaction.set_rollback(True)
            else:
                replies.keep(actor, key, response.status_code, response.content.decode())
            return response
    except IntegrityError:
        # somebody else's request under this key was first
        kept = replies.find(actor, key, asked)
        if kept is None:
            raise
        return _again(kept)


def _again(kept: replies.Reply) -> HttpResponse:
    response = HttpResponse(kept.body, status=kept.status, content_type="application/json")
    response.headers["Idempotency-Replayed"] = "true"
    return response


class Router(NinjaRouter):
    """A router whose operations are all `ScopedOperation`s."""

    def add_api_operation(
        self, path: str, methods: list[str], view_func: Callable[..., Any], **options: Any
    ) -> None:
        if not options.get("operation_id"):
            first, *rest = view_func.__name__.split("_")
            options["operation_id"] = first + "".join(word.capitalize() for word in rest)
        if "POST" in methods:
            extra = dict(options.get("openapi_extra") or {})
            extra["parameters"] = [*extra.get("parameters", []), PARAMETER]
            options["openapi_extra"] = extra
        super().add_api_operation(path, methods, view_func, **options)
        operation = view_func._ninja_operation  # type: ignore[attr-defined]
        operation.__class__ = ScopedOperation
