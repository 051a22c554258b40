"""The office's overview: offers, terms, sessions, runs and assessments that wait for its people."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from vedette.kernel.markings import AMBER
from vedette.kernel.permissions import Permission
from vedette.services import acts as views
from vedette.services.assessments import list_assessments
from vedette.services.engagement_views import determinations
from vedette.services.peers import peers
from vedette.services.runs import FINISHED, list_runs
from vedette.web.access import SignedIn
from vedette.web.cells import Step
from vedette.web.pages.assessments import assessed, scores
from vedette.web.pages.forms import moment
from vedette.web.pages.home_lab import window_of
from vedette.web.pages.home_waiting import waiting
from vedette.web.pages.words import act_noun, joined, state

P = Permission


def overview(request: SignedIn) -> HttpResponse:
    """What is going on at the office."""
    actor = request.actor
    acts = views.acts(actor) if actor.may(P.ENGAGEMENT_READ) else []
    runs = list_runs(actor) if actor.may(P.RUN_READ) else []
    assessments = list_assessments(actor) if actor.may(P.ASSESSMENT_READ) else []
    labs = [p for p in peers(actor) if p["profile"] == "lab"]
    newest = assessments[0] if assessments else None
    context = {
        "labs": labs,
        "acts": acts,
        "tasks": [
            *_engagement(request, acts),
            *waiting(request, acts),
            *_bench(request, runs, assessments),
        ],
        "window": window_of(acts),
        "run": _run(runs[0]) if runs else None,
        "assessment": newest,
        "intervals": scores(newest.document) if newest else [],
        "may_start": actor.may(P.RUN_START),
        "page_marking": joined(str(AMBER), *(row["marking"] for row in acts)),
    }
    return render(request, "pages/overview_office.html", context)


def _run(run: Any) -> dict[str, Any]:
    return {
        "id": run.id,
        "suite": run.suite,
        "tag": state("run", run.state),
        "names": ", ".join(subject["name"] for subject in run.subjects),
        "done": run.progress.get("done", 0),
        "total": run.progress.get("total", 0) or 1,
    }


def _engagement(request: SignedIn, acts: list[dict[str, Any]]) -> list[Step]:
    actor, tasks = request.actor, []
    if actor.may(P.ENGAGEMENT_ANSWER):
        tasks += [
            Step(
                f"Answer {act['peer']}: {act_noun(act['kind'])} for {act['model']}",
                "attention",
                moment(act["answer_by"]),
                "After that the offer lapses.",
                f"/acts/{act['id']}/",
            )
            for act in acts
            if act["state"] == "offered"
        ]
    accepted = [a for a in acts if a["kind"] == "access-window" and a["state"] == "accepted"]
    for act in accepted[:20]:
        found = views.act_view(actor, act["id"])
        unsigned = found["terms"] and not found["terms"]["agreed_at"]
        if unsigned and actor.may(P.TERMS_SIGN):
            tasks.append(
                Step(
                    f"Read and sign the terms for {act['model']}",
                    "attention",
                    moment(act["opens"]),
                    "Both signatures make the window.",
                    f"/acts/{act['id']}/terms/",
                )
            )
        if act["window"] == "open":
            tasks += _in_window(request, found)
    return tasks


def _in_window(request: SignedIn, found: dict[str, Any]) -> list[Step]:
    """What can be done inside an open window."""
    closes, tasks = moment(found["closes"]), []
    live = [s for s in found["sessions"] if s["state"] == "open"]
    if not live and request.actor.may(P.SESSION_OPEN) and _could_ask(request, found):
        url = f"/acts/{found['id']}/session/"
        note = "The window is open until then."
        tasks.append(Step(f"Ask for a session on {found['model']}", "attention", closes, note, url))
    if request.actor.may(P.RUN_START):
        tasks += [
            Step(
                f"Run a suite on {s['model']}",
                "attention",
                closes,
                f"The session of {s['person']} is open.",
                f"/runs/new/?session={s['id']}",
            )
            for s in live
            if not s["used"]["calls"]
        ]
    return tasks


def _could_ask(request: SignedIn, found: dict[str, Any]) -> bool:
    """Whether the terms name the reader, and calls and tokens are left."""
    terms, email = found["terms"] or {}, getattr(request.user, "email", "")
    named = any(person["id"] == email for person in terms.get("people", []))
    used = {key: sum(s["used"][key] for s in found["sessions"]) for key in ("calls", "tokens")}
    return named and all(used[key] < terms["quota"][key] for key in used)


def _bench(request: SignedIn, runs: list[Any], assessments: list[Any]) -> list[Step]:
    actor, tasks = request.actor, []
    made = {a.run_id for a in assessments}
    if actor.may(P.ASSESSMENT_MAKE):
        tasks += [
            Step(
                f"Make the assessment of {run.suite}",
                "attention",
                run.finished_at,
                "The run is finished.",
                f"/runs/{run.id}/",
            )
            for run in runs
            if run.state == FINISHED and run.session_id and run.id not in made
        ]
        tasks += [
            _about(row, "Share the assessment with the lab")
            for row in assessments
            if row.act_id and row.shared_at is None
        ]
    if actor.may(P.DETERMINATION_RECORD):
        known = {d.assessment_id for d in determinations(actor)}
        tasks += [
            _about(row, "Record a determination, if one is to be made")
            for row in assessments
            if row.act_id and row.shared_at and row.id not in known
        ]
    return tasks


def _about(row: Any, title: str) -> Step:
    names = ", ".join(assessed(row.document))
    return Step(f"{title}: {names}", "attention", row.made_at, "", f"/assessments/{row.id}/")
