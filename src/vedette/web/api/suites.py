"""Suites of an office: what can be run, keyholders, unsealing by two, exposures and decisions."""

from __future__ import annotations

from typing import Any

from ninja import Schema
from pydantic import Field

from vedette.kernel.clock import format_time
from vedette.services import custody_views, exposure_views, exposures, keyholders, unsealing
from vedette.services import suites as kept
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Code, Note

router = Router(tags=["suites"])


class UnsealIn(Schema):
    """One keyholder's half; the code is kept nowhere."""

    code: Code
    why: Note = ""


class SendItemsIn(Schema):
    act: str = Field(max_length=40)
    why: Note


class DiscloseItemIn(Schema):
    item: str = Field(max_length=64, description="as the run calls it")
    why: Note


@router.get("/suites", summary="Suites that can be run here")
def suites(request: Asked) -> list[dict[str, Any]]:
    return [
        {
            "id": suite.id,
            "name": suite.name,
            "version": suite.version,
            "title": suite.title,
            "items": suite.count,
            "digest": suite.digest,
            "state": suite.state or "shipped",
        }
        for suite in kept.suites()
    ]


@router.get("/suites/exposures", summary="Suites with their exposures, and what is left of them")
def exposed(request: Asked) -> list[dict[str, Any]]:
    return [exposure_views.as_json(row) for row in exposure_views.overview(request.auth)]


@router.get("/suites/{suite_id}/exposures", summary="A taken suite's exposures, newest first")
def suite_exposures(
    request: Asked, suite_id: str, item: str = "", custody: str = "", run: str = ""
) -> list[dict[str, Any]]:
    rows = exposure_views.ledger(request.auth, suite_id, item=item, custody=custody, run=run)
    return [exposure_views.as_json(row) for row in rows]


@router.get("/keyholders", summary="Those any two of whom unseal a suite")
def list_keyholders(request: Asked) -> list[dict[str, Any]]:
    return [
        {"id": row.id, "person": row.person, "since": format_time(row.made_at)}
        for row in keyholders.holders(request.auth)
    ]


@router.post("/keyholders", summary="Become a keyholder, or one anew; the code is shown once")
def become_keyholder(request: Asked) -> dict[str, Any]:
    return {"code": keyholders.become(request.auth)}


@router.post("/suites/{suite_id}/unseal", summary="Propose to unseal a suite, with one's own code")
def unseal_suite(request: Asked, suite_id: str, body: UnsealIn) -> dict[str, Any]:
    """A second keyholder seconds the proposal with theirs; one person alone opens nothing."""
    made = unsealing.ask_unsealing(request.auth, suite_id, body.code, body.why)
    return {"done": False, "proposal": made.id, "lapses": format_time(made.lapses_at)}


@router.post("/suites/{suite_id}/seal", summary="Seal a suite again: its key here is destroyed")
def seal_suite(request: Asked, suite_id: str) -> dict[str, Any]:
    row = unsealing.take_back(request.auth, suite_id)
    return {"id": row.id, "name": row.name, "state": row.state}


@router.post("/suites/{suite_id}/send", summary="Decide that a lab's model may see its items")
def send_items(request: Asked, suite_id: str, body: SendItemsIn) -> dict[str, Any]:
    made = exposures.decide_sending(request.auth, suite_id, body.act, body.why)
    return custody_views.outcome(made)


@router.post("/runs/{run_id}/disclose", summary="Decide that what it found in an item may go out")
def disclose_item(request: Asked, run_id: str, body: DiscloseItemIn) -> dict[str, Any]:
    made = exposures.decide_disclosing(request.auth, run_id, body.item, body.why)
    return custody_views.outcome(made)
