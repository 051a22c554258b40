"""An operator's VEX documents, and the matches that they take away."""

from __future__ import annotations

from typing import Any

from ninja import Schema

from vedette.services import vex, vex_feeds
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.inventories import RAW
from vedette.web.api.kinds import Name

router = Router(tags=["vex"])


class VexOut(Schema):
    id: str
    name: str
    digest: str
    statements: int
    author: str
    site: str
    taken_by: str
    taken_at: str


class VexFeedOut(Schema):
    feed: str
    authors: list[str]
    documents: int
    statements: int
    honoured: bool
    by: str
    at: str | None


class HonourIn(Schema):
    feed: Name
    honoured: bool = True


class SuppressedOut(Schema):
    id: str
    inventory: str
    component: str
    product: str
    version: str
    advisory: str
    status: str
    reason: str
    source: str
    lifted: bool
    lifted_by: str


@router.get("/vex", response=list[VexOut], operation_id="listVex", summary="Own VEX documents")
def list_vex(request: Asked) -> Any:
    return vex.documents(request.auth)


@router.post(
    "/vex",
    response=VexOut,
    operation_id="takeVex",
    summary="Take a VEX document, as the body",
    openapi_extra=RAW,
)
def take(request: Asked, name: str, site: str = "") -> Any:
    """OpenVEX, CSAF VEX or CycloneDX; `site` limits it to the inventory of that name."""
    return vex.describe(vex.take_vex(request.auth, name, request.body, site))


@router.get(
    "/vex/feeds",
    response=list[VexFeedOut],
    operation_id="listVexFeeds",
    summary="Feeds with VEX, and whether they are honoured",
)
def list_feeds(request: Asked) -> Any:
    return vex_feeds.feeds(request.auth)


@router.post(
    "/vex/feeds",
    response=list[VexFeedOut],
    operation_id="honourVexFeed",
    summary="Honour what a feed's VEX states, or no more",
)
def honour_feed(request: Asked, body: HonourIn) -> Any:
    vex_feeds.honour(request.auth, body.feed, body.honoured)
    return vex_feeds.feeds(request.auth)


@router.post(
    "/vex/{document_id}/withdraw",
    response=VexOut,
    operation_id="withdrawVex",
    summary="Let a VEX document count no more",
)
def withdraw(request: Asked, document_id: str) -> Any:
    return vex.describe(vex.withdraw_vex(request.auth, document_id))


@router.get(
    "/suppressed",
    response=list[SuppressedOut],
    operation_id="listSuppressed",
    summary="Matches that VEX takes away, and those lifted",
)
def suppressed(request: Asked) -> Any:
    return vex.suppressed(request.auth)


@router.post(
    "/suppressed/{suppression_id}/lift",
    response=SuppressedOut,
    operation_id="liftSuppressed",
    summary="Find a suppressed match again",
)
def lift(request: Asked, suppression_id: str) -> Any:
    return vex.describe_suppressed(vex.lift(request.auth, suppression_id))


@router.post(
    "/suppressed/{suppression_id}/honour",
    response=SuppressedOut,
    operation_id="honourSuppressed",
    summary="Honour the statement on a lifted match again",
)
def honour(request: Asked, suppression_id: str) -> Any:
    return vex.describe_suppressed(vex.lift(request.auth, suppression_id, lifted=False))
