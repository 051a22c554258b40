"""Assessments and determinations: made and shared by the office, received by the lab.

A received document is another instance's: it is read with care, and shown as text where it is not
of the expected form.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.bench.determination import Outcome
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.services import assessments as service
from vedette.services import engagement_views
from vedette.services.document_kinds import sources_of
from vedette.services.documents import page_watermark
from vedette.services.here import here
from vedette.services.sides import only, own_side
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Column, Interval, Link, State, Table
from vedette.web.pages.forms import done, form_page, long_text, moment, posted, submitted
from vedette.web.pages.words import joined

# the report brings its own styles, in a sheet and on the parts of its plot; nothing else runs
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
CONSULTED_ROWS = 4


class ConsultationForm(forms.Form):
    """One office consulted."""

    office = forms.CharField(label="Office consulted", max_length=300)
    view = forms.CharField(label="What it holds", max_length=2_000)
    on = forms.DateField(label="On", widget=forms.DateInput(attrs={"type": "date"}))


Consultations = forms.formset_factory(ConsultationForm, extra=CONSULTED_ROWS, max_num=50)


class DeterminationForm(forms.Form):
    """Whether a subject meets the threshold, by whom and why."""

    subject = forms.ChoiceField(label="Subject")
    threshold = forms.DecimalField(
        label="Threshold",
        min_value=0,
        max_value=1,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="A share from 0 to 1, such as 0.25. It crosses to nobody: outside, a digest"
        " behind a nonce stands for it.",
    )
    outcome = forms.ChoiceField(
        label="Outcome",
        choices=[("", "what the interval suggests"), *((o.value, o.value) for o in Outcome)],
        required=False,
        help_text="The record shows both, where yours differs.",
    )
    maker = forms.CharField(label="Made by", max_length=200, help_text="Name and office.")
    why = long_text("Why", limit=20_000)

    def __init__(self, subjects: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["subject"].choices = [(name, name) for name in subjects]  # type: ignore[attr-defined]
        self.fields["why"].required = True


@require_GET
@page(Permission.ASSESSMENT_READ)
def assessments(request: SignedIn) -> HttpResponse:
    """Assessments and determinations, newest first."""
    own_side()
    rows = service.list_assessments(request.actor)
    records = engagement_views.determinations(request.actor)
    context = {
        "rows": rows,
        "records": records,
        "table": Table(
            "Assessments",
            ["Suite", "Subjects", "Made", "Shared", "Marking"],
            [_row(row) for row in rows],
        ),
        "determinations": Table(
            "Determinations",
            ["Subject", "Outcome", "Made by", "Recorded"],
            [
                [
                    Link(str(r.document.get("subject", "?")), f"/determinations/{r.id}/"),
                    str(r.document.get("outcome", "?")),
                    r.made_by,
                    r.made_at,
                ]
                for r in records
            ],
        ),
        "is_lab": here().profile == Profile.LAB,
        "page_marking": joined(
            str(AMBER), *(r.marking for r in rows), *(r.marking for r in records)
        ),
    }
    return render(request, "pages/assessments.html", context)


def _row(row: Any) -> list[Cell]:
    return [
        Link(_suite_of(row.document), f"/assessments/{row.id}/"),
        ", ".join(assessed(row.document)) or "references",
        row.made_at,
        row.shared_at,
        Marking.parse(row.marking),
    ]


def _suite_of(document: dict[str, Any]) -> str:
    suite = document.get("suite")
    return f"{suite.get('name')} {suite.get('version', '')}" if isinstance(suite, dict) else "?"


def assessed(document: dict[str, Any]) -> list[str]:
    """Names of the subjects that were assessed, not those that ran beside them."""
    subjects = document.get("subjects")
    rows = [s for s in subjects if isinstance(s, dict)] if isinstance(subjects, list) else []
    return [str(s.get("name", "?"))[:200] for s in rows if s.get("role") == "assessed"]


def scores(document: dict[str, Any]) -> list[Interval]:
    """The subjects' shares with their intervals; [] where the document has another form."""
    try:
        return [
            _interval(s["name"], s["score"], reference=s["role"] == "reference")
            for s in sorted(document["subjects"], key=lambda s: s["role"])
        ]
    except (KeyError, TypeError, ValueError):
        return []


def _interval(label: Any, score: dict[str, Any], *, reference: bool = False) -> Interval:
    value, low, high = (min(max(float(score[k]), 0.0), 1.0) for k in ("estimate", "low", "high"))
    count = f"{int(score['solved'])} of {int(score['n'])}"
    return Interval(str(label)[:200], value, low, high, count, reference)


@require_GET
@page(Permission.ASSESSMENT_READ)
def assessment(request: SignedIn, assessment_id: str) -> HttpResponse:
    """One assessment: scores with intervals, what was measured, its limits."""
    own_side()
    row, records = service.assessment_view(request.actor, assessment_id)
    mine, actor = row.run_id is not None, request.actor
    document = row.document
    context = {
        "row": row,
        "names": ", ".join(assessed(document)) or "reference subjects",
        "intervals": scores(document),
        "use": _use(document),
        "families": _families(document),
        "limits": _texts(document.get("limits")),
        "facts": _facts(row),
        "raw": "" if scores(document) else json.dumps(document, indent=1, ensure_ascii=False),
        "records": [
            (r, State(str(r.document.get("outcome", "?")), "done"), f"/determinations/{r.id}/")
            for r in records
        ],
        "mine": mine,
        "may_share": mine and row.act_id and actor.may(Permission.ASSESSMENT_MAKE),
        "may_determine": mine and actor.may(Permission.DETERMINATION_RECORD),
        "trail": [("Assessments", "/assessments/"), (_suite_of(document), "")],
        "page_marking": row.marking,
        "page_sources": sources_of(row),
        "watermark": page_watermark(actor, assessment_id, row.act_id),
    }
    return render(request, "pages/assessment.html", context)


def _use(document: dict[str, Any]) -> Table | None:
    """What each subject used."""
    names = ("calls", "input_tokens", "output_tokens", "executions")
    try:
        rows: list[list[Cell]] = [
            [str(s["name"]), *(int(s["used"][n]) for n in names), str(s["seconds"])]
            for s in document["subjects"]
        ]
    except (KeyError, TypeError, ValueError):
        return None
    labels = ("Metered calls", "Tokens in", "Tokens out", "Executions", "Seconds")
    columns: list[Column | str] = ["Subject", *(Column(label, numeric=True) for label in labels)]
    return Table("What each subject used", columns, rows)


def _families(document: dict[str, Any]) -> list[Interval]:
    """The assessed subjects by family of items."""
    try:
        return [
            _interval(family, score)
            for s in document["subjects"]
            if s["role"] == "assessed"
            for family, score in s["families"].items()
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _texts(value: Any) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else []


def _facts(row: Any) -> list[tuple[str, Cell]]:
    document = row.document
    isolation = document.get("isolation")
    pairs: list[tuple[str, Cell]] = [
        ("Suite", _suite_of(document)),
        ("Made", row.made_at),
        ("Made by", row.made_by),
        ("Shared with the lab", row.shared_at),
        ("Trials an item", str(document.get("trials", ""))),
    ]
    if isinstance(isolation, dict):
        pairs += [(f"Isolation: {k}".replace("_", " "), str(v)) for k, v in isolation.items()]
    pairs += [
        ("Committed before the first sample", Code(str(document.get("commitment_digest", "")))),
        ("Result digest", Code(str(document.get("result_digest", "")))),
        ("Digest of this document", Code(row.digest)),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]


@require_GET
@page(Permission.ASSESSMENT_READ)
def report(request: SignedIn, assessment_id: str) -> HttpResponse:
    """The report as one self-contained page; it can load nothing and run nothing."""
    row, _ = service.assessment_view(request.actor, assessment_id)
    stamp = page_watermark(request.actor, assessment_id, row.act_id)
    response = HttpResponse(service.report_page(request.actor, assessment_id, stamp))
    response.headers["Content-Security-Policy"] = REPORT_POLICY
    return response


@require_POST
@page(Permission.ASSESSMENT_MAKE)
def share(request: SignedIn, assessment_id: str) -> HttpResponse:
    """Send the releasable summary to the lab."""
    service.share_assessment(request.actor, assessment_id)
    said = "Shared: the summary goes to the lab, without any item's text."
    return done(request, said, "assessment", assessment_id)


@require_http_methods(["GET", "POST"])
@page(Permission.DETERMINATION_RECORD)
def determine(request: SignedIn, assessment_id: str) -> HttpResponse:
    """Record a determination on an assessment."""
    only(Profile.OFFICE, request.actor)
    row, _ = service.assessment_view(request.actor, assessment_id)
    rule = here().pack.mapping("determination")
    subjects = assessed(row.document) or [i.label for i in scores(row.document)]
    form = DeterminationForm(subjects, posted(request))
    rows = Consultations(posted(request), prefix="consulted")
    valid = request.method == "POST" and rows.is_valid()
    made = (
        submitted(request, form, lambda v: _record(request, assessment_id, v, rows))
        if (valid)
        else None
    )
    if made is not None:
        return done(
            request, "Recorded; its releasable part goes to the lab.", "determination", made.id
        )
    if rows.is_bound and not valid:
        form.add_error(None, "A consultation names an office, what it holds, and the day.")
    context = {
        "title": "Record a determination",
        "kicker": ", ".join(subjects),
        "lede": "It says whether a model meets the designation. It has no effect on a release.",
        "rule": rule["text"],
        "maker": rule["maker"],
        "consulted": rows,
        "intervals": scores(row.document),
        "button": "Record it",
        "back": f"/assessments/{assessment_id}/",
        "trail": [
            ("Assessments", "/assessments/"),
            (_suite_of(row.document), f"/assessments/{assessment_id}/"),
            ("Record a determination", ""),
        ],
        "page_marking": row.marking,
    }
    response = form_page(request, form, context, "pages/assessment_determine.html")
    if request.method == "POST":
        response.status_code = 422
    return response


def _record(request: SignedIn, assessment_id: str, values: dict[str, Any], rows: Any) -> Any:
    consulted = [
        {"office": one["office"], "view": one["view"], "on": one["on"].isoformat()}
        for one in rows.cleaned_data
        if one
    ]
    given = {**values, "threshold": str(values["threshold"])}
    return service.record_determination(request.actor, assessment_id, consulted=consulted, **given)


@require_GET
@page(Permission.ASSESSMENT_READ)
def determination(request: SignedIn, determination_id: str) -> HttpResponse:
    """One determination record."""
    own_side()
    row: Any = engagement_views.determination_view(request.actor, determination_id)
    document = row.document
    consulted = document.get("consulted")
    shown = [c for c in consulted if isinstance(c, dict)] if isinstance(consulted, list) else []
    known = row.assessment
    context = {
        "row": row,
        "outcome": str(document.get("outcome", "?")),
        "subject": str(document.get("subject", "?")),
        "why": str(document.get("why", "")),
        "facts": _record_facts(row),
        "consulted": Table(
            "Consulted",
            ["Office", "What it holds", "On"],
            [[str(c.get(key, "")) for key in ("office", "view", "on")] for c in shown],
            empty="Nobody is named.",
        ),
        "earlier_state": known is not None and known.digest != document.get("made_on"),
        "is_lab": here().profile == Profile.LAB,
        "trail": [("Assessments", "/assessments/"), ("Determination", "")],
        "page_marking": row.marking,
        "watermark": page_watermark(request.actor, determination_id, row.act_id),
    }
    return render(request, "pages/assessment_record.html", context)


def _record_facts(row: Any) -> list[tuple[str, Cell]]:
    document = row.document
    uncertainty = document.get("uncertainty")
    between = (
        f"{uncertainty.get('low')} to {uncertainty.get('high')}"
        if isinstance(uncertainty, dict)
        else ""
    )
    assessment = row.assessment_id
    pairs: list[tuple[str, Cell]] = [
        ("Made by", row.made_by),
        ("Made", moment(document["made_at"]) if _is_time(document.get("made_at")) else row.made_at),
        ("The interval suggests", document.get("suggested")),
        ("Estimate less threshold", document.get("margin")),
        ("Interval", between),
        ("Rule", f"{document.get('rule', '?')} of {document.get('pack', '?')}"),
        ("Threshold, behind a nonce", Code(str(document.get("threshold_digest", "")))),
        ("Made on", Code(str(document.get("made_on", "")))),
        (
            "Assessment",
            Link("the assessment", f"/assessments/{assessment}/") if assessment else None,
        ),
        ("Digest of this record", Code(row.digest)),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value))
