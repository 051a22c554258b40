"""Assessments and determinations: made and shared by the office, received by the lab.

A received document is another instance's: it is read with care, and shown as text where it is not
of the expected form.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from vedette.formats.assessment_content import uplift_words
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.services import assessment_reports as reports
from vedette.services import assessments as service
from vedette.services import engagement_views
from vedette.services.document_kinds import sources_of
from vedette.services.documents import page_watermark
from vedette.services.here import here
from vedette.services.run_commitments import told_before
from vedette.services.sides import own_side
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Column, Interval, Link, State, Table
from vedette.web.pages.forms import done
from vedette.web.pages.words import joined

# the report brings its own styles, in a sheet and on the parts of its plot; nothing else runs
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)


@require_GET
@page(Permission.ASSESSMENT_READ)
def assessments(request: SignedIn) -> HttpResponse:
    """Assessments and determinations, newest first."""
    own_side()
    rows = service.listed_assessments(request.actor)
    records = engagement_views.listed_determinations(request.actor)
    context = {
        "rows": rows,
        "records": records,
        "table": Table(
            "Assessments",
            ["Suite", "Subjects", "Made", "Shared", "Marking"],
            [_row(*each) for each in rows],
        ),
        "determinations": Table(
            "Determinations",
            ["Subject", "Outcome", "Made by", "Recorded"],
            [_record(*each) for each in records],
        ),
        "is_lab": here().profile == Profile.LAB,
        "page_marking": joined(
            str(AMBER),
            *(row.marking for row, _ in rows),
            *(row.marking for row, _ in records),
        ),
    }
    return render(request, "pages/assessments.html", context)


def _row(row: Any, unread: str) -> list[Cell]:
    if unread:
        return [unread, "", row.made_at, row.shared_at, Marking.parse(row.marking)]
    return [
        Link(suite_of(row.document), f"/assessments/{row.id}/"),
        ", ".join(assessed(row.document)) or "references",
        row.made_at,
        row.shared_at,
        Marking.parse(row.marking),
    ]


def _record(row: Any, unread: str) -> list[Cell]:
    if unread:
        return [unread, "", row.made_by, row.made_at]
    subject = Link(str(row.document.get("subject", "?")), f"/determinations/{row.id}/")
    return [subject, str(row.document.get("outcome", "?")), row.made_by, row.made_at]


def suite_of(document: dict[str, Any]) -> str:
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
    count += f", mean score {float(score['partial']['estimate']):.2f}" if "partial" in score else ""
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
        "uplift": _uplift(document),
        "families": _families(document),
        "limits": _texts(document.get("limits")),
        "facts": _facts(row, told_before(actor, row.document)),
        "raw": "" if scores(document) else json.dumps(document, indent=1, ensure_ascii=False),
        "records": [
            (r, State(str(r.document.get("outcome", "?")), "done"), f"/determinations/{r.id}/")
            for r in records
        ],
        "mine": mine,
        "reports": _reports(row.id) if mine and service.leaves_pages(actor, row) else None,
        "may_share": mine and row.act_id and actor.may(Permission.ASSESSMENT_MAKE),
        "may_determine": mine and actor.may(Permission.DETERMINATION_RECORD),
        "trail": [("Assessments", "/assessments/"), (suite_of(document), "")],
        "page_marking": row.marking,
        "page_sources": sources_of(row),
        "watermark": page_watermark(actor, assessment_id, row.act_id),
    }
    return render(request, "pages/assessment.html", context)


READERS = {
    "office": "The office, whole",
    "lab": "The lab: nothing that tells an item that is not public",
    "operators": "Operators: scores, uplift, isolation and limits",
}
FORMS = {
    "html": "page",
    "pdf": "PDF",
    "json": "JSON",
    "intoto": "signed statement",
    "eval": "Inspect logs",
}


def _reports(assessment_id: str) -> list[tuple[str, list[Link]]]:
    """For each reader the report in each form."""
    at = f"/assessments/{assessment_id}/report/"
    return [
        (
            words,
            [
                Link(label, f"{at}?for={whom}&as={form}", download=form != "html")
                for form, label in FORMS.items()
            ],
        )
        for whom, words in READERS.items()
    ]


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


def _uplift(document: dict[str, Any]) -> list[str]:
    """What each assessed subject solved over the best conventional tool, in words."""
    try:
        return [
            f"{s['name']}: {uplift_words(s['uplift'])}"
            for s in document["subjects"]
            if s.get("uplift")
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


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


def _facts(row: Any, told: str) -> list[tuple[str, Cell]]:
    document = row.document
    isolation = document.get("isolation")
    pairs: list[tuple[str, Cell]] = [
        ("Suite", suite_of(document)),
        ("Made", row.made_at),
        ("Made by", row.made_by),
        ("Shared with the lab", row.shared_at),
        ("Trials an item", str(document.get("trials", ""))),
    ]
    if isinstance(isolation, dict):
        pairs += [(f"Isolation: {k}".replace("_", " "), str(v)) for k, v in isolation.items()]
    custody = document.get("custody")
    if isinstance(custody, dict):
        pairs += [
            ("Custody", str(custody.get("title", ""))),
            ("Items were seen by", str(custody.get("items_seen_by", ""))),
            ("Weights were seen by", str(custody.get("weights_seen_by", ""))),
        ]
    pairs += [
        ("That commitment", told),
        ("Committed before the first sample", Code(str(document.get("commitment_digest", "")))),
        ("Result digest", Code(str(document.get("result_digest", "")))),
        ("Digest of this document", Code(row.digest)),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]


@require_GET
@page(Permission.ASSESSMENT_READ)
def report(request: SignedIn, assessment_id: str) -> HttpResponse:
    """The report for a reader, as a page that can load nothing and run nothing, or as a file."""
    row, _ = service.assessment_view(request.actor, assessment_id)
    stamp = page_watermark(request.actor, assessment_id, row.act_id)
    whom, form = request.GET.get("for", "office"), request.GET.get("as", "html")
    made = reports.report(request.actor, assessment_id, audience=whom, form=form, stamp=stamp)
    response = HttpResponse(made.data, content_type=made.content_type)
    response.headers["Content-Security-Policy"] = REPORT_POLICY
    if form != "html":
        response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return response


@require_POST
@page(Permission.ASSESSMENT_MAKE)
def share(request: SignedIn, assessment_id: str) -> HttpResponse:
    """Send the releasable summary to the lab."""
    service.share_assessment(request.actor, assessment_id)
    said = "Shared: the summary goes to the lab, without any item's text."
    return done(request, said, "assessment", assessment_id)
