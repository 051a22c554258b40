"""VEX that a delegate hands in for its operators, and what VEX takes away there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.clearinghouse.mandates import MandateAct
from vedette.formats.detect import MAX_VEX
from vedette.kernel.permissions import Permission
from vedette.services import delegated_names, delegated_vex, delegates, vex
from vedette.web.access import SignedIn, page
from vedette.web.pages.forms import done, form_page, moment, submitted
from vedette.web.pages.vex import standing

MARKING = "TLP:AMBER+STRICT"
TRAIL = [("Operators' notices", "/delegated/"), ("VEX", "/delegated/vex/")]


class TakeForm(forms.Form):
    """A VEX document for one operator."""

    operator = forms.ChoiceField(label="Operator")
    site = forms.CharField(
        label="Site",
        required=False,
        max_length=vex.MAX_NAME,
        help_text="The site that it speaks of. Empty: the whole organisation, where the mandate is"
        " for that.",
    )
    name = forms.CharField(
        label="Name",
        max_length=vex.MAX_NAME,
        help_text="A newer document under the same name takes its place.",
    )
    file = forms.FileField(label="File", help_text="OpenVEX, CSAF VEX, or CycloneDX as JSON.")

    def __init__(self, operators: list[tuple[str, str]], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["operator"].choices = [("", "choose"), *operators]  # type: ignore[attr-defined]


@require_GET
@page(Permission.MANDATE_READ)
def list_vex(request: SignedIn) -> HttpResponse:
    """The operators' documents, and every match that VEX takes away there."""
    rows = delegated_vex.suppressed(request.actor)
    shown = Paginator(rows, 50).get_page(request.GET.get("page"))
    context = {
        "documents": [
            {**each, "taken": moment(each["taken_at"])}
            for each in delegated_vex.vex_documents(request.actor)
        ],
        "page": shown,
        "rows": [{**row, "tag": standing(row)} for row in shown],
        "names": delegated_names.listed(request.actor),
        "may_edit": request.actor.may(Permission.MANDATE_USE),
        "trail": TRAIL,
        "page_marking": MARKING,
    }
    return render(request, "pages/delegated_vex.html", context)


@require_http_methods(["GET", "POST"])
@page(Permission.MANDATE_USE)
def take(request: SignedIn) -> HttpResponse:
    """Take a VEX document for an operator."""
    known = delegates.operators(request.actor)
    both = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = TakeForm([(o.id, o.name) for o in known if MandateAct.STATE in o.acts], *both)

    def keep(given: dict[str, Any]) -> Any:
        data = given["file"].read(MAX_VEX + 1)
        return delegated_vex.take_vex(
            request.actor, given["operator"], given["name"], data, given["site"]
        )

    made = submitted(request, form, keep)
    if made is not None:
        said = f"{made.statements:,} statements are kept; the inventories are matched anew."
        return done(request, said, "delegated-vex")
    context = {
        "title": "Hand in VEX for an operator",
        "lede": "What it states as not affected or fixed is suppressed there, listed with its"
        " reason; the operator sees who handed it in, and can withdraw it.",
        "button": "Hand it in",
        "back": "/delegated/vex/",
        "trail": [*TRAIL, ("Hand in", "")],
        "page_marking": MARKING,
    }
    return form_page(request, form, context)


@require_POST
@page(Permission.MANDATE_USE)
def withdraw(request: SignedIn, document_id: str) -> HttpResponse:
    """Let a document that one's own people handed in count no more."""
    row = delegated_vex.withdraw_vex(request.actor, document_id)
    return done(request, f"{row.name} counts no more.", "delegated-vex")


@require_POST
@page(Permission.MANDATE_USE)
def forget_name(request: SignedIn, said_id: str) -> HttpResponse:
    """Take back what one's own people said of two names."""
    delegated_names.forget(request.actor, said_id)
    return done(request, "Forgotten; the inventories are matched anew.", "delegated-vex")


@require_POST
@page(Permission.MANDATE_USE)
def lift(request: SignedIn, suppression_id: str) -> HttpResponse:
    """Find a suppressed match of an operator again."""
    delegated_vex.lift(request.actor, suppression_id)
    return done(request, "Lifted: it is found again.", "delegated-vex")


@require_POST
@page(Permission.MANDATE_USE)
def honour(request: SignedIn, suppression_id: str) -> HttpResponse:
    """Honour the statement on a lifted match again."""
    delegated_vex.lift(request.actor, suppression_id, lifted=False)
    return done(request, "The statement is honoured again.", "delegated-vex")
