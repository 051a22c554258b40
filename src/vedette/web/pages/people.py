"""Members and invitations of an organisation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from vedette.kernel.errors import VedetteError
from vedette.kernel.permissions import PROFILE_ROLES, Permission
from vedette.services.accounts import invite, open_invitations, people
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Table


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label="Email address")
    role = forms.ChoiceField(label="Role", choices=[])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = PROFILE_ROLES[here().profile]
        self.fields["role"].choices = [(r, r.replace("-", " ")) for r in roles]  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@page(Permission.PERSON_INVITE)
def members(request: SignedIn) -> HttpResponse:
    """Who belongs here; invite another."""
    form = InviteForm(request.POST or None)
    link = ""
    if request.method == "POST" and form.is_valid():
        try:
            code = invite(request.actor, form.cleaned_data["email"], form.cleaned_data["role"])
        except VedetteError as error:
            form.add_error(None, error.what)
        else:
            link, form = f"{here().url}/welcome/{code}/", InviteForm()
    rows = [
        [str(m.person), m.person.email, m.org.name, m.role.replace("-", " ")]
        for m in people(request.actor)
    ]
    asked = [
        [i.email, i.org.name, i.role.replace("-", " "), i.expires_at]
        for i in open_invitations(request.actor)
    ]
    context = {
        "form": form,
        "link": link,
        "members_table": Table("Members", ["Name", "Address", "Organisation", "Role"], rows),
        "invitations_table": Table(
            "Open invitations", ["Address", "Organisation", "Role", "Ends"], asked
        ),
        "invitations": asked,
    }
    return render(request, "pages/people.html", context)
