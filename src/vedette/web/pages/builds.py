"""Which model a window reached: its builds, its fingerprints, how access went, what is released."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.engagement.record import COMPARED
from vedette.engagement.table import Actor as Side
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission, Profile
from vedette.services import access_records, builds, fingerprints
from vedette.services import acts as views
from vedette.services.review_parties import field_of
from vedette.services.sides import only, own_side
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Column, State, Table
from vedette.web.pages.forms import done, form_page, long_text, moment, posted, submitted

SAID = {
    "same": State("the released build is the assessed one", "done"),
    "differs": State("the released build differs", "attention"),
    "not-stated": State("not stated", "idle"),
}
VERDICTS = {
    "first": State("first", "idle"),
    "same": State("same as before", "done"),
    "changed": State("changed", "urgent"),
}
STATED = {
    "name": "name",
    "checkpoint": "checkpoint",
    "safeguards": "safeguards",
    "system_prompt": "system prompt",
    "sampling": "sampling",
}


class ReleaseForm(forms.Form):
    """What the lab says of the released build."""

    said = forms.ChoiceField(
        label="The released build",
        widget=forms.RadioSelect,
        choices=[
            ("same", "is the assessed one"),
            ("differs", "differs from the assessed one"),
            ("not-stated", "is not stated (takes back what was said)"),
        ],
    )
    build = forms.CharField(label="Its name", max_length=200, required=False)
    checkpoint = forms.CharField(
        label="Digest of its checkpoint",
        max_length=71,
        required=False,
        help_text="sha256: and 64 hex digits; empty where you state none.",
    )
    differences = long_text("How it differs", "In your own words; needed where it differs.")


@require_GET
@page(Permission.ENGAGEMENT_READ)
def model(request: SignedIn, act_id: str) -> HttpResponse:
    """Builds, fingerprints, record and release statement of one window."""
    own_side()
    found = views.act_view(request.actor, act_id)
    if found["clock"] is None:
        raise NotFound("this act has no window")
    known = builds.builds_view(request.actor, act_id)
    rounds = fingerprints.rounds_view(request.actor, act_id)
    record = access_records.record_view(request.actor, act_id)
    is_lab = own_side() == Side.LAB
    open_sessions = any(s["state"] == "open" for s in found["sessions"])
    context = {
        "act": found,
        "builds": _builds(known["builds"]),
        "changes": max(0, len(known["builds"]) - 1),
        "rounds": _rounds(rounds),
        "picture": picture(rounds),
        "changed": sum(r["verdict"] == "changed" for r in rounds),
        "record": _record(record),
        "record_state": _record_state(record),
        "withheld": {_label(field): text for field, text in record["withheld"].items()},
        "limits": record["limits"],
        "released": known["released"],
        "said": SAID[known["released"]["said"]],
        "is_lab": is_lab,
        "release_url": f"/acts/{act_id}/released/"
        if is_lab and request.actor.may(Permission.ENGAGEMENT_OFFER)
        else "",
        "probe_url": f"/acts/{act_id}/probe/"
        if not is_lab and open_sessions and request.actor.may(Permission.SESSION_OPEN)
        else "",
        "trail": _trail(act_id, "Which model"),
        "page_marking": found["marking"],
    }
    return render(request, "pages/model.html", context)


def _trail(act_id: str, last: str) -> list[tuple[str, str]]:
    window = ("Access window", f"/acts/{act_id}/window/")
    return [("Acts", "/acts/"), window, (last, "")]


def _builds(rows: list[dict[str, Any]]) -> Table:
    columns: list[Column | str] = ["Build", "Since", "What changed", "Checkpoint", "Safeguards"]
    columns += ["System prompt", "Sampling"]
    numbers = [Column(label, numeric=True) for label in ("Calls", "Of these probes", "Tokens")]
    return Table(
        "Builds, as the lab states them, with the calls counted here",
        [*columns, *numbers],
        [
            [
                row["label"],
                moment(row["since"]),
                ", ".join(STATED[name] for name in row["changed"]),
                _digest(row["checkpoint"]) or "behind an endpoint: none stated",
                row["safeguards"],
                _digest(row["system_prompt"]),
                row["sampling"],
                row["calls"],
                row["probes"],
                row["tokens"],
            ]
            for row in rows
        ],
        empty="The lab tells the build when the first session opens.",
    )


def _digest(text: str) -> Cell:
    return Code(f"{text[:15]}…") if text else ""


def _label(field: str) -> str:
    known = field_of(field)
    return known.label if known else field


def _rounds(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "Every round of probes",
        [
            "Round",
            "Taken",
            "Found",
            "Fingerprint",
            "Difference",
            "One build's own noise",
            "p-value",
        ],
        [
            [
                row["occasion"],
                moment(row["at"]),
                _found(row),
                row["era"] + 1 if row["state"] == "taken" else row["reason"],
                row["statistic"],
                row["bar"],
                row["p"],
            ]
            for row in runs(rows)
        ],
        empty="The first round is taken when the first session opens.",
    )


def _found(row: dict[str, Any]) -> State:
    if row["verdict"] == "changed" and (row["recent"] or 1) > 1:
        return State(f"changed, by {row['recent']} rounds together", "attention")
    return VERDICTS.get(row["verdict"]) or State("missed", "attention")


def runs(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rounds, with those missed one after the other for one reason as one line."""
    lines = []
    for (state, _), found in groupby(rows, key=lambda row: (row["state"], row["reason"])):
        group = list(found)
        if state == "missed" and len(group) > 1:
            between = f"{group[0]['occasion']} to {group[-1]['occasion']}"
            lines.append({**group[0], "occasion": between})
        else:
            lines += group
    return lines


def picture(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each compared round as places on a line from 0 to 100: its noise band and its difference."""
    compared = [row for row in rows if row["statistic"] is not None]
    values = [float(row[name]) for row in compared for name in ("statistic", "bar")]
    widest = 1.08 * max([*values, 1e-6])
    return [
        {
            "label": row["occasion"],
            "at": moment(row["at"]),
            "band": f"{100 * max(float(row['bar']), 0) / widest:.1f}",
            "dot": f"{100 * max(float(row['statistic']), 0) / widest:.1f}",
            "state": _found(row),
            "statistic": f"{float(row['statistic']):.4f}",
        }
        for row in compared
    ]


RECORD_LABELS = {
    "promised_seconds": "Promised",
    "open_seconds": "Open",
    "up_seconds": "Model seen there",
    "down_seconds": "Model not there",
    "unknown_seconds": "Nobody looked",
    "calls": "Calls",
    "probes": "Of these probes",
    "failed": "Calls without an answer",
    "rate_limited": "Rate limits met",
    "odd": "Answers with odd usage",
}


def _record(found: dict[str, Any]) -> Table:
    rows: list[list[Cell]] = []
    for name, label in RECORD_LABELS.items():
        lab, office = (_shown(name, found[side]) for side in ("lab", "office"))
        same = "" if None in (lab, office) or name not in COMPARED else "agrees"
        rows.append([label, lab, office, "differs" if name in found["differences"] else same])
    refused = [_refusals(found[side]) for side in ("lab", "office")]
    rows.append(["Refused by the proxy", *refused, ""])
    columns = ["What", "Lab's account", "Office's account", "Comparison"]
    return Table("Access record", columns, rows)


def _shown(name: str, side: dict[str, Any] | None) -> Cell:
    if side is None:
        return None
    value = int(side[name])
    return f"{value / 86400:.2f} days" if name.endswith("_seconds") else value


def _refusals(side: dict[str, Any] | None) -> Cell:
    if side is None:
        return None
    return ", ".join(f"{n} for {reason}" for reason, n in side["refusals"].items()) or "none"


def _record_state(found: dict[str, Any]) -> State:
    if found["lab"] is None or found["office"] is None:
        return State("the other side's account comes after the window", "idle")
    if found["differences"]:
        return State("the accounts differ", "attention")
    return State("the accounts agree", "done")


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_OFFER)
def released(request: SignedIn, act_id: str) -> HttpResponse:
    """The lab says how the released build stands to the assessed one."""
    only(Profile.LAB, request.actor)
    found = views.act_view(request.actor, act_id)
    form = ReleaseForm(posted(request))
    made = submitted(
        request,
        form,
        lambda v: builds.state_release(request.actor, act_id, v.pop("said"), **v),
    )
    if made is not None:
        return done(request, "Said. The office is told by message.", "model", act_id)
    context = {
        "title": "The released build",
        "kicker": f"Access window for {found['model']}",
        "lede": "If you wish, say whether what you release is what was assessed. Nothing waits for"
        " it, it can be said again, and saying nothing reads as not stated.",
        "button": "Say so",
        "back": f"/acts/{act_id}/model/",
        "trail": _trail(act_id, "The released build"),
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


@require_POST
@page(Permission.SESSION_OPEN)
def probe(request: SignedIn, act_id: str) -> HttpResponse:
    """The office takes a round of probes now."""
    fingerprints.take_now(request.actor, act_id)
    return redirect("model", act_id)
