"""Cases: the list, the case page as its coordinator or a participant sees it, its long lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from vedette.clearinghouse.severity import Claimant
from vedette.clearinghouse.severity import SeverityClaim as Claim
from vedette.clearinghouse.states import CaseState, ParticipantState
from vedette.formats.advisory import check_vector
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.ledger.timeline import title
from vedette.services.case_lists import case_list, case_notes, coordinates, places
from vedette.services.case_views import case_view
from vedette.services.here import here
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Column, Link, Step, Table, countdown, written
from vedette.web.pages.case_acts import MOVES, CaseAct, answer_form
from vedette.web.pages.case_forms import NoteForm
from vedette.web.pages.forms import moment
from vedette.web.pages.labels import as_file, choices, label, state

LIST_MARKING = "TLP:AMBER+STRICT"
SHOWN = 25
SHOWN_PARTIES = 12
SHOWN_NOTES = 10
SHOWN_EVENTS = 8
# Whom the coordinator looks at first.
ATTENTION = (
    ParticipantState.SILENT,
    ParticipantState.INVITED,
    ParticipantState.NOT_LOOKED,
    ParticipantState.ACKNOWLEDGED,
    ParticipantState.WORKING,
    ParticipantState.FIXED,
    ParticipantState.NOT_AFFECTED,
)


class Filter(forms.Form):
    """Narrows the list."""

    state = forms.ChoiceField(label="State", choices=choices("case"), required=False)
    text = forms.CharField(label="Product or title", max_length=100, required=False)


class PartyFilter(forms.Form):
    """Narrows the participants."""

    status = forms.ChoiceField(label="Status", choices=choices("participant"), required=False)
    name = forms.CharField(label="Organisation", max_length=100, required=False)


@require_GET
@page(Permission.CASE_READ)
def list_cases(request: SignedIn) -> HttpResponse:
    """The cases that one may see, the embargo that ends next first."""
    form = Filter(request.GET or None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    shown = Paginator(case_list(request.actor, **asked), 25).get_page(request.GET.get("page"))
    own = coordinates(request.actor)
    context = {
        "table": coordinator_table(shown) if own else participant_table(request, list(shown)),
        "page": shown,
        "form": form if form.is_bound else Filter(),
        "filtered": any(asked.values()),
        "own": own,
        "page_marking": LIST_MARKING,
    }
    return render(request, "pages/cases.html", context)


def ends(case: Any) -> str:
    """An embargo's end with its hour and what is left of it."""
    if case.state in (CaseState.PUBLISHED, CaseState.CLOSED):
        return "ended"
    if case.embargo_until is None:
        return "none"
    return f"{written(case.embargo_until)} · {countdown(case.embargo_until, here().clock.now())}"


def coordinator_table(rows: Any, caption: str = "Cases, the next embargo to end first") -> Table:
    """Cases with how many take part and how many of them never said a word."""
    columns: list[Column | str] = [
        *("Case", "Product", "State", "Embargo ends"),
        *(Column(name, numeric=True) for name in ("Parties", "Silent", "No answer yet")),
    ]
    return Table(
        caption,
        columns,
        [
            [
                Link(case.title, f"/cases/{case.id}/"),
                case.product,
                state("case", case.state),
                ends(case),
                case.parties,
                case.silent,
                case.waiting,
            ]
            for case in rows
        ],
    )


def participant_table(request: SignedIn, rows: list[Any], caption: str = "Your cases") -> Table:
    """Cases with one's own answer to each."""
    mine = places(request.actor, [case.id for case in rows])
    return Table(
        caption,
        ["Case", "Product", "State", "Your answer", "Embargo ends"],
        [
            [
                Link(case.title, f"/cases/{case.id}/"),
                case.product,
                state("case", case.state),
                state("participant", mine[case.id].status) if case.id in mine else None,
                ends(case),
            ]
            for case in rows
        ],
    )


@require_GET
@page(Permission.CASE_READ)
def case(request: SignedIn, case_id: str) -> HttpResponse:
    """One case."""
    view = case_view(request.actor, case_id)
    own = coordinates(request.actor)
    mine = None if own else places(request.actor, [case_id]).get(case_id)
    may_respond = request.actor.may(Permission.CASE_RESPOND)
    ended = view["state"] in (CaseState.PUBLISHED, CaseState.CLOSED)
    context = {
        "case": view,
        "own": own,
        "ended": ended,
        "state": state("case", view["state"]),
        "moves": _moves(view, own),
        "statuses": _statuses(view["counts"]),
        "parties": parties_table(
            by_attention(view["participants"])[:SHOWN_PARTIES], "Silence first"
        ),
        "mine": mine,
        "my_answer": state("participant", mine.status) if mine else None,
        "answer_form": answer_form(mine) if mine and view["answers"] else None,
        "may_deliver": not own and may_respond and "deliver fix" in view["moves"],
        "may_respond": may_respond,
        "note_form": NoteForm() if may_respond else None,
        "notes": [
            {**each, "at": moment(each["at"])} for each in view["notes"][: -SHOWN_NOTES - 1 : -1]
        ],
        "facts": _facts(view),
        "embargo": embargo(view, own),
        "findings": _findings(view, own),
        "claims": _claims(view),
        "fixes": _fixes(view),
        "mails": _mails(view),
        "timeline": _timeline(view),
        "trail": [("Cases", "/cases/"), (view["title"][:60], "")],
        "page_marking": view["marking"],
    }
    return render(request, "pages/case.html", context)


def _moves(view: dict[str, Any], own: bool) -> list[CaseAct]:
    """The coordinator's moves; a public fix only where a release was executed."""
    if not own:
        return []
    released = any(f.get("recipe", {}).get("kind") == "pypi" for f in view["findings"])
    moves = [MOVES[trigger] for trigger in view["moves"] if trigger in MOVES]
    return [move for move in moves if released or move.name != "public-fix"]


def _statuses(counts: dict[str, int]) -> list[tuple[str, Any, int]]:
    return [(s, state("participant", s), counts[s]) for s in ATTENTION if s in counts]


def by_attention(parties: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those first whom the coordinator looks at first."""
    order = {status: n for n, status in enumerate(ATTENTION)}
    return sorted(parties, key=lambda p: (order.get(p["status"], len(order)), p["name"]))


def _facts(view: dict[str, Any]) -> list[tuple[str, Any]]:
    facts = view["facts"]
    known = [
        ("Vendor", view["vendor"]),
        ("Product", view["product"]),
        ("Component", view["component"]),
        ("Opened", moment(view["opened_at"])),
        ("Closed", moment(view["closed_at"])),
        ("Known to be exploited since", moment(facts.get("exploited_since"))),
        ("Extension", "asked for" if facts.get("extension_asked") else ""),
        ("Patched since", moment(facts.get("patched"))),
        ("Published before its hour", facts.get("published_early", "")),
        ("Id", Code(view["id"])),
    ]
    return [(name, value) for name, value in known if value]


def embargo(view: dict[str, Any], own: bool) -> dict[str, Any] | None:
    """The embargo's hours as times, its zones with who reads them, and the terms."""
    kept = view["embargo"]
    if not kept:
        return None
    zones: dict[tuple[str, str], list[str]] = {}
    for hour in kept["hours"]:
        if hour["zone"] != "UTC":
            zones.setdefault((hour["zone"], hour["local"]), []).append(hour["party"])
    return {
        **kept,
        **{name: moment(kept[name]) for name in ("ends", "escalate", "details_from")},
        "hours": [
            {"zone": zone, "local": local, "parties": parties if own else []}
            for (zone, local), parties in sorted(zones.items())
        ],
        "terms": [_term(term) for term in kept["terms"]],
    }


def _term(term: dict[str, Any]) -> dict[str, Any]:
    days = [
        f"{name.removesuffix('_days').replace('_', ' ')}: {n} days"
        for name, n in term["days"].items()
    ]
    return {**term, "numbers": ", ".join(days)}


def parties_table(rows: Any, caption: str) -> Table:
    """Participants with an answer told apart from silence."""
    return Table(
        caption,
        ["Organisation", "Part", "Status", "Invited", "Last word", "Note", "Agrees to publish"],
        [
            [
                each["name"],
                each["role"],
                state("participant", each["status"]),
                moment(each["invited_at"]),
                moment(each["responded_at"]) or "none",
                each["note"][:200],
                bool(each["agreed_to_publish"]),
            ]
            for each in rows
        ],
    )


def _findings(view: dict[str, Any], own: bool) -> list[dict[str, Any]]:
    """The findings that stand, each with its duplicates and what its execution showed."""
    duplicates: dict[str, list[dict[str, Any]]] = {}
    for line in view["findings"]:
        if line["duplicate_of"]:
            duplicates.setdefault(line["duplicate_of"], []).append(line)
    originals = [line for line in view["findings"] if not line["duplicate_of"]][:SHOWN]
    return [
        {
            **line,
            "state": state("finding", line["state"]),
            "facts": _shown(line),
            "duplicate_count": len(duplicates.get(line["id"], [])),
            "duplicates": duplicates.get(line["id"], [])[:SHOWN] if own else [],
        }
        for line in originals
    ]


def _shown(line: dict[str, Any]) -> list[tuple[str, Any]]:
    evidence = line.get("evidence")
    if evidence is None:
        return [("Executed here", "not yet")]
    return [
        ("Crash", evidence.get("crash_class")),
        ("Access", evidence.get("access")),
        ("Top frame", Code(evidence["top_frame"]) if evidence.get("top_frame") else None),
        ("Runs that crashed", f"{evidence.get('crashed', 0)} of {evidence.get('runs', 0)}"),
        ("Isolation", evidence.get("isolation")),
        ("Weakness", ", ".join(line["cwe"])),
    ]


def _claims(view: dict[str, Any]) -> Table:
    return Table(
        "Claims, side by side",
        ["Party", "Part", "Vector", Column("Score", numeric=True), "Said", "Why"],
        [
            [
                c["party"],
                c["claimant"],
                Code(c["vector"]),
                _score(c),
                moment(c["made"]),
                c["words"],
            ]
            for c in view["severity"]["claims"]
        ],
        empty="Nobody has said anything of the severity yet.",
    )


def _score(claim: dict[str, Any]) -> str:
    party, vector = claim["party"], claim["vector"]
    parsed = Claim(Claimant(claim["claimant"]), party, vector, here().clock.now())
    return str(check_vector(parsed).base_score)


def _fixes(view: dict[str, Any]) -> Table:
    return Table(
        "Newest first",
        ["Version", "State", "What its execution showed", "Delivered", "Verified", "Note"],
        [
            [
                fix["version"],
                state("fix", fix["state"]),
                fix["evidence"].get("reason"),
                moment(fix["delivered_at"]),
                moment(fix["verified_at"]),
                fix["note"][:300],
            ]
            for fix in reversed(view["fixes"])
        ],
        empty="No fix has been delivered yet.",
    )


def _mails(view: dict[str, Any]) -> Table:
    rows = [
        [m["subject"], m["to"], moment(m["queued_at"]), moment(m["sent_at"]) or "not yet"]
        for m in reversed(view["mails"])
    ]
    return Table(f"Mail sent ({len(rows)})", ["Subject", "To", "Queued", "Sent"], rows[:SHOWN])


def _timeline(view: dict[str, Any]) -> list[Step]:
    newest = view["timeline"][: -SHOWN_EVENTS - 1 : -1]
    return [
        Step(title(each["event"]), "done", moment(each["time"]), str(each["org"]))
        for each in newest
    ]


@require_GET
@page(Permission.CASE_COORDINATE)
def participants(request: SignedIn, case_id: str) -> HttpResponse:
    """Every participant of a case, in pages."""
    form = PartyFilter(request.GET or None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    if not coordinates(request.actor):
        raise NotFound("no such thing here")
    found = case_view(request.actor, case_id)
    status, name = asked.get("status", ""), asked.get("name", "").lower()
    rows = [
        each
        for each in by_attention(found["participants"])
        if status in ("", each["status"]) and name in each["name"].lower()
    ]
    shown = Paginator(rows, 50).get_page(request.GET.get("page"))
    caption = f"Participants: {label('participant', status)}" if status else "All participants"
    context = {
        "case": found,
        "form": form if form.is_bound else PartyFilter(),
        "filtered": any(asked.values()),
        "page": shown,
        "table": parties_table(shown, caption),
        "trail": [
            ("Cases", "/cases/"),
            (found["title"][:60], f"/cases/{case_id}/"),
            ("Participants", ""),
        ],
        "page_marking": found["marking"],
    }
    return render(request, "pages/case_participants.html", context)


@require_GET
@page(Permission.CASE_READ)
def notes(request: SignedIn, case_id: str) -> HttpResponse:
    """Every note of a case, newest first, in pages."""
    found, rows = case_notes(request.actor, case_id)
    context = {
        "case": found,
        "page": Paginator(rows, 50).get_page(request.GET.get("page")),
        "trail": [("Cases", "/cases/"), (found.title[:60], f"/cases/{case_id}/"), ("Notes", "")],
        "page_marking": found.marking,
    }
    return render(request, "pages/case_notes.html", context)


@require_GET
@page(Permission.CASE_READ)
def recipe_file(request: SignedIn, case_id: str, finding_id: str) -> HttpResponse:
    """The recipe of a finding of the case as a file, for those who mend it."""
    lines = case_view(request.actor, case_id)["findings"]
    recipe = next((line.get("recipe") for line in lines if line["id"] == finding_id), None)
    if not recipe:
        raise NotFound("no such recipe")
    return as_file(f"{finding_id}.json", recipe)
