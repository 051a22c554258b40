"""What people do with findings: report one, give its recipe, decide what it belongs to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.permissions import Permission, Profile
from vedette.services import cases, findings
from vedette.services.acting import Actor
from vedette.services.case_lists import case_list
from vedette.services.case_views import finding_view
from vedette.services.findings import DEFAULT_MARKING
from vedette.services.here import here
from vedette.services.scan_views import own_scans
from vedette.web.access import SignedIn, page
from vedette.web.pages.attachments import files_field, may_send, send_along
from vedette.web.pages.finding_forms import (
    AddForm,
    DuplicateForm,
    OpenCaseForm,
    ReasonForm,
    RecipeForm,
    ReportForm,
)
from vedette.web.pages.forms import done, form_page, submitted


@require_http_methods(["GET", "POST"])
@page(Permission.FINDING_REPORT)
def report(request: SignedIn) -> HttpResponse:
    """Report a finding."""
    form = ReportForm(request.POST or None, request.FILES or None)
    stays = here().profile == Profile.CLEARINGHOUSE
    if stays or may_send(request):
        form.fields["files"] = files_field(own=stays)
    own = own_scans(request.actor)
    if own:
        form.fields["scan"] = forms.ChoiceField(
            label="From which of your scans", choices=[("", "none of them"), *own], required=False
        )

    def keep(given: dict[str, Any]) -> Any:
        names = ("title", "product", "version", "vendor", "component", "file", "function")
        fields: dict[str, Any] = {name: given[name] for name in (*names, "description", "marking")}
        for name in ("stack", "cwe", "references"):
            fields[name] = given[name] or []
        fields["recipe"] = form.recipe()
        return findings.report_finding(request.actor, fields, scan=given.get("scan") or "")

    made = submitted(request, form, keep)
    if made is not None:
        send_along(request, form, made.sent_to_id or "", made)
        said = "The finding is kept. Its page tells you what became of it."
        return done(request, said, "finding", made.id)
    context = {
        "title": "Report a finding",
        "lede": "Your text is data here: nobody's program obeys it. The same report sent twice is"
        " one finding.",
        "button": "Report it",
        "back": "/findings/",
        "trail": [("Findings", "/findings/"), ("Report a finding", "")],
        "page_marking": DEFAULT_MARKING,
    }
    return form_page(request, form, context)


def _form_for(act: str, request: SignedIn, found: dict[str, Any]) -> Any:
    posted, files = request.POST or None, request.FILES or None
    if act == "open-case":
        initial = {"title": found["title"][:300], "vendor": found["vendor"]}
        return OpenCaseForm(posted, initial=initial)
    if act == "add-to-case":
        form = AddForm(posted)
        rows = case_list(request.actor, only_open=True)[:500]
        known = [(row.id, f"{row.title} ({row.product})") for row in rows]
        form.fields["case"].choices = known  # type: ignore[attr-defined]
        return form
    if act == "recipe":
        return RecipeForm(posted, files)
    return DuplicateForm(posted) if act == "duplicate" else ReasonForm(posted)


# act: (title, what it does, button, what is said when it is done)
ACTS: dict[str, tuple[str, str, str, str]] = {
    "open-case": (
        "Open a case",
        "The finding was executed here, so a maintainer may hear of it. Its duplicates join it.",
        "Open the case",
        "The case is open. Invite whoever can fix it.",
    ),
    "add-to-case": (
        "Add to a case",
        "It joins a case on the same flaw, with its duplicates.",
        "Add it",
        "The finding is part of the case.",
    ),
    "duplicate": (
        "Mark as duplicate",
        "Its reporter is told that it is one, and why.",
        "Mark it",
        "The finding is a duplicate, and its reporter was told.",
    ),
    "apart": (
        "Tell apart",
        "It is received anew and executed again. The two stay apart from then on.",
        "Tell them apart",
        "The finding stands on its own again.",
    ),
    "recipe": (
        "Give a recipe",
        "It is executed here in a sandbox, whatever else the report says.",
        "Send the recipe",
        "The recipe is kept, and waits for its execution.",
    ),
}


@require_http_methods(["GET", "POST"])
@page(Permission.FINDING_READ)
def act(request: SignedIn, finding_id: str, name: str) -> HttpResponse:
    """One act on a finding, on a page of its own."""
    found = finding_view(request.actor, finding_id)
    if name not in ACTS:
        raise NotFound("no such act")
    own = Permission.FINDING_REPORT if name == "recipe" else Permission.CASE_COORDINATE
    request.actor.require(own)
    title, lede, button, said = ACTS[name]
    form = _form_for(name, request, found)
    result = submitted(request, form, lambda given: _do(name, request, finding_id, form, given))
    if result is not None:
        place = ("case", result.id) if name in ("open-case", "add-to-case") else None
        return done(request, said, *(place or ("finding", finding_id)))
    context = {
        "title": title,
        "kicker": found["title"][:120],
        "lede": lede,
        "button": button,
        "back": f"/findings/{finding_id}/",
        "trail": [
            ("Findings", "/findings/"),
            (found["title"][:60], f"/findings/{finding_id}/"),
            (title, ""),
        ],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


def _do(name: str, request: SignedIn, finding_id: str, form: Any, given: dict[str, Any]) -> Any:
    actor = request.actor
    if name == "open-case":
        return cases.open_case(actor, finding_id, given["title"], given["vendor"])
    if name == "add-to-case":
        return cases.add_finding(actor, given["case"], finding_id)
    if name == "duplicate":
        return _mark_duplicate(actor, finding_id, given["of"].strip(), given["reason"])
    if name == "recipe":
        recipe = form.recipe()
        if recipe is None:
            raise BadInput("recipe: give an input or a recipe file")
        return findings.add_recipe(actor, finding_id, recipe)
    return findings.tell_apart(actor, finding_id, given["reason"])


def _mark_duplicate(actor: Actor, finding_id: str, of: str, reason: str) -> Any:
    try:
        finding_view(actor, of)
    except NotFound as error:
        raise BadInput(f"of: {error.what}", next_step="copy the id from its page") from None
    return findings.mark_duplicate(actor, finding_id, of, reason)


@require_http_methods(["POST"])
@page(Permission.CASE_COORDINATE)
def execute_again(request: SignedIn, finding_id: str) -> HttpResponse:
    """Have a finding executed once more."""
    findings.reproduce_again(request.actor, finding_id)
    return done(request, "The finding waits for its execution.", "finding", finding_id)
