"""Publications about a window: drafts shown, marked, settled, published or left."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from ninja import Schema
from pydantic import Field

from vedette.services import publications
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Name

router = Router(tags=["engagement"])
MARKDOWN = {"responses": {200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}}}


class DraftIn(Schema):
    form: str
    title: Name
    text: str


class MarkIn(Schema):
    passage: str
    reason: str
    words: str


class MarksIn(Schema):
    """What to leave out; without marks the draft counts as seen."""

    marks: list[MarkIn] = Field(default_factory=list)


class MarkViewIn(Schema):
    agrees: bool
    view: str = ""


class ViewsIn(Schema):
    """The author's view of each mark, in their order."""

    views: list[MarkViewIn]


@router.get(
    "/publications",
    response=list[dict[str, Any]],
    operation_id="listPublications",
    summary="Publications, newest first",
)
def list_publications(request: Asked, act: str = "") -> Any:
    return publications.publications(request.auth, act)


@router.post(
    "/acts/{act_id}/publications",
    response=dict[str, Any],
    operation_id="showDraft",
    summary="Show a draft to the other side",
)
def show(request: Asked, act_id: str, body: DraftIn) -> Any:
    made = publications.show_draft(request.auth, act_id, body.form, body.title, body.text)
    return publications.publication_view(request.auth, made.id)


@router.get(
    "/publications/{publication_id}",
    response=dict[str, Any],
    operation_id="readPublication",
    summary="One publication with its marks and both views",
)
def read(request: Asked, publication_id: str) -> Any:
    return publications.publication_view(request.auth, publication_id)


@router.get(
    "/publications/{publication_id}/file",
    operation_id="readPublicationFile",
    summary="What may be published, as Markdown",
    openapi_extra=MARKDOWN,
)
def file(request: Asked, publication_id: str) -> HttpResponse:
    text = publications.publication_file(request.auth, publication_id)
    return HttpResponse(text, content_type="text/markdown; charset=utf-8")


@router.post(
    "/publications/{publication_id}/marks",
    response=dict[str, Any],
    operation_id="markDraft",
    summary="Mark what to leave out of the other side's draft",
)
def mark(request: Asked, publication_id: str, body: MarksIn) -> Any:
    publications.mark_draft(request.auth, publication_id, [m.dict() for m in body.marks])
    return publications.publication_view(request.auth, publication_id)


@router.post(
    "/publications/{publication_id}/views",
    response=dict[str, Any],
    operation_id="settleMarks",
    summary="Say what the author thinks of each mark",
)
def settle(request: Asked, publication_id: str, body: ViewsIn) -> Any:
    publications.settle_marks(request.auth, publication_id, [v.dict() for v in body.views])
    return publications.publication_view(request.auth, publication_id)


@router.post(
    "/publications/{publication_id}/publish",
    response=dict[str, Any],
    operation_id="publishText",
    summary="Publish, as its author",
)
def publish(request: Asked, publication_id: str) -> Any:
    publications.publish(request.auth, publication_id)
    return publications.publication_view(request.auth, publication_id)


@router.post(
    "/publications/{publication_id}/leave",
    response=dict[str, Any],
    operation_id="leavePublication",
    summary="Leave it, without a reason",
)
def leave(request: Asked, publication_id: str) -> Any:
    publications.leave_publication(request.auth, publication_id)
    return publications.publication_view(request.auth, publication_id)
