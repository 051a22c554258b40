"""The ledger page: what happened, without content, and the checkpoint that proves it."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from vedette.kernel.permissions import Permission
from vedette.services.ledgers import browse
from vedette.web.access import page


@require_GET
@page(Permission.LEDGER_READ)
def ledger(request: HttpRequest) -> HttpResponse:
    """Entries, newest first."""
    rows, checkpoint = browse()
    shown = Paginator(rows, 50).get_page(request.GET.get("page"))
    return render(request, "pages/ledger.html", {"page": shown, "checkpoint": checkpoint})
