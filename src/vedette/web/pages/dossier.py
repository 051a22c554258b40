"""The lab's dossier on a model: the pack's form, one section a page; what of it may cross."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.errors import NotFound
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.permissions import Permission
from vedette.readiness.dossier import LIMITS, lines_of
from vedette.services import readiness
from vedette.services.questions import browse_questions, question_row
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Link, Table
from vedette.web.pages.forms import done, form_page, moment, posted, submitted
from vedette.web.pages.words import joined, shortened
from vedette.web.pages.worksheet import question_part
from vedette.web.templatetags.vedette import marking

GOES = "goes along with an offer only where you name it"
STAYS = "stays here"


class SectionForm(forms.Form):
    """The fields of one section, made from the pack's."""

    def __init__(self, section: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in section["fields"]:
            made = _field(field)
            made.label, made.required = field["label"], False
            tag = render_to_string("components/marking.html", marking(field["marking"]))
            goes = GOES if field["crosses"] else STAYS
            made.help_text = format_html("{}<br>{} {}", field["help"], tag, goes)
            made.initial = (
                lines_of(field["value"]) if field["type"] == "choices" else field["value"]
            )
            self.fields[field["id"]] = made


def _field(field: dict[str, Any]) -> forms.Field:
    kind, limit = field["type"], LIMITS[field["type"]]
    options = [(option, option) for option in field["options"]]
    if kind == "choices":
        return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple)
    if kind == "choice":
        return forms.ChoiceField(choices=[("", "not stated"), *options])
    widgets: dict[str, forms.Widget] = {
        "paragraph": forms.Textarea(attrs={"rows": 5}),
        "list": forms.Textarea(attrs={"rows": 5}),
        "date": forms.DateInput(attrs={"type": "date"}),
    }
    return forms.CharField(max_length=limit, widget=widgets.get(kind, forms.TextInput()))


def texts_of(values: dict[str, Any]) -> dict[str, str]:
    """What a form gives, as the dossier keeps it: text, a list one entry a line."""
    return {k: "\n".join(v) if isinstance(v, list) else str(v) for k, v in values.items()}


@require_GET
@page(Permission.PLAN_READ)
def dossiers(request: SignedIn) -> HttpResponse:
    """The dossiers of the planned models; straight to it where there is one."""
    plans = readiness.plans(request.actor)
    if len(plans) == 1:
        return redirect("dossier", plans[0]["id"])
    rows: list[list[Cell]] = []
    for row in plans:
        found = readiness.dossier(request.actor, row["model"])
        count = f"{found['filled']} of {found['total']}"
        rows.append(
            [Link(row["model"], f"/dossier/{row['id']}/"), count, moment(found["filled_at"])]
        )
    context = {
        "table": Table("Dossiers", ["Model", "Filled", "Last changed"], rows),
        "rows": rows,
        "may_plan": request.actor.may(Permission.PLAN_EDIT),
        "page_marking": AMBER,
    }
    return render(request, "pages/dossiers.html", context)


@require_GET
@page(Permission.PLAN_READ)
def dossier(request: SignedIn, plan_id: str) -> HttpResponse:
    """One dossier: sections, what is filled, what may cross."""
    plan = readiness.plan(request.actor, plan_id)
    found = readiness.dossier(request.actor, plan["model"])
    sections = [
        {**section, "table": _table(section), "url": f"/dossier/{plan_id}/{section['id']}/"}
        for section in found["sections"]
    ]
    filled = [f for section in found["sections"] for f in section["fields"] if f["value"].strip()]
    context = {
        "plan": plan,
        "dossier": found,
        "filled_at": moment(found["filled_at"]),
        "sections": sections,
        "crossing": sum(field["crosses"] for field in filled),
        "staying": sum(not field["crosses"] for field in filled),
        "may_edit": request.actor.may(Permission.DOSSIER_EDIT),
        "questions": _questions(request, plan["model"]),
        "trail": [("Dossiers", "/dossier/"), (plan["model"], "")],
        "page_marking": marking_of(filled),
    }
    return render(request, "pages/dossier.html", context)


def _questions(request: SignedIn, model: str, section: str = "") -> list[dict[str, Any]]:
    """What offices ask on the fields of a dossier, or of one section."""
    if not request.actor.may(Permission.ENGAGEMENT_READ):
        return []
    rows = [question_row(row) for row in browse_questions(request.actor, model=model)[:500]]
    return [question_part(row) for row in rows if section in ("", row["section"])]


def marking_of(fields: list[dict[str, Any]]) -> Marking:
    """The marking of a page that shows these fields."""
    return joined(str(AMBER), *(field["marking"] for field in fields))


def _table(section: dict[str, Any]) -> Table:
    rows = [
        [
            field["label"],
            shortened("; ".join(lines_of(field["value"])), 160),
            Marking.parse(field["marking"]),
            "can cross" if field["crosses"] else STAYS,
        ]
        for field in section["fields"]
    ]
    return Table(section["title"], ["Field", "What it says", "Marking", "Crossing"], rows)


@require_http_methods(["GET", "POST"])
@page(Permission.DOSSIER_EDIT)
def section(request: SignedIn, plan_id: str, section_id: str) -> HttpResponse:
    """Fill one section."""
    plan = readiness.plan(request.actor, plan_id)
    found = readiness.dossier(request.actor, plan["model"])
    names = [s["id"] for s in found["sections"]]
    if section_id not in names:
        raise NotFound(f"the form has no section {section_id[:40]!r}")
    place = names.index(section_id)
    here, after = found["sections"][place], found["sections"][place + 1 : place + 2]
    form = SectionForm(here, posted(request))
    made = submitted(
        request,
        form,
        lambda v: readiness.fill_dossier(request.actor, plan["model"], texts_of(v)),
    )
    if made is not None and after and "on" in request.POST:
        return done(
            request, f"“{here['title']}” is kept.", "dossier-section", plan_id, after[0]["id"]
        )
    if made is not None:
        return done(request, f"“{here['title']}” is kept.", "dossier", plan_id)
    context = {
        "title": here["title"],
        "kicker": f"Section {place + 1} of {len(names)}",
        "lede": "No field is compulsory, and nothing waits for one.",
        "button": "Keep this section",
        "following": after[0]["title"] if after else "",
        "questions": _questions(request, plan["model"], section_id),
        "back": f"/dossier/{plan_id}/",
        "trail": [
            ("Dossiers", "/dossier/"),
            (plan["model"], f"/dossier/{plan_id}/"),
            (here["title"], ""),
        ],
        "page_marking": marking_of(here["fields"]),
    }
    return form_page(request, form, context, "pages/dossier_section.html")
