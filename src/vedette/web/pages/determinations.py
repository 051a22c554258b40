"""Determinations: recorded by the office on an assessment, read on both sides."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.bench.determination import Outcome
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission, Profile
from vedette.services import assessments as service
from vedette.services import custody_views, determination_bases, engagement_views, review_views
from vedette.services.document_kinds import determination_sources
from vedette.services.documents import page_watermark
from vedette.services.here import here
from vedette.services.sides import only, own_side
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Link, Table
from vedette.web.pages.assessments import assessed, scores, suite_of
from vedette.web.pages.custody import WhyForm
from vedette.web.pages.forms import done, form_page, long_text, moment, posted, submitted
from vedette.web.pages.holds import SECONDED
from vedette.web.pages.labels import as_file

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
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="A share from 0 to 1, such as 0.25; left empty, the one that the run committed"
        " to. It crosses to nobody: outside, a digest"
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
    review = forms.ChoiceField(
        label="Review that it rests on",
        required=False,
        help_text="Its offices and what they hold enter the record; their reasons do not cross.",
    )
    earlier = forms.ChoiceField(
        label="Determination that it re-tests",
        required=False,
        help_text="The earlier one stays; what changed since stands beside this one.",
    )
    build = forms.CharField(
        label="Build",
        max_length=200,
        required=False,
        help_text="Where empty, the one that the session names.",
    )

    def __init__(
        self,
        subjects: list[str],
        reviews: list[tuple[str, str]],
        earlier: list[tuple[str, str]],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("review", reviews), ("earlier", earlier)):
            self.fields[name].choices = [("", "none"), *choices]  # type: ignore[attr-defined]
        self.fields["subject"].choices = [(name, name) for name in subjects]  # type: ignore[attr-defined]
        self.fields["why"].required = True


@require_http_methods(["GET", "POST"])
@page(Permission.DETERMINATION_RECORD)
def determine(request: SignedIn, assessment_id: str) -> HttpResponse:
    """Record a determination on an assessment."""
    only(Profile.OFFICE, request.actor)
    row, _ = service.assessment_view(request.actor, assessment_id)
    rule = here().pack.mapping("determination")
    subjects = assessed(row.document) or [i.label for i in scores(row.document)]
    form = DeterminationForm(subjects, *_bases(request, row), posted(request))
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
            (suite_of(row.document), f"/assessments/{assessment_id}/"),
            ("Record a determination", ""),
        ],
        "page_marking": row.marking,
    }
    response = form_page(request, form, context, "pages/assessment_determine.html")
    if request.method == "POST":
        response.status_code = 422
    return response


def _bases(request: SignedIn, row: Any) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The reviews that a determination can rest on, and the determinations it can re-test."""
    model = row.act.model if row.act else ""
    may = request.actor.may(Permission.REVIEW_READ)
    found = review_views.reviews(request.actor) if may else []
    before = engagement_views.determinations(request.actor)
    return (
        [
            (r["id"], f"{r['kind'].replace('-', ' ')}, {r['state']}, opened {r['opened_at'][:10]}")
            for r in found
            if r["model"] == model
        ],
        [
            (d.id, f"{d.document.get('outcome', '?')}, {d.made_at:%Y-%m-%d %H:%M}, {d.made_by}")
            for d in before
            if (d.act.model if d.act else "") == model
        ],
    )


def _record(request: SignedIn, assessment_id: str, values: dict[str, Any], rows: Any) -> Any:
    consulted = [
        {"office": one["office"], "view": one["view"], "on": one["on"].isoformat()}
        for one in rows.cleaned_data
        if one
    ]
    threshold = values["threshold"]
    given = {**values, "threshold": "" if threshold is None else str(threshold)}
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
    basis = determination_bases.basis_view(request.actor, determination_id)
    may_know = bool(row.sealed_threshold) and request.actor.may(Permission.DETERMINATION_RECORD)
    context = {
        "row": row,
        "outcome": str(document.get("outcome", "?")),
        "subject": str(document.get("subject", "?")),
        "why": str(document.get("why", "")),
        "facts": _record_facts(row),
        "consulted": Table(
            "Consulted",
            ["Office", "What it holds", "On"],
            [
                [
                    str(c.get("office", "")),
                    ": ".join(str(c[key]) for key in ("view", "reasons") if c.get(key)),
                    str(c.get("on", "")),
                ]
                for c in shown
            ],
            empty="Nobody is named.",
        ),
        "basis": basis,
        "may_open": may_know,
        "margins": service.open_margins(request.actor, determination_id) if may_know else (),
        "is_lab": here().profile == Profile.LAB,
        "trail": [("Assessments", "/assessments/"), ("Determination", "")],
        "page_marking": row.marking,
        "page_sources": determination_sources(row),
        "watermark": page_watermark(request.actor, determination_id, row.act_id),
    }
    return render(request, "pages/assessment_record.html", context)


@require_http_methods(["GET", "POST"])
@page(Permission.DETERMINATION_RECORD)
def threshold(request: SignedIn, determination_id: str) -> HttpResponse:
    """Ask to open the threshold behind a determination's commitment; a second person does it."""
    row: Any = engagement_views.determination_view(request.actor, determination_id)
    back = f"/determinations/{determination_id}/"
    if not row.sealed_threshold:
        raise NotFound("no threshold is sealed here")
    form = WhyForm(posted(request))
    take = partial(custody_views.ask_threshold, request.actor, determination_id)
    made = submitted(request, form, lambda v: take(v["why"]))
    if custody_views.waits(made):
        return done(request, SECONDED, "seconds")
    if made is not None:
        return as_file(f"{determination_id}.threshold.json", made)
    title = "Open the sealed threshold"
    context = {
        "title": title,
        "kicker": str(row.document.get("subject", "?")),
        "lede": "It is shown, with its nonce, to the two who asked for it. With both, anybody can"
        " check that this record was made under no other threshold.",
        "button": title,
        "back": back,
        "trail": [("Assessments", "/assessments/"), ("Determination", back), (title, "")],
        "page_marking": row.marking,
    }
    return form_page(request, form, context)


def _record_facts(row: Any) -> list[tuple[str, Cell]]:
    document = row.document
    uncertainty = document.get("uncertainty")
    known = uncertainty if isinstance(uncertainty, dict) else {}
    between = f"{known['low']} to {known['high']}" if {"low", "high"} <= set(known) else ""
    size = f"{known.get('n')}, worth {known.get('n_effective')}" if "n" in known else ""
    assessment = row.assessment_id
    pairs: list[tuple[str, Cell]] = [
        ("Made by", row.made_by),
        ("Made", moment(document["made_at"]) if _is_time(document.get("made_at")) else row.made_at),
        ("The interval suggests", document.get("suggested")),
        ("Margin", _text(document.get("margin"))),
        ("Interval", between),
        ("Samples", size),
        ("How the interval is made", _text(known.get("method"))),
        ("Build", _text(document.get("build"))),
        ("Beside what the run committed to", _departs(document)),
        ("Rule", f"{document.get('rule', '?')} of {document.get('pack', '?')}"),
        (
            "Threshold, behind a nonce",
            Code(str(document["threshold_digest"])) if document.get("threshold_digest") else None,
        ),
        ("Made on", Code(str(document.get("made_on", "")))),
        (
            "Assessment",
            Link("the assessment", f"/assessments/{assessment}/") if assessment else None,
        ),
        ("Digest of this record", Code(row.digest)),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]


def _departs(document: dict[str, Any]) -> str:
    departs = document.get("departs")
    if not isinstance(departs, list):
        return ""
    said = "; ".join(str(each) for each in departs[:10])
    return said or "under the rule and the threshold that were committed to"


def _text(value: Any) -> str:
    """What a document says, where it is text."""
    return value[:300] if isinstance(value, str) else ""


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value))
