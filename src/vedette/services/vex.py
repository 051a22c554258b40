"""An operator's VEX documents, the matches that they take away, and how these are given back.

Rules:
- A document speaks of every inventory of its organisation, or of those at the site that it was
  handed in for, and of nobody else's. Those of feeds are `services.vex_feeds`.
- What a statement takes away is listed with the statement's reason and source, and counted.
- A suppressed match can be lifted: it is found again, whatever any statement says, until it is
  honoured again. A document can be withdrawn: then nothing of it counts.
- Each of these has the inventories matched anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vedette.formats import vex_in
from vedette.formats.bounded import load
from vedette.formats.detect import MAX_VEX
from vedette.kernel.canonical import digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.matching.model import Statement
from vedette.services import matches
from vedette.services.acting import Actor, act, reading
from vedette.store.models import Suppression, VexDocument

MAX_NAME = 200


def take_vex(actor: Actor, name: str, data: bytes, site: str = "") -> VexDocument:
    """Take a VEX document (OpenVEX, CSAF VEX or CycloneDX) and have everything matched anew.

    A newer one of the same name takes the earlier one's place. With `site` it speaks of the
    inventories at that site alone. Raises BadInput.
    """
    actor.require(Permission.ANSWER_GIVE)
    name, site = name.strip(), site.strip()
    if len(site) > MAX_NAME or (site and not site.isprintable()):
        raise BadInput(f"site: a name expected, at most {MAX_NAME} characters")
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise BadInput(f"name: 1 to {MAX_NAME} printable characters expected")
    document = load(data, name, MAX_VEX)
    statements = vex_in.read(document, name)
    if not statements:
        raise BadInput(
            f"file: {name} states nothing, or is no VEX",
            kept="the documents as they were",
            next_step="give OpenVEX, a CSAF VEX or CycloneDX with vulnerabilities",
        )
    with act(actor, Permission.ANSWER_GIVE) as doing:
        standing = own(actor).filter(site=site, name=name, withdrawn_at=None)
        before: VexDocument | None = standing.select_for_update().first()
        if before is not None and before.digest == digest(data):
            return before
        standing.update(withdrawn_at=doing.now)
        row = VexDocument(
            org_id=actor.org,
            name=name,
            data=data,
            digest=digest(data),
            statements=len(statements),
            site=site,
            author=vex_in.author(document)[:200],
            about=about(statements),
            mandate=actor.mandate,
            taken_by=actor.name[:300],
            taken_at=doing.now,
        )
        row.save(force_insert=True)
        doing.record(
            Event.OPERATOR_VEX_TAKEN, row.id, {"digest": row.digest, "statements": row.statements}
        )
        doing.after(matches.match_inventories, org=actor.org)
        return row


def own(actor: Actor) -> Any:
    """The documents handed in by, or for, the actor's organisation."""
    return VexDocument.objects.filter(org_id=actor.org, feed="")


def about(statements: Iterable[Statement]) -> list[str]:
    """The vulnerabilities that statements are about, by every name of theirs."""
    return sorted({name[:MAX_NAME] for one in statements for name in one.vulnerability})


def withdraw_vex(actor: Actor, document_id: str) -> VexDocument:
    """Let a document count no more. Raises NotFound."""
    with act(actor, Permission.ANSWER_GIVE) as doing:
        row: VexDocument | None = own(actor).select_for_update().filter(id=document_id).first()
        if row is None:
            raise NotFound(f"VEX document {document_id[:40]!r} is not here")
        if row.withdrawn_at is None:
            row.withdrawn_at = doing.now
            row.save(update_fields=["withdrawn_at"])
            doing.record(Event.OPERATOR_VEX_WITHDRAWN, row.id, {"digest": row.digest})
            doing.after(matches.match_inventories, org=actor.org)
        return row


def lift(actor: Actor, suppression_id: str, lifted: bool = True) -> Suppression:
    """Find a suppressed match again, or honour its statement again. Raises NotFound."""
    with act(actor, Permission.ANSWER_GIVE) as doing:
        row: Suppression | None = (
            Suppression.objects.select_for_update()
            .filter(org_id=actor.org, id=suppression_id)
            .first()
        )
        if row is None:
            raise NotFound(f"suppressed match {suppression_id[:40]!r} is not here")
        if (row.lifted_at is not None) != lifted:
            row.lifted_at = doing.now if lifted else None
            row.lifted_by = actor.name[:300] if lifted else ""
            row.save(update_fields=["lifted_at", "lifted_by"])
            event = Event.OPERATOR_VEX_LIFTED if lifted else Event.OPERATOR_VEX_HONOURED
            doing.record(event, row.id, {"advisory": row.advisory, "component": row.component})
            doing.after(matches.match_inventories, org=actor.org)
        return row


def documents(actor: Actor) -> list[dict[str, Any]]:
    """The actor's VEX documents that count, newest first, without their content."""
    with reading(actor, Permission.NOTICE_READ):
        rows = own(actor).defer("data").filter(withdrawn_at=None)
        return [describe(row) for row in rows.order_by("-taken_at", "name")]


def describe(row: VexDocument) -> dict[str, Any]:
    """A document as JSON, without its content."""
    return {
        "id": row.id,
        "name": row.name,
        "digest": row.digest,
        "statements": row.statements,
        "author": row.author,
        "site": row.site,
        "taken_by": row.taken_by,
        "taken_at": format_time(row.taken_at),
    }


def suppressed(actor: Actor) -> list[dict[str, Any]]:
    """Every match that a statement takes away, and those that were lifted, with their reasons."""
    with reading(actor, Permission.NOTICE_READ):
        rows = Suppression.objects.filter(org_id=actor.org)
        ordered = rows.order_by("inventory", "component", "advisory", "pk")
        return [describe_suppressed(row) for row in ordered]


def describe_suppressed(row: Suppression) -> dict[str, Any]:
    """A suppressed match as JSON."""
    return {
        "id": row.id,
        "inventory": row.inventory,
        "component": row.component,
        "product": row.product,
        "version": row.version,
        "advisory": row.advisory,
        "status": row.status,
        "reason": row.reason,
        "source": row.source,
        "lifted": row.lifted_at is not None,
        "lifted_by": row.lifted_by,
    }
