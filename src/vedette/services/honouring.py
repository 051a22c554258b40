"""What an organisation's VEX statements take away in a match; under the instance's scope.

They come from the documents that it handed in, or had handed in, and from those of the feeds that
it honours. A document is read when a record is matched that it speaks of, and only then: a feed may
have very many.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from django.db import transaction
from django.db.models import Q

from vedette.formats import vex_in
from vedette.formats.bounded import load
from vedette.formats.detect import MAX_VEX
from vedette.matching.model import Inventory as Content
from vedette.matching.model import Statement
from vedette.matching.vex import Suppressed
from vedette.services.here import here
from vedette.store.models import HonouredFeed, Inventory, Suppression, VexDocument
from vedette.store.tenancy import SYSTEM, scoped

Lifted = frozenset[tuple[str, str]]


class Stated:
    """What is stated for one organisation; empty (false) where nothing is."""

    def __init__(
        self, rows: list[tuple[str, str, frozenset[str]]], read: dict[str, list[Statement]]
    ) -> None:
        self._rows, self._read = rows, read

    def __bool__(self) -> bool:
        return bool(self._rows)

    def about(self, names: Collection[str], site: str) -> list[Statement]:
        """What is stated of these vulnerabilities, by id or alias, at a site."""
        named = [
            pk for pk, own, about in self._rows if own in ("", site) and not about.isdisjoint(names)
        ]
        missing = [pk for pk in named if pk not in self._read]
        if missing:
            with transaction.atomic(), scoped(SYSTEM):
                for row in VexDocument.objects.filter(pk__in=missing):
                    self._read[row.pk] = _statements(row)
        return [one for pk in named for one in self._read[pk]]


def stated(org: str) -> Stated:
    """What is stated for one organisation."""
    return stated_each([org])[org]


def stated_each(orgs: Collection[str]) -> dict[str, Stated]:
    """What is stated for each of several; what one has read the others need not read."""
    read: dict[str, list[Statement]] = {}
    with transaction.atomic(), scoped(SYSTEM):
        honoured = HonouredFeed.objects.filter(org_id__in=orgs, honoured=True)
        feeds = set(honoured.values_list("org_id", "feed"))
        own, shared = (
            Q(org_id__in=orgs, feed=""),
            Q(org_id=here().org, feed__in={f for _, f in feeds}),
        )
        rows = VexDocument.objects.filter(own | shared, withdrawn_at=None).order_by(
            "taken_at", "pk"
        )
        found = [
            (owner, feed, (pk, site, frozenset(about)))
            for owner, feed, pk, site, about in rows.values_list(
                "org_id", "feed", "pk", "site", "about"
            )
        ]
    return {
        org: Stated(
            [row for owner, feed, row in found if ((org, feed) in feeds if feed else owner == org)],
            read,
        )
        for org in orgs
    }


def _statements(row: VexDocument) -> list[Statement]:
    by = f" by {row.author}" if row.author else ""
    source = f"{row.name}{by}, from the feed {row.feed}" if row.feed else row.name
    return vex_in.read(load(bytes(row.data), row.name, MAX_VEX), source) or []


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
        row.site = inventory.site
        row.version, row.status = one.match.version[:200], one.statement.status
        row.reason, row.source = one.statement.reason[:4000], one.statement.source[:300]
        row.save()
