"""Files that messages brought or took along, for people: listed, and read.

A file that belongs to an act is a copy to take away: the terms in force say whether it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vedette.kernel.clock import format_time
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services import content, vault
from vedette.services.acting import Actor, reading
from vedette.services.acts import acts
from vedette.services.binding import require_export
from vedette.services.case_views import browse_cases, browse_findings
from vedette.store.models import Act, Attachment

MOST = 200


def list_attachments(actor: Actor, about: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """The files of both directions that the reader may see, newest first."""
    with reading(actor, Permission.ATTACHMENT_READ):
        rows = Attachment.objects.select_related("peer").order_by("-made_at", "id")
        rows = rows.filter(about=about) if about else rows
        clearance = Marking.parse(actor.clearance)
        seen = (r for r in rows[:limit] if clearance.dominates(Marking.parse(r.marking)))
        return [_described(row) for row in seen]


def attachable(actor: Actor) -> dict[str, list[tuple[str, str]]]:
    """What this reader may send a file about, newest first: kind to ids with their names."""
    found: dict[str, list[tuple[str, str]]] = {}
    if actor.may(Permission.ENGAGEMENT_READ):
        found["Acts"] = [
            (
                row["id"],
                f"{row['kind'].replace('-', ' ').capitalize()} for {row['model']}, {row['peer']}",
            )
            for row in acts(actor)[:MOST]
        ]
    if actor.may(Permission.CASE_READ):
        found["Cases"] = [(row.id, row.title) for row in browse_cases(actor)[:MOST]]
    if actor.may(Permission.FINDING_READ):
        found["Findings"] = [(row.id, row.title) for row in browse_findings(actor)[:MOST]]
    return {kind: rows for kind, rows in found.items() if rows}


def _described(row: Attachment) -> dict[str, Any]:
    lacking = len(content.missing(row)) if row.state in ("expected",) else 0
    return {
        "id": row.id,
        "direction": "own" if row.peer is None else "out" if row.outgoing else "in",
        "peer": row.peer.name if row.peer else "",
        "name": row.name or "the key of its window is gone",
        "media_type": row.media_type,
        "size": row.size,
        "digest": row.digest,
        "marking": row.marking,
        "about": row.about,
        "message": row.message_id,
        "state": row.state,
        "reason": row.reason,
        "chunks": len(row.chunks),
        "missing": lacking,
        "at": format_time(row.made_at),
    }


def open_attachment(actor: Actor, attachment: str) -> tuple[dict[str, Any], Iterator[bytes]]:
    """A file and its content as a stream. Raises NotFound, and Refused while it is not whole."""
    with reading(actor, Permission.ATTACHMENT_READ):
        row = Attachment.objects.select_related("peer").filter(id=attachment).first()
        clearance = Marking.parse(actor.clearance)
        if row is None or not clearance.dominates(Marking.parse(row.marking)):
            raise NotFound(f"attachment {attachment[:40]!r} is not here")
        if not row.outgoing and row.state != "here":
            raise Refused(f"this file is {row.state}: {row.reason or 'not whole yet'}")
        bound = Act.objects.filter(id=row.about_act).first() if row.about_act else None
        if bound is not None and not row.outgoing:
            require_export(actor, bound)
        content.read_chunk(row, 0)
        if row.about_act:  # here: the stream is read when the view is over
            vault.log_reading(row.about_act, "attachment", row.id)
        return _described(row), content.stream(row)
