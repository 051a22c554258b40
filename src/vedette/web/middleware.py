"""Middleware: a strict content policy, and errors in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from vedette.kernel.errors import BadInput, VedetteError

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self';"
    " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
FOR_PROGRAMS = ("/api/", "/exchange/", "/proxy/", "/index/")
Next = Callable[[HttpRequest], HttpResponse]


class ContentPolicy:
    """Nothing is loaded from elsewhere, and nothing runs inline."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=()"
        )
        return response


class PlainErrors:
    """An error meant for a person becomes a page, or problem+json for programs."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and request.path.startswith(FOR_PROGRAMS):
            return _wrong_method(request, response.headers.get("Allow", ""))
        return response

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        if any("\x00" in text for text in _texts(request)):
            return self.process_exception(request, BadInput("request: text with NUL"))
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return plain(request, error) if isinstance(error, VedetteError) else None


def plain(request: HttpRequest, error: VedetteError) -> HttpResponse:
    """An error in plain words: a page, or problem+json for programs."""
    if request.path.startswith(FOR_PROGRAMS):
        return problem(error)
    return render(request, "errors/problem.html", {"error": error}, status=error.status)


def _texts(request: HttpRequest) -> Iterator[str]:
    """What a request says outside of files and of bodies that programs send."""
    yield request.path_info
    forms = [request.GET]
    if request.method == "POST" and not request.path.startswith(FOR_PROGRAMS):
        forms.append(request.POST)
    for form in forms:
        for _, values in form.lists():
            yield from (str(value) for value in values)


def _wrong_method(request: HttpRequest, allowed: str) -> HttpResponse:
    error = VedetteError(f"{request.method} is not for this address", next_step=f"use {allowed}")
    error.status, error.title = 405, ""
    response = problem(error)
    response.headers["Allow"] = allowed
    return response


def problem(error: VedetteError) -> JsonResponse:
    """RFC 9457 problem details of an error."""
    return JsonResponse(
        {
            "type": "about:blank",
            "title": error.title or HTTPStatus(error.status).phrase,
            "status": error.status,
            "detail": error.what,
            "kept": error.kept,
            "next": error.next_step,
        },
        status=error.status,
        content_type="application/problem+json",
    )
