"""The lab's overview: what waits for its people, the release dates, window and assessment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from vedette.kernel.markings import RED
from vedette.kernel.permissions import Permission, Profile
from vedette.services import access, readiness
from vedette.services import acts as views
from vedette.services.assessments import list_assessments
from vedette.services.here import here
from vedette.services.peers import peers
from vedette.web.access import SignedIn
from vedette.web.cells import Step
from vedette.web.pages.acts import LIVE
from vedette.web.pages.assessments import scores
from vedette.web.pages.forms import moment
from vedette.web.pages.home_waiting import waiting
from vedette.web.pages.plan import coming_steps, dates_of
from vedette.web.pages.words import NO_GATE, act_noun, state

P = Permission


def overview(request: SignedIn) -> HttpResponse:
    """What is going on at the lab."""
    actor, now = request.actor, here().clock.now()
    plans = readiness.plans(actor) if actor.may(P.PLAN_READ) else []
    acts = views.acts(actor) if actor.may(P.ENGAGEMENT_READ) else []
    assessments = list_assessments(actor) if actor.may(P.ASSESSMENT_READ) else []
    current = next((p for p in plans if _coming(p, now)), plans[-1] if plans else None)
    plan = readiness.plan(actor, current["id"]) if current else None
    context = {
        "plan": plan,
        "dates": dates_of(plan)[1:] if plan else [],
        "may_plan": actor.may(P.PLAN_EDIT),
        "tasks": [*_tasks(request, plan, acts, assessments), *waiting(request, acts)],
        "coming": coming_steps(plan, now) if plan else [],
        "acts": [_act_line(d, plan["model"], acts) for d in plan["decisions"]] if plan else [],
        "window": window_of(acts),
        "assessment": assessments[0] if assessments else None,
        "intervals": scores(assessments[0].document) if assessments else [],
        "note": NO_GATE,
        "page_marking": RED,
    }
    return render(request, "pages/overview_lab.html", context)


def _coming(plan: dict[str, Any], now: datetime) -> bool:
    last = moment(plan["public_release"] or plan["partner_release"])
    return last is not None and last >= now


def window_of(acts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The window to show first: an open one, else the next one agreed, else the last."""
    windows = [act for act in acts if act["window"]]
    order = {"open": 0, "agreed": 1}
    windows.sort(key=lambda act: (order.get(act["window"], 2), act["opens"] or ""))
    if not windows:
        return None
    act = windows[0]
    return {
        **act,
        "tag": state("window", act["window"]),
        "opens": moment(act["opens"]),
        "closes": moment(act["closes"]),
    }


def _act_line(
    decision: dict[str, Any], model: str, acts: list[dict[str, Any]]
) -> tuple[str, Any, Any, str]:
    """An act's title, the lab's decision unless it is the offer that was made, that, its page."""
    standing = decision["standing"]
    own = [a for a in acts if a["kind"] == decision["act"] and a["model"] == model]
    said = standing and not (own and standing["choice"] == "offer")
    return (
        decision["title"],
        state("choice", standing["choice"]) if said else None,
        state("act", own[0]["state"]) if own else None,
        f"/acts/{own[0]['id']}/" if own else "/acts/",
    )


def _tasks(
    request: SignedIn,
    plan: dict[str, Any] | None,
    acts: list[dict[str, Any]],
    assessments: list[Any],
) -> list[Step]:
    """What somebody could do next, with a plan or without; nothing of it holds anything up."""
    actor, tasks = request.actor, []
    if plan and actor.may(P.PLAN_EDIT):
        tasks += [
            Step(
                f"Decide: {d['title'].lower()}",
                "attention",
                note=f"Section {d['clause']}, apart from the other two.",
                url=f"/acts/decide/{plan['id']}/{d['act']}/",
            )
            for d in plan["decisions"]
            if d["standing"] is None
        ]
    if plan and actor.may(P.ENGAGEMENT_OFFER):
        tasks += _to_offer(request, plan, acts)
    if actor.may(P.TERMS_SIGN):
        tasks += [
            Step(
                f"Propose the terms for {act['model']}",
                "attention",
                moment(act["opens"]),
                "The window is agreed when both sides have signed.",
                f"/acts/{act['id']}/terms/",
            )
            for act in acts
            if act["kind"] == "access-window"
            and act["state"] in LIVE
            and not _has_terms(request, act)
        ]
    if actor.may(P.SESSION_END):
        tasks += _to_set_up(request, acts)
    tasks += [
        Step("Read the newest assessment", "idle", row.made_at, "", f"/assessments/{row.id}/")
        for row in assessments[:1]
    ]
    return tasks


def _has_terms(request: SignedIn, act: dict[str, Any]) -> bool:
    return views.act_view(request.actor, act["id"])["terms"] is not None


def _to_offer(request: SignedIn, plan: dict[str, Any], acts: list[dict[str, Any]]) -> list[Step]:
    live = {a["kind"] for a in acts if a["model"] == plan["model"] and a["state"] in LIVE}
    wanted = [
        d
        for d in plan["decisions"]
        if d["standing"] and d["standing"]["choice"] == "offer" and d["act"] not in live
    ]
    offices = [p for p in peers(request.actor) if p["profile"] == str(Profile.OFFICE)]
    if wanted and not offices:
        note = "Hand an office this instance's card, and add theirs."
        return [Step("Exchange cards with an office", "attention", None, note, "/messages/#peers")]
    return [
        Step(
            f"Offer it: {act_noun(d['act'])}",
            "attention",
            note="You decided to; sending it is an act of its own.",
            url=f"/acts/offer/{plan['id']}/{d['act']}/",
        )
        for d in wanted
    ]


def _to_set_up(request: SignedIn, acts: list[dict[str, Any]]) -> list[Step]:
    known = {row["model"] for row in access.endpoints(request.actor)}
    models = {a["model"] for a in acts if a["kind"] == "access-window" and a["state"] == "accepted"}
    return [
        Step(
            f"Say where {model} is",
            "attention",
            note="The access proxy needs its address and key.",
            url="/models/",
        )
        for model in sorted(models - known)
    ]
