"""Runs, assessments and determinations."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Body, Schema
from pydantic import Field

from vedette.services import (
    assessment_reports,
    assessments,
    determination_bases,
    forecasts,
    landscape,
    run_commitments,
    run_crashes,
    run_keys,
    run_plans,
    runs,
)
from vedette.services.documents import page_watermark
from vedette.services.runs import DEFAULT_REFERENCES
from vedette.web.api.idempotency import Asked, Router

router = Router(tags=["assessment"])
REPORT = {
    "responses": {
        200: {
            "content": {
                kind.partition(";")[0]: {"schema": {"type": "string"}}
                for kind, _ in assessment_reports.FORMS.values()
            }
        }
    }
}


class RunIn(Schema):
    """What to run, on what."""

    suite: str = Field(max_length=200, examples=["daemons"])
    session: str = Field("", max_length=40, description="an open session; empty: references only")
    references: list[str] = Field(list(DEFAULT_REFERENCES), max_length=20)
    seed: int = Field(0, ge=0, le=2**31)
    trials: int = Field(1, ge=1, le=100)
    budget: dict[str, int] = Field({}, examples=[{"executions": 256}])
    custody: str = Field("", max_length=20, description="empty: what the rest makes of it")
    act: str = Field("", max_length=40, description="the act, where no session says it")
    model: str = Field("", max_length=200, description="empty: the one that the act names")
    base_url: str = Field("", max_length=500, description="weights-here: served where")
    threshold: str = Field("", max_length=20, description="committed to behind a nonce, sealed")


class RunPlanIn(RunIn):
    """A run that is only reckoned; the expectation and the threshold are kept nowhere."""

    expected: float | None = Field(None, ge=0.001, le=0.999, description="share of items solved")
    spread: float = Field(1.0, ge=0.01, le=5, description="standard deviation of its log odds")


Released = Annotated[dict[str, Any], Body()]


class AssessmentIn(Schema):
    run: str = Field(max_length=40)
    limits: list[str] = Field([], max_length=50, description="what else this does not show")


class Consulted(Schema):
    office: str = Field(max_length=200)
    view: str = Field(max_length=1000)
    on: str = Field(max_length=10, examples=["2026-12-20"])


class DeterminationIn(Schema):
    """A determination; the threshold stays here."""

    subject: str = Field(max_length=200)
    threshold: str = Field(
        "", max_length=20, examples=["0.50"], description="empty: the one committed to"
    )
    maker: str = Field(max_length=200)
    why: str = Field(max_length=4000)
    consulted: list[Consulted] = Field([], max_length=50)
    outcome: str = Field("", max_length=40, description="empty: what the interval supports")
    review: str = Field("", max_length=40, description="the review that it rests on")
    build: str = Field("", max_length=200, description="empty: what the session names")
    earlier: str = Field("", max_length=40, description="the determination that it re-tests")


class ReviewedIn(Schema):
    """A determination on a review alone: nothing was run, so its maker names the outcome."""

    outcome: str = Field(max_length=40)
    maker: str = Field(max_length=200)
    why: str = Field(max_length=4000)
    consulted: list[Consulted] = Field([], max_length=50)
    build: str = Field("", max_length=200)
    earlier: str = Field("", max_length=40)


@router.get("/runs", summary="Runs, newest first")
def list_runs(request: Asked) -> list[dict[str, Any]]:
    return [runs.as_json(run) for run in runs.list_runs(request.auth)]


@router.post("/runs", summary="Commit to a run and have it run")
def start_run(request: Asked, body: RunIn) -> dict[str, Any]:
    run = runs.start_run(
        request.auth,
        body.suite,
        session_id=body.session,
        references=body.references,
        seed=body.seed,
        trials=body.trials,
        budget=body.budget,
        custody=body.custody,
        act_id=body.act,
        model=body.model,
        base_url=body.base_url,
        threshold=body.threshold,
    )
    return runs.as_json(run)


@router.post(
    "/runs/plan", summary="What a run would cost, and how likely it brings a determination"
)
def plan_run(request: Asked, body: RunPlanIn) -> dict[str, Any]:
    """Nothing is started, kept or opened. What it needs first stands in `hints`."""
    told = body.dict()
    suite, session, act = told.pop("suite"), told.pop("session"), told.pop("act")
    return run_plans.plan_run(request.auth, suite, session_id=session, act_id=act, **told)


@router.get("/runs/{run_id}", summary="A run and how far it is")
def one_run(request: Asked, run_id: str) -> dict[str, Any]:
    return runs.as_json(runs.run_view(request.auth, run_id))


@router.get("/runs/{run_id}/commitment", summary="What the run committed to, signed (DSSE)")
def run_commitment(request: Asked, run_id: str) -> dict[str, Any]:
    return run_commitments.commitment_view(request.auth, run_id)


@router.post(
    "/runs/{run_id}/keys", summary="Give the lab one of its bundle's two keys, as released"
)
def give_key(request: Asked, run_id: str, body: Released) -> dict[str, Any]:
    """`body` is what `vedette bench release` wrote. Two persons give the two."""
    run = run_keys.give_key(request.auth, run_id, json.dumps(body).encode())
    return {"run": run.id, "given": run.custody_record["given"], "missing": run_keys.waiting(run)}


@router.get("/given-keys", summary="As a lab: keys of item bundles that an office gave")
def list_given_keys(request: Asked, act: str = "", bundle: str = "") -> list[dict[str, Any]]:
    rows = run_keys.given_keys(request.auth, act_id=act, bundle=bundle)
    return [run_keys.as_json(row) for row in rows]


@router.get("/runs/{run_id}/result", summary="A finished run's samples, calls and evidence")
def run_result(request: Asked, run_id: str) -> dict[str, Any]:
    return runs.exported_result(request.auth, run_id).to_json()


@router.post("/runs/{run_id}/again", summary="Go on with a run that failed")
def again(request: Asked, run_id: str) -> dict[str, Any]:
    return runs.as_json(runs.again(request.auth, run_id))


@router.post("/runs/{run_id}/findings", summary="Report the crashes that a run uncovered")
def report(request: Asked, run_id: str) -> list[dict[str, str]]:
    found = run_crashes.report_crashes(request.auth, run_id)
    return [{"id": finding.id, "title": finding.title} for finding in found]


class ForecastIn(Schema):
    """What a window may still bring; the threshold is kept sealed."""

    suite: str = Field(max_length=200, examples=["daemons"])
    threshold: str = Field(max_length=20, examples=["0.50"])
    expected: float = Field(ge=0.001, le=0.999, description="share of items solved")
    spread: float = Field(1.0, ge=0.01, le=5, description="standard deviation of its log odds")
    trials: int = Field(1, ge=1, le=100)
    per_day: float = Field(ge=0.01, le=1e9, description="samples a day")
    tokens_each: int = Field(ge=1, le=10**12, description="tokens a sample")
    exposures: int | None = Field(None, ge=0, le=10**9, description="items that may be shown")
    seed: int = Field(0, ge=0, le=2**31)


@router.get("/acts/{act_id}/forecasts", summary="How likely a window brings a determination")
def list_forecasts(request: Asked, act_id: str) -> list[dict[str, Any]]:
    return [forecasts.as_json(each) for each in forecasts.forecasts_of(request.auth, act_id)]


@router.post("/acts/{act_id}/forecasts", summary="Plan a window; it is planned anew each day")
def plan_window(request: Asked, act_id: str, body: ForecastIn) -> dict[str, Any]:
    told = body.dict()
    suite, threshold = told.pop("suite"), told.pop("threshold")
    row = forecasts.plan_window(
        request.auth, act_id, suite, threshold=threshold, given=forecasts.Given(**told)
    )
    return {"id": row.id, "act": row.act_id, "suite": row.suite}


@router.get("/landscape", summary="Assessed models over time, by domain, from what was shared")
def read_landscape(request: Asked) -> dict[str, Any]:
    return landscape.landscape(request.auth)[0]


@router.get("/assessments", summary="Assessments made or received, newest first")
def list_assessments(request: Asked) -> list[dict[str, Any]]:
    rows = assessments.listed_assessments(request.auth)
    return [assessments.for_programs(request.auth, row) for row, _ in rows]


@router.post("/assessments", summary="Compute the assessment of a finished run")
def make(request: Asked, body: AssessmentIn) -> dict[str, Any]:
    return assessments.as_json(assessments.make_assessment(request.auth, body.run, body.limits))


@router.get("/assessments/{assessment_id}", summary="An assessment and its determinations")
def one_assessment(request: Asked, assessment_id: str) -> dict[str, Any]:
    row, records = assessments.assessment_view(request.auth, assessment_id)
    return {
        **assessments.for_programs(request.auth, row),
        "determinations": [assessments.for_programs(request.auth, record) for record in records],
    }


@router.get(
    "/assessments/{assessment_id}/report",
    summary="The report for a reader, in a form",
    openapi_extra=REPORT,
)
def report_page(
    request: Asked,
    assessment_id: str,
    audience: Literal["office", "lab", "operators"] = "office",
    form: Literal["html", "pdf", "json", "intoto", "eval"] = "html",
) -> HttpResponse:
    row, _ = assessments.assessment_view(request.auth, assessment_id)
    stamp = page_watermark(request.auth, assessment_id, row.act_id)
    made = assessment_reports.report(
        request.auth, assessment_id, audience=audience, form=form, stamp=stamp
    )
    answer = HttpResponse(made.data, content_type=made.content_type)
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    )
    return answer


@router.post("/assessments/{assessment_id}/share", summary="Send the summary to the lab")
def share(request: Asked, assessment_id: str) -> dict[str, Any]:
    return assessments.as_json(assessments.share_assessment(request.auth, assessment_id))


@router.post("/assessments/{assessment_id}/determinations", summary="Record a determination")
def determine(request: Asked, assessment_id: str, body: DeterminationIn) -> dict[str, Any]:
    row = assessments.record_determination(
        request.auth,
        assessment_id,
        subject=body.subject,
        threshold=body.threshold,
        maker=body.maker,
        why=body.why,
        consulted=[consulted.dict() for consulted in body.consulted],
        outcome=body.outcome,
        review=body.review,
        build=body.build,
        earlier=body.earlier,
    )
    return assessments.as_json(row)


@router.post("/reviews/{review_id}/determinations", summary="Record one on a review, without a run")
def determine_on_review(request: Asked, review_id: str, body: ReviewedIn) -> dict[str, Any]:
    given = body.dict()
    row = assessments.record_determination(
        request.auth, "", subject="", threshold="", review=review_id, **given
    )
    return assessments.as_json(row)


@router.get("/determinations/{determination_id}/basis", summary="What it rests on, and still does")
def basis(request: Asked, determination_id: str) -> dict[str, Any]:
    return determination_bases.basis_view(request.auth, determination_id)
