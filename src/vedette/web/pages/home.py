"""The overview page of each profile."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from vedette.services.accounts import organisations_of
from vedette.web.access import ORG_KEY, page


@require_GET
@page()
def overview(request: HttpRequest) -> HttpResponse:
    """What is going on, and what to do first."""
    return render(request, "pages/overview.html", {})


@require_POST
@page()
def choose_organisation(request: HttpRequest) -> HttpResponse:
    """Act for another of one's organisations."""
    chosen = request.POST.get("org", "")
    if chosen in {org for org, _, _ in organisations_of(request.user)}:  # type: ignore[arg-type]
        request.session[ORG_KEY] = chosen
    return redirect("overview")
