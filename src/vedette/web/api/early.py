"""Early access of trusted partners; seats and hours by sector."""

from __future__ import annotations

from typing import Any

from ninja import Schema
from pydantic import Field

from vedette.services import early_access, early_views
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Moment, Name

router = Router(tags=["early access"])
Json = dict[str, Any]


class EarlyOpenIn(Schema):
    """What is left out comes from the pack."""

    partner: Name
    email: Name
    opens: Moment | None = None
    closes: Moment | None = None
    session_hours: int | None = Field(None, ge=1)
    calls: int | None = Field(None, ge=1)
    tokens: int | None = Field(None, ge=1)
    purposes: list[str] = Field(default_factory=list, max_length=20)


class EarlyAcceptIn(Schema):
    digest: Name


class EarlyNamedIn(Schema):
    named: bool


class EarlyPurposeIn(Schema):
    purpose: str = Field(examples=["own-products"])


class EarlyEndIn(Schema):
    reason: str = Field("", max_length=300)


@router.get(
    "/early-access", response=list[Json], operation_id="listEarlyAccess", summary="Early access"
)
def list_early(request: Asked) -> Any:
    return early_views.early_list(request.auth)


@router.post(
    "/early-access",
    response=Json,
    operation_id="openEarlyAccess",
    summary="Open a partner's early access",
)
def open_early(request: Asked, body: EarlyOpenIn) -> Any:
    """`invitation` is the one-time code that lets the partner's person in."""
    given = body.dict(exclude={"partner", "email"})
    row, code = early_access.open_early_access(request.auth, body.partner, body.email, **given)
    return {**early_views.early_view(request.auth, row.id), "invitation": code}


@router.get(
    "/early-access/{early_id}",
    response=Json,
    operation_id="readEarlyAccess",
    summary="One partner's early access",
)
def read(request: Asked, early_id: str) -> Any:
    return early_views.early_view(request.auth, early_id)


@router.post(
    "/early-access/{early_id}/accept",
    response=Json,
    operation_id="acceptEarlyTerms",
    summary="Accept the terms, by the digest of what you read",
)
def accept(request: Asked, early_id: str, body: EarlyAcceptIn) -> Any:
    early_access.accept_terms(request.auth, early_id, body.digest)
    return early_views.early_view(request.auth, early_id)


@router.post(
    "/early-access/{early_id}/named",
    response=Json,
    operation_id="setNamed",
    summary="Whether scans and findings bear your name or a pseudonym",
)
def named(request: Asked, early_id: str, body: EarlyNamedIn) -> Any:
    early_access.set_named(request.auth, early_id, body.named)
    return early_views.early_view(request.auth, early_id)


@router.post(
    "/early-access/{early_id}/sessions",
    response=Json,
    operation_id="openEarlySession",
    summary="Open a session of your own",
)
def session(request: Asked, early_id: str, body: EarlyPurposeIn) -> Any:
    """The credential is told here once."""
    made = early_access.open_session(request.auth, early_id, body.purpose)
    return {
        "session": made.session,
        "url": made.url,
        "credential": made.credential,
        "model": made.model,
        "purpose": made.purpose,
        "expires": made.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@router.post(
    "/early-access/{early_id}/end",
    response=Json,
    operation_id="endEarlyAccess",
    summary="End it at once, with every session",
)
def end(request: Asked, early_id: str, body: EarlyEndIn) -> Any:
    early_access.end_early_access(request.auth, early_id, body.reason)
    return early_views.early_view(request.auth, early_id)


@router.get("/seats", response=Json, operation_id="readSeats", summary="Seats and hours by sector")
def seats(request: Asked) -> Any:
    return early_views.seats(request.auth)


@router.post(
    "/seats/share",
    response=Json,
    operation_id="shareSeats",
    summary="Share the numbers with the clearinghouse",
)
def share(request: Asked) -> Any:
    return early_views.share_seats(request.auth)
