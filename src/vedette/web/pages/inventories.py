"""An operator's inventories, what is kept where, and the index that they are matched against."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.formats.assets_in import FIELDS, Columns
from vedette.kernel.clock import written
from vedette.kernel.errors import NotFound, VedetteError
from vedette.kernel.permissions import Permission, Profile
from vedette.services import inventories, private_found, product_names, pulls
from vedette.services.here import here
from vedette.services.operator_views import IndexStatus, index_status, open_by_inventory
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Column, Link, State, Table
from vedette.web.pages.forms import Files, done, form_page, moment, posted, submitted
from vedette.web.pages.labels import sentences
from vedette.web.pages.words import joined

MARKING = "TLP:AMBER+STRICT"
LABELS = {"cpe": "CPE", "id": "Own id", "name": "Name of the component", "purl": "Package URL"}


class TakeForm(forms.Form):
    """Inventories as files."""

    file = Files(
        label="Files",
        limit=inventories.MAX_BYTES,
        most=50,
        help_text="One or several: CycloneDX, SPDX, a CSV of assets, or a listing of dpkg or rpm.",
    )
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=inventories.MAX_NAME,
        help_text="A newer file under the same name takes its place; a patch is verified by that."
        " Several files are called after themselves, behind this name where there is one.",
    )
    site = forms.CharField(
        label="Site",
        required=False,
        max_length=inventories.MAX_NAME,
        help_text="Where it runs; a mandate can be for a site. Empty: as before, else its name.",
    )
    by_site = forms.BooleanField(
        label="One inventory for each site that the list names",
        required=False,
        help_text="For an asset list with a column for the site: each site gets notices and"
        " deadlines of its own.",
    )
    exposed = forms.BooleanField(
        label="These systems are publicly reachable",
        required=False,
        help_text="Counts where the file itself does not say so of a system.",
    )


class ColumnsForm(forms.Form):
    """Which column of an asset list is what."""

    def __init__(self, found: Columns, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        headers = list(dict.fromkeys(title.strip() for title in found.header if title.strip()))
        for field in FIELDS:
            self.fields[field] = forms.ChoiceField(
                label=LABELS.get(field, field.capitalize()),
                required=False,
                choices=[("", "in no column"), *((title, title) for title in headers)],
                initial=found.named.get(field, ""),
            )


def stays() -> str:
    """Where inventories are kept, and what leaves."""
    if here().profile == Profile.OPERATOR:
        return (
            "Your inventories stay here, on your own instance. The index comes to them; what leaves"
            " is only your answer to a notice, and padded buckets where you ask in private."
        )
    return (
        f"Your inventories stay on this instance, {here().name}. Only your organisation sees them;"
        " the clearinghouse reads your answers, never what you run. To keep them at home, run an"
        " instance of your own."
    )


@require_GET
@page(Permission.NOTICE_READ)
def list_inventories(request: SignedIn) -> HttpResponse:
    """Inventories with their counts and problems, and the index in hand."""
    rows = inventories.inventories(request.actor)
    waiting = open_by_inventory(request.actor)
    index, private = index_status(request.actor), private_found.found(request.actor)
    columns: list[Column | str] = [
        "Inventory",
        "Site",
        "Format",
        Column("Components", numeric=True),
    ]
    table = Table(
        "Inventories",
        [
            *columns,
            Column("Problems", numeric=True),
            Column("Open notices", numeric=True),
            "Reachable",
            "Taken",
        ],
        [_row(each, waiting) for each in rows],
    )
    context = {
        "table": table,
        "rows": rows,
        "stays": stays(),
        "may_edit": request.actor.may(Permission.INVENTORY_EDIT),
        "index": index,
        "index_facts": index_facts(index),
        "names": product_names.listed(request.actor),
        "may_say": request.actor.may(Permission.ANSWER_GIVE),
        "asks": index.pulls,
        "daily": private_found.own_hour(here().org) if here().ask_daily else None,
        "in_private": in_private(private),
        "page_marking": joined(MARKING, *(each["marking"] for each in private)),
    }
    return render(request, "pages/inventories.html", context)


def in_private(rows: list[dict[str, Any]]) -> Table | None:
    """What was found in private, with the embargo's marking and hour."""
    if not rows:
        return None
    columns = ["Product", "Version", "Inventory", "Verdict", "Affected", "Fixed in", "Case"]
    return Table(
        "Under embargo, found in private",
        [*columns, "Marking", "Embargo ends"],
        [
            [
                each["line"]["name"] or each["line"].get("purl") or each["line"]["component"],
                each["line"]["version"],
                Link(each["inventory"]["name"], f"/inventories/{each['inventory']['id']}/"),
                each["line"]["verdict"],
                each["line"]["range"],
                ", ".join(each["line"]["fixed"]),
                Code(each["case"]),
                each["marking"],
                _hour(each),
            ]
            for each in rows
        ],
    )


def _hour(each: dict[str, Any]) -> str:
    local = [f"{hour['local']} {hour['zone']}" for hour in each["hours"] if hour["zone"] != "UTC"]
    return " · ".join([written(each["until"]) if each["until"] else "no hour", *local])


@require_POST
@page(Permission.ANSWER_GIVE)
def forget_name(request: SignedIn, said_id: str) -> HttpResponse:
    """Take back what was said of two names."""
    product_names.forget(request.actor, said_id)
    return done(request, "Forgotten; your inventories are matched anew.", "inventories")


@require_POST
@page(Permission.INVENTORY_EDIT)
def ask(request: SignedIn) -> HttpResponse:
    """Ask in private about what is under embargo."""
    try:
        outcome = private_found.ask(request.actor)
    except VedetteError as error:
        if error.status in (403, 404):
            raise
        messages.error(request, sentences(error))
        return redirect("inventories")
    said = (
        f"Asked for {len(outcome.asked)} of {outcome.division.buckets} buckets:"
        f" {len(outcome.matches)} found. {outcome.left} of {outcome.limit} questions are left."
    )
    if outcome.waiting:
        said += f" {outcome.waiting} buckets have their turn on another day."
    return done(request, said, "inventories")


def _row(each: dict[str, Any], waiting: dict[str, int]) -> list[Any]:
    return [
        Link(each["name"], f"/inventories/{each['id']}/"),
        each["site"],
        each["format"],
        each["components"],
        len(each["problems"]),
        waiting.get(each["id"], 0),
        "publicly" if each["exposed"] else "as each system says",
        moment(each["taken_at"]),
    ]


def index_facts(found: IndexStatus) -> list[tuple[str, Any]]:
    """Which index is in hand, from whom, under whose signature."""
    if found.build is None:
        return []
    pulled = found.build.peer_id is not None
    return [
        ("From", found.source),
        ("Built", found.build.built_at),
        ("Pulled" if pulled else "Kept", found.taken_at),
        ("Advisories", found.build.advisories),
        ("Size", f"{found.build.size:,} bytes"),
        ("Digest", Code(found.build.digest)),
        (
            "Signature",
            State(f"verified, key {found.keyid[:16]}", "done") if pulled else "made here",
        ),
        ("Last refused", found.refused_at),
        *(
            (
                "Matched with as well",
                f"{source}: {build.advisories:,} advisories, built {written(build.built_at)}",
            )
            for source, build in found.others
        ),
    ]


@require_GET
@page(Permission.NOTICE_READ)
def inventory(request: SignedIn, inventory_id: str) -> HttpResponse:
    """One taking of an inventory, with what of it could not be read."""
    row = inventories.inventory(request.actor, inventory_id)
    found = inventories.describe(row)
    facts = [
        ("Site", found["site"]),
        ("Format", found["format"]),
        ("Components", found["components"]),
        ("Publicly reachable", "yes" if found["exposed"] else "as each system says"),
        ("Taken", moment(found["taken_at"])),
        ("Size", f"{len(row.data):,} bytes"),
        ("Digest", Code(found["digest"])),
        ("Kept", f"on this instance, {here().name}"),
    ]
    earlier = [
        [moment(each["taken_at"]), each["components"], Code(each["digest"][:23])]
        for each in inventories.inventories(request.actor, history=True)
        if each["name"] == found["name"] and each["id"] != found["id"]
    ]
    read = inventories.columns(row) if found["current"] else None
    context = {
        "columns": [(LABELS.get(f, f.capitalize()), title) for f, title in _in_order(read)]
        if read
        else None,
        "unused": ", ".join(read.left) if read else "",
        "inventory": found,
        "state": State("newest", "done") if found["current"] else State("earlier", "ended"),
        "facts": facts,
        "earlier": Table(
            "Other takings", ["Taken", Column("Components", numeric=True), "Digest"], earlier
        ),
        "may_edit": request.actor.may(Permission.INVENTORY_EDIT),
        "trail": [("Inventories", "/inventories/"), (found["name"], "")],
        "page_marking": MARKING,
    }
    return render(request, "pages/inventory.html", context)


def _in_order(found: Columns) -> list[tuple[str, str]]:
    """Field and header, as they stand in the file."""
    return sorted(found.named.items(), key=lambda pair: found.taken[pair[0]])


@require_http_methods(["GET", "POST"])
@page(Permission.INVENTORY_EDIT)
def take(request: SignedIn) -> HttpResponse:
    """Take an inventory from a file."""
    posted = request.method == "POST"
    form = TakeForm(
        request.POST if posted else None,
        request.FILES if posted else None,
        initial={"name": request.GET.get("name", "")[: inventories.MAX_NAME]},
    )

    def keep(given: dict[str, Any]) -> Any:
        chosen = {key: value for key, value in given.items() if key != "file"}
        uploads = given["file"]
        files = ((each.name, each.read()) for each in uploads)
        several = len(uploads) > 1
        handed = inventories.take_files(request.actor, files, several=several, **chosen)
        failed = [(one.file, one.error) for one in handed if one.error is not None]
        if len(failed) == 1 == len(handed):
            raise failed[0][1]
        for file, error in failed:
            messages.warning(request, f"{file} is not taken. {sentences(error)}")
        return [row for one in handed for row in one.rows]

    made = submitted(request, form, keep)
    if made is not None:
        count = sum(row.components for row in made)
        said = f"{count:,} components are kept, and are being matched."
        if len(made) == 1 and len(form.cleaned_data["file"]) == 1:
            return done(request, said, "inventory", made[0].id)
        if not made:
            return redirect("inventories")
        return done(request, f"{len(made)} inventories: {said}", "inventories")
    context = {
        "title": "Take inventories",
        "lede": stays(),
        "button": "Take them",
        "back": "/inventories/",
        "trail": [("Inventories", "/inventories/"), ("Take inventories", "")],
        "page_marking": MARKING,
    }
    return form_page(request, form, context)


@require_http_methods(["GET", "POST"])
@page(Permission.INVENTORY_EDIT)
def columns(request: SignedIn, inventory_id: str) -> HttpResponse:
    """Say which column of an asset list is what, where the guess is wrong."""
    row = inventories.inventory(request.actor, inventory_id)
    found = inventories.columns(row)
    if found is None:
        raise NotFound(f"inventory {inventory_id[:40]!r} has no columns")
    form = ColumnsForm(found, posted(request))
    made = submitted(
        request, form, lambda given: inventories.read_otherwise(request.actor, row.id, given)
    )
    if made is not None:
        said = f"Read with these columns: {made.components:,} components, being matched."
        return done(request, said, "inventory", made.id)
    at = f"/inventories/{row.id}/"
    context = {
        "title": "Which column is what?",
        "lede": f"So the columns of {row.name} were read. Choose others where the guess is wrong:"
        " the list is taken anew, and what was taken before stays as history.",
        "button": "Read it so",
        "back": at,
        "trail": [("Inventories", "/inventories/"), (row.name, at), ("Columns", "")],
        "page_marking": MARKING,
    }
    return form_page(request, form, context)


@require_POST
@page(Permission.INVENTORY_EDIT)
def pull(request: SignedIn) -> HttpResponse:
    """Pull the clearinghouse's newest index now."""
    held = index_status(request.actor).build
    try:
        row = pulls.pull_index(request.actor)
    except VedetteError as error:
        if error.status in (403, 404):
            raise
        messages.error(request, sentences(error))
        return redirect("inventories")
    if held is not None and held.id == row.id:
        return done(request, "The index in hand is the newest one.", "inventories")
    said = f"Pulled, signature verified: {row.advisories:,} advisories. Matching has begun."
    return done(request, said, "inventories")
