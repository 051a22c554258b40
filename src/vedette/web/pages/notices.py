"""An operator's inbox, in the order of BOD 26-04, and its answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vedette.clearinghouse.states import NoticeState
from vedette.kernel.clock import parse_time, written
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.permissions import Permission, Profile
from vedette.kernel.words import counted, versioned
from vedette.ledger.timeline import title
from vedette.services import bulk_answers, notices, product_names, scores
from vedette.services.bulk_answers import MOST_AT_ONCE
from vedette.services.here import here
from vedette.services.operator_views import (
    index_status,
    inventory_names,
    notice_counts,
    notice_list,
    rows_in_use,
    suppressed_count,
)
from vedette.web.access import SignedIn, page
from vedette.web.cells import Code, Link, Step, Table
from vedette.web.pages import notice_export
from vedette.web.pages.forms import done, moment, tell
from vedette.web.pages.labels import sentences, state
from vedette.web.pages.many_answers import answer_chosen, undo_answer
from vedette.web.pages.notice_forms import ANSWERS, AnswerForm, Filter
from vedette.web.pages.published import record

MARKING = "TLP:AMBER"
MOST_NAMES = 20
WAITING = (NoticeState.UNANSWERED, NoticeState.PATCHED, NoticeState.DEFERRED)
FACTS = ("known to be exploited", "exposed", "automatable", "technical impact")


@require_GET
@page(Permission.NOTICE_READ)
def list_notices(request: SignedIn) -> HttpResponse:
    """The inbox: what to do, in order."""
    return inbox_page(request, AnswerForm(ANSWERS))


def inbox_page(request: SignedIn, answer: AnswerForm, status: int = 200) -> HttpResponse:
    """The inbox with the form that answers several notices at once."""
    form, rows = _filtered(request)
    shown = Paginator(rows, 25).get_page(request.GET.get("page"))
    likely = scores.of_notices([row.id for row in shown])
    context = {
        "page": shown,
        "rows": [
            {**notice_row(notices.describe(row), row.matches), "epss": percent(likely.get(row.id))}
            for row in shown
        ],
        "form": form,
        "filtered": form.narrows,
        "counts": notice_counts(request.actor),
        "inventories": form.fields["inventory"].choices[1:],  # type: ignore[attr-defined]
        "index": index_status(request.actor),
        "answer": answer,
        "chosen": request.POST.getlist("notice"),
        "most": min(shown.paginator.count, MOST_AT_ONCE),
        "undo": _undo(request),
        "suppressed": suppressed_count(request.actor),
        "may_answer": request.actor.may(Permission.ANSWER_GIVE),
        "page_marking": MARKING,
    }
    return render(request, "pages/notices.html", context, status=status)


def _filtered(request: SignedIn) -> tuple[Filter, QuerySet[Any]]:
    """The filter as asked, and the notices that fit it."""
    form = Filter(inventory_names(request.actor), rows_in_use(request.actor), request.GET)
    return form, notice_list(request.actor, **form.asked())


def _undo(request: SignedIn) -> dict[str, Any] | None:
    """The answer to several notices that was just given, while it can be undone."""
    batch = request.GET.get("batch", "")[:40]
    count = len(bulk_answers.in_batch(request.actor, batch))
    may = request.actor.may(Permission.ANSWER_GIVE)
    return {"batch": batch, "count": count} if count and may else None


def notice_row(found: dict[str, Any], matches: list[dict[str, Any]]) -> dict[str, Any]:
    """What a list says of one notice."""
    today = here().clock.now().date()
    deadline = date.fromisoformat(found["deadline"]) if found["deadline"] else None
    first = found["component"]
    waits = found["state"] in WAITING
    return {
        **found,
        "components": len({each["component"] for each in matches}),
        "waits": waits,
        "deadline": deadline,
        "left": days_left(deadline, today),
        "late": waits and deadline is not None and deadline < today,
        "soon": waits and deadline is not None and 0 <= (deadline - today).days <= 3,
        "what": versioned(first["name"], first["version"]),
        "state_tag": state("notice", found["state"]),
        "verdict_tag": state("verdict", found["verdict"]),
    }


def percent(score: float | None) -> str:
    """An EPSS score as people read it: "97.3%", "under 0.1%"."""
    if score is None:
        return ""
    return f"{100 * score:.1f}%" if score >= 0.001 else "under 0.1%"


def days_left(deadline: date | None, today: date) -> str:
    """How long a deadline leaves: "3 days left", "last day", "2 days late"."""
    if deadline is None:
        return "with the next upgrade"
    days = (deadline - today).days
    if days == 0:
        return "last day"
    return counted(abs(days), "day") + (" left" if days > 0 else " late")


@require_POST
@page(Permission.ANSWER_GIVE)
def answer_several(request: SignedIn) -> HttpResponse:
    """One answer to the chosen notices; each is an act of its own."""
    return answer_chosen(
        request,
        bulk_answers.answer_several,
        lambda: _filtered(request)[1],
        inbox_page,
        "/notices/",
    )


@require_POST
@page(Permission.ANSWER_GIVE)
def undo_several(request: SignedIn) -> HttpResponse:
    """Give the notices of one answer back what they had before."""
    return undo_answer(request, bulk_answers.undo, "/notices/")


@require_GET
@page(Permission.NOTICE_READ)
def export(request: SignedIn) -> HttpResponse:
    """The inbox as it is filtered, as CSV or JSON."""
    rows = [notices.describe(row) for row in _filtered(request)[1]]
    return notice_export.exported(request.GET.get("format", ""), rows, notice_export.COLUMNS)


@require_http_methods(["GET", "POST"])
@page(Permission.NOTICE_READ)
def notice(request: SignedIn, notice_id: str) -> HttpResponse:
    """One notice: what was found and why, and the answer to it."""
    found = notices.notice_view(request.actor, notice_id)
    posted = request.method == "POST"
    if posted:
        request.actor.require(Permission.ANSWER_GIVE)
    offered = found["answers"]
    if found["state"] == NoticeState.DEFERRED:
        offered = [str(NoticeState.DEFERRED), *offered]
    expires = moment(found["expires_at"])
    initial = {"control": found["control"], "expires": expires.date() if expires else None}
    form = AnswerForm(offered, request.POST if posted else None, initial=initial)
    if posted and form.is_valid():
        try:
            notices.answer_notice(request.actor, notice_id, *form.answer())
        except (BadInput, Refused) as error:
            tell(form, error)
        else:
            return done(request, "Your answer is kept.", "notice", notice_id)
    context = notice_context(request, found, form if offered else None)
    context["may_say"] = request.actor.may(Permission.ANSWER_GIVE)
    return render(request, "pages/notice.html", context, status=422 if form.errors else 200)


@require_POST
@page(Permission.ANSWER_GIVE)
def say_name(request: SignedIn, notice_id: str) -> HttpResponse:
    """Say whether an asset is the product that it is matched with."""
    return name_said(request, product_names.say, notice_id, "notice")


def name_said(
    request: SignedIn, say: Callable[..., Any], notice_id: str, back: str
) -> HttpResponse:
    """Say it as was chosen, and go back to the notice."""
    asked = request.POST
    names = asked.get("ours", ""), asked.get("theirs", "")
    try:
        row = say(request.actor, notice_id, *names, asked.get("same") == "yes")
    except (BadInput, Refused) as error:
        messages.warning(request, sentences(error))
        return redirect(back, notice_id)
    where = f" at {row.site}" if row.site else ""
    said = f"Remembered{where}, for every advisory; the inventories are matched anew."
    return done(request, said, back, notice_id)


def notice_context(
    request: SignedIn, found: dict[str, Any], form: Any, base: str = "/notices/"
) -> dict[str, Any]:
    """What the page of one notice shows; `base` is the inbox's address."""
    return {
        "at": f"{base}{found['id']}/",
        "names": product_names.pairs(found["matches"])[:MOST_NAMES],
        "notice": notice_row(found, found["matches"]),
        "facts": _facts(found),
        "about": _about(request, found),
        "matches": _matches(found["matches"]),
        "named": quote(found["inventory"]["name"]),
        "failed": found["evidence"].get("failed", {}).get("why", ""),
        "expired": found["evidence"].get("expired", {}).get("why", ""),
        "verified": found["evidence"].get("verified", {}).get("why", ""),
        "history": [
            Step(title(e["event"]), "done", parse_time(e["time"], field="time"))
            for e in reversed(found["history"])
        ],
        "form": form,
        "may_verify": request.actor.may(Permission.ANSWER_GIVE) and found["state"] == "patched",
        "trail": [("Notices", "/notices/"), (found["title"], "")],
        "page_marking": MARKING,
    }


def _facts(found: dict[str, Any]) -> list[tuple[str, Any]]:
    facts, assumed = found["facts"], found["facts"].get("assumed", [])
    names = ("kev", "exposed", "automatable", "impact")
    words = [facts.get(name) for name in names]
    said = ["yes" if w is True else "no" if w is False else str(w or "unknown") for w in words]
    rows: list[tuple[str, Any]] = [
        (text.capitalize(), f"{value}, taken because nobody says" if name in assumed else value)
        for text, value, name in zip(FACTS, said, names, strict=True)
    ]
    return [
        *rows,
        ("EPSS: exploited within 30 days", percent(found["epss"]) or "no score is known here"),
        ("Row of BOD 26-04", Code(found["row"])),
        ("Forensics asked for", bool(found["forensics"])),
        ("Rules in force", _pack(found["pack_digest"])),
    ]


def _pack(digest: str) -> Any:
    """The policy pack by its name where it is the one in force, else by its digest."""
    pack = here().pack
    return pack.ref if digest == pack.digest else Code(digest[:23])


def _about(request: SignedIn, found: dict[str, Any]) -> list[tuple[str, Any]]:
    expires = moment(found["expires_at"])
    inventory = found["inventory"]
    components = {each["component"] for each in found["matches"]}
    known: list[tuple[str, Any]] = [
        ("Advisory", _advisory(request, found["advisory"])),
        ("The same flaw in", _listed(found["also"])),
        ("Known as", _listed(found["known_as"])),
        ("Operator", found.get("operator", {}).get("name")),
        (
            "Inventory",
            inventory["name"]
            if "operator" in found
            else Link(inventory["name"], f"/inventories/{inventory['id']}/"),
        ),
        ("Components that match", len(components)),
        ("First found", moment(found["sent_at"])),
        ("Answered", moment(found["answered_at"])),
        ("By", found["answered_by"]),
        ("Mandate", found["mandate"] and Link(found["mandate"], f"/mandates/{found['mandate']}/")),
        ("Compensating control", found["control"]),
        ("Deferred until", written(expires) if expires else None),
        ("Verified", moment(found["verified_at"])),
    ]
    return [(name, value) for name, value in known if value]


def _listed(names: list[str]) -> Link | str:
    if len(names) == 1:
        return record(names[0])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _advisory(request: SignedIn, name: str) -> Link | Code:
    """The advisory's own page, where it is one of the clearinghouse's."""
    if not name.startswith("x_vedette-"):
        found = record(name)
        return found if isinstance(found, Link) else Code(name)
    if here().profile == Profile.CLEARINGHOUSE:
        return Link(name, f"/advisories/{name}/")
    build = index_status(request.actor).build
    house = build.peer.url if build and build.peer else ""
    if house:
        return Link(name, f"{house}/advisories/{name}/")
    return Code(name)


def _matches(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "What matched, and why",
        [
            "Component",
            "Version",
            "Record",
            "Affected range",
            "Fixed in",
            "Verdict",
            "Confidence",
            "Reason",
        ],
        [
            [
                each["name"],
                each["version"],
                record(each["advisory"]),
                each["range"],
                ", ".join(each["fixed"]),
                state("verdict", each["verdict"]),
                str(each["confidence"]),
                each["reason"],
            ]
            for each in rows[:100]
        ],
        empty="Nothing matches any more.",
    )


@require_POST
@page(Permission.ANSWER_GIVE)
def verify(request: SignedIn, notice_id: str) -> HttpResponse:
    """Match the newest inventory against a notice that was answered as patched."""
    try:
        notices.verify_notice(request.actor, notice_id)
    except Refused as error:
        messages.warning(request, sentences(error))
        return redirect("notice", notice_id)
    return done(request, "Verified: the newest inventory no longer holds it.", "notice", notice_id)
