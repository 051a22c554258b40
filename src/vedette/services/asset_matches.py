"""Matches by product, by asset and by document, how far each asset is, and matching by hand.

Rules (CSAF 2.0, conformance clause 13):
- Each product and each asset has the list of documents that match it, each document the lists of
  products and of assets.
- Each asset is marked for itself, for each vulnerability; the answer to a notice marks them all.
- Matching by hand is a job of its own, for some documents or some assets.
- Of each document it is counted how many assets match it, and how many of these stand where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from vedette.clearinghouse.remediation import MARKS, Remediation, major, of_asset
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.services import matches
from vedette.services.acting import Actor, act, reading
from vedette.services.noticing import NOT_FOUND
from vedette.store.models import AssetMark, Inventory, Notice

MOST_BY_HAND = 100
KINDS = ("document", "product", "asset")


@dataclass(frozen=True)
class Asset:
    """One component of one inventory, by the names that these have for it."""

    inventory: str
    component: str


@dataclass(frozen=True)
class Line:
    """One asset and one document that match."""

    notice: str
    title: str
    document: str
    revision: str
    product: str
    version: str
    asset: Asset
    fixed: tuple[str, ...]
    verdict: str
    confidence: str
    reason: str
    status: Remediation
    marked: bool

    def key(self, kind: str) -> Any:
        """What it stands under in the list by `kind`."""
        return {"document": self.document, "product": self.product, "asset": self.asset}[kind]


@dataclass(frozen=True)
class Entry:
    """One product, asset or document with what matches it."""

    key: Any
    lines: tuple[Line, ...]

    @property
    def revision(self) -> str:
        return self.lines[0].revision

    @property
    def semantic(self) -> bool:
        """Whether the document's version is a semantic one."""
        return major(self.revision) is not None

    @property
    def counts(self) -> dict[str, int]:
        """How many assets, documents and products that are, and assets by their status."""
        found = {name: len({line.key(name) for line in self.lines}) for name in KINDS}
        return {**found, **statistics(self.lines)}


def lines(actor: Actor) -> list[Line]:
    """Everything that matches now, by document, inventory and component."""
    with reading(actor, Permission.NOTICE_READ):
        rows = Notice.objects.filter(org_id=actor.org).exclude(verdict=NOT_FOUND)
        marks = {
            (mark.notice_id, mark.component): mark.status
            for mark in AssetMark.objects.filter(org_id=actor.org)
        }
        found = [
            _line(row, match, marks.get((row.id, match["component"]), ""))
            for row in rows.select_related("inventory").defer("inventory__data")
            for match in row.matches
        ]
    return sorted(
        found, key=lambda line: (line.document, line.asset.inventory, line.asset.component)
    )


def _line(row: Notice, match: dict[str, Any], mark: str) -> Line:
    return Line(
        notice=row.id,
        title=row.title,
        document=match["advisory"],
        revision=row.facts.get("revisions", {}).get(match["advisory"], ""),
        product=match["name"],
        version=match["version"],
        asset=Asset(row.inventory.name, match["component"]),
        fixed=tuple(match["fixed"]),
        verdict=match["verdict"],
        confidence=match["confidence"],
        reason=match["reason"],
        status=of_asset(mark, row.state),
        marked=bool(mark),
    )


def entries(found: Iterable[Line], kind: str) -> list[Entry]:
    """The lines by product, asset or document, those with the most assets to do first."""
    by_key: dict[Any, list[Line]] = {}
    for line in found:
        by_key.setdefault(line.key(kind), []).append(line)
    listed = [Entry(key, tuple(some)) for key, some in by_key.items()]
    return sorted(listed, key=lambda one: (-one.counts[Remediation.NOT_REMEDIATED], str(one.key)))


def statistics(found: Iterable[Line]) -> dict[str, int]:
    """How many assets match at all (`assets`), and how many stand where: each at its least."""
    least: dict[Asset, int] = {}
    order = list(Remediation)
    for line in found:
        place = order.index(line.status)
        least[line.asset] = min(place, least.get(line.asset, place))
    counts = Counter(least.values())
    return {"assets": len(least), **{str(s): counts[n] for n, s in enumerate(order)}}


def mark_assets(actor: Actor, notice_id: str, components: Sequence[str], status: str) -> Notice:
    """Mark assets of a notice: not-remediated, in-progress or done; "" takes a mark back.

    Raises BadInput, NotFound.
    """
    actor.require(Permission.ANSWER_GIVE)
    if status and status not in MARKS:
        raise BadInput(
            f"status: {status[:40]!r} is none", next_step=f"one of {', '.join(MARKS)}, or nothing"
        )
    with act(actor, Permission.ANSWER_GIVE) as doing:
        notice: Notice | None = (
            Notice.objects.select_for_update().filter(org_id=actor.org, id=notice_id).first()
        )
        if notice is None:
            raise NotFound(f"notice {notice_id[:40]!r} is not here")
        known = {match["component"] for match in notice.matches}
        if not components or not known.issuperset(components):
            raise BadInput(
                "components: name such that the notice is about",
                kept="every mark as it was",
                next_step="the notice lists them under matches",
            )
        marks = AssetMark.objects.filter(notice=notice, component__in=components)
        before = dict(marks.values_list("component", "status"))
        if all(before.get(one, "") == status for one in components):
            return notice
        marks.delete()
        if status:
            AssetMark.objects.bulk_create(
                AssetMark(
                    org_id=actor.org,
                    notice=notice,
                    site=notice.site,
                    component=one,
                    status=status,
                    by=actor.name[:300],
                    at=doing.now,
                )
                for one in sorted(set(components))
            )
        doing.record(
            Event.OPERATOR_ASSET_MARKED,
            notice.id,
            {"components": sorted(set(components)), "status": status},
            marking=notice.marking,
        )
        return notice


def match_again(
    actor: Actor, documents: Sequence[str] = (), assets: Sequence[Asset] = ()
) -> list[str]:
    """Match some documents, or the inventories of some assets, anew by hand; return what was asked.

    Raises BadInput where nothing or too much is named, NotFound for what is not here.
    """
    actor.require(Permission.INVENTORY_EDIT)
    asked = [*documents, *assets]
    if not 1 <= len(asked) <= MOST_BY_HAND:
        raise BadInput(f"{len(asked)} named, 1 to {MOST_BY_HAND} documents or assets expected")
    with act(actor, Permission.INVENTORY_EDIT) as doing:
        names = {asset.inventory for asset in assets}
        rows = Inventory.objects.filter(org_id=actor.org, current=True, name__in=names)
        ids = dict(rows.values_list("name", "id"))
        for name in sorted(names - ids.keys()):
            raise NotFound(f"inventory {name[:40]!r} is not here")
        for name in sorted(ids):
            doing.after(matches.match_inventories, inventory=ids[name])
        if documents:
            named = sorted({name[:100] for name in documents})
            doing.after(matches.match_documents, org=actor.org, documents=named)
        told = [*documents, *(f"{asset.inventory} {asset.component}" for asset in assets)]
        doing.record(Event.OPERATOR_MATCH_ASKED, actor.org, {"of": told})
    return told
