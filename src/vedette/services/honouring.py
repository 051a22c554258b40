"""What an organisation's VEX statements take away in a match; under the instance's scope."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from vedette.formats import vex_in
from vedette.formats.bounded import load
from vedette.formats.detect import MAX_VEX
from vedette.matching.model import Inventory as Content
from vedette.matching.model import Statement
from vedette.matching.vex import Suppressed
from vedette.store.models import Inventory, Suppression, VexDocument

Lifted = frozenset[tuple[str, str]]


def statements_of(org: str) -> list[Statement]:
    """What the organisation's documents state."""
    rows = VexDocument.objects.filter(org_id=org, withdrawn_at=None).order_by("taken_at", "pk")
    return [
        one
        for row in rows
        for one in vex_in.read(load(bytes(row.data), row.name, MAX_VEX), row.name) or ()
    ]


def bound(content: Content, statements: Iterable[Statement]) -> Content:
    """The inventory carrying these statements; what they name by BOM-Link, by its own ids."""
    own = tuple(
        replace(
            one,
            references=tuple(
                name.removeprefix(content.link)
                for name in one.references
                if content.link and name.startswith(content.link)
            ),
        )
        for one in statements
    )
    return replace(content, statements=(*content.statements, *own))


def lifted(inventory: Inventory) -> Lifted:
    """The component and advisory of each match that was lifted."""
    rows = Suppression.objects.filter(
        org_id=inventory.org_id, inventory=inventory.name, lifted_at__isnull=False
    )
    return frozenset(rows.values_list("component", "advisory"))


def keep(
    inventory: Inventory, suppressed: Iterable[Suppressed], among: Collection[str] | None = None
) -> None:
    """Keep what a match of the inventory suppressed; with `among` of these components alone.

    What was lifted stays listed so.
    """
    rows = Suppression.objects.filter(org_id=inventory.org_id, inventory=inventory.name)
    rows = rows if among is None else rows.filter(component__in=among)
    known = {(row.component, row.advisory): row for row in rows}
    found = {(one.match.component, one.match.advisory): one for one in suppressed}
    gone = [row.pk for key, row in known.items() if key not in found and row.lifted_at is None]
    Suppression.objects.filter(pk__in=gone).delete()
    for key, one in found.items():
        row = known.get(key) or Suppression(
            org_id=inventory.org_id,
            inventory=inventory.name,
            component=one.match.component,
            advisory=one.match.advisory,
        )
        row.product = (one.match.name or one.match.component)[:300]
        row.version, row.status = one.match.version[:200], one.statement.status
        row.reason, row.source = one.statement.reason[:4000], one.statement.source[:300]
        row.save()
