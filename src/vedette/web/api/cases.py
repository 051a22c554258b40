"""Cases under coordination: parties, terms, fixes, advisories, mail."""

from __future__ import annotations

from typing import Any

from ninja import Query, Schema
from pydantic import Field

from vedette.kernel.bounds import from_text
from vedette.kernel.errors import BadInput
from vedette.services import advisories, case_views, cases, fixes, mail, private_cases
from vedette.web.api.advisories import AdvisoryIn
from vedette.web.api.findings import WhyIn
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Name, Note
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["cases"])
Long = str
Days = dict[str, int]


class CaseIn(Schema):
    finding: Name
    title: str = Field("", max_length=300)
    vendor: str = Field("", max_length=300)


class AddIn(Schema):
    finding: Name


class InviteIn(Schema):
    """`terms` are the party's own words; `days` those of the embargo's clocks that they set."""

    org: Name
    role: str = "vendor"
    terms: Long = ""
    zone: str = ""
    days: Days = Field(default_factory=dict)


class RespondIn(Schema):
    status: Name
    note: Long = ""
    terms: Long | None = None
    zone: str = ""
    days: Days = Field(default_factory=dict)
    agree_to_publish: bool | None = None


class NoteIn(Schema):
    text: Long


class SeverityIn(Schema):
    vector: Name
    reason: str = Field("", max_length=1000)


class EmbargoIn(Schema):
    extension_asked: bool | None = None
    exploited_since: str | None = None


class FixIn(Schema):
    """The fixed source, as text or as base64."""

    version: str = Field(min_length=1, max_length=100)
    source: str = ""
    source_b64: str = ""
    note: Long = ""


class MailIn(Schema):
    to: str = Field(max_length=254)
    text: Note = ""


class CaseLine(Schema):
    id: str
    state: str
    title: str
    vendor: str
    product: str
    component: str
    marking: str
    opened_at: str
    closed_at: str | None
    embargo_until: str | None


class NoteOut(Schema):
    id: str
    org: str
    author: str
    text: str
    at: str


class CaseOut(CaseLine):
    embargo: dict[str, Any]
    participants: list[dict[str, Any]]
    counts: dict[str, int]
    moves: list[str]
    answers: list[str]
    facts: dict[str, Any]
    findings: list[dict[str, Any]]
    severity: dict[str, Any]
    notes: list[NoteOut]
    note_count: int
    fixes: list[dict[str, Any]]
    advisories: list[dict[str, Any]]
    mails: list[dict[str, Any]]
    timeline: list[dict[str, Any]]


@router.get("/cases", response=Page[CaseLine], operation_id="listCases", summary="Cases")
def list_cases(request: Asked, paging: Query[Paging], state: str = "", text: str = "") -> Any:
    rows = case_views.browse_cases(request.auth, state=state, text=text)
    return page_of(rows, paging, case_views.case_row)


@router.post("/cases", response=CaseOut, operation_id="openCase", summary="Open a case")
def open_case(request: Asked, body: CaseIn) -> Any:
    """On a reproduced finding; its known duplicates join it."""
    made = cases.open_case(request.auth, body.finding, body.title, body.vendor)
    return case_views.case_view(request.auth, made.id)


@router.get("/cases/{case_id}", response=CaseOut, operation_id="readCase", summary="One case")
def read_case(request: Asked, case_id: str) -> Any:
    return case_views.case_view(request.auth, case_id)


@router.post(
    "/cases/{case_id}/findings",
    response=CaseOut,
    operation_id="addFinding",
    summary="Let another finding join",
)
def add_finding(request: Asked, case_id: str, body: AddIn) -> Any:
    cases.add_finding(request.auth, case_id, body.finding)
    return case_views.case_view(request.auth, case_id)


@router.post(
    "/cases/{case_id}/participants",
    response=CaseOut,
    operation_id="inviteParticipant",
    summary="Invite a vendor, maintainer, finder or partner",
)
def invite(request: Asked, case_id: str, body: InviteIn) -> Any:
    cases.invite_participant(request.auth, case_id, **body.dict())
    return case_views.case_view(request.auth, case_id)


@router.post(
    "/cases/{case_id}/respond",
    response=CaseOut,
    operation_id="respond",
    summary="Say where your organisation stands",
)
def respond(request: Asked, case_id: str, body: RespondIn) -> Any:
    cases.respond(request.auth, case_id, **body.dict())
    return case_views.case_view(request.auth, case_id)


@router.get(
    "/cases/{case_id}/notes",
    response=Page[NoteOut],
    operation_id="listNotes",
    summary="Notes, newest first",
)
def list_notes(request: Asked, case_id: str, paging: Query[Paging]) -> Any:
    return page_of(case_views.browse_notes(request.auth, case_id), paging, case_views.note_row)


@router.post(
    "/cases/{case_id}/notes", response=NoteOut, operation_id="addNote", summary="Add a note"
)
def add_note(request: Asked, case_id: str, body: NoteIn) -> Any:
    return case_views.note_row(cases.note(request.auth, case_id, body.text))


@router.post(
    "/cases/{case_id}/severity",
    response=CaseOut,
    operation_id="claimSeverity",
    summary="Claim a severity beside the others' claims",
)
def claim(request: Asked, case_id: str, body: SeverityIn) -> Any:
    cases.add_severity(request.auth, case_id, body.vector, body.reason)
    return case_views.case_view(request.auth, case_id)


@router.post(
    "/cases/{case_id}/embargo",
    response=CaseOut,
    operation_id="changeEmbargo",
    summary="Record what changes the embargo's clocks",
)
def embargo(request: Asked, case_id: str, body: EmbargoIn) -> Any:
    cases.set_embargo_facts(request.auth, case_id, **body.dict())
    return case_views.case_view(request.auth, case_id)


@router.post(
    "/cases/{case_id}/fixes", response=CaseOut, operation_id="deliverFix", summary="Deliver a fix"
)
def deliver(request: Asked, case_id: str, body: FixIn) -> Any:
    """A job then runs every crash input of the case on it."""
    if bool(body.source) == bool(body.source_b64):
        raise BadInput("source: give it either as `source` or as `source_b64`")
    try:
        data = from_text(body.source_b64, field="source_b64") or body.source.encode()
    except UnicodeEncodeError:
        raise BadInput("source: half a character in it") from None
    fixes.deliver_fix(request.auth, case_id, body.version, data, body.note)
    return case_views.case_view(request.auth, case_id)


@router.post(
    "/cases/{case_id}/public-fix",
    response=CaseOut,
    operation_id="verifyPublicFix",
    summary="Enter the release that our reproduction showed to be fixed",
)
def public_fix(request: Asked, case_id: str) -> Any:
    fixes.verify_upstream_fix(request.auth, case_id)
    return case_views.case_view(request.auth, case_id)


@router.post(
    "/cases/{case_id}/advisory",
    response=CaseOut,
    operation_id="publishAdvisory",
    summary="Publish the advisory, or a new revision of it",
)
def publish(request: Asked, case_id: str, body: AdvisoryIn) -> Any:
    advisories.publish_advisory(request.auth, case_id, **body.dict())
    return case_views.case_view(request.auth, case_id)


@router.post(
    "/cases/{case_id}/mail",
    response=CaseOut,
    operation_id="mailCorrection",
    summary="Write to a maintainer who does not sign in",
)
def write(request: Asked, case_id: str, body: MailIn) -> Any:
    mail.mail_correction(request.auth, case_id, body.to, body.text)
    return case_views.case_view(request.auth, case_id)


@router.post("/cases/{case_id}/close", response=CaseOut, operation_id="closeCase", summary="Close")
def close(request: Asked, case_id: str, body: WhyIn) -> Any:
    cases.close_case(request.auth, case_id, body.reason)
    return case_views.case_view(request.auth, case_id)


@router.post(
    "/cases/{case_id}/open-again", response=CaseOut, operation_id="openAgain", summary="Open again"
)
def open_again(request: Asked, case_id: str, body: WhyIn) -> Any:
    cases.open_again(request.auth, case_id, body.reason)
    return case_views.case_view(request.auth, case_id)


class PrivateOut(Schema):
    open: bool
    secret: bool
    asked: int = Field(description="How many questions reached the case.")
    opened_at: str | None
    closed_at: str | None


class PrivateIn(Schema):
    """`secret`: told by set intersection alone; `affected`: without it what was executed."""

    open: bool
    secret: bool = False
    affected: list[dict[str, Any]] = Field(default_factory=list, max_length=100)


@router.post(
    "/cases/{case_id}/private",
    response=PrivateOut,
    operation_id="setPrivateMatching",
    summary="Open for private matching, or close",
)
def set_private(request: Asked, case_id: str, body: PrivateIn) -> Any:
    if body.open:
        private_cases.open_in_private(request.auth, case_id, body.affected, secret=body.secret)
    else:
        private_cases.close_in_private(request.auth, case_id)
    return private_cases.state_of(request.auth, case_id)
