"""The lab's release plan: its dates, the steps before them, every change and its reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.clock import written
from vedette.kernel.permissions import Permission
from vedette.readiness.calendar import to_ics
from vedette.readiness.plan import make_plan as planned
from vedette.services import readiness
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Kind, Link, Step, Table
from vedette.web.pages.forms import (
    UTC_HINT,
    Hour,
    done,
    form_page,
    long_text,
    moment,
    posted,
    submitted,
)
from vedette.web.pages.words import state

MARKING = "TLP:RED"
WHOSE = "Yours alone: it never leaves this instance, and nothing that arrives can change it."


class PlanForm(forms.Form):
    """The dates of one model's release."""

    model = forms.CharField(
        max_length=200, label="Model", help_text="The name under which the parties speak of it."
    )
    partner_release = Hour(
        label="Release to trusted partners", help_text=f"It ends an access window. {UTC_HINT}"
    )
    public_release = Hour(label="Release to the public", help_text=UTC_HINT, required=False)
    window_days = forms.IntegerField(
        label="Length of the access window, in days",
        min_value=1,
        required=False,
        help_text="Empty: as long as the policy pack's basis allows.",
    )
    reason = long_text("Why", "For your own change log.", limit=1_000, rows=2)


@require_GET
@page(Permission.PLAN_READ)
def plans(request: SignedIn) -> HttpResponse:
    """Every plan of the lab."""
    rows = [
        [
            Link(row["model"], f"/plan/{row['id']}/"),
            moment(row["partner_release"]),
            moment(row["public_release"]),
        ]
        for row in readiness.plans(request.actor)
    ]
    table = Table("Plans", ["Model", "Partner release", "Public release"], rows)
    context = {
        "table": table,
        "rows": rows,
        "page_marking": MARKING,
        "whose": WHOSE,
        "may_plan": request.actor.may(Permission.PLAN_EDIT),
    }
    return render(request, "pages/plans.html", context)


@require_GET
@page(Permission.PLAN_READ)
def plan(request: SignedIn, plan_id: str) -> HttpResponse:
    """One plan: dates, steps, picture, change log."""
    found = readiness.plan(request.actor, plan_id)
    now = here().clock.now()
    steps = [
        (s["name"], moment(s["latest_start"]) or now, moment(s["due"]) or now)
        for s in found["steps"]
    ]
    context = {
        "plan": found,
        "dates": dates_of(found),
        "picture": _picture(found, steps, now),
        "changes": Table("Changes of the dates", ["When", "Who", "What", "Why"], _changes(found)),
        "decisions": Table(
            "The three acts",
            ["Act", "Clause", "Your decision"],
            [
                [
                    Link(row["title"], f"/acts/?plan={plan_id}"),
                    row["clause"],
                    state("choice", row["standing"]["choice"]) if row["standing"] else "undecided",
                ]
                for row in found["decisions"]
            ],
        ),
        "trail": [("Plans", "/plan/"), (found["model"], "")],
        "page_marking": MARKING,
        "whose": WHOSE,
        "may_edit": request.actor.may(Permission.PLAN_EDIT),
    }
    return render(request, "pages/plan.html", context)


def dates_of(found: dict[str, Any]) -> list[tuple[str, datetime | None]]:
    """A plan's dates in their order."""
    return [
        ("Window opens, if you offer one", moment(found["window"]["opens"])),
        ("Release to trusted partners", moment(found["partner_release"])),
        ("Release to the public", moment(found["public_release"])),
    ]


def coming_steps(found: dict[str, Any], now: datetime, limit: int = 4) -> list[Step]:
    """The plan's next steps that are not past their day, soonest due first."""
    rows = [(s["name"], moment(s["latest_start"]), moment(s["due"])) for s in found["steps"]]
    coming = sorted((due, name, start) for name, start, due in rows if due and start and due >= now)
    return [_step(name, start, due, now) for due, name, start in coming[:limit]]


def _step(name: str, start: datetime, due: datetime, now: datetime) -> Step:
    kind: Kind = "active" if start <= now else "idle"
    return Step(name, kind, due, f"Start by {written(start)}." if start != due else "")


def _picture(
    found: dict[str, Any], steps: list[tuple[str, datetime, datetime]], now: datetime
) -> dict[str, Any]:
    """Bars of the steps, and the window behind them, in percent of the time shown."""
    times = [time for _, start, due in steps for time in (start, due)]
    first, last = min(times), max(times)
    span = (last - first).total_seconds() or 1.0

    def at(time: datetime) -> float:
        return 100 * (time - first).total_seconds() / span

    def bar(start: datetime, end: datetime) -> dict[str, str]:
        return {"x": f"{at(start):.1f}", "width": f"{max(at(end) - at(start), 0.8):.1f}"}

    opens, closes = (moment(found["window"][key]) or now for key in ("opens", "closes"))
    return {
        "rows": [
            {"name": name, "start": start, "due": due, **bar(start, due)}
            for name, start, due in steps
        ],
        "window": bar(opens, closes),
        "now": f"{at(now):.1f}" if first <= now <= last else "",
        "first": written(first.date()),
        "last": written(last.date()),
    }


def _changes(found: dict[str, Any]) -> list[list[Any]]:
    return [
        [moment(c["at"]), c["by"], _difference(c["before"], c["after"]), c["reason"]]
        for c in reversed(found["changes"])
    ]


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    if not before:
        return "made"
    words = {
        "partner_release": "partner release",
        "public_release": "public release",
        "window_days": "window days",
    }
    return "; ".join(
        f"{words[key]}: {_value(before.get(key))} → {_value(after.get(key))}"
        for key in words
        if before.get(key) != after.get(key)
    )


def _value(value: Any) -> str:
    if value is None:
        return "none"
    time = moment(value) if isinstance(value, str) else None
    return written(time) if time else str(value)


@require_http_methods(["GET", "POST"])
@page(Permission.PLAN_EDIT)
def new(request: SignedIn) -> HttpResponse:
    """Make a plan."""
    form = PlanForm(posted(request))
    made = submitted(request, form, lambda v: readiness.make_plan(request.actor, **v))
    if made is not None:
        return done(
            request, "The plan is made. The steps below follow from its dates.", "plan", made.id
        )
    readiness.plans(request.actor)
    context = {
        "title": "Make a release plan",
        "lede": WHOSE,
        "button": "Make the plan",
        "trail": [("Plans", "/plan/"), ("Make a plan", "")],
        "page_marking": MARKING,
    }
    return form_page(request, form, context)


@require_http_methods(["GET", "POST"])
@page(Permission.PLAN_EDIT)
def change(request: SignedIn, plan_id: str) -> HttpResponse:
    """Change the dates of a plan; the change enters its log."""
    found = readiness.plan(request.actor, plan_id)
    initial = {
        "partner_release": moment(found["partner_release"]),
        "public_release": moment(found["public_release"]),
        "window_days": found["window_days"],
    }
    form = PlanForm(posted(request), initial=initial)
    del form.fields["model"]
    made = submitted(
        request, form, lambda v: readiness.make_plan(request.actor, found["model"], **v)
    )
    if made is not None:
        return done(
            request, "The dates are changed, and the change is in the log.", "plan", made.id
        )
    context = {
        "title": "Change the dates",
        "kicker": found["model"],
        "lede": "An earlier partner release ends a window with it. A later one lengthens nothing.",
        "button": "Change the dates",
        "back": f"/plan/{plan_id}/",
        "trail": [
            ("Plans", "/plan/"),
            (found["model"], f"/plan/{plan_id}/"),
            ("Change the dates", ""),
        ],
        "page_marking": MARKING,
    }
    return form_page(request, form, context)


@require_GET
@page(Permission.PLAN_READ)
def calendar(request: SignedIn, plan_id: str) -> HttpResponse:
    """The plan as an iCalendar file."""
    found = readiness.plan(request.actor, plan_id)
    partner = moment(found["partner_release"])
    assert partner is not None
    instance = here()
    made = planned(instance.pack, partner, moment(found["public_release"]), found["window_days"])
    text = to_ics(made, instance.clock.now())
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="release-plan.ics"'
    return response
