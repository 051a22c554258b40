"""Endpoints of the lab, sessions and their counts."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Query, Schema
from pydantic import Field

from vedette.services import access, access_records, acts, builds, fingerprints, metering
from vedette.services.metering import Metered
from vedette.web.api.engagement import ReasonIn
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Moment, Name, Note
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["access"])


class EndpointIn(Schema):
    model: Name
    base_url: str
    key: str = ""
    build: str = ""
    safeguards: str = ""
    upstream_model: str = ""
    dialect: Literal["openai", "anthropic"] = "openai"
    checkpoint: str = ""
    system_prompt: str = ""
    sampling: str = ""


class EndpointOut(Schema):
    id: str
    model: str
    build: str
    safeguards: str
    base_url: str
    upstream_model: str
    dialect: str
    reach: str
    has_key: bool


class SessionLine(Schema):
    id: str
    act: str
    peer: str
    model: str
    build: str
    safeguards: str
    person: str
    purpose: str
    state: str
    reason: str
    url: str
    requested_at: str
    opened_at: str | None
    expires_at: str | None
    ended_at: str | None
    quota: dict[str, int]
    used: dict[str, int]


class SessionOut(SessionLine):
    counts: dict[str, Any]
    meters: dict[str, Any]


class CallLine(Schema):
    request_id: str
    at: str
    status: int
    refused: str
    input_tokens: int
    output_tokens: int
    milliseconds: int
    build: str
    probe: bool
    ended: str
    odd: str


class CallIn(Schema):
    request_id: str = Field(min_length=1, max_length=64)
    at: Moment
    status: int = Field(ge=0, le=599)
    input_tokens: int = 0
    output_tokens: int = 0
    milliseconds: int = 0
    build: str = Field(default="", max_length=40)
    refused: str = Field(default="", max_length=200)


class CallsIn(Schema):
    calls: list[CallIn] = Field(max_length=10_000)


class ReleaseIn(Schema):
    said: Literal["same", "differs", "not-stated"]
    build: str = ""
    checkpoint: str = ""
    differences: Note = ""


class BuildsOut(Schema):
    """The builds of a window in their order, and what is said of the released one."""

    builds: list[dict[str, Any]]
    released: dict[str, Any]


class RoundOut(Schema):
    id: str
    occasion: str
    at: str
    state: str
    reason: str
    build: str
    verdict: str
    era: int
    statistic: str | None
    bar: str | None
    p: str | None
    recent: int | None


@router.get(
    "/acts/{act_id}/builds",
    response=BuildsOut,
    operation_id="readBuilds",
    summary="The builds that a window reached",
)
def read_builds(request: Asked, act_id: str) -> Any:
    return builds.builds_view(request.auth, act_id)


@router.get(
    "/acts/{act_id}/fingerprints",
    response=list[RoundOut],
    operation_id="listFingerprints",
    summary="The rounds of probes of a window",
)
def list_fingerprints(request: Asked, act_id: str) -> Any:
    return fingerprints.rounds_view(request.auth, act_id)


@router.post(
    "/acts/{act_id}/fingerprints",
    response=list[RoundOut],
    operation_id="takeFingerprint",
    summary="Take a round of probes now",
)
def take_fingerprint(request: Asked, act_id: str) -> Any:
    """It is taken by a job; the answer has the rounds so far."""
    fingerprints.take_now(request.auth, act_id)
    return fingerprints.rounds_view(request.auth, act_id)


@router.get(
    "/acts/{act_id}/record",
    response=dict[str, Any],
    operation_id="readAccessRecord",
    summary="The access record of both sides",
)
def read_record(request: Asked, act_id: str) -> Any:
    return access_records.record_view(request.auth, act_id)


@router.post(
    "/acts/{act_id}/released",
    response=BuildsOut,
    operation_id="stateRelease",
    summary="Say how the released build stands to the assessed one",
)
def state_release(request: Asked, act_id: str, body: ReleaseIn) -> Any:
    """Nothing waits for it; silence reads as not stated."""
    builds.state_release(request.auth, act_id, **body.dict())
    return builds.builds_view(request.auth, act_id)


@router.get(
    "/endpoints", response=list[EndpointOut], operation_id="listEndpoints", summary="Endpoints"
)
def list_endpoints(request: Asked) -> Any:
    return access.endpoints(request.auth)


@router.post(
    "/endpoints",
    response=list[EndpointOut],
    operation_id="addEndpoint",
    summary="Say where a model is",
)
def add_endpoint(request: Asked, body: EndpointIn) -> Any:
    """The key is sealed for this instance, and never shown again."""
    access.add_endpoint(request.auth, **body.dict())
    return access.endpoints(request.auth)


@router.get(
    "/sessions",
    response=Page[SessionLine],
    operation_id="listSessions",
    summary="Sessions, newest first",
)
def list_sessions(request: Asked, paging: Query[Paging]) -> Any:
    return page_of(acts.browse_sessions(request.auth), paging, acts.session_row)


@router.get(
    "/sessions/{session_id}", response=SessionOut, operation_id="readSession", summary="One session"
)
def read_session(request: Asked, session_id: str) -> Any:
    return acts.session_view(request.auth, session_id)


@router.post(
    "/sessions/{session_id}/end",
    response=SessionOut,
    operation_id="endSession",
    summary="End a session now",
)
def end_session(request: Asked, session_id: str, body: ReasonIn) -> Any:
    access.end_session(request.auth, session_id, body.reason)
    return acts.session_view(request.auth, session_id)


@router.get(
    "/sessions/{session_id}/calls",
    response=Page[CallLine],
    operation_id="listCalls",
    summary="Metered calls, newest first",
)
def list_calls(request: Asked, session_id: str, paging: Query[Paging]) -> Any:
    return page_of(acts.browse_calls(request.auth, session_id), paging, acts.call_row)


@router.post(
    "/sessions/{session_id}/calls",
    response=dict[str, int],
    operation_id="recordCalls",
    summary="Count calls that the office made",
)
def record_calls(request: Asked, session_id: str, body: CallsIn) -> Any:
    """A request id counts once, however often it is sent."""
    calls = [Metered(**call.dict()) for call in body.calls]
    return {"new": metering.record_calls(request.auth, session_id, calls)}
