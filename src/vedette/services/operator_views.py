"""What an operator's pages show: the work in its order, its inventories, the index in hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from vedette.kernel.clock import parse_time
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, reading
from vedette.services.here import here
from vedette.services.notices import OPEN, inbox
from vedette.store.models import (
    IndexBuild,
    Inventory,
    LedgerEntry,
    Notice,
    Peer,
    Suppression,
)
from vedette.store.tenancy import SYSTEM, scoped


@dataclass(frozen=True)
class IndexStatus:
    """The newest index in use, where it came from, the last refusal, and the others in use."""

    build: IndexBuild | None
    source: str
    keyid: str
    taken_at: datetime | None
    refused_at: datetime | None
    pulls: bool
    others: list[tuple[str, IndexBuild]]


def notice_list(
    actor: Actor,
    *,
    state: str = "",
    only_open: bool = False,
    inventory: str = "",
    verdict: str = "",
    confidence: str = "",
    row: str = "",
    text: str = "",
) -> QuerySet[Notice]:
    """Notices in the order of work, narrowed: a lazy query, under the actor's scope.

    `confidence` is that of the first match, `row` the priority table's row ("n/y/y/total").
    """
    rows = inbox(actor, state=state, only_open=only_open)
    return narrowed(rows, inventory, verdict, confidence, row, text)


def narrowed(
    rows: QuerySet[Notice],
    inventory: str = "",
    verdict: str = "",
    confidence: str = "",
    row: str = "",
    text: str = "",
) -> QuerySet[Notice]:
    """Those of `rows` that fit."""
    if inventory:
        rows = rows.filter(inventory__name=inventory)
    if verdict:
        rows = rows.filter(verdict=verdict)
    if confidence:
        rows = rows.filter(matches__0__confidence=confidence)
    if row:
        rows = rows.filter(row=row)
    if text:
        rows = rows.filter(
            Q(title__icontains=text) | Q(advisory__icontains=text) | Q(matches__icontains=text)
        )
    return rows


def notice_counts(actor: Actor) -> dict[str, int]:
    """How many notices stand in each state, and how many are `open` and `overdue`."""
    actor.require(Permission.NOTICE_READ)
    rows = Notice.objects.filter(org_id=actor.org)
    counted = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    today = here().clock.now().date()
    more = rows.aggregate(
        open=Count("pk", filter=OPEN), overdue=Count("pk", filter=OPEN & Q(deadline__lt=today))
    )
    return counted | more


def suppressed_count(actor: Actor) -> int:
    """How many matches VEX takes away."""
    return int(Suppression.objects.filter(org_id=actor.org, lifted_at=None).count())


def rows_in_use(actor: Actor) -> list[str]:
    """The rows of the priority table that the actor's notices stand in."""
    return rows_of(Notice.objects.filter(org_id=actor.org))


def rows_of(notices: QuerySet[Notice]) -> list[str]:
    """The rows of the priority table that notices stand in."""
    rows = notices.exclude(row="").order_by("row")
    return list(rows.values_list("row", flat=True).distinct())


def inventory_names(actor: Actor) -> list[str]:
    """The names of the actor's inventories."""
    actor.require(Permission.NOTICE_READ)
    rows = Inventory.objects.filter(org_id=actor.org, current=True)
    return list(rows.order_by("name").values_list("name", flat=True))


def open_by_inventory(actor: Actor) -> dict[str, int]:
    """How many open notices each inventory has."""
    rows = Notice.objects.filter(OPEN, org_id=actor.org).order_by()
    return dict(rows.values_list("inventory_id").annotate(n=Count("pk")))


def index_status(actor: Actor) -> IndexStatus:
    """The newest index that this instance matches with, and the others in use."""
    with reading(actor, Permission.NOTICE_READ):
        rows = IndexBuild.objects.defer("data").select_related("peer").filter(current=True)
        builds = list(rows.order_by("-built_at", "pk"))
    build = builds[0] if builds else None
    with scoped(SYSTEM):
        pulled = Event.INDEX_INDEX_PULLED if build and build.peer_id else Event.INDEX_INDEX_BUILT
        taken = _newest(Q(event=pulled, object_id=build.id)) if build else None
        refused = _newest(Q(event=Event.INDEX_INDEX_REFUSED))
        pulls = (
            here().profile == Profile.OPERATOR
            and actor.host
            and actor.may(Permission.INVENTORY_EDIT)
            and Peer.objects.filter(profile=Profile.CLEARINGHOUSE).exists()
        )
    peer = build.peer if build else None
    return IndexStatus(
        build=build,
        source=_source(build) if build else here().name,
        keyid=peer.keyid if peer else here().keys.public.keyid,
        taken_at=taken,
        refused_at=refused if refused and (taken is None or refused > taken) else None,
        pulls=pulls,
        others=[(_source(each), each) for each in builds[1:]],
    )


def _source(build: IndexBuild) -> str:
    return build.peer.name if build.peer else here().name


def _newest(condition: Q) -> datetime | None:
    row = LedgerEntry.objects.filter(condition).order_by("-seq").values_list("time").first()
    return parse_time(row[0], field="time") if row else None
