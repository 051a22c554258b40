"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from vedette import __version__
from vedette.services.accounts import organisations_of
from vedette.services.here import here
from vedette.web.pages.navigation import nav_for


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context of base.html."""
    instance = here()
    context: dict[str, Any] = {
        "instance_name": instance.name,
        "profile": str(instance.profile),
        "version": __version__,
        "clock_simulated": instance.clock.simulated,
        "now": instance.clock.now(),
    }
    actor = getattr(request, "actor", None)
    if actor is not None:
        rows = organisations_of(request.user)  # type: ignore[arg-type]
        context["organisation"] = next((name for id_, name, _ in rows if id_ == actor.org), "")
        context["organisations"] = rows
        context["actor"] = actor
        context["nav"], context["nav_records"] = nav_for(actor, instance.profile, request.path)
    return context
