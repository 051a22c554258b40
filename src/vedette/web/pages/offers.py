"""Offering one of the three acts: whom, on what basis, for which hours, with which fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from vedette.kernel.classification import Rules
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission, Profile
from vedette.services import acts as views
from vedette.services import engagement, readiness
from vedette.services.here import here
from vedette.services.peers import peers
from vedette.services.sides import only
from vedette.web.access import SignedIn, page
from vedette.web.pages.attachments import files_field, given, may_send, send_along
from vedette.web.pages.forms import (
    UTC_HINT,
    Hour,
    Lines,
    done,
    form_page,
    long_text,
    moment,
    submitted,
)
from vedette.web.pages.partners import read_ties
from vedette.web.pages.words import NO_GATE, act_titles, bases, purposes

PARTNER = ("name", "sector", "small", "criteria", "reason", "conflicts", "ties")


class OfferForm(forms.Form):
    """What every offer has; the fields of its kind are added."""

    peer = forms.ChoiceField(label="To which office")
    text = long_text("Note", "Goes along with the offer.")
    answer_by = Hour(
        label="Answer by",
        required=False,
        help_text=f"An offer without an answer lapses then, and counts as nothing. {UTC_HINT}",
    )

    def __init__(
        self,
        kind: str,
        offices: list[str],
        fields: list[dict[str, Any]],
        *args: Any,
        files: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.fields["peer"] = forms.ChoiceField(
            label="To which office", choices=[(name, name) for name in offices]
        )
        if kind == "access-window":
            self.fields |= _window_fields()
        if kind == "partner-selection":
            self.fields |= _partner_fields()
        choices = [(f["id"], f"{f['label']} ({f['marking']})") for f in fields]
        if choices:
            self.fields["dossier"] = forms.MultipleChoiceField(
                label="Fields of the dossier that go along",
                choices=choices,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                help_text="Only what you name here. The offer's marking follows from it.",
            )
        if files:
            self.fields["files"] = files_field()
        self.fields["declassify"] = _declassify_field()
        last = ["files", "text", "answer_by", "declassify"]
        self.order_fields([*(name for name in self.fields if name not in last), *last])

    def given(self) -> dict[str, Any]:
        """What `offer_act` takes, besides act and model."""
        values = dict(self.cleaned_data)
        values.pop("peer")
        values.pop("files", None)
        values["dossier"] = tuple(values.get("dossier", ()))
        if self.kind == "partner-selection":
            values |= _partners(values)
        return values


def _window_fields() -> dict[str, forms.Field]:
    return {
        "basis": forms.ChoiceField(label="Basis", choices=list(bases().items())),
        "purpose": forms.ChoiceField(
            label="Purpose", choices=list(purposes().items()), widget=forms.RadioSelect
        ),
        "opens": Hour(label="Window opens", help_text=UTC_HINT),
        "closes": Hour(
            label="Window closes", help_text=f"With the partner release at the latest. {UTC_HINT}"
        ),
    }


def _declassify_field() -> forms.Field:
    rules = Rules.of(here().pack)
    known = ", ".join(f"“{text}”" for text in (*rules.events, *rules.longest))
    return forms.CharField(
        label="Declassify on",
        required=False,
        max_length=200,
        help_text="For classified material only: a day as YYYYMMDD, or one of"
        f" {known}. Documents derived from this act carry it.",
    )


def _partner_fields() -> dict[str, forms.Field]:
    rows = here().pack.records("partners", "criteria")
    return {
        "name": forms.CharField(label="Partner", max_length=300),
        "sector": forms.CharField(label="Sector", max_length=100, required=False),
        "criteria": forms.MultipleChoiceField(
            label="Named because it",
            choices=[(row["id"], str(row["text"])) for row in rows],
            widget=forms.CheckboxSelectMultiple,
        ),
        "small": forms.BooleanField(label="A small operator", required=False),
        "reason": long_text("Why this partner", rows=2),
        "conflicts": long_text("Conflicts of interest", rows=2),
        "ties": Lines(
            label="Ties that both sides should know",
            required=False,
            max_length=25_000,
            help_text="One a line, such as “shares-people: one of our founders sits on its board”.",
        ),
        "more": Lines(
            label="Further partners",
            required=False,
            max_length=65_536,
            help_text="One a line: name; sector; small, where it is a small operator. They are"
            " named for the same reasons, and each is agreed on by itself.",
        ),
    }


def _partners(values: dict[str, Any]) -> dict[str, Any]:
    """The partner of the form, or all of them where further ones are named; takes its fields."""
    more = values.pop("more")
    one = {name: values.pop(name) for name in PARTNER}
    one["ties"] = read_ties(one["ties"])
    if not more:
        return {"partner": one}
    rows = [one]
    for line in more:
        name, _, rest = line.partition(";")
        sector, _, size = rest.partition(";")
        rows.append(
            {
                "name": name.strip(),
                "sector": sector.strip(),
                "small": size.strip().lower() in ("small", "yes"),
                "criteria": one["criteria"],
            }
        )
    return {"partners": rows}


def offices_of(request: SignedIn) -> list[str]:
    """Names of the offices whose keys are known here."""
    return [p["name"] for p in peers(request.actor) if p["profile"] == str(Profile.OFFICE)]


def crossing_fields(request: SignedIn, model: str) -> list[dict[str, Any]]:
    """The filled fields of a model's dossier that can cross."""
    found = readiness.dossier(request.actor, model)
    fields = [field for section in found["sections"] for field in section["fields"]]
    return [field for field in fields if field["crosses"] and field["value"].strip()]


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_OFFER)
def offer(request: SignedIn, plan_id: str, kind: str) -> HttpResponse:
    """Offer one act for a planned model."""
    plan = readiness.plan(request.actor, plan_id)
    if kind not in act_titles():
        raise NotFound("no such act")
    window = {"opens": moment(plan["window"]["opens"]), "closes": moment(plan["window"]["closes"])}
    fields = crossing_fields(request, plan["model"])
    form = OfferForm(
        kind,
        offices_of(request),
        fields,
        *given(request),
        files=may_send(request),
        initial=window,
    )
    made = submitted(
        request,
        form,
        lambda v: engagement.offer_act(
            request.actor, v["peer"], kind, plan["model"], **form.given()
        ),
    )
    if made is not None:
        send_along(request, form, made.peer_id, made)
        return done(
            request, "Offered. The office is told, and may take it or leave it.", "act", made.id
        )
    return _page(request, form, kind, plan["model"], f"/acts/?plan={plan_id}")


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_OFFER)
def again(request: SignedIn, act_id: str) -> HttpResponse:
    """Offer an act that is over once more, as a new act."""
    only(Profile.LAB, request.actor)
    old = views.act_view(request.actor, act_id)
    fields = crossing_fields(request, old["model"])
    form = OfferForm(
        old["kind"],
        offices_of(request),
        fields,
        *given(request),
        files=may_send(request),
        initial=_initial(old),
    )
    made = submitted(
        request, form, lambda v: engagement.offer_again(request.actor, act_id, **form.given())
    )
    if made is not None:
        send_along(request, form, made.peer_id, made)
        return done(request, "Offered again, as an act of its own.", "act", made.id)
    return _page(request, form, old["kind"], old["model"], f"/acts/{act_id}/")


def _initial(old: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "peer": old["peer"],
        "text": old["note"],
        "declassify": old["declassify"],
        "basis": old["basis"],
        "purpose": old["purpose"],
        "opens": moment(old["opens"]),
        "closes": moment(old["closes"]),
        "dossier": list(old["dossier"]),
        **_named(old["partners"]),
    }


def _named(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        return {}
    first = {name: rows[0].get(name) for name in PARTNER if name != "ties"}
    ties = [f"{c['kind']}: {c['text']}" for c in rows[0]["concerns"] if c["by"] == "lab"]
    more = [f"{r['name']}; {r['sector']}{'; small' if r['small'] else ''}" for r in rows[1:]]
    return {**first, "ties": "\n".join(ties), "more": "\n".join(more)}


def _page(request: SignedIn, form: OfferForm, kind: str, model: str, back: str) -> HttpResponse:
    now = here().clock.now()
    days = here().pack.integer("engagement", "answer_days")
    context = {
        "title": act_titles()[kind],
        "kicker": model,
        "lede": NO_GATE,
        "button": "Send the offer",
        "back": back,
        "offices": offices_of(request),
        "lapses": now + timedelta(days=days),
        "has_dossier": "dossier" in form.fields,
        "trail": [("Acts", "/acts/"), ("Offer", "")],
        "page_marking": "TLP:RED",
    }
    return form_page(request, form, context, "pages/act_offer.html")
