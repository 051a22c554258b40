"""The lab's plan, dossier and decisions."""

from __future__ import annotations

from typing import Any

from ninja import Schema
from pydantic import Field

from vedette.services import readiness
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Moment, Name

router = Router(tags=["readiness"])


class PlanIn(Schema):
    model: Name
    partner_release: Moment
    public_release: Moment | None = None
    window_days: int | None = None
    reason: str = ""


class PlanLine(Schema):
    id: str
    model: str
    partner_release: str
    public_release: str | None
    window_days: int | None


class Hours(Schema):
    opens: str
    closes: str


class Step(Schema):
    name: str
    latest_start: str
    due: str


class PlanOut(PlanLine):
    window: Hours
    steps: list[Step]
    pack: str
    made_at: str
    changes: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    dossier: dict[str, int]


class DossierIn(Schema):
    model: Name
    values: dict[str, str]


class DossierOut(Schema):
    model: str
    filled: int
    total: int
    filled_at: str | None
    pack: str
    sections: list[dict[str, Any]]


class DecisionIn(Schema):
    plan: str
    act: str
    choice: str
    reason: str = ""
    conditions: list[str] = Field(default_factory=list)


@router.get("/plans", response=list[PlanLine], operation_id="listPlans", summary="Release plans")
def list_plans(request: Asked) -> Any:
    return readiness.plans(request.auth)


@router.post("/plans", response=PlanOut, operation_id="makePlan", summary="Make or change a plan")
def make_plan(request: Asked, body: PlanIn) -> Any:
    """The same model again changes its plan; the change log keeps both dates and the reason."""
    made = readiness.make_plan(request.auth, **body.dict())
    return readiness.plan(request.auth, made.id)


@router.get("/plans/{plan_id}", response=PlanOut, operation_id="readPlan", summary="One plan")
def read_plan(request: Asked, plan_id: str) -> Any:
    return readiness.plan(request.auth, plan_id)


@router.get(
    "/dossiers", response=DossierOut, operation_id="readDossier", summary="A model's dossier"
)
def read_dossier(request: Asked, model: str) -> Any:
    return readiness.dossier(request.auth, model)


@router.post(
    "/dossiers", response=DossierOut, operation_id="fillDossier", summary="Fill fields of a dossier"
)
def fill_dossier(request: Asked, body: DossierIn) -> Any:
    """Fields that are not named stay as they are; an empty text empties one."""
    readiness.fill_dossier(request.auth, body.model, body.values)
    return readiness.dossier(request.auth, body.model)


@router.get(
    "/decisions",
    response=list[dict[str, Any]],
    operation_id="listDecisions",
    summary="The lab's decisions on each act",
)
def list_decisions(request: Asked, plan: str) -> Any:
    return readiness.plan(request.auth, plan)["decisions"]


@router.post(
    "/decisions",
    response=list[dict[str, Any]],
    operation_id="decide",
    summary="Decide on one of the three acts",
)
def decide(request: Asked, body: DecisionIn) -> Any:
    """Choices: offer, not-now, decline. The latest counts, and no reason is owed."""
    readiness.decide(
        request.auth, body.plan, body.act, body.choice, body.reason, tuple(body.conditions)
    )
    return readiness.plan(request.auth, body.plan)["decisions"]
