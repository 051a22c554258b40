"""The reading log: at the office in full and with its alerts, at the lab as it was told."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.formats.reading_plot import reading_svg
from vedette.kernel.errors import NotFound
from vedette.kernel.markings import AMBER
from vedette.kernel.permissions import Permission, Profile
from vedette.services import readings as service
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Column, Link, State, Table
from vedette.web.pages.forms import done, form_page, long_text, posted, submitted
from vedette.web.pages.words import material_kind

TOLD = 60
FIGURES = {
    "views": "read much",
    "first": "read much for the first time",
    "odd_hours": "read at unusual hours",
    "foreign": "read in windows whose terms do not name them",
}


class LookForm(forms.Form):
    """What whoever looked at an alert found."""

    text = long_text("What you found", "For the office's own record.", rows=3)


@require_GET
@page(Permission.READING_LOG)
def readings(request: SignedIn) -> HttpResponse:
    """Who read what."""
    office = here().profile == Profile.OFFICE
    told = service.reports(request.actor)
    rows = [row for report in told for row in report.rows]
    context: dict[str, Any] = {
        "office": office,
        "told": _told(told),
        "any": bool(told),
        "alerts_told": sum(report.alerts for report in told),
        "page_marking": AMBER,
    }
    if office:
        entries = service.log(request.actor)
        context |= {
            "alerts": _alerts(service.alerts(request.actor)),
            "log": _log(entries),
            "any": bool(entries or told),
        }
        rows = service.totals(request.actor)
    picture = reading_svg(rows, title="Views by person and day")
    context["picture"] = base64.b64encode(picture.encode()).decode()
    return render(request, "pages/readings.html", context)


def _told(reports: list[Any]) -> Table:
    columns: list[Column | str] = [
        "Day (UTC)",
        "Reader",
        "What",
        Column("Views", numeric=True),
        "Window",
    ]
    told = [(row, report) for report in reports for row in report.rows]
    told.sort(key=lambda each: (each[0]["day"], each[0]["views"]), reverse=True)
    return Table(
        f"Newest day first, at most {TOLD} lines",
        columns,
        [
            [row["day"], row["person"], material_kind(row["kind"]), row["views"], _window(report)]
            for row, report in told[:TOLD]
        ],
        "None yet.",
    )


def _window(report: Any) -> Link:
    return Link(report.act.model, f"/custody/{report.act_id}/")


def _alerts(rows: list[Any]) -> Table:
    return Table(
        "Unusual reading, newest first",
        ["What", "Reader", "Day", "Figures", "State"],
        [
            [
                Link(FIGURES.get(row.rule, row.rule), f"/readings/alerts/{row.id}/"),
                row.person,
                row.day,
                f"{row.figures['value']}, usually {row.figures['usual']}",
                State(f"looked at by {row.looked_by}", "done")
                if row.looked_at
                else State("not looked at", "attention"),
            ]
            for row in rows
        ],
        empty="None. Every hour each reader's day is compared with their own days before it.",
    )


def _log(rows: list[Any]) -> Table:
    return Table(
        "The log, the newest hundred",
        ["Time", "Reader", "What", "Which", "Act"],
        [
            [
                r.at,
                r.person,
                material_kind(r.kind),
                r.object_id,
                Link(r.about, f"/custody/{r.about}/"),
            ]
            for r in rows
        ],
        empty="Nothing of a lab's material has been opened yet.",
    )


@require_http_methods(["GET", "POST"])
@page(Permission.READING_LOG)
def alert(request: SignedIn, alert_id: str) -> HttpResponse:
    """One alert: looked at, with what was found."""
    row = next((a for a in service.alerts(request.actor) if a.id == alert_id), None)
    if row is None:
        raise NotFound(f"alert {alert_id[:40]!r} is not here")
    form = LookForm(posted(request), initial={"text": row.note})
    made = submitted(request, form, lambda v: service.look_at(request.actor, alert_id, v["text"]))
    if made is not None:
        return done(request, "On record: you have looked at it.", "readings")
    context = {
        "title": f"{row.person} {FIGURES.get(row.rule, row.rule)}",
        "kicker": f"Unusual reading on {row.day:%d %b %Y}",
        "lede": f"{row.figures['value']} that day, usually about {row.figures['usual']}: a day like"
        f" this is expected with a chance of {row.figures['tail']}. An alert takes nothing from"
        " anybody; it asks a colleague to look.",
        "button": "I have looked at it",
        "back": "/readings/",
        "trail": [("Reading log", "/readings/"), ("Alert", "")],
        "page_marking": AMBER,
    }
    return form_page(request, form, context)
