"""Where the lab's models are, which build each serves, and how the access proxy reaches them."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from vedette.kernel.markings import RED
from vedette.kernel.permissions import Permission
from vedette.services import access, readiness
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Table
from vedette.web.pages.forms import done, form_page, posted, submitted


class EndpointForm(forms.Form):
    """Where a model really is."""

    model = forms.CharField(
        max_length=200, label="Model", help_text="As in the plan and the offer."
    )
    base_url = forms.CharField(
        max_length=500,
        label="Address",
        help_text="What comes before /chat/completions or /messages, such as"
        " http://127.0.0.1:9000/v1. Callers never see it; where its name leads is held from now"
        " on.",
    )
    dialect = forms.ChoiceField(
        label="What it speaks",
        choices=[
            ("openai", "OpenAI: chat completions, completions, responses"),
            ("anthropic", "Anthropic: messages"),
        ],
        initial="openai",
    )
    upstream_model = forms.CharField(
        max_length=200,
        required=False,
        label="Its name there",
        help_text="Where it differs from the model's name above.",
    )
    key = forms.CharField(
        max_length=500,
        required=False,
        label="Key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Kept sealed for this instance and never shown again. Empty where it needs none.",
    )
    build = forms.CharField(max_length=200, label="Build", help_text="Which build callers reach.")
    checkpoint = forms.CharField(
        max_length=71,
        required=False,
        label="Digest of the checkpoint",
        help_text="sha256: and 64 hex digits. Empty where the model is behind an endpoint that"
        " shows none.",
    )
    safeguards = forms.ChoiceField(
        label="Safeguards", choices=[("on", "on"), ("off", "off"), ("partly on", "partly on")]
    )
    system_prompt = forms.CharField(
        max_length=100_000,
        required=False,
        label="System prompt",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Its digest alone is kept, and told; or give that digest.",
    )
    sampling = forms.CharField(
        max_length=500,
        required=False,
        label="Sampling",
        help_text="Such as: temperature 1, top-p 0.95.",
    )


@require_http_methods(["GET", "POST"])
@page(Permission.SESSION_END)
def endpoints(request: SignedIn) -> HttpResponse:
    """Where the lab's models are, for the access proxy alone."""
    rows = access.endpoints(request.actor)
    plans = readiness.plans(request.actor) if request.actor.may(Permission.PLAN_READ) else []
    form = EndpointForm(posted(request), initial={"model": plans[-1]["model"] if plans else ""})
    made = submitted(request, form, lambda v: access.add_endpoint(request.actor, **v))
    if made is not None:
        return done(request, f"The proxy reaches {made.model} now; its key is sealed.", "endpoints")
    context = {
        "title": "Where the model is",
        "lede": "The access proxy alone reads this. Callers reach the proxy, never the model, and"
        " the key never leaves this instance.",
        "table": Table(
            "Endpoints",
            ["Model", "Build", "Safeguards", "Address", "Speaks", "Its name there", "Key"],
            [
                [
                    row["model"],
                    row["build"],
                    row["safeguards"],
                    Code(row["base_url"]),
                    row["dialect"],
                    row["upstream_model"],
                    "sealed" if row["has_key"] else "none",
                ]
                for row in rows
            ],
        ),
        "rows": rows,
        "button": "Keep it",
        "page_marking": RED,
    }
    return form_page(request, form, context, "pages/session_endpoints.html")
