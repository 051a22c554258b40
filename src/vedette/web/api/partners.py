"""Trusted partners: what each side says of each, seats by sector, waves."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from vedette.services import partners, selection
from vedette.web.api.engagement import Tie
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Note

router = Router(tags=["partners"])
Json = dict[str, Any]


class PartnerAnswerIn(Schema):
    """`ties` replace those that this side declared before; without them they stay."""

    answer: Literal["agree", "decline", "take back"]
    reason: Note = ""
    ties: list[Tie] | None = Field(None, max_length=20)


class WaveIn(Schema):
    """Null leaves the partner to the pack's rule."""

    wave: int | None = Field(None, ge=1, le=99)


@router.get(
    "/partners", response=list[Json], operation_id="listPartners", summary="Trusted partners"
)
def list_partners(request: Asked) -> Any:
    return partners.partners(request.auth)


@router.get(
    "/partners/{partner_id}", response=Json, operation_id="readPartner", summary="One partner"
)
def read(request: Asked, partner_id: str) -> Any:
    return partners.partner_view(request.auth, partner_id)


@router.post(
    "/partners/{partner_id}/answer",
    response=Json,
    operation_id="answerPartner",
    summary="Agree on one partner, decline it, or take it back",
)
def answer(request: Asked, partner_id: str, body: PartnerAnswerIn) -> Any:
    """Either side for itself, at any time. No reason is owed, and nothing else follows from it."""
    selection.answer_partner(
        request.auth,
        partner_id,
        body.answer,
        body.reason,
        None if body.ties is None else [tie.dict() for tie in body.ties],
    )
    return partners.partner_view(request.auth, partner_id)


@router.post(
    "/partners/{partner_id}/wave",
    response=Json,
    operation_id="setWave",
    summary="Put a partner in a wave of the lab's own choice",
)
def wave(request: Asked, partner_id: str, body: WaveIn) -> Any:
    selection.set_wave(request.auth, partner_id, body.wave)
    return partners.partner_view(request.auth, partner_id)


@router.get(
    "/acts/{act_id}/partners",
    response=Json,
    operation_id="readSelection",
    summary="The partners of one selection, with seats by sector",
)
def selected(request: Asked, act_id: str) -> Any:
    found = partners.partners(request.auth, act_id)
    return {
        "partners": found,
        "seats": [
            {
                "sector": row.sector.id,
                "title": row.sector.title,
                "named": row.named,
                "agreed": row.agreed,
                "small": row.small,
                "absent": row.absent,
            }
            for row in partners.seats_of(request.auth, act_id)
        ],
    }


@router.get(
    "/acts/{act_id}/waves",
    response=list[Json],
    operation_id="readWaves",
    summary="The waves of a selection, as the lab stages them",
)
def staged(request: Asked, act_id: str) -> Any:
    """Days are counted from the first wave; when that one begins is the lab's own affair."""
    return [
        {
            "wave": each.number,
            "days_after": each.days_after,
            "partners": [{"partner": p.id, "name": p.name} for p in each.partners],
        }
        for each in partners.staged(request.auth, act_id)
    ]
