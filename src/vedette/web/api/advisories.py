"""Published advisories, each in the formats of the field."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Query, Schema
from pydantic import Field

from vedette.services import advisories, case_views
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["advisories"])
Texts = list[str]


class PriorityIn(Schema):
    kev: bool
    automatable: bool
    impact: Literal["partial", "total"]


class AdvisoryIn(Schema):
    """The words and facts of an advisory; the documents are made and checked from them."""

    summary: str = Field(min_length=1, max_length=1000)
    details: str = Field(min_length=1, max_length=65_536)
    priority: PriorityIn
    title: str = Field("", max_length=300)
    affected: list[dict[str, Any]] = Field(default_factory=list, max_length=1000)
    aliases: Texts = Field(default_factory=list)
    cwe: Texts = Field(default_factory=list)
    credits: list[dict[str, str]] = Field(default_factory=list)
    references: list[dict[str, str]] = Field(default_factory=list)
    corrects: list[str | dict[str, str]] = Field(default_factory=list)
    remedy: str = ""
    reason: str = Field("", max_length=1000)


class AdvisoryLine(Schema):
    tracking_id: str
    title: str
    summary: str
    corrects: Texts
    priority: dict[str, Any]
    checks: dict[str, str]
    marking: str
    published_at: str


@router.get(
    "/advisories",
    response=Page[AdvisoryLine],
    operation_id="listAdvisories",
    summary="Published advisories, newest first",
)
def list_advisories(request: Asked, paging: Query[Paging]) -> Any:
    rows = case_views.browse_advisories(request.auth)
    return page_of(rows, paging, case_views.advisory_row)


@router.get(
    "/advisories/{tracking_id}",
    response=dict[str, Any],
    operation_id="readAdvisory",
    summary="One advisory as csaf, osv or vex",
)
def read_advisory(
    request: Asked, tracking_id: str, format: Literal["csaf", "osv", "vex"] = "csaf"
) -> Any:
    return advisories.render(request.auth, tracking_id, format)[1]
