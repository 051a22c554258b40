"""Members and invitations of an organisation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from vedette.kernel.errors import VedetteError
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.permissions import PROFILE_ROLES, Permission, Profile
from vedette.services.accounts import (
    ORGANISATION_KINDS,
    ROLE_OF_KIND,
    add_organisation,
    hosted_organisations,
    invite,
    nobody_yet,
    open_invitations,
    people,
    set_reach,
)
from vedette.services.acting import Actor
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Table
from vedette.web.pages.forms import done, form_page, submitted

ALONE = ["Name", "Kind", "Sector", "Address", "Added"]


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label="Email address")
    role = forms.ChoiceField(label="Role", choices=[])
    org = forms.ChoiceField(label="Organisation", choices=[], required=False)

    def __init__(self, hosted: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if hosted:
            self.fields["org"].choices = [("", "your own"), *hosted]  # type: ignore[attr-defined]
        else:
            del self.fields["org"]
        roles = PROFILE_ROLES[here().profile]
        known = [(r, r.replace("-", " ")) for r in roles]
        self.fields["role"].choices = [("", "choose"), *known]  # type: ignore[attr-defined]


class OrganisationForm(forms.Form):
    """An organisation to be kept apart on this portal, and its first person."""

    name = forms.CharField(label="Organisation", max_length=200)
    kind = forms.ChoiceField(
        label="What it is", choices=[(k, k) for k in ORGANISATION_KINDS if k != "clearinghouse"]
    )
    sector = forms.CharField(label="Sector", max_length=100, required=False)
    small = forms.BooleanField(label="A small one, with nobody for security alone", required=False)
    first = forms.EmailField(label="Email address of its first person")


class ReachForm(forms.Form):
    """Up to which marking somebody reads."""

    member = forms.ChoiceField(label="Who", choices=[])
    marking = forms.CharField(
        label="Reads up to", max_length=200, help_text="For instance TLP:AMBER, SECRET//TLP:RED."
    )

    def __init__(self, known: list[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["member"].choices = [  # type: ignore[attr-defined]
            ("", "choose"),
            *((f"{m.person.email} {m.org_id}", f"{m.person}, {m.org.name}") for m in known),
        ]


@require_http_methods(["POST"])
@page(Permission.PERSON_INVITE)
def reach(request: SignedIn) -> HttpResponse:
    """Say up to which marking somebody reads."""
    form = ReachForm(people(request.actor), request.POST)

    def take(given: dict[str, Any]) -> Any:
        email, org_id = given["member"].split(" ")
        return set_reach(request.actor, email, given["marking"], org_id)

    made = submitted(request, form, take)
    if made is not None:
        return done(request, f"{made.person} reads up to {made.marking}.", "people")
    return form_page(request, form, REACH | {"page_marking": str(AMBER)})


REACH = {
    "title": "How far somebody reads",
    "lede": "Up to this marking, and at most up to the ceiling of this instance.",
    "button": "Set it",
    "back": "/people/",
    "trail": [("People", "/people/"), ("How far somebody reads", "")],
}


@require_http_methods(["GET", "POST"])
@page(Permission.PERSON_INVITE)
def members(request: SignedIn) -> HttpResponse:
    """Who belongs here; invite another."""
    hosting = request.actor.host and here().profile == Profile.CLEARINGHOUSE
    adds = hosting and "add" in request.POST
    hosted = hosted_organisations(request.actor) if hosting else []
    form = InviteForm(hosted, request.POST if request.method == "POST" and not adds else None)
    added = OrganisationForm(request.POST if adds else None) if hosting else None
    link = ""
    chosen = added if adds else form
    if request.method == "POST" and chosen is not None and chosen.is_valid():
        try:
            code = _take_in(request.actor, chosen.cleaned_data, adds=adds)
        except VedetteError as error:
            chosen.add_error(None, error.what)
        else:
            link, form = f"{here().url}/welcome/{code}/", InviteForm(hosted)
            added = OrganisationForm() if hosting else None
    known = people(request.actor)
    rows: list[list[Cell]] = [
        [
            *(str(m.person), m.person.email, m.org.name, m.role.replace("-", " ")),
            Marking.parse(m.marking),
        ]
        for m in known
    ]
    asked = [
        [i.email, i.org.name, i.role.replace("-", " "), i.expires_at]
        for i in open_invitations(request.actor)
    ]
    alone = [
        [o.name, o.kind, o.sector, o.email or "none is known", o.added_at]
        for o in (nobody_yet(request.actor) if hosting else [])
    ]
    context = {
        "alone": Table("Organisations that nobody signs in to", ALONE, alone),
        "form": form,
        "added": added,
        "link": link,
        "members_table": Table(
            "Members", ["Name", "Address", "Organisation", "Role", "Reads up to"], rows
        ),
        "reach": ReachForm(known) if request.actor.host else None,
        "invitations_table": Table(
            "Open invitations", ["Address", "Organisation", "Role", "Ends"], asked
        ),
        "invitations": asked,
    }
    return render(request, "pages/people.html", context)


def _take_in(actor: Actor, given: dict[str, Any], *, adds: bool) -> str:
    """Invite somebody, or an organisation with its first person; return the link's code."""
    if not adds:
        return invite(actor, given["email"], given["role"], given.get("org", ""))
    made = add_organisation(
        actor,
        given["name"],
        given["kind"],
        sector=given["sector"],
        small=given["small"],
        email=given["first"],
    )
    return invite(actor, given["first"], ROLE_OF_KIND.get(made.kind, "reader"), made.id)
