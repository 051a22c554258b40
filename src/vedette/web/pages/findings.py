"""Findings: the list, one finding with what its execution showed, reporting one."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.permissions import Permission, Profile
from vedette.services import cases, findings
from vedette.services.case_lists import case_list, coordinates, finding_list
from vedette.services.case_views import finding_view
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Column, Link, Table
from vedette.web.pages.forms import Lines, done, form_page, long_text, moment, submitted
from vedette.web.pages.labels import as_file, choices, state

LIST_MARKING = findings.DEFAULT_MARKING
MARKINGS = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
MOST_INPUT = 65_536


class Filter(forms.Form):
    """Narrows the list."""

    state = forms.ChoiceField(label="State", choices=choices("finding"), required=False)
    product = forms.CharField(label="Product", max_length=100, required=False)
    reporter = forms.CharField(label="Reporter", max_length=100, required=False)
    case = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False)


class ReportForm(forms.Form):
    """A finding as its finder reports it."""

    title = forms.CharField(label="Title", max_length=2_000, help_text="One line on the flaw.")
    product = forms.CharField(label="Product", max_length=300)
    version = forms.CharField(label="Version", max_length=200, required=False)
    vendor = forms.CharField(label="Vendor or project", max_length=300, required=False)
    component = forms.CharField(label="Component", max_length=300, required=False)
    file = forms.CharField(label="Source file", max_length=1_024, required=False)
    function = forms.CharField(label="Function", max_length=1_024, required=False)
    description = long_text("What is wrong, and how you found it", limit=65_536, rows=6)
    stack = Lines(label="Stack", required=False, help_text="One frame a line, innermost first.")
    cwe = Lines(label="Weaknesses", required=False, help_text="CWE numbers, one a line.")
    references = Lines(label="References", required=False, help_text="Addresses, one a line.")
    suite = forms.CharField(
        label="Recipe: suite",
        max_length=100,
        required=False,
        help_text="Only what we can execute reaches a maintainer. Name the suite and the item that"
        " your input crashes, or hand in a whole recipe below.",
    )
    item = forms.CharField(label="Recipe: item", max_length=100, required=False)
    input_file = forms.FileField(
        label="Recipe: input as a file", required=False, help_text="At most 64 KiB."
    )
    input_b64 = forms.CharField(
        label="Recipe: input in base64",
        required=False,
        max_length=2 * MOST_INPUT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    recipe_file = forms.FileField(
        label="Whole recipe as a JSON file",
        required=False,
        help_text="For example of the kind pypi: two releases and a script.",
    )
    marking = forms.ChoiceField(
        label="Marking", choices=[(m, m) for m in MARKINGS], initial=findings.DEFAULT_MARKING
    )

    def recipe(self) -> dict[str, Any] | None:
        """The recipe of the given fields, if there is one. Raises BadInput naming the field."""
        given = self.cleaned_data
        if given["recipe_file"]:
            return _read_recipe(given["recipe_file"])
        if not (given["suite"] or given["item"] or given["input_file"] or given["input_b64"]):
            return None
        for name in ("suite", "item"):
            if not given[name]:
                raise BadInput(f"{name}: a recipe names the suite and the item")
        return {
            "kind": "suite-item",
            "suite": given["suite"],
            "item": given["item"],
            "input_b64": _input(given),
        }


def _read_recipe(file: Any) -> dict[str, Any]:
    content = file.read(MIB + 1)
    bounds = Bounds(size=MIB, depth=4, count=100)
    try:
        recipe = read_json(content, source="recipe", bounds=bounds)
    except BadInput as error:
        raise BadInput(f"recipe_file: {error.what}") from None
    if not isinstance(recipe, dict):
        raise BadInput("recipe_file: a recipe is a JSON object")
    return recipe


def _input(given: dict[str, Any]) -> str:
    if given["input_file"]:
        content = given["input_file"].read(MOST_INPUT + 1)
        if len(content) > MOST_INPUT:
            raise BadInput(f"input_file: at most {MOST_INPUT:,} bytes")
        return base64.b64encode(content).decode()
    text = "".join(given["input_b64"].split())
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("input_b64: this is no base64") from None
    return text


class RecipeForm(ReportForm):
    """A recipe for a finding that could not be reproduced without one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = ("suite", "item", "input_file", "input_b64", "recipe_file")
        self.fields = {name: self.fields[name] for name in kept}


class OpenCaseForm(forms.Form):
    """The case's own title and vendor, where they differ from the finding's."""

    title = forms.CharField(label="Title of the case", max_length=300)
    vendor = forms.CharField(label="Vendor or project", max_length=300, required=False)


class AddForm(forms.Form):
    """An open case that the finding joins."""

    case = forms.ChoiceField(label="Case", choices=[])


class DuplicateForm(forms.Form):
    """Which finding this one is the same as, and why."""

    of = forms.CharField(label="Id of the finding that stands", max_length=40)
    reason = long_text("Why they are the same", limit=1_000)


class ReasonForm(forms.Form):
    """A reason alone."""

    reason = forms.CharField(label="Why", max_length=900, widget=forms.Textarea(attrs={"rows": 3}))


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
        "own": own,
        "may_read_cases": request.actor.may(Permission.CASE_READ),
        "elsewhere": here().profile != Profile.CLEARINGHOUSE,
        "trail": [("Findings", "/findings/"), (found["title"][:60], "")],
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
    if recipe.get("kind") == "suite-item":
        size = len(recipe["input_b64"]) * 3 // 4
        return [
            ("Kind", "an input to an item of a suite"),
            ("Suite and item", f"{recipe['suite']} / {recipe['item']}"),
            ("Input", f"about {size:,} bytes"),
        ]
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
        Code(evidence["top_frame"]) if evidence.get("top_frame") else None,
        f"{evidence.get('crashed', 0)} of {evidence.get('runs', 0)}" if evidence else None,
        evidence.get("isolation"),
        each["reason"],
    ]


@require_http_methods(["GET", "POST"])
@page(Permission.FINDING_REPORT)
def report(request: SignedIn) -> HttpResponse:
    """Report a finding."""
    form = ReportForm(request.POST or None, request.FILES or None)

    def keep(given: dict[str, Any]) -> Any:
        names = ("title", "product", "version", "vendor", "component", "file", "function")
        fields: dict[str, Any] = {name: given[name] for name in (*names, "description", "marking")}
        for name in ("stack", "cwe", "references"):
            fields[name] = given[name] or []
        return findings.report_finding(request.actor, {**fields, "recipe": form.recipe()})

    made = submitted(request, form, keep)
    if made is not None:
        said = "The finding is kept. Its page tells you what became of it."
        return done(request, said, "finding", made.id)
    context = {
        "title": "Report a finding",
        "lede": "Your text is data here: nobody's program obeys it. The same report sent twice is"
        " one finding.",
        "button": "Report it",
        "back": "/findings/",
        "trail": [("Findings", "/findings/"), ("Report a finding", "")],
        "page_marking": LIST_MARKING,
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
        return findings.mark_duplicate(actor, finding_id, given["of"].strip(), given["reason"])
    if name == "recipe":
        recipe = form.recipe()
        if recipe is None:
            raise BadInput("recipe: give an input or a recipe file")
        return findings.add_recipe(actor, finding_id, recipe)
    return findings.tell_apart(actor, finding_id, given["reason"])


@require_http_methods(["POST"])
@page(Permission.CASE_COORDINATE)
def execute_again(request: SignedIn, finding_id: str) -> HttpResponse:
    """Have a finding executed once more."""
    findings.reproduce_again(request.actor, finding_id)
    return done(request, "The finding waits for its execution.", "finding", finding_id)


@require_GET
@page(Permission.FINDING_READ)
def recipe_file(request: SignedIn, finding_id: str) -> HttpResponse:
    """A finding's recipe as a file, never shown by the browser."""
    found = finding_view(request.actor, finding_id)
    if not found["recipe"]:
        return redirect("finding", finding_id)
    return as_file(f"{found['id']}.json", found["recipe"])
