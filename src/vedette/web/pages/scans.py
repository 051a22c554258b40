"""Scans: registered before the work, with what their party may know; makers' wishes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission, Profile
from vedette.services import scan_views, scans, wishes
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Link, State, Table
from vedette.web.pages.forms import (
    UTC_HINT,
    Hour,
    Lines,
    done,
    form_page,
    long_text,
    moment,
    posted,
    submitted,
)
from vedette.web.pages.words import joined

KINDS = {"ahead": "idle", "under way": "active", "over": "ended"}
CONTACT = forms.CharField(
    label="How to reach you",
    max_length=300,
    required=False,
    help_text="Told only to whom you are introduced to.",
)


class TargetForm(forms.Form):
    """What something is about."""

    product = forms.CharField(label="Product", max_length=300, required=False)
    vendor = forms.CharField(label="Vendor or project", max_length=300, required=False)
    package = forms.CharField(
        label="Package",
        max_length=500,
        required=False,
        help_text="A purl, such as pkg:pypi/ujson. Product or package is enough.",
    )


class ScanForm(TargetForm):
    """A scan before its work begins."""

    versions = Lines(
        label="Versions", required=False, max_length=6_000, help_text="One a line; none means all."
    )
    method = forms.ChoiceField(label="Method")
    starts = Hour(label="From", help_text=UTC_HINT)
    ends = Hour(label="To", help_text=f"It is over by itself then. {UTC_HINT}")
    introduce = forms.BooleanField(
        label="Introduce me to whoever else is at it, if they like it, too", required=False
    )
    contact = CONTACT

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = here().pack.records("scans", "methods")
        self.fields["method"].choices = [(r["id"], str(r["title"])) for r in rows]  # type: ignore[attr-defined]


class ConsentForm(forms.Form):
    """Whether to be introduced."""

    introduce = forms.BooleanField(
        label="Introduce me to whoever else is at it, if they like it, too", required=False
    )
    contact = CONTACT


class WishForm(TargetForm):
    """What a maker wishes of whoever scans its product."""

    kind = forms.ChoiceField(label="What you wish", widget=forms.RadioSelect)
    text = long_text("Why, and how", "For those who register a scan of it.")
    contact = forms.CharField(label="Whom to reach", max_length=300, required=False)
    starts = Hour(label="From", required=False, help_text=f"Empty: from now on. {UTC_HINT}")
    ends = Hour(label="To", required=False, help_text=f"Empty: until you take it back. {UTC_HINT}")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = here().pack.records("scans", "wishes")
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (r["id"], f"{r['title']}. {r['text']}") for r in rows
        ]


def methods() -> dict[str, str]:
    return {row["id"]: str(row["title"]) for row in here().pack.records("scans", "methods")}


def scan_state(name: str) -> State:
    return State(name, KINDS[name])  # type: ignore[arg-type]


def scans_table(rows: list[dict[str, Any]], caption: str = "Scans registered") -> Table:
    """Scans as a table."""
    return Table(
        caption,
        ["Target", "By", "Method", "State", "From", "To"],
        [
            [
                Link(row["product"] or row["package"], f"/scans/{row['id']}/"),
                row["party"],
                methods().get(row["method"], row["method"]),
                scan_state(row["state"]),
                moment(row["starts"]),
                moment(row["ended"] or row["ends"]),
            ]
            for row in rows
        ],
    )


@require_GET
@page(Permission.SCAN_READ)
def list_scans(request: SignedIn) -> HttpResponse:
    """The reader's own scans; all of them for the clearinghouse's own people."""
    rows = scan_views.scans(request.actor)
    house = here().profile == Profile.CLEARINGHOUSE
    context = {
        "rows": rows,
        "table": scans_table(rows),
        "may": request.actor.may(Permission.SCAN_DECLARE),
        "may_wish": house and request.actor.may(Permission.SCAN_WISH),
        "has_beds": house,
        "own": house and request.actor.host,
        "page_marking": joined("TLP:AMBER", *(row["marking"] for row in rows)),
    }
    return render(request, "pages/scans.html", context)


@require_http_methods(["GET", "POST"])
@page(Permission.SCAN_DECLARE)
def new(request: SignedIn) -> HttpResponse:
    """Register a scan."""
    form = ScanForm(posted(request), initial={"starts": here().clock.now()})
    made = submitted(request, form, lambda v: scans.declare_scan(request.actor, **v))
    if made is not None:
        return done(request, "Registered. It is over by itself at its end.", "scan", made.id)
    context = {
        "title": "Register a scan",
        "lede": "Say what you will look at before you begin. You learn whether somebody is at it"
        " already, and what its maker wishes; nobody learns who you are unless you both like it.",
        "button": "Register it",
        "back": "/scans/",
        "trail": [("Scans", "/scans/"), ("Register a scan", "")],
        "page_marking": "TLP:AMBER+STRICT",
    }
    return form_page(request, form, context)


@require_GET
@page(Permission.SCAN_READ)
def scan(request: SignedIn, scan_id: str) -> HttpResponse:
    """One scan, and what its party may know."""
    found = scan_views.scan_view(request.actor, scan_id)
    answer = found["answer"]
    may = request.actor.may(Permission.SCAN_DECLARE) and found["mine"] and found["state"] != "over"
    context = {
        "found": found,
        "title": found["product"] or found["package"],
        "state": scan_state(found["state"]),
        "facts": _facts(found),
        "answer": answer,
        "wishes": _wishes(answer["wishes"]) if answer else None,
        "beds": beds_table(answer["beds"]) if answer else None,
        "findings": Table(
            "Findings of this scan",
            ["Finding", "State"],
            [[Link(f["title"], f"/findings/{f['id']}/"), f["state"]] for f in found["findings"]],
        ),
        "at_it": scans_table(found["at_it"], "Who else is at it") if "at_it" in found else None,
        "open_cases": found.get("open_cases", []),
        "may": may,
        "trail": [("Scans", "/scans/"), (found["product"] or found["package"], "")],
        "page_marking": found["marking"],
    }
    return render(request, "pages/scan.html", context)


def _facts(found: dict[str, Any]) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [
        ("By", found["party"]),
        ("Vendor or project", found["vendor"]),
        ("Package", Code(found["package"]) if found["package"] else None),
        ("Versions", ", ".join(found["versions"]) or "all"),
        ("Method", methods().get(found["method"], found["method"])),
        ("From", moment(found["starts"])),
        ("To", moment(found["ends"])),
        ("Ended", moment(found["ended"])),
        ("Introduced to others", "if they like it, too" if found["introduce"] else "no"),
        ("Contact", found["contact"]),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]


def _wishes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    titles = {row["id"]: str(row["title"]) for row in here().pack.records("scans", "wishes")}
    return [
        {
            **row,
            "title": titles.get(row["kind"], row["kind"]),
            "look": "info" if row["kind"] == "welcome" else "warning",
            "starts": moment(row.get("starts")),
            "ends": moment(row.get("ends")),
        }
        for row in rows
    ]


def beds_table(rows: list[dict[str, Any]]) -> Table:
    """Test beds on offer, as a table."""
    return Table(
        "Test beds on offer",
        ["Offer", "Owner", "Hours", "Limits", "Contact", "Until"],
        [
            [
                row["name"],
                row["owner"],
                row["hours"],
                row["limits"],
                row["contact"],
                moment(row.get("until")),
            ]
            for row in rows
        ],
    )


@require_http_methods(["GET", "POST"])
@page(Permission.SCAN_DECLARE)
def consent(request: SignedIn, scan_id: str) -> HttpResponse:
    """Be introduced to whoever else is at it, or no longer."""
    found = scan_views.scan_view(request.actor, scan_id)
    if not found["mine"]:
        raise NotFound("no such thing here")
    initial = {"introduce": found["introduce"], "contact": found["contact"]}
    form = ConsentForm(posted(request), initial=initial)
    made = submitted(request, form, lambda v: scans.consent(request.actor, scan_id, **v))
    if made is not None:
        return done(request, "Kept. Change it whenever you like.", "scan", scan_id)
    context = {
        "title": "Being introduced",
        "kicker": found["product"] or found["package"],
        "lede": "Where both like it, each learns the other's name and contact. Until then nobody"
        " learns more than that somebody is at it.",
        "button": "Keep it so",
        "back": f"/scans/{scan_id}/",
        "trail": [("Scans", "/scans/"), ("Being introduced", "")],
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


@require_http_methods(["POST"])
@page(Permission.SCAN_DECLARE)
def end(request: SignedIn, scan_id: str) -> HttpResponse:
    """It is done, or left."""
    scans.end_scan(request.actor, scan_id)
    return done(request, "The scan is over.", "scan", scan_id)


@require_http_methods(["GET", "POST"])
@page(Permission.SCAN_WISH)
def list_wishes(request: SignedIn) -> HttpResponse:
    """A maker's wishes, and the form for another."""
    if here().profile != Profile.CLEARINGHOUSE:
        raise NotFound("no such thing here")
    form = WishForm(posted(request))
    made = submitted(request, form, lambda v: wishes.wish(request.actor, **v))
    if made is not None:
        return done(request, "Kept. Whoever registers a scan of it sees it.", "scan-wishes")
    rows = scan_views.wishes(request.actor)
    titles = {row["id"]: str(row["title"]) for row in here().pack.records("scans", "wishes")}
    context = {
        "title": "Wishes about scans",
        "form": form,
        "rows": [
            {**row, "title": titles[row["kind"]], "ends": moment(row["ends"])} for row in rows
        ],
        "trail": [("Scans", "/scans/"), ("Wishes", "")],
        "page_marking": "TLP:AMBER",
    }
    return render(request, "pages/scan_wishes.html", context, status=422 if form.errors else 200)


@require_http_methods(["POST"])
@page(Permission.SCAN_WISH)
def withdraw_wish(request: SignedIn, wish_id: str) -> HttpResponse:
    """Take a wish back."""
    wishes.withdraw_wish(request.actor, wish_id)
    return done(request, "Taken back.", "scan-wishes")
