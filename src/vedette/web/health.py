"""Liveness and readiness."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse

from vedette.services.here import here


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and the keys are readable."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM store_organisation LIMIT 1")
    return HttpResponse(f"ready: {here().name}\n", content_type="text/plain")
