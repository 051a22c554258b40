"""The three voluntary acts, their terms and windows."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Query, Schema
from pydantic import Field

from vedette.services import acceptance, access, acts, engagement, term_views, terms
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Moment, Name, Note
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["engagement"])


class Tie(Schema):
    """A conflict of interest that one side declares; `kind` is the pack's."""

    kind: str
    text: str = Field("", max_length=1000)


class Partner(Schema):
    name: Name
    sector: str
    small: bool = False
    criteria: list[str]
    reason: Note = ""
    conflicts: Note = ""
    ties: list[Tie] = Field(default_factory=list, max_length=20)


class OfferIn(Schema):
    peer: Name
    kind: Literal["determination-request", "access-window", "partner-selection"]
    model: Name
    basis: str = ""
    purpose: str = ""
    opens: Moment | None = None
    closes: Moment | None = None
    partner: Partner | None = None
    partners: list[Partner] | None = Field(None, max_length=200)
    dossier: list[str] = Field(default_factory=list)
    note: Note = ""
    answer_by: Moment | None = None
    declassify: str = Field("", max_length=200, examples=["20510101"])


class AgainIn(Schema):
    opens: Moment | None = None
    closes: Moment | None = None
    note: Note | None = None
    answer_by: Moment | None = None


class AnswerIn(Schema):
    answer: Literal["accepted", "declined"]
    reason: Note = ""


class ReasonIn(Schema):
    reason: Note = ""


class PersonIn(Schema):
    id: Name
    name: Name


class QuotaIn(Schema):
    calls: int
    tokens: int


class TermsIn(Schema):
    """The lab's first version; who signs what the other side proposed gives `digest` or nothing."""

    people: list[PersonIn] = Field(default_factory=list)
    purposes: list[str] = Field(default_factory=list)
    quota: QuotaIn | None = None
    publication: str = "none"
    clauses: list[str] | None = None
    marking: str = ""
    export: bool | None = None
    watermark: bool | None = None
    digest: str = ""


class VersionIn(Schema):
    """Another version: what is not given stays as in `base`, the newest by default."""

    base: str = ""
    note: Note = ""
    people: list[PersonIn] | None = None
    purposes: list[str] | None = None
    quota: QuotaIn | None = None
    publication: str = ""
    clauses: list[str] | None = None
    words: dict[str, str] = Field(default_factory=dict)
    marking: str = ""
    export: bool | None = None
    watermark: bool | None = None


class AcceptIn(Schema):
    """The digest of the version that was read; "" for the one in force."""

    digest: str = ""


class StrikeIn(Schema):
    person: Name


class SessionIn(Schema):
    purpose: str
    person: str = ""


class ActLine(Schema):
    id: str
    kind: str
    state: str
    model: str
    peer: str
    marking: str
    offered_at: str
    answer_by: str | None
    answered_at: str | None
    basis: str
    purpose: str
    opens: str | None
    closes: str | None
    window: str


class ActOut(ActLine):
    note: str
    reason: str
    declassify: str
    dossier: dict[str, str]
    withheld: str
    partner: dict[str, Any] | None
    partners: list[dict[str, Any]]
    pack_digest: str
    clock: dict[str, Any] | None
    terms: dict[str, Any] | None
    sessions: list[dict[str, Any]]
    moves: list[dict[str, str]]
    window_moves: list[dict[str, str]]


@router.get("/acts", response=Page[ActLine], operation_id="listActs", summary="Acts, newest first")
def list_acts(request: Asked, paging: Query[Paging], kind: str = "", state: str = "") -> Any:
    return page_of(acts.browse_acts(request.auth, kind=kind, state=state), paging, acts.act_row)


@router.post("/acts", response=ActOut, operation_id="offerAct", summary="Offer one of the acts")
def offer(request: Asked, body: OfferIn) -> Any:
    given = body.dict(exclude={"peer", "kind", "model", "note"})
    made = engagement.offer_act(
        request.auth, body.peer, body.kind, body.model, text=body.note, **given
    )
    return acts.act_view(request.auth, made.id)


@router.get("/acts/{act_id}", response=ActOut, operation_id="readAct", summary="One act")
def read_act(request: Asked, act_id: str) -> Any:
    return acts.act_view(request.auth, act_id)


@router.post(
    "/acts/{act_id}/again", response=ActOut, operation_id="offerAgain", summary="Offer it again"
)
def again(request: Asked, act_id: str, body: AgainIn) -> Any:
    """An act that is over is offered as a new one, with what is not given as it was."""
    given = {name: value for name, value in body.dict().items() if value is not None}
    if "note" in given:
        given["text"] = given.pop("note")
    made = engagement.offer_again(request.auth, act_id, **given)
    return acts.act_view(request.auth, made.id)


@router.post(
    "/acts/{act_id}/answer", response=ActOut, operation_id="answerAct", summary="Answer an offer"
)
def answer(request: Asked, act_id: str, body: AnswerIn) -> Any:
    engagement.answer_act(request.auth, act_id, body.answer, body.reason)
    return acts.act_view(request.auth, act_id)


@router.post(
    "/acts/{act_id}/withdraw", response=ActOut, operation_id="withdrawAct", summary="Withdraw"
)
def withdraw(request: Asked, act_id: str, body: ReasonIn) -> Any:
    """Either side, at any time; no reason is owed. A window of the act ends at once."""
    engagement.withdraw_act(request.auth, act_id, body.reason)
    return acts.act_view(request.auth, act_id)


@router.post(
    "/acts/{act_id}/end", response=ActOut, operation_id="endWindow", summary="End the window now"
)
def end(request: Asked, act_id: str, body: ReasonIn) -> Any:
    engagement.end_window(request.auth, act_id, body.reason)
    return acts.act_view(request.auth, act_id)


@router.post(
    "/acts/{act_id}/terms", response=ActOut, operation_id="signTerms", summary="Sign the terms"
)
def sign(request: Asked, act_id: str, body: TermsIn) -> Any:
    """The lab proposes and signs; who signs what the other side proposed sends an empty object."""
    terms.sign_terms(request.auth, act_id, **body.dict())
    return acts.act_view(request.auth, act_id)


@router.post(
    "/acts/{act_id}/terms/versions",
    response=ActOut,
    operation_id="proposeTerms",
    summary="Propose another version of the terms, signed",
)
def propose(request: Asked, act_id: str, body: VersionIn) -> Any:
    """Either side; the other signs it, answers with one of its own, or leaves it."""
    given = body.dict()
    terms.propose_terms(request.auth, act_id, text=given.pop("note"), **given)
    return acts.act_view(request.auth, act_id)


@router.get(
    "/acts/{act_id}/terms/versions/{digest}",
    response=dict[str, Any],
    operation_id="readTermsVersion",
    summary="One version of the terms, with its redlines",
)
def read_version(request: Asked, act_id: str, digest: str) -> Any:
    return term_views.version_view(request.auth, act_id, digest)


@router.get(
    "/acts/{act_id}/terms/versions/{digest}/signed",
    response=dict[str, Any],
    operation_id="readSignedTerms",
    summary="One version with both sides' keys and signatures, as a file to check offline",
)
def read_signed(request: Asked, act_id: str, digest: str) -> Any:
    return term_views.signed_version(request.auth, act_id, digest)


@router.get(
    "/clauses",
    response=list[dict[str, Any]],
    operation_id="listClauses",
    summary="The clause library, and which terms use it",
)
def clauses(request: Asked) -> Any:
    return term_views.library(request.auth)


@router.post(
    "/acts/{act_id}/terms/accept",
    response=ActOut,
    operation_id="acceptTerms",
    summary="Accept the terms in force, as a named person",
)
def accept(request: Asked, act_id: str, body: AcceptIn) -> Any:
    acceptance.accept_terms(request.auth, act_id, body.digest)
    return acts.act_view(request.auth, act_id)


@router.post(
    "/acts/{act_id}/terms/strike",
    response=ActOut,
    operation_id="strikePerson",
    summary="Take a person off the list at once",
)
def strike(request: Asked, act_id: str, body: StrikeIn) -> Any:
    """Either side, alone, without a reason; the person's sessions end with it."""
    acceptance.strike_person(request.auth, act_id, body.person)
    return acts.act_view(request.auth, act_id)


@router.post(
    "/acts/{act_id}/sessions",
    response=dict[str, Any],
    operation_id="requestSession",
    summary="Ask for a session",
)
def ask(request: Asked, act_id: str, body: SessionIn) -> Any:
    made = access.request_session(request.auth, act_id, body.purpose, body.person)
    return acts.session_view(request.auth, made.id)


@router.get(
    "/terms-choices",
    response=dict[str, Any],
    operation_id="readTermsChoices",
    summary="What terms can choose from",
)
def choices(request: Asked) -> Any:
    return term_views.offered_terms(request.auth)
