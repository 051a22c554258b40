"""Findings: the list, and one finding with what executing it here showed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from vedette.kernel.permissions import Permission, Profile
from vedette.services.case_lists import coordinates, finding_list
from vedette.services.case_views import finding_view
from vedette.services.findings import DEFAULT_MARKING
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Column, Link, Table
from vedette.web.pages.attachments import files_table
from vedette.web.pages.forms import moment
from vedette.web.pages.labels import as_file, choices, state

LIST_MARKING = DEFAULT_MARKING


class Filter(forms.Form):
    """Narrows the list."""

    state = forms.ChoiceField(label="State", choices=choices("finding"), required=False)
    product = forms.CharField(label="Product", max_length=100, required=False)
    reporter = forms.CharField(label="Reporter", max_length=100, required=False)
    case = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False)


@require_GET
@page(Permission.FINDING_READ)
def list_findings(request: SignedIn) -> HttpResponse:
    """The findings that one may see, newest first."""
    form = Filter(request.GET or None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    rows = finding_list(request.actor, **asked)
    shown = Paginator(rows, 25).get_page(request.GET.get("page"))
    own = coordinates(request.actor)
    columns = ["Finding", "Product", "State", "Executed here", "Received"]
    table = Table(
        "Findings, newest first",
        [*columns, *(["Reporter"] if own else [])],
        [_row(finding, own) for finding in shown],
    )
    context = {
        "table": table,
        "page": shown,
        "form": form if form.is_bound else Filter(),
        "filtered": any(asked.values()),
        "may_report": request.actor.may(Permission.FINDING_REPORT),
        "own": own,
        "page_marking": LIST_MARKING,
    }
    return render(request, "pages/findings.html", context)


def _row(finding: Any, own: bool) -> list[Any]:
    cells = [
        Link(finding.title[:160], f"/findings/{finding.id}/"),
        f"{finding.product} {finding.version}".strip(),
        state("finding", finding.state),
        finding.crash.split(" < ")[0],
        finding.received_at,
    ]
    return [*cells, finding.reporter or finding.org.name] if own else cells


@require_GET
@page(Permission.FINDING_READ)
def finding(request: SignedIn, finding_id: str) -> HttpResponse:
    """One finding: what its finder says, and what executing it here showed."""
    found = finding_view(request.actor, finding_id)
    own = coordinates(request.actor)
    context = {
        "row": found,
        "state": state("finding", found["state"]),
        "facts": _facts(found, own),
        "recipe": _recipe_summary(found["recipe"]),
        "executions": _executions(found["reproductions"]),
        "offered": _offered(found, own),
        "may_add_recipe": _may_add_recipe(request, found),
        "files": files_table(request.actor, finding_id),
        "own": own,
        "may_read_cases": request.actor.may(Permission.CASE_READ),
        "elsewhere": here().profile != Profile.CLEARINGHOUSE,
        "trail": [("Findings", "/findings/"), (found["title"], "")],
        "page_marking": found["marking"],
    }
    return render(request, "pages/finding.html", context)


def _offered(found: dict[str, Any], own: bool) -> list[str]:
    """The coordinator's moves of the state table, and an execution where there is a recipe."""
    if not own:
        return []
    waits = found["state"] in ("received", "not-reproduced") and found["recipe"]
    return [*found["moves"], *(["execute again"] if waits else [])]


def _may_add_recipe(request: SignedIn, found: dict[str, Any]) -> bool:
    here_executed = here().profile == Profile.CLEARINGHOUSE
    waits = found["state"] in ("received", "not-reproduced")
    return here_executed and waits and request.actor.may(Permission.FINDING_REPORT)


def _facts(found: dict[str, Any], own: bool) -> list[tuple[str, Any]]:
    place = " · ".join(found[name] for name in ("component", "file", "function") if found[name])
    product = " ".join(found[name] for name in ("vendor", "product", "version") if found[name])
    return [
        ("Product", product),
        ("Place in it", place),
        ("Weakness", ", ".join(found["cwe"])),
        ("Reporter", (found["reporter"] or "unnamed") if own else "your organisation"),
        ("Origin", found["origin"]),
        ("Received", moment(found["received_at"])),
        ("Id", Code(found["id"])),
    ]


def _recipe_summary(recipe: dict[str, Any]) -> list[tuple[str, Any]]:
    if recipe.get("kind") in ("suite-item", "disclosed-item"):
        size = len(recipe["input_b64"]) * 3 // 4
        rows: list[tuple[str, Any]] = [
            ("Kind", "an input to an item of a suite"),
            ("Suite and item", f"{recipe['suite']} / {recipe['item']}"),
            ("Input", f"about {size:,} bytes"),
        ]
        if "build" in recipe:
            rows.append(("Build, as an exposure decision names it", Code(recipe["build"])))
        return rows
    if recipe.get("kind") == "pypi":
        return [
            ("Kind", "a script on two releases of a Python package"),
            ("Affected release", f"{recipe['name']} {recipe['version']}"),
            ("Fixed release", f"{recipe['name']} {recipe['fixed_version']}"),
            ("Script", f"{len(recipe['script']):,} characters"),
        ]
    return []


def _executions(rows: list[dict[str, Any]]) -> Table:
    """What executions here showed, newest first."""
    columns: list[Column | str] = [
        "When",
        "Result",
        "Crash",
        "Top frame",
        Column("Runs", numeric=True),
    ]
    return Table(
        "Executions here, newest first",
        [*columns, "Isolation", "Reason"],
        [_execution(each, each["evidence"]) for each in reversed(rows)],
        empty="Not executed here yet.",
    )


def _execution(each: dict[str, Any], evidence: dict[str, Any]) -> list[Any]:
    return [
        moment(each["at"]),
        state("finding", "reproduced" if each["reproduced"] else "not-reproduced"),
        evidence.get("crash_class"),
        evidence.get("top_frame"),
        f"{evidence.get('crashed', 0)} of {evidence.get('runs', 0)}" if evidence else None,
        evidence.get("isolation"),
        each["reason"],
    ]


@require_GET
@page(Permission.FINDING_READ)
def recipe_file(request: SignedIn, finding_id: str) -> HttpResponse:
    """A finding's recipe as a file, never shown by the browser."""
    found = finding_view(request.actor, finding_id)
    if not found["recipe"]:
        return redirect("finding", finding_id)
    return as_file(f"{found['id']}.json", found["recipe"])
