"""The three voluntary acts: each with its own card, its history and the moves this side has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from vedette.engagement.acts import ACTS
from vedette.engagement.table import Actor as Side
from vedette.engagement.window import WINDOW
from vedette.kernel.errors import NotFound
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.permissions import Permission
from vedette.kernel.portions import Portion
from vedette.services import acts as views
from vedette.services import engagement, readiness
from vedette.services.custody import destroyed_at
from vedette.services.documents import act_sources, dossier_portions, page_watermark
from vedette.services.engagement_views import history
from vedette.services.partners import seats_of
from vedette.services.review_views import reviews
from vedette.services.sides import may_move, own_side
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Link, Step, Table
from vedette.web.pages.attachments import files_table
from vedette.web.pages.forms import Lines, done, form_page, long_text, moment, posted, submitted
from vedette.web.pages.partners import partners_table, seats_table
from vedette.web.pages.run_custody import given_table
from vedette.web.pages.words import (
    CHOICES,
    NO_GATE,
    act_noun,
    bases,
    joined,
    purposes,
    state,
)

LIVE = ("offered", "accepted")
LASTING = ("agreed", "open")
DO: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "accept": (engagement.answer_act, ("accepted",)),
    "decline": (engagement.answer_act, ("declined",)),
    "withdraw": (engagement.withdraw_act, ()),
    "end": (engagement.end_window, ()),
}


class ReasonForm(forms.Form):
    """A reason, where somebody likes to give one."""

    reason = long_text("Reason", "It goes to the other side. None is owed.", limit=4_000, rows=3)


class DecisionForm(forms.Form):
    """The lab's own decision on one act."""

    choice = forms.ChoiceField(
        label="What do you decide?",
        choices=[(key, text.capitalize()) for key, text in CHOICES.items()],
        widget=forms.RadioSelect,
    )
    reason = long_text("Why", "For your own record.", limit=20_000)
    conditions = Lines(
        label="Conditions that void it", help_text="One a line.", required=False, max_length=100_000
    )


@require_GET
@page(Permission.ENGAGEMENT_READ)
def acts(request: SignedIn) -> HttpResponse:
    """All acts; on a lab's instance with the lab's own decision on each of the three."""
    side = own_side()
    rows = views.acts(request.actor)
    context: dict[str, Any] = {
        "table": _table(rows, "Every offer, newest first"),
        "rows": rows,
        "page_marking": joined(str(AMBER), *(row["marking"] for row in rows)),
        "note": NO_GATE if request.actor.host else "",
    }
    if side == Side.OFFICE:
        open_ones = [row for row in rows if row["state"] == "offered"]
        context["waiting"] = _table(open_ones, "Waiting for an answer")
        return render(request, "pages/acts_office.html", context)
    if request.actor.host and request.actor.may(Permission.PLAN_READ):
        plans = readiness.plans(request.actor)
        chosen = request.GET.get("plan", "")
        plan = next((p for p in plans if p["id"] == chosen), plans[-1] if plans else None)
        context |= {"plans": plans, "plan": plan, "page_marking": Marking()}
        context["may_plan"] = request.actor.may(Permission.PLAN_EDIT)
        context["cards"] = _cards(request, plan["id"], rows) if plan else []
    return render(request, "pages/acts_lab.html", context)


def _given_keys(request: SignedIn, act_id: str) -> Table | None:
    if own_side() != Side.LAB or not request.actor.host:
        return None
    found = given_table(request.actor, act_id)
    return found if found.rows else None


def _table(rows: list[dict[str, Any]], caption: str) -> Table:
    """Acts as a table, the newest first."""
    return Table(
        caption,
        ["Act", "Model", "With", "State", "Offered", "Answer by", "Window"],
        [
            [
                Link(act_noun(row["kind"]).capitalize(), f"/acts/{row['id']}/"),
                row["model"],
                row["peer"],
                state("act", row["state"]),
                moment(row["offered_at"]),
                moment(row["answer_by"]) if row["state"] == "offered" else None,
                state("window", row["window"]) if row["window"] else None,
            ]
            for row in rows
        ],
        empty="None.",
    )


def _cards(request: SignedIn, plan_id: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    plan = readiness.plan(request.actor, plan_id)
    cards = []
    for decision in plan["decisions"]:
        kind, standing = decision["act"], decision["standing"]
        own = [r for r in rows if r["kind"] == kind and r["model"] == plan["model"]]
        may_offer = request.actor.may(Permission.ENGAGEMENT_OFFER)
        cards.append(
            {
                **decision,
                "choice": state("choice", standing["choice"]) if standing else None,
                "decided_at": moment(standing["decided_at"]) if standing else None,
                "earlier": [
                    Step(
                        CHOICES.get(one["choice"], one["choice"]).capitalize(),
                        "ended",
                        moment(one["decided_at"]),
                        " ".join(filter(None, [f"By {one['decided_by']}.", one["reason"]])),
                    )
                    for one in reversed(decision["earlier"])
                ],
                "acts": Table(
                    "Offers of this act",
                    ["Offered", "To", "State"],
                    [
                        [
                            Link(f"{moment(r['offered_at']):%-d %b %Y}", f"/acts/{r['id']}/"),
                            r["peer"],
                            state("act", r["state"]),
                        ]
                        for r in own
                    ],
                    empty="Not offered.",
                ),
                "decide_url": f"/acts/decide/{plan_id}/{kind}/"
                if request.actor.may(Permission.PLAN_EDIT)
                else "",
                "offer_url": f"/acts/offer/{plan_id}/{kind}/" if may_offer else "",
                "live": any(r["state"] in LIVE for r in own),
            }
        )
    return cards


@require_GET
@page(Permission.ENGAGEMENT_READ)
def act(request: SignedIn, act_id: str) -> HttpResponse:
    """One act: what is offered, where it stands, what this side can do."""
    own_side()
    found = views.act_view(request.actor, act_id, on_page=True)
    dossier = dossier_portions(request.actor, found["dossier"], Marking.parse(found["marking"]))
    shown = [part for part in dossier if isinstance(part, Portion)]
    context = {
        "act": found,
        "title": act_noun(found["kind"]).capitalize(),
        "state": state("act", found["state"]),
        "window_state": state("window", found["window"]) if found["window"] else None,
        "opens": moment(found["opens"]),
        "closes": moment(found["closes"]),
        "release": (release := _release(request, found)),
        "facts": facts_of(found),
        "dossier": dossier,
        "partners": partners_table(found["partners"], "Who is named"),
        "seats": seats_table(seats_of(request.actor, act_id)) if found["partners"] else None,
        "moves": [{**m, "url": _move_url(act_id, m["trigger"])} for m in found["moves"]],
        "may_follow": request.actor.may(Permission.LEDGER_READ),
        "history": [
            Step(
                told.what,
                "done",
                told.at,
                " ".join(
                    [
                        *([f"{told.person}."] if told.person else []),
                        *([f"As {act_noun(told.role)}."] if told.role else []),
                    ]
                ),
            )
            for told in history(request.actor, act_id)
        ],
        "files": files_table(request.actor, act_id) if not found.get("withheld") else None,
        "given_keys": _given_keys(request, act_id),
        "is_lab": own_side() == Side.LAB,
        "may_forecast": own_side() == Side.OFFICE
        and request.actor.may(Permission.DETERMINATION_RECORD)
        and not found.get("withheld"),
        "destroyed_at": destroyed_at(request.actor, act_id),
        "note": NO_GATE,
        "waves_url": f"/acts/{act_id}/waves/"
        if own_side() == Side.LAB and request.actor.may(Permission.ENGAGEMENT_OFFER)
        else "",
        "terms_url": _terms_url(request, found),
        **_review(request, found),
        "trail": [("Acts", "/acts/"), (f"{act_noun(found['kind'])} for {found['model']}", "")],
        "page_marking": joined(
            found["marking"], *(part.marking for part in shown), *([Marking()] if release else [])
        ),
        "page_sources": act_sources(act_id),
        "watermark": page_watermark(request.actor, act_id, act_id)
        if own_side() == Side.OFFICE
        else None,
    }
    return render(request, "pages/act.html", context)


def _release(request: SignedIn, found: dict[str, Any]) -> datetime | None:
    """For the lab's own planners, a partner release that comes before the window's last hour."""
    own = request.actor.host and own_side() == Side.LAB
    if not (own and request.actor.may(Permission.PLAN_READ) and found["window"] in LASTING):
        return None
    plans = readiness.plans(request.actor)
    planned = [p["partner_release"] for p in plans if p["model"] == found["model"]]
    return next((moment(at) for at in planned if at < found["closes"]), None)


def facts_of(found: dict[str, Any]) -> list[tuple[str, Cell]]:
    """What an act says, as pairs."""
    pairs: list[tuple[str, Cell]] = [
        ("Model", found["model"]),
        ("With", found["peer"]),
        ("Offered", moment(found["offered_at"])),
        ("Answer by", moment(found["answer_by"])),
        ("Answered", moment(found["answered_at"])),
    ]
    if found["kind"] == "access-window":
        pairs += [
            ("Window opens", moment(found["opens"])),
            ("Window closes", moment(found["closes"])),
            ("Basis", bases().get(found["basis"], found["basis"])),
            ("Purpose", purposes().get(found["purpose"], found["purpose"])),
        ]
    pairs += [
        ("Note", found["note"]),
        ("Reason given", found["reason"]),
        ("Declassify on", found["declassify"]),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]


def _move_url(act_id: str, trigger: str) -> str:
    return f"/acts/{act_id}/again/" if trigger == "offer" else f"/acts/{act_id}/do/{trigger}/"


def _review(request: SignedIn, found: dict[str, Any]) -> dict[str, Any]:
    """The review of an act on an office's instance; on a lab's, whether the dossier goes anew."""
    actor, stands = request.actor, found["state"] in LIVE
    if own_side() == Side.LAB:
        return {"may_update": actor.host and actor.may(Permission.ENGAGEMENT_OFFER) and stands}
    rows = reviews(actor, act_id=found["id"]) if actor.may(Permission.REVIEW_READ) else []
    opens = not rows and stands and actor.host and actor.may(Permission.REVIEW_LEAD)
    return {"review": rows[0] if rows else None, "may_review": opens}


def _terms_url(request: SignedIn, found: dict[str, Any]) -> str:
    """Where the terms are read or proposed, "" where there are none and none can be."""
    proposes = own_side() == Side.LAB and request.actor.may(Permission.TERMS_SIGN)
    if found["terms"] or (found["kind"] == "access-window" and proposes and found["state"] in LIVE):
        return f"/acts/{found['id']}/terms/"
    return ""


@require_http_methods(["GET", "POST"])
@page(Permission.ENGAGEMENT_READ)
def move(request: SignedIn, act_id: str, trigger: str) -> HttpResponse:
    """Take one move of the table: accept, decline, withdraw, or end the window at once."""
    if trigger not in DO:
        raise NotFound("no such move")
    found = views.act_view(request.actor, act_id)
    table, at = (WINDOW, found["window"]) if trigger == "end" else (ACTS, found["state"])
    row = table.step(at or "not agreed", trigger, own_side())
    may_move(request.actor, row)
    form = ReasonForm(posted(request))
    call, answer = DO[trigger]
    made = submitted(request, form, lambda v: call(request.actor, act_id, *answer, v["reason"]))
    if made is not None:
        return done(request, f"The act is {made.state} now; the other side is told.", "act", act_id)
    context = {
        "title": row.label,
        "kicker": f"{act_noun(found['kind']).capitalize()} for {found['model']}",
        "lede": _consequence(trigger, own_side()),
        "button": row.label,
        "danger": trigger in ("end", "withdraw"),
        "back": f"/acts/{act_id}/",
        "trail": [
            ("Acts", "/acts/"),
            (act_noun(found["kind"]), f"/acts/{act_id}/"),
            (row.label, ""),
        ],
        "note": NO_GATE if own_side() == Side.LAB else "",
        "page_marking": found["marking"],
    }
    return form_page(request, form, context)


def _consequence(trigger: str, side: Side) -> str:
    again = "You can offer it again at any time." if side == Side.LAB else ""
    said = {
        "accept": "For a window the terms come next; nothing opens before both sides sign them.",
        "decline": "The lab may offer it again. It counts as nobody's fault.",
        "withdraw": f"A window that has not closed ends at once, and its sessions with it. {again}",
        "end": f"The window and its sessions end at once; the act is withdrawn with it. {again}",
    }
    return said[trigger]


@require_http_methods(["GET", "POST"])
@page(Permission.PLAN_EDIT)
def decide(request: SignedIn, plan_id: str, kind: str) -> HttpResponse:
    """Record the lab's decision on one act, apart from the others."""
    plan = readiness.plan(request.actor, plan_id)
    found = next((d for d in plan["decisions"] if d["act"] == kind), None)
    if found is None:
        raise NotFound("no such act")
    form = DecisionForm(posted(request))
    made = submitted(
        request,
        form,
        lambda v: readiness.decide(
            request.actor, plan_id, kind, v["choice"], v["reason"], tuple(v["conditions"])
        ),
    )
    if made is not None:
        return done(request, f"Decided: {CHOICES[made.choice]}. It stays on record here.", "acts")
    context = {
        "title": found["title"],
        "kicker": f"Your decision · section {found['clause']}",
        "lede": f"{found['text']} The decision is your own record and stays here; you may decide"
        " anew at any time, and nothing follows from it for the other two acts.",
        "button": "Record the decision",
        "back": f"/acts/?plan={plan_id}",
        "trail": [("Acts", f"/acts/?plan={plan_id}"), (found["title"], "")],
        "note": NO_GATE,
        "page_marking": Marking(),
    }
    return form_page(request, form, context)
