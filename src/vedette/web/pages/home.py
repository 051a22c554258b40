"""The overview page of each profile."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from vedette.kernel.permissions import Permission, Profile
from vedette.services.accounts import organisations_of
from vedette.services.here import here
from vedette.web.access import ORG_KEY, SignedIn, page
from vedette.web.pages import (
    early,
    home_clearinghouse,
    home_lab,
    home_office,
    home_operator,
    reviews,
)

# by profile; a lab's and an office's are for the host's own people
OVERVIEWS: dict[Profile, Callable[[SignedIn], HttpResponse]] = {
    Profile.CLEARINGHOUSE: home_clearinghouse.overview,
    Profile.LAB: home_lab.overview,
    Profile.OFFICE: home_office.overview,
    Profile.OPERATOR: home_operator.overview,
}
FOR_GUESTS = (Profile.CLEARINGHOUSE, Profile.OPERATOR)


@require_GET
@page()
def overview(request: SignedIn) -> HttpResponseBase:
    """What is going on, and what to do first."""
    profile = here().profile
    if request.actor.host or profile in FOR_GUESTS:
        return OVERVIEWS[profile](request)
    if profile == Profile.OFFICE and request.actor.may(Permission.REVIEW_READ):
        return reviews.reviews(request)
    if profile == Profile.LAB and request.actor.may(Permission.EARLY_READ):
        return early.early(request)
    return render(request, "pages/overview.html", {})


@require_POST
@page()
def choose_organisation(request: HttpRequest) -> HttpResponse:
    """Act for another of one's organisations."""
    chosen = request.POST.get("org", "")
    if chosen in {org for org, _, _ in organisations_of(request.user)}:  # type: ignore[arg-type]
        request.session[ORG_KEY] = chosen
    return redirect("overview")
