"""What changed in the indexes, matched against the inventories that it can touch, and no others.

How: the records that differ from the earlier indexes give keys; keys give the inventories'
components (`HeldName`), and names the notices that such records may join or leave (`NoticeName`).
Of an inventory so touched, every component that a record at issue speaks of is matched against
every record that speaks of it. What follows for the vulnerabilities at issue and their notices is
what a match of the whole inventory says.

Rules:
- Notices rest on the indexes that `Inventory.matched_with` names; where these are not all here any
  more, or more than MOST_CHANGED records differ, the whole inventory is to be matched.
- A patch that waits for its verification is verified by a whole match alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Q

from vedette.clearinghouse.states import NoticeState
from vedette.formats.detect import read_inventory
from vedette.kernel.events import Event
from vedette.matching import changes, identity, model
from vedette.matching.index import Index
from vedette.matching.model import Advisory
from vedette.matching.said import Said
from vedette.services import honouring, matched, product_names
from vedette.services.acting import act
from vedette.services.matched import Outcome
from vedette.services.noticing import NOT_FOUND, bring_up_to_date, notices_of, owner_of
from vedette.store.models import HeldName, IndexBuild, Inventory, Notice, NoticeName
from vedette.store.tenancy import SYSTEM, scoped

MOST_CHANGED = 1_000
Parts = dict[str, list[Any]]


@dataclass(frozen=True)
class Touched:
    """Each touched inventory with what was found among which of its components, and the notices."""

    found: dict[str, tuple[Inventory, Outcome, list[str]]]
    names: frozenset[str]
    notices: frozenset[str]


def keep_names(inventory: Inventory, content: model.Inventory) -> None:
    """Keep what a new inventory is known by, in place of what an earlier taking was known by."""
    earlier = HeldName.objects.filter(
        org_id=inventory.org_id, inventory__name=inventory.name, inventory__current=False
    )
    earlier.delete()
    HeldName.objects.bulk_create(
        [
            HeldName(org_id=inventory.org_id, inventory=inventory, code=code, components=components)
            for code, components in changes.held(content).items()
        ],
        batch_size=1_000,
    )


def together(indexes: Iterable[Index]) -> str:
    """The indexes by their digests, as `Inventory.matched_with` names them."""
    return " ".join(sorted(index.name for index in indexes))


def rematch(indexes: Sequence[Index]) -> list[str]:
    """Bring to every inventory what changed; return the ids of those to be matched whole."""
    left: list[str] = []
    for before in _earlier(indexes):
        known = _kept(before.split())
        ids = changes.differing(known, indexes) if known else set()
        if not known or len(ids) > MOST_CHANGED:
            left += _matched_with(before)
        else:
            records = changes.readings(ids, (*known, *indexes))
            left += Change(before, records, indexes).bring()
    return left


def again(org: str, documents: Sequence[str], indexes: Sequence[Index]) -> list[str]:
    """Match these records against one organisation's inventories; return those to match whole."""
    records = changes.readings(documents, indexes)
    return Change(together(indexes), records, indexes, org).bring()


def _earlier(indexes: Sequence[Index]) -> list[str]:
    with transaction.atomic(), scoped(SYSTEM):
        rows = Inventory.objects.filter(current=True).exclude(matched_with=together(indexes))
        found = rows.order_by("matched_with").values_list("matched_with", flat=True).distinct()
        return list(found) if indexes else []


def _matched_with(before: str) -> list[str]:
    with transaction.atomic(), scoped(SYSTEM):
        rows = Inventory.objects.filter(current=True, matched_with=before).order_by("pk")
        return list(rows.values_list("id", flat=True))


def _kept(digests: Sequence[str]) -> list[Index]:
    """The indexes with these digests; none, where one of them is not here any more."""
    with transaction.atomic(), scoped(SYSTEM):
        rows = IndexBuild.objects.filter(digest__in=digests)
        found = {row.digest: bytes(row.data) for row in rows if row.data}
    whole = len(found) == len(set(digests))
    return [Index(data, digest) for digest, data in found.items()] if whole else []


@dataclass(frozen=True)
class Change:
    """Some records that changed, for the inventories that were matched with what was before.

    With `org` for those of one organisation.
    """

    before: str
    records: Sequence[Advisory]
    indexes: Sequence[Index]
    org: str = ""

    def bring(self) -> list[str]:
        """Bring the change to the inventories; return the ids of those to be matched whole."""
        whole = self._waiting()
        touched = self.find(whole)
        for inventory, outcome, among in touched.found.values():
            self._tell(inventory, outcome, among, touched)
        with transaction.atomic(), scoped(SYSTEM):
            rest = self._inventories().exclude(pk__in=whole)
            rest.update(matched_with=together(self.indexes))
        return whole

    def _inventories(self) -> Any:
        rows = Inventory.objects.filter(current=True, matched_with=self.before)
        return rows.filter(org_id=self.org) if self.org else rows

    def _waiting(self) -> list[str]:
        """The inventories with a patch that waits for its verification."""
        with transaction.atomic(), scoped(SYSTEM):
            rows = Notice.objects.filter(state=NoticeState.PATCHED, verdict=NOT_FOUND)
            rows = rows.exclude(inventory__current=True)
            names = set(rows.values_list("org_id", "inventory__name"))
            candidates = self._inventories().filter(org_id__in={org for org, _ in names})
            found = candidates.values_list("pk", "org_id", "name")
            return [pk for pk, org, name in found if (org, name) in names]

    def find(self, without: Sequence[str] = ()) -> Touched:
        """What the change makes of the inventories that it can touch; nothing is written."""
        with transaction.atomic(), scoped(SYSTEM):
            parts = self._held(changes.keys(self.records))
            for inventory in without:
                parts.pop(inventory, None)
            if not parts:
                return Touched({}, frozenset(), frozenset())
            rows = Inventory.objects.filter(pk__in=parts).order_by("pk")
            inventories = {row.id: row for row in rows.defer("data")}
            names, notices, ids = self._at_issue(parts, inventories.values())
            records = changes.readings(ids, self.indexes)
            parts = self._held(changes.keys((*self.records, *records)), list(parts))
            every = honouring.stated_each({r.org_id for r in inventories.values()})
            stated = {org: one for org, one in every.items() if one}
            places = {(r.org_id, r.site) for r in inventories.values()}
            said = product_names.said_each(places)
            held = [
                _held(row, parts[pk], stated.get(row.org_id), said[row.org_id, row.site])
                for pk, row in inventories.items()
            ]
        outcomes = matched.find_each(held, self.indexes, names)
        concerned = {(org, name) for _, org, name in notices}
        among = {one.inventory.name: [c.id for c in one.inventory.components] for one in held}
        return Touched(
            {
                pk: (row, outcomes[pk], among[pk])
                for pk, row in inventories.items()
                if outcomes[pk].found
                or (row.org_id, row.name) in concerned
                or row.statements
                or row.org_id in stated
                or said[row.org_id, row.site]
            },
            names,
            frozenset(pk for pk, _, _ in notices),
        )

    def _held(self, keys: set[str], among: Sequence[str] | None = None) -> Parts:
        """The components with one of the keys, by inventory."""
        rows = HeldName.objects.filter(
            code__in={changes.code(key) for key in keys},
            inventory__current=True,
            inventory__matched_with=self.before,
        )
        rows = rows.filter(org_id=self.org) if self.org else rows
        rows = rows if among is None else rows.filter(inventory_id__in=among)
        found: Parts = {inventory: [] for inventory in among or ()}
        for inventory, components in rows.values_list("inventory_id", "components"):
            found.setdefault(inventory, []).extend(components)
        return found

    def _at_issue(
        self, parts: Parts, inventories: Iterable[Inventory]
    ) -> tuple[frozenset[str], set[tuple[str, str, str]], set[str]]:
        """The vulnerabilities that may change: their names, their notices, their records' ids."""
        owners = {(row.org_id, row.name) for row in inventories}
        near = [(a.id, changes.names(a)) for a in self._speaking(parts)]
        names = frozenset[str]().union(*map(changes.names, self.records))
        before: frozenset[str] = frozenset()
        notices: dict[str, tuple[str, str, str]] = {}
        while before != names:
            before = names
            rows = NoticeName.objects.filter(name__in=names).values_list(
                "notice_id", "org_id", "notice__inventory__name"
            )
            notices |= {row[0]: row for row in rows if row[1:] in owners}
            own = NoticeName.objects.filter(notice_id__in=notices)
            names |= frozenset(own.values_list("name", flat=True))
            names = names.union(*(some for _, some in near if not some.isdisjoint(names)))
        ids = {name for name, some in near if not some.isdisjoint(names)}
        told = Notice.objects.filter(pk__in=notices).values_list("advisory", "also")
        return names, set(notices.values()), ids.union(*((lead, *also) for lead, also in told))

    def _speaking(self, parts: Parts) -> list[Advisory]:
        """The records that speak of any of these components."""
        held = {tuple(one) for rows in parts.values() for _, one in rows}
        wanted = {key for one in held for key in identity.of_component(model.Component(*one))}
        return [a for index in self.indexes for a in index.advisories(frozenset(wanted))]

    def _tell(
        self, inventory: Inventory, outcome: Outcome, among: Sequence[str], touched: Touched
    ) -> None:
        found = outcome.found
        with act(owner_of(inventory.org_id), None) as doing:
            current = Inventory.objects.select_for_update().filter(
                pk=inventory.pk, current=True, matched_with=self.before
            )
            if not current.exists():
                return
            leads = touched.names.union(*(one.names for one in found))
            notices = notices_of(inventory).filter(
                Q(pk__in=touched.notices) | Q(advisory__in=leads)
            )
            bring_up_to_date(doing, inventory, found, list(notices), self.indexes)
            honouring.keep(inventory, outcome.suppressed, among)
            current.update(matched_with=together(self.indexes))
            doing.record(
                Event.OPERATOR_MATCH_FINISHED,
                inventory.id,
                {
                    "indexes": [index.name for index in self.indexes],
                    "found": len(found),
                    "changed": sorted({record.id for record in self.records}),
                },
            )


def _held(
    inventory: Inventory, rows: Sequence[Any], stated: honouring.Stated | None, said: Said
) -> matched.Held:
    """The components at issue, with what VEX statements of the inventory rest on."""
    part = changes.part(inventory.id, rows)
    lifted: honouring.Lifted = frozenset()
    if said:
        lifted = honouring.lifted(inventory)
    if inventory.statements or stated:
        content = read_inventory(bytes(inventory.data), inventory.name)
        lifted = honouring.lifted(inventory)
        held = {one.id for one in part.components} | {content.subject}
        own = tuple(one for one in content.components if one.id in held)
        part = replace(content, name=inventory.id, components=own)
    if stated is None:
        return matched.Held(part, inventory.exposed, lifted, said=said)

    def speaking(content: model.Inventory, names: Collection[str]) -> model.Inventory:
        return honouring.bound(content, stated.about(names, inventory.site))

    return matched.Held(part, inventory.exposed, lifted, speaking, said)
