"""The one-time link of an invitation: shows a form on GET, joins on POST."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from vedette.kernel.errors import BadInput
from vedette.services.accounts import join, open_invitation
from vedette.services.acting import instance_actor, reading
from vedette.web.access import ORG_KEY


class JoinForm(forms.Form):
    """Name and password of a new member."""

    name = forms.CharField(max_length=200, label="Your name")
    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. A passkey or an authenticator app can be added later.",
    )


@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest, code: str) -> HttpResponse:
    """Join the organisation that sent the invitation."""
    with reading(instance_actor()):
        invitation = open_invitation(code)
        org, role = invitation.org.name, invitation.role
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person: Any = join(code, form.cleaned_data["name"], form.cleaned_data["password"])
        except BadInput as error:
            form.add_error("password", error.what.removeprefix("password: "))
        else:
            login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
            request.session[ORG_KEY] = invitation.org_id
            return redirect("overview")
    return render(
        request,
        "pages/welcome.html",
        {"form": form, "organisation": org, "role": role, "email": invitation.email},
        status=200 if request.method == "GET" else 422,
    )
