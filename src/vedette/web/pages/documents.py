"""Marked documents: read by portions, taken as a copy, and whose copy a copy is."""

from __future__ import annotations

import base64
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from vedette.kernel.errors import NotFound
from vedette.kernel.markings import AMBER, Marking
from vedette.kernel.permissions import Permission
from vedette.services import documents as service
from vedette.web.access import SignedIn, page
from vedette.web.cells import Cell, Code, Column, Link, Table
from vedette.web.pages.words import joined

PAGES = {
    "act": "/acts/{}/",
    "assessment": "/assessments/{}/",
    "determination": "/determinations/{}/",
}


@require_GET
@page()
def document(request: SignedIn, kind: str, object_id: str) -> HttpResponse:
    """A document, with a mark before each portion that its reader may read."""
    edition, stamp = service.read_document(request.actor, kind, object_id)
    back = PAGES[kind].format(object_id)
    parts = [_part(part) for part in edition.to_json()["portions"]]
    titled = bool(parts) and parts[0]["kind"] == "heading" and parts[0]["level"] == 1
    context = {
        "edition": edition,
        "heading": f"{parts[0]['mark']} {edition.title}" if titled else edition.title,
        "parts": parts[1:] if titled else parts,
        "copy_url": f"/documents/{kind}/{object_id}/copy/",
        "trail": [(kind.capitalize(), back), ("Document", "")],
        "page_marking": edition.marking,
        "page_banner": edition.banner,
        "page_block": edition.block,
        "watermark": stamp,
    }
    return render(request, "pages/document.html", context)


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """A portion as the template takes it."""
    if part["kind"] == "facts":
        return part | {"cells": [(name, _cell(value)) for name, value in part["pairs"]]}
    if part["kind"] == "grid":
        columns: list[Column | str] = list(part["heads"])
        rows = [[_cell(cell) for cell in row] for row in part["rows"]]
        return part | {"table": Table(part["caption"], columns, rows)}
    if part["kind"] == "figure":
        return part | {"svg": base64.b64encode(part["svg"].encode()).decode()}
    return part


def _cell(text: str) -> Cell:
    return Code(text) if text.startswith("sha256:") else text


@require_POST
@page()
def copy(request: SignedIn, kind: str, object_id: str) -> HttpResponse:
    """Take a copy; it is logged with its reader."""
    made = service.take_copy(request.actor, kind, object_id, request.POST.get("form", "pdf"))
    response = HttpResponse(made.data, content_type=made.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


@require_GET
@page(Permission.LEDGER_READ)
def copies(request: SignedIn) -> HttpResponse:
    """Every copy that was taken, and whose the one of a code is."""
    code = request.GET.get("code", "").strip()[:100]
    found, rows = None, []
    if code:
        try:
            found = service.whose_copy(request.actor, code)
        except NotFound:
            found = None
    else:
        rows = service.copies(request.actor)
    shown = [found] if found else rows
    context = {
        "code": code,
        "unknown": bool(code) and found is None,
        "found": _facts(found) if found else [],
        "rows": rows,
        "table": Table(
            "Copies, newest first",
            ["Code", "Taken by", "Taken", "Of", "Form", "Marking"],
            [_row(row) for row in rows],
        ),
        "page_marking": joined(str(AMBER), *(row.marking for row in shown)),
    }
    return render(request, "pages/copies.html", context)


def _row(row: Any) -> list[Cell]:
    return [
        Link(row.id, f"/documents/?code={row.id}"),
        row.address or row.reader,
        row.taken_at,
        f"{row.kind} {row.about}",
        row.form.upper(),
        Marking.parse(row.marking),
    ]


def _facts(row: Any) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [
        ("Code", Code(row.id)),
        ("Taken by", row.reader),
        ("Address", row.address),
        ("Taken", row.taken_at),
        ("Of", Link(f"{row.kind} {row.about}", PAGES[row.kind].format(row.about))),
        ("Form", row.form.upper()),
        ("Marking", Marking.parse(row.marking)),
        ("Digest of the file", Code(row.digest)),
        ("Digest of what it says", Code(row.edition_digest)),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]
