"""Liveness, readiness, and metrics for Prometheus."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from vedette.services.here import here
from vedette.services.measures import measures


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and the keys are readable."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM store_organisation LIMIT 1")
    return HttpResponse(f"ready: {here().name}\n", content_type="text/plain")


def metrics(request: HttpRequest) -> HttpResponse:
    """Counts of the instance's own machinery; nothing about any case, model or inventory.

    They are for the machine's own monitor: a request that came through a proxy gets 404.
    """
    near = request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
    if not near or "X-Forwarded-For" in request.headers:
        return HttpResponse(status=404)
    registry = CollectorRegistry()
    for measure in measures():
        gauge = Gauge(measure.name, measure.help, list(measure.labels), registry=registry)
        for values, number in measure.values:
            (gauge.labels(*values) if values else gauge).set(number)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
