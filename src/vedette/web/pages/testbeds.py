"""Test beds: one's own product or test bed, on offer to be looked at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.permissions import Permission
from vedette.services import scan_views, testbeds
from vedette.web.access import SignedIn, page
from vedette.web.pages.forms import (
    UTC_HINT,
    Hour,
    done,
    form_page,
    long_text,
    moment,
    posted,
    submitted,
)
from vedette.web.pages.scans import TargetForm

KINDS = {"own-product": "A product of our own making", "own-test-bed": "A test bed of our own"}


class TestBedForm(TargetForm):
    """An offer of what is one's own."""

    __test__ = False
    name = forms.CharField(label="What you offer", max_length=200)
    kind = forms.ChoiceField(label="It is", choices=list(KINDS.items()), widget=forms.RadioSelect)
    hours = forms.CharField(
        label="Hours",
        max_length=1_000,
        required=False,
        help_text="Such as weekdays, 22:00 to 04:00.",
    )
    limits = long_text("Limits", "What must not be done to it.", rows=3)
    contact = forms.CharField(label="Whom to reach", max_length=300)
    until = Hour(
        label="Until", required=False, help_text=f"Empty: until you withdraw it. {UTC_HINT}"
    )
    own = forms.BooleanField(
        label="It is our own: we make it or run it, and nobody else's system is touched."
    )


@require_GET
@page()
def list_testbeds(request: SignedIn) -> HttpResponse:
    """Test beds on offer, one's own first."""
    rows = [{**row, "until": moment(row["until"])} for row in scan_views.testbeds(request.actor)]
    context: dict[str, Any] = {
        "mine": [row for row in rows if row["mine"]],
        "others": [row for row in rows if not row["mine"]],
        "kinds": KINDS,
        "may": request.actor.may(Permission.TESTBED_OFFER),
        "page_marking": "TLP:AMBER",
    }
    return render(request, "pages/testbeds.html", context)


@require_http_methods(["GET", "POST"])
@page(Permission.TESTBED_OFFER)
def offer(request: SignedIn) -> HttpResponse:
    """Offer one's own product or test bed."""
    form = TestBedForm(posted(request))
    made = submitted(request, form, lambda v: testbeds.offer_testbed(request.actor, **v))
    if made is not None:
        return done(request, "Offered. Withdraw it whenever you like.", "testbeds")
    context = {
        "title": "Offer a test bed",
        "lede": "Offer a product of your own, or a test bed, to those who look for flaws. Offer"
        " only what is yours.",
        "button": "Offer it",
        "back": "/testbeds/",
        "trail": [("Test beds", "/testbeds/"), ("Offer", "")],
        "page_marking": "TLP:AMBER",
    }
    return form_page(request, form, context)


@require_http_methods(["POST"])
@page(Permission.TESTBED_OFFER)
def withdraw(request: SignedIn, testbed_id: str) -> HttpResponse:
    """Withdraw an offer."""
    testbeds.withdraw_testbed(request.actor, testbed_id)
    return done(request, "Withdrawn.", "testbeds")
