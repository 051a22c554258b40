"""An operator's inventories. Its owner alone reads them, on whichever instance they are kept.

Rules:
- A new taking under the same name replaces the earlier one, which stays as history.
- The same content under the same name is the same taking.
- What of it could not be read is listed with it; one that can't be read at all changes nothing.
- Each taking is matched against the newest index.
- Of several files at once each is a taking of its own: what can't be read is told with its reason,
  and the rest is kept.
- An asset list that names sites can be taken as one inventory a site: then each has notices and
  deadlines of its own, a patch is verified where it was made, and a mandate can end at a site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from vedette.clearinghouse.mandates import MOST_SITES
from vedette.formats import assets_in, detect
from vedette.kernel.bounds import MIB
from vedette.kernel.canonical import digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, Refused
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
NO_SITE = "no site"
_TOLD = {"listed": "package listing", "typed": "typed list"}


def take_inventory(
    actor: Actor, name: str, data: bytes, *, exposed: bool = False, site: str = ""
) -> Inventory:
    """Take an inventory (CycloneDX, SPDX or asset CSV) and have it matched.

    Args:
        exposed: whether its systems are publicly reachable, where they don't say so themselves.
        site: where it is run; by default what an earlier taking said, else its name.

    Raises BadInput.
    """
    name = check_name(name)
    site = check_name(site, "site") if site.strip() else ""
    actor.require(Permission.INVENTORY_EDIT)
    return _keep(actor, name, data, read_inventory(name, data), exposed, site)


@dataclass(frozen=True)
class Handed:
    """What became of one of several files: the inventories kept of it, or why none is."""

    file: str
    rows: tuple[Inventory, ...] = ()
    error: BadInput | Refused | None = None


def take_files(
    actor: Actor,
    files: Iterable[tuple[str, bytes]],
    *,
    several: bool,
    name: str = "",
    by_site: bool = False,
    exposed: bool = False,
    site: str = "",
) -> list[Handed]:
    """Take inventories from files, (file name, content) each.

    One alone is called `name`; without one, and where there are several, a file is called after
    itself, behind the name where there is one: "Plant: north".
    """
    actor.require(Permission.INVENTORY_EDIT)
    return [
        _handed(actor, file, data, _called(name.strip(), file, several), by_site, exposed, site)
        for file, data in files
    ]


def _called(name: str, file: str, several: bool) -> str:
    base = file.rpartition("/")[2]
    for ending in (".json", ".xml", ".csv", ".tsv", ".txt", ".spdx", ".cdx"):
        base = base.removesuffix(ending)
    base = "".join(c for c in base if c.isprintable()) or "inventory"
    if not name:
        return base
    return called_at(name, base) if several else name


def _handed(
    actor: Actor, file: str, data: bytes, name: str, by_site: bool, exposed: bool, site: str
) -> Handed:
    try:
        if by_site:
            return Handed(file, tuple(take_by_site(actor, name, data, exposed=exposed)))
        return Handed(file, (take_inventory(actor, name, data, exposed=exposed, site=site),))
    except (BadInput, Refused) as error:
        return Handed(file, error=error)


def columns(row: Inventory) -> assets_in.Columns | None:
    """What each column of an asset list is taken as; None for other forms."""
    if row.format != "CSV":
        return None
    try:
        return assets_in.find_columns(assets_in.decode(bytes(row.data), row.name), row.name)
    except BadInput:  # a list of packages without any
        return None


def read_otherwise(actor: Actor, inventory_id: str, chosen: Mapping[str, str]) -> Inventory:
    """Take an asset list anew with other columns: the header of each field, "" for none.

    Raises BadInput, NotFound.
    """
    row = inventory(actor, inventory_id)
    if columns(row) is None:
        raise BadInput(f"inventory {row.name}: no list with columns", kept="it, as it was")
    content = assets_in.decode(bytes(row.data), row.name)
    data = assets_in.renamed(content, row.name, chosen).encode()
    return take_inventory(actor, row.name, data, exposed=row.exposed, site=row.site)


def take_by_site(actor: Actor, name: str, data: bytes, *, exposed: bool = False) -> list[Inventory]:
    """Take an asset list as one inventory a site, each called "NAME: SITE". Raises BadInput."""
    actor.require(Permission.INVENTORY_EDIT)
    with reading(actor):
        parts = parts_by_site(actor.org, name, data)
    return keep_parts(dict.fromkeys(parts, actor), name, parts, exposed=exposed)


def parts_by_site(org: str, name: str, data: bytes) -> dict[str, bytes]:
    """An organisation's asset list by site, for use under a scope that sees its inventories.

    A site of an earlier taking that the list no longer names has an empty part: what stood there is
    gone. Raises BadInput.
    """
    name = check_name(name)
    read_inventory(name, data)
    standing = Inventory.objects.defer("data").filter(org_id=org, current=True)
    try:
        if standing.filter(name=name).exists():
            raise BadInput(
                f"name: {name} is kept as one inventory; a list by site needs another",
                next_step="give the list another name",
            )
        content = assets_in.decode(data, name)
        parts = assets_in.by_site(content, name, NO_SITE)
        empty = assets_in.header_alone(content)
        gone = [row.site for row in standing if row.name == called_at(name, row.site)]
        parts |= {site: empty for site in gone if site not in parts}
        if len(parts) > MOST_SITES:
            raise BadInput(
                f"file: {len(parts)} sites, at most {MOST_SITES}",
                next_step="cut the list into several files",
            )
        for site in parts:
            check_name(called_at(name, site), "site")
    except BadInput as error:
        error.kept = "the inventories as they were"
        raise
    return {site: part.encode() for site, part in parts.items()}


def keep_parts(
    by: Mapping[str, Actor], name: str, parts: Mapping[str, bytes], *, exposed: bool
) -> list[Inventory]:
    """Keep the parts of an asset list, each as an act of whoever keeps that site: all or none."""
    with transaction.atomic():
        return [
            _keep(by[site], called, part, assets_in.read(part, called), exposed, site)
            for site, part in parts.items()
            for called in (called_at(check_name(name), site),)
        ]


def called_at(name: str, site: str) -> str:
    """What the part of an inventory at a site is called."""
    return f"{name}: {site}"


def check_name(name: str, field: str = "name") -> str:
    """A name of an inventory or a site. Raises BadInput."""
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise BadInput(
            f"{field}: 1 to {MAX_NAME} printable characters expected",
            next_step="write it on one line",
        )
    return name


def _keep(
    actor: Actor, name: str, data: bytes, read: model.Inventory, exposed: bool, site: str
) -> Inventory:
    with act(actor, Permission.INVENTORY_EDIT) as doing:
        before = (
            Inventory.objects.select_for_update()
            .filter(org_id=actor.org, name=name, current=True)
            .first()
        )
        site = site or (before.site if before else name)
        same = before and (before.digest, before.exposed, before.site)
        if before and same == (digest(data), exposed, site):
            return before
        if before:
            before.current = False
            before.save(update_fields=["current"])
        row = Inventory(
            org_id=actor.org,
            name=name,
            site=site,
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
    return _TOLD.get(read.components[0].origin if read.components else "", "CSV")


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
        "site": row.site,
        "format": row.format,
        "digest": row.digest,
        "components": row.components,
        "problems": row.problems,
        "exposed": row.exposed,
        "current": row.current,
        "taken_at": format_time(row.taken_at),
    }
