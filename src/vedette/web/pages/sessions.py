"""Access in use: a window with its sessions, one session with both meters, the model's endpoint."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.engagement.table import Actor as Side
from vedette.formats.document import Stamp
from vedette.kernel.errors import NotFound
from vedette.kernel.markings import AMBER_STRICT
from vedette.kernel.permissions import Permission, Profile
from vedette.services import access
from vedette.services import acts as views
from vedette.services.documents import page_watermark
from vedette.services.here import here
from vedette.services.sides import only, own_side
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Column, Link, Table
from vedette.web.pages.forms import done, form_page, moment, posted, submitted
from vedette.web.pages.words import purposes, state

UNDER_WAY = ("requested", "open")
CALLS_SHOWN = 20


class RequestForm(forms.Form):
    """A session for the asking person, for one purpose."""

    purpose = forms.ChoiceField(label="Purpose", widget=forms.RadioSelect)

    def __init__(self, agreed: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = purposes()
        self.fields["purpose"].choices = [(p, known.get(p, p)) for p in agreed]  # type: ignore[attr-defined]


class EndForm(forms.Form):
    """Ending a session at once."""

    reason = forms.CharField(
        label="Reason",
        max_length=300,
        required=False,
        help_text="The office is told. None is owed.",
    )


@require_GET
@page(Permission.ENGAGEMENT_READ)
def sessions(request: SignedIn) -> HttpResponse:
    """Every session, and every window."""
    own_side()
    rows = [views.session_row(row) for row in views.browse_sessions(request.actor)[:200]]
    windows = [r for r in views.acts(request.actor, kind="access-window") if r["window"]]
    context = {
        "table": sessions_table(rows),
        "rows": rows,
        "windows": Table(
            "Access windows",
            ["Window", "With", "State", "Opens", "Closes"],
            [
                [
                    Link(row["model"], f"/acts/{row['id']}/window/"),
                    row["peer"],
                    state("window", row["window"]),
                    moment(row["opens"]),
                    moment(row["closes"]),
                ]
                for row in windows
            ],
        ),
        "has_windows": bool(windows),
        "is_lab": own_side() == Side.LAB,
        "page_marking": AMBER_STRICT,
    }
    return render(request, "pages/sessions.html", context)


def sessions_table(rows: list[dict[str, Any]]) -> Table:
    """Sessions as a table."""
    columns: list[Column | str] = [
        *("Person", "Purpose", "State", "Model", "Build", "Safeguards"),
        *(Column("Calls", numeric=True), Column("Tokens", numeric=True)),
    ]
    return Table(
        "Sessions",
        columns,
        [
            [
                Link(row["person"], f"/sessions/{row['id']}/"),
                row["purpose"],
                state("session", row["state"]),
                row["model"],
                row["build"],
                row["safeguards"],
                row["used"]["calls"],
                row["used"]["tokens"],
            ]
            for row in rows
        ],
        empty="No session yet.",
    )


@require_GET
@page(Permission.ENGAGEMENT_READ)
def window(request: SignedIn, act_id: str) -> HttpResponse:
    """An access window: its hours, its sessions, what they used."""
    context = _window(request, act_id)
    name = (
        "pages/session_window_live.html" if request.GET.get("part") else "pages/session_window.html"
    )
    return render(request, name, context)


def _window(request: SignedIn, act_id: str) -> dict[str, Any]:
    own_side()
    found = views.act_view(request.actor, act_id)
    if found["clock"] is None:
        raise NotFound("this act has no window")
    opens, closes, now = moment(found["opens"]), moment(found["closes"]), here().clock.now()
    assert opens is not None
    assert closes is not None
    length = max(closes - opens, timedelta(hours=1))
    gone = min(max(now - opens, timedelta()), length)
    rows = found["sessions"]
    quota = (found["terms"] or {}).get("quota", {})
    return {
        "act": found,
        "opens": opens,
        "closes": closes,
        "state": state("window", found["window"]) if found["window"] else None,
        "hours": {"gone": gone // timedelta(hours=1), "all": length // timedelta(hours=1)},
        "table": sessions_table(rows),
        "rows": rows,
        "used": {key: sum(r["used"][key] for r in rows) for key in ("calls", "tokens")},
        "quota": quota,
        "running": any(row["state"] in UNDER_WAY for row in rows),
        "part_url": f"/acts/{act_id}/window/?part=live",
        "is_lab": own_side() == Side.LAB,
        "ask_url": f"/acts/{act_id}/session/" if _may_ask(request, found) else "",
        "trail": [("Acts", "/acts/"), ("Access window", f"/acts/{act_id}/"), ("Use", "")],
        "page_marking": found["marking"],
        "watermark": _watermark(request, act_id, act_id),
    }


def _may_ask(request: SignedIn, found: dict[str, Any]) -> bool:
    open_now = bool(found["clock"] and found["clock"]["open"])
    office = own_side() == Side.OFFICE
    return office and open_now and request.actor.may(Permission.SESSION_OPEN)


@require_http_methods(["GET", "POST"])
@page(Permission.SESSION_OPEN)
def ask(request: SignedIn, act_id: str) -> HttpResponse:
    """Ask the lab for a session, for oneself."""
    only(Profile.OFFICE, request.actor)
    found = views.act_view(request.actor, act_id)
    form = RequestForm((found["terms"] or {}).get("purposes", []), posted(request))
    made = submitted(
        request, form, lambda v: access.request_session(request.actor, act_id, v["purpose"])
    )
    if made is not None:
        return done(request, "Asked for. The lab's instance answers by rule.", "session", made.id)
    context = {
        "title": "Ask for a session",
        "kicker": f"Access window for {found['model']}",
        "lede": "A session is yours alone, for one purpose. The lab's instance decides by the"
        " signed terms, and ends it with the window at the latest.",
        "button": "Ask for the session",
        "back": f"/acts/{act_id}/window/",
        "trail": [
            ("Acts", "/acts/"),
            ("Access window", f"/acts/{act_id}/window/"),
            ("Ask for a session", ""),
        ],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


@require_GET
@page(Permission.ENGAGEMENT_READ)
def session(request: SignedIn, session_id: str) -> HttpResponse:
    """One session: who, why, what of the quota is used, and whether both meters agree."""
    own_side()
    found = views.session_view(request.actor, session_id)
    name = "pages/session_live.html" if request.GET.get("part") else "pages/session.html"
    is_lab = own_side() == Side.LAB
    calls = views.browse_calls(request.actor, session_id)
    shown = Paginator(calls, CALLS_SHOWN).get_page(request.GET.get("page"))
    running = found["state"] in UNDER_WAY
    context = {
        "session": found,
        "state": state("session", found["state"]),
        "facts": _facts(found),
        "meters": _meters(found["meters"]),
        "agree": found["meters"]["agree"],
        "calls": _calls([views.call_row(row) for row in shown]),
        "page": shown,
        "running": running,
        "part_url": f"/sessions/{session_id}/?part=live",
        "is_lab": is_lab,
        "end_url": f"/sessions/{session_id}/end/"
        if is_lab and running and request.actor.may(Permission.SESSION_END)
        else "",
        "run_url": f"/runs/new/?session={session_id}"
        if not is_lab and found["state"] == "open" and request.actor.may(Permission.RUN_START)
        else "",
        "trail": [("Sessions", "/sessions/"), (found["person"], "")],
        "page_marking": AMBER_STRICT,
        "watermark": _watermark(request, session_id, found["act"]),
    }
    return render(request, name, context)


def _watermark(request: SignedIn, object_id: str, act_id: str) -> Stamp | None:
    """On the office's side a window and what is done in it are the lab's material."""
    office = own_side() == Side.OFFICE
    return page_watermark(request.actor, object_id, act_id) if office else None


def _facts(found: dict[str, Any]) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [
        ("Person", found["person"]),
        ("Purpose", purposes().get(found["purpose"], found["purpose"])),
        ("Model", found["model"]),
        ("Build", found["build"]),
        ("Safeguards", found["safeguards"]),
        ("With", found["peer"]),
        ("Asked for", moment(found["requested_at"])),
        ("Opened", moment(found["opened_at"])),
        ("Ends by itself", moment(found["expires_at"])),
        ("Ended", moment(found["ended_at"])),
        ("Reason", found["reason"]),
        ("Window", Link("the access window", f"/acts/{found['act']}/window/")),
        ("Which model", Link("builds and fingerprints", f"/acts/{found['act']}/model/")),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]


def _meters(found: dict[str, Any]) -> Table:
    names = {
        "calls": "Calls",
        "failed": "Failed calls",
        "input_tokens": "Tokens in",
        "output_tokens": "Tokens out",
        "requests_digest": "Digest of the request ids",
    }
    sides = [found["lab"] or {}, found["office"] or {}]
    rows: list[list[Cell]] = []
    for key, label in names.items():
        values: list[Cell] = [
            f"{s[key][7:19]}…" if key == "requests_digest" and key in s else s.get(key)
            for s in sides
        ]
        same: Cell = (
            "" if None in values else "same" if sides[0][key] == sides[1][key] else "differs"
        )
        rows.append([label, *values, same])
    columns: list[Column | str] = [
        "What",
        Column("Lab's count", numeric=True),
        Column("Office's count", numeric=True),
    ]
    return Table("Both meters", [*columns, "Comparison"], rows)


def _calls(rows: list[dict[str, Any]]) -> Table:
    columns: list[Column | str] = [
        *("Request", "When", Column("Status", numeric=True), "Refused because", "Ended"),
        *(Column("Tokens in", numeric=True), Column("Tokens out", numeric=True)),
        Column("Milliseconds", numeric=True),
    ]
    return Table(
        "Calls, newest first",
        columns,
        [
            [
                r["request_id"],
                moment(r["at"]),
                r["status"],
                r["refused"],
                " · ".join(w for w in ("probe" if r["probe"] else "", r["ended"], r["odd"]) if w),
                r["input_tokens"],
                r["output_tokens"],
                r["milliseconds"],
            ]
            for r in rows
        ],
        empty="No call is counted here yet.",
    )


@require_http_methods(["GET", "POST"])
@page(Permission.SESSION_END)
def end(request: SignedIn, session_id: str) -> HttpResponse:
    """The lab ends a session at once."""
    only(Profile.LAB, request.actor)
    found = views.session_view(request.actor, session_id)
    form = EndForm(posted(request))
    made = submitted(
        request, form, lambda v: access.end_session(request.actor, session_id, v["reason"])
    )
    if made is not None:
        return done(request, "The session is ended; no call goes through.", "session", session_id)
    context = {
        "title": "End the session at once",
        "kicker": found["person"],
        "lede": "Calls under way stop counting towards it and the next one is refused. The window"
        " stays as it is.",
        "button": "End the session",
        "danger": True,
        "back": f"/sessions/{session_id}/",
        "trail": [
            ("Sessions", "/sessions/"),
            (found["person"], f"/sessions/{session_id}/"),
            ("End", ""),
        ],
        "page_marking": AMBER_STRICT,
    }
    return form_page(request, form, context)
