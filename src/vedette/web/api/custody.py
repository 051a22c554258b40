"""Custody, holds, acts of two persons, the reading log."""

from __future__ import annotations

from typing import Any

from ninja import Schema
from pydantic import Field

from vedette.services import custody, custody_views, holds, readings, two_person
from vedette.services.hold_views import hold_row
from vedette.services.sides import page_moment
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Code, Moment, Note

router = Router(tags=["custody"])


class CustodyWhyIn(Schema):
    why: Note = ""


class HoldIn(Schema):
    kind: str = Field(max_length=40, examples=["records"])
    basis: str = Field(max_length=300)
    authority: str = Field(max_length=300)
    note: Note = ""
    until: Moment | None = None


class CustodyReasonIn(Schema):
    reason: Note = ""


class SecondIn(Schema):
    code: Code = ""


@router.get("/custody", operation_id="listCustody", summary="What is held of each act, until when")
def list_custody(request: Asked) -> list[dict[str, Any]]:
    return custody_views.custodies(request.auth)


@router.get("/custody/{act_id}", operation_id="readCustody", summary="The custody of one act")
def read_custody(request: Asked, act_id: str) -> dict[str, Any]:
    return custody_views.custody_view(request.auth, act_id)


@router.post("/custody/{act_id}/hold", operation_id="setHold", summary="Set a hold")
def set_hold(request: Asked, act_id: str, body: HoldIn) -> dict[str, Any]:
    made = holds.set_hold(request.auth, act_id, **_hold(body))
    return hold_row(made, request.auth)


def _hold(body: HoldIn) -> dict[str, Any]:
    return {**body.dict(exclude={"note"}), "text": body.note}


@router.post(
    "/consultations/{consultation_id}/hold",
    operation_id="holdExtract",
    summary="Hold an extract that another office shared back from destruction",
)
def hold_extract(request: Asked, consultation_id: str, body: HoldIn) -> dict[str, Any]:
    """The office that shared it is told, and by it the lab, each with the basis."""
    made = holds.set_extract_hold(request.auth, consultation_id, **_hold(body))
    return hold_row(made, request.auth)


@router.post(
    "/reviews/{review_id}/hold",
    operation_id="holdAsGuest",
    summary="Set a hold as an office that takes part in a review here",
)
def hold_as_guest(request: Asked, review_id: str, body: HoldIn) -> dict[str, Any]:
    made = holds.set_guest_hold(request.auth, review_id, **_hold(body))
    return hold_row(made, request.auth)


@router.post("/holds/{hold_id}/lift", operation_id="liftHold", summary="Lift a hold of one's own")
def lift_hold(request: Asked, hold_id: str, body: CustodyReasonIn) -> dict[str, Any]:
    return custody_views.outcome(holds.lift_hold(request.auth, hold_id, body.reason))


@router.post("/custody/{act_id}/destroy", operation_id="destroyMaterial", summary="Destroy it")
def destroy(request: Asked, act_id: str, body: CustodyWhyIn) -> dict[str, Any]:
    """Due material at once; before it is due it waits for a second person."""
    return custody_views.outcome(custody.destroy_material(request.auth, act_id, body.why))


@router.post(
    "/custody/{act_id}/ask-destruction",
    operation_id="askDestruction",
    summary="As the lab, ask that it is destroyed before it is due",
)
def ask_destruction(request: Asked, act_id: str, body: CustodyReasonIn) -> dict[str, Any]:
    """A wish: the office follows it or leaves it."""
    custody.ask_destruction(request.auth, act_id, body.reason)
    return custody_views.custody_view(request.auth, act_id)


@router.post("/custody/{act_id}/list", operation_id="listMaterial", summary="Tell the lab")
def tell(request: Asked, act_id: str) -> dict[str, Any]:
    return dict(custody.list_material(request.auth, act_id).returned)


@router.post("/custody/{act_id}/export", operation_id="exportMaterial", summary="Ask for a file")
def export(request: Asked, act_id: str, body: CustodyWhyIn) -> dict[str, Any]:
    return custody_views.outcome(custody_views.export_material(request.auth, act_id, body.why))


@router.post(
    "/determinations/{determination_id}/threshold",
    operation_id="askThreshold",
    summary="Ask to open a sealed threshold",
)
def ask_threshold(request: Asked, determination_id: str, body: CustodyWhyIn) -> dict[str, Any]:
    return custody_views.outcome(
        custody_views.ask_threshold(request.auth, determination_id, body.why)
    )


@router.get("/seconds", operation_id="listSeconds", summary="Proposals of acts of two persons")
def list_seconds(request: Asked) -> list[dict[str, Any]]:
    return [page_moment(row) for row in two_person.proposals(request.auth)]


@router.post("/seconds/{second_id}/second", operation_id="secondProposal", summary="Second it")
def second(request: Asked, second_id: str, body: SecondIn | None = None) -> dict[str, Any]:
    """Where the proposal `asks` for a code, a keyholder's: a token alone seconds no unsealing."""
    made, _ = two_person.second(request.auth, second_id, body.code if body else "")
    return {"proposal": made.id, "state": made.state}


@router.post("/seconds/{second_id}/back", operation_id="takeProposalBack", summary="Take it back")
def take_back(request: Asked, second_id: str) -> dict[str, Any]:
    made = two_person.take_back(request.auth, second_id)
    return {"proposal": made.id, "state": made.state}


@router.get("/seconds/{second_id}/given", operation_id="readGiven", summary="What it gave")
def given(request: Asked, second_id: str) -> dict[str, Any]:
    return dict(custody_views.given(request.auth, second_id))


@router.get("/readings", operation_id="listReadings", summary="Who read how much, as labs are told")
def list_readings(request: Asked) -> list[dict[str, Any]]:
    return [
        page_moment(
            {
                "id": row.id,
                "act": row.act_id,
                "begins": row.from_at,
                "until": row.until_at,
                "rows": row.rows,
                "alerts": row.alerts,
            }
        )
        for row in readings.reports(request.auth)
    ]


@router.get("/reading-alerts", operation_id="listReadingAlerts", summary="Unusual reading")
def list_alerts(request: Asked) -> list[dict[str, Any]]:
    names = ("id", "person", "rule", "at", "figures", "looked_at", "looked_by", "note")
    return [
        {**page_moment({n: getattr(row, n) for n in names}), "day": row.day.isoformat()}
        for row in readings.alerts(request.auth)
    ]


@router.post("/reading-alerts/{alert_id}/look", operation_id="lookAtAlert", summary="Looked at")
def look(request: Asked, alert_id: str, body: CustodyReasonIn) -> dict[str, Any]:
    made = readings.look_at(request.auth, alert_id, body.reason)
    return page_moment({"id": made.id, "looked_at": made.looked_at, "looked_by": made.looked_by})
