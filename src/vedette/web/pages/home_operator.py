"""The overview of an operator: what to do first."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from vedette.kernel.permissions import Permission
from vedette.services import notices, private_found
from vedette.services.operator_views import (
    index_status,
    inventory_names,
    notice_counts,
    notice_list,
)
from vedette.web.access import SignedIn
from vedette.web.pages.inventories import index_facts
from vedette.web.pages.notices import MARKING, notice_row
from vedette.web.pages.words import joined

FIRST = 8


def overview(request: SignedIn) -> HttpResponse:
    """The most urgent notices, and how fresh the index is."""
    early = private_found.found(request.actor) if request.actor.may(Permission.NOTICE_READ) else []
    context = {
        **section(request),
        "early": len(early),
        "page_marking": joined(MARKING, *(each["marking"] for each in early)),
        "hosted": False,
    }
    return render(request, "pages/home_operator.html", context)


def section(request: SignedIn) -> dict[str, Any]:
    """What an operator sees first, also where a clearinghouse hosts it."""
    actor = request.actor
    if not actor.may(Permission.NOTICE_READ):
        return {"may_read_notices": False}
    rows = notice_list(actor, only_open=True)[:FIRST]
    index = index_status(actor)
    return {
        "may_read_notices": True,
        "notice_rows": [notice_row(notices.describe(row), row.matches) for row in rows],
        "notice_counts": notice_counts(actor),
        "inventory_names": inventory_names(actor),
        "index": index,
        "index_facts": index_facts(index),
        "may_edit_inventories": actor.may(Permission.INVENTORY_EDIT),
    }
