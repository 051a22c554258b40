"""The landscape: assessed models over time, by domain."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from vedette.kernel.markings import AMBER
from vedette.kernel.permissions import Permission
from vedette.services import landscape as service
from vedette.web.access import SignedIn, page
from vedette.web.cells import Interval
from vedette.web.pages.words import joined


@require_GET
@page(Permission.ASSESSMENT_READ)
def landscape(request: SignedIn) -> HttpResponse:
    """What was shared and may be read, by domain, with the gaps of the measuring."""
    found, markings = service.landscape(request.actor)
    context = {
        "found": found,
        "domains": [
            (part["domain"], [_interval(entry) for entry in part["entries"]])
            for part in found["domains"]
        ],
        "page_marking": joined(str(AMBER), *markings),
    }
    return render(request, "pages/landscape.html", context)


def _interval(entry: dict[str, Any]) -> Interval:
    lab = f", {entry['lab']}" if entry["lab"] else ""
    note = f"{entry['on']}, {entry['suite']} {entry['version']}: {entry['solved']} of {entry['n']}"
    uplift = f"; uplift {entry['uplift']}" if entry["uplift"] else ""
    shares = (float(entry[key]) for key in ("estimate", "low", "high"))
    value, low, high = shares
    return Interval(f"{entry['model']}{lab}", value, low, high, note + uplift)
