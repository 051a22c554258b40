"""Suites of the office: sealed and unsealed, by whom, and who could have seen their items."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.bench.exposure import CUSTODIES
from vedette.formats.exposure_picture import exposure_svg
from vedette.formats.matches_out import csv_cell
from vedette.kernel.markings import AMBER, AMBER_STRICT
from vedette.kernel.permissions import Permission
from vedette.kernel.words import counted, ranges
from vedette.services import (
    exposure_views,
    exposures,
    keyholders,
    runs,
    two_person,
    unsealing,
)
from vedette.services.vault import reader_id
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Column, Kind, Link, State, Table
from vedette.web.pages.forms import done, form_page, long_text, posted, submitted
from vedette.web.pages.run_custody import act_choices
from vedette.web.pages.words import joined

LOOKS: dict[str, Kind] = {
    "shipped": "idle",
    "sealed": "done",
    "unsealed": "attention",
    "used up": "ended",
}
WORDS = {"view": "a person's reading"}
COLUMNS = ("item", "at", "custody", "subject", "could_see", "run", "log")
PROPOSED = "Proposed. It is done when a colleague seconds it."
TRAIL = ("Suites", "/suites/")


class UnsealForm(forms.Form):
    """One keyholder's half of an unsealing."""

    code = forms.CharField(
        label="Your keyholder's code",
        max_length=60,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="27 letters and digits; hyphens and case do not matter. It is kept nowhere.",
    )
    why = long_text("Why", "The colleague who seconds it reads this.", rows=2)


class SendForm(forms.Form):
    """A decision that a lab may see the items."""

    act = forms.ChoiceField(label="Under which act")
    why = forms.CharField(
        label="Reason", max_length=4_000, widget=forms.Textarea(attrs={"rows": 3})
    )


class DiscloseForm(forms.Form):
    """A decision that what a run found in an item may go out."""

    run = forms.ChoiceField(label="Run")
    item = forms.CharField(label="Item", max_length=64, help_text="As the run's page calls it.")
    why = forms.CharField(
        label="Reason", max_length=4_000, widget=forms.Textarea(attrs={"rows": 3})
    )


class LedgerForm(forms.Form):
    """Which exposures are shown."""

    item = forms.IntegerField(label="Item", min_value=1, required=False)
    custody = forms.ChoiceField(
        label="Custody",
        required=False,
        choices=[("", "any"), *((name, WORDS.get(name, name)) for name in CUSTODIES)],
    )


@require_GET
@page(Permission.RUN_READ)
def suites(request: SignedIn) -> HttpResponse:
    """Every suite, with its state and what is left of its items; and who can unseal one."""
    rows = exposure_views.overview(request.actor)
    taken = [row for row in rows if row["id"]]
    held = keyholders.holders(request.actor)
    context = {
        "taken": [_card(request, row) for row in taken],
        "table": _shipped([row for row in rows if not row["id"]]),
        "holders": Table(
            "Keyholders",
            ["Who", "Since"],
            [[holder.person, holder.made_at] for holder in held],
            "None yet. A suite is taken in once there are two.",
        ),
        "own": reader_id(request.actor) in {holder.person for holder in held},
        "enough": len(held) >= keyholders.LEAST,
        "may_unseal": request.actor.may(Permission.SUITE_UNSEAL),
        "page_marking": joined(str(AMBER), *(row["marking"] for row in taken)),
    }
    return render(request, "pages/suites.html", context)


def _card(request: SignedIn, row: dict[str, Any]) -> dict[str, Any]:
    items = exposure_views.one(request.actor, row["id"])["items_seen"]
    return {**row, "facts": _facts(row), **_picture(row, items)}


def _picture(row: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, str]:
    """A square an item: the darker, the less is left of it."""
    said, left = counted(row["items"], "item"), counted(row["left"], "exposure")
    if not row["retired"]:
        said += f", each with {left} or more left of any custody."
    elif row["retired"] < row["items"]:
        said += f": {row['retired']} used up, each other with {left} or more left of any custody."
    else:
        said += ", all used up."
    shown = [None if item["why"] else item["left"] for item in items]
    picture = exposure_svg(shown, row["most"])
    return {"picture": base64.b64encode(picture.encode()).decode(), "said": said}


def _facts(row: dict[str, Any]) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [
        ("Name", row["name"]),
        ("Version", row["version"]),
        ("Marking", row["marking"]),
        ("State", State(row["state"], LOOKS[row["state"]])),
        ("Exposures so far", row["exposures"]),
        ("Unsealed by", row["unsealed_by"] or None),
        ("Unsealed", row["unsealed_at"] if row["unsealed_by"] else None),
        ("Taken in", row["taken_at"]),
        ("Taken in by", row["taken_by"]),
    ]
    return [(label, value) for label, value in pairs if value is not None]


def _shipped(rows: list[dict[str, Any]]) -> Table:
    items = Column("Items", numeric=True)
    columns: list[Column | str] = ["Suite", "Name", "Version", items, "Marking"]
    found: list[list[Cell]] = [
        [row[name] for name in ("title", "name", "version", "items", "marking")] for row in rows
    ]
    return Table("Suites that come with Vedette; their items are public", columns, found)


@require_GET
@page(Permission.RUN_READ)
def suite(request: SignedIn, suite_id: str) -> HttpResponse:
    """One suite: its items, what each has left, and every exposure."""
    found = exposure_views.one(request.actor, suite_id)
    form = LedgerForm(request.GET or None)
    rows = exposure_views.ledger(request.actor, suite_id, **_wanted(form))
    context = {
        "suite": found,
        "facts": [*_facts(found), ("Digest", Code(found["digest"]))],
        **_picture(found, found["items_seen"]),
        "items": _items(found),
        "ledger": _ledger(rows),
        "form": form,
        "filtered": bool(request.GET),
        "query": request.GET.urlencode(),
        "decisions": _decisions(found["decisions"]),
        "waits_for": two_person.waiting_for(unsealing.UNSEAL, suite_id),
        "may_unseal": request.actor.may(Permission.SUITE_UNSEAL),
        "may_decide": request.actor.may(Permission.EXPOSURE_DECIDE),
        "trail": [TRAIL, (found["name"], "")],
        "page_marking": joined(str(AMBER), found["marking"]),
    }
    return render(request, "pages/suite.html", context)


def _wanted(form: LedgerForm) -> dict[str, str]:
    values = form.cleaned_data if form.is_bound and form.is_valid() else {}
    return {"item": str(values.get("item") or ""), "custody": values.get("custody") or ""}


def _items(found: dict[str, Any]) -> Table:
    columns: list[Column | str] = [
        "Items",
        Column("Exposures of each", numeric=True),
        "By custody",
        Column("Left", numeric=True),
        "State",
        "Why",
    ]
    alike: dict[tuple[Any, ...], list[int]] = {}
    for item in found["items_seen"]:
        left = 0 if item["why"] else item["left"]
        counts = tuple(sorted(item["counts"].items()))
        alike.setdefault((counts, left, item["why"]), []).append(item["number"])
    rows: list[list[Cell]] = [
        [
            f"Item{'s' * (len(numbers) > 1)} {ranges(numbers)}",
            sum(n for _, n in counts),
            ", ".join(f"{WORDS.get(k, k)}: {n}" for k, n in counts) or None,
            left,
            State("used up", "ended") if why else State("in use", "done"),
            why or None,
        ]
        for (counts, left, why), numbers in alike.items()
    ]
    most = ", ".join(f"{WORDS.get(k, k)} {n:,}" for k, n in sorted(found["budgets"].items()))
    return Table(f"Items, alike ones together; the budget of each: {most}", columns, rows)


def _ledger(rows: list[dict[str, Any]]) -> Table:
    """A row for each run and who met the same items there alike, with the last time; `rows` are
    newest first."""
    met: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        who = (row["run"], row["custody"], row["could_see"], row["subject"])
        met.setdefault(who, []).append(row)
    together: dict[tuple[str, ...], list[tuple[str, Any]]] = {}
    for (*alike, subject), found in met.items():
        items = ranges(row["item"] for row in found)
        key = (*alike, f"Item{'s' * (len(found) > 1)} {items}")
        together.setdefault(key, []).append((subject, found[0]["at"]))
    return Table(
        "Exposures by run, newest first; each item's own time is in the CSV",
        ["Items", "When", "Custody", "Subjects", "Could see them", "Log"],
        [
            [
                items,
                subjects[0][1],
                WORDS.get(custody, custody),
                ", ".join(filter(None, (name for name, _ in subjects))) or None,
                could_see,
                Link("the run", f"/runs/{run}/"),
            ]
            for (run, custody, could_see, items), subjects in list(together.items())[:200]
        ],
        empty="None: no item was shown yet.",
    )


def _decisions(rows: list[Any]) -> Table:
    return Table(
        "Exposure decisions, signed by this instance",
        ["What", "By", "When", "Why"],
        [
            [
                f"items to {row.act.peer.name}'s model"
                if row.act
                else f"item {row.item.number} out",
                row.by,
                row.at,
                row.why,
            ]
            for row in rows
        ],
        empty="No exposure decision was made.",
    )


@require_GET
@page(Permission.RUN_READ)
def export(request: SignedIn, suite_id: str) -> HttpResponse:
    """The exposures as they are filtered, as CSV."""
    rows = exposure_views.ledger(request.actor, suite_id, **_wanted(LedgerForm(request.GET)))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in map(exposure_views.as_json, rows):
        writer.writerow([csv_cell(str(row[name])) for name in COLUMNS])
    response = HttpResponse(buffer.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="exposures.csv"'
    return response


@require_POST
@never_cache
@page(Permission.SUITE_UNSEAL)
def become(request: SignedIn) -> HttpResponse:
    """Make oneself a keyholder; the code is on this page once and nowhere else."""
    context = {
        "code": keyholders.become(request.actor),
        "trail": [TRAIL, ("Your code", "")],
        "page_marking": AMBER_STRICT,
    }
    return render(request, "pages/keyholder.html", context)


@require_http_methods(["GET", "POST"])
@page(Permission.SUITE_UNSEAL)
def unseal(request: SignedIn, suite_id: str) -> HttpResponse:
    """Propose to unseal a suite with one's own share."""
    found = exposure_views.one(request.actor, suite_id)
    form = UnsealForm(posted(request))
    made = submitted(
        request,
        form,
        lambda v: unsealing.ask_unsealing(request.actor, suite_id, v["code"], v["why"]),
    )
    if made is not None:
        return done(request, PROPOSED, "suite", suite_id)
    context = {
        "title": f"Unseal {found['name']}",
        "lede": "Two keyholders make its key again, each with their own code. Runs can open its"
        " items then, in memory, until somebody seals it again.",
        "button": "Propose",
        "back": f"/suites/{suite_id}/",
        "trail": [TRAIL, (found["name"], f"/suites/{suite_id}/"), ("Unseal", "")],
        "page_marking": joined(str(AMBER), found["marking"]),
    }
    return form_page(request, form, context)


@require_POST
@page(Permission.SUITE_UNSEAL)
def seal(request: SignedIn, suite_id: str) -> HttpResponse:
    """Seal a suite again."""
    unsealing.take_back(request.actor, suite_id)
    return done(request, "Sealed. The key that lay here is destroyed.", "suite", suite_id)


@require_http_methods(["GET", "POST"])
@page(Permission.EXPOSURE_DECIDE)
def send(request: SignedIn, suite_id: str) -> HttpResponse:
    """Decide that a suite's items may go to a lab's model under an act."""
    found = exposure_views.one(request.actor, suite_id)
    form = SendForm(posted(request))
    form.fields["act"].choices = act_choices(request)[1:]  # type: ignore[attr-defined]
    made = submitted(
        request,
        form,
        lambda v: exposures.decide_sending(request.actor, suite_id, v["act"], v["why"]),
    )
    lede = (
        "Whoever operates the lab's endpoint can read and keep every item that a run sends. Each"
        " such run spends an exposure of each item."
    )
    return _decided(request, form, found, made, "Items to a lab's model", lede)


@require_http_methods(["GET", "POST"])
@page(Permission.EXPOSURE_DECIDE)
def disclose(request: SignedIn, suite_id: str) -> HttpResponse:
    """Decide that what a run found in one item may go to the clearinghouse."""
    found = exposure_views.one(request.actor, suite_id)
    form = DiscloseForm(posted(request))
    rows = [r for r in runs.list_runs(request.actor) if r.suite_digest == found["digest"]]
    known = [(r.id, f"{r.committed_at:%d %b %Y %H:%M} UTC") for r in rows]
    form.fields["run"].choices = known  # type: ignore[attr-defined]
    made = submitted(
        request,
        form,
        lambda v: exposures.decide_disclosing(request.actor, v["run"], v["item"], v["why"]),
    )
    lede = (
        "What a run found in a sealed item tells the item. With this decision the item is used up,"
        " and the crash can be reported, with the item's sources and functional tests: the"
        " clearinghouse builds and reproduces it. The suite is unsealed meanwhile."
    )
    return _decided(request, form, found, made, "Disclose an item", lede)


def _decided(
    request: SignedIn, form: forms.Form, found: dict[str, Any], made: Any, title: str, lede: str
) -> HttpResponse:
    if made is not None:
        return done(
            request, "Decided, or proposed where the pack asks for two.", "suite", found["id"]
        )
    context = {
        "title": title,
        "lede": lede,
        "button": "Decide",
        "back": f"/suites/{found['id']}/",
        "trail": [TRAIL, (found["name"], f"/suites/{found['id']}/"), (title, "")],
        "page_marking": joined(str(AMBER), found["marking"]),
    }
    return form_page(request, form, context)
