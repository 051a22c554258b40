"""Findings: report, import, look at, deconflict."""

from __future__ import annotations

from typing import Any

from ninja import Body, Query, Schema
from pydantic import Field

from vedette.clearinghouse.findings import Finding
from vedette.formats.findings_in import Rejection
from vedette.kernel.errors import BadInput
from vedette.services import case_views, findings, imports
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Name, Note
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["findings"])
Recipe = dict[str, Any]


class FindingIn(Schema):
    """One flaw as its finder tells it. `recipe` is what makes it reproducible."""

    title: str = Field(min_length=1, max_length=2000)
    id: str = Field("", max_length=200, description="the finder's own id")
    description: str = Field("", max_length=65_536)
    vendor: str = ""
    product: str = ""
    component: str = ""
    version: str = ""
    file: str = ""
    function: str = ""
    cwe: list[str] = Field(default_factory=list, max_length=32)
    stack: list[str] = Field(default_factory=list, max_length=256)
    references: list[str] = Field(default_factory=list, max_length=256)
    recipe: Recipe | None = None
    evidence: dict[str, Any] | None = None
    origin: str = ""
    marking: str = findings.DEFAULT_MARKING


class ReportIn(FindingIn):
    """On an instance that is no clearinghouse, `to` and `copy_to` name peers."""

    to: str = ""
    copy_to: str = ""
    scan: str = Field("", description="the scan of yours that it comes from")


class ImportIn(Schema):
    findings: list[dict[str, Any]] = Field(max_length=500)
    reporter: str = ""


class ImportOut(Schema):
    accepted: int
    already_known: int
    duplicates: int
    rejected: int
    rejections: list[dict[str, Any]]


class DuplicateIn(Schema):
    of: Name
    reason: Note


class WhyIn(Schema):
    reason: Note


class FindingLine(Schema):
    id: str
    state: str
    title: str
    vendor: str
    product: str
    component: str
    version: str
    marking: str
    origin: str
    reporter: str
    external_id: str
    crash: str
    case: str
    duplicate_of: str | None
    why: list[str]
    received_at: str


class FindingOut(FindingLine):
    description: str
    file: str
    function: str
    cwe: list[str]
    stack: list[str]
    references: list[str]
    recipe: Recipe
    claimed_evidence: dict[str, Any]
    answer: dict[str, Any]
    moves: list[str]
    reproductions: list[dict[str, Any]]


@router.get(
    "/findings",
    response=Page[FindingLine],
    operation_id="listFindings",
    summary="Findings, newest first",
)
def list_findings(
    request: Asked,
    paging: Query[Paging],
    state: str = "",
    product: str = "",
    case: str = "",
    text: str = "",
) -> Any:
    rows = case_views.browse_findings(
        request.auth, state=state, product=product, case=case, text=text
    )
    return page_of(rows, paging, case_views.finding_row)


@router.post(
    "/findings", response=FindingOut, operation_id="reportFinding", summary="Report a finding"
)
def report(request: Asked, body: ReportIn) -> Any:
    """The same content again gives the finding there is."""
    fields = body.dict(exclude={"to", "copy_to", "scan"})
    made = findings.report_finding(
        request.auth, fields, to=body.to, copy_to=body.copy_to, scan=body.scan
    )
    return case_views.finding_view(request.auth, made.id)


@router.post(
    "/findings/import",
    response=ImportOut,
    operation_id="importFindings",
    summary="Import up to 500 findings",
)
def import_(request: Asked, body: ImportIn) -> Any:
    rejected: list[Rejection] = []
    rows = (_taken(number, each) for number, each in enumerate(body.findings, start=1))
    counts = imports.import_findings(
        request.auth, rows, reporter=body.reporter, rejected=rejected.append
    )
    return {**counts, "rejections": [{"line": r.line, "reason": r.reason} for r in rejected]}


def _taken(number: int, given: dict[str, Any]) -> Finding | Rejection:
    try:
        return Finding.parse({"marking": findings.DEFAULT_MARKING, **given}, source=f"{number}")
    except BadInput as error:
        return Rejection(number, error.what)


@router.get(
    "/findings/{finding_id}", response=FindingOut, operation_id="readFinding", summary="One finding"
)
def read(request: Asked, finding_id: str) -> Any:
    return case_views.finding_view(request.auth, finding_id)


@router.post(
    "/findings/{finding_id}/recipe",
    response=FindingOut,
    operation_id="addRecipe",
    summary="Say how to reproduce it",
)
def recipe(request: Asked, finding_id: str, body: Body[Recipe]) -> Any:
    findings.add_recipe(request.auth, finding_id, body)
    return case_views.finding_view(request.auth, finding_id)


@router.post(
    "/findings/{finding_id}/reproduce",
    response=FindingOut,
    operation_id="reproduceAgain",
    summary="Execute its recipe again",
)
def reproduce(request: Asked, finding_id: str) -> Any:
    findings.reproduce_again(request.auth, finding_id)
    return case_views.finding_view(request.auth, finding_id)


@router.post(
    "/findings/{finding_id}/duplicate",
    response=FindingOut,
    operation_id="markDuplicate",
    summary="Say that it is the same as another",
)
def duplicate(request: Asked, finding_id: str, body: DuplicateIn) -> Any:
    findings.mark_duplicate(request.auth, finding_id, body.of, body.reason)
    return case_views.finding_view(request.auth, finding_id)


@router.post(
    "/findings/{finding_id}/tell-apart",
    response=FindingOut,
    operation_id="tellApart",
    summary="Take a duplicate back",
)
def tell_apart(request: Asked, finding_id: str, body: WhyIn) -> Any:
    findings.tell_apart(request.auth, finding_id, body.reason)
    return case_views.finding_view(request.auth, finding_id)
