"""Scan intents, makers' wishes, test beds."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Query, Schema
from pydantic import Field

from vedette.services import scan_views, scans, testbeds, wishes
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Moment, Name, Note
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["scans"])
Json = dict[str, Any]


class ScanTargetIn(Schema):
    """A product or a package (purl); one of them is enough."""

    product: str = Field("", max_length=300)
    vendor: str = Field("", max_length=300)
    package: str = Field("", max_length=500, examples=["pkg:pypi/ujson"])


class ScanIn(ScanTargetIn):
    """`contact` is told only to whom one is introduced to. `to` names a clearinghouse."""

    versions: list[str] = Field(default_factory=list, max_length=50)
    method: str = Field(examples=["model-assisted"])
    starts: Moment
    ends: Moment
    introduce: bool = False
    contact: str = Field("", max_length=300)
    to: str = ""


class ScanConsentIn(Schema):
    introduce: bool
    contact: str = Field("", max_length=300)


class NothingIn(Schema):
    """Nothing is needed."""


class WishIn(ScanTargetIn):
    kind: str = Field(examples=["no-scan"])
    text: Note = ""
    contact: str = Field("", max_length=300)
    starts: Moment | None = None
    ends: Moment | None = None


class TestBedIn(ScanTargetIn):
    """`own` declares that it is one's own; nothing else can be offered."""

    __test__ = False
    name: Name
    kind: Literal["own-product", "own-test-bed"]
    own: bool
    hours: str = Field("", max_length=1000)
    limits: Note = ""
    contact: str = Field(min_length=1, max_length=300)
    until: Moment | None = None
    to: str = ""


@router.get("/scans", response=Page[Json], operation_id="listScans", summary="Scans, newest first")
def list_scans(request: Asked, paging: Query[Paging], standing: bool = False) -> Any:
    rows = scan_views.browse_scans(request.auth, standing=standing)
    return page_of(rows, paging, scan_views.scan_row)


@router.post("/scans", response=Json, operation_id="declareScan", summary="Register a scan")
def declare(request: Asked, body: ScanIn) -> Any:
    """Before the work begins. The reply says whether somebody is at it, never who."""
    made = scans.declare_scan(request.auth, **body.dict())
    return scan_views.scan_view(request.auth, made.id)


@router.get("/scans/{scan_id}", response=Json, operation_id="readScan", summary="One scan")
def read(request: Asked, scan_id: str) -> Any:
    return scan_views.scan_view(request.auth, scan_id)


@router.post(
    "/scans/{scan_id}/consent",
    response=Json,
    operation_id="consentToMeet",
    summary="Be introduced to whoever else is at it, or no longer",
)
def consent(request: Asked, scan_id: str, body: ScanConsentIn) -> Any:
    scans.consent(request.auth, scan_id, body.introduce, body.contact)
    return scan_views.scan_view(request.auth, scan_id)


@router.post(
    "/scans/{scan_id}/end", response=Json, operation_id="endScan", summary="It is done, or left"
)
def end(request: Asked, scan_id: str, body: NothingIn) -> Any:
    scans.end_scan(request.auth, scan_id)
    return scan_views.scan_view(request.auth, scan_id)


@router.get(
    "/scan-wishes", response=list[Json], operation_id="listWishes", summary="Wishes about scans"
)
def list_wishes(request: Asked) -> Any:
    return scan_views.wishes(request.auth)


@router.post(
    "/scan-wishes",
    response=Json,
    operation_id="makeWish",
    summary="Say what you wish of whoever scans your product",
)
def make_wish(request: Asked, body: WishIn) -> Any:
    made = wishes.wish(request.auth, **body.dict())
    return {"id": made.id, "kind": made.kind, "product": made.product or made.package}


@router.post(
    "/scan-wishes/{wish_id}/withdraw",
    response=Json,
    operation_id="withdrawWish",
    summary="Take a wish back",
)
def withdraw_wish(request: Asked, wish_id: str, body: NothingIn) -> Any:
    made = wishes.withdraw_wish(request.auth, wish_id)
    return {"id": made.id, "withdrawn": True}


@router.get("/testbeds", response=list[Json], operation_id="listTestBeds", summary="Test beds")
def list_testbeds(request: Asked) -> Any:
    return scan_views.testbeds(request.auth)


@router.post(
    "/testbeds",
    response=Json,
    operation_id="offerTestBed",
    summary="Offer your own product or test bed to be looked at",
)
def offer(request: Asked, body: TestBedIn) -> Any:
    made = testbeds.offer_testbed(request.auth, **body.dict())
    return scan_views.bed_view(request.auth, made.id)


@router.post(
    "/testbeds/{testbed_id}/withdraw",
    response=Json,
    operation_id="withdrawTestBed",
    summary="Withdraw the offer",
)
def withdraw(request: Asked, testbed_id: str, body: NothingIn) -> Any:
    testbeds.withdraw_testbed(request.auth, testbed_id)
    return scan_views.bed_view(request.auth, testbed_id)
