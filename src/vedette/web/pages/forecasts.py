"""The office's forecast of a window: how likely what is left brings a determination."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.bench.planner import MOST_AMOUNT
from vedette.kernel.permissions import Permission
from vedette.kernel.words import counted
from vedette.services import forecasts as service
from vedette.services.acts import act_view
from vedette.services.documents import page_watermark
from vedette.services.suites import suites
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Interval
from vedette.web.pages.forms import done, form_page, posted, submitted
from vedette.web.pages.words import joined

BINDS = {
    "items": "the items",
    "exposures": "the exposures",
    "tokens": "the tokens",
    "days": "the days",
}


class ForecastForm(forms.Form):
    """What a person expects, and what a sample takes."""

    suite = forms.ChoiceField(label="Suite")
    threshold = forms.DecimalField(
        label="Threshold",
        min_value=0,
        max_value=1,
        help_text="A share. Kept sealed here, and shown to nobody.",
    )
    expected = forms.FloatField(
        label="Expected share of items solved",
        min_value=0.001,
        max_value=0.999,
        initial=0.5,
        help_text="Before any sample; what is taken already is counted besides.",
    )
    spread = forms.FloatField(
        label="How unsure",
        min_value=0.01,
        max_value=5,
        initial=1,
        help_text="As a standard deviation of log odds: 1 is unsure, 0.3 rather sure.",
    )
    trials = forms.IntegerField(label="Trials an item", min_value=1, max_value=100, initial=1)
    per_day = forms.FloatField(label="Samples a day", min_value=0.01, initial=40)
    tokens_each = forms.IntegerField(
        label="Tokens a sample", min_value=1, max_value=MOST_AMOUNT, initial=30_000
    )
    exposures = forms.IntegerField(
        label="Items that may still be shown",
        min_value=0,
        required=False,
        help_text="Left empty, all of the suite's.",
    )
    seed = forms.IntegerField(label="Seed", min_value=0, max_value=2**31 - 1, initial=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(s.name, f"{s.title} ({len(s.items)} items)") for s in suites()]
        self.fields["suite"].choices = known  # type: ignore[attr-defined]

    def given(self) -> service.Given:
        names = ("expected", "per_day", "tokens_each", "spread", "trials", "exposures", "seed")
        return service.Given(**{name: self.cleaned_data[name] for name in names})


@require_GET
@page(Permission.DETERMINATION_RECORD)
def forecast(request: SignedIn, act_id: str) -> HttpResponse:
    """The chance with what is left, against what is spent, and day by day."""
    found = act_view(request.actor, act_id)
    planned = service.forecasts_of(request.actor, act_id)
    context = {
        "act": found,
        "planned": [_shown(each) for each in planned],
        "may_plan": found["window"] in service.LIVE,
        "trail": [*_trail(found), ("Forecast", "")],
        "page_marking": joined(found["marking"], *(each.row.marking for each in planned)),
        "watermark": page_watermark(request.actor, act_id, act_id),
    }
    return render(request, "pages/forecast.html", context)


def _trail(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [("Acts", "/acts/"), (found["model"], f"/acts/{found['id']}/")]


def _shown(planned: service.Planned) -> dict[str, Any]:
    points, last = planned.curve["points"], planned.curve["points"][-1]
    return {
        "row": planned.row,
        "day": service.day_of(planned),
        "curve": [_interval(_words(point), point["determination"]) for point in points],
        "days": [_interval(day["at"], day["determination"]) for day in planned.days[-30:]],
        "facts": _facts(planned, last),
    }


def _interval(label: str, chance: dict[str, str]) -> Interval:
    return Interval(label, float(chance["chance"]), float(chance["low"]), float(chance["high"]))


def _words(point: dict[str, Any]) -> str:
    if not point["items"]:
        return "nothing more"
    days = f", {float(point['days']):.1f} days" if point["days"] else ""
    return f"{counted(point['items'], 'item')}, {point['tokens']:,} tokens{days}"


def _facts(planned: service.Planned, last: dict[str, Any]) -> list[tuple[str, Cell]]:
    left = planned.curve["left"]
    pairs: list[tuple[str, Cell]] = [
        ("Suite", planned.row.suite),
        ("Meets, with all that is left", f"{float(last['meets']['chance']):.0%}"),
        ("Does not meet", f"{float(last['does_not_meet']['chance']):.0%}"),
        ("Insufficient evidence", f"{float(last['insufficient']['chance']):.0%}"),
        ("What runs out first", BINDS[planned.curve["binds"]]),
        ("Expected share now", f"{float(planned.curve['expected_share']):.0%}"),
        ("Samples taken", planned.curve["samples_taken"]),
        ("Items without a sample", left["items"]),
        ("Days left", left["days"]),
        ("Tokens left", f"{left['tokens']:,}" if left["tokens"] is not None else None),
        ("Exposures left", left["exposures"]),
        ("Futures drawn", planned.curve["draws"]),
        ("Planned by", planned.row.made_by),
        ("Over since", planned.row.ended_at),
    ]
    return [(label, value) for label, value in pairs if value is not None]


@require_http_methods(["GET", "POST"])
@page(Permission.DETERMINATION_RECORD)
def new(request: SignedIn, act_id: str) -> HttpResponse:
    """Plan a window on a suite."""
    found = act_view(request.actor, act_id)
    form = ForecastForm(posted(request))
    made = submitted(
        request,
        form,
        lambda v: service.plan_window(
            request.actor,
            act_id,
            v["suite"],
            threshold=str(v["threshold"]),
            given=form.given(),
        ),
    )
    if made is not None:
        return done(request, "Planned; it is planned anew each day.", "forecast", act_id)
    context = {
        "title": "Plan what is left of this window",
        "lede": "Futures are drawn and judged by the rule that a determination is made by.",
        "button": "Plan",
        "back": f"/acts/{act_id}/forecast/",
        "trail": [*_trail(found), ("Forecast", f"/acts/{act_id}/forecast/"), ("Plan", "")],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)
