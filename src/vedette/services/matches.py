"""Matching kept inventories against the newest indexes.

Rules:
- A new index touches the inventories that hold a name of a record that differs from the earlier
  index; in these, only the vulnerabilities that such records can be part of are decided anew, and
  the notices are as after a match of everything.
- An inventory is matched whole when it is new, when the earlier index is no longer here, when most
  of the index changed, and every night.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import time

from django.db import transaction

from vedette.formats.detect import read_inventory
from vedette.kernel.events import Event
from vedette.matching import changes
from vedette.matching.index import Index
from vedette.matching.model import Inventory as Content
from vedette.services import honouring, matched, product_names, rematching
from vedette.services.acting import act
from vedette.services.jobs import every_day, job
from vedette.services.noticing import bring_up_to_date, notices_of, owner_of
from vedette.store.models import IndexBuild, Inventory
from vedette.store.tenancy import SYSTEM, scoped

NIGHT = time(3, 0)
NIGHTLY = "match every inventory"


@job(queue="long")
def match_inventories(org: str = "", inventory: str = "") -> None:
    """Match the current inventories: all of them, one organisation's, or one. Idempotent."""
    indexes = current_indexes()
    for inventory_id in _current(org, inventory):
        match_inventory(inventory_id, indexes)


@job(queue="long")
def match_changes() -> None:
    """Match against the records that changed since each inventory was matched. Idempotent."""
    indexes = current_indexes()
    for inventory_id in rematching.rematch(indexes):
        match_inventory(inventory_id, indexes)


@job(queue="long")
def match_documents(org: str, documents: list[str]) -> None:
    """Match some records against one organisation's inventories. Idempotent."""
    indexes = current_indexes()
    for inventory_id in rematching.again(org, documents, indexes):
        match_inventory(inventory_id, indexes)


@job(queue="long")
def match_nightly() -> None:
    """Match everything, and again the next night."""
    match_inventories()
    every_night()


def every_night() -> None:
    """See to it that a match of everything is due, in the coming night."""
    every_day(NIGHTLY, match_nightly, NIGHT)


def _current(org: str, inventory: str) -> list[str]:
    with transaction.atomic(), scoped(SYSTEM):
        rows = Inventory.objects.filter(current=True).order_by("pk")
        rows = rows.filter(org_id=org) if org else rows
        rows = rows.filter(id=inventory) if inventory else rows
        return list(rows.values_list("id", flat=True))


def current_indexes() -> list[Index]:
    """The newest index of each maker."""
    with transaction.atomic(), scoped(SYSTEM):
        rows = IndexBuild.objects.filter(current=True).order_by("built_at", "pk")
        return [Index(bytes(row.data), row.digest) for row in rows]


def match_inventory(inventory_id: str, indexes: Sequence[Index]) -> None:
    """Match one inventory and bring its notices up to date, in one transaction."""
    with transaction.atomic(), scoped(SYSTEM):
        row = Inventory.objects.filter(id=inventory_id).first()
        if row is None or not indexes:
            return
        stated = honouring.stated(row.org_id)
        lifted = honouring.lifted(row)
        said = product_names.said(row.org_id, row.site)
    content = read_inventory(bytes(row.data), row.name)

    def speaking(inventory: Content, names: Collection[str]) -> Content:
        return honouring.bound(inventory, stated.about(names, row.site))

    held = matched.Held(content, row.exposed, lifted, speaking, said)
    outcome = matched.find(held, indexes)
    with act(owner_of(row.org_id), None) as doing:
        current = Inventory.objects.select_for_update().filter(id=row.id, current=True)
        if not current.exists():
            return
        notices = list(notices_of(row))
        bring_up_to_date(doing, row, outcome.found, notices, indexes, content.components)
        honouring.keep(row, outcome.suppressed)
        if changes.separable(content):
            current.update(matched_with=rematching.together(indexes))
        doing.record(
            Event.OPERATOR_MATCH_FINISHED,
            row.id,
            {"indexes": [index.name for index in indexes], "found": len(outcome.found)},
        )
