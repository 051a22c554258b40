"""The clearinghouse's index of advisories: made of public records and its own advisories.

Rules:
- Only published, public TLP:CLEAR advisories enter it; nothing under embargo is ever inside.
- Where the KEV catalogue is here, it says of each record whether it is listed; what an own advisory
  states as listed stays so.
- An index is built anew only when its content differs; every operator is told of each new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from vedette.clearinghouse import facts
from vedette.exchange.published_index import INDEX_PATH, Statement
from vedette.formats import csaf_in, osv_in
from vedette.formats.detect import read_advisory
from vedette.kernel.canonical import digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import NotFound
from vedette.kernel.events import Event
from vedette.kernel.markings import CLEAR, Marking
from vedette.kernel.permissions import Profile
from vedette.matching import delta
from vedette.matching.building import build
from vedette.matching.index import Index
from vedette.matching.model import Advisory as Record
from vedette.services.acting import Actor, Doing, act, instance_actor, reading
from vedette.services.jobs import job
from vedette.services.matches import every_night, match_changes
from vedette.services.products import prepare_products
from vedette.services.sides import only
from vedette.services.sources import BATCH, KEV, WHOLE, may_feed
from vedette.store.models import Advisory, IndexBuild, Peer, SourceAdvisory
from vedette.store.tenancy import SYSTEM, scoped

KEPT_BUILDS = 8


def build_index(actor: Actor) -> IndexBuild:
    """Build the index anew, publish it, and tell every operator; unchanged content, same index."""
    only(Profile.CLEARINGHOUSE, actor)
    return build_own_index(actor)


def build_own_index(actor: Actor) -> IndexBuild:
    """Build this instance's index: a clearinghouse's is public, an operator's shown to nobody."""
    with act(actor, may_feed(actor)) as doing:
        newest: IndexBuild | None = (
            IndexBuild.objects.select_for_update().filter(peer=None, current=True).first()
        )
        data = build(_material(doing))
        if newest is not None and newest.digest == digest(data):
            return newest
        held = Index(data, "index").header["advisories"]
        row = keep(doing, data, None, held, doing.now)
        doing.record(
            Event.INDEX_INDEX_BUILT,
            row.id,
            {"digest": row.digest, "advisories": row.advisories},
            marking=str(CLEAR),
        )
        told = Peer.objects.filter(profile=Profile.OPERATOR) if row.public else Peer.objects.none()
        for peer in told.order_by("name"):
            doing.send(
                peer, "index.published", _told(doing, row), thread=row.id, marking="TLP:CLEAR"
            )
        return row


@job(queue="long")
def rebuild() -> None:
    """Build the index after a publication."""
    build_index(instance_actor())


def keep(
    doing: Doing, data: bytes, peer: Peer | None, advisories: int, built_at: datetime
) -> IndexBuild:
    """Keep an index as its maker's newest, and have the inventories matched against it."""
    earlier = IndexBuild.objects.filter(peer=peer)
    earlier.filter(current=True).update(current=False)
    row = IndexBuild(
        org_id=doing.here.org,
        peer=peer,
        digest=digest(data),
        size=len(data),
        advisories=advisories,
        data=data,
        public=peer is None and doing.here.profile == Profile.CLEARINGHOUSE,
        current=True,
        built_at=built_at,
    )
    row.save(force_insert=True)
    old = earlier.filter(current=False).order_by("-built_at", "pk")
    stale = list(old.values_list("id", flat=True)[KEPT_BUILDS:])
    IndexBuild.objects.filter(id__in=stale).update(data=b"")
    doing.after(match_changes)
    doing.after(prepare_products, index=row.id)
    every_night()
    return row


def _told(doing: Doing, row: IndexBuild) -> dict[str, Any]:
    return {
        "index": row.id,
        "digest": row.digest,
        "size": row.size,
        "advisories": row.advisories,
        "url": doing.here.url + INDEX_PATH + row.digest,
        "published": format_time(row.built_at),
    }


def _material(doing: Doing) -> Iterator[Record]:
    catalogue = SourceAdvisory.objects.filter(source=KEV).first()
    listed = frozenset[str](json.loads(catalogue.document)) if catalogue else None
    sources = SourceAdvisory.objects.filter(problem="").exclude(source__in=WHOLE).order_by("pk")
    for source, key, document in sources.values_list("source", "key", "document").iterator(BATCH):
        yield _with_kev(read_advisory(document.encode(), f"{source}: {key}"), listed)
    own = Advisory.objects.filter(public=True, published_at__lte=doing.now).order_by("pk")
    for row in own:
        if CLEAR.dominates(Marking.parse(row.marking)):
            yield _with_kev(own_record(row), listed)


def _with_kev(record: Record, listed: frozenset[str] | None) -> Record:
    """The record with what the catalogue says of it; as it is, where there is no catalogue."""
    if listed is None:
        return record
    named = not listed.isdisjoint((record.id, *record.aliases))
    if not named and "kev=yes" in record.facts:
        return record
    others = [fact for fact in record.facts if not fact.startswith("kev=")]
    return replace(record, facts=("kev=yes" if named else "kev=no", *others))


def own_record(row: Advisory) -> Record:
    """A published advisory as the match takes it.

    OSV names packages, CSAF every product; so products without a package come from CSAF. What an
    own advisory corrects, it corrects by execution: no finding enters a case otherwise.
    """
    record = osv_in.read(row.osv, row.tracking_id)
    packages = tuple(a for a in record.affected if a.name or a.purl)
    if len(packages) < len(record.affected) or not packages:
        named = csaf_in.read(row.csaf, row.tracking_id).affected
        record = replace(record, affected=(*packages, *(a for a in named if not a.purl)))
    return replace(
        record,
        id=row.tracking_id,
        corrects=tuple(row.corrects),
        evidence="execution" if row.corrects and row.case_id else "",
        facts=facts.state(row.priority),
        revision=str(row.csaf.get("document", {}).get("tracking", {}).get("version", ""))[:100],
    )


def latest() -> dict[str, Any]:
    """The signed statement of the newest public index: a DSSE envelope. Raises NotFound."""
    with reading(instance_actor()) as instance:
        row = IndexBuild.objects.defer("data").filter(peer=None, public=True, current=True).first()
    if row is None:
        raise NotFound("no index was built here yet")
    statement = Statement(row.id, row.digest, row.size, row.advisories, row.built_at)
    return statement.sign(instance.keys)


def content(wanted: str) -> bytes:
    """The bytes of a public index by digest. Raises NotFound."""
    with scoped(SYSTEM):
        row = IndexBuild.objects.filter(digest=wanted, public=True, peer=None).first()
    data = bytes(row.data) if row else b""
    if not data:
        raise NotFound("no such index here", next_step=f"the newest: {INDEX_PATH}latest")
    return data


@lru_cache(KEPT_BUILDS)
def changes(wanted: str, since: str) -> bytes:
    """What changed from one public index to another (`matching.delta`). Raises NotFound.

    Of those kept alone, so that nobody can have more than a few made; each is made once a process.
    """
    return delta.make(content(since), content(wanted))


def builds(actor: Actor, limit: int = 50) -> list[dict[str, Any]]:
    """The indexes kept here, newest first."""
    with reading(actor):
        rows = IndexBuild.objects.defer("data").order_by("-current", "-built_at", "pk")[:limit]
        return [describe(row) for row in rows]


def describe(row: IndexBuild) -> dict[str, Any]:
    """An index as JSON, without its content."""
    return {
        "id": row.id,
        "digest": row.digest,
        "size": row.size,
        "advisories": row.advisories,
        "current": row.current,
        "pulled_from": row.peer_id or "",
        "built_at": format_time(row.built_at),
    }
