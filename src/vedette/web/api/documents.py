"""Marked documents taken as a copy, and whose copy a copy is."""

from __future__ import annotations

import base64
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from vedette.kernel.clock import format_time
from vedette.services import documents
from vedette.web.api.idempotency import Asked, Router

router = Router(tags=["documents"])


class CopyIn(Schema):
    """In which form."""

    form: Literal["pdf", "json"] = Field("pdf", description="an accessible PDF, or JSON")


@router.post("/documents/{kind}/{object_id}/copies", summary="Take a copy of a document; logged")
def take_copy(request: Asked, kind: str, object_id: str, given: CopyIn) -> dict[str, Any]:
    """`kind` is act, assessment or determination; `data` is the file in base64."""
    made = documents.take_copy(request.auth, kind, object_id, given.form)
    return {
        **_row(made.row),
        "name": made.name,
        "media_type": made.media_type,
        "data": base64.b64encode(made.data).decode("ascii"),
    }


@router.get("/documents/copies", summary="Copies taken here, newest first")
def list_copies(request: Asked, about: str = "") -> list[dict[str, Any]]:
    return [_row(row) for row in documents.copies(request.auth, about[:40])]


@router.get("/documents/copies/{code}", summary="Whose copy bears this code or has this digest")
def whose_copy(request: Asked, code: str) -> dict[str, Any]:
    return _row(documents.whose_copy(request.auth, code[:100]))


def _row(row: Any) -> dict[str, Any]:
    return {
        "copy": row.id,
        "reader": row.reader,
        "address": row.address,
        "taken_at": format_time(row.taken_at),
        "kind": row.kind,
        "about": row.about,
        "form": row.form,
        "marking": row.marking,
        "digest": row.digest,
        "edition": row.edition_digest,
    }
