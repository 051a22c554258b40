"""Mandates of an operator or a delegate: what stands, what each is for, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.mandates import MOST_BASIS, MandateAct
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.permissions import Permission
from vedette.services import delegates, inventories, mandates, onboarding
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Link, State, Table
from vedette.web.pages.forms import Files, done, form_page, long_text, moment, posted, submitted
from vedette.web.pages.labels import label, sentences, state

MARKING = "TLP:AMBER+STRICT"
ACTS = {
    MandateAct.READ: "Read notices and matches",
    MandateAct.KEEP: "Keep inventories: hand in newer ones",
    MandateAct.ANSWER: "Answer notices, and mark single assets",
    MandateAct.STATE: "State VEX (what is not affected, or fixed, is no longer found), and say"
    " whether an asset is the product that an advisory names",
}
DID = {"accept": "It is in force.", "end": "It is over, and covers nothing any more."}


class BoundsForm(forms.Form):
    """What a mandate is for, and what it rests on."""

    acts = forms.MultipleChoiceField(
        label="The delegate may",
        choices=list(ACTS.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=list(ACTS),
    )
    ends = forms.DateField(
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="It ends with this day, UTC; either side ends it earlier, alone and at once.",
    )
    basis = forms.CharField(
        label="What it rests on",
        max_length=MOST_BASIS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Kept word for word: the agreement with its date and signatories.",
    )

    def end(self) -> datetime:
        return datetime.combine(self.cleaned_data["ends"] + timedelta(days=1), time(), UTC)


class MandateForm(BoundsForm):
    """A mandate that is offered or asked for."""

    other = forms.CharField(label="Operator", max_length=200)
    sites = long_text(
        "Sites", "One a line, as the inventories name them. Empty: the whole organisation.", rows=3
    )
    field_order = ("other", "acts", "sites", "ends", "basis")

    def __init__(
        self,
        choices: list[tuple[str, str]] | None,
        sites: Sequence[str],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if sites:
            named = ", ".join(sites[:20])
            said = f"One a line. Empty: the whole organisation. Sites of your inventories: {named}."
            self.fields["sites"].help_text = said
        if choices is None:
            self.fields["other"].help_text = "Its name here, exactly."
            return
        self.fields["other"] = forms.ChoiceField(
            label="Delegate", choices=[("", "choose"), *choices]
        )
        self.order_fields(self.field_order)


class OnboardForm(BoundsForm):
    """Operators that are not here yet, and inventories of any that mandated the delegate."""

    operators = long_text(
        "Operators",
        "One name a line, or CSV with the header name,email,sector; each with its own mandate.",
        limit=60_000,
        rows=8,
    )
    uploads = Files(
        label="Inventories",
        required=False,
        limit=inventories.MAX_BYTES,
        most=100,
        help_text="Each file is named after its operator (Oak Utility.csv), and where it has"
        " several inventories after the site, too (Oak Utility__Plant 1.json).",
    )
    by_site = forms.BooleanField(
        label="One inventory for each site that an asset list names",
        required=False,
        help_text="For files that end in .csv, with a column for the site.",
    )
    field_order = ("operators", "acts", "ends", "basis", "uploads", "by_site")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("acts", "ends", "basis"):
            self.fields[name].required = False

    def clean(self) -> Any:
        given = super().clean() or {}
        if given.get("operators"):
            for name in ("acts", "ends", "basis"):
                if not given.get(name):
                    self.add_error(name, "New operators need it.")
        elif not given.get("uploads"):
            raise forms.ValidationError("Name operators, choose files, or both.")
        return given


@require_GET
@page(Permission.MANDATE_READ)
def list_mandates(request: SignedIn) -> HttpResponse:
    """The mandates that one's organisation gave or has."""
    rows = mandates.mandates(request.actor)
    part = mandates.part_of(request.actor)
    asks = part == Party.DELEGATE
    may = part is not None and request.actor.may(
        Permission.MANDATE_USE if asks else Permission.MANDATE_GIVE
    )
    context = {
        "table": Table(
            "Mandates",
            ["Operator" if asks else "Delegate", "State", "For", "Sites", "Until"],
            [_row(row) for row in rows],
        ),
        "rows": rows,
        "asks": asks,
        "may": may,
        "page_marking": MARKING,
    }
    return render(request, "pages/mandates.html", context)


def _row(row: dict[str, Any]) -> list[Any]:
    other = "operator" if row["side"] == Party.DELEGATE else "delegate"
    return [
        Link(row[other]["name"], f"/mandates/{row['id']}/"),
        state("mandate", row["state"]),
        _acts(row),
        ", ".join(row["sites"]) or "all",
        moment(row["ends_at"]),
    ]


def _acts(row: dict[str, Any]) -> str:
    return ", ".join(label("mandate-act", act) for act in MandateAct if act in row["acts"])


@require_GET
@page(Permission.MANDATE_READ)
def mandate(request: SignedIn, mandate_id: str) -> HttpResponse:
    """One mandate, with the words that it rests on, and one's own moves."""
    row = mandates.mandate(request.actor, mandate_id)
    facts: list[tuple[str, Any]] = [
        ("Operator", row["operator"]["name"]),
        ("Delegate", row["delegate"]["name"]),
        ("The delegate may", _acts(row)),
        ("Sites", ", ".join(row["sites"]) or "the whole organisation"),
        ("From", moment(row["starts_at"])),
        ("Until", moment(row["ends_at"])),
        ("Registered by the delegate" if row["registered"] else "Made by", row["made_by"]),
        ("Made", moment(row["made_at"])),
        ("Accepted by", row["accepted_by"]),
        ("Accepted", moment(row["accepted_at"])),
        ("Ended by", row["ended_by"]),
        ("Ended", moment(row["ended_at"])),
        ("Id", Code(row["id"])),
    ]
    context = {
        "mandate": row,
        "state": state("mandate", row["state"]),
        "facts": [(name, value) for name, value in facts if value],
        "trail": [("Mandates", "/mandates/"), (row["id"], "")],
        "page_marking": MARKING,
    }
    return render(request, "pages/mandate.html", context)


@require_POST
@page(Permission.MANDATE_READ)
def move(request: SignedIn, mandate_id: str, trigger: str) -> HttpResponse:
    """Accept a mandate, or end it."""
    acts = {"accept": mandates.accept_mandate, "end": mandates.end_mandate}
    if trigger not in acts:
        raise NotFound(f"{trigger[:40]!r} is no move of a mandate")
    try:
        acts[trigger](request.actor, mandate_id)
    except Refused as error:
        messages.warning(request, sentences(error))
        return redirect("mandate", mandate_id)
    return done(request, DID[trigger], "mandate", mandate_id)


@require_http_methods(["GET", "POST"])
@page(Permission.MANDATE_READ)
def new(request: SignedIn) -> HttpResponse:
    """Offer a mandate to a delegate, or ask an operator for one."""
    asks = mandates.takes_part_as(request.actor) == Party.DELEGATE
    request.actor.require(Permission.MANDATE_USE if asks else Permission.MANDATE_GIVE)
    sites = [] if asks else sorted({row["site"] for row in inventories.inventories(request.actor)})
    choices = None if asks else mandates.delegates_here(request.actor)
    form = MandateForm(choices, sites, posted(request))

    def make(given: dict[str, Any]) -> Any:
        return mandates.make_mandate(
            request.actor,
            given["other"],
            given["acts"],
            given["basis"],
            form.end(),
            sites=given["sites"].splitlines(),
        )

    made = submitted(request, form, make)
    if made is not None:
        said = "Asked for: the operator may accept it." if asks else "Offered: it may be accepted."
        return done(request, said, "mandate", made.id)
    title = "Ask for a mandate" if asks else "Offer a mandate"
    context = {
        "title": title,
        "lede": "Who acts for whom, for what and until when. Nothing is read before the other side"
        " accepts, and nothing after either side ends it.",
        "button": title,
        "back": "/mandates/",
        "trail": [("Mandates", "/mandates/"), (title, "")],
        "page_marking": MARKING,
    }
    return form_page(request, form, context)


@require_http_methods(["GET", "POST"])
@page(Permission.MANDATE_USE)
def onboard(request: SignedIn) -> HttpResponse:
    """Register operators, and hand in inventories for many of them, in one go."""
    if mandates.takes_part_as(request.actor) != Party.DELEGATE:
        raise NotFound("a delegate alone brings operators in")
    both = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = OnboardForm(*both)

    def take(given: dict[str, Any]) -> list[onboarding.Line]:
        lines: list[onboarding.Line] = []
        if given["operators"]:
            rows = onboarding.read_rows(given["operators"])
            lines += onboarding.register_operators(
                request.actor, rows, given["acts"], given["basis"], form.end()
            )
        files = ((each.name, each.read()) for each in given["uploads"])
        return lines + onboarding.take_files(request.actor, files, by_site=given["by_site"])

    lines = submitted(request, form, take)
    mandated = delegates.operators(request.actor)
    context = {
        "title": "Bring operators in",
        "lede": f"Operators without a sign-in of their own become organisations on {here().name},"
        " each with a mandate that it can end. Their first person is invited by the clearinghouse.",
        "button": "Bring them in",
        "back": "/mandates/",
        "lines": lines is not None and _lines(lines),
        "mandated": len(mandated),
        "trail": [("Mandates", "/mandates/"), ("Bring operators in", "")],
        "page_marking": MARKING,
    }
    return form_page(request, form, context, "pages/onboard.html")


def _lines(lines: list[onboarding.Line]) -> Table:
    tags = {True: State("done", "done"), False: State("not done", "urgent")}
    return Table(
        "What became of it",
        ["Operator or file", "State", "What was done"],
        [[line.name, tags[line.done], line.said] for line in sorted(lines, key=lambda x: x.done)],
    )
