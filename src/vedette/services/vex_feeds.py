"""VEX documents that came with feeds: kept as they came, and honoured by whoever says so.

Rules:
- A feed's documents take nothing away until an organisation honours the feed. From then on each
  counts as if that organisation had handed it in: the reason names author and feed, a single match
  can be lifted, and it ends when the organisation says so.
- On an operator's own instance, whoever takes a feed in honours it thereby, unless the organisation
  has spoken of that feed before. On a clearinghouse each operator that it hosts speaks for itself.
- A newer document under the same name takes the earlier one's place, as with those handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Sum

from vedette.formats import vex_in
from vedette.formats.bounded import load
from vedette.formats.detect import MAX_VEX
from vedette.kernel.canonical import digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services import matches
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.here import here
from vedette.services.sources import BATCH, may_feed
from vedette.services.vex import MAX_NAME, about
from vedette.store.models import HonouredFeed, VexDocument
from vedette.store.tenancy import SYSTEM, scoped

MOST_AUTHORS = 20


def keep(actor: Actor, feed: str, found: Sequence[tuple[str, bytes]]) -> int:
    """Keep VEX documents of a feed, by name and content; return how many are new or newer."""
    if not found:
        return 0
    with act(actor, may_feed(actor)) as doing:
        standing = VexDocument.objects.filter(org_id=doing.here.org, feed=feed, withdrawn_at=None)
        known = dict(standing.values_list("name", "digest"))
        rows = {row.name: row for name, data in found if (row := _row(doing, feed, name, data))}
        fresh = [row for row in rows.values() if known.get(row.name) != row.digest]
        standing.filter(name__in=[row.name for row in fresh]).update(withdrawn_at=doing.now)
        VexDocument.objects.bulk_create(fresh, batch_size=BATCH)
        if fresh:
            stated = {row.name: row.digest for row in fresh}
            doing.record(Event.OPERATOR_VEX_TAKEN, feed[:100], {"feed": feed, "documents": stated})
            _begin(doing, feed)
            with scoped(SYSTEM):  # whoever honours it, and that is told to nobody
                honouring = HonouredFeed.objects.filter(feed=feed, honoured=True).order_by("pk")
                orgs = list(honouring.values_list("org_id", flat=True))
            for org in orgs:
                doing.after(matches.match_inventories, org=org)
    return len(fresh)


def digests(feed: str) -> set[str]:
    """The digests of a feed's documents that stand; under the instance's scope."""
    rows = VexDocument.objects.filter(org_id=here().org, feed=feed, withdrawn_at=None)
    return set(rows.values_list("digest", flat=True))


def _row(doing: Doing, feed: str, name: str, data: bytes) -> VexDocument:
    document = load(data, name, MAX_VEX)
    statements = vex_in.read(document, name) or []
    return VexDocument(
        org_id=doing.here.org,
        name=name[-MAX_NAME:],
        data=data,
        digest=digest(data),
        statements=len(statements),
        author=vex_in.author(document)[:MAX_NAME],
        feed=feed,
        about=about(statements),
        public=doing.here.profile == Profile.CLEARINGHOUSE,
        taken_by=doing.actor.name[:MAX_NAME],
        taken_at=doing.now,
    )


def _begin(doing: Doing, feed: str) -> None:
    """An operator's own instance honours a feed that it takes in, unless it said otherwise."""
    if doing.here.profile == Profile.OPERATOR:
        own = HonouredFeed.objects.filter(org_id=doing.here.org, feed=feed)
        if not own.exists():
            _say(doing, doing.here.org, feed, True)


def honour(actor: Actor, feed: str, honoured: bool = True) -> None:
    """Honour what a feed's VEX documents state from now on, or no more. Raises NotFound."""
    with act(actor, Permission.ANSWER_GIVE) as doing:
        if not _documents().filter(feed=feed).exists():
            raise NotFound(f"no VEX of a feed {feed[:40]!r} is here")
        row = HonouredFeed.objects.select_for_update().filter(org_id=actor.org, feed=feed).first()
        if (row is not None and row.honoured) == honoured:
            return
        _say(doing, actor.org, feed, honoured)
        doing.after(matches.match_inventories, org=actor.org)


def _say(doing: Doing, org: str, feed: str, honoured: bool) -> None:
    row, _ = HonouredFeed.objects.update_or_create(
        org_id=org,
        feed=feed,
        defaults={"honoured": honoured, "by": doing.actor.name[:MAX_NAME], "at": doing.now},
    )
    event = Event.OPERATOR_VEX_HONOURED if honoured else Event.OPERATOR_VEX_WITHDRAWN
    doing.record(event, row.id, {"feed": feed})


def _documents() -> Any:
    """Every feed's documents that stand, as far as the reader sees them."""
    return VexDocument.objects.filter(org_id=here().org, withdrawn_at=None).exclude(feed="")


def feeds(actor: Actor) -> list[dict[str, Any]]:
    """The feeds with VEX by name, with their authors, and whether the organisation honours them."""
    with reading(actor, Permission.NOTICE_READ):
        spoken = {row.feed: row for row in HonouredFeed.objects.filter(org_id=actor.org)}
        by_feed = _documents().order_by("feed").values("feed")
        counted = list(by_feed.annotate(documents=Count("pk"), statements=Sum("statements")))
        written = _documents().order_by("author").values_list("feed", "author").distinct()
        authors: dict[str, list[str]] = {}
        for feed, author in written:
            if author and len(authors.setdefault(feed, [])) < MOST_AUTHORS:
                authors[feed].append(author)
    return [
        {
            **each,
            "authors": authors.get(each["feed"], []),
            "honoured": bool(row and row.honoured),
            "by": row.by if row else "",
            "at": format_time(row.at) if row else None,
        }
        for each in counted
        for row in (spoken.get(each["feed"]),)
    ]
