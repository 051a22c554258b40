"""The office's runs: started, watched while they run, read item by item."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.bench.results import RunResult, broken
from vedette.bench.suites import BUDGET_FIELDS
from vedette.kernel.markings import AMBER, AMBER_STRICT
from vedette.kernel.permissions import Permission, Profile
from vedette.kernel.words import counted
from vedette.runner.runs import REFERENCES
from vedette.services import acts as views
from vedette.services import run_keys
from vedette.services import runs as service
from vedette.services.assessments import list_assessments, make_assessment
from vedette.services.documents import page_watermark
from vedette.services.peers import peers
from vedette.services.run_crashes import report_crashes
from vedette.services.suites import Known, suites
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Column, Link, Table
from vedette.web.pages import run_results
from vedette.web.pages.forms import done, form_page, posted, submitted
from vedette.web.pages.run_cost import cost_of
from vedette.web.pages.run_custody import (
    CustodyFields,
    act_choices,
    commitment_facts,
    custody_facts,
)
from vedette.web.pages.words import joined, state

UNDER_WAY = (service.COMMITTED, service.RUNNING)


class RunForm(CustodyFields):
    """What is run; it is committed to before the first sample."""

    suite = forms.ChoiceField(label="Suite")
    session = forms.ChoiceField(
        label="The lab's model", required=False, help_text="Through an open session."
    )
    references = forms.MultipleChoiceField(
        label="Reference subjects beside it",
        choices=[(name, name) for name in REFERENCES],
        initial=list(service.DEFAULT_REFERENCES),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="They say what nothing, chance, a fuzzer and the answer key reach.",
    )
    seed = forms.IntegerField(
        label="Seed",
        initial=0,
        min_value=0,
        max_value=2**31 - 1,
        help_text="The same seed repeats it.",
    )
    trials = forms.IntegerField(label="Trials an item", initial=1, min_value=1, max_value=100)
    tool_calls = forms.IntegerField(label="Tool calls an item", min_value=1, required=False)
    executions = forms.IntegerField(label="Executions an item", min_value=1, required=False)
    tokens = forms.IntegerField(label="Tokens an item", min_value=1, required=False)
    seconds = forms.IntegerField(
        label="Seconds an item",
        min_value=1,
        required=False,
        help_text="Budgets left empty are each item's own.",
    )

    expected = forms.FloatField(
        label="Expected share of items solved",
        min_value=0.001,
        max_value=0.999,
        required=False,
        help_text="For the chance below, with the threshold above; kept nowhere.",
    )
    spread = forms.FloatField(
        label="How unsure",
        min_value=0.01,
        max_value=5,
        initial=1,
        required=False,
        help_text="As a standard deviation of log odds: 1 is unsure, 0.3 rather sure.",
    )

    field_order = ("suite", "session", "custody", "act", "model", "base_url", "references")

    def __init__(
        self,
        sessions: list[tuple[str, str]],
        acts: list[tuple[str, str]],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["act"].choices = acts  # type: ignore[attr-defined]
        known = [(s.name, f"{s.title} ({s.count} items{_sealed(s)})") for s in suites()]
        self.fields["suite"].choices = known  # type: ignore[attr-defined]
        none = [("", "none: reference subjects alone")]
        self.fields["session"].choices = [*sessions, *none]  # type: ignore[attr-defined]

    def given(self) -> dict[str, Any]:
        """What `start_run` takes, besides the suite."""
        values = self.cleaned_data
        return {
            "session_id": values["session"],
            "references": values["references"],
            "seed": values["seed"],
            "trials": values["trials"],
            "budget": {name: values[name] for name in BUDGET_FIELDS if values[name]},
            **self.custody_given(),
        }

    def asked(self) -> dict[str, Any]:
        """What `plan_run` takes, besides the suite."""
        values = self.cleaned_data
        return {
            **self.given(),
            "expected": values["expected"],
            "spread": values["spread"] or 1.0,
        }


def _sealed(suite: Known) -> str:
    return f", {suite.state}" if suite.sealed else ""


@require_GET
@page(Permission.RUN_READ)
def runs(request: SignedIn) -> HttpResponse:
    """Every run, newest first."""
    rows = service.list_runs(request.actor)
    columns: list[Column | str] = [
        "Run",
        "Subjects",
        "State",
        Column("Samples", numeric=True),
        "Started by",
    ]
    context = {
        "rows": rows,
        "table": Table("Runs, newest first", columns, [_row(run) for run in rows]),
        "may_start": request.actor.may(Permission.RUN_START),
        "page_marking": joined(str(AMBER), *(run.marking for run in rows)),
    }
    return render(request, "pages/runs.html", context)


def _row(run: Any) -> list[Cell]:
    progress = run.progress
    when = f"{run.suite}, {run.committed_at:%d %b %Y %H:%M} UTC"
    return [
        Link(when, f"/runs/{run.id}/"),
        ", ".join(subject["name"] for subject in run.subjects),
        state("run", run.state),
        f"{progress.get('done', 0)} of {progress.get('total', 0)}",
        run.started_by,
    ]


@require_http_methods(["GET", "POST"])
@page(Permission.RUN_START)
def new(request: SignedIn) -> HttpResponse:
    """Commit to a run and start it; or see first what it will cost."""
    form = _form(request)
    planning = request.method == "POST" and request.POST.get("step") == "plan"
    made = (
        None
        if planning
        else submitted(
            request, form, lambda v: service.start_run(request.actor, v["suite"], **form.given())
        )
    )
    if made is not None:
        said = "Committed to and signed; "
        said += "its items wait to leave." if made.state == service.AWAY else "the worker takes it."
        return done(request, said, "run", made.id)
    context = {
        "title": "Start a run",
        "lede": "What you choose is committed to and signed before the first sample, and the lab"
        " is told the digest.",
        "button": "Commit and start",
        "back": "/runs/",
        "trail": [("Runs", "/runs/"), ("Start a run", "")],
        "page_marking": AMBER_STRICT,
        "cost": cost_of(request.actor, form, posted(request)),
    }
    return form_page(request, form, context, "pages/run_new.html")


def _form(request: SignedIn) -> RunForm:
    service.list_runs(request.actor)
    sessions = [
        (row.id, f"{row.model}, {row.purpose}, session of {row.person}")
        for row in views.browse_sessions(request.actor)
        if row.state == "open"
    ]
    asked = request.GET.get("session", "")
    initial = {"session": asked or (sessions[0][0] if sessions else "")}
    return RunForm(sessions, act_choices(request), posted(request), initial=initial)


@require_POST
@page(Permission.RUN_START)
def plan(request: SignedIn) -> HttpResponse:
    """The part of the form that says what the run will cost, anew with each change."""
    cost = cost_of(request.actor, _form(request), posted(request))
    return render(request, "pages/run_cost.html", {"cost": cost})


@require_GET
@page(Permission.RUN_READ)
def run(request: SignedIn, run_id: str) -> HttpResponse:
    """One run: how far it is, then what it showed."""
    found = service.run_view(request.actor, run_id)
    result = service.result_of(found) if found.state == service.FINISHED else None
    made = [a for a in _assessments(request) if a.run_id == run_id]
    context = {
        **_live(found),
        "facts": _facts(found, result),
        "custody": custody_facts(found),
        "commitment": commitment_facts(found),
        "missing": run_keys.waiting(found),
        "may_give": bool(run_keys.waiting(found)) and request.actor.may(Permission.SUITE_UNSEAL),
        "broken": broken(result) if result else [],
        "table": run_results.results(result) if result else None,
        "verdicts": run_results.verdicts(result) if result else None,
        "flags": run_results.flags(result) if result else None,
        "flag_count": run_results.flagged(result).total if result else 0,
        "crashes": [run_results.found(crash) for crash in result.crashes] if result else [],
        "assessment": made[0] if made else None,
        "may_assess": result is not None and request.actor.may(Permission.ASSESSMENT_MAKE),
        "may_report": request.actor.may(Permission.FINDING_REPORT)
        and result is not None
        and _found_by_assessed(found, result)
        and any(p["profile"] == str(Profile.CLEARINGHOUSE) for p in peers(request.actor)),
        "may_go_on": found.state == service.FAILED and request.actor.may(Permission.RUN_START),
        "trail": [("Runs", "/runs/"), (found.suite, "")],
        "page_marking": found.marking,
        "watermark": page_watermark(request.actor, run_id, found.act_id),
    }
    return render(request, "pages/run.html", context)


def _found_by_assessed(found: Any, result: RunResult) -> bool:
    """Whether a subject that is no reference uncovered a crash."""
    assessed = {s["name"] for s in found.subjects if s["kind"] != "reference"}
    return any(assessed & set(crash["subjects"]) for crash in result.crashes)


def _assessments(request: SignedIn) -> list[Any]:
    may = request.actor.may(Permission.ASSESSMENT_READ)
    return list_assessments(request.actor) if may else []


@require_GET
@page(Permission.RUN_READ)
def progress(request: SignedIn, run_id: str) -> HttpResponse:
    """The live part of a run's page; when the run is over, the whole page is asked for again."""
    found = service.run_view(request.actor, run_id)
    response = render(request, "pages/run_live.html", _live(found))
    if found.state not in UNDER_WAY:
        response.headers["HX-Refresh"] = "true"
    return response


def _live(found: Any) -> dict[str, Any]:
    said: dict[str, Any] = found.progress
    return {
        "run": found,
        "state": state("run", found.state),
        "done": said.get("done", 0),
        "total": said.get("total", 0) or 1,
        "events": list(reversed(service.events_of(found))),
        "running": found.state in UNDER_WAY,
        "progress_url": f"/runs/{found.id}/progress/",
    }


def _facts(found: Any, result: RunResult | None) -> list[tuple[str, Cell]]:
    budget = ", ".join(f"{v:,} {k.replace('_', ' ')}" for k, v in found.budget.items())
    pairs: list[tuple[str, Cell]] = [
        ("Suite", found.suite),
        ("Suite digest", Code(found.suite_digest)),
        ("Subjects", ", ".join(subject["name"] for subject in found.subjects)),
        ("Seed", str(found.seed)),
        ("Trials an item", found.trials),
        ("Budget an item", budget or "each item's own"),
        ("Committed", found.committed_at),
        ("Started", found.started_at),
        ("Finished", found.finished_at),
        ("Started by", found.started_by),
    ]
    if found.session_id:
        pairs.append(
            ("Session", Link("the session it ran through", f"/sessions/{found.session_id}/"))
        )
    if result is not None:
        pairs += [
            ("Metered calls", len(result.calls)),
            ("Result digest", Code(result.digest)),
        ]
    return [(label, value) for label, value in pairs if value is not None]


@require_POST
@page(Permission.RUN_START)
def again(request: SignedIn, run_id: str) -> HttpResponse:
    """Go on with a run that failed."""
    service.again(request.actor, run_id)
    return done(request, "It goes on where it stopped; finished samples are kept.", "run", run_id)


@require_POST
@page(Permission.ASSESSMENT_MAKE)
def assess(request: SignedIn, run_id: str) -> HttpResponse:
    """Make the assessment of a finished run."""
    made = make_assessment(request.actor, run_id)
    return done(request, "The assessment is computed and marked.", "assessment", made.id)


@require_POST
@page(Permission.FINDING_REPORT)
def report(request: SignedIn, run_id: str) -> HttpResponse:
    """Report the crashes to the clearinghouse, with a copy to the lab."""
    rows = report_crashes(request.actor, run_id)
    said = counted(len(rows), "crash is", "crashes are")
    said += " with the clearinghouse; telling it again changes nothing."
    return done(request, said, "run", run_id)
