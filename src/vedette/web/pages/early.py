"""Early access: the partner's own page, and the lab's; seats and hours by sector."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission, Profile
from vedette.services import early_access, early_views, partners
from vedette.services.here import here
from vedette.services.sides import only
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Column, Link, State, Table
from vedette.web.pages.forms import UTC_HINT, Hour, done, form_page, moment, posted, submitted
from vedette.web.pages.labels import label
from vedette.web.pages.scans import scans_table
from vedette.web.pages.words import state

KINDS = {"ahead": "idle", "open": "active", "over": "ended"}


USUAL = "Empty: the policy pack's usual number."


class OpenForm(forms.Form):
    """Hours and quota of a partner's early access."""

    email = forms.EmailField(
        label="Whom to invite", help_text="They sign in to an organisation of their own here."
    )
    opens = Hour(label="Opens", required=False, help_text=f"Empty: now. {UTC_HINT}")
    closes = Hour(
        label="Closes", required=False, help_text=f"Empty: as late as the pack allows. {UTC_HINT}"
    )
    session_hours = forms.IntegerField(
        label="Hours a session", min_value=1, required=False, help_text=USUAL
    )
    calls = forms.IntegerField(label="Calls in all", min_value=1, required=False, help_text=USUAL)
    tokens = forms.IntegerField(label="Tokens in all", min_value=1, required=False, help_text=USUAL)


class AcceptForm(forms.Form):
    """Accepting the terms as they were read."""

    digest = forms.CharField(widget=forms.HiddenInput)
    read = forms.BooleanField(label="I have read these terms and accept them for myself.")


class PurposeForm(forms.Form):
    """What a session is for."""

    purpose = forms.ChoiceField(label="What it is for", widget=forms.RadioSelect)

    def __init__(self, allowed: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = [  # type: ignore[attr-defined]
            (key, text) for key, text in purposes().items() if key in allowed
        ]


class NameForm(forms.Form):
    """Under which name scans and findings go."""

    named = forms.TypedChoiceField(
        label="Your scans and findings bear",
        coerce=lambda text: text == "name",
        widget=forms.RadioSelect,
    )

    def __init__(self, name: str, pseudonym: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["named"].choices = [  # type: ignore[attr-defined]
            ("name", f"your name, {name}"),
            ("pseudonym", f"your pseudonym, {pseudonym}"),
        ]


class EndForm(forms.Form):
    """Ending an access at once."""

    reason = forms.CharField(
        label="Reason", max_length=300, required=False, help_text="The partner sees it."
    )


def purposes() -> dict[str, str]:
    rows = here().pack.records("early_access", "purposes")
    return {row["id"]: f"{row['title']}: {row['text']}" for row in rows}


def early_state(name: str) -> State:
    return State(name, KINDS[name])  # type: ignore[arg-type]


def _trail(found: dict[str, Any], last: str = "") -> list[tuple[str, str]]:
    trail = [("Early access", "/early/"), (found["partner"], f"/early/{found['id']}/")]
    return [*trail, (last, "")] if last else trail


@require_GET
@page(Permission.EARLY_READ)
def early(request: SignedIn) -> HttpResponse:
    """Every partner's early access for the lab; a partner's own for itself."""
    rows = early_views.early_list(request.actor)
    context = {
        "rows": rows,
        "own": request.actor.host,
        "table": Table(
            "Early access",
            [
                "Partner",
                "Model",
                "State",
                "Closes",
                Column("Calls used", True),
                Column("Calls in all", True),
            ],
            [
                [
                    Link(row["partner"], f"/early/{row['id']}/"),
                    row["model"],
                    early_state(row["state"]),
                    moment(row["ended"] or row["closes"]),
                    row["used"]["calls"],
                    row["quota"]["calls"],
                ]
                for row in rows
            ],
        ),
        "page_marking": "TLP:AMBER+STRICT",
    }
    return render(request, "pages/early_list.html", context)


@require_GET
@page(Permission.EARLY_READ)
def one(request: SignedIn, early_id: str) -> HttpResponse:
    """One partner's access: terms, sessions, what was used, registered and found."""
    found = early_views.early_view(request.actor, early_id)
    accepted = [a for a in found["acceptances"] if a["digest"] == found["digest"]]
    live = found["state"] != "over"
    may_use = found["mine"] and live and request.actor.may(Permission.EARLY_USE)
    context = {
        "found": found,
        "state": early_state(found["state"]),
        "facts": _facts(found),
        "accepted": [{**a, "at": moment(a["at"])} for a in accepted],
        "sessions": _sessions(found),
        "scans": scans_table(found["scans"], "What it registered"),
        "findings": Table(
            "What it found",
            ["Finding", "State", "Reported"],
            [
                [
                    Link(f["title"], f"/findings/{f['id']}/"),
                    label("finding", f["state"]),
                    moment(f["received_at"]),
                ]
                for f in found["findings"]
            ],
        ),
        "may_use": may_use,
        "may_end": live and request.actor.host and request.actor.may(Permission.SESSION_END),
        "trail": [*_trail(found)[:1], (found["partner"], "")],
        "page_marking": found["marking"],
    }
    return render(request, "pages/early.html", context)


def _facts(found: dict[str, Any]) -> list[tuple[str, Cell]]:
    used, quota = found["used"], found["quota"]
    pairs: list[tuple[str, Cell]] = [
        ("Model", found["model"]),
        ("Sector", found["sector"]),
        ("Opens", moment(found["opens"])),
        ("Closes", moment(found["closes"])),
        ("Ended", moment(found["ended"])),
        ("Reason", found["reason"]),
        ("A session lasts", f"{found['session_hours']} h at most"),
        ("Calls used", f"{used['calls']:,} of {quota['calls']:,}"),
        ("Tokens used", f"{used['tokens']:,} of {quota['tokens']:,}"),
        (
            "Scans and findings bear",
            "its name" if found["named"] else f"its pseudonym, {found['pseudonym']}",
        ),
    ]
    return [(text, value) for text, value in pairs if value not in (None, "")]


def _sessions(found: dict[str, Any]) -> Table:
    return Table(
        "Sessions",
        [
            *("Person", "For", "State", "Opened", "Ends"),
            *(Column("Minutes", True), Column("Calls", True), Column("Tokens", True)),
        ],
        [
            [
                row["person"],
                row["purpose"],
                state("session", row["state"]),
                moment(row["opened_at"]),
                moment(row["ended_at"] or row["expires_at"]),
                row["minutes"],
                row["calls"],
                row["tokens"],
            ]
            for row in found["sessions"]
        ],
        empty="No session yet.",
    )


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_OFFER)
def open_for(request: SignedIn, partner_id: str) -> HttpResponse:
    """Open early access for a partner that the lab named."""
    only(Profile.LAB, request.actor)
    partner = partners.partner_view(request.actor, partner_id)
    form = OpenForm(posted(request))
    made = submitted(
        request, form, lambda v: early_access.open_early_access(request.actor, partner_id, **v)
    )
    if made is not None:
        row, code = made
        link = request.build_absolute_uri(reverse("welcome", args=[code]))
        said = f"Open. Hand over this link, which works once: {link}"
        return done(request, said, "early-one", row.id)
    context = {
        "title": "Open early access",
        "kicker": partner["name"],
        "lede": "A time-boxed access of its own, through the same proxy and the same log. End it at"
        " once whenever you like. It is yours to give, whatever the office says of the partner.",
        "button": "Open it",
        "back": f"/partners/{partner_id}/",
        "trail": [
            ("Partners", "/partners/"),
            (partner["name"], f"/partners/{partner_id}/"),
            ("Early access", ""),
        ],
        "page_marking": "TLP:AMBER+STRICT",
    }
    return form_page(request, form, context)


def _own(request: SignedIn, early_id: str) -> dict[str, Any]:
    found = early_views.early_view(request.actor, early_id)
    if not found["mine"]:
        raise NotFound("no such thing here")
    return found


@require_http_methods(["GET", "POST"])
@page(Permission.EARLY_USE)
def accept(request: SignedIn, early_id: str) -> HttpResponse:
    """Read the terms in full, and accept them for oneself."""
    found = _own(request, early_id)
    form = AcceptForm(posted(request), initial={"digest": found["digest"]})
    made = submitted(
        request, form, lambda v: early_access.accept_terms(request.actor, early_id, v["digest"])
    )
    if made is not None:
        return done(request, "Accepted. You can open sessions now.", "early-one", early_id)
    context = {
        "title": "The terms of early access",
        "found": found,
        "form": form,
        "trail": _trail(found, "Terms"),
        "page_marking": found["marking"],
    }
    status = 422 if form.errors else 200
    return render(request, "pages/early_terms.html", context, status=status)


@require_http_methods(["GET", "POST"])
@page(Permission.EARLY_USE)
def session(request: SignedIn, early_id: str) -> HttpResponse:
    """Open a session; its credential is shown on this page, once."""
    found = _own(request, early_id)
    form = PurposeForm(found["purposes"], posted(request))
    made = submitted(
        request, form, lambda v: early_access.open_session(request.actor, early_id, v["purpose"])
    )
    if made is not None:
        context: dict[str, Any] = {
            "title": "Your session is open",
            "facts": [
                ("Address", Code(made.url)),
                ("Credential", Code(made.credential)),
                ("Model", Code(made.model)),
                ("Purpose", purposes().get(made.purpose, made.purpose)),
                ("Ends by itself", made.expires),
            ],
            "found": found,
            "trail": _trail(found, "Session"),
            "page_marking": found["marking"],
        }
        answer = render(request, "pages/early_session.html", context)
        answer.headers["Cache-Control"] = "no-store"
        return answer
    context = {
        "title": "Open a session",
        "kicker": found["model"],
        "lede": f"For {found['session_hours']} hours at most. Every call is counted; the lab can"
        " end it at once.",
        "button": "Open it",
        "back": f"/early/{early_id}/",
        "trail": _trail(found, "Session"),
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


@require_http_methods(["GET", "POST"])
@page(Permission.EARLY_USE)
def name(request: SignedIn, early_id: str) -> HttpResponse:
    """Under one's name or a pseudonym."""
    found = _own(request, early_id)
    initial = {"named": "name" if found["named"] else "pseudonym"}
    form = NameForm(found["partner"], found["pseudonym"], posted(request), initial=initial)
    made = submitted(
        request, form, lambda v: early_access.set_named(request.actor, early_id, v["named"])
    )
    if made is not None:
        return done(request, "Kept, for what you send from now on.", "early-one", early_id)
    context = {
        "title": "Name or pseudonym",
        "lede": "The lab sends what you register and find to the clearinghouse as yours.",
        "button": "Keep it so",
        "back": f"/early/{early_id}/",
        "trail": _trail(found, "Name"),
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


@require_http_methods(["GET", "POST"])
@page(Permission.SESSION_END)
def end(request: SignedIn, early_id: str) -> HttpResponse:
    """The lab ends an access at once."""
    only(Profile.LAB, request.actor)
    found = early_views.early_view(request.actor, early_id)
    form = EndForm(posted(request))
    made = submitted(
        request,
        form,
        lambda v: early_access.end_early_access(request.actor, early_id, v["reason"]),
    )
    if made is not None:
        return done(request, "Ended, with every session.", "early-one", early_id)
    context = {
        "title": "End it at once",
        "kicker": found["partner"],
        "lede": "Every session ends now. You can open another access later.",
        "button": "End it",
        "danger": True,
        "back": f"/early/{early_id}/",
        "trail": _trail(found, "End"),
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


@require_http_methods(["GET", "POST"])
@page(Permission.SEATS_READ)
def seats(request: SignedIn) -> HttpResponse:
    """Seats and hours by sector; a lab shares its numbers from here."""
    if request.method == "POST":
        early_views.share_seats(request.actor)
        return done(request, "Shared: numbers by sector, no name.", "seats")
    found = early_views.seats(request.actor)
    most = max((row["minutes"] for row in found["rows"]), default=0)
    is_lab = here().profile == Profile.LAB
    context = {
        "bars": [
            {
                **row,
                "share": f"{100 * row['minutes'] / most:.1f}" if most and row["minutes"] else "",
                "hours": f"{row['minutes'] / 60:,.1f}",
            }
            for row in found["rows"]
        ],
        "labs": [{**one, "as_of": moment(one["as_of"])} for one in found["labs"]],
        "is_lab": is_lab,
        "may_share": is_lab and request.actor.may(Permission.ENGAGEMENT_OFFER),
        "absent": [row["sector"] for row in found["rows"] if row["absent"]],
        "page_marking": "TLP:GREEN",
    }
    return render(request, "pages/seats.html", context)
