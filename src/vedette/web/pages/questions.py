"""Questions on a field, on either side; and the dossier's extract that goes along with an act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.errors import NotFound
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.services import acts, dossier_states, readiness
from vedette.services import questions as service
from vedette.services.here import here
from vedette.services.sides import only
from vedette.web.access import SignedIn, page
from vedette.web.cells import Link, Table
from vedette.web.pages.forms import done, form_page, moment, posted, submitted
from vedette.web.pages.review_forms import AnswerForm
from vedette.web.pages.reviews import tag
from vedette.web.pages.words import NO_GATE, act_noun, joined
from vedette.web.pages.worksheet import question_part

SHOWN = 500


@require_GET
@page(Permission.ENGAGEMENT_READ)
def questions(request: SignedIn) -> HttpResponse:
    """Questions asked or received, newest first."""
    found = service.browse_questions(request.actor)[:SHOWN]
    rows = list(map(service.rows_for(request.actor, on_page=True), found))
    context = {
        "rows": rows,
        "is_lab": here().profile == Profile.LAB,
        "table": Table(
            "Questions, newest first",
            ["Field", "Model", "With", "State", "Asked"],
            [
                [
                    Link(r["label"], f"/questions/{r['id']}/"),
                    r["model"],
                    r["peer"],
                    tag(r["state"]),
                    moment(r["asked_at"]),
                ]
                for r in rows
            ],
        ),
        "page_marking": joined(str(AMBER), *(r["marking"] for r in rows)),
    }
    return render(request, "pages/questions.html", context)


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_READ)
def question(request: SignedIn, question_id: str) -> HttpResponse:
    """One question beside the field that it is about; the lab answers, declines or leaves it."""
    found = service.question_view(request.actor, question_id, on_page=True)
    lab = here().profile == Profile.LAB
    if request.method == "POST":
        only(Profile.LAB, request.actor)
        request.actor.require(Permission.QUESTION_ANSWER)
    form = AnswerForm(found["moves"], posted(request))
    made = submitted(
        request,
        form,
        lambda v: service.answer(request.actor, question_id, v["answer"], v["text"]),
    )
    if made is not None:
        return done(request, f"The question is {made.state} now.", "question", question_id)
    context = {
        "question": question_part(found),
        "state": tag(found["state"]),
        "is_lab": lab,
        "field": _field(request, found) if lab else None,
        "answers": bool(found["moves"]),
        "note": NO_GATE if lab else "",
        "trail": [("Questions", "/questions/"), (found["label"], "")],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context, "pages/question.html")


def _field(request: SignedIn, found: dict[str, Any]) -> dict[str, Any] | None:
    """The field in the lab's own dossier, for those who may read it."""
    if not request.actor.may(Permission.PLAN_READ):
        return None
    dossier = readiness.dossier(request.actor, found["model"])
    fields = [f for section in dossier["sections"] for f in section["fields"]]
    field = next((f for f in fields if f["id"] == found["field"]), None)
    plans = [p for p in readiness.plans(request.actor) if p["model"] == found["model"]]
    if field is None:
        return None
    url = f"/dossier/{plans[0]['id']}/{found['section']}/" if plans else ""
    return {
        **field,
        "url": url if request.actor.may(Permission.DOSSIER_EDIT) else "",
        "may_send": request.actor.may(Permission.ENGAGEMENT_OFFER),
    }


class ExtractForm(forms.Form):
    """Which fields go along from now on, and why another does not."""

    def __init__(self, sections: list[dict[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows: list[dict[str, Any]] = []
        for field in (f for section in sections for f in section["fields"] if f["crosses"]):
            goes = forms.BooleanField(required=False, label=field["label"])
            why = forms.CharField(
                required=False, max_length=2_000, label=f"Why {field['label']} does not go"
            )
            goes.initial, why.initial = field["goes"], field["why"]
            goes.disabled = not field["value"].strip()
            self.fields[f"goes-{field['id']}"] = goes
            self.fields[f"why-{field['id']}"] = why
            self.rows.append({**field, "empty": goes.disabled})

    def parts(self) -> list[dict[str, Any]]:
        """Each field with its two inputs, for the page."""
        return [
            {**row, "goes": self[f"goes-{row['id']}"], "why": self[f"why-{row['id']}"]}
            for row in self.rows
        ]


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_OFFER)
def extract(request: SignedIn, act_id: str) -> HttpResponse:
    """The lab sends the dossier's chosen fields as they are now."""
    only(Profile.LAB, request.actor)
    found = acts.act_view(request.actor, act_id)
    last = dossier_states.latest(request.actor, act_id)
    dossier = readiness.dossier(request.actor, found["model"])
    for section in dossier["sections"]:
        for field in section["fields"]:
            field["goes"] = field["id"] in last.values
            field["why"] = last.withheld.get(field["id"], "")
            before = last.values.get(field["id"], "")
            field["changed"] = field["goes"] and before != field["value"].strip()
    form = ExtractForm(dossier["sections"], posted(request))
    made = submitted(request, form, lambda v: _send(request, act_id, v))
    if made is not None:
        return done(request, "Sent: the office sees what changed since.", "act", act_id)
    if not form.rows:
        raise NotFound("no field of the form can cross")
    context = {
        "title": "Send the dossier's fields as they are now",
        "kicker": f"{act_noun(found['kind']).capitalize()} for {found['model']}",
        "lede": "What you tick crosses, and nothing else. Why another field does not come is"
        " yours to say or not.",
        "button": "Send it",
        "back": f"/acts/{act_id}/",
        "trail": [
            ("Acts", "/acts/"),
            (act_noun(found["kind"]), f"/acts/{act_id}/"),
            ("Dossier", ""),
        ],
        "note": NO_GATE,
        "page_marking": Marking(),
    }
    return form_page(request, form, context, "pages/dossier_extract.html")


def _send(request: SignedIn, act_id: str, given: dict[str, Any]) -> Any:
    chosen = [k.removeprefix("goes-") for k, v in given.items() if k.startswith("goes-") and v]
    why = {
        k.removeprefix("why-"): v
        for k, v in given.items()
        if k.startswith("why-") and v and k.removeprefix("why-") not in chosen
    }
    return dossier_states.update_dossier(request.actor, act_id, chosen, why)
