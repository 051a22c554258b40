"""An operator's inventories. Its owner alone reads them, on whichever instance they are kept.

Rules:
- A new taking under the same name replaces the earlier one, which stays as history.
- The same content under the same name is the same taking.
- What of it could not be read is listed with it; one that can't be read at all changes nothing.
- Each taking is matched against the newest index.
"""

from __future__ import annotations

from typing import Any

from vedette.formats import detect
from vedette.kernel.bounds import MIB
from vedette.kernel.canonical import digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.matching import model
from vedette.services import matches, rematching
from vedette.services.acting import Actor, act, reading
from vedette.store.models import Inventory
from vedette.store.tenancy import SYSTEM, scoped

MAX_BYTES = 64 * MIB
MAX_NAME = 200
MAX_PROBLEMS = 100
_TOLD = {"listed": "package listing", "typed": "typed list"}


def take_inventory(actor: Actor, name: str, data: bytes, *, exposed: bool = False) -> Inventory:
    """Take an inventory (CycloneDX, SPDX or asset CSV) and have it matched.

    `exposed` says whether the systems of it are publicly reachable, where they don't say so
    themselves. Raises BadInput.
    """
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise BadInput(f"name: 1 to {MAX_NAME} printable characters expected")
    actor.require(Permission.INVENTORY_EDIT)
    read = read_inventory(name, data)
    with act(actor, Permission.INVENTORY_EDIT) as doing:
        before = (
            Inventory.objects.select_for_update()
            .filter(org_id=actor.org, name=name, current=True)
            .first()
        )
        if before and before.digest == digest(data) and before.exposed == exposed:
            return before
        if before:
            before.current = False
            before.save(update_fields=["current"])
        row = Inventory(
            org_id=actor.org,
            name=name,
            format=_format(data, read),
            data=data,
            digest=digest(data),
            components=len(read.components),
            problems=[*read.notes[:MAX_PROBLEMS], *_settled(read)],
            exposed=exposed,
            statements=len(read.statements),
            taken_at=doing.now,
        )
        row.save(force_insert=True)
        with scoped(SYSTEM):  # derived from the inventory, whoever brought it
            rematching.keep_names(row, read)
        doing.record(
            Event.OPERATOR_INVENTORY_TAKEN,
            row.id,
            {"digest": row.digest, "components": row.components, "exposed": exposed},
        )
        doing.after(matches.match_inventories, inventory=row.id)
        return row


def _settled(read: model.Inventory) -> list[str]:
    count = len(read.statements)
    said = f"{count:,} VEX statements in it: what they state as not affected or fixed is not found"
    return [said] if count else []


def _format(data: bytes, read: model.Inventory) -> str:
    head = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        return "CycloneDX XML"
    if head.startswith(b"{"):
        return "CycloneDX" if b'"bomFormat"' in data else "SPDX"
    return _TOLD.get(read.components[0].origin, "CSV")


def read_inventory(name: str, data: bytes) -> model.Inventory:
    """Read an inventory within its bounds. Raises BadInput, where nothing of it can be used."""
    if len(data) > MAX_BYTES:
        raise BadInput(
            f"inventory: {len(data):,} bytes, at most {MAX_BYTES:,}",
            kept="the inventory as it was",
            next_step="take it in parts, under several names",
        )
    try:
        read = detect.read_inventory(data, name)
    except BadInput as error:
        raise BadInput(
            f"inventory {error.what}", kept="the inventory as it was", next_step=error.next_step
        ) from None
    if not read.components:
        raise BadInput(
            f"inventory {name}: it holds no component",
            kept="the inventory as it was",
            next_step="give CycloneDX, SPDX or a CSV with a column product, name, model or purl",
        )
    return read


def inventories(actor: Actor, *, history: bool = False) -> list[dict[str, Any]]:
    """The actor's inventories without their content, newest first."""
    with reading(actor, Permission.NOTICE_READ):
        rows = Inventory.objects.defer("data").filter(org_id=actor.org)
        rows = rows if history else rows.filter(current=True)
        return [describe(row) for row in rows.order_by("-taken_at", "name", "-current")]


def inventory(actor: Actor, inventory_id: str) -> Inventory:
    """One inventory with its content. Raises NotFound."""
    with reading(actor, Permission.NOTICE_READ):
        row: Inventory | None = Inventory.objects.filter(org_id=actor.org, id=inventory_id).first()
    if row is None:
        raise NotFound(f"inventory {inventory_id[:40]!r} is not here")
    return row


def describe(row: Inventory) -> dict[str, Any]:
    """An inventory as JSON, without its content."""
    return {
        "id": row.id,
        "name": row.name,
        "format": row.format,
        "digest": row.digest,
        "components": row.components,
        "problems": row.problems,
        "exposed": row.exposed,
        "current": row.current,
        "taken_at": format_time(row.taken_at),
    }
