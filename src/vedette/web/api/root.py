"""The API itself: sign-in by bearer token or session, problem+json, idempotent POSTs.

Every POST takes an `Idempotency-Key`: the same key with the same request gives the first reply
again; with another request it is refused.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser
from ninja.security import APIKeyCookie, HttpBearer

from vedette import __version__
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.errors import OurFault, VedetteError
from vedette.services.accounts import actor_of_token
from vedette.services.acting import Actor
from vedette.web.access import actor_for
from vedette.web.middleware import problem

log = logging.getLogger("vedette.api")
BODY = Bounds(size=32 * MIB, depth=64, count=2_000_000)


class Problem(Schema):
    """What every request that is not done answers (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    kept: str
    next: str


class BoundedParser(Parser):
    """Bodies are read within bounds, like everything from outside."""

    def parse_body(self, request: HttpRequest) -> Any:
        return read_json(request.body, source="body", bounds=BODY)


class DocumentedAPI(NinjaAPI):
    """An API whose schema tells of its problems, too; made once, when all routers are there."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._schemas: dict[str, Any] = {}

    def get_openapi_schema(self, *, path_prefix: str | None = None, **options: Any) -> Any:
        options["path_prefix"] = path_prefix or self.get_root_path({})
        known = repr(sorted(options.items()))
        if known not in self._schemas:
            self._schemas[known] = self._schema(**options)
        return self._schemas[known]

    def _schema(self, **options: Any) -> Any:
        schema = super().get_openapi_schema(**options)
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
        answer = {
            "description": "Not done, and why",
            "content": {"application/problem+json": reference},
        }
        for methods in schema["paths"].values():
            for operation in methods.values():
                operation["responses"] |= {"4XX": answer, "501": answer}
        return schema


class Bearer(HttpBearer):
    """A token made with `vedette token`."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        return actor_of_token(token)


class Signed(APIKeyCookie):
    """The portal's own session; unsafe methods need the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Actor | None:
        if not request.user.is_authenticated:
            return None
        return super().__call__(request)

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        return actor_for(request)


def build() -> NinjaAPI:
    """Make the API with its error replies; routers are added in `routers.py`."""
    result = DocumentedAPI(
        title="Vedette",
        version=__version__,
        description="The acts of the portal, for programs.",
        auth=[Bearer(), Signed()],
        docs_url=None,
        parser=BoundedParser(),
        urls_namespace="api",
    )

    @result.exception_handler(VedetteError)
    def on_error(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(error)

    @result.exception_handler(AuthenticationError)
    def on_stranger(request: HttpRequest, error: Any) -> HttpResponse:
        response = _problem(401, "sign-in needed", "send Authorization: Bearer TOKEN")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response

    @result.exception_handler(ValidationError)
    def on_invalid(request: HttpRequest, error: Any) -> HttpResponse:
        words = "; ".join(
            f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in error.errors[:5]
        )
        return _problem(422, "bad input", words)

    @result.exception_handler(HttpError)
    def on_http(request: HttpRequest, error: Any) -> HttpResponse:
        if isinstance(error.__cause__, VedetteError):
            return problem(error.__cause__)
        return _problem(error.status_code, "refused", str(error))

    @result.exception_handler(Exception)
    def on_fault(request: HttpRequest, error: Any) -> HttpResponse:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        return problem(OurFault(type(error).__name__, next_step="try again; tell who runs this"))

    return result


def _problem(status: int, title: str, detail: str) -> HttpResponse:
    error = VedetteError(detail)
    error.status, error.title = status, title
    return problem(error)


api = build()
